"""A report as written meets its evidence: names become instances, sections become a content tree.

What stands directly below the root is the same for all root templates: procedure, language, title
in words, observer. Then come sections with their entries, see `report_items`, or what was measured,
see `measurement_report`.

Cites: PS3.16 TID 1210, TID 1500, TID 2000, TID 2005, TID 2006.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from sr.codes import Code
from sr.document.content import Coded, Container, ContentItem, Relationship, Text
from sr.document.evidence import Evidence, PatientStudy, patient_study_of
from sr.document.measurement_report import measurement_content
from sr.document.observer import observer_context
from sr.document.report_input import ReportInput, SectionInput
from sr.document.report_items import Scene, items_of, modifier
from sr.document.root_template import ObserverPlace, load_root_template
from sr.document.structured_report import StructuredReport
from sr.document.template_rows import check_rows
from sr.errors import TemplateError

__all__ = ["compose_report", "subject_of"]

_LANGUAGE = Code("121049", "DCM", "Language of Content Item and Descendants")
_PROCEDURE = Code("121058", "DCM", "Procedure reported")
_EQUIVALENT_MEANING = Code("121050", "DCM", "Equivalent Meaning of Concept Name")
_LANGUAGE_OF_VALUE = Code("121047", "DCM", "Language of Value")


def subject_of(
    report: ReportInput, evidence: tuple[Evidence, ...], *, study_instance_uid: str = ""
) -> PatientStudy:
    """Return patient and study of a report: from its evidence, or from the input without any.

    Args:
        report: The report as written.
        evidence: What it is based on; the first instance decides.
        study_instance_uid: For a report without evidence whose input names no study.

    Raises:
        TemplateError: The input names a patient although the evidence does, or neither does.
    """
    if evidence:
        if report.subject is not None:
            raise TemplateError(
                "patient: is taken from the evidence; only a report without evidence names one",
                where="patient",
            )
        return patient_study_of(evidence)
    if report.subject is None:
        raise TemplateError("patient: is missing; there is no evidence to take it from")
    named = report.subject.study_instance_uid or study_instance_uid
    return replace(report.subject, study_instance_uid=named)


def compose_report(
    report: ReportInput,
    *,
    subject: PatientStudy,
    evidence: tuple[Evidence, ...],
    new_uid: Callable[[], str],
) -> StructuredReport:
    """Return the report as content tree and header values, ready to build.

    Args:
        report: The report as written.
        subject: Patient and study, see `subject_of`.
        evidence: Every instance it may cite.
        new_uid: Draws a tracking UID for a finding that has none yet.

    Raises:
        EvidenceError: An image is named that is not in the evidence, or by an ambiguous name.
        TemplateError: The tree is not one of its root template.
    """
    scene = Scene(subject=subject, evidence=evidence)
    root_template = load_root_template(report.root_template)
    in_tree = root_template.observer is ObserverPlace.CONTENT
    content = Container(
        concept=report.title,
        template_id=report.root_template.value,
        children=(
            *modifier(_PROCEDURE, report.procedure),
            *modifier(_LANGUAGE, report.language),
            *_title_in_words(report),
            *(observer_context(report.observer) if in_tree else ()),
            *(_section(section, scene) for section in report.sections),
            *(measurement_content(report.groups, scene, new_uid) if report.groups else ()),
        ),
    )
    check_rows(root_template, content, subject=subject, evidence=evidence)
    requests = tuple(
        replace(r, study_instance_uid=r.study_instance_uid or subject.study_instance_uid)
        for r in report.requests
    )
    return StructuredReport(
        document_class=report.document_class,
        content=content,
        author=report.observer,
        participants=report.participants,
        completion=report.completion,
        completion_description=report.completion_description,
        preliminary=report.preliminary,
        performed_procedure_codes=(report.procedure,) if report.procedure else (),
        requests=requests,
    )


def _title_in_words(report: ReportInput) -> tuple[Text, ...]:
    """Return the title as readers see it.

    Cites: PS3.16 TID 1201, TID 1210.
    """
    if not report.title_in_words:
        return ()
    language = Coded(
        concept=_LANGUAGE_OF_VALUE,
        relationship=Relationship.HAS_CONCEPT_MOD,
        value=report.language,
    )
    title = Text(
        concept=_EQUIVALENT_MEANING,
        relationship=Relationship.HAS_CONCEPT_MOD,
        value=report.title_in_words,
        children=(language,),
    )
    return (title,)


def _section(section: SectionInput, scene: Scene) -> Container:
    children: list[ContentItem] = []
    for entry in section.items:
        children.extend(items_of(entry, Relationship.CONTAINS, scene))
    return Container(
        concept=section.heading,
        relationship=Relationship.CONTAINS,
        origin=section.path,
        children=tuple(children),
    )
