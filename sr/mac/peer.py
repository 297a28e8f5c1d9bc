"""What dcmsign hashes instead of the MAC stream: a model of its buffered writer.

DCMTK's dcmsign (3.6.7) writes the stream through a buffer of 16,384 bytes. When the buffer is full
it stops, empties it and asks every element of an item anew whether it may be covered; for a
sequence that question walks its items and forgets where writing had stopped. So whatever of that
sequence was not written yet, the value in progress included, never is; only its closing delimiter
follows. Sequences of the signed level and leaf elements of their items are not affected, sequences
inside those items are, with everything in them.

The model serves to tell a document that dcmsign signed from one that was altered, and to warn
that it will not confirm ours. Nothing is signed with it.

Cites: docs/divergences.md, "Large nested sequences and dcmsign".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from struct import pack
from typing import NamedTuple

from sr.dicomfile.dataset import DataSet, Element
from sr.dicomfile.tags import format_tag
from sr.dicomfile.vr import LONG_VRS
from sr.mac.segment import Segment
from sr.mac.selection import is_signable
from sr.mac.stream import (
    NOT_IN_SIGNATURE_TAIL,
    MACChunk,
    Padding,
    chunk_bytes,
    mac_stream,
)

__all__ = ["PEER_BUFFER_BYTES", "PeerStream", "PeerTruncation", "nests_deeply", "peer_stream"]

PEER_BUFFER_BYTES = 16_384
_ITEM = b"\xfe\xff\x00\xe0"
_SEQUENCE_END = b"\xfe\xff\xdd\xe0"
_SEQUENCE_NEEDS = 12
"""Free bytes without which a sequence is not begun, although its header has eight."""

_Path = tuple[tuple[int, int | None], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerTruncation:
    """What dcmsign leaves out of its MAC.

    Cites: docs/divergences.md, "Large nested sequences and dcmsign".
    """

    first_uncovered: str
    """Path of the first element, or item, of which a byte is missing."""
    bytes_missing: int
    """Length of the standard's stream less that of dcmsign's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerStream:
    """The bytes that dcmsign hashes.

    Cites: docs/divergences.md, "Large nested sequences and dcmsign".
    """

    chunks: tuple[MACChunk, ...]
    """One an element of the signed level, as ``mac_stream`` yields them."""
    truncation: PeerTruncation | None
    """``None`` where dcmsign hashes what the standard says."""


def peer_stream(
    dataset: DataSet,
    selection: Iterable[int],
    *,
    signature_item: DataSet | None = None,
    padding: Padding = Padding.CANONICAL,
) -> PeerStream:
    """Return what dcmsign would hash.

    Args:
        dataset: The level that holds the signature.
        selection: Tags to cover.
        signature_item: The Digital Signatures item; see ``mac_stream``.
        padding: How string values enter; dcmsign normalises them.

    Raises:
        EncodingError: See ``mac_stream``.

    Cites: docs/divergences.md, "Large nested sequences and dcmsign".
    """
    writer = _Writer()
    chunks = writer.level(_parts_of_level(dataset, frozenset(selection), padding))
    if signature_item is not None:
        tail = frozenset(e.tag for e in signature_item) - NOT_IN_SIGNATURE_TAIL
        chunks += writer.level(_parts_of_level(signature_item, tail, padding))
    return PeerStream(chunks=chunks, truncation=writer.truncation)


def nests_deeply(dataset: DataSet, selection: Iterable[int]) -> bool:
    """Return whether anything is covered that dcmsign could leave out.

    Cites: docs/divergences.md, "Large nested sequences and dcmsign".
    """
    wanted = frozenset(selection)
    return any(
        child.items and is_signable(child)
        for element in dataset.elements
        if element.tag in wanted
        for item in element.items or ()
        for child in item.elements
    )


class _Part(NamedTuple):
    """Bytes that dcmsign writes in one go or splits at will."""

    segment: Segment
    needs: int
    """Free bytes it waits for; 0 for values, which are split."""
    path: _Path
    is_nested: bool
    """Whether it is lost when the buffer fills before it."""

    @property
    def length(self) -> int:
        """Bytes in the standard's stream."""
        s = self.segment
        return len(s) if isinstance(s, bytes) else s.end - s.start


