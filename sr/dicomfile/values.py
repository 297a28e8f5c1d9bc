"""Decoding of character strings for people to read; never used to compute a MAC.

Cites: PS3.3 C.12.1.1.2; PS3.5 6.1.
"""

from __future__ import annotations

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
}
_CODE_EXTENSIONS = (("149", "euc_kr"), ("58", "gb2312"), ("87", "iso2022_jp"))
_CODE_EXTENSIONS_JAPANESE = "iso2022_jp_2"


def decode_text(value: bytes, charset: str) -> str:
    """Return the text of a string value without its padding.

    Bytes that the character set does not define become U+FFFD: text shown to a person must never
    fail, and never hide that something could not be read.

    Args:
        value: The value as stored.
        charset: Specific Character Set (0008,0005), values joined by a backslash.

    Cites: PS3.5 6.1.
    """
    return value.decode(_codec(charset), "replace").rstrip(" \0")


def _codec(charset: str) -> str:
    terms = [term.strip().replace("ISO 2022 IR ", "ISO_IR ") for term in charset.split("\\")]
    if len(terms) > 1:
        if "ISO_IR 87" in terms or "ISO_IR 159" in terms:
            return _CODE_EXTENSIONS_JAPANESE
        for number, codec in _CODE_EXTENSIONS:
            if f"ISO_IR {number}" in terms:
                return codec
    return _CODECS.get(terms[0], "ascii")
