"""Report templates: structured values in, the sentences of a whole report out.

A template is a folder ``templates/reports/<id>/`` with

* ``template.toml``: what it is, and every input it takes, with type and description;
* ``report.toml.j2``: a report file (see `input`) whose sentences are Jinja2 over these inputs;
* ``example.toml``: values that render, for people and for the test that every template works.

Values can never become structure. Inside the quotes of a TOML string they are escaped by
themselves; anywhere else the template must write ``{{ value | toml }}``, which gives a whole TOML
value. Templates run in Jinja2's sandbox, and an input nobody declared or gave is an error.

Cites: PS3.16 TID 2000; the templates name what they follow.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from importlib.resources.abc import Traversable
from typing import TYPE_CHECKING

from jinja2 import BaseLoader, StrictUndefined, TemplateNotFound
from jinja2 import TemplateError as JinjaError
from jinja2.loaders import split_template_path
from jinja2.sandbox import ImmutableSandboxedEnvironment

from sr.document.constraints import DocumentClass
from sr.document.input import CLASSES, read_report
from sr.document.input_position import InputText
from sr.document.input_table import InputFormat, InputTable, read_input
from sr.document.report_input import ReportInput
from sr.document.template_input import TemplateInput, read_declarations, read_values
from sr.errors import TemplateError
from sr.resources import resource_root

if TYPE_CHECKING:
    from jinja2 import Environment

__all__ = [
    "ReportTemplate",
    "load_template",
    "read_rendered",
    "render_input",
    "render_report",
    "render_text",
    "template_ids",
]

_DECLARATION = "template.toml"
_REPORT = "report.toml.j2"
_EXAMPLE = "example.toml"
_MAXIMUM_LENGTH = 1_000_000
"""Characters of a rendered report."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportTemplate:
    """A template, declared but not yet rendered."""

    id: str
    title: str
    description: str
    tid: str
    """Root template of PS3.16 that the report follows."""
    document_class: DocumentClass
    cites: str
    inputs: tuple[TemplateInput, ...]
    folder: Traversable

    @property
    def example(self) -> str:
        """Values that render, as TOML text."""
        return _read(self.folder, _EXAMPLE)


def template_ids(root: Traversable | None = None) -> tuple[str, ...]:
    """Return the ids of all templates in a folder, the shipped ones by default.

    Raises:
        ConfigurationError: The shipped templates are missing from this installation.
    """
    root = root or _shipped()
    return tuple(sorted(f.name for f in root.iterdir() if (f / _DECLARATION).is_file()))


def load_template(template_id: str, root: Traversable | None = None) -> ReportTemplate:
    """Return a template by its id.

    Args:
        template_id: Name of its folder.
        root: Folder with templates, the shipped ones by default.

    Raises:
        TemplateError: There is no such template, or its declaration is wrong.
        ConfigurationError: The shipped templates are missing from this installation.
    """
    root = root or _shipped()
    known = template_ids(root)
    if template_id not in known:
        raise TemplateError(
            f"no report template {template_id!r}", hint=f"known: {', '.join(known) or 'none'}"
        )
    folder = root / template_id
    table = read_input(_read(folder, _DECLARATION), InputFormat.TOML, name=_DECLARATION)
    template = ReportTemplate(
        id=table.text("id"),
        title=table.text("title"),
        description=table.text("description"),
        tid=table.text("tid"),
        document_class=table.term("class", CLASSES, DocumentClass.COMPREHENSIVE),
        cites=table.text("cites"),
        inputs=read_declarations(table.tables("input")),
        folder=folder,
    )
    table.done()
    if template.id != template_id:
        raise table.error("id", f"differs from the name of the folder, {template_id!r}")
    return template


def render_report(
    template: ReportTemplate, text: str, notation: InputFormat, *, name: str = "the input"
) -> ReportInput:
    """Return the report that a template makes of a file of values.

    Args:
        template: What to render.
        text: The values, as TOML, JSON or YAML.
        notation: Which of them.
        name: The file's name, for messages.

    Raises:
        TemplateError: A value is missing, unknown or of the wrong type, or the template fails.
    """
    values = InputText(text=text, notation=notation, name=name)
    return read_rendered(template, render_input(template, values))


