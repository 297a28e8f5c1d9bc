"""Inflating a deflated data set, with bounds on what a small file may grow into.

Cites: PS3.5 A.5; RFC 1951.
"""

from __future__ import annotations

import zlib
from struct import pack

from sr.dicomfile.limits import Limits
from sr.dicomfile.source import Source
from sr.errors import DatasetError, LimitError

__all__ = ["inflate"]

_READ, _GROWTH = 1 << 16, 1 << 20
_FREE = 16 << 20


def inflate(source: Source, start: int, limits: Limits) -> bytes:
    """Return the inflated data set that begins at ``start``.

    A pad byte, or the checksum and length that gzip would write, may follow; nothing else.

    Raises:
        DatasetError: ``DEFLATE``, ``TRUNCATED`` or ``TRAILING_BYTES``.
        LimitError: ``LIMIT_INFLATED``; it grows beyond the limits on size and ratio.

    Cites: PS3.5 A.5.
    """
    deflated = source.size - start
    allowed = min(limits.inflated_bytes, max(_FREE, deflated * limits.inflation_ratio))
    engine = zlib.decompressobj(-zlib.MAX_WBITS)
    data = bytearray()
    position = start
    try:
        while not engine.eof:
            chunk = engine.unconsumed_tail
            if not chunk:
                chunk = source.read_at(position, _READ)
                position += len(chunk)
            if not chunk:
                data += engine.flush()  # a last repetition may still wait for room
                if engine.eof:
                    break
                raise DatasetError(
                    "the deflated data set is cut off",
                    rule="TRUNCATED", offset=position, cites="PS3.5 A.5",
                )  # fmt: skip
            data += engine.decompress(chunk, _GROWTH)
            if len(data) > allowed:
                raise LimitError(
                    f"the deflated data set grows beyond {allowed} bytes",
                    rule="LIMIT_INFLATED",
                    offset=start,
                    hint="raise the limit in the settings",
                )
    except zlib.error as error:
        raise DatasetError(
            f"the deflated data set cannot be inflated: {error}",
            rule="DEFLATE", offset=start, cites="PS3.5 A.5",
        ) from error  # fmt: skip
    gzip_trailer = pack("<II", zlib.crc32(data), len(data) & 0xFFFFFFFF)
    if engine.unused_data + source.read_at(position, 16) not in (b"", b"\0", gzip_trailer):
        raise DatasetError(
            "bytes follow the deflated data set",
            rule="TRAILING_BYTES", offset=position, cites="PS3.5 A.5",
        )  # fmt: skip
    return bytes(data)
