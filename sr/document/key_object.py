"""Key Object Selection documents: TID 2010 with secure references, one document a study.

highdicom frames the document. The evidence is listed by us (it silently drops a second study) and
references go out without concept name, as TID 2010 says. A selection over several studies is
written once for each of them: the same content, the evidence of all, and each copy lists the
others.

Cites: PS3.3 A.35.4, C.17.6; PS3.16 TID 2010.
"""

from __future__ import annotations

from dataclasses import dataclass

from highdicom import ko
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes

from sr.codes import Code
from sr.document.citations import require_cited
from sr.document.constraints import DocumentClass, check_content
from sr.document.content import (
    Coded,
    Container,
    ContentItem,
    Relationship,
    Text,
    reference_to,
)
from sr.document.content_encoding import encode_title, write_content
from sr.document.evidence import (
    Evidence,
    PatientStudy,
    distinct,
    patient_study_of,
    require_one_patient,
)
from sr.document.evidence_sequence import referenced_studies
from sr.document.header import ReferencedRequest, request_item, stand_in, write_header
from sr.document.identical_documents import write_identical
from sr.document.identity import DocumentIdentity
from sr.document.observer import Observer, observer_context
from sr.errors import DocumentError, EvidenceError, TemplateError

__all__ = ["KeyObjectSelection", "build_key_object", "build_key_objects", "studies_of"]

_TITLE_MODIFIER = Code("113011", "DCM", "Document Title Modifier")
_DESCRIPTION = Code("113012", "DCM", "Key Object Description")
_LANGUAGE = Code("121049", "DCM", "Language of Content Item and Descendants")

_QUALITY_TITLES = frozenset({"113001", "113010"})
_BEST_IN_SET = "113013"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyObjectSelection:
    """What a selection says about the instances it cites."""

    title: Code
    """From CID 7010, see `sr.codes.key_object_title`."""
    description: str = ""
    title_modifiers: tuple[Code, ...] = ()
    """For quality titles the reason (CID 7011), for Best In Set what the set is (CID 7012)."""
    language: Code | None = None
    observers: tuple[Observer, ...] = ()
    requests: tuple[ReferencedRequest, ...] = ()


def studies_of(evidence: tuple[Evidence, ...]) -> tuple[PatientStudy, ...]:
    """Return patient and study of each study, in the order in which the evidence names them.

    Within a study the first instance decides.
    """
    studies: dict[str, PatientStudy] = {}
    for item in evidence:
        studies.setdefault(item.study_instance_uid, item.patient_study)
    return tuple(studies.values())


def build_key_object(
    selection: KeyObjectSelection, *, evidence: tuple[Evidence, ...], identity: DocumentIdentity
) -> bytes:
    """Return an unsigned key object selection document as a DICOM file.

    It cites exactly the evidence, in the order given, and takes patient and study from it.

    Raises:
        EvidenceError: There is no evidence, it is contradictory, or it spans several studies.
        TemplateError: The selection does not fit TID 2010, or a value cannot be written.
        DocumentError: The document cannot be encoded.

    Cites: PS3.3 A.35.4, C.17.6; PS3.16 TID 2010; PS3.15 A.4.
    """
    count = len(studies_of(evidence))
    if count > 1:
        raise EvidenceError(
            f"a key object selection over {count} studies is a document in each of them, with "
            "IdenticalDocumentsSequence (0040,A525)",
            where="(0020,000D)",
            hint="give an identity for each study, or make one selection for each",
        )
    (document,) = build_key_objects(selection, evidence=evidence, identities=(identity,))
    return document


def build_key_objects(
    selection: KeyObjectSelection,
    *,
    evidence: tuple[Evidence, ...],
    identities: tuple[DocumentIdentity, ...],
) -> tuple[bytes, ...]:
    """Return the unsigned key object selection documents of a selection, one for each study.

    All cite exactly the evidence, in the order given. Each takes patient and study from the
    evidence of its study, and lists the others as Identical Documents.

    Args:
        selection: What they say.
        evidence: What they cite, of one patient.
        identities: One for each study, in the order of `studies_of`; allocated before the first
            document is written, because each has to name the others.

    Raises:
        EvidenceError: There is no evidence, or it is contradictory.
        TemplateError: The selection does not fit TID 2010, or a value cannot be written.
        DocumentError: The identities do not fit, or a document cannot be encoded.

    Cites: PS3.3 A.35.4, C.17.6.2; PS3.16 TID 2010; PS3.15 A.4.
    """
    evidence = distinct(evidence)
    patient_study_of(evidence)
    subjects = studies_of(evidence)
    _check_identities(identities, subjects, evidence)
    for subject in subjects:
        require_one_patient(subject, evidence)
    content = _content(selection, evidence)
    check_content(DocumentClass.KEY_OBJECT_SELECTION, content)
    require_cited(content, evidence)
    return write_identical(
        tuple(
            _document(selection, content, subject, evidence, identity)
            for subject, identity in zip(subjects, identities, strict=True)
        )
    )