def render_input(template: ReportTemplate, values: InputText) -> InputText:
    """Return the report file that a template makes of a file of values.

    Raises:
        TemplateError: A value is missing, unknown or of the wrong type, or the template fails.
    """
    table = values.read()
    with values.blamed():
        data = read_values(template.inputs, table)
    return InputText(
        text=_rendered(template, data),
        notation=InputFormat.TOML,
        name=f"what template {template.id} renders",
    )


def read_rendered(template: ReportTemplate, rendered: InputText) -> ReportInput:
    """Return the report that a rendered file describes.

    Raises:
        TemplateError: It is no report, or not of the class that the template declares.
    """
    report = read_report(rendered)
    if report.document_class is not template.document_class:
        raise TemplateError(
            f"template {template.id} declares {template.document_class.slug} and renders "
            f"{report.document_class.slug}"
        )
    return report


def render_text(template: ReportTemplate, values: InputTable) -> str:
    """Return the report file that a template makes of values.

    Raises:
        TemplateError: A value is missing, unknown or of the wrong type, or the template fails.
    """
    return _rendered(template, read_values(template.inputs, values))


def _rendered(template: ReportTemplate, data: Mapping[str, object]) -> str:
    try:
        rendered = _environment(template.folder).get_template(_REPORT).render(data)
    except (JinjaError, ValueError, TypeError, ArithmeticError, RecursionError) as exc:
        raise TemplateError(f"template {template.id} cannot be rendered: {exc}") from exc
    if len(rendered) > _MAXIMUM_LENGTH:
        raise TemplateError(
            f"template {template.id} renders more than {_MAXIMUM_LENGTH} characters"
        )
    return rendered


def _shipped() -> Traversable:
    return resource_root("templates") / "reports"


def _read(folder: Traversable, name: str) -> str:
    try:
        return (folder / name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        raise TemplateError(f"template {folder.name} has no readable {name}") from exc


class _FolderLoader(BaseLoader):
    """Finds templates in one folder, also inside a zipped installation."""

    def __init__(self, folder: Traversable) -> None:
        self._folder = folder

    def get_source(self, environment: Environment, template: str) -> tuple[str, None, None]:
        del environment
        place = self._folder.joinpath(*split_template_path(template))
        if not place.is_file():
            raise TemplateNotFound(template)
        return place.read_text(encoding="utf-8"), None, None


class _TOML(str):
    """Text that is TOML already."""

    __slots__ = ()


def _environment(folder: Traversable) -> Environment:
    environment = ImmutableSandboxedEnvironment(
        loader=_FolderLoader(folder),
        undefined=StrictUndefined,
        autoescape=False,
        finalize=_finalize,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["toml"] = _toml
    return environment


def _finalize(value: object) -> str:
    """Return a value as it may stand inside the quotes of a TOML string."""
    if isinstance(value, _TOML):
        return value
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        str(value)  # an undefined value complains here, with its name
        raise TemplateError(
            f"a {type(value).__name__} cannot stand in a sentence",
            hint="write {{ value | toml }} for a whole value",
        )
    return _escaped(str(value))


def _toml(value: object) -> _TOML:
    """Return a whole TOML value."""
    if isinstance(value, bool):
        return _TOML("true" if value else "false")
    if isinstance(value, int | Decimal):
        return _TOML(value)
    if isinstance(value, str):
        return _TOML(f'"{_escaped(value)}"')
    if isinstance(value, list | tuple):
        return _TOML(f"[{', '.join(map(_toml, value))}]")
    if isinstance(value, Mapping):
        pairs = (f"{_toml(str(key))} = {_toml(inner)}" for key, inner in value.items())
        return _TOML(f"{{{', '.join(pairs)}}}")
    str(value)
    raise TemplateError(f"a {type(value).__name__} has no form in TOML")


def _escaped(text: str) -> str:
    """Return text for the inside of a basic string, on one line."""
    return "".join(_ESCAPES.get(c) or (c if c.isprintable() else _numeric(c)) for c in text)


def _numeric(character: str) -> str:
    number = ord(character)
    return f"\\u{number:04X}" if number <= 0xFFFF else f"\\U{number:08X}"


_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
