"""Text values that a document may carry, checked before any library sees them.

The libraries warn, truncate or split values at a backslash; a signed document must not. Every
text that comes from outside (evidence, report input, command line) passes through `checked`.
This module does not encode; it only refuses.

Cites: PS3.5 6.2.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from sr.errors import DocumentError

__all__ = ["canonical_person_name", "checked", "is_uid", "value_limits"]

_COMPONENT = r"(0|[1-9][0-9]*)"
_UID = re.compile(rf"{_COMPONENT}(\.{_COMPONENT})+")
_UID_IN_USE = re.compile(r"[0-9]+(\.[0-9]+)+")
"""Some devices write components with leading zeros; what they made has to be cited as it is."""


@dataclass(frozen=True, slots=True)
class _Rule:
    """What a value representation allows."""

    maximum: int
    """Characters; 0 is unlimited."""
    pattern: re.Pattern[str] | None = None
    multiline: bool = False
    """Whether control characters of text (CR, LF, FF, TAB) and the backslash are allowed."""


_TIME = r"([01][0-9]|2[0-3])([0-5][0-9]([0-5][0-9]|60)?)?"
_DATE = r"[0-9]{4}(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])"

_RULES: dict[str, _Rule] = {
    "CS": _Rule(16, re.compile(r"[A-Z0-9_ ]*")),
    "DA": _Rule(8, re.compile(_DATE)),
    "DS": _Rule(16, re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([Ee][+-]?[0-9]+)?")),
    "DT": _Rule(
        26, re.compile(r"[0-9]{4}([0-9]{2}([0-9]{2}([0-9]{2,6}(\.[0-9]{1,6})?)?)?)?([+-][0-9]{4})?")
    ),
    "LO": _Rule(64),
    "LT": _Rule(10240, multiline=True),
    "PN": _Rule(0),
    "SH": _Rule(16),
    "ST": _Rule(1024, multiline=True),
    "TM": _Rule(14, re.compile(rf"{_TIME}(\.[0-9]{{1,6}})?")),
    "UC": _Rule(0),
    "UI": _Rule(64, _UID_IN_USE),
    "UT": _Rule(0, multiline=True),
}
"""Limits of PS3.5 Table 6.2-1, in characters."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_CONTROL_IN_TEXT = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f-\x9f\ud800-\udfff]")


def is_uid(text: str, *, in_use: bool = False) -> bool:
    """Return whether the text has the form of a UID.

    Args:
        text: What to look at.
        in_use: Whether it is the UID of something that exists, which may have leading zeros.

    Cites: PS3.5 9.1.
    """
    form = _UID_IN_USE if in_use else _UID
    return len(text) <= 64 and form.fullmatch(text) is not None


def canonical_person_name(name: str) -> str:
    """Return the name without trailing delimiters and surrounding blanks of each group.

    Cites: PS3.5 6.2.1.2.
    """
    groups = [
        "^".join(part.strip() for part in group.split("^")).rstrip("^") for group in name.split("=")
    ]
    return "=".join(groups).rstrip("=")


def value_limits(vr: str) -> tuple[int, str]:
    """Return what a value has to fit: the most characters, 0 for any number, and a pattern.

    The pattern is written so that JSON Schema understands it as well, and always anchored.

    Cites: PS3.5 6.2.
    """
    rule = _RULES[vr]
    if rule.pattern:
        return rule.maximum, f"^({rule.pattern.pattern})? *$"
    return rule.maximum, "" if rule.multiline else r"^[^\\\u0000-\u001F\u007F-\u009F]*$"


def checked(vr: str, value: str, what: str, *, error: type[DocumentError] = DocumentError) -> str:
    """Return the value without trailing blanks if its value representation can carry it.

    Args:
        vr: Value representation, e.g. ``LO``.
        value: One value; a backslash never separates values here.
        what: Attribute keyword and tag, or the key path of an input file, for the message.
        error: Class of the error to raise.

    Raises:
        DocumentError: Or the class given: too long, wrong form, control characters or a backslash.

    Cites: PS3.5 6.2.
    """
    rule = _RULES[vr]
    value = value.rstrip(" ")
    if not value:
        return ""
    forbidden = _CONTROL_IN_TEXT if rule.multiline else _CONTROL
    if forbidden.search(value) or (not rule.multiline and "\\" in value):
        raise error(
            f"{what} holds a control character or a backslash, which {vr} cannot carry", where=what
        )
    if rule.maximum and len(value) > rule.maximum:
        raise error(
            f"{what} has {len(value)} characters; {vr} carries {rule.maximum}",
            where=what,
        )
    if rule.pattern and not rule.pattern.fullmatch(value):
        raise error(f"{what} is not a valid {vr} value", where=what)
    if vr == "DA" and not _is_calendar_date(value):
        raise error(f"{what} is not a day of the calendar", where=what)
    if vr == "PN":
        return _checked_person_name(value, what, error)
    return value


def _is_calendar_date(value: str) -> bool:
    try:
        date(int(value[:4]), int(value[4:6]), int(value[6:]))
    except ValueError:
        return False
    return True


def _checked_person_name(value: str, what: str, error: type[DocumentError]) -> str:
    groups = value.split("=")
    too_long = any(len(group) > 64 for group in groups)
    if too_long or len(groups) > 3 or any(group.count("^") > 4 for group in groups):
        raise error(
            f"{what} is not a person name of at most 3 groups of 5 components and 64 characters",
            where=what,
        )
    return canonical_person_name(value)
