"""Report templates: structured values in, the sentences of a whole report out.

A template is a folder ``templates/reports/<id>/`` with

* ``template.toml``: what it is, and every input it takes, with type and description;
* ``report.toml.j2``: a report file (see `input`) whose sentences are Jinja2 over these inputs;
* ``example.toml``: values that render, for people and for the test that every template works.

Values can never become structure, see `template_text`: inside the quotes of a TOML string they are
escaped by themselves; anywhere else the template must write ``{{ value | toml }}``, which gives a
whole TOML value. An input nobody declared or gave is an error.

A site has folders of its own templates. They add to the shipped ones and never redefine one.

Cites: PS3.16 TID 2000; the templates name what they follow.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from importlib.resources.abc import Traversable

from sr.document.constraints import DocumentClass
from sr.document.input import read_report
from sr.document.input_position import InputText
from sr.document.input_table import InputFormat, InputTable
from sr.document.report_format import CLASSES, ROOT_TEMPLATES
from sr.document.report_input import ReportInput
from sr.document.root_template import RootTemplateID
from sr.document.spelling import did_you_mean
from sr.document.template_input import TemplateInput, read_declarations, read_values
from sr.document.template_text import names_used, render_toml
from sr.errors import ConfigurationError, TemplateError
from sr.resources import resource_root

__all__ = [
    "ReportTemplate",
    "example_values",
    "find_templates",
    "load_template",
    "read_rendered",
    "read_template",
    "render_example",
    "render_input",
    "render_report",
    "render_text",
    "template_ids",
    "used_inputs",
]

_DECLARATION = "template.toml"
_REPORT = "report.toml.j2"
_EXAMPLE = "example.toml"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportTemplate:
    """A template, declared but not yet rendered."""

    id: str
    title: str
    description: str
    tid: RootTemplateID
    """Root template of PS3.16 that the report follows."""
    document_class: DocumentClass
    cites: str
    inputs: tuple[TemplateInput, ...]
    folder: Traversable

    @property
    def example(self) -> str:
        """Values that render, as TOML text."""
        return _read(self.folder, _EXAMPLE)


def find_templates(sites: Iterable[Traversable] = ()) -> dict[str, Traversable]:
    """Return the folders of all templates by id, the shipped ones and those of a site.

    Args:
        sites: Folders with further templates.

    Raises:
        ConfigurationError: A folder is not there or has no template, an id is there already, or the
            shipped templates are missing from this installation.
    """
    found = _in_folder(resource_root("templates") / "reports")
    for site in sites:
        more = _in_folder(site)
        if not more:
            raise ConfigurationError(
                f"{site} has no report template",
                hint=f"a template is a folder with {_DECLARATION}, {_REPORT} and {_EXAMPLE}",
            )
        for template_id in more.keys() & found.keys():
            raise ConfigurationError(
                f"the template {template_id!r} in {site} has an id that is taken already",
                hint="a site adds templates and does not redefine them; give it another id",
            )
        found |= more
    return dict(sorted(found.items()))


def template_ids(sites: Iterable[Traversable] = ()) -> tuple[str, ...]:
    """Return the ids of all templates, sorted.

    Raises:
        ConfigurationError: As `find_templates`.
    """
    return tuple(find_templates(sites))


def _in_folder(root: Traversable) -> dict[str, Traversable]:
    try:
        return {f.name: f for f in root.iterdir() if (f / _DECLARATION).is_file()}
    except OSError as exc:
        raise ConfigurationError(f"{root} cannot be read: {exc.strerror}") from exc


def load_template(template_id: str, sites: Iterable[Traversable] = ()) -> ReportTemplate:
    """Return a template by its id.

    Args:
        template_id: Name of its folder.
        sites: Folders with templates beside the shipped ones.

    Raises:
        TemplateError: There is no such template, or its declaration is wrong.
        ConfigurationError: As `find_templates`.
    """
    known = find_templates(sites)
    if template_id not in known:
        hint = f"{did_you_mean(template_id, list(known))} known: {', '.join(known)}".strip()
        raise TemplateError(f"no report template {template_id!r}", hint=hint)
    return read_template(known[template_id])


def read_template(folder: Traversable) -> ReportTemplate:
    """Return the template in a folder.

    Raises:
        TemplateError: Its declaration is wrong; names key path and line.
    """
    source = InputText(
        text=_read(folder, _DECLARATION),
        notation=InputFormat.TOML,
        name=f"{folder.name}/{_DECLARATION}",
    )
    table = source.read()
    with source.blamed():
        return _declared(folder, table)


def _declared(folder: Traversable, table: InputTable) -> ReportTemplate:
    template = ReportTemplate(
        id=table.text("id"),
        title=table.text("title"),
        description=table.text("description"),
        tid=table.term("tid", ROOT_TEMPLATES, RootTemplateID.BASIC_DIAGNOSTIC_IMAGING_REPORT),
        document_class=table.term("class", CLASSES, DocumentClass.COMPREHENSIVE),
        cites=table.text("cites"),
        inputs=read_declarations(table.tables("input")),
        folder=folder,
    )
    table.done()
    if template.id != folder.name:
        raise table.error("id", f"differs from the name of the folder, {folder.name!r}")
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


def example_values(template: ReportTemplate) -> dict[str, object]:
    """Return the values of the example.

    Raises:
        TemplateError: There is no example, or it is no TOML.
    """
    name = f"{template.id}/{_EXAMPLE}"
    table = InputText(text=template.example, notation=InputFormat.TOML, name=name).read()
    return {key: table.raw(key) for key in table.keys}


def render_example(template: ReportTemplate) -> InputText:
    """Return the report file that the template makes of its example, found to be a report.

    Raises:
        TemplateError: The example does not render, or not to a report of the declared class.
    """
    name = f"{template.id}/{_EXAMPLE}"
    values = InputText(text=template.example, notation=InputFormat.TOML, name=name)
    rendered = render_input(template, values)
    read_rendered(template, rendered)
    return rendered


def used_inputs(template: ReportTemplate) -> frozenset[str]:
    """Return the names that the template takes from its values, declared or not.

    Raises:
        TemplateError: The template cannot be read.
    """
    return names_used(template.folder, _REPORT)


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
    if report.root_template is not template.tid:
        raise TemplateError(
            f"template {template.id} declares TID {template.tid} and renders "
            f"TID {report.root_template}"
        )
    return report


def render_text(template: ReportTemplate, values: InputTable) -> str:
    """Return the report file that a template makes of values.

    Raises:
        TemplateError: A value is missing, unknown or of the wrong type, or the template fails.
    """
    return _rendered(template, read_values(template.inputs, values))


def _rendered(template: ReportTemplate, data: dict[str, object]) -> str:
    try:
        return render_toml(template.folder, _REPORT, data)
    except TemplateError as exc:
        raise TemplateError(f"template {template.id}: {exc}", hint=exc.hint) from exc


def _read(folder: Traversable, name: str) -> str:
    try:
        return (folder / name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        raise TemplateError(f"template {folder.name} has no readable {name}") from exc
