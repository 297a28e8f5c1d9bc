"""Strict reading of rule files: TOML text in, typed values out, nothing silently ignored.

Signature profiles and trust policies are data (``profiles/``). Both loaders read them through
:class:`RuleTable`, so that both keep the same promises:

* a key that nobody asked for is an error, so a misspelt rule cannot be a rule that is not there;
* every table states the clause it comes from (``cites``), or it does not load;
* a file that ``extends`` another may add tables and rows and change keys; a table in which it
  changes a key cites anew.

Nothing here reads a file: texts come in as arguments.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from datetime import date, datetime
from enum import StrEnum
from typing import TypeVar

from sr.errors import ProfileFormatError

__all__ = ["RuleTable", "read_rules"]

_OWN_KEYS = frozenset({"id", "title", "extends", "edition"})
_Value = TypeVar("_Value")
_Term = TypeVar("_Term", bound=StrEnum)


class RuleTable:
    """One table of a rule file, which remembers what has been read from it.

    A method called without ``default`` requires the key. Call :meth:`done` on the outermost table
    when everything has been read; it answers for the tables inside as well.

    Attributes:
        where: File name and table path for messages, e.g. ``standard.toml [certificate]``.
    """

    def __init__(self, values: Mapping[str, object], where: str) -> None:
        self.where = where
        self._values = values
        self._read: set[str] = set()
        self._inner: list[RuleTable] = []

    def __contains__(self, key: str) -> bool:
        return key in self._values

    @property
    def cites(self) -> str:
        """The clause this table comes from.

        Raises:
            ProfileFormatError: The table has no citation.
        """
        cites = self.text("cites")
        if not cites.strip():
            raise self.error("'cites' is empty; every rule names the clause it comes from")
        return cites

    def error(self, message: str) -> ProfileFormatError:
        """Return (not raise) the error that blames this table."""
        return ProfileFormatError(f"{self.where}: {message}")

    def text(self, key: str, default: str | None = None) -> str:
        """Return a text."""
        return self._get(key, str, default)

    def texts(self, key: str, default: tuple[str, ...] | None = None) -> tuple[str, ...]:
        """Return an array of different texts."""
        values = self._get(key, list, None if default is None else list(default))
        if not all(isinstance(value, str) for value in values) or len(set(values)) < len(values):
            raise self.error(f"{key!r} must be an array of different texts")
        return tuple(values)

    def flag(self, key: str, default: bool | None = None) -> bool:  # noqa: FBT001 - a value
        """Return true or false."""
        return self._get(key, bool, default)

    def integer(self, key: str, default: int | None = None) -> int:
        """Return a whole number."""
        return self._get(key, int, default)

    def day(self, key: str, default: date | None = None) -> date:
        """Return a date without time."""
        return self._get(key, date, default)

    def term(self, key: str, kind: type[_Term], default: _Term | None = None) -> _Term:
        """Return one of the defined terms of ``kind``."""
        text = self._get(key, str, None if default is None else str(default))
        try:
            return kind(text)
        except ValueError:
            known = ", ".join(kind)
            raise self.error(f"{key!r} must be one of {known}, not {text!r}") from None

    def mapping(self, key: str, default: Mapping[str, str] | None = None) -> dict[str, str]:
        """Return a table whose keys are data, not rules, such as attribute = value."""
        values = self._get(key, dict, None if default is None else dict(default))
        if not all(isinstance(value, str) for value in values.values()):
            raise self.error(f"{key!r} must be a table of texts")
        return values

    def table(self, key: str) -> RuleTable:
        """Return the table ``key``; empty, and in need of nothing, where the file has none."""
        if key not in self._values:
            return RuleTable({}, f"{self.where} [{key}]")
        return self._adopt(self._get(key, dict, None), key)

    def tables(self, key: str) -> tuple[RuleTable, ...]:
        """Return the array of tables ``key``; empty where the file has none."""
        rows = self._get(key, list, [])
        if not all(isinstance(row, dict) for row in rows):
            raise self.error(f"{key!r} must be an array of tables")
        return tuple(self._adopt(row, f"{key}[{n}]") for n, row in enumerate(rows, start=1))

    def done(self) -> None:
        """Check that this table and those inside cite something and hold nothing unread.

        Raises:
            ProfileFormatError: A key is unknown or a citation is missing.
        """
        _ = self.cites
        unknown = sorted(self._values.keys() - self._read)
        if unknown:
            raise self.error(f"unknown key {', '.join(map(repr, unknown))}")
        for inner in self._inner:
            inner.done()

    def _adopt(self, values: Mapping[str, object], name: str) -> RuleTable:
        inner = RuleTable(values, f"{self.where} [{name}]")
        self._inner.append(inner)
        return inner

    def _get(self, key: str, kind: type[_Value], default: _Value | None) -> _Value:
        self._read.add(key)
        value = self._values.get(key, default)
        if value is None:
            raise self.error(f"{key!r} is missing")
        wrong_cousin = (kind is int and isinstance(value, bool)) or isinstance(value, datetime)
        if not isinstance(value, kind) or wrong_cousin:
            raise self.error(f"{key!r} must be {kind.__name__}, not {type(value).__name__}")
        return value


def read_rules(text: str, name: str, find: Callable[[str], str]) -> RuleTable:
    """Return the rules in a TOML text, on top of those of the file it extends.

    Tables are merged key by key. An array of tables is added to the one it extends, later rows
    last; any other value replaces. ``id``, ``title`` and ``edition`` are never inherited.

    Args:
        text: The file's content.
        name: The file's name, for messages.
        find: Returns the text of the file with an id; raises ``UnknownProfileError``.

    Raises:
        ProfileFormatError: Not TOML, extends itself, or changes a table without citing anew.
        UnknownProfileError: ``find`` does not know what it extends.
    """
    rules = _parse(text, name)
    seen = {rules.get("id")}
    parent_id = rules.get("extends")
    while isinstance(parent_id, str):
        if parent_id in seen:
            raise ProfileFormatError(f"{name}: extends itself by way of {parent_id!r}")
        seen.add(parent_id)
        parent = _parse(find(parent_id), f"{parent_id}.toml")
        inherited = {key: value for key, value in parent.items() if key not in _OWN_KEYS}
        rules = _inherit(rules, inherited, name)
        parent_id = parent.get("extends")
    return RuleTable(rules, name)


def _parse(text: str, name: str) -> dict[str, object]:
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as exc:
        raise ProfileFormatError(f"{name}: not TOML: {exc}") from exc


def _inherit(
    child: Mapping[str, object], parent: Mapping[str, object], where: str
) -> dict[str, object]:
    merged = {**parent, **child}
    for key in child.keys() & parent.keys():
        mine, theirs = child[key], parent[key]
        if isinstance(mine, dict) and isinstance(theirs, dict) and "cites" in theirs:
            if "cites" not in mine and not all(map(_is_rows, mine.values())):
                raise ProfileFormatError(f"{where} [{key}]: 'cites' is missing")
            merged[key] = _inherit(mine, theirs, f"{where} [{key}]")
        elif _is_rows(mine) and _is_rows(theirs):
            merged[key] = [*theirs, *mine]  # type: ignore[misc]
    return merged


def _is_rows(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(row, dict) for row in value)
