"""Headers of elements and items in each encoding, as the scanner takes them apart.

Cites: PS3.5 7.1, 7.5, Annex A.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from struct import Struct
from typing import NamedTuple

from sr.dicomfile.dataset import Encoding
from sr.dicomfile.small_sequence import Content, remembered
from sr.dicomfile.vr import KNOWN_VRS, LONG_VRS, settled_vrs

__all__ = [
    "EXPLICIT_LITTLE",
    "ITEM_HEADER",
    "LONG_FORM",
    "SHORT_FORM",
    "Headers",
    "headers_in",
]

EXPLICIT_LITTLE = Encoding(True, True)
SHORT_FORM = {vr.encode(): vr for vr in KNOWN_VRS - LONG_VRS}
"""Stored VRs that are followed by a length of two bytes."""
LONG_FORM = {vr.encode(): vr for vr in LONG_VRS}
"""Those followed by two reserved bytes and a length of four."""
ITEM_HEADER = {True: Struct("<HHI"), False: Struct(">HHI")}
"""Tag and length of items and delimiters, by whether the byte order is little endian."""


class Headers(NamedTuple):
    """How to take headers apart, and what is known of the values behind them.

    Cites: PS3.5 7.1, Annex A.
    """

    explicit: bool
    header_at: Callable[[bytes, int], tuple[int, int, bytes, int]]
    length_at: Callable[[bytes, int], tuple[int]]
    settled: Mapping[int, str]
    """VRs, where they are not stored."""
    known: Mapping[bytes, Content]
    """Sequences that were scanned before."""


@cache
def headers_in(encoding: Encoding) -> Headers:
    """Return how headers in an encoding are read.

    Cites: PS3.5 Annex A.
    """
    order = "<" if encoding.little else ">"
    return Headers(
        encoding.explicit,
        Struct(order + "HH2sH").unpack_from,
        Struct(order + "I").unpack_from,
        {} if encoding.explicit else settled_vrs(),
        remembered if encoding == EXPLICIT_LITTLE else {},
    )
