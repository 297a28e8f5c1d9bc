"""The MAC byte stream: exactly what is hashed, as labelled chunks.

One function serves signing, verifying and evidence MACs; only the selection differs. Lengths of
sequences and items are not part of the stream, item and sequence delimiters are what separates
them. Where the stored bytes are the stream bytes, a chunk refers to them instead of copying them,
so a large pixel value costs no memory.

Cites: PS3.3 C.12.1.1.3.1.1; PS3.5 7.1.2.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from struct import pack
from typing import NamedTuple

from sr.dicomfile.dataset import DataSet, Element
from sr.dicomfile.padding import normalise_value
from sr.dicomfile.source import Source
from sr.dicomfile.tags import describe_tag
from sr.dicomfile.vr import LONG_VRS, PADDED_VRS, SWAP_WIDTH
from sr.errors import EncodingError
from sr.mac.algorithm import MACAlgorithm, new_digest
from sr.mac.selection import is_signable, signable_tag

__all__ = [
    "Extent",
    "MACChunk",
    "Padding",
    "chunk_bytes",
    "chunk_length",
    "digest_chunks",
    "mac_stream",
]

_ITEM = b"\xfe\xff\x00\xe0"
_SEQUENCE_END = b"\xfe\xff\xdd\xe0"
_BLOCK = 1 << 20


class Padding(Enum):
    """How string values enter the stream.

    Cites: PS3.5 6.2.
    """

    AS_STORED = "as stored"
    CANONICAL = "canonical"
    """As DCMTK writes them: trailing pad characters stripped, one added where needed."""


class Extent(NamedTuple):
    """A run of stored bytes that belongs to the stream as it is, or byte-swapped.

    Cites: PS3.5 7.3.
    """

    source: Source
    start: int
    end: int
    swap: int = 1
    """Bytes a number whose order is to be reversed; 1 for none."""


Segment = bytes | Extent


@dataclass(frozen=True, slots=True)
class MACChunk:
    """The contribution of one top-level element.

    Cites: PS3.3 C.12.1.1.3.1.1.
    """

    tag: int
    segments: tuple[Segment, ...]

    @property
    def label(self) -> str:
        """Tag and keyword, for people comparing two streams."""
        return describe_tag(self.tag)


def mac_stream(
    dataset: DataSet,
    selection: Iterable[int],
    *,
    signature_item: DataSet | None = None,
    padding: Padding = Padding.AS_STORED,
) -> Iterator[MACChunk]:
    """Yield the bytes that a MAC covers, in the order the standard gives them.

    Args:
        dataset: The level that holds the signature, or the referenced instance.
        selection: Tags to cover. Absent tags contribute nothing; the order of the list does not
            matter, that of the data set does.
        signature_item: The Digital Signatures item; its elements, except certificate, signature
            and time-stamp, end the stream. ``None`` for a Referenced SOP Instance MAC.
        padding: How string values enter.

    Yields:
        One chunk an element.

    Raises:
        EncodingError: A selected element has no bytes in the stream (``VR_UN`` or a tag that is
            never covered).

    Cites: PS3.3 C.12.1.1.3.1.1.
    """
    wanted = selection if isinstance(selection, frozenset) else frozenset(selection)
    for element in dataset.elements:
        if element.tag in wanted:
            if element.has_unknown or not signable_tag(element.tag):
                raise EncodingError(
                    f"{describe_tag(element.tag)} cannot be covered by a MAC",
                    rule="VR_UN" if element.has_unknown else "DES_FORBIDDEN",
                    where=describe_tag(element.tag)[:11],
                    cites="PS3.3 C.12.1.1.3.1.1",
                )
            yield MACChunk(element.tag, tuple(_segments(dataset, element, padding)))
    if signature_item is not None:
        for element in signature_item.elements:
            if element.tag not in NOT_IN_SIGNATURE_TAIL and signable_tag(element.tag):
                yield MACChunk(element.tag, tuple(_segments(signature_item, element, padding)))


NOT_IN_SIGNATURE_TAIL = frozenset({0x04000115, 0x04000120, 0x04000305, 0x04000310})
"""Certificate of Signer, Signature, Certified Timestamp Type, Certified Timestamp."""


def chunk_bytes(chunk: MACChunk) -> Iterator[bytes]:
    """Yield the bytes of one chunk in blocks of bounded size.

    Cites: PS3.3 C.12.1.1.3.1.1.
    """
    for segment in chunk.segments:
        if isinstance(segment, bytes):
            yield segment
        else:
            yield from _read(segment)


def chunk_length(chunk: MACChunk) -> int:
    """Return how many bytes one chunk adds to the stream.

    Cites: PS3.3 C.12.1.1.3.1.1.
    """
    return sum(len(s) if isinstance(s, bytes) else s.end - s.start for s in chunk.segments)


def digest_chunks(chunks: Iterable[MACChunk], algorithm: MACAlgorithm) -> bytes:
    """Return the digest of a stream, joining neighbouring extents into single reads.

    Raises:
        UnsupportedAlgorithmError: This OpenSSL does not offer the algorithm.
        EncodingError: See ``mac_stream``.

    Cites: PS3.3 C.12.1.1.3.1.1.
    """
    digest = new_digest(algorithm)
    update = digest.update
    run: Extent | None = None
    literal: list[bytes] = []
    for chunk in chunks:
        for segment in chunk.segments:
            if isinstance(segment, bytes):
                if run is not None:
                    for block in _read(run):
                        update(block)
                    run = None
                literal.append(segment)
            elif run is not None and _continues(run, segment):
                run = Extent(run.source, run.start, segment.end)
            else:
                if literal:
                    update(b"".join(literal))
                    literal.clear()
                if run is not None:
                    for block in _read(run):
                        update(block)
                run = segment
    if run is not None:
        for block in _read(run):
            update(block)
    update(b"".join(literal))
    return digest.digest()


def _continues(run: Extent, segment: Extent) -> bool:
    adjoins = run.end == segment.start and run.source is segment.source
    return adjoins and run.swap == segment.swap == 1


def _segments(dataset: DataSet, element: Element, padding: Padding) -> Iterator[Segment]:
    encoding = dataset.encoding
    if element.items is not None:
        yield _header(element.tag, "SQ")
        for item in element.items:
            yield _ITEM
            for inner in item.elements:
                if is_signable(inner):
                    yield from _segments(item, inner, padding)
        yield _SEQUENCE_END
    elif element.fragments is not None:
        yield _header(element.tag, "OB")
        for start, length in element.fragments:
            yield _ITEM
            yield Extent(dataset.source, start, start + length)
            if length & 1:
                yield b"\0"
        yield _SEQUENCE_END
    elif padding is Padding.CANONICAL and element.vr in PADDED_VRS:
        value = normalise_value(element.vr, dataset.value(element))
        yield _header(element.tag, element.vr, len(value)) + value
    elif (element.end - element.value) & 1:
        length = element.end - element.value
        yield _header(element.tag, element.vr, length + 1)
        yield Extent(dataset.source, element.value, element.end)
        yield b" " if element.vr in PADDED_VRS and element.vr != "UI" else b"\0"
    elif encoding.explicit and encoding.little:
        yield Extent(dataset.source, element.start, element.end)
    else:
        length = element.end - element.value
        swap = 1 if encoding.little else SWAP_WIDTH.get(element.vr, 1)
        yield _header(element.tag, element.vr, length)
        yield Extent(dataset.source, element.value, element.end, swap)


def _header(tag: int, vr: str, length: int | None = None) -> bytes:
    """Return the explicit VR little endian header; sequences have no length field.

    A value from an implicit VR data set may be longer than a 16-bit length can say; explicit VR
    then writes UN (PS3.5 6.2.2), and so does dcmsign. It is covered, because its VR is known.
    """
    head = pack("<HH", tag >> 16, tag & 0xFFFF) + vr.encode()
    if length is None:
        return head + b"\0\0"
    if vr in LONG_VRS:
        return head + b"\0\0" + pack("<I", length)
    if length > 0xFFFF:
        return head[:4] + b"UN\0\0" + pack("<I", length)
    return head + pack("<H", length)


def _read(extent: Extent) -> Iterator[bytes]:
    position = extent.start
    while position < extent.end:
        block = extent.source.read_at(position, min(_BLOCK, extent.end - position))
        if not block:
            raise EncodingError(
                "the file became shorter while it was read", rule="TRUNCATED", offset=position
            )
        yield _swapped(block, extent.swap) if extent.swap > 1 else block
        position += len(block)


def _swapped(block: bytes, width: int) -> bytes:
    """Reverse the byte order of numbers ``width`` bytes wide (PS3.5 7.3)."""
    whole = bytearray(len(block))
    usable = len(block) - len(block) % width
    for i in range(width):
        whole[i:usable:width] = block[width - 1 - i : usable : width]
    whole[usable:] = block[usable:]
    return bytes(whole)
