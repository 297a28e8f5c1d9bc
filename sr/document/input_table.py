"""Strict reading of report input: every key is asked for once, every other key is an error.

TOML and JSON give the same tables. Numbers with a fraction keep their digits: a measured 12.50 must
not become 12.5. Messages name the key path, e.g. ``section[2].item[1].unit``.

Cites: nothing of DICOM; this is our own file format.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import TypeVar

from sr.errors import TemplateError

__all__ = ["InputFormat", "InputTable", "read_input"]

_Value = TypeVar("_Value")
_Term = TypeVar("_Term", bound=StrEnum)


class InputFormat(StrEnum):
    """The notations a report may be written in."""

    TOML = "toml"
    JSON = "json"


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
        name = self._typed(key, str, "") if key in self else ""
        if not name:
            return default
        if name not in terms:
            raise self.error(key, f"must be one of {', '.join(terms)}, not {name!r}")
        return terms[name]

    def number(self, key: str) -> str:
        """Return a number as decimal text, digit by digit as it was written."""
        value = self.raw(key)
        if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
            raise self.error(key, "must be a number")
        text = str(value).strip()
        try:
            finite = Decimal(text).is_finite()
        except InvalidOperation:
            finite = False
        if not finite:
            raise self.error(key, f"must be a number, not {text!r}")
        return text

    def integers(self, key: str) -> tuple[int, ...]:
        """Return an array of whole numbers, empty where there is none."""
        values = self._typed(key, list, [])
        if not all(isinstance(v, int) and not isinstance(v, bool) for v in values):
            raise self.error(key, "must be an array of whole numbers")
        return tuple(values)

    def texts(self, key: str) -> tuple[str, ...]:
        """Return an array of texts, empty where there is none."""
        values = self._typed(key, list, [])
        if not all(isinstance(v, str) and v.strip() for v in values):
            raise self.error(key, "must be an array of texts")
        return tuple(values)

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
                known = ", ".join(sorted(self._asked))
                raise self.error(key, "unknown key", hint=f"known here: {known}")
        for inner in self._inner:
            inner.done()

    def _typed(self, key: str, kind: type[_Value], default: _Value | None) -> _Value:
        self._asked.add(key)
        value = self._values.get(key, default)
        if value is None:
            raise self.error(key, "is missing")
        if not isinstance(value, kind):
            raise self.error(key, f"must be {_NAMES[kind]}")
        return value


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
    except (ValueError, InvalidOperation, RecursionError) as exc:
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
}
