"""``/templates`` and ``/studies``: what there is to write reports from."""

from __future__ import annotations

import tomllib
from typing import Annotated, Any

from fastapi import APIRouter, Path

from sr.app.audit import AuditAction
from sr.document.template import ReportTemplate
from sr.document.template_input import InputType, TemplateInput
from sr.service.access import Permission
from sr.service.authoring.studies import list_studies
from sr.service.authoring.templates import report_template, report_templates
from sr.web.guard.authentication import Caller, Wired
from sr.web.guard.bodies import View
from sr.web.operations import protected

__all__ = ["studies", "templates"]

templates = APIRouter(prefix="/templates", tags=["templates"])
studies = APIRouter(prefix="/studies", tags=["studies"])


class InputView(View):
    """One value that a template asks for."""

    key: str
    type: InputType
    description: str
    required: bool
    choices: list[str]
    fields: list[InputView]
    """Columns, for rows."""


class TemplateSummary(View):
    """A report template."""

    id: str
    title: str
    description: str
    document_class: str
    tid: str
    cites: str


class TemplateView(TemplateSummary):
    """A report template with what it asks for."""

    inputs: list[InputView]
    example: dict[str, Any]
    """Values that render."""


class TemplateList(View):
    """The report templates."""

    items: list[TemplateSummary]


class StudyView(View):
    """A study in the evidence folders, told from its first instance."""

    study_instance_uid: str
    patient_name: str
    patient_id: str
    description: str
    date: str
    modality: str
    accession_number: str
    instances: int


class StudyList(View):
    """The studies in the evidence folders, the latest first."""

    items: list[StudyView]


@templates.get("", **protected(Permission.READ_DOCUMENTS))
def search(caller: Caller) -> TemplateList:
    """Return the report templates."""
    return TemplateList(items=[_summary(each) for each in report_templates(caller)])


@templates.get("/{template_id}", **protected(Permission.READ_DOCUMENTS, errors=(404,)))
def show(
    caller: Caller, template_id: Annotated[str, Path(pattern=r"^[a-z0-9-]+$", max_length=64)]
) -> TemplateView:
    """Return a report template with what it asks for, and values to start from."""
    found = report_template(caller, template_id)
    return TemplateView(
        **_summary(found).model_dump(),
        inputs=[_input(each) for each in found.inputs],
        example=tomllib.loads(found.example),
    )


@studies.get("", **protected(Permission.WRITE_REPORTS, audit=AuditAction.SEARCHED))
def evidence(context: Wired, caller: Caller) -> StudyList:
    """Return the studies in the evidence folders, the latest first."""
    found = list_studies(context, caller)
    return StudyList(items=[StudyView.model_validate(each) for each in found])


def _summary(template: ReportTemplate) -> TemplateSummary:
    return TemplateSummary(
        id=template.id,
        title=template.title,
        description=template.description,
        document_class=template.document_class.slug,
        tid=str(template.tid),
        cites=template.cites,
    )


def _input(wanted: TemplateInput) -> InputView:
    return InputView(
        key=wanted.key,
        type=wanted.type,
        description=wanted.description,
        required=wanted.required,
        choices=list(wanted.choices),
        fields=[_input(each) for each in wanted.fields],
    )
