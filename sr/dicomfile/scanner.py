"""The strict scanner: bytes to elements, refusing everything two readers could read differently.

Every rule here closes a way to show one reader something and hash something else:
tags strictly ascend (no duplicates), children end exactly where their parent ends, reserved bytes
are zero, delimiters have no value. Values are skipped, not read, so that a file of any size costs
one window of memory.

Cites: PS3.5 7.1–7.5, A.4.
"""

from __future__ import annotations

from struct import Struct
from typing import NamedTuple, NoReturn

from sr.dicomfile.dataset import UNDEFINED_LENGTH, DataSet, Element, Encoding
from sr.dicomfile.limits import Limits
from sr.dicomfile.source import Source
from sr.dicomfile.tags import describe_tag, format_tag
from sr.dicomfile.vr import KNOWN_VRS, LONG_VRS, implicit_vr, settled_vrs
from sr.errors import DatasetError, LimitError

__all__ = ["Scanner"]

_ITEM = 0xFFFEE000
_ITEM_DELIMITER = 0xFFFEE00D
_SEQUENCE_DELIMITER = 0xFFFEE0DD
_DELIMITER_GROUP = 0xFFFE
_PIXEL_REPRESENTATION = 0x00280103
_WAVEFORM_BITS_ALLOCATED = 0x54001004
_DECIDES_VR = frozenset({_PIXEL_REPRESENTATION, _WAVEFORM_BITS_ALLOCATED})
_WINDOW = 64 * 1024

_SHORT_FORM = {vr.encode(): vr for vr in KNOWN_VRS - LONG_VRS}
_LONG_FORM = {vr.encode(): vr for vr in LONG_VRS}
_NOTHING_SETTLED: dict[int, str] = {}
_ENCAPSULATING = ("OB", "OW", "UN")


