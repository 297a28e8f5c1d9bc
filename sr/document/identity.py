"""Who a new document is: its UIDs, its place in a series, its time, the equipment that wrote it.

All of it is given from outside; nothing in this package draws a UID or reads a clock.

Cites: PS3.3 C.7.5.1, C.12.1.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone

from sr.document.values import is_uid
from sr.errors import DocumentError

__all__ = [
    "DocumentIdentity",
    "Equipment",
    "format_date",
    "format_offset",
    "format_time",
    "zone_of",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Equipment:
    """General Equipment of the documents this installation writes.

    Cites: PS3.3 C.7.5.1.
    """

    manufacturer: str = "srsign"
    manufacturer_model_name: str = "srsign"
    device_serial_number: str = ""
    software_versions: str = ""
    institution_name: str = ""
    institutional_department_name: str = ""
    station_name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentIdentity:
    """The identity of a document about to be written.

    Raises:
        DocumentError: A UID is malformed, a number is not positive, or the time has no UTC offset.
    """

    sop_instance_uid: str
    series_instance_uid: str
    created_at: datetime
    """Aware. Content and instance creation date and time are written in the time zone of the
    evidence where that is known, else in the zone of this value."""
    series_number: int = 1
    instance_number: int = 1
    series_description: str = ""
    equipment: Equipment = field(default_factory=Equipment)

    def __post_init__(self) -> None:
        for what, uid in (
            ("SOPInstanceUID (0008,0018)", self.sop_instance_uid),
            ("SeriesInstanceUID (0020,000E)", self.series_instance_uid),
        ):
            if not is_uid(uid):
                raise DocumentError(f"{what} is not a UID: {uid!r}", where=what)
        if self.created_at.utcoffset() is None:
            raise DocumentError("the time of creation of a document needs a UTC offset")
        if self.series_number < 1 or self.instance_number < 1:
            raise DocumentError(
                "SeriesNumber (0020,0011) and InstanceNumber (0020,0013) must be positive"
            )

    def local_time(self, offset: str) -> datetime:
        """Return the time of creation at a UTC offset such as ``+0100``; empty keeps its own.

        Raises:
            DocumentError: The offset is malformed.

        Cites: PS3.3 C.12.1.1.8.
        """
        return self.created_at.astimezone(zone_of(offset)) if offset else self.created_at


def zone_of(offset: str) -> timezone:
    """Return the time zone of an offset such as ``+0100``.

    Raises:
        DocumentError: The offset is malformed.

    Cites: PS3.3 C.12.1.1.8.
    """
    digits = offset[1:]
    if len(offset) != 5 or offset[0] not in "+-" or not (digits.isascii() and digits.isdigit()):
        raise DocumentError(
            f"TimezoneOffsetFromUTC (0008,0201) is not of the form +HHMM: {offset!r}",
            where="(0008,0201)",
        )
    distance = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    if distance >= timedelta(hours=24):
        raise DocumentError(
            f"TimezoneOffsetFromUTC (0008,0201) is out of range: {offset!r}", where="(0008,0201)"
        )
    return timezone(distance if offset[0] == "+" else -distance)


def format_date(when: datetime) -> str:
    """Return the DA value of a time in its own zone."""
    return when.strftime("%Y%m%d")


def format_time(when: datetime) -> str:
    """Return the TM value of a time in its own zone, to the microsecond where there is one."""
    return when.strftime("%H%M%S.%f" if when.microsecond else "%H%M%S")


def format_offset(when: datetime) -> str:
    """Return the UTC offset of an aware time as ``+0100``."""
    return when.strftime("%z")[:5]
