"""How hard properties are tried: quickly and repeatably, or with ``SRSIGN_EXAMPLES=2000`` long."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

_EXAMPLES = int(os.environ.get("SRSIGN_EXAMPLES", "0"))

settings.register_profile(
    "srsign",
    max_examples=_EXAMPLES or 60,
    derandomize=not _EXAMPLES,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.load_profile("srsign")
