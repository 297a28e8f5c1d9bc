"""Data element tags: numbers, names and the VR that PS3.6 gives them.

A tag is an ``int``, group in the upper 16 bits: ``0x00100010`` is Patient's Name. The table is
``dictionary.csv`` beside this module, read when a name or an implicit VR is first asked for.

Cites: PS3.6 6.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib.resources import files

__all__ = [
    "describe_tag",
    "dictionary_vr",
    "format_tag",
    "is_private",
    "keyword_for_tag",
    "single_tags",
    "tag_for_keyword",
]


def format_tag(tag: int) -> str:
    """Return ``(gggg,eeee)`` in the notation of the standard.

    Cites: PS3.5 7.1.
    """
    return f"({tag >> 16:04X},{tag & 0xFFFF:04X})"


def describe_tag(tag: int) -> str:
    """Return ``(gggg,eeee) Keyword``, or the bare tag where PS3.6 has no keyword.

    Cites: PS3.6 6.
    """
    return f"{format_tag(tag)} {keyword_for_tag(tag)}".rstrip()


def is_private(tag: int) -> bool:
    """Return whether the group is odd.

    Cites: PS3.5 7.8.
    """
    return bool(tag >> 16 & 1)


def keyword_for_tag(tag: int) -> str:
    """Return the keyword, or ``""`` for private and unknown tags.

    Cites: PS3.6 6.
    """
    return _entry(tag)[1]


def dictionary_vr(tag: int) -> str:
    """Return the VR of PS3.6, alternatives joined by ``|``, or ``UN`` where it gives none.

    Private tags are always ``UN``: dictionaries disagree about them.

    Cites: PS3.6 6.
    """
    return _entry(tag)[0]


def single_tags() -> Iterator[tuple[int, str]]:
    """Yield every tag of PS3.6 that is no repeating group, with its VR.

    Cites: PS3.6 6.
    """
    for tag, (vr, _) in _dictionary().items():
        yield tag, vr


def tag_for_keyword(keyword: str) -> int:
    """Return the tag of a keyword, e.g. ``PatientName``.

    Raises:
        KeyError: PS3.6 has no such keyword.

    Cites: PS3.6 6.
    """
    return _keywords()[keyword]


def _entry(tag: int) -> tuple[str, str]:
    found = _dictionary().get(tag)
    if found is None:
        group = tag >> 16
        if tag & 0xFFFF == 0:
            return ("UL", "GroupLength")
        if group & 1:
            creator = 0x0010 <= tag & 0xFFFF <= 0x00FF
            return ("LO", "PrivateCreator") if creator else ("UN", "")
        found = _repeating().get(tag & 0xFF00FFFF) or ("UN", "")
    return found


@cache
def _rows() -> tuple[tuple[str, str, str], ...]:
    text = (files("sr.dicomfile") / "dictionary.csv").read_text(encoding="ascii")
    return tuple((*line.split(","),) for line in text.splitlines())  # type: ignore[misc]


@cache
def _dictionary() -> dict[int, tuple[str, str]]:
    return {int(tag, 16): (vr, keyword) for tag, vr, keyword in _rows() if "x" not in tag}


@cache
def _repeating() -> dict[int, tuple[str, str]]:
    return {
        int(tag.replace("x", "0"), 16): (vr, keyword)
        for tag, vr, keyword in _rows()
        if tag[2:4] == "xx" and "x" not in tag[4:]
    }


@cache
def _keywords() -> dict[str, int]:
    return {keyword: int(tag, 16) for tag, _vr, keyword in _rows() if "x" not in tag}
