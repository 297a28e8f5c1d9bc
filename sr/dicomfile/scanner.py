"""The strict scanner: bytes to elements, refusing everything two readers could read differently.

Every rule here closes a way to show one reader something and hash something else:
tags strictly ascend (no duplicates), children end exactly where their parent ends, reserved bytes
are zero, delimiters have no value. Values are skipped, not read, so that a file of any size costs
one window of memory.

Short sequences without sequences inside, codes and references mostly, come again and again with the
very same bytes. What the rules said of such bytes is remembered, and their items are made only when
somebody asks for them. Nothing that merely looks alike is skipped.

Cites: PS3.5 7.1–7.5, A.4.
"""

from __future__ import annotations

from collections.abc import Sequence

from sr.dicomfile.dataset import (
    SPECIFIC_CHARACTER_SET,
    UNDEFINED_LENGTH,
    DataSet,
    Element,
    Encoding,
)
from sr.dicomfile.headers import EXPLICIT_LITTLE, ITEM_HEADER, LONG_FORM, SHORT_FORM, headers_in
from sr.dicomfile.limits import Limits
from sr.dicomfile.refusals import Refusals
from sr.dicomfile.small_sequence import (
    SMALL_SEQUENCE,
    Content,
    SmallSequence,
    remember,
)
from sr.dicomfile.source import BytesSource, Source
from sr.dicomfile.tags import describe_tag, format_tag
from sr.dicomfile.vr import implicit_vr

__all__ = ["Scanner"]

_ITEM = 0xFFFEE000
_ITEM_DELIMITER = 0xFFFEE00D
_SEQUENCE_DELIMITER = 0xFFFEE0DD
_DELIMITER_GROUP = 0xFFFE
_PIXEL_REPRESENTATION = 0x00280103
_WAVEFORM_BITS_ALLOCATED = 0x54001004
_NOTED = frozenset({SPECIFIC_CHARACTER_SET, _PIXEL_REPRESENTATION, _WAVEFORM_BITS_ALLOCATED})
_LONGEST_NOTED = 0xFFFF
_LAST_TAG = 0xFFFDFFFF
"""The last before the item and delimiter tags."""
_WINDOW = 64 * 1024

_ENCAPSULATING = ("OB", "OW", "UN")


