"""Values out of a table, each read as its declaration says.

One level at a time: tables inside come back as tables, because what becomes of them is for the
caller to say. Every key of the declaration is asked for, so that `InputTable.done` refuses others.

Cites: PS3.16 TID 2000, TID 2002.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Any

from sr.document.coding import optional_code, read_code, read_language, read_unit
from sr.document.declaration import Form, Key, Kind
from sr.document.input_table import InputTable
from sr.document.measurement_format import IMAGE
from sr.document.report_input import ALL_INSTANCES, OF_STUDY, ImageInput
from sr.document.spelling import did_you_mean
from sr.document.values import checked
from sr.errors import TemplateError

__all__ = ["form_of", "read_citation", "read_declared", "require_one"]


def read_declared(form: Form, table: InputTable) -> dict[str, Any]:
    """Return the values of a table by key; an absent text is empty, other absent values ``None``.

    Raises:
        TemplateError: With the key path of a value that is missing or of another kind.
    """
    values = {key.name: _READERS[key.kind](table, key) for key in form.keys}
    for first, second in form.together:
        if first in table and second not in table:
            raise table.error(second, f"is missing; {first} needs it")
    for second in [name for name in form.apart if name in table][1:]:
        raise table.error(second, f"there is at most one of {', '.join(form.apart)}")
    if form.some_of and not any(name in table for name in form.some_of):
        raise table.error("", f"needs {' or '.join(form.some_of)}")
    return values


def require_one(form: Form, table: InputTable) -> None:
    """Refuse a table that has none, or several, of the keys of which one is given.

    Raises:
        TemplateError: With the key path of the last of them.
    """
    given = [name for name in form.one_of if name in table]
    if len(given) != 1:
        raise table.error(
            given[-1] if given else form.one_of[0],
            f"excludes {given[0]}" if given else "is missing",
            hint=f"there is exactly one of {', '.join(form.one_of)}",
        )


def form_of(key: Key, table: InputTable) -> Form:
    """Return which of the forms a table has that stands in an array.

    Raises:
        TemplateError: It has the first key of none of them, or of several.
    """
    forms = [form for form in key.forms if form.name in table]
    if len(forms) != 1:
        known = [form.name for form in key.forms]
        hints = [] if forms else [did_you_mean(name, known) for name in table.keys]
        raise table.error(
            "",
            f"an {key.name} needs exactly one of {', '.join(known)}",
            hint=next(filter(None, hints), None),
        )
    return forms[0]


def read_citation(table: InputTable) -> ImageInput:
    """Return the citation that a table is.

    Raises:
        TemplateError: With the key path of what is wrong.
    """
    values = read_declared(IMAGE, table)
    return ImageInput(
        instance=values["image"],
        frames=values["frames"],
        purpose=values["purpose"],
        path=table.path,
    )


def _text(table: InputTable, key: Key) -> str:
    text = table.text(key.name, None if key.required else "")
    return checked(key.vr, text, table.at(key.name), error=TemplateError) if key.vr else text


def _person_name(table: InputTable, key: Key) -> str:
    """Return a name written as one text, or as a table of its three groups."""
    if not key.required and key.name not in table:
        table.raw(key.name)
        return ""
    if isinstance(table.raw(key.name), dict):
        groups = table.table(key.name) or table
        parts = [groups.text(group, "") for group in NAME_GROUPS]
        name = "=".join(parts)  # a group with a '=' makes too many groups
    else:
        name = table.text(key.name)
    name = checked("PN", name, table.at(key.name), error=TemplateError)
    if not name:
        raise table.error(key.name, "must not be empty")
    return name


NAME_GROUPS = ("alphabetic", "ideographic", "phonetic")
"""Component groups of a person name, in their order; cites PS3.5 6.2.1.1."""


def _number(table: InputTable, key: Key) -> str:
    return checked(key.vr, table.number(key.name), table.at(key.name), error=TemplateError)


def _code(table: InputTable, key: Key) -> object:
    read = read_code if key.required else optional_code
    return read(table, key.name, group=key.group)


def _citations(table: InputTable, key: Key) -> tuple[ImageInput, ...]:
    """Return ``"all"``, or the names and tables in an array."""
    value, at = table.raw(key.name), table.at(key.name)
    if value == ALL_INSTANCES:
        return (ImageInput(instance=ALL_INSTANCES, path=at),)
    if value is None and key.name not in table:
        return ()
    if not isinstance(value, list):
        raise table.error(key.name, f"must be an array or {ALL_INSTANCES!r}")
    return tuple(_cited(table, entry, f"{at}[{n}]") for n, entry in enumerate(value, start=1))


def _cited(table: InputTable, entry: object, path: str) -> ImageInput:
    if isinstance(entry, str) and entry.strip():
        return ImageInput(instance=str(entry), path=path)
    if isinstance(entry, dict):
        return read_citation(table.adopt(entry, path))
    raise TemplateError(f"{path}: must name an instance", where=path)


def _term(table: InputTable, key: Key) -> StrEnum:
    if key.required and key.name not in table:
        raise table.error(key.name, "is missing", hint=f"one of {', '.join(key.terms)}")
    return table.term(
        key.name, key.terms, key.terms.get(key.default, next(iter(key.terms.values())))
    )


def _points(table: InputTable, key: Key) -> tuple[tuple[float, ...], ...]:
    """Return coordinates; how many a point has is for the region to say."""
    return tuple(tuple(map(float, point)) for point in table.points(key.name))


def _of_study(table: InputTable, key: Key) -> str:
    """Return a value, or the word that stands for that of the study."""
    text = table.text(key.name)
    return (
        text if text == OF_STUDY else checked(key.vr, text, table.at(key.name), error=TemplateError)
    )


def _tables(table: InputTable, key: Key) -> tuple[InputTable, ...]:
    rows = table.tables(key.name)
    if not rows and (key.required or (key.filled and key.name in table)):
        raise table.error(key.name, f"is missing; at least one {key.name} is needed")
    return rows


def _table(table: InputTable, key: Key) -> InputTable | None:
    inner = table.table(key.name)
    if inner is None and key.required:
        raise table.error(key.name, "is missing")
    return inner


_READERS: dict[Kind, Callable[[InputTable, Key], Any]] = {
    Kind.TEXT: _text,
    Kind.PERSON_NAME: _person_name,
    Kind.FLAG: lambda table, key: table.flag(key.name, default=False),
    Kind.TERM: _term,
    Kind.NUMBER: _number,
    Kind.WHOLE_NUMBERS: lambda table, key: table.integers(key.name),
    Kind.CODE: _code,
    Kind.UNIT: lambda table, key: read_unit(table, key.name),
    Kind.LANGUAGE: lambda table, key: read_language(table, key.name, key.default),
    Kind.CITATIONS: _citations,
    Kind.POINTS: _points,
    Kind.OF_STUDY: _of_study,
    Kind.TABLE: _table,
    Kind.TABLES: _tables,
}
