"""What a document must be before anybody signs it, at whatever level and for whatever purpose.

A profile says what a signature covers. It takes for granted that the document has what is to be
covered, that its flags, observers and purpose agree, and that it cites nothing without proof. Here
nothing is taken for granted, so that no option and no foreign document leads around it.

Cites: PS3.15 A.4, C.4; PS3.3 C.17.2, C.17.3, C.17.6.
"""

from __future__ import annotations

from collections.abc import Iterator

from sr.codes import SignaturePurpose
from sr.dicomfile.dataset import DataSet, DICOMFile
from sr.dicomfile.tags import describe_tag, format_tag, tag_for_keyword
from sr.findings import Finding, Status, SubIndication
from sr.signature.citations import citation_findings
from sr.signature.documents import condition_values, is_document, is_structured_report
from sr.signature.observers import VERIFYING_OBSERVERS, attestors, name_key, verifying_observers
from sr.signature.purpose import known_purpose
from sr.signature.references import DocumentReference, document_references, unsecured
from sr.signature.structure import SignatureStructure

__all__ = ["conformance_findings"]

_DOCUMENT = "PS3.3 A.35"
_GENERAL = "PS3.3 C.17.2"
_CONTENT = "PS3.3 C.17.3"
_KEY_OBJECT = "PS3.3 C.17.6"

_EVERY_DOCUMENT = (
    ("SOPClassUID", _DOCUMENT),
    ("SOPInstanceUID", _DOCUMENT),
    ("Modality", _DOCUMENT),
    ("StudyInstanceUID", _DOCUMENT),
    ("SeriesInstanceUID", _DOCUMENT),
    ("ContentDate", _GENERAL),
    ("ContentTime", _GENERAL),
    ("ValueType", _CONTENT),
    ("ConceptNameCodeSequence", _CONTENT),
    ("ContinuityOfContent", _CONTENT),
)
_REPORT = (("CompletionFlag", _GENERAL), ("VerificationFlag", _GENERAL))
_SELECTION = (
    ("CurrentRequestedProcedureEvidenceSequence", _KEY_OBJECT),
    ("ContentSequence", _KEY_OBJECT),
)
"""Attributes of type 1 that a signature of PS3.15 C.4 rests upon, and the clause of each."""

_TERMS = {
    "CompletionFlag": ("PARTIAL", "COMPLETE"),
    "VerificationFlag": ("UNVERIFIED", "VERIFIED"),
}
_OBSERVER_NAMES = ("VerifyingObserverName", "VerifyingOrganization", "VerificationDateTime")


def conformance_findings(
    file: DICOMFile, structure: SignatureStructure, purpose: SignaturePurpose | None
) -> tuple[Finding, ...]:
    """Return what keeps a document from being signed for a purpose; nothing for other objects.

    Cites: PS3.15 A.4, C.4.
    """
    if not is_document(file.sop_class_uid):
        return ()
    references = document_references(file.dataset)
    report = is_structured_report(file.sop_class_uid)
    return (
        *_attributes(file.dataset, (*_EVERY_DOCUMENT, *(_REPORT if report else _SELECTION))),
        *citation_findings(file, references),
        *_unproven(references),
        *(_state(file.dataset, structure, purpose) if report else ()),
    )


def _attributes(dataset: DataSet, required: tuple[tuple[str, str], ...]) -> Iterator[Finding]:
    for keyword, cites in required:
        tag = tag_for_keyword(keyword)
        element = dataset.get(tag)
        if element is None or not (element.items or (dataset.bytes(tag) or b"").strip(b" \0")):
            state = "absent" if element is None else "empty"
            yield _failure(
                "DOC_ATTRIBUTE", f"{describe_tag(tag)} is {state}; a document needs it", tag, cites
            )


def _unproven(references: tuple[DocumentReference, ...]) -> Iterator[Finding]:
    """Yield evidence without proof, or with none but a weak one."""
    for reference in references:
        if not reference.is_evidence or any(s.signature for s in reference.signatures):
            continue
        algorithms = [m.known_algorithm for m in reference.macs if m.is_sound]
        if reference.is_unsecured:
            yield unsecured(reference.where)
        elif algorithms and all(a is not None and a.is_weak for a in algorithms):
            yield Finding(
                rule="EVIDENCE_WEAK_MAC",
                status=Status.FAIL,
                message="the MACAlgorithm (0400,0015) that secures a referenced instance is "
                f"{algorithms[0]}, for which collisions are feared",
                where=reference.where,
                cites="PS3.15 A.4 b",
                sub_indication=SubIndication.CRYPTO_CONSTRAINTS_FAILURE,
            )


