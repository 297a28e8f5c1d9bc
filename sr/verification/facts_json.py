"""Facts as JSON values, back again, and the JSON Schema of both: one walk over the same classes.

Bytes are hexadecimal, tags ``(gggg,eeee)``, times ISO 8601 with offset. Reading is strict: a key
that is missing, unknown, or of another type is an error that names its place, since a record that
was read half would be judged as if it were whole. Nobody signs a record of facts; what was changed
in it within these rules is not noticed.

Cites: ETSI EN 319 102-1 5.1.4 (diagnostic data); JSON Schema 2020-12.
"""

from __future__ import annotations

import re
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import UTC, datetime
from enum import Enum
from functools import cache
from typing import Any, TypeVar

from sr.dicomfile.tags import format_tag
from sr.errors import DatasetError

__all__ = ["as_json", "from_json", "schema_of"]

_T = TypeVar("_T")
_Hint = Any
"""A type as ``typing.get_type_hints`` gives it."""
_Value = Any
"""A JSON value."""
_CITES = "docs/facts.schema.json"
_TAG_FIELDS = frozenset({"present", "data_elements_signed"})
_TAG = re.compile(r"\(([0-9A-F]{4}),([0-9A-F]{4})\)", re.ASCII)
_HEX = re.compile(r"(?:[0-9a-f]{2})*", re.ASCII)
_SCALARS: dict[Any, dict[str, Any]] = {
    str: {"type": "string"},
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    bytes: {"type": "string", "pattern": "^([0-9a-f]{2})*$", "description": "hexadecimal"},
    datetime: {"type": "string", "format": "date-time"},
}
_TAG_SCHEMA = {"type": "string", "pattern": r"^\([0-9A-F]{4},[0-9A-F]{4}\)$"}


def as_json(value: object, *, tags: bool = False) -> _Value:
    """Return facts, or any value that they consist of, as a JSON value.

    Args:
        value: The value.
        tags: Whether numbers in it are tags.

    Cites: ETSI EN 319 102-1 5.1.4.
    """
    if isinstance(value, Enum):
        return value.value
    if value is None or isinstance(value, str | bool):
        return value
    if isinstance(value, int):
        return format_tag(value) if tags else value
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {key: as_json(inner) for key, inner in value.items()}
    if isinstance(value, tuple):
        return [as_json(inner, tags=tags) for inner in value]
    if not is_dataclass(value):
        raise TypeError(f"{type(value).__name__} is no value that facts consist of")
    return {
        each.name: as_json(getattr(value, each.name), tags=each.name in _TAG_FIELDS)
        for each in fields(value)
    }


def from_json(kind: type[_T], value: object, *, where: str) -> _T:
    """Return the value of a class that a JSON value describes.

    Raises:
        DatasetError: A key is missing or unknown, or something has another type.

    Cites: ETSI EN 319 102-1 5.1.4.
    """
    return typing.cast("_T", _read(kind, value, where, tags=False))


def schema_of(kind: type) -> dict[str, Any]:
    """Return the JSON Schema of a class, those it consists of under ``$defs``.

    Cites: JSON Schema 2020-12.
    """
    found: dict[str, Any] = {}
    return {**_schema(kind, found, tags=False), "$defs": dict(sorted(found.items()))}


def _read(hint: _Hint, value: object, where: str, *, tags: bool) -> object:
    optional, hint = _without_none(hint)
    if optional and value is None:
        return None
    origin: object = typing.get_origin(hint)
    if origin is tuple:
        (inner, _) = typing.get_args(hint)
        return tuple(
            _read(inner, each, f"{where}[{number}]", tags=tags)
            for number, each in enumerate(_expect(list, value, where))
        )
    if origin is Mapping:
        (_, inner) = typing.get_args(hint)
        members = _expect(dict, value, where).items()
        return {key: _read(inner, each, f"{where}.{key}", tags=False) for key, each in members}
    if is_dataclass(hint):
        return _read_object(hint, _expect(dict, value, where), where)
    if tags and hint is int:
        return _read_tag(value, where)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return _converted(hint, _expect(str, value, where), where)
    if hint is bytes:
        return _converted(_unhex, _expect(str, value, where), where)
    if hint is datetime:
        return _converted(_moment, _expect(str, value, where), where)
    return _expect(hint, value, where)


