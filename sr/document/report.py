"""A report as written meets its evidence: names become instances, sections become a content tree.

The tree is a Basic Diagnostic Imaging Report. Statements stand under their headings and name what
they are inferred from; everything carries the key path of the input, so that a refusal by the SOP
class, a long way from here, still says which line to correct.

Cites: PS3.16 TID 1210, TID 2000, TID 2001, TID 2002.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import PurePath
from typing import Any

from sr.codes import Code
from sr.document.content import (
    Coded,
    Container,
    ContentItem,
    Number,
    Reference,
    Relationship,
    Text,
    reference_to,
)
from sr.document.evidence import Evidence, PatientStudy, patient_study_of
from sr.document.observer import observer_context
from sr.document.report_input import (
    ALL_INSTANCES,
    CodedInput,
    ImageInput,
    MeasurementInput,
    ReportInput,
    SectionInput,
    TextInput,
)
from sr.document.structured_report import StructuredReport
from sr.errors import EvidenceError, TemplateError

__all__ = ["compose_report", "subject_of"]

_LANGUAGE = Code("121049", "DCM", "Language of Content Item and Descendants")
_PROCEDURE = Code("121058", "DCM", "Procedure reported")
_EQUIVALENT_MEANING = Code("121050", "DCM", "Equivalent Meaning of Concept Name")
_SOURCE_OF_MEASUREMENT = Code("121112", "DCM", "Source of Measurement")
"""Why an image below a measurement is cited, where the input is silent; from CID 7003."""
_LANGUAGE_OF_VALUE = Code("121047", "DCM", "Language of Value")

_Evidence = tuple[Evidence, ...]


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
    report: ReportInput, *, subject: PatientStudy, evidence: tuple[Evidence, ...]
) -> StructuredReport:
    """Return the report as content tree and header values, ready to build.

    Args:
        report: The report as written.
        subject: Patient and study, see `subject_of`.
        evidence: Every instance it may cite.

    Raises:
        EvidenceError: An image is named that is not in the evidence, or by an ambiguous name.
    """
    requests = tuple(
        replace(r, study_instance_uid=r.study_instance_uid or subject.study_instance_uid)
        for r in report.requests
    )
    return StructuredReport(
        document_class=report.document_class,
        content=_root(report, evidence),
        author=report.observer,
        completion=report.completion,
        completion_description=report.completion_description,
        preliminary=report.preliminary,
        performed_procedure_codes=(report.procedure,) if report.procedure else (),
        requests=requests,
    )


def _root(report: ReportInput, evidence: _Evidence) -> Container:
    modifiers = [(_PROCEDURE, report.procedure), (_LANGUAGE, report.language)]
    return Container(
        concept=report.title,
        template_id="2000",
        children=(
            *(
                Coded(concept=name, relationship=Relationship.HAS_CONCEPT_MOD, value=value)
                for name, value in modifiers
                if value is not None
            ),
            *_title_in_words(report),
            *observer_context(report.observer),
            *(_section(section, evidence) for section in report.sections),
        ),
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


def _section(section: SectionInput, evidence: _Evidence) -> Container:
    children = [
        item
        for entry in section.items
        for item in _CONVERT[type(entry)](entry, Relationship.CONTAINS, evidence)
    ]
    return Container(
        concept=section.heading,
        relationship=Relationship.CONTAINS,
        origin=section.path,
        children=tuple(children),
    )


def _text(entry: TextInput, relationship: Relationship, evidence: _Evidence) -> tuple[Text, ...]:
    text = Text(
        concept=entry.concept,
        relationship=relationship,
        origin=entry.path,
        value=entry.text,
        children=_sources(entry, evidence),
    )
    return (text,)


def _coded(entry: CodedInput, relationship: Relationship, evidence: _Evidence) -> tuple[Coded, ...]:
    coded = Coded(
        concept=entry.concept,
        relationship=relationship,
        origin=entry.path,
        value=entry.code,
        children=_sources(entry, evidence),
    )
    return (coded,)


def _measurement(
    entry: MeasurementInput, relationship: Relationship, evidence: _Evidence
) -> tuple[Number, ...]:
    number = Number(
        concept=entry.concept,
        relationship=relationship,
        origin=entry.path,
        value=entry.value,
        unit=entry.unit,
        qualifier=entry.qualifier,
        children=_images(entry.images, evidence, purpose=_SOURCE_OF_MEASUREMENT),
    )
    return (number,)


def _image(
    entry: ImageInput, relationship: Relationship, evidence: _Evidence
) -> tuple[Reference, ...]:
    return tuple(
        reference_to(
            item, relationship, concept=entry.purpose, frames=entry.frames, origin=entry.path
        )
        for item in _named(entry, evidence)
    )


_CONVERT: dict[type, Callable[[Any, Relationship, _Evidence], tuple[ContentItem, ...]]] = {
    TextInput: _text,
    CodedInput: _coded,
    MeasurementInput: _measurement,
    ImageInput: _image,
}


def _sources(entry: TextInput | CodedInput, evidence: _Evidence) -> tuple[ContentItem, ...]:
    """Return what a statement is inferred from: its measurements, then its images."""
    numbers = [
        number
        for measurement in entry.measurements
        for number in _measurement(measurement, Relationship.INFERRED_FROM, evidence)
    ]
    return (*numbers, *_images(entry.images, evidence))


def _images(
    images: tuple[ImageInput, ...], evidence: _Evidence, *, purpose: Code | None = None
) -> tuple[Reference, ...]:
    return tuple(
        reference
        for image in images
        for reference in _image(
            replace(image, purpose=image.purpose or purpose), Relationship.INFERRED_FROM, evidence
        )
    )


def _named(entry: ImageInput, evidence: _Evidence) -> _Evidence:
    """Return the instances a name stands for."""
    if entry.instance == ALL_INSTANCES and evidence:
        return evidence
    found = {item.sop_instance_uid: item for item in evidence if _is_called(item, entry.instance)}
    if len(found) == 1:
        return tuple(found.values())
    problem = "several instances of the evidence are" if found else "no instance of the evidence is"
    raise EvidenceError(
        f"{entry.path}: {problem} called {entry.instance!r}",
        where=entry.path,
        hint="name it by its SOPInstanceUID (0008,0018)",
    )


def _is_called(item: Evidence, name: str) -> bool:
    return name in (item.sop_instance_uid, item.label) or name == PurePath(item.label).name
