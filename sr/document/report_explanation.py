"""The format of a report file in words: what ``srsign create --explain`` prints.

Keys, kinds and terms come from the same declarations that the reader goes by. Only the prose about
codes, names and instances, and the example, are written here.

Cites: PS3.16 TID 2000; CID 42, 7000, 7001, 7002, 7003.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from sr.document.coding import keywords
from sr.document.declaration import Form, Key, Kind
from sr.document.report_format import REPORT

__all__ = ["EXAMPLE", "explain_report"]

EXAMPLE = """\
class = "comprehensive"
title = "CTChestReport"
language = "en"
procedure = ["24627-2", "LN", "CT Chest"]

[observer]
name = "Meier^Anna"
organization = "Klinikum Musterstadt"

[[request]]
accession_number = "A-2026-0815"

[[section]]
heading = "Findings"

[[section.item]]
text = "Solid nodule in the left upper lobe."
images = ["003.dcm"]

[[section.item.measurement]]
concept = "SCT.Diameter"
value = 20.0
unit = "mm"

[[section]]
heading = "Impressions"

[[section.item]]
text = "Nodule, most likely granuloma."
"""
"""A whole report in TOML."""

_FIRST = "A report file is TOML, JSON or YAML in UTF-8 with these keys; * must be there."
_NOTES = {
    "Codes": """A code is ["value", "scheme", "meaning"], a keyword of the context group (CID) that
        the place asks for, or a keyword of a scheme with its name: SCT.Lung, DCM.Finding. A bare
        keyword that only one of DCM, SCT and LN has will do as well. A unit is a UCUM code such as
        mm, a language a tag such as de.""",
    "Person names": """Family^Given^Middle^Prefix^Suffix. Further groups follow after '=',
        ideographic then phonetic, or as a table: { alphabetic = …, ideographic = …,
        phonetic = … }.""",
    "Instances": """A file name of the evidence, a SOP Instance UID, or { image = …, frames = [1],
        purpose = … }, in an array; "all" instead of the array is every instance.""",
    "YAML": """Nothing changes its type by itself: what is not quoted is text where text is asked
        for. Anchors, aliases and tags are refused, as repeated keys are in every notation.""",
}

_INDENT = 34


def explain_report(width: int = 100) -> Iterator[str]:
    """Yield the lines of the explanation, at most as wide as said where words allow it."""
    yield from _wrapped(_FIRST, "", width)
    yield from _form(REPORT, "", width, set())
    for title, text in _NOTES.items():
        yield from ("", title)
        yield from _wrapped(" ".join(text.split()), "  ", width)
    for group, place in _groups():
        yield from ("", f"CID {group}, for {place}")
        yield from _wrapped(", ".join(keywords(f"cid{group}")), "  ", width)
    yield from ("", "Example, TOML")
    for line in EXAMPLE.splitlines():
        yield f"  {line}".rstrip()


def _form(form: Form, path: str, width: int, told: set[str]) -> Iterator[str]:
    """Yield the keys of a table, then the tables inside, each the first time it comes."""
    for key in form.keys:
        if not key.forms:
            yield from _key(key, width)
    for key in (key for key in form.keys if key.forms):
        here = f"{path}.{key.name}".lstrip(".")
        if key.name in told:
            yield from ("", f"{_header(key, here)}  as above")
            continue
        told.add(key.name)
        several = len(key.forms) > 1
        for inner in key.forms:
            what = f"{inner.about}, told by {inner.name}" if several else key.about
            mark = " *" if key.required and not several else ""
            yield from ("", f"{_header(key, here)}{mark}  {what}")
            yield from _form(inner, here, width, told)


def _header(key: Key, path: str) -> str:
    return f"[{path}]" if key.kind is Kind.TABLE else f"[[{path}]]"


def _key(key: Key, width: int) -> Iterator[str]:
    name = f"  {key.name}{' *' if key.required else ''}"
    text = f"{key.about}: {_kind(key)}"
    lines = textwrap.wrap(text, max(width - _INDENT, 20))
    yield f"{name:<{_INDENT}}{lines[0]}"
    for line in lines[1:]:
        yield f"{'':<{_INDENT}}{line}"


def _kind(key: Key) -> str:
    words = key.kind.value
    if key.terms:
        words = " | ".join(key.terms)
    if key.group:
        words = f"{words} of CID {key.group} or any other"
    if key.default:
        words = f"{words}; {key.default} where absent"
    return f"{words}; e.g. {key.example}" if key.example else words


def _wrapped(text: str, indent: str, width: int) -> Iterator[str]:
    yield from textwrap.wrap(text, width, initial_indent=indent, subsequent_indent=indent)


def _groups() -> tuple[tuple[int, str], ...]:
    """Return the context groups that keys ask for, each with the first such key."""
    found: dict[int, str] = {}
    pending = [REPORT]
    while pending:
        form = pending.pop()
        for key in form.keys:
            if key.group:
                found.setdefault(key.group, key.name)
            pending.extend(key.forms)
    return tuple(sorted(found.items()))
