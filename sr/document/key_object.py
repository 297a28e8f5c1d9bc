"""Key Object Selection documents: TID 2010 with secure references, one study a document.

highdicom frames the document. The evidence is listed by us (it silently drops a second study) and
references go out without concept name, as TID 2010 says. A selection over several studies needs a
copy of the document in each of them, all listing one another; this version refuses it instead.

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
from sr.document.identity import DocumentIdentity
from sr.document.observer import Observer, observer_context
from sr.document.part10 import write_part10
from sr.errors import EvidenceError, TemplateError

__all__ = ["KeyObjectSelection", "build_key_object"]

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
    evidence = distinct(evidence)
    subject = patient_study_of(evidence)
    _require_one_study(evidence)
    require_one_patient(subject, evidence)
    content = _content(selection, evidence)
    check_content(DocumentClass.KEY_OBJECT_SELECTION, content)
    require_cited(content, evidence)
    dataset = _frame(content, subject, identity)
    write_content(dataset, content)
    write_header(dataset, subject, identity)
    dataset.CurrentRequestedProcedureEvidenceSequence = referenced_studies(evidence)
    if selection.requests:
        dataset.ReferencedRequestSequence = [request_item(r) for r in selection.requests]
    return write_part10(dataset)


def _require_one_study(evidence: tuple[Evidence, ...]) -> None:
    studies = {item.study_instance_uid for item in evidence}
    if len(studies) > 1:
        raise EvidenceError(
            f"a key object selection over {len(studies)} studies needs identical documents in each "
            "study (IdenticalDocumentsSequence (0040,A525)), which this version does not write",
            where="(0020,000D)",
            hint="make one selection for each study",
        )


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