class Scanner:
    """Scans one source; counts elements and items against the limits.

    Cites: PS3.5 7.
    """

    def __init__(
        self, source: Source, *, limits: Limits, size: int, allow_odd_lengths: bool = False
    ) -> None:
        self._source = source
        self._limits = limits
        self._size = size
        self._allow_odd = allow_odd_lengths
        self._buffer = b""
        self._base = 0
        self._limit = 0
        self._elements = 0
        self._items = 0
        self._unknown = 0
        self._path: list[tuple[int, int]] = []
        self._fragments = 0
        self._signed_pixels = False
        self._wide_waveform = False
        self.inferred: list[str] = []
        """Paths of UN sequences that were read as implicit VR (CP-246)."""
        self.odd: list[str] = []
        """Paths of elements of odd length, where those are allowed."""

    def dataset(self, start: int, end: int, encoding: Encoding) -> DataSet:
        """Scan elements from ``start``, which must end exactly at ``end``.

        Raises:
            DatasetError: A rule of the encoding is broken; ``rule`` says which.
            LimitError: A limit was reached.
        """
        elements, stop = self._scan(start, end, encoding, depth=0, delimited=False)
        return DataSet(self._source, encoding, start, stop, elements, self._limits.value_bytes)

    def group(self, start: int, group: int, encoding: Encoding) -> DataSet:
        """Scan the leading elements of one group, e.g. File Meta Information.

        Raises:
            DatasetError: A rule of the encoding is broken.
        """
        elements, stop = self._scan(start, self._size, encoding, depth=0, only_group=group)
        return DataSet(self._source, encoding, start, stop, elements, self._limits.value_bytes)

    def _load(self, position: int) -> None:
        self._buffer = self._source.read_at(position, min(_WINDOW, self._size - position))
        self._base = position
        self._limit = position + len(self._buffer)

    def _scan(  # noqa: C901 - one loop, kept whole for speed
        self,
        position: int,
        end: int,
        encoding: Encoding,
        *,
        depth: int,
        delimited: bool = False,
        only_group: int | None = None,
    ) -> tuple[tuple[Element, ...], int]:
        """Scan until ``end``, or until an item delimiter where ``delimited``."""
        explicit, little = encoding
        order = "<" if little else ">"
        header = _HEADERS[order]
        header_at, long_at = header.prefix.unpack_from, header.length.unpack_from
        elements: list[Element] = []
        append = elements.append
        new = tuple.__new__  # half the price of calling the class
        previous = -1
        short_form, long_form = _SHORT_FORM, _LONG_FORM
        settled = _NOTHING_SETTLED if explicit else settled_vrs()
        allow_odd, maximum = self._allow_odd, self._limits.elements
        buffer, base, limit = self._buffer, self._base, self._limit

        while position < end:
            if position + 12 > limit or position < base:
                self._load(position)
                buffer, base, limit = self._buffer, self._base, self._limit
            if position + 8 > end or position + 8 > limit:
                if only_group is not None and not self._begins(position, only_group):
                    break  # a deflated data set may be shorter than an element
                self._truncated(position, end)
            group, number, vr_bytes, length = header_at(buffer, position - base)
            tag = group << 16 | number

            if group == _DELIMITER_GROUP:
                if delimited and tag == _ITEM_DELIMITER:
                    self._empty_delimiter(position, base, long_at, buffer)
                    return tuple(elements), position
                self._fail(
                    "LENGTH_INCONSISTENT",
                    f"{format_tag(tag)} stands between elements",
                    position,
                    tag,
                )
            if only_group is not None and group != only_group:
                break
            if tag <= previous:
                rule = "DUPLICATE_TAG" if tag == previous else "TAG_ORDER"
                self._fail(
                    rule, f"{describe_tag(tag)} follows {describe_tag(previous)}", position, tag
                )
            previous = tag

            if not explicit:
                vr = settled.get(tag) or implicit_vr(
                    tag, signed_pixels=self._signed_pixels, wide_waveform=self._wide_waveform
                )
                (length,) = long_at(buffer, position - base + 4)
                value = position + 8
                if length == UNDEFINED_LENGTH and vr not in ("SQ", "OB", "OW"):
                    vr = "UN"
            elif vr_bytes in short_form:
                vr = short_form[vr_bytes]
                value = position + 8
            elif vr_bytes in long_form:
                vr = long_form[vr_bytes]
                if length:
                    self._fail(
                        "RESERVED_BYTES",
                        f"{describe_tag(tag)} has reserved bytes that are not zero",
                        position,
                        tag,
                    )
                if position + 12 > end or position + 12 > limit:
                    self._truncated(position, end)
                (length,) = long_at(buffer, position - base + 8)
                value = position + 12
            else:
                self._fail(
                    "VR_INVALID",
                    f"{describe_tag(tag)} has the value representation {vr_bytes!r}, which is none",
                    position,
                    tag,
                )

            self._elements += 1
            if self._elements > maximum:
                self._beyond("elements", maximum, position)
            if length == UNDEFINED_LENGTH or vr == "SQ":
                element = self._nested(tag, vr, position, value, length, end, encoding, depth)
                buffer, base, limit = self._buffer, self._base, self._limit
                append(element)
                position = element.end
                continue

            stop = value + length
            if stop > end:
                self._overrun(tag, position, stop, end)
            if length & 1:
                if not allow_odd:
                    self._fail(
                        "ODD_LENGTH",
                        f"{describe_tag(tag)} has the odd length {length}",
                        position,
                        tag,
                    )
                self.odd.append(self._where(tag))
            if vr == "UN":
                self._unknown += 1
                append(new(Element, (tag, vr, position, value, stop, None, None, True)))
            else:
                append(new(Element, (tag, vr, position, value, stop, None, None, False)))
            if tag in _DECIDES_VR and not explicit:
                self._decide(tag, self._source.read_at(value, min(length, 2)))
            position = stop

        if delimited:
            self._truncated(position, end)
        return tuple(elements), position

    def _begins(self, position: int, group: int) -> bool:
        return self._source.read_at(position, 2) == group.to_bytes(2, "little")

    def _decide(self, tag: int, value: bytes) -> None:
        """Remember what later elements of this item need to get their VR."""
        number = int.from_bytes(value, "little")
        if tag == _PIXEL_REPRESENTATION:
            self._signed_pixels = number != 0
        else:
            self._wide_waveform = number > 8

    def _nested(
        self,
        tag: int,
        vr: str,
        start: int,
        value: int,
        length: int,
        end: int,
        encoding: Encoding,
        depth: int,
    ) -> Element:
        """Read a sequence, an encapsulated value or a UN of undefined length."""
        undefined = length == UNDEFINED_LENGTH
        if undefined and vr in _ENCAPSULATING and vr != "UN":
            return self._encapsulated(tag, vr, start, value, end, encoding)
        if vr != "SQ" and vr != "UN":
            self._fail(
                "LENGTH_INCONSISTENT",
                f"{describe_tag(tag)} of value representation {vr} has undefined length",
                start,
                tag,
            )
        stop = end if undefined else value + length
        if stop > end:
            self._overrun(tag, start, stop, end)
        if depth >= self._limits.nesting:
            self._beyond("nesting", self._limits.nesting, start)
        if vr == "UN":
            self._unknown += 1
            encoding = Encoding(False, True)
            self.inferred.append(self._where(tag))
        unknown_before = self._unknown - (vr == "UN")
        items, stop = self._sequence(tag, value, stop, encoding, depth, undefined)
        return Element(tag, vr, start, value, stop, items, None, self._unknown > unknown_before)

    def _sequence(
        self,
        tag: int,
        position: int,
        end: int,
        encoding: Encoding,
        depth: int,
        undefined: bool,  # noqa: FBT001
    ) -> tuple[tuple[DataSet, ...], int]:
        items: list[DataSet] = []
        while undefined or position < end:
            found, length = self._item_header(position, end, encoding, tag)
            if found == _SEQUENCE_DELIMITER and undefined:
                self._no_value(length, position, tag)
                return tuple(items), position + 8
            if found != _ITEM:
                self._fail(
                    "LENGTH_INCONSISTENT",
                    f"{format_tag(found)} stands where an item of {describe_tag(tag)} was expected",
                    position,
                    tag,
                )
            self._count_item(position)
            start = position + 8
            delimited = length == UNDEFINED_LENGTH
            stop = end if delimited else start + length
            if stop > end:
                self._overrun(tag, position, stop, end)
            self._path.append((tag, len(items)))
            outside = self._signed_pixels, self._wide_waveform
            self._wide_waveform = False
            elements, stop = self._scan(start, stop, encoding, depth=depth + 1, delimited=delimited)
            self._signed_pixels, self._wide_waveform = outside
            self._path.pop()
            items.append(
                DataSet(self._source, encoding, start, stop, elements, self._limits.value_bytes)
            )
            position = stop + 8 if delimited else stop
        return tuple(items), position

    def _encapsulated(
        self, tag: int, vr: str, start: int, position: int, end: int, encoding: Encoding
    ) -> Element:
        fragments: list[tuple[int, int]] = []
        value = position
        while True:
            found, length = self._item_header(position, end, encoding, tag)
            if found == _SEQUENCE_DELIMITER:
                self._no_value(length, position, tag)
                return Element(tag, vr, start, value, position + 8, None, tuple(fragments))
            if found != _ITEM or length == UNDEFINED_LENGTH:
                self._fail(
                    "LENGTH_INCONSISTENT",
                    f"{format_tag(found)} stands where a fragment of "
                    f"{describe_tag(tag)} was expected",
                    position,
                    tag,
                )
            if length & 1:
                if not self._allow_odd:
                    self._fail(
                        "ODD_LENGTH",
                        f"a fragment of {describe_tag(tag)} has the odd length {length}",
                        position,
                        tag,
                    )
                self.odd.append(self._where(tag))
            if position + 8 + length > end:
                self._overrun(tag, position, position + 8 + length, end)
            fragments.append((position + 8, length))
            self._fragments += 1
            if self._fragments > self._limits.fragments:
                self._beyond("fragments", self._limits.fragments, position)
            position += 8 + length

    def _item_header(
        self, position: int, end: int, encoding: Encoding, tag: int
    ) -> tuple[int, int]:
        if position + 8 > self._limit or position < self._base:
            self._load(position)
        if position + 8 > end or position + 8 > self._limit:
            self._truncated(position, end)
        unpack = _HEADERS["<" if encoding.little else ">"].item.unpack_from
        group, number, length = unpack(self._buffer, position - self._base)
        return group << 16 | number, length

    def _empty_delimiter(self, position: int, base: int, long_at: object, buffer: bytes) -> None:
        (length,) = long_at(buffer, position - base + 4)  # type: ignore[operator]
        self._no_value(length, position, _ITEM_DELIMITER)

    def _no_value(self, length: int, position: int, tag: int) -> None:
        if length:
            self._fail("LENGTH_INCONSISTENT", "a delimiter has a value", position, tag)

    def _count_item(self, position: int) -> None:
        self._items += 1
        if self._items > self._limits.items:
            self._beyond("items", self._limits.items, position)

    def _where(self, tag: int) -> str:
        return "".join(f"{format_tag(t)}[{i}]." for t, i in self._path) + format_tag(tag)

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


class _Headers(NamedTuple):
    """The three fixed layouts, in one byte order."""

    prefix: Struct
    length: Struct
    item: Struct


_HEADERS = {o: _Headers(Struct(o + "HH2sH"), Struct(o + "I"), Struct(o + "HHI")) for o in "<>"}
