"""Encoding of the few elements srsign writes itself: signature items and lifecycle edits.

Sequences and items are written with explicit lengths, as the documents we author have them.

Cites: PS3.5 7.1, 7.5.
"""

from __future__ import annotations

from collections.abc import Iterable
from struct import pack

from sr.dicomfile.dataset import DataSet, Encoding
from sr.dicomfile.tags import describe_tag, format_tag
from sr.dicomfile.vr import LONG_VRS, SWAP_WIDTH
from sr.errors import EncodingError

__all__ = [
    "EXPLICIT_LITTLE_ENCODING",
    "element",
    "item",
    "padded",
    "sequence",
    "tags",
    "text",
    "transcode",
]

EXPLICIT_LITTLE_ENCODING = Encoding(True, True)
_ITEM = (0xFFFE, 0xE000)


def element(
    tag: int, vr: str, value: bytes, encoding: Encoding = EXPLICIT_LITTLE_ENCODING
) -> bytes:
    """Return header and value of one element; the value must have even length.

    Raises:
        EncodingError: The value does not fit the 16-bit length of its VR.

    Cites: PS3.5 7.1.2, 7.1.3.
    """
    order = "<" if encoding.little else ">"
    head = pack(order + "HH", tag >> 16, tag & 0xFFFF)
    if not encoding.explicit:
        return head + pack(order + "I", len(value)) + value
    if vr in LONG_VRS:
        return head + vr.encode() + b"\0\0" + pack(order + "I", len(value)) + value
    if len(value) > 0xFFFF:
        raise EncodingError(
            f"{describe_tag(tag)} of {len(value)} bytes does not fit value representation {vr}",
            rule="VALUE_TOO_LONG",
            where=format_tag(tag),
        )
    return head + vr.encode() + pack(order + "H", len(value)) + value


def text(tag: int, vr: str, value: str, encoding: Encoding = EXPLICIT_LITTLE_ENCODING) -> bytes:
    """Return a character string element, UTF-8 and padded.

    Cites: PS3.5 6.2.
    """
    return element(tag, vr, padded(vr, value.encode()), encoding)


def padded(vr: str, value: bytes) -> bytes:
    """Return the value with the pad byte of its VR where its length is odd.

    Cites: PS3.5 6.2.
    """
    if len(value) % 2 == 0:
        return value
    return value + (b"\0" if vr in ("UI", "OB", "UN") else b" ")


def tags(tag: int, values: Iterable[int], encoding: Encoding = EXPLICIT_LITTLE_ENCODING) -> bytes:
    """Return an AT element.

    Cites: PS3.5 6.2.
    """
    order = "<HH" if encoding.little else ">HH"
    return element(tag, "AT", b"".join(pack(order, v >> 16, v & 0xFFFF) for v in values), encoding)


def item(content: bytes, encoding: Encoding = EXPLICIT_LITTLE_ENCODING) -> bytes:
    """Return an item of explicit length.

    Cites: PS3.5 7.5.1.
    """
    order = "<" if encoding.little else ">"
    return pack(order + "HHI", *_ITEM, len(content)) + content


def sequence(
    tag: int, contents: Iterable[bytes], encoding: Encoding = EXPLICIT_LITTLE_ENCODING
) -> bytes:
    """Return a sequence of explicit length whose items have the given contents.

    Cites: PS3.5 7.5.
    """
    return element(tag, "SQ", b"".join(item(c, encoding) for c in contents), encoding)


def transcode(
    dataset: DataSet, encoding: Encoding, *, leave_out: frozenset[int] = frozenset()
) -> bytes:
    """Return the elements of a data set in another encoding.

    For items that srsign writes itself or takes over, not for whole instances.

    Args:
        dataset: What to encode.
        encoding: In which encoding.
        leave_out: Tags that are left out, at every level.

    Cites: PS3.5 7.1, 7.3.
    """
    parts = []
    for e in dataset:
        if e.tag in leave_out:
            continue
        if e.items is not None:
            contents = (transcode(inner, encoding, leave_out=leave_out) for inner in e.items)
            parts.append(sequence(e.tag, contents, encoding))
            continue
        value = dataset.value(e)
        if encoding.little != dataset.encoding.little:
            width = SWAP_WIDTH.get(e.vr, 1)
            value = b"".join(value[i : i + width][::-1] for i in range(0, len(value), width))
        parts.append(element(e.tag, e.vr, value, encoding))
    return b"".join(parts)
