"""How many requests a caller has left: a bucket for each that fills with time."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

__all__ = ["Buckets"]

_MOST = 10_000
"""Callers remembered; who was silent longest is forgotten first, with a full bucket."""


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: float


class Buckets:
    """Buckets that hold a minute's requests."""

    def __init__(self, per_minute: int) -> None:
        """Make empty memory.

        Args:
            per_minute: Requests a minute; 0 for any number.
        """
        self._size = per_minute
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def wait(self, caller: str, now: float) -> float:
        """Return the seconds until a caller has a request left; 0 where there is one."""
        if not self._size or caller not in self._buckets:
            return 0.0
        return max(0.0, (1 - self._filled(caller, now).tokens) * 60 / self._size)

    def take(self, caller: str, now: float) -> None:
        """Take a request from what a caller has left."""
        if not self._size:
            return
        bucket = self._filled(caller, now)
        bucket.tokens = max(0.0, bucket.tokens - 1)

    def _filled(self, caller: str, now: float) -> _Bucket:
        bucket = self._buckets.pop(caller, None) or _Bucket(self._size, now)
        bucket.tokens = min(self._size, bucket.tokens + (now - bucket.at) * self._size / 60)
        bucket.at = now
        self._buckets[caller] = bucket
        while len(self._buckets) > _MOST:
            self._buckets.popitem(last=False)
        return bucket
