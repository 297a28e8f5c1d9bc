"""``srsign template``: report templates and what they ask for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sr.cli.command import group, register
from sr.cli.shell import Shell

if TYPE_CHECKING:
    from sr.document.template import ReportTemplate
    from sr.document.template_input import TemplateInput

__all__ = ["add_commands"]

_SHOW_EXAMPLES = """
srsign template show ct-chest
srsign template show ct-chest --example > values.toml
"""


def add_commands(app: typer.Typer) -> None:
    """Add ``template list`` and ``template show``."""
    commands = group("template", "Report templates and what they ask for.")
    register(commands, "list")(list_templates)
    register(commands, "show", examples=_SHOW_EXAMPLES)(show)
    app.add_typer(commands)


def list_templates(shell: Shell) -> None:
    """List the report templates."""
    from sr.document.template import find_templates, read_template

    templates = [read_template(folder) for folder in find_templates().values()]
    if shell.json:
        shell.print_object({"templates": [_as_dict(template) for template in templates]})
    else:
        width = max((len(t.id) for t in templates), default=0)
        shell.print(f"{t.id:<{width}}  {t.title} (TID {t.tid})" for t in templates)


def show(
    shell: Shell,
    template_id: Annotated[str, typer.Argument(metavar="ID", help="See template list.")],
    example: Annotated[bool, typer.Option("--example", help="Print values that render.")] = False,
) -> None:
    """Show what a template asks for, or an example to start from."""
    from sr.document.template import load_template

    template = load_template(template_id)
    if example:
        shell.print(template.example.splitlines())
    elif shell.json:
        shell.print_object(_as_dict(template))
    else:
        shell.print(_lines(template))


def _lines(template: ReportTemplate) -> Iterator[str]:
    yield f"{template.id}: {template.title}"
    yield f"  {template.description}"
    yield f"  {template.document_class.slug}, TID {template.tid}, {template.cites}"
    yield ""
    for wanted in template.inputs:
        yield f"  {wanted.key:<18} {wanted.type.value:<8} {wanted.description}"
        for column in wanted.fields:
            yield f"    {column.key:<16} {column.type.value:<8} {column.description}"


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
