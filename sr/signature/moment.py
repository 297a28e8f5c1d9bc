"""Date-times as DICOM writes them, read with what they leave open.

Cites: PS3.5 6.2 (VR DT); PS3.3 C.12.1.1.3 (0400,0105).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone

from sr.errors import ConfigurationError

__all__ = ["ClaimedTime", "format_moment", "parse_moment"]

_DT = re.compile(
    r"(?P<Y>\d{4})(?:(?P<M>\d\d)(?:(?P<D>\d\d)(?:(?P<h>\d\d)(?:(?P<m>\d\d)"
    r"(?:(?P<s>\d\d)(?:\.(?P<f>\d{1,6}))?)?)?)?)?)?(?P<z>[+-]\d{4})?",
    re.ASCII,
)
_LEAP_SECOND = 60
_WESTERNMOST, _EASTERNMOST = timedelta(hours=-12), timedelta(hours=14)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimedTime:
    """The time a signature says it was made.

    Cites: PS3.3 C.12.1.1.3 (0400,0105).
    """

    text: str
    at: datetime | None
    """In UTC; ``None`` where the text is no date-time. Without offset, digits are read as UTC."""
    zone_known: bool


def parse_moment(text: str) -> ClaimedTime:
    """Return what a DT value says.

    An offset outside -1200 to +1400 makes it no date-time. ``-0000`` is an offset that nobody
    knows, since that of UTC is written ``+0000``.

    Cites: PS3.5 6.2; RFC 3339 4.3.
    """
    match = _DT.fullmatch(text.strip(" "))
    if match is None:
        return ClaimedTime(text=text, at=None, zone_known=False)
    part = match.groupdict()
    number = {
        key: int(part[key] or default)
        for key, default in zip("YMDhms", (1, 1, 1, 0, 0, 0), strict=True)
    }
    micro = int((part["f"] or "0").ljust(6, "0"))
    zone = part["z"] or "-0000"
    try:
        at = datetime(
            number["Y"], number["M"], number["D"], number["h"], number["m"],
            number["s"] - (number["s"] == _LEAP_SECOND), micro, tzinfo=timezone(_offset(zone)),
        ).astimezone(UTC)  # fmt: skip
    except (ValueError, OverflowError):
        return ClaimedTime(text=text, at=None, zone_known=False)
    return ClaimedTime(text=text, at=at, zone_known=zone != "-0000")


def _offset(zone: str) -> timedelta:
    hours, minutes = int(zone[1:3]), int(zone[3:5])
    offset = timedelta(hours=hours, minutes=minutes) * (-1 if zone[0] == "-" else 1)
    if minutes >= 60 or not _WESTERNMOST <= offset <= _EASTERNMOST:
        raise ValueError(zone)
    return offset


def format_moment(at: datetime) -> str:
    """Return a DT value in UTC with its offset, which is mandatory in signatures.

    Written in UTC because readers exist that ignore the offset.

    Raises:
        ConfigurationError: The time has no zone, so nobody knows which moment it is.

    Cites: PS3.3 C.12.1.1.3 (0400,0105).
    """
    if at.tzinfo is None:
        raise ConfigurationError(f"the time {at} has no time zone", where="(0400,0105)")
    return at.astimezone(UTC).strftime("%Y%m%d%H%M%S") + "+0000"
