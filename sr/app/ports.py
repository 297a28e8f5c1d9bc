"""What use cases need from the world: the time and new UIDs.

A test passes its own; ``sr.compose`` passes the real ones.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

__all__ = ["Ports"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """Sources of everything that differs from one run to the next."""

    now: Callable[[], datetime]
    """Aware."""
    new_uid: Callable[[], str]
