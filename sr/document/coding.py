"""Codes as people write them: a triple, or the keyword pydicom's dictionaries know it by.

A keyword is looked up in the context group the template names first, so that ``Findings`` as a
heading is the current LOINC code and not the retired DICOM one of the same name. Nothing is
guessed: a keyword or a unit that is not known is refused, with the closest ones that are.

Cites: PS3.16 Annex B, D; CID 7000, 7001, 7002, 7003; PS3.3 Table 8.8-1.
"""

from __future__ import annotations

import re
from functools import cache

from pydicom.sr.codedict import codes

from sr.codes import Code
from sr.document.input_table import InputTable
from sr.document.spelling import did_you_mean
from sr.document.values import checked, value_limits
from sr.errors import TemplateError

__all__ = [
    "LANGUAGES",
    "find_code",
    "find_member",
    "is_member",
    "keywords",
    "optional_code",
    "read_code",
    "read_language",
    "read_unit",
]

_SCHEMES = ("DCM", "SCT", "LN")
_PARTS = ("UC", "SH", "LO")
"""Value representations of value, scheme and meaning."""
_FEW = 20
"""Keywords that fit into a hint."""

LANGUAGES = {
    "cs": "Czech",
    "da": "Danish",
    "de": "German",
    "de-AT": "German (Austria)",
    "de-CH": "German (Switzerland)",
    "de-DE": "German (Germany)",
    "en": "English",
    "en-GB": "English (United Kingdom)",
    "en-US": "English (United States)",
    "es": "Spanish",
    "fi": "Finnish",
    "fr": "French",
    "it": "Italian",
    "ja": "Japanese",
    "ko": "Korean",
    "nl": "Dutch",
    "no": "Norwegian",
    "pl": "Polish",
    "pt": "Portuguese",
    "pt-BR": "Portuguese (Brazil)",
    "sv": "Swedish",
    "tr": "Turkish",
    "zh": "Chinese",
}
"""Tags that may be written alone; any other goes as a triple of scheme RFC5646."""


def read_code(table: InputTable, key: str, *, group: int | None = None) -> Code:
    """Return the code at a key.

    Args:
        table: The table that has the key.
        key: Its key: ``[value, scheme, meaning]``, a keyword such as ``Findings``, or a keyword of
            a scheme such as ``SCT.Lung``.
        group: Context group in which a bare keyword is looked up first.

    Raises:
        TemplateError: The key is missing, is no code, or the keyword is unknown or ambiguous.
    """
    value = table.raw(key)
    if isinstance(value, str) and value.strip():
        return _by_keyword(table, key, value.strip(), group)
    if isinstance(value, list):
        parts = [part.strip() for part in value if isinstance(part, str)]
        if len(value) == 3 and len(parts) == 3 and all(parts):
            return Code(
                *(
                    checked(vr, part, f"{table.at(key)}[{number}]", error=TemplateError)
                    for number, (vr, part) in enumerate(zip(_PARTS, parts, strict=True), start=1)
                )
            )
    raise table.error(
        key,
        "is missing" if value is None else "must be a code",
        hint=_listed(group)
        or 'write ["value", "scheme", "meaning"] or a keyword such as "SCT.Lung"',
    )


def optional_code(table: InputTable, key: str, *, group: int | None = None) -> Code | None:
    """Return the code at a key, ``None`` where there is none.

    Raises:
        TemplateError: As `read_code`.
    """
    if key in table:
        return read_code(table, key, group=group)
    table.raw(key)
    return None


def _by_keyword(table: InputTable, key: str, keyword: str, group: int | None) -> Code:
    scheme, _, name = keyword.rpartition(".")
    places = [scheme] if scheme else [f"cid{group}"] if group else []
    found = [code for place in places if (code := find_code(place, name))]
    if not found and not scheme:
        found = [code for place in _SCHEMES if (code := find_code(place, name))]
    if len(found) == 1:
        return _carried(table, key, found[0])
    if found:
        choices = ", ".join(f"{code.scheme}.{name}" for code in found)
        raise table.error(key, f"the keyword {name!r} is ambiguous", hint=f"write {choices}")
    if scheme and not keywords(scheme):
        hint = did_you_mean(scheme, codes.schemes()) or f"known: {', '.join(codes.schemes())}"
        raise table.error(key, f"no coding scheme is called {scheme!r}", hint=hint)
    raise table.error(
        key,
        f"no code has the keyword {keyword!r}",
        hint=_suggestion(scheme, name, group),
    )