def _check_identities(
    identities: tuple[DocumentIdentity, ...],
    subjects: tuple[PatientStudy, ...],
    evidence: tuple[Evidence, ...],
) -> None:
    if len(identities) != len(subjects):
        raise DocumentError(
            f"a key object selection over {len(subjects)} studies needs {len(subjects)} "
            f"identities, not {len(identities)}"
        )
    documents = {identity.sop_instance_uid for identity in identities}
    series = {identity.series_instance_uid for identity in identities}
    if len(documents) < len(identities) or len(series) < len(identities):
        raise DocumentError(
            "each copy of a document has its own SOPInstanceUID (0008,0018) and, being in another "
            "study, its own SeriesInstanceUID (0020,000E)"
        )
    if not documents.isdisjoint(item.sop_instance_uid for item in evidence):
        raise EvidenceError(
            "a document cannot cite itself: SOPInstanceUID (0008,0018) is in its own evidence"
        )


def _document(
    selection: KeyObjectSelection,
    content: Container,
    subject: PatientStudy,
    evidence: tuple[Evidence, ...],
    identity: DocumentIdentity,
) -> Dataset:
    dataset = _frame(content, subject, identity)
    write_content(dataset, content)
    write_header(dataset, subject, identity)
    dataset.CurrentRequestedProcedureEvidenceSequence = referenced_studies(evidence)
    if selection.requests:
        dataset.ReferencedRequestSequence = [request_item(r) for r in selection.requests]
    return dataset


def _content(selection: KeyObjectSelection, evidence: tuple[Evidence, ...]) -> Container:
    _check_modifiers(selection)
    rows: list[ContentItem] = [_modifier(code) for code in selection.title_modifiers]
    if selection.language:
        rows.append(
            Coded(
                concept=_LANGUAGE,
                relationship=Relationship.HAS_CONCEPT_MOD,
                value=selection.language,
            )
        )
    for observer in selection.observers:
        rows.extend(observer_context(observer))
    if selection.description:
        rows.append(
            Text(
                concept=_DESCRIPTION,
                relationship=Relationship.CONTAINS,
                value=selection.description,
            )
        )
    rows.extend(reference_to(item, Relationship.CONTAINS) for item in evidence)
    return Container(concept=selection.title, template_id="2010", children=tuple(rows))


def _modifier(code: Code) -> Coded:
    return Coded(concept=_TITLE_MODIFIER, relationship=Relationship.HAS_CONCEPT_MOD, value=code)


def _check_modifiers(selection: KeyObjectSelection) -> None:
    """Refuse modifiers that rows 3 and 4 of TID 2010 do not allow."""
    title, modifiers = selection.title, selection.title_modifiers
    if title.value == _BEST_IN_SET and sum(_in_group(m, 7012) for m in modifiers) != 1:
        raise TemplateError(
            f"the title {title} needs one document title modifier of CID 7012", where="(0040,A730)"
        )
    if title.value in _QUALITY_TITLES and not all(_in_group(m, 7011) for m in modifiers):
        raise TemplateError(
            f"the title {title} takes document title modifiers of CID 7011", where="(0040,A730)"
        )


def _in_group(code: Code, context_group: int) -> bool:
    members = getattr(codes, f"cid{context_group}").concepts.values()
    return any((m.value, m.scheme_designator) == (code.value, code.scheme) for m in members)


def _frame(content: Container, subject: PatientStudy, identity: DocumentIdentity) -> Dataset:
    return ko.KeyObjectSelectionDocument(
        evidence=[stand_in(subject, identity, DocumentClass.KEY_OBJECT_SELECTION.value)],
        content=ko.KeyObjectSelection.from_sequence([encode_title(content)]),
        series_instance_uid=identity.series_instance_uid,
        series_number=identity.series_number,
        sop_instance_uid=identity.sop_instance_uid,
        instance_number=identity.instance_number,
        specific_character_set="ISO_IR 192",
    )
