"""A MAC stream read back: what somebody is asked to sign, from the very bytes that are hashed.

A stream has no lengths of sequences and items, so it is first written as a data set that has
delimiters instead, and then scanned strictly. What comes of it is encoded again; unless that gives
the same bytes, nothing is returned, so that no reader can see another document in them.

Cites: PS3.3 C.12.1.1.3.1.1.
"""

from __future__ import annotations

from typing import NamedTuple

from sr.dicomfile.dataset import DataSet
from sr.dicomfile.headers import EXPLICIT_LITTLE, LONG_FORM, SHORT_FORM
from sr.dicomfile.limits import Limits
from sr.dicomfile.scanner import Scanner
from sr.dicomfile.source import BytesSource
from sr.errors import DatasetError, EncodingError
from sr.mac.segment import blocks
from sr.mac.stream import mac_segments

__all__ = ["StreamContent", "read_stream"]

_MAC_ID_NUMBER = b"\x00\x04\x05\x00"
"""First element of a signature item; none of a data set of its own."""
_ITEM, _ITEM_END = b"\xfe\xff\x00\xe0", b"\xfe\xff\x0d\xe0"
_SEQUENCE_END = b"\xfe\xff\xdd\xe0"
_UNDEFINED, _NO_LENGTH = b"\xff" * 4, bytes(4)
_LIMITS = Limits(elements=100_000, items=50_000, value_bytes=16 * 2**20)


class StreamContent(NamedTuple):
    """What a signature is over.

    Cites: PS3.3 C.12.1.1.3.1.1.
    """

    dataset: DataSet
    """The elements that are covered, and no others."""
    signature_item: DataSet
    """What of the signature itself is covered: its UID, date-time and purpose."""


def read_stream(stream: bytes) -> StreamContent:
    """Return what a MAC stream of a document says.

    Args:
        stream: All of it, the elements of the signature item included. Streams with encapsulated
            pixel data are refused: documents have none.

    Raises:
        DatasetError: The bytes are no such stream, or could be read in two ways.

    Cites: PS3.3 C.12.1.1.3.1.1; PS3.5 7.5.
    """
    out = bytearray()
    try:
        end = _elements(stream, 0, out, depth=0)
        covered = _scan(bytes(out))
        out.clear()
        _elements(stream, end, out, depth=1)
        item = _scan(bytes(out))
    except (IndexError, RecursionError) as error:
        raise _refused("it ends within an element") from error
    if not covered.elements or not item.elements:
        raise _refused("there is no document, or no signature")
    segments = mac_segments(covered, {e.tag for e in covered}, signature_item=item)
    again = b"".join(block for segment in segments for block in blocks(segment))
    if again != stream:
        raise _refused("it can be read in two ways")
    return StreamContent(covered, item)


def _elements(stream: bytes, position: int, out: bytearray, *, depth: int) -> int:
    """Copy elements up to a delimiter, or at the top level up to the signature item."""
    while position < len(stream):
        tag = stream[position : position + 4]
        if tag in (_ITEM, _SEQUENCE_END) or (depth == 0 and tag == _MAC_ID_NUMBER):
            break
        vr = stream[position + 4 : position + 6]
        if vr == b"SQ":
            position = _sequence(stream, position, out, depth=depth)
            continue
        if vr in LONG_FORM:
            value = position + 12
            length = int.from_bytes(stream[position + 8 : value], "little")
        elif vr in SHORT_FORM:
            value = position + 8
            length = int.from_bytes(stream[position + 6 : value], "little")
        else:
            raise _refused("an element has no value representation")
        if value + length > len(stream):
            raise _refused("it ends within an element")
        out += stream[position : value + length]
        position = value + length
    return position


def _sequence(stream: bytes, position: int, out: bytearray, *, depth: int) -> int:
    if depth >= _LIMITS.nesting:
        raise _refused(f"sequences are nested more than {_LIMITS.nesting} deep")
    out += stream[position : position + 8] + _UNDEFINED
    position += 8
    while stream[position : position + 4] == _ITEM:
        out += _ITEM + _UNDEFINED
        position = _elements(stream, position + 4, out, depth=depth + 1)
        out += _ITEM_END + _NO_LENGTH
    if stream[position : position + 4] != _SEQUENCE_END:
        raise _refused("a sequence has no end")
    out += _SEQUENCE_END + _NO_LENGTH
    return position + 4


def _scan(data: bytes) -> DataSet:
    scanner = Scanner(BytesSource(data), limits=_LIMITS, size=len(data))
    return scanner.dataset(0, len(data), EXPLICIT_LITTLE)


def _refused(why: str) -> DatasetError:
    return EncodingError(
        f"the bytes are not the MAC stream of a document: {why}",
        rule="MAC_STREAM",
        cites="PS3.3 C.12.1.1.3.1.1",
    )