def _state(
    dataset: DataSet, structure: SignatureStructure, purpose: SignaturePurpose | None
) -> Iterator[Finding]:
    """Yield where flags, observers and purpose of a report contradict each other."""
    values = condition_values(dataset)
    for keyword, terms in _TERMS.items():
        stored = dataset.text(tag_for_keyword(keyword))
        if stored and stored not in terms:
            yield _failure(
                "SR_FLAG",
                f"{describe_tag(tag_for_keyword(keyword))} is {stored!r}, expected "
                f"{' or '.join(terms)}",
                tag_for_keyword(keyword),
                _GENERAL,
            )
    verified = values["VerificationFlag"] == "VERIFIED"
    yield from _observers(dataset, verified=verified)
    yield from _purpose(structure, purpose, verified=verified)
    if verified and values["CompletionFlag"] != "COMPLETE":
        yield _failure(
            "SR_VERIFIED_NOT_COMPLETE",
            "VerificationFlag (0040,A493) is VERIFIED but CompletionFlag (0040,A491) is "
            f"{values['CompletionFlag']!r}, expected 'COMPLETE'",
            0x0040A491,
            _GENERAL,
        )


def _observers(dataset: DataSet, *, verified: bool) -> Iterator[Finding]:
    items = dataset.items(VERIFYING_OBSERVERS)
    if verified != (VERIFYING_OBSERVERS in dataset):
        said = "VERIFIED without" if verified else "not VERIFIED, but there is"
        yield _failure(
            "SR_VERIFYING_OBSERVER",
            f"VerificationFlag (0040,A493) is {said} VerifyingObserverSequence (0040,A073)",
            VERIFYING_OBSERVERS,
            _GENERAL,
        )
    elif verified and (len(items) != 1 or not _is_whole(items[0])):
        yield _failure(
            "SR_ONE_VERIFYING_OBSERVER",
            f"VerifyingObserverSequence (0040,A073) has {len(items)} items, expected one with "
            "VerifyingObserverName (0040,A075), VerifyingOrganization (0040,A027) and "
            "VerificationDateTime (0040,A030)",
            VERIFYING_OBSERVERS,
            "PS3.15 C.4",
        )
    attested = {name_key(name) for name in attestors(dataset)} - {frozenset()}
    if attested & {name_key(name) for name in verifying_observers(dataset)}:
        yield _failure(
            "SR_VERIFIER_ATTESTS",
            "one person is both Verifying Observer (0040,A073) and a participant (0040,A07A) of "
            "type ATTEST",
            0x0040A07A,
            _GENERAL,
        )


def _is_whole(item: DataSet) -> bool:
    return all(item.text(tag_for_keyword(k)).strip(" ^=") for k in _OBSERVER_NAMES)


def _purpose(
    structure: SignatureStructure, purpose: SignaturePurpose | None, *, verified: bool
) -> Iterator[Finding]:
    """Yield where purpose 5 and VERIFIED do not come together."""
    verifies = purpose is SignaturePurpose.VERIFICATION
    if verifies and not verified:
        yield _failure(
            "SR_5_NEEDS_VERIFIED",
            "an approval (signature of purpose 5) needs VerificationFlag (0040,A493) VERIFIED; "
            "approve the report instead",
            0x0040A493,
            "PS3.15 C.4",
        )
    approved = any(
        known_purpose(s.signature.purpose) is SignaturePurpose.VERIFICATION
        for s in structure.signatures
        if not s.level.path
    )
    if verified and not verifies and not approved:
        yield _failure(
            "SR_VERIFIED_NEEDS_5",
            "VerificationFlag (0040,A493) is VERIFIED without the signature of an approval",
            0x0040A493,
            "PS3.15 C.4",
        )


def _failure(rule: str, message: str, tag: int, cites: str) -> Finding:
    return Finding(
        rule=rule,
        status=Status.FAIL,
        message=message,
        where=format_tag(tag),
        cites=cites,
        sub_indication=SubIndication.SIG_CONSTRAINTS_FAILURE,
    )
