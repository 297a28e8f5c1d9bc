"""Basic Text, Enhanced, Comprehensive and Comprehensive 3D SR documents from tree and evidence.

highdicom frames the document (it has no Basic Text SR: its abstract base does); what it draws or
drops is corrected in `header`. The document leaves here unsigned and UNVERIFIED. An author is
always stated, see `observer`.

Cites: PS3.3 A.35.1, A.35.2, A.35.3, A.35.13, C.17.2.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import partial

from highdicom import sr as highdicom_sr
from highdicom.sr.sop import _SR
from pydicom.dataset import Dataset

from sr.codes import Code
from sr.document.citations import require_cited
from sr.document.constraints import DocumentClass, check_content
from sr.document.content import Container
from sr.document.content_encoding import coded_concept, encode_title, write_content
from sr.document.evidence import Evidence, PatientStudy, distinct, require_one_patient
from sr.document.evidence_sequence import referenced_studies
from sr.document.header import ReferencedRequest, request_item, stand_in, write_header
from sr.document.identity import DocumentIdentity
from sr.document.observer import Observer, Participant, author_observer_item, participant_item
from sr.document.part10 import write_part10
from sr.document.values import checked
from sr.errors import EvidenceError, TemplateError

__all__ = ["CompletionFlag", "StructuredReport", "build_structured_report"]


class CompletionFlag(StrEnum):
    """Whether the author thinks the content is complete.

    Cites: PS3.3 C.17.2.
    """

    COMPLETE = "COMPLETE"
    PARTIAL = "PARTIAL"


@dataclass(frozen=True, slots=True, kw_only=True)
class StructuredReport:
    """What a report says; who it is and what it cites are further arguments."""

    document_class: DocumentClass
    content: Container
    author: Observer
    participants: tuple[Participant, ...] = ()
    completion: CompletionFlag = CompletionFlag.COMPLETE
    completion_description: str = ""
    preliminary: bool = False
    performed_procedure_codes: tuple[Code, ...] = ()
    requests: tuple[ReferencedRequest, ...] = ()


def build_structured_report(
    report: StructuredReport,
    *,
    subject: PatientStudy,
    evidence: tuple[Evidence, ...],
    identity: DocumentIdentity,
    predecessors: tuple[Evidence, ...] = (),
    relation: Code | None = None,
) -> bytes:
    """Return an unsigned, unverified report as a DICOM file.

    Args:
        report: What it says.
        subject: Patient and study it belongs to.
        evidence: Everything it is based on; all of it is listed, cited in the tree or not.
            Instances of the document's study, and of the studies whose requests it answers, become
            Current Requested Procedure Evidence, all others Pertinent Other Evidence.
        identity: Its UIDs, time and equipment.
        predecessors: Documents whose content it contains, changed or not; the one that it
            amends first.
        relation: What it is to that first one, from CID 7009.

    Raises:
        EvidenceError: The evidence is contradictory, or an instance is cited that is not in it.
        TemplateError: The tree does not fit the SOP class, or a value cannot be written.
        DocumentError: The document cannot be encoded.

    Cites: PS3.3 A.35, C.17.2, C.17.3; PS3.15 A.4.
    """
    if report.document_class not in _FRAMES:
        raise TemplateError("a key object selection is not a structured report")
    evidence, predecessors = distinct(evidence), distinct(predecessors)
    require_one_patient(subject, evidence + predecessors)
    _require_foreign(identity, evidence + predecessors)
    check_content(report.document_class, report.content)
    require_cited(report.content, evidence)
    dataset = _frame(report, subject, identity)
    write_content(dataset, report.content)
    write_header(dataset, subject, identity)
    _write_evidence(dataset, subject, evidence, report.requests)
    if predecessors:
        purposes = {predecessors[0].sop_instance_uid: relation} if relation else {}
        dataset.PredecessorDocumentsSequence = referenced_studies(predecessors, purposes=purposes)
    _write_general(dataset, report)
    return write_part10(dataset)


def _require_foreign(identity: DocumentIdentity, cited: tuple[Evidence, ...]) -> None:
    if any(item.sop_instance_uid == identity.sop_instance_uid for item in cited):
        raise EvidenceError(
            "a document cannot cite itself: SOPInstanceUID (0008,0018) is in its own evidence"
        )


def _frame(report: StructuredReport, subject: PatientStudy, identity: DocumentIdentity) -> Dataset:
    return _FRAMES[report.document_class](
        evidence=[stand_in(subject, identity, report.document_class.value)],
        content=encode_title(report.content),
        series_instance_uid=identity.series_instance_uid,
        series_number=identity.series_number,
        sop_instance_uid=identity.sop_instance_uid,
        instance_number=identity.instance_number,
        specific_character_set="ISO_IR 192",
        performed_procedure_codes=[coded_concept(c) for c in report.performed_procedure_codes],
    )


_FRAMES: dict[DocumentClass, Callable[..., Dataset]] = {
    DocumentClass.BASIC_TEXT: partial(_SR, sop_class_uid=DocumentClass.BASIC_TEXT.value),
    DocumentClass.ENHANCED: highdicom_sr.EnhancedSR,
    DocumentClass.COMPREHENSIVE: highdicom_sr.ComprehensiveSR,
    DocumentClass.COMPREHENSIVE_3D: highdicom_sr.Comprehensive3DSR,
}


def _write_evidence(
    dataset: Dataset,
    subject: PatientStudy,
    evidence: tuple[Evidence, ...],
    requests: tuple[ReferencedRequest, ...],
) -> None:
    requested = {subject.study_instance_uid, *(r.study_instance_uid for r in requests)}
    current = tuple(e for e in evidence if e.study_instance_uid in requested)
    other = tuple(e for e in evidence if e.study_instance_uid not in requested)
    for keyword, items in (
        ("CurrentRequestedProcedureEvidenceSequence", current),
        ("PertinentOtherEvidenceSequence", other),
    ):
        if keyword in dataset:
            delattr(dataset, keyword)
        if items:
            setattr(dataset, keyword, referenced_studies(items))


def _write_general(dataset: Dataset, report: StructuredReport) -> None:
    dataset.PreliminaryFlag = "PRELIMINARY" if report.preliminary else "FINAL"
    dataset.CompletionFlag = report.completion.value
    if report.completion_description:
        dataset.CompletionFlagDescription = checked(
            "LO",
            report.completion_description,
            "CompletionFlagDescription (0040,A492)",
            error=TemplateError,
        )
    dataset.VerificationFlag = "UNVERIFIED"
    dataset.AuthorObserverSequence = [author_observer_item(report.author)]
    if report.participants:
        dataset.ParticipantSequence = [participant_item(p) for p in report.participants]
    if report.requests:
        dataset.ReferencedRequestSequence = [request_item(r) for r in report.requests]
