"""Strict reading of report input: every key is asked for once, every other key is an error.

TOML, JSON and YAML give the same tables. Numbers with a fraction keep their digits: a measured
12.50 must not become 12.5. Messages name the key path, e.g. ``section[2].item[1].unit``.

Cites: nothing of DICOM; this is our own file format.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from enum import StrEnum
from typing import TypeVar

from sr.document.input_yaml import Unquoted, read_yaml
from sr.document.spelling import did_you_mean
from sr.errors import TemplateError

__all__ = ["InputFormat", "InputTable", "read_input"]

_Value = TypeVar("_Value")
_Term = TypeVar("_Term", bound=StrEnum)

_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([Ee][+-]?[0-9]+)?")
_WHOLE = re.compile(r"[+-]?[0-9]{1,18}")


class InputFormat(StrEnum):
    """The notations a report may be written in."""

    TOML = "toml"
    JSON = "json"
    YAML = "yaml"


class InputTable:
    """One table of the input, which remembers what has been asked for.

    Attributes:
        path: Key path of the table, empty for the outermost one.
    """

    def __init__(self, values: Mapping[str, object], path: str = "") -> None:
        self.path = path
        self._values = values
        self._asked: set[str] = set()
        self._inner: list[InputTable] = []

    def __contains__(self, key: str) -> bool:
        return key in self._values

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys that are there, known or not."""
        return tuple(self._values)

    def at(self, key: str) -> str:
        """Return the path of a key in this table."""
        return f"{self.path}.{key}" if self.path else key

    def error(self, key: str, message: str, *, hint: str | None = None) -> TemplateError:
        """Return (not raise) the error that blames a key."""
        where = self.at(key) if key else self.path
        return TemplateError(f"{where or 'the report'}: {message}", where=where or None, hint=hint)

    def raw(self, key: str) -> object:
        """Return the value of a key as it stands, ``None`` where there is none."""
        self._asked.add(key)
        return self._values.get(key)

    def text(self, key: str, default: str | None = None) -> str:
        """Return a text; without default it must be there and not blank."""
        value = self._typed(key, str, default)
        if default is None and not value.strip():
            raise self.error(key, "must not be empty")
        return value

    def flag(self, key: str, *, default: bool) -> bool:
        """Return true or false."""
        return self._typed(key, bool, default)

    def term(self, key: str, terms: Mapping[str, _Term], default: _Term) -> _Term:
        """Return one of the terms by name."""
        if key not in self:
            self._asked.add(key)
            return default
        return terms[self.one_of(key, self._typed(key, str, None), terms)]

    def one_of(self, key: str, word: str, known: Iterable[str]) -> str:
        """Return a word if it is one of those known."""
        known = tuple(known)
        if word not in known:
            raise self.error(
                key,
                f"must be one of {', '.join(known)}, not {word!r}",
                hint=did_you_mean(word, known) or None,
            )
        return word

    def number(self, key: str) -> str:
        """Return a number as decimal text, digit by digit as it was written."""
        text = str(self._typed(key, object, None)).strip()
        if not _NUMBER.fullmatch(text):
            raise self.error(key, f"must be a number, not {text!r}")
        return text

    def integers(self, key: str) -> tuple[int, ...]:
        """Return an array of whole numbers, empty where there is none."""
        values = [_whole(value) for value in self._typed(key, list, [])]
        if None in values:
            raise self.error(key, "must be an array of whole numbers")
        return tuple(value for value in values if value is not None)

    def points(self, key: str) -> tuple[tuple[str, ...], ...]:
        """Return an array of arrays of numbers, not empty, each number as it was written."""
        rows = self._typed(key, list, None)
        if not rows or not all(isinstance(row, list) for row in rows):
            raise self.error(key, "must be an array of points")
        points = [
            self.adopt(
                {str(n): value for n, value in enumerate(row, start=1)}, f"{self.at(key)}[{i}]"
            )
            for i, row in enumerate(rows, start=1)
        ]
        return tuple(tuple(point.number(n) for n in point.keys) for point in points)

    def texts(self, key: str) -> tuple[str, ...]:
        """Return an array of texts, empty where there is none."""
        values = self._typed(key, list, [])
        if not all(isinstance(v, str) and v.strip() for v in values):
            raise self.error(key, "must be an array of texts")
        return tuple(str(value) for value in values)

    def table(self, key: str) -> InputTable | None:
        """Return an inner table, ``None`` where there is none."""
        if key not in self:
            self._asked.add(key)
            return None
        return self.adopt(self._typed(key, dict, None), self.at(key))

    def tables(self, key: str) -> tuple[InputTable, ...]:
        """Return an array of tables, empty where there is none."""
        rows = self._typed(key, list, [])
        if not all(isinstance(row, dict) for row in rows):
            raise self.error(key, "must be an array of tables")
        return tuple(self.adopt(r, f"{self.at(key)}[{n}]") for n, r in enumerate(rows, start=1))

    def adopt(self, values: Mapping[str, object], path: str) -> InputTable:
        """Return a table for values found inside this one; `done` answers for it as well."""
        inner = InputTable(values, path)
        self._inner.append(inner)
        return inner

    def done(self) -> None:
        """Refuse keys nobody asked for, in this table and in those inside.

        Raises:
            TemplateError: A key is unknown.
        """
        for key in self._values:
            if key not in self._asked:
                known = sorted(self._asked)
                hint = f"{did_you_mean(key, known)} known here: {', '.join(known)}".strip()
                raise self.error(key, "unknown key", hint=hint)
        for inner in self._inner:
            inner.done()

    def _typed(self, key: str, kind: type[_Value], default: _Value | None) -> _Value:
        self._asked.add(key)
        value = self._values.get(key, default)
        if isinstance(value, Unquoted) and kind in _UNQUOTED:
            value = _UNQUOTED[kind](value)
        if value is None or not isinstance(value, kind):
            raise self.error(key, "is missing" if value is None else f"must be {_NAMES[kind]}")
        return value


def _whole(value: object) -> int | None:
    """Return a whole number, ``None`` for anything else."""
    if isinstance(value, Unquoted) and _WHOLE.fullmatch(value):
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


_UNQUOTED: dict[type, Callable[[str], object]] = {
    str: str,
    bool: lambda text: {"true": True, "false": False}.get(text, text),
}
"""What an unquoted value of YAML is where such a type is asked for."""


_NAMES: dict[type, str] = {
    str: "text",
    bool: "true or false",
    list: "an array",
    dict: "a table",
}


def read_input(text: str, notation: InputFormat, *, name: str = "the report") -> InputTable:
    """Return the outermost table of a report input.

    Args:
        text: The file's content.
        notation: How it is written.
        name: The file's name, for messages.

    Raises:
        TemplateError: The text does not have that notation, or repeats a key.
    """
    try:
        values = _READERS[notation](text)
    except (ValueError, ArithmeticError, RecursionError) as exc:
        raise TemplateError(f"{name} is not {notation.name}: {exc}") from exc
    if not isinstance(values, dict):
        raise TemplateError(f"{name} must be a table of keys")
    return InputTable(values)


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    values = dict(pairs)
    if len(values) < len(pairs):
        raise ValueError("a key is given twice in one object")
    return values


def _json(text: str) -> object:
    result: object = json.loads(text, parse_float=Decimal, object_pairs_hook=_unique)
    return result


_READERS: dict[InputFormat, Callable[[str], object]] = {
    InputFormat.TOML: lambda text: tomllib.loads(text, parse_float=Decimal),
    InputFormat.JSON: _json,
    InputFormat.YAML: read_yaml,
}
