"""Comparing cited instances with the proofs a document carries about them.

Cites: PS3.15 A.4; PS3.3 Table C.17-3a; PS3.17 Annex W.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from sr.dicomfile.dataset import DataSet, DICOMFile
from sr.dicomfile.tags import describe_tag, is_private
from sr.errors import SRError
from sr.findings import Finding, Status, SubIndication
from sr.mac.algorithm import MACAlgorithm
from sr.mac.selection import is_signable
from sr.mac.stream import Padding, digest_chunks, mac_stream
from sr.signature.coverage import coverage_class
from sr.signature.references import DocumentReference, MACReference, document_references
from sr.signature.structure import examine
from sr.verification.facts import Integrity, Proof, ReferenceFacts, ReferenceResult
from sr.verification.fragments import ambiguous_fragments
from sr.verification.gather import signature_facts

__all__ = ["Candidate", "compare_reference", "compare_references"]

_CITES = "PS3.15 A.4"
_CONTENT_SEQUENCE, _REFERENCED = 0x0040A730, 0x00081199
_FLOOR = frozenset({0x00080016, 0x00080018})


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A file that says it is a cited instance.

    Cites: PS3.3 C.12.1.
    """

    label: str
    """File name, for people."""
    read: Callable[[], DICOMFile]
    """Reads the file; may raise an ``SRError``."""


def compare_references(
    document: DICOMFile, find: Callable[[str], Iterable[Candidate]]
) -> tuple[ReferenceFacts, ...]:
    """Return one comparison for each evidence item of a document.

    Args:
        document: The document as read.
        find: Returns the files that claim a SOP Instance UID.

    Cites: PS3.15 A.4.
    """
    cited = tuple(r for r in document_references(document.dataset) if r.is_evidence)
    results = tuple(compare_reference(r, tuple(find(r.sop_instance_uid))) for r in cited)
    extra = tuple(_document_findings(document, cited))
    if extra and results:
        first, *rest = results
        results = (_with(first, extra), *rest)
    return results


def compare_reference(
    reference: DocumentReference, candidates: tuple[Candidate, ...]
) -> ReferenceFacts:
    """Return how one cited instance compares with its proof.

    Where several files claim the UID, one that matches decides; the others are named.

    Cites: PS3.15 A.4; PS3.3 Table C.17-3a.
    """
    common = tuple(_reference_findings(reference))
    if not reference.is_secured:
        return _facts(reference, ReferenceResult.UNSECURED, findings=common)
    if not candidates:
        return _facts(reference, ReferenceResult.MISSING, findings=common)
    outcomes = [_compare(reference, candidate) for candidate in candidates]
    outcomes.sort(key=lambda outcome: _PREFERENCE.index(outcome.result))
    best = outcomes[0]
    conflicting = tuple(
        _finding(
            "EVIDENCE_CONFLICT",
            f"{other.file} claims the same SOPInstanceUID (0008,0018) and is {other.result}",
            reference.where,
            status=Status.WARN,
        )
        for other in outcomes[1:]
        if other.result is not best.result
    )
    return _with(best, (*common, *conflicting))


_PREFERENCE = (
    ReferenceResult.MATCHED,
    ReferenceResult.UNDECIDED,
    ReferenceResult.ALTERED,
    ReferenceResult.MISSING,
    ReferenceResult.UNSECURED,
)


def _compare(reference: DocumentReference, candidate: Candidate) -> ReferenceFacts:
    try:
        file = candidate.read()
    except SRError as error:
        finding = _finding("EVIDENCE_UNREADABLE", f"{candidate.label}: {error}", reference.where)
        return _facts(reference, ReferenceResult.ALTERED, candidate.label, findings=(finding,))
    by: list[Proof] = []
    wrong: list[Finding] = []
    undecided: list[Finding] = []
    if file.sop_class_uid != reference.sop_class_uid:
        wrong.append(
            _finding("EVIDENCE_CLASS", "SOPClassUID (0008,0016) differs from the reference",
                     reference.where)
        )  # fmt: skip
    for mac in reference.macs:
        if mac.is_sound:
            _sort(_compare_mac(file, mac, reference.where), Proof.MAC, by, wrong, undecided)
    for outcome in _compare_signatures(file, reference):
        _sort(outcome, Proof.SIGNATURE, by, wrong, undecided)
    result = (
        ReferenceResult.ALTERED if wrong
        else ReferenceResult.UNDECIDED if undecided or not by
        else ReferenceResult.MATCHED
    )  # fmt: skip
    return _facts(
        reference, result, candidate.label, tuple(dict.fromkeys(by)), (*wrong, *undecided)
    )


