"""``srsign template``: report templates, what they ask for, and whether they work."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sr.cli import options as o
from sr.cli.command import group, register
from sr.cli.exit_codes import PARTLY_FAILED, UNABLE
from sr.cli.shell import Shell

if TYPE_CHECKING:
    from sr.app.documents.template_check import TemplateCheck
    from sr.document.template import ReportTemplate
    from sr.document.template_input import TemplateInput

__all__ = ["add_commands"]

_LIST_EXAMPLES = """
srsign template list --templates my-templates
"""
_SHOW_EXAMPLES = """
srsign template show ct-chest
srsign template show ct-chest --example > values.toml
"""
_CHECK_EXAMPLES = """
srsign template check
srsign template check ct-head --templates my-templates
"""

_ID = Annotated[str, typer.Argument(metavar="ID", help="See template list.")]


def add_commands(app: typer.Typer) -> None:
    """Add ``template list``, ``show`` and ``check``."""
    commands = group("template", "Report templates, what they ask for, and whether they work.")
    register(commands, "list", examples=_LIST_EXAMPLES)(list_templates)
    register(commands, "show", examples=_SHOW_EXAMPLES)(show)
    register(commands, "check", examples=_CHECK_EXAMPLES)(check)
    app.add_typer(commands)


def list_templates(shell: Shell, templates: o.Templates = []) -> None:
    """List the report templates, the shipped ones and your own."""
    from sr.document.template import find_templates, read_template

    known = [read_template(folder) for folder in find_templates(templates).values()]
    if shell.json:
        shell.print_object({"templates": [_as_dict(template) for template in known]})
    else:
        width = max((len(t.id) for t in known), default=0)
        shell.print(
            f"{t.id:<{width}}  {t.title} ({t.document_class.slug}, TID {t.tid})" for t in known
        )


def show(
    shell: Shell,
    template_id: _ID,
    templates: o.Templates = [],
    example: Annotated[bool, typer.Option("--example", help="Print values that render.")] = False,
    rendered: Annotated[
        bool, typer.Option("--rendered", help="Print the report file the example renders.")
    ] = False,
) -> None:
    """Show what a template asks for, an example to start from, or what it makes of that."""
    from sr.document.template import load_template, render_example

    template = load_template(template_id, templates)
    if example:
        shell.print(template.example.splitlines())
    elif rendered:
        shell.print(render_example(template).text.splitlines())
    elif shell.json:
        shell.print_object(_as_dict(template))
    else:
        shell.print(_lines(template, shell.width))


def check(
    shell: Shell,
    template_ids: Annotated[
        list[str], typer.Argument(metavar="ID", help="See template list; all of them without.")
    ] = [],
    templates: o.Templates = [],
) -> int:
    """Try templates: every choice on synthetic images, signed, approved and checked.

    The keys are thrown away, and nothing is left behind.
    """
    from sr import compose
    from sr.app.documents.template_check import check_templates

    checks = []
    for done in check_templates(tuple(template_ids), sites=tuple(templates), ports=compose.ports()):
        checks.append(done)
        if not shell.json:
            shell.print(_check_lines(done))
    if shell.json:
        shell.print_object({"templates": [_check_as_dict(done) for done in checks]})
    failed = sum(not done.passed for done in checks)
    return 0 if not failed else UNABLE if failed == len(checks) else PARTLY_FAILED


def _check_lines(done: TemplateCheck) -> Iterator[str]:
    yield f"{'✔' if done.passed else '✘'} {done.template_id}"
    for step in done.steps:
        mark = "" if step.passed else "FAILED: "
        yield f"  {step.name:<12} {mark}{step.message}"
        if step.hint:
            yield f"  {'':<12} {step.hint}"


def _check_as_dict(done: TemplateCheck) -> dict[str, Any]:
    return {
        "id": done.template_id,
        "passed": done.passed,
        "steps": [
            {"name": s.name, "passed": s.passed, "message": s.message, "hint": s.hint}
            for s in done.steps
        ],
    }


def _lines(template: ReportTemplate, width: int) -> Iterator[str]:
    yield f"{template.id}: {template.title}"
    yield f"  {template.description}"
    yield f"  {template.document_class.slug}, TID {template.tid}, {template.cites}"
    yield ""
    yield "  inputs; * must be given"
    for wanted in template.inputs:
        yield from _input_lines(wanted, "  ", width)


def _input_lines(wanted: TemplateInput, indent: str, width: int) -> Iterator[str]:
    choices = f": {' | '.join(wanted.choices)}" if wanted.choices else ""
    name = f"{indent}{wanted.key}{' *' if wanted.required else ''}"
    first = f"{name:<24} {wanted.type.value:<8} "
    yield from textwrap.wrap(
        f"{wanted.description}{choices}",
        width,
        initial_indent=first,
        subsequent_indent=" " * len(first),
    )
    for column in wanted.fields:
        yield from _input_lines(column, f"{indent}  ", width)


def _as_dict(template: ReportTemplate) -> dict[str, Any]:
    return {
        "id": template.id,
        "title": template.title,
        "description": template.description,
        "class": template.document_class.slug,
        "tid": template.tid,
        "cites": template.cites,
        "inputs": [_input_as_dict(wanted) for wanted in template.inputs],
    }


def _input_as_dict(wanted: TemplateInput) -> dict[str, Any]:
    return {
        "key": wanted.key,
        "type": wanted.type.value,
        "description": wanted.description,
        "required": wanted.required,
        "choices": list(wanted.choices),
        "fields": [_input_as_dict(column) for column in wanted.fields],
    }
