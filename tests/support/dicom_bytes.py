"""Data sets spelt out byte by byte, right or deliberately wrong.

Written from PS3.5 7 alone and independent of ``sr.dicomfile``, so that reader and writer are not
tested against themselves. Every length and reserved byte can be overridden::

    le = EXPLICIT
    data = part10(le.element(0x00080005, "CS", b"ISO_IR 192") + le.sequence(0x0040A730, le.item()))
    fault = le.element(0x00100010, "PN", b"A^B ", length=99)
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from struct import pack

__all__ = [
    "BIG_ENDIAN",
    "EXPLICIT",
    "IMPLICIT",
    "SYNTAX",
    "UNDEFINED",
    "CountingSource",
    "Encoder",
    "Node",
    "deflated",
    "part10",
    "tree",
]

UNDEFINED = 0xFFFFFFFF

SYNTAX = {
    "implicit": "1.2.840.10008.1.2",
    "explicit": "1.2.840.10008.1.2.1",
    "deflated": "1.2.840.10008.1.2.1.99",
    "big": "1.2.840.10008.1.2.2",
    "jpeg": "1.2.840.10008.1.2.4.50",
    "rle": "1.2.840.10008.1.2.5",
}
"""Transfer syntax UIDs by nickname."""

_LONG = frozenset(("OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"))
_WIDTH = {"AT": 2, "US": 2, "SS": 2, "OW": 2, "UL": 4, "SL": 4, "FL": 4, "OF": 4, "OL": 4}
_WIDTH |= {"FD": 8, "OD": 8, "OV": 8, "SV": 8, "UV": 8}

Node = tuple[int, str, "bytes | Sequence[Sequence[Node]]"]
"""Tag, VR, and little endian value bytes or items."""


@dataclass(frozen=True, slots=True)
class Encoder:
    """One of the encodings of PS3.5 7.1; values are given as the bytes to write."""

    explicit: bool = True
    little: bool = True

    @property
    def order(self) -> str:
        """The byte order, as ``struct`` writes it."""
        return "<" if self.little else ">"

    def tag(self, tag: int) -> bytes:
        """Return four bytes."""
        return pack(self.order + "HH", tag >> 16, tag & 0xFFFF)

    def element(
        self,
        tag: int,
        vr: str,
        value: bytes = b"",
        *,
        length: int | None = None,
        reserved: bytes = b"\0\0",
    ) -> bytes:
        """Return header and value; ``length`` says something else than the truth."""
        size = len(value) if length is None else length
        head = self.tag(tag)
        if not self.explicit:
            return head + pack(self.order + "I", size) + value
        head += vr.encode("latin_1")
        if vr in _LONG:
            return head + reserved + pack(self.order + "I", size) + value
        return head + pack(self.order + "H", size) + value

    def item(self, *elements: bytes, undefined: bool = False, length: int | None = None) -> bytes:
        """Return an item with these elements inside."""
        content = b"".join(elements)
        size = UNDEFINED if undefined else len(content) if length is None else length
        end = self.delimiter(0xFFFEE00D) if undefined else b""
        return self.delimiter(0xFFFEE000, size) + content + end

    def sequence(
        self,
        tag: int,
        *items: bytes,
        undefined: bool = False,
        length: int | None = None,
        vr: str = "SQ",
    ) -> bytes:
        """Return a sequence of these items."""
        content = b"".join(items)
        if not undefined:
            return self.element(tag, vr, content, length=length)
        content += self.delimiter(0xFFFEE0DD)
        return self.element(tag, vr, content, length=UNDEFINED)

    def encapsulated(self, tag: int, *fragments: bytes, vr: str = "OB") -> bytes:
        """Return an encapsulated value; the first fragment is the offset table."""
        content = b"".join(self.delimiter(0xFFFEE000, len(f)) + f for f in fragments)
        return self.element(tag, vr, content + self.delimiter(0xFFFEE0DD), length=UNDEFINED)

    def delimiter(self, tag: int, length: int = 0) -> bytes:
        """Return tag and length of an item or delimiter."""
        return self.tag(tag) + pack(self.order + "I", length)

    def value(self, vr: str, value: bytes) -> bytes:
        """Return a little endian value in this byte order."""
        width = 1 if self.little else _WIDTH.get(vr, 1)
        return b"".join(value[i : i + width][::-1] for i in range(0, len(value), width))


EXPLICIT = Encoder()
IMPLICIT = Encoder(explicit=False)
BIG_ENDIAN = Encoder(little=False)


def tree(nodes: Iterable[Node], encoder: Encoder, *, undefined: bool = False) -> bytes:
    """Return the same content in any encoding, with defined or undefined lengths throughout."""
    parts = []
    for tag, vr, value in nodes:
        if isinstance(value, bytes):
            parts.append(encoder.element(tag, vr, encoder.value(vr, value)))
        else:
            items = (
                encoder.item(tree(i, encoder, undefined=undefined), undefined=undefined)
                for i in value
            )
            parts.append(encoder.sequence(tag, *items, undefined=undefined))
    return b"".join(parts)


def part10(
    body: bytes,
    syntax: str = "explicit",
    *,
    preamble: bytes = b"\0" * 128,
    meta: bytes | None = None,
) -> bytes:
    """Return a file with that data set.

    Args:
        body: The data set, encoded in the transfer syntax.
        syntax: Nickname from ``SYNTAX``, or a UID.
        preamble: The 128 bytes before the prefix.
        meta: Whole File Meta Information instead of a sound one.
    """
    if meta is None:
        uid = SYNTAX.get(syntax, syntax).encode()
        rest = EXPLICIT.element(0x00020001, "OB", b"\0\1")
        rest += EXPLICIT.element(0x00020010, "UI", uid + b"\0" * (len(uid) & 1))
        meta = EXPLICIT.element(0x00020000, "UL", pack("<I", len(rest))) + rest
    return preamble + b"DICM" + meta + body


def deflated(body: bytes, level: int = -1) -> bytes:
    """Return the body deflated and padded to even length, as PS3.5 A.5 wants it."""
    engine = zlib.compressobj(level, wbits=-zlib.MAX_WBITS)
    data = engine.compress(body) + engine.flush()
    return data + b"\0" * (len(data) & 1)


class CountingSource:
    """A source that remembers what was read from it."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.size = len(data)
        self.reads: list[tuple[int, int]] = []

    def read_at(self, offset: int, length: int) -> bytes:
        """Return up to ``length`` bytes from ``offset``."""
        self.reads.append((offset, length))
        return self.data[offset : offset + length]

    @property
    def bytes_read(self) -> int:
        """How many bytes were asked for in all."""
        return sum(length for _, length in self.reads)