def _sort(
    found: Finding | None,
    proof: Proof,
    by: list[Proof],
    wrong: list[Finding],
    undecided: list[Finding],
) -> None:
    if found is None:
        by.append(proof)
    elif found.sub_indication is SubIndication.EVIDENCE_MISMATCH:
        wrong.append(found)
    elif found.status is Status.FAIL:
        undecided.append(found)


def _compare_mac(file: DICOMFile, mac: MACReference, where: str) -> Finding | None:
    """Return ``None`` where the instance is what the MAC was computed over."""
    dataset = file.dataset
    if mac.transfer_syntax_uid != file.transfer_syntax.mac_uid:
        return _finding(
            "EVIDENCE_TRANSFER_SYNTAX",
            f"the MAC was computed in {mac.transfer_syntax_uid}, the instance is stored in "
            f"{file.transfer_syntax.uid}",
            where, SubIndication.EVIDENCE_COVERAGE,
        )  # fmt: skip
    for tag in mac.data_elements_signed:
        element = dataset.get(tag)
        if element is None:
            return _finding("EVIDENCE_ABSENT", f"{describe_tag(tag)} is no longer there", where)
        if not is_signable(element):
            return _finding(
                "EVIDENCE_VR_UNKNOWN", f"{describe_tag(tag)} lost its value representation",
                where, SubIndication.VR_UNKNOWN,
            )  # fmt: skip
    algorithm = mac.known_algorithm
    assert algorithm is not None  # noqa: S101 - ``is_sound`` says so
    if not _same(dataset, mac, algorithm):
        return _finding("EVIDENCE_MAC", "the MAC differs: the instance was altered", where)
    return _reach(dataset, mac.data_elements_signed, where) or _strength(algorithm, where)


def _same(dataset: DataSet, mac: MACReference, algorithm: MACAlgorithm) -> bool:
    for padding in (Padding.AS_STORED, Padding.CANONICAL):
        chunks = mac_stream(dataset, mac.data_elements_signed, padding=padding)
        if digest_chunks(chunks, algorithm) == mac.mac:
            return True
    return False


def _reach(dataset: DataSet, listed: tuple[int, ...], where: str) -> Finding | None:
    """Return what keeps a matching proof from vouching for the instance."""
    known = frozenset(listed)
    for tag in sorted(_FLOOR | {e.tag for e in dataset if _belongs_to_floor(e.tag)}):
        if tag in dataset and tag not in known:
            return _finding(
                "EVIDENCE_COVERAGE", f"the proof does not cover {describe_tag(tag)}",
                where, SubIndication.EVIDENCE_COVERAGE,
            )  # fmt: skip
    for place in ambiguous_fragments(dataset, known):
        return _finding(
            "FRAG_AMBIGUOUS", f"the MAC does not fix the fragments of {place}; another picture "
            "could have it",
            where, SubIndication.FRAGMENTS_AMBIGUOUS,
        )  # fmt: skip
    return None


def _belongs_to_floor(tag: int) -> bool:
    """Whether a proof that leaves this out proves too little: identity, class, content."""
    if is_private(tag) or tag & 0xFFFF == 0:
        return False
    return coverage_class(tag).name.startswith(("IDENTITY", "CONTENT", "CHARSET"))


def _strength(algorithm: MACAlgorithm, where: str) -> Finding | None:
    if not algorithm.is_weak:
        return None
    return _finding(
        "EVIDENCE_WEAK_MAC", f"the MAC uses {algorithm.value}, for which collisions are feared",
        where, SubIndication.CRYPTO_CONSTRAINTS_FAILURE_NO_POE,
    )  # fmt: skip


