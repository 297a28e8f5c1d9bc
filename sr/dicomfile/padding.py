"""Canonical padding: the one form of a string value that survives other implementations.

DCMTK strips every trailing pad character from every string and pads again to even length whenever
it writes, and before it computes a MAC. A document signed in any other form is broken by the first
DCMTK-based system it passes, so ours are brought into this form before their first signature.

Cites: PS3.5 6.2.
"""

from __future__ import annotations

from collections.abc import Sequence

from sr.dicomfile.dataset import DataSet, DICOMFile, Element, Encoding
from sr.dicomfile.reader import read
from sr.dicomfile.small_sequence import SmallSequence
from sr.dicomfile.source import BytesSource
from sr.dicomfile.transfer_syntax import EXPLICIT_LITTLE
from sr.dicomfile.vr import PADDED_VRS
from sr.dicomfile.writer import element as encode
from sr.dicomfile.writer import sequence
from sr.errors import EncodingError

__all__ = ["canonicalise", "noncanonical_elements", "normalise_value"]

_GROUP_LENGTH = 0x0000
_META_GROUP_LENGTH = 0x00020000
_EXPLICIT_LITTLE = Encoding(True, True)


def normalise_value(vr: str, value: bytes) -> bytes:
    """Return a value as DCMTK would write it.

    Cites: PS3.5 6.2.
    """
    if vr == "UI":
        value = value.translate(None, b" \t\r\n\v\f").rstrip(b"\0")
        return value + b"\0" * (len(value) & 1)
    if vr in PADDED_VRS:
        value = value.rstrip(b" ")
        return value + b" " * (len(value) & 1)
    return value + b"\0" * (len(value) & 1)


def noncanonical_elements(dataset: DataSet) -> tuple[int, ...]:
    """Return the top-level tags whose value, or a value inside, has non-canonical padding.

    Cites: PS3.5 6.2.
    """
    return dataset.answer(_noncanonical)


def _noncanonical(dataset: DataSet) -> tuple[int, ...]:
    return tuple(e.tag for e in dataset.elements if not _is_canonical(dataset, e))


def canonicalise(data: bytes) -> bytes:
    """Return our own unsigned document with canonical padding and explicit lengths.

    Group lengths outside File Meta Information are dropped. Applying it twice changes nothing.

    Args:
        data: A Part 10 file, explicit VR little endian, without encapsulated values.

    Raises:
        EncodingError: The file is not one of ours.

    Cites: PS3.5 6.2, 7.5; PS3.10 7.1.
    """
    file = read(BytesSource(data))
    if file.transfer_syntax != EXPLICIT_LITTLE or file.meta is None:
        raise EncodingError(
            "only Part 10 files in explicit VR little endian are brought into canonical form",
            rule="NOT_CANONICALISABLE",
            where="(0002,0010)",
        )
    return b"\0" * 128 + b"DICM" + _meta(file) + _encode(file.dataset)


def _meta(file: DICOMFile) -> bytes:
    assert file.meta is not None  # noqa: S101 - checked by the caller, for the type checker
    rest = b"".join(
        encode(e.tag, e.vr, normalise_value(e.vr, file.meta.value(e)))
        for e in file.meta
        if e.tag != _META_GROUP_LENGTH
    )
    return encode(_META_GROUP_LENGTH, "UL", len(rest).to_bytes(4, "little")) + rest


def _encode(dataset: DataSet) -> bytes:
    parts = []
    for e in dataset:
        if e.tag & 0xFFFF == _GROUP_LENGTH:
            continue
        if e.fragments is not None:
            raise EncodingError("an encapsulated value has no canonical form",
                                rule="NOT_CANONICALISABLE")  # fmt: skip
        if e.items is not None:
            parts.append(sequence(e.tag, (_encode(i) for i in e.items), _EXPLICIT_LITTLE))
        else:
            parts.append(encode(e.tag, e.vr, normalise_value(e.vr, dataset.value(e))))
    return b"".join(parts)


def _are_canonical(items: Sequence[DataSet]) -> bool:
    for item in items:
        for element in item.elements:
            if not _is_canonical(item, element):
                return False
    return True


def _is_canonical(dataset: DataSet, element: Element) -> bool:
    items = element.items
    if items is not None:
        if type(items) is SmallSequence:
            return items.answer(_are_canonical)
        return _are_canonical(items)
    vr = element.vr
    if vr not in PADDED_VRS or element.fragments is not None:
        return True
    if vr != "UI":
        # What is stripped and put back is at the end, so the last two bytes decide.
        length = element.end - element.value
        return not length & 1 and (
            not length or dataset.source.read_at(element.end - 2, 2) != b"  "
        )
    value = dataset.value(element)
    return normalise_value(vr, value) == value
