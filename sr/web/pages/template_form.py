"""A form made from what a report template asks for, and the values that come back from it.

A field is named by its key path, such as ``nodules[1].lobe``, which is what an error names too.
What is left empty is left out: whether that may be is for the template to say.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sr.document.template_input import InputType, TemplateInput

__all__ = ["FormField", "every_field", "fields_of", "has_form", "values_of"]

_MOST_ROWS = 100
_ONE_LINE = frozenset(
    {
        *("accession_number", "authorized_by", "frame_of_reference", "image", "language", "name"),
        *("observer_name", "organization", "title", "title_in_words", "uid", "unit"),
    }
)
"""Texts that name something; every other one is prose."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FormField:
    """One field, or a table of fields."""

    path: str
    label: str
    description: str
    type: InputType
    required: bool
    choices: tuple[str, ...] = ()
    value: str = ""
    rows: tuple[tuple[FormField, ...], ...] = ()

    @property
    def id(self) -> str:
        """Return the id of its element."""
        return "field-" + "-".join(self.path.replace("[", ".").replace("]", "").split("."))

    @property
    def has_lines(self) -> bool:
        """Whether there is room for more than a line."""
        prose = self.type is InputType.TEXT and self.path.rpartition(".")[2] not in _ONE_LINE
        return prose or self.type in (InputType.TEXTS, InputType.POINTS)


def has_form(inputs: tuple[TemplateInput, ...]) -> bool:
    """Return whether a form can ask for it: tables hold no tables."""
    return not any(field.type is InputType.ROWS for declared in inputs for field in declared.fields)


def fields_of(
    inputs: tuple[TemplateInput, ...], values: Mapping[str, Any], *, more: str = ""
) -> tuple[FormField, ...]:
    """Return the fields of a form with the values that there are.

    Args:
        inputs: What the template asks for.
        values: As a report is written from.
        more: Key of a table that gets another row; one that is empty has one already.
    """
    return tuple(
        _rows(declared, values.get(declared.key), more=more == declared.key)
        if declared.type is InputType.ROWS
        else _field(declared, declared.key, values.get(declared.key))
        for declared in inputs
    )


def every_field(fields: tuple[FormField, ...]) -> tuple[FormField, ...]:
    """Return all fields, those of tables behind their table."""
    return tuple(
        each for field in fields for each in (field, *(cell for row in field.rows for cell in row))
    )


def values_of(inputs: tuple[TemplateInput, ...], form: Mapping[str, str]) -> dict[str, Any]:
    """Return the values that a form was filled in with."""
    values: dict[str, Any] = {}
    for declared in inputs:
        if declared.type is InputType.ROWS:
            rows = [
                row
                for n in range(1, _MOST_ROWS + 1)
                if (row := _plain(declared.fields, form, f"{declared.key}[{n}]."))
            ]
            if rows:
                values[declared.key] = rows
    return {**_plain(inputs, form, ""), **values}


def _plain(
    inputs: tuple[TemplateInput, ...], form: Mapping[str, str], prefix: str
) -> dict[str, Any]:
    found = {}
    for declared in inputs:
        text = form.get(prefix + declared.key, "").replace("\r\n", "\n").strip()
        if text and declared.type is not InputType.ROWS:
            found[declared.key] = _READERS.get(declared.type, str)(text)
    return found


def _rows(declared: TemplateInput, value: object, *, more: bool) -> FormField:
    given = [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []
    shown = [*given, *([{}] if more or not given else [])][:_MOST_ROWS]
    return FormField(
        path=declared.key,
        label=_label(declared.key),
        description=declared.description,
        type=declared.type,
        required=declared.required,
        rows=tuple(
            tuple(
                _field(column, f"{declared.key}[{n}].{column.key}", row.get(column.key))
                for column in declared.fields
            )
            for n, row in enumerate(shown, start=1)
        ),
    )


def _field(declared: TemplateInput, path: str, value: object) -> FormField:
    return FormField(
        path=path,
        label=_label(declared.key),
        description=declared.description,
        type=declared.type,
        required=declared.required,
        choices=declared.choices,
        value="" if value is None else _shown(declared.type, value),
    )


def _label(key: str) -> str:
    words = key.replace("_", " ")
    return words[:1].upper() + words[1:]


def _shown(kind: InputType, value: object) -> str:
    if kind is InputType.TEXTS and isinstance(value, list):
        return "\n".join(map(str, value))
    if kind is InputType.CODE and isinstance(value, list):
        return ", ".join(map(str, value))
    if kind is InputType.FLAG:
        return "true" if value is True else "false" if value is False else str(value)
    return json.dumps(value) if isinstance(value, list | dict) else str(value)


def _code(text: str) -> object:
    parts = [part.strip() for part in text.split(",", 2)]
    return parts if len(parts) == len(("value", "scheme", "meaning")) else text


def _points(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return text


_READERS: dict[InputType, Any] = {
    InputType.TEXTS: lambda text: [line.strip() for line in text.split("\n") if line.strip()],
    InputType.FLAG: lambda text: {"true": True, "false": False}.get(text, text),
    InputType.CODE: _code,
    InputType.POINTS: _points,
}
