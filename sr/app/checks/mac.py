"""Use case: the exact bytes that a MAC covers.

Two parties who disagree about a digest compare streams; ``dump`` is byte-identical with what
``dcmsign +d`` writes, but for the cases in ``docs/divergences.md``.

Cites: PS3.3 C.12.1.1.3.1.1.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from sr.app.files import guard_output, open_dicom, write_atomically
from sr.dicomfile import DICOMFile, tag_for_keyword
from sr.dicomfile.splice import Piece
from sr.errors import ConfigurationError
from sr.mac import MACChunk, mac_stream, signable_tags
from sr.mac.stream import chunk_bytes, chunk_length
from sr.signature import examine
from sr.signature.coverage import author_tags
from sr.signature.structure import LocatedSignature

__all__ = ["DumpedChunk", "dump", "write_dump"]

_NAMED = re.compile(r"\(?([0-9A-Fa-f]{4}),?([0-9A-Fa-f]{4})\)?|([A-Z][A-Za-z0-9]+)")
_BETWEEN = " ,;"


@dataclass(frozen=True, slots=True)
class DumpedChunk:
    """What one element adds to the stream, and where."""

    chunk: MACChunk
    offset: int
    """Bytes of the stream before it."""
    length: int

    @property
    def label(self) -> str:
        """Tag and keyword."""
        return self.chunk.label

    def blocks(self) -> Iterator[bytes]:
        """Yield the bytes in blocks of bounded size."""
        return chunk_bytes(self.chunk)


def dump(
    path: Path, *, tags: str | None = None, signature: str | None = None
) -> Iterator[DumpedChunk]:
    """Yield the stream of a file, element by element.

    Args:
        path: Document or image.
        tags: ``signable`` (the default), ``author`` or a list of tags such as ``0008,0018``.
        signature: UID of a signature or its number from 1; its own list counts, and its item ends
            the stream.

    Raises:
        ConfigurationError: The path, tags or signature do not make sense.
        DatasetError: The file breaks a structural rule, or a tag cannot be covered.

    Cites: PS3.3 C.12.1.1.3.1.1.
    """
    if tags is not None and signature is not None:
        raise ConfigurationError("a signature has its own list of tags; give one of the two")
    file = open_dicom(path)
    if signature is not None:
        chunks = _signed(file, signature)
    else:
        chunks = mac_stream(file.dataset, _selection(file, tags or "signable"))
    return _placed(chunks)


def write_dump(output: Path, chunks: Iterable[DumpedChunk], *, source: Path) -> int:
    """Write a stream to a file; return its length.

    Raises:
        ConfigurationError: The file cannot be written, or is the source.
        EncodingError: A selected element has no bytes in the stream; nothing is written.
    """
    guard_output(output, [source], in_place=False)
    length = 0

    def pieces() -> Iterator[Piece]:
        nonlocal length
        for chunk in chunks:
            length += chunk.length
            yield from map(Piece, chunk.blocks())

    write_atomically(output, pieces())
    return length


def _placed(chunks: Iterable[MACChunk]) -> Iterator[DumpedChunk]:
    offset = 0
    for chunk in chunks:
        length = chunk_length(chunk)
        yield DumpedChunk(chunk, offset, length)
        offset += length


def _selection(file: DICOMFile, tags: str) -> tuple[int, ...]:
    signable = signable_tags(file.dataset)
    if tags == "signable":
        return signable
    if tags == "author":
        return author_tags(signable)
    return _listed(tags)


def _listed(text: str) -> tuple[int, ...]:
    """Return the tags that a list of tags and keywords names."""
    if _NAMED.sub("", text).strip(_BETWEEN):
        raise ConfigurationError(f"{text!r} is no list of tags", hint=_EXPECTED)
    found = [_tag(*match.groups()) for match in _NAMED.finditer(text)]
    if not found:
        raise ConfigurationError("the list of tags is empty", hint=_EXPECTED)
    return tuple(sorted(set(found)))


_EXPECTED = "expected signable, author, or tags such as '0008,0018 PatientName'"


def _tag(group: str | None, element: str | None, keyword: str | None) -> int:
    if keyword is None:
        return int(f"{group}{element}", 16)
    try:
        return tag_for_keyword(keyword)
    except KeyError as error:
        raise ConfigurationError(f"{keyword!r} is no attribute of PS3.6", hint=_EXPECTED) from error


def _signed(file: DICOMFile, wanted: str) -> Iterator[MACChunk]:
    located = _find(file, wanted)
    if located.parameters is None:
        raise ConfigurationError(
            f"signature {wanted} names no item of MACParametersSequence (4FFE,0001)",
            where=located.where,
        )
    return mac_stream(
        located.level.dataset,
        located.parameters.data_elements_signed,
        signature_item=located.item,
    )


def _find(file: DICOMFile, wanted: str) -> LocatedSignature:
    signatures = examine(file).signatures
    for located in signatures:
        if wanted in (located.signature.digital_signature_uid, str(located.number)):
            return located
    raise ConfigurationError(
        f"there is no signature {wanted!r} among {len(signatures)}",
        hint="srsign inspect lists them",
    )
