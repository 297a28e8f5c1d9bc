"""What use cases need from the world: the time, new UIDs and, where wanted, time-stamps.

A test passes its own; ``sr.compose`` passes the real ones.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from sr.trust import TrustMaterial

__all__ = ["Ports", "TimestampAuthority", "Timestamping"]

_NO_MATERIAL = TrustMaterial()


class TimestampAuthority(Protocol):
    """Something that answers time-stamp requests.

    Cites: RFC 3161 2.1.
    """

    @property
    def name(self) -> str:
        """Where it is; safe to show."""

    def respond(self, request: bytes) -> bytes:
        """Return the answer to a request, both DER, whatever it is worth.

        Raises:
            TimestampError: There is no answer.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Timestamping:
    """How the time-stamps of new signatures are obtained."""

    authority: TimestampAuthority
    new_nonce: Callable[[], int]
    """At least 64 bits, never the same again."""
    material: TrustMaterial = _NO_MATERIAL
    """Anchors that the authority must lead to; without any it only has to be one."""
    policy: str = ""
    """Object identifier of the policy to ask for; empty for the authority's default."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """Sources of everything that differs from one run to the next."""

    now: Callable[[], datetime]
    """Aware."""
    new_uid: Callable[[], str]
    timestamping: Timestamping | None = None
    """``None`` for signatures without time-stamp."""
    clock_skew: timedelta = timedelta(minutes=5)
    """How far this clock may be from that of others."""
