"""How a scan says no: every broken rule by its id, with tag, path and offset.

Cites: PS3.5 7.1–7.5.
"""

from __future__ import annotations

from typing import NoReturn

from sr.dicomfile.tags import describe_tag, format_tag
from sr.errors import DatasetError, LimitError

__all__ = ["Refusals"]

_ITEM_DELIMITER = 0xFFFEE00D


class Refusals:
    """Knows where a scan is, and refuses in terms of it.

    Cites: PS3.5 7.1.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        """Bytes of the whole source."""
        self._path: list[tuple[int, int]] = []
        """Sequence tag and item index of every item that encloses the place."""

    def _no_value(self, length: int, position: int, tag: int) -> None:
        if length:
            self._fail("LENGTH_INCONSISTENT", "a delimiter has a value", position, tag)

    def _where(self, tag: int) -> str:
        return "".join(f"{format_tag(t)}[{i}]." for t, i in self._path) + format_tag(tag)

    def _no_item(self, position: int, tag: int, found: int) -> NoReturn:
        expected = f"an item of {describe_tag(tag)} was expected"
        message = f"{format_tag(found)} stands where {expected}"
        self._fail("LENGTH_INCONSISTENT", message, position, tag)

    def _misplaced(self, position: int, tag: int) -> NoReturn:
        message = f"{format_tag(tag)} stands between elements"
        self._fail("LENGTH_INCONSISTENT", message, position, tag)

    def _out_of_order(self, position: int, tag: int, previous: int) -> NoReturn:
        rule = "DUPLICATE_TAG" if tag == previous else "TAG_ORDER"
        message = f"{describe_tag(tag)} follows {describe_tag(previous)}"
        self._fail(rule, message, position, tag)

    def _reserved(self, position: int, tag: int) -> NoReturn:
        message = f"{describe_tag(tag)} has reserved bytes that are not zero"
        self._fail("RESERVED_BYTES", message, position, tag)

    def _no_vr(self, position: int, tag: int, vr: bytes) -> NoReturn:
        message = f"{describe_tag(tag)} has the value representation {vr!r}, which is none"
        self._fail("VR_INVALID", message, position, tag)

    def _truncated(self, position: int, end: int) -> NoReturn:
        rule = "TRUNCATED" if end >= self._size else "LENGTH_INCONSISTENT"
        where = "".join(f"{format_tag(t)}[{i}]" for t, i in self._path) or None
        raise DatasetError(
            f"the data ends at byte {min(end, self._size)} inside an element that starts at byte "
            f"{position}",
            rule=rule, offset=position, where=where, cites="PS3.5 7.1",
        )  # fmt: skip

    def _overrun(self, tag: int, position: int, stop: int, end: int) -> NoReturn:
        rule = "TRUNCATED" if stop > self._size else "LENGTH_INCONSISTENT"
        self._fail(
            rule,
            f"{describe_tag(tag)} claims to end at byte {stop}, its parent ends at byte {end}",
            position,
            tag,
        )

    def _beyond(self, what: str, maximum: int, position: int) -> NoReturn:
        raise LimitError(
            f"more than {maximum} {what}" if what != "nesting" else f"nested deeper than {maximum}",
            rule=f"LIMIT_{what.upper()}", offset=position, hint="raise the limit in the settings",
        )  # fmt: skip

    def _fail(self, rule: str, message: str, position: int, tag: int) -> NoReturn:
        raise DatasetError(
            f"{message}, at byte {position}",
            rule=rule, offset=position, where=self._where(tag), cites="PS3.5 7.1",
        )  # fmt: skip
