"""What the filters of lists have in common: empty fields, and days."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from urllib.parse import urlencode

from pydantic import BeforeValidator

__all__ = ["EMPTY", "api_address", "begin_of", "end_of"]

EMPTY = BeforeValidator(lambda value: value or None)
"""A field of a form that was left empty asks for nothing."""


def begin_of(day: date | None) -> datetime | None:
    """Return the moment at which a day begins, in UTC."""
    return None if day is None else datetime.combine(day, time(), UTC)


def end_of(day: date | None) -> datetime | None:
    """Return the first moment after a day, in UTC; ``None`` also where there is none."""
    return None if day in (None, date.max) else begin_of(day + timedelta(days=1))


def api_address(resource: str, wanted: Mapping[str, object]) -> str:
    """Return the address at which the API answers a search; what is empty does not restrict."""
    given = {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in wanted.items()
        if value
    }
    return f"/api/v1/{resource}?{urlencode(given)}"
