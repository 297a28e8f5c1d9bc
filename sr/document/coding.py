"""Codes as people write them: a triple, or the keyword pydicom's dictionaries know it by.

A keyword is looked up in the context group the template names first, so that ``Findings`` as a
heading is the current LOINC code and not the retired DICOM one of the same name.

Cites: PS3.16 Annex B, D; CID 7000, 7001, 7002, 7003.
"""

from __future__ import annotations

from pydicom.sr.codedict import codes

from sr.codes import Code
from sr.document.input_table import InputTable

__all__ = ["find_code", "optional_code", "read_code", "read_language", "read_unit"]

_SCHEMES = ("DCM", "SCT", "LN")

_LANGUAGES = {
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
            return Code(*parts)
    raise table.error(
        key,
        "is missing" if value is None else "must be a code",
        hint='write ["value", "scheme", "meaning"] or a keyword such as "SCT.Lung"',
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
        return found[0]
    if found:
        choices = ", ".join(f"{code.scheme}.{name}" for code in found)
        raise table.error(key, f"the keyword {name!r} is ambiguous", hint=f"write {choices}")
    raise table.error(
        key,
        f"no code has the keyword {keyword!r}",
        hint='write ["value", "scheme", "meaning"] instead',
    )


def find_code(place: str, keyword: str) -> Code | None:
    """Return the code of a keyword in a scheme (``DCM``) or context group (``cid7001``).

    ``None`` where the place or the keyword is unknown.
    """
    if not (place.isascii() and place.isidentifier() and keyword.isidentifier()):
        return None
    try:
        found = getattr(getattr(codes, place), keyword)
        return Code(found.value, found.scheme_designator, found.meaning)
    except (AttributeError, KeyError, RuntimeError, ValueError):
        return None


def read_unit(table: InputTable, key: str) -> Code:
    """Return a unit of measurement; a text such as ``mm`` is a UCUM code.

    Raises:
        TemplateError: The key is missing or is no code.

    Cites: PS3.16 CID 82 (UCUM).
    """
    value = table.raw(key)
    if isinstance(value, str) and value.strip():
        return Code(value.strip(), "UCUM", _UNIT_MEANINGS.get(value.strip(), value.strip()))
    return read_code(table, key)


_UNIT_MEANINGS = {"1": "no units", "%": "Percent", "{ratio}": "ratio"}


def read_language(table: InputTable, key: str, default: str) -> Code:
    """Return a language; a text such as ``de`` is an RFC 5646 tag.

    Raises:
        TemplateError: The tag is not one that may be written alone.

    Cites: PS3.16 TID 1204.
    """
    value = table.raw(key)
    tag = default if value is None else value
    if not isinstance(tag, str):
        return read_code(table, key)
    if tag not in _LANGUAGES:
        raise table.error(
            key,
            f"unknown language {tag!r}",
            hint=f'known: {", ".join(_LANGUAGES)}; others as ["tag", "RFC5646", "meaning"]',
        )
    return Code(tag, "RFC5646", _LANGUAGES[tag])
