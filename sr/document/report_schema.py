"""The format of a report file as JSON Schema, for editors and for programs that write reports.

It is made of the same declarations that the reader goes by. What it refuses the reader refuses as
well; the reader knows more: which keywords there are, which instances, what a SOP class allows.

Cites: nothing of DICOM; JSON Schema 2020-12.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from typing import Any

from sr.document.coding import LANGUAGES, keywords
from sr.document.declaration import Form, Key, Kind
from sr.document.declared import NAME_GROUPS
from sr.document.measurement_format import IMAGE
from sr.document.report_format import REPORT
from sr.document.report_input import ALL_INSTANCES, OF_STUDY
from sr.document.values import value_limits

__all__ = ["report_schema"]

_Schema = dict[str, Any]

_NOT_BLANK = r"\S"
_TRIPLE: _Schema = {
    "description": "value, scheme designator, meaning",
    "type": "array",
    "prefixItems": [{"type": "string", "pattern": _NOT_BLANK}] * 3,
    "minItems": 3,
    "maxItems": 3,
}
_KEYWORD: _Schema = {
    "description": "a keyword of DCM, SCT or LN, or with its scheme: SCT.Lung",
    "type": "string",
    "pattern": _NOT_BLANK,
}
_DIGITS: _Schema = {
    "type": "string",
    "pattern": rf"^\s*{value_limits('DS')[1].removeprefix('^(').removesuffix(')? *$')}\s*$",
}
_GROUPS: _Schema = {
    "type": "object",
    "properties": {group: {"type": "string"} for group in NAME_GROUPS},
    "additionalProperties": False,
    "minProperties": 1,
}


def report_schema() -> _Schema:
    """Return the JSON Schema of a report file."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "srsign report",
        **_object(REPORT),
        "$defs": {
            "any-code": {"anyOf": [_KEYWORD, _TRIPLE]},
            **{f"cid{group}": _group(group) for group in _groups(REPORT)},
            **{_defined(form): _object(form) for form in _forms(REPORT)},
        },
    }


def _defined(form: Form) -> str:
    return form.schema_name or form.name


def _object(form: Form) -> _Schema:
    schema: _Schema = {
        "description": form.about,
        "type": "object",
        "properties": {key.name: _property(key) for key in form.keys},
        "required": [key.name for key in form.keys if key.required],
        "additionalProperties": False,
    }
    if form.together:
        schema["dependentRequired"] = {first: [second] for first, second in form.together}
    if form.apart:
        schema["not"] = {"required": list(form.apart)}
    if form.one_of:
        schema["oneOf"] = [{"required": [name]} for name in form.one_of]
    if form.some_of:
        schema["anyOf"] = [{"required": [name]} for name in form.some_of]
    return schema


def _property(key: Key) -> _Schema:
    schema = {"description": key.about, **_KINDS[key.kind](key)}
    if key.example:
        schema["examples"] = [tomllib.loads(f"x = {key.example}")["x"]]
    return schema


def _text(key: Key) -> _Schema:
    schema: _Schema = {"type": "string"}
    maximum, pattern = value_limits(key.vr) if key.vr else (0, "")
    if maximum:
        schema["maxLength"] = maximum
    if pattern or key.required:
        schema["pattern"] = pattern or _NOT_BLANK
    return schema


def _term(key: Key) -> _Schema:
    return {"enum": list(key.terms), **({"default": key.default} if key.default else {})}


def _number(key: Key) -> _Schema:
    maximum, _ = value_limits(key.vr)
    return {"anyOf": [{"type": "number"}, _DIGITS | {"maxLength": maximum}]}


def _points(_: Key) -> _Schema:
    point = {"type": "array", "items": {"anyOf": [{"type": "number"}, _DIGITS]}}
    return {"type": "array", "items": point, "minItems": 1}


def _of_study(key: Key) -> _Schema:
    return {"anyOf": [{"const": OF_STUDY}, _text(key)]}


def _code(key: Key) -> _Schema:
    return {"$ref": f"#/$defs/cid{key.group}" if key.group else "#/$defs/any-code"}


def _language(key: Key) -> _Schema:
    return {"anyOf": [{"enum": list(LANGUAGES)}, _TRIPLE], "default": key.default}


def _citations(_: Key) -> _Schema:
    name = {"type": "string", "pattern": _NOT_BLANK}
    one = {"anyOf": [name, {"$ref": f"#/$defs/{_defined(IMAGE)}"}]}
    return {"anyOf": [{"const": ALL_INSTANCES}, {"type": "array", "items": one}]}


def _tables(key: Key) -> _Schema:
    refs = [{"$ref": f"#/$defs/{_defined(form)}"} for form in key.forms]
    schema: _Schema = {"type": "array", "items": refs[0] if len(refs) == 1 else {"oneOf": refs}}
    return schema | ({"minItems": 1} if key.filled else {})


_KINDS: dict[Kind, Callable[[Key], _Schema]] = {
    Kind.TEXT: _text,
    Kind.PERSON_NAME: lambda _: {
        "anyOf": [{"type": "string", "pattern": _NOT_BLANK}, _GROUPS],
    },
    Kind.FLAG: lambda _: {"type": "boolean", "default": False},
    Kind.TERM: _term,
    Kind.NUMBER: _number,
    Kind.WHOLE_NUMBERS: lambda _: {"type": "array", "items": {"type": "integer"}},
    Kind.CODE: _code,
    Kind.UNIT: lambda _: {"anyOf": [{"type": "string", "pattern": r"^\s*[!-~]+\s*$"}, _TRIPLE]},
    Kind.LANGUAGE: _language,
    Kind.CITATIONS: _citations,
    Kind.POINTS: _points,
    Kind.OF_STUDY: _of_study,
    Kind.TABLE: lambda key: {"$ref": f"#/$defs/{_defined(key.forms[0])}"},
    Kind.TABLES: _tables,
}


def _forms(form: Form) -> tuple[Form, ...]:
    """Return the forms inside a form, in the order of their first use."""
    found: dict[str, Form] = {}
    for key in form.keys:
        for inner in key.forms:
            found[_defined(inner)] = inner
            found |= {_defined(deeper): deeper for deeper in _forms(inner)}
    return tuple(found.values())


def _groups(form: Form) -> tuple[int, ...]:
    keys = [key for inner in (form, *_forms(form)) for key in inner.keys]
    return tuple(sorted({key.group for key in keys if key.group}))


def _group(group: int) -> _Schema:
    enum = {"description": f"keywords of CID {group}", "enum": list(keywords(f"cid{group}"))}
    return {"anyOf": [enum, {"$ref": "#/$defs/any-code"}]}