def _read_object(hint: _Hint, members: dict[str, object], where: str) -> object:
    hints = _hints(hint)
    required = {f.name for f in fields(hint) if f.default is f.default_factory is MISSING}
    for name in sorted(required - members.keys()):
        raise _refused(f"{where}.{name}", "is missing")
    for name in sorted(members.keys() - hints.keys()):
        raise _refused(f"{where}.{name}", "is not known")
    return hint(
        **{
            name: _read(hints[name], value, f"{where}.{name}", tags=name in _TAG_FIELDS)
            for name, value in members.items()
        }
    )


def _read_tag(value: object, where: str) -> int:
    match = _TAG.fullmatch(_expect(str, value, where))
    if match is None:
        raise _refused(where, "is no tag (gggg,eeee)")
    return int(match[1] + match[2], 16)


def _expect(kind: _Hint, value: object, where: str) -> _Value:
    if type(value) is not kind:  # a bool is no number here
        raise _refused(where, f"is a {type(value).__name__}, expected {kind.__name__}")
    return value


def _converted(convert: Callable[[str], object], text: str, where: str) -> object:
    try:
        return convert(text)
    except (ValueError, OverflowError) as error:
        raise _refused(where, f"has a value that it cannot have: {text[:64]!r}") from error


def _unhex(text: str) -> bytes:
    if _HEX.fullmatch(text) is None:
        raise ValueError(text[:64])
    return bytes.fromhex(text)


def _moment(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError(text)
    return at.astimezone(UTC)


def _refused(where: str, what: str) -> DatasetError:
    return DatasetError(f"{where} {what}", rule="FACTS_FORMAT", where=where, cites=_CITES)


def _schema(hint: _Hint, found: dict[str, Any], *, tags: bool) -> dict[str, Any]:
    optional, hint = _without_none(hint)
    if optional:
        return {"anyOf": [_schema(hint, found, tags=tags), {"type": "null"}]}
    origin: object = typing.get_origin(hint)
    if origin is tuple:
        (inner, _) = typing.get_args(hint)
        return {"type": "array", "items": _schema(inner, found, tags=tags)}
    if origin is Mapping:
        (_, inner) = typing.get_args(hint)
        return {"type": "object", "additionalProperties": _schema(inner, found, tags=False)}
    if is_dataclass(hint):
        name = typing.cast("type", hint).__name__
        if name not in found:
            found[name] = {}
            found[name] = _object_schema(hint, found)
        return {"$ref": f"#/$defs/{name}"}
    if tags and hint is int:
        return _TAG_SCHEMA
    if isinstance(hint, type) and issubclass(hint, Enum):
        return {"enum": [member.value for member in hint]}
    return _SCALARS[hint]


def _object_schema(hint: _Hint, found: dict[str, Any]) -> dict[str, Any]:
    hints = _hints(hint)
    return {
        "type": "object",
        "properties": {
            name: _schema(inner, found, tags=name in _TAG_FIELDS) for name, inner in hints.items()
        },
        "required": [f.name for f in fields(hint) if f.default is f.default_factory is MISSING],
        "additionalProperties": False,
    }


@cache
def _hints(kind: _Hint) -> dict[str, _Hint]:
    return {f.name: typing.get_type_hints(kind)[f.name] for f in fields(kind)}


def _without_none(hint: _Hint) -> tuple[bool, _Hint]:
    origin: object = typing.get_origin(hint)
    if origin not in (typing.Union, types.UnionType):
        return False, hint
    (inner,) = (each for each in typing.get_args(hint) if each is not type(None))
    return True, inner
