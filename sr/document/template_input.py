"""What a report template asks for, and whether it got it.

Every input is declared with a type and a sentence for people; values that are missing, unknown or
of another type are refused before the template runs, with the sentence as hint.

Cites: nothing of DICOM; this is our own file format.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from sr.document.coding import read_code
from sr.document.input_table import InputTable
from sr.document.values import checked
from sr.errors import TemplateError

__all__ = ["InputType", "TemplateInput", "read_declarations", "read_values"]


class InputType(StrEnum):
    """The types an input may have."""

    TEXT = "text"
    TEXTS = "texts"
    NUMBER = "number"
    FLAG = "flag"
    CHOICE = "choice"
    CODE = "code"
    POINTS = "points"
    ROWS = "rows"


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateInput:
    """One declared input."""

    key: str
    type: InputType
    description: str
    required: bool = True
    """An optional input that is not given is ``None`` in the template."""
    choices: tuple[str, ...] = ()
    fields: tuple[TemplateInput, ...] = ()
    """Columns, for rows."""


_TYPES = {kind.value: kind for kind in InputType}


def read_declarations(tables: tuple[InputTable, ...]) -> tuple[TemplateInput, ...]:
    """Return the declared inputs.

    Raises:
        TemplateError: A declaration is wrong, or a key is declared twice.
    """
    declared: dict[str, TemplateInput] = {}
    for table in tables:
        read = _declaration(table)
        if read.key in declared:
            raise table.error("key", f"{read.key!r} is declared twice")
        declared[read.key] = read
    return tuple(declared.values())


def _declaration(table: InputTable) -> TemplateInput:
    key = table.text("key")
    if not (key.isascii() and key.isidentifier()):
        raise table.error("key", f"{key!r} is not a name a template can use")
    kind = table.term("type", _TYPES, InputType.TEXT)
    choices, fields = table.texts("choices"), read_declarations(table.tables("field"))
    if bool(choices) != (kind is InputType.CHOICE) or bool(fields) != (kind is InputType.ROWS):
        raise table.error("type", "choices go with type choice, fields with type rows")
    return TemplateInput(
        key=key,
        type=kind,
        description=table.text("description"),
        required=table.flag("required", default=True),
        choices=choices,
        fields=fields,
    )


def read_values(inputs: tuple[TemplateInput, ...], table: InputTable) -> dict[str, object]:
    """Return the values for a template, complete and of the declared types.

    Raises:
        TemplateError: With the key path of a value that is missing, unknown or of another type.
    """
    values = _values(inputs, table)
    table.done()
    return values


def _values(inputs: tuple[TemplateInput, ...], table: InputTable) -> dict[str, object]:
    return {declared.key: _value(declared, table) for declared in inputs}


def _value(declared: TemplateInput, table: InputTable) -> object:
    if declared.key not in table:
        table.raw(declared.key)
        if declared.required:
            raise table.error(declared.key, "is missing", hint=declared.description)
        return None
    return _READERS[declared.type](declared, table)


def _text(declared: TemplateInput, table: InputTable) -> str:
    return _plain(table.text(declared.key), table.at(declared.key))


def _texts(declared: TemplateInput, table: InputTable) -> tuple[str, ...]:
    at = table.at(declared.key)
    values = table.texts(declared.key)
    return tuple(_plain(value, f"{at}[{n}]") for n, value in enumerate(values, start=1))


def _plain(value: str, path: str) -> str:
    """Refuse control characters, which no report can carry and which mark values in a template."""
    return checked("UT", value, path, error=TemplateError)


def _choice(declared: TemplateInput, table: InputTable) -> str:
    return table.one_of(declared.key, table.text(declared.key), declared.choices)


def _points(declared: TemplateInput, table: InputTable) -> tuple[tuple[Decimal, ...], ...]:
    """Return coordinates; how many a point has is for the report to say."""
    return tuple(tuple(map(Decimal, point)) for point in table.points(declared.key))


_READERS: dict[InputType, Callable[[TemplateInput, InputTable], object]] = {
    InputType.TEXT: _text,
    InputType.TEXTS: _texts,
    InputType.NUMBER: lambda declared, table: Decimal(table.number(declared.key)),
    InputType.FLAG: lambda declared, table: table.flag(declared.key, default=False),
    InputType.CHOICE: _choice,
    InputType.CODE: lambda declared, table: read_code(table, declared.key),
    InputType.POINTS: _points,
    InputType.ROWS: lambda declared, table: tuple(
        _values(declared.fields, row) for row in table.tables(declared.key)
    ),
}
