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
from functools import lru_cache
from struct import pack

from sr.dicomfile.dataset import DataSet, Element
from sr.dicomfile.padding import normalise_value
from sr.dicomfile.small_sequence import SmallSequence
from sr.dicomfile.source import BytesSource, Source
from sr.dicomfile.tags import describe_tag
from sr.dicomfile.vr import LONG_VRS, PADDED_VRS, SWAP_WIDTH
from sr.errors import EncodingError
from sr.mac.algorithm import MACAlgorithm, new_digest
from sr.mac.segment import Extent, Segment, blocks, stored
from sr.mac.selection import (
    LENGTH_TO_END,
    MAC_PARAMETERS_SEQUENCE,
    is_signable,
    signable_elements,
    signable_tag,
)

__all__ = [
    "MACChunk",
    "Padding",
    "Segment",
    "chunk_bytes",
    "chunk_length",
    "digest_chunks",
    "digest_segments",
    "element_segments",
    "mac_segments",
    "mac_stream",
    "segments_length",
]

_ITEM = b"\xfe\xff\x00\xe0"
_SEQUENCE_END = b"\xfe\xff\xdd\xe0"
_BLOCK = 1 << 20
_SHORT = 8192
_ENOUGH = 8192
_remembered: dict[bytes, bytes] = {}
"""Short sequences, as stored, to what their items contribute."""


class Padding(Enum):
    """How string values enter the stream.

    Cites: PS3.5 6.2.
    """

    AS_STORED = "as stored"
    CANONICAL = "canonical"
    """As DCMTK writes them: trailing pad characters stripped, one added where needed."""


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
    for element in _covered(dataset, selection):
        yield MACChunk(element.tag, tuple(element_segments(dataset, (element,), padding)))
    if signature_item is not None:
        for element in _signed_part(signature_item):
            yield MACChunk(
                element.tag, tuple(element_segments(signature_item, (element,), padding))
            )


def mac_segments(
    dataset: DataSet,
    selection: Iterable[int],
    *,
    signature_item: DataSet | None = None,
    padding: Padding = Padding.AS_STORED,
) -> list[Segment]:
    """Return the same bytes as ``mac_stream`` in as few segments as possible, for hashing.

    Args and errors are those of ``mac_stream``.

    Cites: PS3.3 C.12.1.1.3.1.1.
    """
    segments = element_segments(dataset, _covered(dataset, selection), padding)
    if signature_item is not None:
        segments += element_segments(signature_item, _signed_part(signature_item), padding)
    return segments


def element_segments(
    dataset: DataSet, elements: Iterable[Element], padding: Padding = Padding.AS_STORED
) -> list[Segment]:
    """Return what some elements of a data set contribute, those left out that nothing can cover.

    Raises:
        EncodingError: The file became shorter meanwhile.

    Cites: PS3.3 C.12.1.1.3.1.1.
    """
    out: list[Segment] = []
    _append(out, dataset, elements, padding)
    return out


NOT_IN_SIGNATURE_TAIL = frozenset({0x04000115, 0x04000120, 0x04000305, 0x04000310})
"""Certificate of Signer, Signature, Certified Timestamp Type, Certified Timestamp."""


def chunk_bytes(chunk: MACChunk) -> Iterator[bytes]:
    """Yield the bytes of one chunk in blocks of bounded size.

    Cites: PS3.3 C.12.1.1.3.1.1.
    """
    for segment in chunk.segments:
        yield from blocks(segment)


def chunk_length(chunk: MACChunk) -> int:
    """Return how many bytes one chunk adds to the stream.

    Cites: PS3.3 C.12.1.1.3.1.1.
    """
    return segments_length(chunk.segments)


def segments_length(segments: Iterable[Segment]) -> int:
    """Return how many bytes segments add to the stream.

    Cites: PS3.3 C.12.1.1.3.1.1.
    """
    return sum([len(s) if isinstance(s, bytes) else s.end - s.start for s in segments])


def digest_chunks(chunks: Iterable[MACChunk], algorithm: MACAlgorithm) -> bytes:
    """Return the digest of a stream of chunks.

    Raises:
        UnsupportedAlgorithmError: This OpenSSL does not offer the algorithm.
        EncodingError: See ``mac_stream``.

    Cites: PS3.3 C.12.1.1.3.1.1.
    """
    return digest_segments((s for chunk in chunks for s in chunk.segments), algorithm)


def digest_segments(segments: Iterable[Segment], algorithm: MACAlgorithm) -> bytes:
    """Return the digest of segments; large ones are read in blocks of bounded size.

    Raises:
        UnsupportedAlgorithmError: This OpenSSL does not offer the algorithm.
        EncodingError: The file became shorter meanwhile.

    Cites: PS3.3 C.12.1.1.3.1.1.
    """
    digest = new_digest(algorithm)
    update = digest.update
    literal: list[bytes] = []
    for segment in segments:
        if isinstance(segment, bytes):
            literal.append(segment)
            continue
        if literal:
            update(b"".join(literal))
            literal.clear()
        if segment.swap == 1 and isinstance(segment.source, BytesSource):
            update(segment.source.view(segment.start, segment.end))
            continue
        for block in blocks(segment):
            update(block)
    update(b"".join(literal))
    return digest.digest()