class Scanner(Refusals):
    """Scans one source; counts elements and items against the limits.

    Cites: PS3.5 7.
    """

    def __init__(
        self, source: Source, *, limits: Limits, size: int, allow_odd_lengths: bool = False
    ) -> None:
        super().__init__(size)
        self._source = source
        self._limits = limits
        self._allow_odd = allow_odd_lengths
        self._buffer = b""
        self._base = 0
        self._limit = 0
        self._elements = 0
        self._items = 0
        self._unknown = 0
        self._fragments = 0
        self._nested_values = 0
        self._charset = ""
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
        elements, stop = self._scan(start, end, encoding, 0)
        self._buffer, self._limit = b"", self._base
        return self._dataset(encoding, start, stop, elements)

    def group(self, start: int, group: int, encoding: Encoding) -> DataSet:
        """Scan the leading elements of one group, e.g. File Meta Information.

        Raises:
            DatasetError: A rule of the encoding is broken.
        """
        elements, stop = self._scan(start, self._size, encoding, 0, only_group=group)
        return self._dataset(encoding, start, stop, elements)

    def items(self, sequence: SmallSequence) -> tuple[DataSet, ...]:
        """Return the items of a sequence whose bytes were scanned before.

        Raises:
            DatasetError: The source has changed meanwhile.
        """
        again = Scanner(self._source, limits=self._limits, size=self._size)
        again._charset = sequence.charset
        start, end = sequence.start, sequence.start + len(sequence.content)
        items, _ = again._sequence(sequence.tag, start, end, EXPLICIT_LITTLE, 0, False)
        return items

    def _dataset(
        self, encoding: Encoding, start: int, end: int, elements: tuple[Element, ...]
    ) -> DataSet:
        limit = self._limits.value_bytes
        return DataSet(self._source, encoding, start, end, elements, limit, self._charset)

    def _load(self, position: int) -> None:
        """Look at the bytes from a position on; positions never go back."""
        if isinstance(self._source, BytesSource):
            self._buffer, self._base = self._source.read_at(0, self._size), 0
        else:
            self._buffer = self._source.read_at(position, min(_WINDOW, self._size - position))
            self._base = position
        self._limit = self._base + len(self._buffer)

    def _scan(  # noqa: C901 - one loop, kept whole for speed
        self,
        position: int,
        end: int,
        encoding: Encoding,
        depth: int,
        delimited: bool = False,  # noqa: FBT001, FBT002 - called for every item
        *,
        only_group: int | None = None,
    ) -> tuple[tuple[Element, ...], int]:
        """Scan until ``end``, or until an item delimiter where ``delimited``."""
        explicit, header_at, long_at, settled, known = headers_in(encoding)
        elements: list[Element] = []
        append = elements.append
        new = tuple.__new__  # half the price of calling the class
        previous = -1
        last = _LAST_TAG if only_group is None else only_group << 16 | 0xFFFF
        short_form, long_form = SHORT_FORM, LONG_FORM
        maximum, counted = self._limits.elements, self._elements
        buffer, base, limit = self._buffer, self._base, self._limit
        safe = (end if end < limit else limit) - 12

        while position < end:
            if position > safe:
                if position + 12 > limit:
                    self._load(position)
                    buffer, base, limit = self._buffer, self._base, self._limit
                safe = min(end, limit) - 12
                if position > safe + 4:
                    if only_group is not None and not self._begins(position, only_group):
                        break  # a deflated data set may be shorter than an element
                    self._truncated(position, end)
            group, number, vr_bytes, length = header_at(buffer, position - base)
            tag = group << 16 | number

            if not previous < tag <= last:
                if group == _DELIMITER_GROUP:
                    if delimited and tag == _ITEM_DELIMITER:
                        (length,) = long_at(buffer, position - base + 4)
                        self._no_value(length, position, tag)
                        self._elements = counted
                        return tuple(elements), position
                    self._misplaced(position, tag)
                if only_group is not None and group != only_group:
                    break
                if tag <= previous:
                    self._out_of_order(position, tag, previous)
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
                    self._reserved(position, tag)
                if position > safe:
                    self._truncated(position, end)
                (length,) = long_at(buffer, position - base + 8)
                value = position + 12
            else:
                self._no_vr(position, tag, vr_bytes)

            counted += 1
            if counted > maximum:
                self._beyond("elements", maximum, position)
            stop = value + length
            if length == UNDEFINED_LENGTH or vr == "SQ":
                if length <= SMALL_SEQUENCE and stop <= limit and stop <= end:
                    content = buffer[value - base : stop - base]
                    said = known.get(content)
                    if said is not None and depth < self._limits.nesting:
                        counted += said.elements
                        if counted > maximum:
                            self._beyond("elements", maximum, position)
                        self._count_items(said.items, position)
                        self._nested_values += 1
                        items: Sequence[DataSet] = ()
                        if content:
                            items = SmallSequence(self, tag, value, content, self._charset)
                        append(new(Element, (tag, vr, position, value, stop, items, None, False)))
                        position = stop
                        continue
                self._elements = counted
                element = self._nested(tag, vr, position, value, length, end, encoding, depth)
                counted = self._elements
                buffer, base, limit = self._buffer, self._base, self._limit
                safe = min(end, limit) - 12
                append(element)
                position = element.end
                continue

            if stop > end:
                self._overrun(tag, position, stop, end)
            if length & 1:
                self._odd(position, tag, length)
            if vr == "UN":
                self._unknown += 1
                append(new(Element, (tag, vr, position, value, stop, None, None, True)))
            else:
                append(new(Element, (tag, vr, position, value, stop, None, None, False)))
            if tag in _NOTED:
                self._note(tag, value, length, explicit)
            position = stop

        if delimited:
            self._truncated(position, end)
        self._elements = counted
        return tuple(elements), position

    def _begins(self, position: int, group: int) -> bool:
        return self._source.read_at(position, 2) == group.to_bytes(2, "little")

    def _note(self, tag: int, value: int, length: int, explicit: bool) -> None:  # noqa: FBT001
        """Remember what later elements, here and in items, need: character set, VRs."""
        noted = self._source.read_at(value, min(length, _LONGEST_NOTED))
        if tag == SPECIFIC_CHARACTER_SET:
            self._charset = noted.decode("ascii", "replace").strip(" \0")
        elif explicit:
            return
        elif tag == _PIXEL_REPRESENTATION:
            self._signed_pixels = any(noted[:2])
        else:
            self._wide_waveform = int.from_bytes(noted[:2], "little") > 8

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
        self._nested_values += 1
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
        elements, nested, odd = self._elements, self._nested_values, len(self.odd)
        unknown = self._unknown - (vr == "UN")
        items, stop = self._sequence(tag, value, stop, encoding, depth, undefined)
        has_unknown = self._unknown > unknown
        plain = self._nested_values == nested and len(self.odd) == odd and not has_unknown
        if plain and length <= SMALL_SEQUENCE and encoding == EXPLICIT_LITTLE:
            content = self._source.read_at(value, length)
            remember(content, Content(self._elements - elements, len(items)))
        return Element(tag, vr, start, value, stop, items, None, has_unknown)

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
        path, inside, source, limit = self._path, depth + 1, self._source, self._limits.value_bytes
        unpack_from = ITEM_HEADER[encoding.little].unpack_from
        outside = self._charset, self._signed_pixels, self._wide_waveform
        while undefined or position < end:
            if position + 8 > self._limit or position + 8 > end:
                self._room_for_header(position, end)
            group, number, length = unpack_from(self._buffer, position - self._base)
            found = group << 16 | number
            if found != _ITEM:
                if found == _SEQUENCE_DELIMITER and undefined:
                    self._no_value(length, position, tag)
                    return tuple(items), position + 8
                self._no_item(position, tag, found)
            self._count_items(1, position)
            start = position + 8
            delimited = length == UNDEFINED_LENGTH
            stop = end if delimited else start + length
            if stop > end:
                self._overrun(tag, position, stop, end)
            path.append((tag, len(items)))
            self._wide_waveform = False
            elements, stop = self._scan(start, stop, encoding, inside, delimited)
            items.append(DataSet(source, encoding, start, stop, elements, limit, self._charset))
            self._charset, self._signed_pixels, self._wide_waveform = outside
            path.pop()
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
                self._odd(position, tag, length)
            if position + 8 + length > end:
                self._overrun(tag, position, position + 8 + length, end)
            fragments.append((position + 8, length))
            self._fragments += 1
            if self._fragments > self._limits.fragments:
                self._beyond("fragments", self._limits.fragments, position)
            position += 8 + length

    def _room_for_header(self, position: int, end: int) -> None:
        if position + 8 > self._limit:
            self._load(position)
        if position + 8 > end or position + 8 > self._limit:
            self._truncated(position, end)

    def _item_header(
        self, position: int, end: int, encoding: Encoding, tag: int
    ) -> tuple[int, int]:
        if position + 8 > self._limit or position + 8 > end:
            self._room_for_header(position, end)
        unpack_from = ITEM_HEADER[encoding.little].unpack_from
        group, number, length = unpack_from(self._buffer, position - self._base)
        return group << 16 | number, length

    def _odd(self, position: int, tag: int, length: int) -> None:
        if not self._allow_odd:
            self._fail(
                "ODD_LENGTH", f"{describe_tag(tag)} has the odd length {length}", position, tag
            )
        self.odd.append(self._where(tag))

    def _count_items(self, number: int, position: int) -> None:
        self._items += number
        if self._items > self._limits.items:
            self._beyond("items", self._limits.items, position)
