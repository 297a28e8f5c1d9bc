"""Decoding of character strings for people to read; never used to compute a MAC.

Cites: PS3.3 C.12.1.1.2; PS3.5 6.1.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

__all__ = ["decode_text"]

_CODECS = {
    "": "ascii",
    "ISO_IR 6": "ascii",
    "ISO_IR 13": "shift_jis",
    "ISO_IR 100": "latin_1",
    "ISO_IR 101": "iso8859_2",
    "ISO_IR 109": "iso8859_3",
    "ISO_IR 110": "iso8859_4",
    "ISO_IR 126": "iso8859_7",
    "ISO_IR 127": "iso8859_6",
    "ISO_IR 138": "iso8859_8",
    "ISO_IR 144": "iso8859_5",
    "ISO_IR 148": "iso8859_9",
    "ISO_IR 166": "iso8859_11",
    "ISO_IR 192": "utf_8",
    "ISO_IR 203": "iso8859_15",
    "GB18030": "gb18030",
    "GBK": "gbk",
    "ISO_IR 149": "euc_kr",
    "ISO_IR 58": "gb2312",
}
_ESCAPES = {
    b"(B": "ascii", b"(J": "shift_jis", b")I": "shift_jis",
    b"-A": "latin_1", b"-B": "iso8859_2", b"-C": "iso8859_3", b"-D": "iso8859_4",
    b"-F": "iso8859_7", b"-G": "iso8859_6", b"-H": "iso8859_8", b"-L": "iso8859_5",
    b"-M": "iso8859_9", b"-T": "iso8859_11", b"-b": "iso8859_15",
    b"$)C": "euc_kr", b"$)A": "gb2312",
    b"$B": "iso2022_jp", b"$(D": "iso2022_jp_2",
}  # fmt: skip
"""Codec for what follows an escape sequence (PS3.3 Tables C.12-3 and C.12-4)."""
_TWO_BYTES_IN_G0 = frozenset({b"$B", b"$(D"})
_BACK_TO_ONE_BYTE = frozenset({b"(B", b"(J"})
_ESCAPE = re.compile(rb"\x1b(" + b"|".join(map(re.escape, _ESCAPES)) + rb")")


def decode_text(value: bytes, charset: str) -> str:
    """Return the text of a string value without its padding.

    Bytes that the character set does not define become U+FFFD: text shown to a person must never
    fail, and never hide that something could not be read.

    Args:
        value: The value as stored.
        charset: Specific Character Set (0008,0005), values joined by a backslash.

    Cites: PS3.5 6.1; PS3.3 C.12.1.1.2.
    """
    first = charset.split("\\", maxsplit=1)[0].strip()
    codec = _CODECS.get(first.replace("ISO 2022 IR ", "ISO_IR "), "ascii")
    if b"\x1b" in value and "ISO 2022" in charset:
        text = "".join(_extended(value, codec))
    else:
        text = value.decode(codec, "replace")
    return text.rstrip(" \0")


def _extended(value: bytes, initial: str) -> Iterator[str]:
    """Yield the stretches between escape sequences, each decoded in the set they call."""
    pieces = _ESCAPE.split(value)
    yield pieces[0].decode(initial, "replace")
    upper = initial
    for escape, piece in zip(pieces[1::2], pieces[2::2], strict=True):
        if escape in _TWO_BYTES_IN_G0:
            yield (b"\x1b" + escape + piece).decode(_ESCAPES[escape], "replace")
            continue
        if escape not in _BACK_TO_ONE_BYTE:
            upper = _ESCAPES[escape]
        yield piece.decode(upper, "replace")
