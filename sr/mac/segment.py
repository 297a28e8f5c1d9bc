"""What a MAC stream is made of: bytes at hand, and runs of stored bytes that are read when hashed.

Cites: PS3.3 C.12.1.1.3.1.1.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from sr.dicomfile.source import Source
from sr.errors import EncodingError

__all__ = ["Extent", "Segment", "blocks", "stored"]

_BLOCK = 1 << 20


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


def stored(source: Source, start: int, length: int) -> bytes:
    """Return a short run of stored bytes.

    Raises:
        EncodingError: The file became shorter meanwhile.
    """
    data = source.read_at(start, length)
    if len(data) != length:
        raise _shorter(start)
    return data


def blocks(segment: Segment) -> Iterable[bytes]:
    """Return the bytes of a segment in pieces of bounded size.

    Raises:
        EncodingError: The file became shorter meanwhile.
    """
    return (segment,) if isinstance(segment, bytes) else _read(segment)


def _read(extent: Extent) -> Iterator[bytes]:
    position = extent.start
    while position < extent.end:
        block = extent.source.read_at(position, min(_BLOCK, extent.end - position))
        if not block:
            raise _shorter(position)
        yield _swapped(block, extent.swap) if extent.swap > 1 else block
        position += len(block)


def _shorter(position: int) -> EncodingError:
    return EncodingError(
        "the file became shorter while it was read", rule="TRUNCATED", offset=position
    )


def _swapped(block: bytes, width: int) -> bytes:
    """Reverse the byte order of numbers ``width`` bytes wide (PS3.5 7.3)."""
    whole = bytearray(len(block))
    usable = len(block) - len(block) % width
    for i in range(width):
        whole[i:usable:width] = block[width - 1 - i : usable : width]
    whole[usable:] = block[usable:]
    return bytes(whole)