class _Writer:
    """The buffer: how much of it is free, and what was lost by filling it."""

    def __init__(self) -> None:
        self._free = PEER_BUFFER_BYTES
        self._first: _Path | None = None
        self._missing = 0

    @property
    def truncation(self) -> PeerTruncation | None:
        """What was lost so far."""
        if self._first is None:
            return None
        return PeerTruncation(first_uncovered=_format(self._first), bytes_missing=self._missing)

    def level(self, elements: Iterable[tuple[int, Iterator[_Part]]]) -> tuple[MACChunk, ...]:
        """Return what reaches the MAC of one level; each starts with an empty buffer."""
        self._free = PEER_BUFFER_BYTES
        return tuple(MACChunk(tag, tuple(self._written(parts))) for tag, parts in elements)

    def _written(self, parts: Iterable[_Part]) -> Iterator[Segment]:
        losing = False
        for part in parts:
            losing = losing and part.is_nested
            at_once = 0 if part.needs else self._free
            if losing:
                self._lose(part, part.length)
            elif max(part.needs, part.length) <= self._free:
                self._free -= part.length
                yield part.segment
            elif part.is_nested:
                if at_once:
                    yield _first_bytes(part.segment, at_once)
                self._lose(part, part.length - at_once)
                self._free = PEER_BUFFER_BYTES
                losing = True
            else:
                self._free = (at_once - part.length) % PEER_BUFFER_BYTES
                yield part.segment

    def _lose(self, part: _Part, length: int) -> None:
        self._missing += length
        if self._first is None:
            self._first = part.path


def _parts_of_level(
    dataset: DataSet, wanted: frozenset[int], padding: Padding
) -> Iterator[tuple[int, Iterator[_Part]]]:
    """Yield the covered elements of one level, each with its parts, to be consumed in order."""
    covered = [e for e in dataset.elements if e.tag in wanted and is_signable(e)]
    leaves = mac_stream(
        dataset, frozenset(e.tag for e in covered if e.items is None), padding=padding
    )
    for element in covered:
        yield element.tag, _parts(element, leaves, padding, (), 0)


def _parts(
    element: Element, leaves: Iterator[MACChunk], padding: Padding, above: _Path, depth: int
) -> Iterator[_Part]:
    """Yield an element's parts; ``leaves`` are the streams of the leaf elements of its level."""
    nested = depth > 1
    if element.items is None:
        yield from _leaf_parts(
            element, next(leaves), (*above, (element.tag, None)), is_nested=nested
        )
        return
    whole = (*above, (element.tag, None))
    head = pack("<HH4s", element.tag >> 16, element.tag & 0xFFFF, b"SQ\0\0")
    yield _Part(head, _SEQUENCE_NEEDS, whole, nested)
    for index, item in enumerate(element.items):
        path = (*above, (element.tag, index))
        covered = [e for e in item.elements if is_signable(e)]
        inner = mac_stream(item, (e.tag for e in covered if e.items is None), padding=padding)
        yield _Part(_ITEM, len(_ITEM), path, depth > 0)
        for child in covered:
            yield from _parts(child, inner, padding, path, depth + 1)
    yield _Part(_SEQUENCE_END, len(_SEQUENCE_END), whole, nested)


def _leaf_parts(
    element: Element, chunk: MACChunk, path: _Path, *, is_nested: bool
) -> Iterator[_Part]:
    first, *rest = chunk.segments
    if element.fragments is not None:
        yield _Part(first, _SEQUENCE_NEEDS, path, is_nested)
        for segment in rest:
            is_tag = segment in (_ITEM, _SEQUENCE_END)
            yield _Part(segment, len(_ITEM) if is_tag else 0, path, is_nested)
        return
    size = _header_length(element, first)
    yield _Part(_first_bytes(first, size), size, path, is_nested)
    value = first[size:] if isinstance(first, bytes) else first._replace(start=first.start + size)
    for segment in (value, *rest):
        yield _Part(segment, 0, path, is_nested)


def _header_length(element: Element, first: Segment) -> int:
    if isinstance(first, bytes):
        return 12 if first[4:6].decode("latin-1") in LONG_VRS else 8
    return element.value - element.start


def _first_bytes(segment: Segment, length: int) -> Segment:
    if isinstance(segment, bytes):
        return segment[:length]
    if segment.swap == 1:
        return segment._replace(end=segment.start + length)
    whole = segment._replace(end=min(segment.start + length + segment.swap, segment.end))
    return b"".join(chunk_bytes(MACChunk(0, (whole,))))[:length]


def _format(path: _Path) -> str:
    return ".".join(format_tag(t) + ("" if i is None else f"[{i}]") for t, i in path)
