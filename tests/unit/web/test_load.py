"""The service under load: everybody is served, and what it remembers is bounded."""

from __future__ import annotations

import pytest

from benchmarks.service import service_load

_SECONDS, _CLIENTS = 60, 50
_GROWTH = 1.25
"""Of memory between a tenth of the time and its end; an unbounded memory of documents, sessions or
callers would show, for each of a thousand exchanges holds more than 50 KB."""


@pytest.mark.prove
def test_fifty_clients() -> None:
    """Fifty clients sign, check and list for a minute without an error, and memory stays flat."""
    load = service_load(clients=_CLIENTS, seconds=_SECONDS, drafts=9000)
    assert load.errors == 0
    assert set(load.latencies) == {"sign", "check", "list"}
    assert load.megabytes_last < _GROWTH * load.megabytes_first
