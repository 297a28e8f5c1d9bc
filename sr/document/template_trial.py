"""Variants of a template's example, one for each branch that its inputs offer.

A template works when its example does and when every choice, every flag and everything that may be
left out does as well. Whoever checks a template builds all of them.

Cites: nothing of DICOM; this is our own file format.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sr.document.input_position import InputText
from sr.document.input_table import InputFormat, InputTable
from sr.document.template import ReportTemplate, example_values, read_rendered, render_text
from sr.document.template_input import InputType, TemplateInput

__all__ = ["Trial", "render_trial", "trials"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """Values to try a template with."""

    name: str
    """What is special about them, for messages."""
    values: Mapping[str, Any]


def trials(template: ReportTemplate) -> Iterator[Trial]:
    """Yield the example, the example without anything optional, and one variant a choice.

    Raises:
        TemplateError: The example cannot be read.
    """
    example = example_values(template)
    yield Trial(name="the example", values=example)
    required = {wanted.key for wanted in template.inputs if wanted.required}
    least = {key: value for key, value in example.items() if key in required}
    yield Trial(name="the example without what is optional", values=least)
    for name, values in _variants(template.inputs, example):
        yield Trial(name=f"the example with {name}", values=values)


def _variants(
    inputs: tuple[TemplateInput, ...], example: Mapping[str, Any]
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for wanted in inputs:
        key = wanted.key
        if wanted.type is InputType.FLAG:
            for flag in (True, False):
                yield f"{key} = {str(flag).lower()}", {**example, key: flag}
        for choice in wanted.choices:
            yield f"{key} = {choice!r}", {**example, key: choice}
        if wanted.type is InputType.POINTS and example.get(key):
            yield f"one point of {key}", {**example, key: example[key][:1]}
        if wanted.type is InputType.ROWS:
            yield from _row_variants(wanted, example)


def _row_variants(
    wanted: TemplateInput, example: Mapping[str, Any]
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    rows = example.get(wanted.key) or []
    if not wanted.required:
        yield f"{wanted.key} = []", {**example, wanted.key: []}
    for row in rows[:1]:
        required = {field.key for field in wanted.fields if field.required}
        least = {key: value for key, value in row.items() if key in required}
        yield f"one of {wanted.key} at its least", {**example, wanted.key: [least]}
        for name, values in _variants(wanted.fields, row):
            yield f"{wanted.key}[1].{name}", {**example, wanted.key: [values]}


def render_trial(template: ReportTemplate, trial: Trial) -> InputText:
    """Return the report file that a trial renders, found to be a report of the declared class.

    Raises:
        TemplateError: It does not render, or not to a report.
    """
    rendered = InputText(
        text=render_text(template, InputTable(trial.values)),
        notation=InputFormat.TOML,
        name=f"what {trial.name} renders",
    )
    read_rendered(template, rendered)
    return rendered
