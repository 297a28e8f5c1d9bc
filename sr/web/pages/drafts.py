"""Writing: a new report from a template, a draft changed, a signed report amended.

The form is made from what the template asks for; a report without template is written as a report
file. Every error names the key that it is about.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from starlette.datastructures import FormData

from sr.app.views.render import document_values
from sr.app.views.wording import person_name, visible
from sr.dicomfile import BytesSource, read
from sr.document.template import ReportTemplate, find_templates, load_template
from sr.errors import DocumentError, TemplateError
from sr.service.authoring.draft_source import kept_source
from sr.service.authoring.drafting import DraftSource
from sr.service.authoring.preview import preview_draft
from sr.service.authoring.reports import amend_report, change_report, write_report
from sr.service.authoring.studies import find_study, list_studies
from sr.service.context import Context
from sr.service.reading.dossier import open_dossier
from sr.store.documents import Document
from sr.web.guard.authentication import Caller, Wired
from sr.web.pages.frame import PageRoute, lead_on, show
from sr.web.pages.template_form import every_field, fields_of, has_form, values_of
from sr.web.parameters import UID

__all__ = ["router"]

router = APIRouter(route_class=PageRoute, include_in_schema=False)

_FILE = "report"
"""Name of the field with a whole report file."""
_OF_THE_WRITER: dict[str, Callable[[Caller], str]] = {
    "observer_name": lambda caller: caller.person_name,
    "organization": lambda caller: caller.organization,
}
"""What a form knows before anybody writes."""


async def _form(request: Request) -> FormData:
    return await request.form(max_files=0, max_fields=2000)


Filled = Annotated[FormData, Depends(_form)]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Task:
    """What is written, and where the form goes."""

    title: str
    action: str
    back: str
    subject: str
    template: ReportTemplate | None
    save: str
    if_match: str = ""
    amends: bool = False


@router.get("/reports/new")
def begin(
    request: Request,
    context: Wired,
    caller: Caller,
    study: Annotated[UID | None, Query()] = None,
    template: Annotated[str | None, Query(max_length=64)] = None,
) -> Response:
    """Choose study and template, or fill in the form."""
    if study is None or template is None:
        templates = tuple(load_template(each) for each in find_templates())
        studies = list_studies(context, caller)
        return show(
            request, caller, "new.html.j2", templates=templates, studies=studies, chosen=study
        )
    task = _new(context, caller, study, template)
    known = {key: word(caller) for key, word in _OF_THE_WRITER.items()}
    return _page(request, caller, task, known if task.template else {})


@router.post("/reports/new")
def write(
    request: Request,
    context: Wired,
    caller: Caller,
    study: Annotated[UID, Query()],
    template: Annotated[str, Query(max_length=64)],
    form: Filled,
) -> Response:
    """Write a draft."""
    task = _new(context, caller, study, template)

    def save(values: dict[str, Any]) -> Document:
        return write_report(
            context, caller, study_instance_uid=study, values=values, template=_id(task)
        )

    def source(values: dict[str, Any]) -> DraftSource:
        return DraftSource(study_instance_uid=study, values=values, template=_id(task))

    return _taken(request, context, caller, task, form, save, source)


@router.get("/reports/{sop_instance_uid}/edit")
def open_draft(request: Request, context: Wired, caller: Caller, sop_instance_uid: UID) -> Response:
    """Open a draft to change it."""
    task, source = _existing(context, caller, sop_instance_uid, amends=False)
    return _page(request, caller, task, source.values)


@router.post("/reports/{sop_instance_uid}/edit")
def change(
    request: Request, context: Wired, caller: Caller, sop_instance_uid: UID, form: Filled
) -> Response:
    """Write a draft anew."""
    return _rewritten(request, context, caller, sop_instance_uid, form, amends=False)


@router.get("/reports/{sop_instance_uid}/amend")
def open_amendment(
    request: Request, context: Wired, caller: Caller, sop_instance_uid: UID
) -> Response:
    """Open a signed report to write its next version."""
    task, source = _existing(context, caller, sop_instance_uid, amends=True)
    return _page(request, caller, task, source.values)


@router.post("/reports/{sop_instance_uid}/amend")
def amend(
    request: Request, context: Wired, caller: Caller, sop_instance_uid: UID, form: Filled
) -> Response:
    """Write the next version of a signed report, as a draft."""
    return _rewritten(request, context, caller, sop_instance_uid, form, amends=True)


def _rewritten(
    request: Request, context: Context, caller: Caller, uid: str, form: FormData, *, amends: bool
) -> Response:
    task, source = _existing(context, caller, uid, amends=amends)
    write = amend_report if amends else change_report

    def save(values: dict[str, Any]) -> Document:
        seen = str(form.get("if_match", ""))
        return write(context, caller, uid, if_match=seen, values=values, template=_id(task))

    def other(values: dict[str, Any]) -> DraftSource:
        changed = source.with_values(values, _id(task))
        return replace(changed, amends=uid, addendum=False) if amends else changed

    return _taken(request, context, caller, task, form, save, other)


def _new(context: Context, caller: Caller, study: str, template: str) -> _Task:
    found = find_study(context, caller, study)
    return _Task(
        title="New report",
        action=f"/reports/new?study={study}&template={template}",
        back="/reports/new",
        subject=", ".join(
            part
            for part in (
                person_name(found.patient_name),
                visible(found.patient_id),
                visible(found.description),
            )
            if part
        ),
        template=load_template(template) if template else None,
        save="Save draft",
    )


def _existing(
    context: Context, caller: Caller, uid: str, *, amends: bool
) -> tuple[_Task, DraftSource]:
    dossier = open_dossier(context, caller, uid)
    document = dossier.document
    source = kept_source(context, dossier.lineage, document)
    way = "amend" if amends else "edit"
    task = _Task(
        title="Amend" if amends else "Edit draft",
        action=f"/reports/{uid}/{way}",
        back=f"/reports/{uid}",
        subject=", ".join((person_name(document.patient_name), visible(document.title))),
        template=load_template(source.template) if source.template else None,
        save="Save next version as draft" if amends else "Save draft",
        if_match=document.sha256,
        amends=amends,
    )
    return task, source


def _id(task: _Task) -> str | None:
    return task.template.id if task.template else None


def _taken(
    request: Request,
    context: Context,
    caller: Caller,
    task: _Task,
    form: FormData,
    save: Callable[[dict[str, Any]], Document],
    source: Callable[[dict[str, Any]], DraftSource],
) -> Response:
    """Save what a form says, or show it again: previewed, with another row, or with its error."""
    texts = {name: value for name, value in form.items() if isinstance(value, str)}
    values: dict[str, Any] = {}
    try:
        values = _values(task, texts)
        more = texts.get("more", "")
        if more:
            return _page(request, caller, task, values, more=more)
        if "preview" not in texts:
            return lead_on(request, f"/reports/{save(values).sop_instance_uid}")
        preview = preview_draft(context, caller, source(values))
    except DocumentError as error:
        return _page(request, caller, task, values, error=error, text=texts.get(_FILE))
    file = read(BytesSource(preview.content), limits=context.limits)
    return _page(
        request,
        caller,
        task,
        values,
        text=texts.get(_FILE),
        preview=document_values(file, preview.verdict),
    )


def _values(task: _Task, texts: dict[str, str]) -> dict[str, Any]:
    if task.template is not None and has_form(task.template.inputs):
        return values_of(task.template.inputs, texts)
    text = texts.get(_FILE, "").replace("\r\n", "\n")
    try:
        read_as = json.loads if text.lstrip().startswith("{") else tomllib.loads
        values: dict[str, Any] = json.loads(json.dumps(read_as(text), default=str))
    except ValueError as error:
        raise TemplateError(f"the text is neither TOML nor JSON: {error}") from error
    return values


def _page(
    request: Request,
    caller: Caller,
    task: _Task,
    values: dict[str, Any],
    *,
    more: str = "",
    error: DocumentError | None = None,
    text: str | None = None,
    preview: dict[str, Any] | None = None,
) -> Response:
    template = task.template
    formed = template is not None and has_form(template.inputs)
    fields = fields_of(template.inputs, values, more=more) if template and formed else ()
    wrong = (error.where or "") if error else ""
    return show(
        request,
        caller,
        "draft.html.j2",
        task=task,
        fields=fields,
        text=text if text is not None else json.dumps(values, indent=2, ensure_ascii=False),
        error=error,
        wrong=wrong,
        said=str(error).rpartition(f"{wrong}: ")[2] if wrong else str(error),
        marked=tuple(each for each in every_field(fields) if wrong and each.path == wrong),
        preview=preview,
        paged=False,
        **(preview or {}),
    )