def _carried(table: InputTable, key: str, code: Code) -> Code:
    """Refuse a code whose meaning in the dictionary is longer than a document can carry."""
    maximum, _ = value_limits("LO")
    if len(code.meaning) > maximum:
        raise table.error(
            key,
            f"the meaning of {code} has more than {maximum} characters",
            hint=f'write ["{code.value}", "{code.scheme}", "…"] with a shorter meaning',
        )
    return code


def _suggestion(scheme: str, name: str, group: int | None) -> str:
    close = did_you_mean(name, keywords(f"cid{group}")) if group and not scheme else ""
    if not close:
        schemes = (scheme,) if scheme else _SCHEMES
        close = did_you_mean(
            name, {word: f"{place}.{word}" for place in schemes for word in keywords(place)}
        )
    advice = _listed(group) or 'any other code is written ["value", "scheme", "meaning"]'
    return f"{close} {advice}".strip()


def _listed(group: int | None) -> str:
    known = keywords(f"cid{group}") if group else ()
    return f"CID {group} has {', '.join(known)}" if 0 < len(known) <= _FEW else ""


def keywords(place: str) -> tuple[str, ...]:
    """Return the keywords of a scheme (``DCM``) or context group (``cid7001``), sorted.

    None where the place is unknown.
    """
    if not (place.isascii() and place.isidentifier()):
        return ()
    try:
        return tuple(getattr(codes, place).dir())
    except (AttributeError, KeyError, ValueError):
        return ()


def find_code(place: str, keyword: str) -> Code | None:
    """Return the code of a keyword in a scheme (``DCM``) or context group (``cid7001``).

    ``None`` where the place or the keyword is unknown.
    """
    if not (place.isascii() and place.isidentifier() and keyword.isidentifier()):
        return None
    try:
        found = getattr(getattr(codes, place), keyword)
        meaning = found.meaning.replace("\u200b", "")  # where a page of the standard may break
        return Code(found.value, found.scheme_designator, meaning)
    except (AttributeError, KeyError, RuntimeError, ValueError):
        return None


def find_member(value: str, group: int) -> Code | None:
    """Return the code of a context group that has a code value, ``None`` where none has."""
    found = (find_code(f"cid{group}", keyword) for keyword in keywords(f"cid{group}"))
    return next((code for code in found if code and code.value == value), None)


def is_member(code: Code, group: int) -> bool:
    """Return whether a code is in a context group, whatever its meaning says."""
    found = find_member(code.value, group)
    return found is not None and found.scheme == code.scheme


def read_unit(table: InputTable, key: str) -> Code:
    """Return a unit of measurement; a text such as ``mm`` is a UCUM code.

    Raises:
        TemplateError: The key is missing, is no code, or is the name of a unit and not its code.

    Cites: PS3.16 CID 82 (UCUM).
    """
    value = table.raw(key)
    if not isinstance(value, str) or not value.strip():
        return read_code(table, key)
    unit = value.strip()
    if not _UNIT.fullmatch(unit):
        hint = f"did you mean {unit.replace('µ', 'u')!r}?" if "µ" in unit else None
        raise table.error(
            key, f"{unit!r} is no UCUM code, which is ASCII without blanks", hint=hint
        )
    if unit not in _unit_meanings() and (code := _unit_codes().get(unit.casefold())):
        raise table.error(key, f"{unit!r} is the name of a unit", hint=f"its UCUM code is {code!r}")
    return Code(unit, "UCUM", _unit_meanings().get(unit, unit))


_UNIT = re.compile(r"[!-~]+")


@cache
def _unit_meanings() -> dict[str, str]:
    return {code.value: code.meaning for code in codes.UCUM.concepts.values()}


@cache
def _unit_codes() -> dict[str, str]:
    """Return UCUM codes by what people call the unit."""
    return {
        name.casefold(): code.value
        for keyword, code in codes.UCUM.concepts.items()
        for name in (keyword, f"{keyword}s", code.meaning)
    }


def read_language(table: InputTable, key: str, default: str) -> Code:
    """Return a language; a text such as ``de`` is an RFC 5646 tag.

    Raises:
        TemplateError: The tag is not one that may be written alone.

    Cites: PS3.16 TID 1204.
    """
    value = table.raw(key)
    tag = value if key in table else default
    if not isinstance(tag, str):
        return read_code(table, key)
    if tag not in LANGUAGES:
        known = f'known: {", ".join(LANGUAGES)}; others as ["tag", "RFC5646", "meaning"]'
        instead = {name: tag for tag, name in LANGUAGES.items()} | {tag: tag for tag in LANGUAGES}
        raise table.error(
            key,
            f"unknown language {str(tag)!r}",
            hint=f"{did_you_mean(tag, instead)} {known}".strip(),
        )
    return Code(str(tag), "RFC5646", LANGUAGES[tag])
