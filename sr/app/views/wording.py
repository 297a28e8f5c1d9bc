"""Values of a data set in the form people read: names, dates, codes, text.

Nothing is guessed: what does not have the form that its value representation asks for is shown as
it is stored. Characters that could hide or turn the writing around are shown as escapes.

Cites: PS3.5 6.1.3, 6.2.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from sr.codes import SignaturePurpose
from sr.dicomfile import DataSet

__all__ = [
    "class_name",
    "code_text",
    "date_time",
    "direction",
    "meaning",
    "person_name",
    "purpose_words",
    "visible",
]

_HIDING = ("Cc", "Cf", "Co", "Cs", "Zl", "Zp")
"""Categories of characters that cannot be seen, but can change what is."""
_WRITING = frozenset("\n\t\u200c\u200d\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u08e2")
"""Of those, the ones that people write: line breaks, joiners, Arabic and Syriac signs."""
_DATE_TIME = re.compile(
    r"(?P<date>\d{8})?(?P<time>(?<=\d{8})\d{2,6}|(?<!\d)\d{6})?(?:\.\d{1,6})?(?P<zone>[+-]\d{4})?"
)
_VALUES = (0x00080100, 0x00080119, 0x00080120)
_MEANINGS = (0x00080104, *_VALUES)


def purpose_words(purpose: SignaturePurpose) -> str:
    """Return how people are told of a purpose: signatures are checked, reports are approved.

    Cites: PS3.16 CID 7007.
    """
    meaning = purpose.code.meaning
    return f"Approval ({meaning})" if purpose is SignaturePurpose.VERIFICATION else meaning


def visible(text: str) -> str:
    """Return text whose invisible characters are shown; line breaks and joiners stay.

    Cites: PS3.5 6.1.3.
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n").replace("\f", "\n")
    return "".join(_shown(character) for character in lines)


def _shown(character: str) -> str:
    hidden = unicodedata.category(character) in _HIDING and character not in _WRITING
    return f"⟨U+{ord(character):04X}⟩" if hidden else character


def direction(text: str) -> str:
    """Return ``rtl`` for text whose first letter is of a script written from right to left.

    Cites: Unicode UAX 9 P2, P3.
    """
    classes = map(unicodedata.bidirectional, text)
    first = next((c for c in classes if c in ("L", "R", "AL")), "L")
    return "ltr" if first == "L" else "rtl"


def person_name(text: str) -> str:
    """Return a person name, family name first, its groups side by side.

    Ideographic and phonetic groups are written as their scripts write them, without commas.

    Cites: PS3.5 6.2.1.
    """
    alphabetic, *others = text.split("=")
    groups = [_name_group(alphabetic, ", "), *(_name_group(group, " ") for group in others)]
    return visible(" · ".join(group for group in groups if group))


def _name_group(group: str, between: str) -> str:
    family, given, middle, prefix, suffix = (*(p.strip() for p in group.split("^")), *[""] * 5)[:5]
    names = " ".join(part for part in (prefix, given, middle) if part)
    return between.join(part for part in (family, names, suffix) if part)


def date_time(text: str) -> str:
    """Return a DA, TM or DT value as ISO 8601 without what is not there.

    Cites: PS3.5 6.2.
    """
    match = _DATE_TIME.fullmatch(text.strip())
    if match is None or not any(match.groups()):
        return visible(text)
    date, time, zone = match["date"], match["time"], match["zone"]
    parts = [
        f"{date[:4]}-{date[4:6]}-{date[6:]}" if date else "",
        ":".join(time[i : i + 2] for i in range(0, len(time), 2)) if time else "",
        f"{zone[:3]}:{zone[3:]}" if zone else "",
    ]
    return " ".join(part for part in parts if part)


def meaning(code: DataSet) -> str:
    """Return what a code sequence item means, or its value where it does not say.

    Cites: PS3.3 8.8.
    """
    return visible(next((text for tag in _MEANINGS if (text := code.text(tag))), "no meaning"))


def code_text(code: DataSet) -> str:
    """Return value and scheme of a code sequence item, which say what its meaning only describes.

    Cites: PS3.3 8.8.
    """
    value = next((text for tag in _VALUES if (text := code.text(tag))), "")
    return visible(", ".join(part for part in (value, code.text(0x00080102)) if part))


@lru_cache(maxsize=256)
def class_name(uid: str) -> str:
    """Return the name of a SOP class, or its UID where PS3.6 has no name for it.

    Cites: PS3.6 Annex A.
    """
    from pydicom.uid import UID  # noqa: PLC0415 - only the page of a document needs its dictionary

    name = str(UID(uid).name) if uid else "unknown class"
    return visible(name.removesuffix(" Storage").removesuffix(" IOD"))