def _compare_signatures(file: DICOMFile, reference: DocumentReference) -> Iterator[Finding | None]:
    """Yield ``None`` for each copied signature that the instance carries and that is intact."""
    if not reference.signatures:
        return
    present = {
        located.signature.digital_signature_uid: located
        for located in examine(file).signatures
        if not located.level.path
    }
    alone = not any(m.is_sound for m in reference.macs)
    for copied in reference.signatures:
        located = present.get(copied.digital_signature_uid)
        where = reference.where
        if located is None:
            if alone:
                yield _finding(
                    "EVIDENCE_SIGNATURE_ABSENT",
                    f"the instance does not carry signature {copied.digital_signature_uid}", where,
                )  # fmt: skip
            continue
        facts = signature_facts(file, located)
        if facts.signature.rstrip(b"\0") != copied.signature.rstrip(b"\0"):
            yield _finding(
                "EVIDENCE_SIGNATURE",
                "SignatureUID is the same, Signature (0400,0120) is not",
                where,
            )
        elif facts.integrity in (Integrity.OTHER_BYTES, Integrity.NOT_GENUINE):
            yield _finding(
                "EVIDENCE_SIGNATURE", "the instance's signature does not verify any more", where
            )
        elif not facts.integrity.is_intact:
            yield _finding(
                "EVIDENCE_SIGNATURE", f"the instance's signature is {facts.integrity.value}",
                where, SubIndication.EVIDENCE_COVERAGE,
            )  # fmt: skip
        else:
            yield _reach(file.dataset, facts.data_elements_signed, where) if alone else None


def _reference_findings(reference: DocumentReference) -> Iterator[Finding]:
    if len(reference.macs) > 1:
        yield _finding(
            "EVIDENCE_MAC_CONFLICT",
            "ReferencedSOPInstanceMACSequence (0400,0403) has more than one item",
            reference.where, SubIndication.EVIDENCE_COVERAGE,
        )  # fmt: skip


def _document_findings(
    document: DICOMFile, cited: tuple[DocumentReference, ...]
) -> Iterator[Finding]:
    listed = {r.sop_instance_uid for r in cited}
    if document.sop_instance_uid in listed:
        yield _finding(
            "EVIDENCE_SELF", "the document cites itself as evidence",
            "(0040,A375)", SubIndication.EVIDENCE_COVERAGE,
        )  # fmt: skip
    for uid in sorted(set(_tree_references(document.dataset)) - listed):
        yield _finding(
            "EVIDENCE_TREE", f"the content cites {uid}, which no evidence sequence lists",
            "(0040,A730)", SubIndication.EVIDENCE_COVERAGE,
        )  # fmt: skip


def _tree_references(dataset: DataSet) -> Iterator[str]:
    for item in dataset.items(_CONTENT_SEQUENCE):
        yield from (r.text(0x00081155) for r in item.items(_REFERENCED))
        yield from _tree_references(item)


def _facts(
    reference: DocumentReference,
    result: ReferenceResult,
    file: str | None = None,
    by: tuple[Proof, ...] = (),
    findings: tuple[Finding, ...] = (),
) -> ReferenceFacts:
    return ReferenceFacts(
        where=reference.where,
        sop_instance_uid=reference.sop_instance_uid,
        result=result,
        by=by,
        file=file,
        findings=findings,
    )


def _with(facts: ReferenceFacts, findings: tuple[Finding, ...]) -> ReferenceFacts:
    return ReferenceFacts(
        where=facts.where,
        sop_instance_uid=facts.sop_instance_uid,
        result=facts.result,
        by=facts.by,
        file=facts.file,
        findings=(*facts.findings, *findings),
    )


def _finding(
    rule: str,
    message: str,
    where: str,
    sub: SubIndication = SubIndication.EVIDENCE_MISMATCH,
    *,
    status: Status = Status.FAIL,
) -> Finding:
    return Finding(
        rule=rule, status=status, message=message, where=where, cites=_CITES, sub_indication=sub
    )