def _covered(dataset: DataSet, selection: Iterable[int]) -> list[Element]:
    """Return the selected elements, refusing what has no bytes in a stream."""
    wanted = selection if isinstance(selection, frozenset) else frozenset(selection)
    covered = [element for element in signable_elements(dataset) if element[0] in wanted]
    if len(covered) < len(wanted):
        for element in dataset.elements:
            if element.tag in wanted and not is_signable(element):
                raise EncodingError(
                    f"{describe_tag(element.tag)} cannot be covered by a MAC",
                    rule="VR_UN" if element.has_unknown else "DES_FORBIDDEN",
                    where=describe_tag(element.tag)[:11],
                    cites="PS3.3 C.12.1.1.3.1.1",
                )
    return covered


def _signed_part(signature_item: DataSet) -> list[Element]:
    return [
        element
        for element in signature_item.elements
        if element.tag not in NOT_IN_SIGNATURE_TAIL and signable_tag(element.tag)
    ]


def _append(
    out: list[Segment], dataset: DataSet, elements: Iterable[Element], padding: Padding
) -> None:
    """Append what elements contribute; neighbours that are stored as hashed become one run."""
    explicit, little = dataset.encoding
    as_stored = explicit and little and padding is Padding.AS_STORED
    source = dataset.source
    run_start = run_end = -1
    for element in elements:
        tag, _, start, value, end, items, fragments, unknown = element
        ordinary = LENGTH_TO_END < tag < MAC_PARAMETERS_SEQUENCE and tag & 0xFFFF and not unknown
        if not (ordinary or is_signable(element)):
            continue
        if as_stored and items is None and fragments is None and not (end - value) & 1:
            if start != run_end:
                if run_end > run_start:
                    _append_run(out, source, run_start, run_end)
                run_start = start
            run_end = end
            continue
        if run_end > run_start:
            _append_run(out, source, run_start, run_end)
        run_start = run_end = -1
        if items is not None:
            out.append(_sequence_header(tag))
            if as_stored and type(items) is SmallSequence:
                out.append(_small(items))
            else:
                for item in items:
                    out.append(_ITEM)
                    _append(out, item, item.elements, padding)
                out.append(_SEQUENCE_END)
        elif fragments is not None:
            _append_fragments(out, source, element)
        else:
            _append_encoded(out, dataset, element, padding)
    if run_end > run_start:
        _append_run(out, source, run_start, run_end)


def _small(items: SmallSequence) -> bytes:
    """Return what the items of a short sequence contribute, remembered as its bytes are."""
    stream = _remembered.get(items.content)
    if stream is None:
        out: list[Segment] = []
        for item in items:
            out.append(_ITEM)
            _append(out, item, item.elements, Padding.AS_STORED)
        out.append(_SEQUENCE_END)
        stream = b"".join(block for segment in out for block in blocks(segment))
        if len(_remembered) > _ENOUGH:
            _remembered.clear()
        _remembered[items.content] = stream
    return stream


def _append_run(out: list[Segment], source: Source, start: int, end: int) -> None:
    """Append stored bytes: short ones as a copy, long ones by reference."""
    if end - start > _SHORT:
        out.append(Extent(source, start, end))
    elif end > start:
        out.append(stored(source, start, end - start))


def _append_fragments(out: list[Segment], source: Source, element: Element) -> None:
    out.append(_sequence_header(element.tag, "OB"))
    for start, length in element.fragments or ():
        out.append(_ITEM)
        _append_run(out, source, start, start + length)
        if length & 1:
            out.append(b"\0")
    out.append(_SEQUENCE_END)


def _append_encoded(
    out: list[Segment], dataset: DataSet, element: Element, padding: Padding
) -> None:
    """Append a leaf whose bytes in the stream are not the stored ones."""
    tag, vr, length = element.tag, element.vr, element.end - element.value
    if padding is Padding.CANONICAL and vr in PADDED_VRS:
        value = normalise_value(vr, dataset.value(element))
        out.append(_header(tag, vr, len(value)) + value)
        return
    header = _header(tag, vr, length + (length & 1))
    swap = 1 if dataset.encoding.little else SWAP_WIDTH.get(vr, 1)
    if swap == 1 and length <= _SHORT:
        out.append(header + stored(dataset.source, element.value, length))
    else:
        out += header, Extent(dataset.source, element.value, element.end, swap)
    if length & 1:
        out.append(b" " if vr in PADDED_VRS and vr != "UI" else b"\0")


def _header(tag: int, vr: str, length: int) -> bytes:
    """Return the explicit VR little endian header of a leaf.

    A value from an implicit VR data set may be longer than a 16-bit length can say; explicit VR
    then writes UN (PS3.5 6.2.2), and so does dcmsign. It is covered, because its VR is known.
    """
    if vr in LONG_VRS:
        return _header_start(tag, vr) + b"\0\0" + length.to_bytes(4, "little")
    if length > 0xFFFF:
        return _header_start(tag, "UN") + b"\0\0" + length.to_bytes(4, "little")
    return _header_start(tag, vr) + length.to_bytes(2, "little")


def _sequence_header(tag: int, vr: str = "SQ") -> bytes:
    """Return the header of a sequence or an encapsulated value, which has no length here."""
    return _header_start(tag, vr) + b"\0\0"


@lru_cache(maxsize=4096)
def _header_start(tag: int, vr: str) -> bytes:
    return pack("<HH", tag >> 16, tag & 0xFFFF) + vr.encode()
