"""What an amended report takes over from the document it amends, and which moves are wrong.

An amendment is a new document: new UIDs, UNVERIFIED, no signature. Patient and study are those of
its predecessor, which it names with proof, and so are the instances that the predecessor cites. A
proof is carried over only where an intact signature of the predecessor covers it; whatever else is
cited has to be at hand.

Cites: PS3.3 C.17.2, C.17.2.3; PS3.4 O.3; PS3.15 A.4.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from sr.codes import Code
from sr.dicomfile import DataSet
from sr.document.constraints import DocumentClass
from sr.document.evidence import Evidence, EvidenceKind, PatientStudy, read_patient_study
from sr.document.reference import ReferencedDigitalSignature, SecureReference
from sr.document.report_input import ReportInput
from sr.errors import LifecycleError
from sr.mac import MACAlgorithm, ReferencedSOPInstanceMAC
from sr.signature.references import PREDECESSORS, DocumentReference, document_references

__all__ = [
    "Predecessor",
    "check_amendable",
    "check_same_subject",
    "read_predecessor",
    "relation_to",
]

_SOP_CLASS_UID, _TITLE, _CONTENT = 0x00080016, 0x0040A043, 0x0040A730
_REFERENCED, _INSTANCE, _FRAMES, _VALUE_TYPE = 0x00081199, 0x00081155, 0x00081160, 0x0040A040
_COMPLETION_FLAG, _PRELIMINARY_FLAG = 0x0040A491, 0x0040A496
_CODE_VALUES = (0x00080100, 0x00080119, 0x00080120)
"""Code Value, Long Code Value, URN Code Value."""

_ADDENDED = Code("121361", "DCM", "Addended report")
_REPLACED = Code("121360", "DCM", "Replaced report")
_PRELIMINARY = Code("121362", "DCM", "Preliminary report")
_PARTIAL = Code("121363", "DCM", "Partial report")
"""What a report is to its predecessor; CID 7009."""

_SUBJECT = {
    "patient_name": "PatientName (0010,0010)",
    "patient_id": "PatientID (0010,0020)",
    "issuer_of_patient_id": "IssuerOfPatientID (0010,0021)",
    "patient_birth_date": "PatientBirthDate (0010,0030)",
    "patient_sex": "PatientSex (0010,0040)",
    "study_instance_uid": "StudyInstanceUID (0020,000D)",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Predecessor:
    """What a new version takes over.

    Cites: PS3.3 C.17.2.
    """

    subject: PatientStudy
    document_class: DocumentClass
    title: Code
    carried: tuple[Evidence, ...]
    """Instances it cites, with the proofs it has for them."""
    citable: frozenset[str]
    """UIDs of those of which it tells how a content item cites them."""
    unproven: tuple[DocumentReference, ...]
    """Instances it cites with no proof that can be carried over."""
    earlier: tuple[Evidence, ...]
    """Its own predecessors."""


def check_amendable(dataset: DataSet) -> None:
    """Refuse to amend what is no report of the kinds that srsign writes.

    Raises:
        LifecycleError: Naming SOP Class UID.

    Cites: PS3.3 A.35, C.17.2.
    """
    kind = dataset.text(_SOP_CLASS_UID)
    if kind == DocumentClass.KEY_OBJECT_SELECTION:
        raise LifecycleError(
            "a key object selection (SOPClassUID (0008,0016)) has no predecessors and is not "
            "amended",
            where="(0008,0016)",
            hint="select anew with srsign keyobject",
        )
    if kind not in set(DocumentClass):
        raise LifecycleError(
            f"SOPClassUID (0008,0016) {kind!r} is no report that srsign writes",
            where="(0008,0016)",
            hint="Basic Text, Enhanced, Comprehensive and Comprehensive 3D SR can be amended",
        )


def read_predecessor(dataset: DataSet, *, covered: frozenset[int]) -> Predecessor:
    """Return what a document hands on to its next version.

    Args:
        dataset: The document, which `check_amendable` let pass.
        covered: Top-level tags that its intact signatures cover.

    Raises:
        EvidenceError: Patient or study cannot be taken over.
        LifecycleError: It has no title.

    Cites: PS3.3 C.17.2, C.17.2.3.
    """
    subject = read_patient_study(dataset)
    cited = {uid: (kind, frames) for uid, kind, frames in _tree(dataset)}
    references = tuple(document_references(dataset))
    evidence = tuple(r for r in references if r.is_evidence)
    proven = tuple(r for r in evidence if r.sequence in covered and _proof(r) is not None)
    return Predecessor(
        subject=subject,
        document_class=DocumentClass(dataset.text(_SOP_CLASS_UID)),
        title=_title(dataset),
        carried=tuple(_as_evidence(r, subject, cited) for r in proven),
        citable=frozenset(cited),
        unproven=tuple(r for r in evidence if r not in proven),
        earlier=tuple(
            _as_evidence(r, subject, cited)
            for r in references
            if r.sequence == PREDECESSORS and _proof(r) is not None
        ),
    )


def _title(dataset: DataSet) -> Code:
    for item in dataset.items(_TITLE):
        for tag in _CODE_VALUES:
            if value := item.text(tag):
                return Code(value, item.text(0x00080102), item.text(0x00080104))
    raise LifecycleError(
        "ConceptNameCodeSequence (0040,A043) is missing or empty: the document has no title",
        where="(0040,A043)",
    )


def _tree(dataset: DataSet) -> Iterator[tuple[str, EvidenceKind, int]]:
    """Yield what the content cites: UID, how, and the highest frame."""
    for item in dataset.items(_CONTENT):
        kind = item.text(_VALUE_TYPE)
        for reference in item.items(_REFERENCED) if kind in set(EvidenceKind) else ():
            frames = [int(f) for f in reference.texts(_FRAMES) if f.strip().isdigit()]
            yield reference.text(_INSTANCE), EvidenceKind(kind), max(frames, default=0)
        yield from _tree(item)


def _as_evidence(
    reference: DocumentReference,
    subject: PatientStudy,
    cited: dict[str, tuple[EvidenceKind, int]],
) -> Evidence:
    kind, frames = cited.get(reference.sop_instance_uid, (EvidenceKind.COMPOSITE, 0))
    proof = _proof(reference)
    assert proof is not None  # noqa: S101 - seen to by the caller
    return Evidence(
        sop_class_uid=reference.sop_class_uid,
        sop_instance_uid=reference.sop_instance_uid,
        series_instance_uid=reference.series_instance_uid,
        modality="",
        kind=kind,
        patient_study=replace(subject, study_instance_uid=reference.study_instance_uid),
        reference=proof,
        number_of_frames=frames,
    )


def _proof(reference: DocumentReference) -> SecureReference | None:
    """Return a proof as it stands, ``None`` where nothing in it is worth carrying on."""
    macs = [m for m in reference.macs if m.is_sound and not MACAlgorithm(m.algorithm).is_weak]
    signatures = tuple(
        ReferencedDigitalSignature(
            digital_signature_uid=s.digital_signature_uid, signature=s.signature
        )
        for s in reference.signatures
        if s.signature
    )
    if len(reference.macs) > 1 or not (macs or signatures):
        return None
    mac = (
        ReferencedSOPInstanceMAC(
            transfer_syntax_uid=macs[0].transfer_syntax_uid,
            algorithm=MACAlgorithm(macs[0].algorithm),
            data_elements_signed=macs[0].data_elements_signed,
            mac=macs[0].mac,
        )
        if macs
        else None
    )
    return SecureReference(mac=mac, signatures=signatures)


def check_same_subject(report: ReportInput, predecessor: Predecessor) -> None:
    """Refuse a report file that names another patient or study than its predecessor has.

    Raises:
        LifecycleError: Naming the attribute that differs.

    Cites: PS3.3 C.17.2.
    """
    for name, what in _SUBJECT.items():
        named = getattr(report.subject, name) if report.subject is not None else ""
        if named and named != getattr(predecessor.subject, name):
            raise LifecycleError(
                f"{what} in the report file is not that of the document it amends",
                where=what,
                hint="leave [patient] and [study] out: they are taken from the predecessor",
            )


def relation_to(dataset: DataSet, *, addendum: bool) -> Code:
    """Return what the amended document is to its next version, from CID 7009.

    Cites: PS3.16 CID 7009.
    """
    if addendum:
        return _ADDENDED
    if dataset.text(_COMPLETION_FLAG) == "PARTIAL":
        return _PARTIAL
    if dataset.text(_PRELIMINARY_FLAG) == "PRELIMINARY":
        return _PRELIMINARY
    return _REPLACED
