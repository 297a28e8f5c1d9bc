"""Comparing cited instances with the proofs a document carries about them.

Cites: PS3.15 A.4; PS3.3 Table C.17-3a; PS3.17 Annex W.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

from sr.dicomfile.dataset import DataSet, DICOMFile
from sr.dicomfile.tags import describe_tag, is_private
from sr.errors import DatasetError, LimitError, SRError
from sr.findings import Finding, Status, SubIndication
from sr.mac.algorithm import MACAlgorithm
from sr.mac.selection import is_signable
from sr.mac.stream import Padding, digest_segments, mac_segments
from sr.signature.coverage import uncovered_tags
from sr.signature.reference_coverage import coercible_tags, floor_left_out
from sr.signature.references import (
    DocumentReference,
    MACReference,
    SignatureReference,
    document_references,
)
from sr.signature.structure import examine, hidden_places
from sr.verification.facts import (
    Integrity,
    Proof,
    ReferenceFacts,
    ReferenceResult,
    SignatureFacts,
)
from sr.verification.fragments import ambiguous_fragments
from sr.verification.gather import signature_facts

__all__ = ["Candidate", "compare_reference", "compare_references"]

_CITES = "PS3.15 A.4"
_STUDY = 0x0020000D


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
    cited = (r for r in document_references(document.dataset) if r.is_evidence)
    return tuple(compare_reference(r, tuple(find(r.sop_instance_uid))) for r in cited)


def compare_reference(
    reference: DocumentReference, candidates: tuple[Candidate, ...]
) -> ReferenceFacts:
    """Return how one cited instance compares with its proof.

    What is not at hand is missing, whether or not there would be a proof to compare it with. Where
    several files claim the UID and one of them is altered, nobody can say which one a reader will
    be shown: undecided. Copies that only could not be compared are named. A reference with several
    MACs contradicts itself, see ``citations``, and is compared with none of them; nor with a
    malformed one, if there is no other proof.

    Cites: PS3.15 A.4; PS3.3 Table C.17-3a.
    """
    if not candidates:
        return _facts(reference, ReferenceResult.MISSING)
    if reference.is_unsecured:
        return _facts(reference, ReferenceResult.UNSECURED)
    if len(reference.macs) > 1 or not reference.is_secured:
        return _facts(reference, ReferenceResult.UNDECIDED)
    outcomes = [_compare(reference, candidate) for candidate in candidates]
    outcomes.sort(key=lambda outcome: _PREFERENCE.index(outcome.result))
    best = outcomes[0]
    conflicting = tuple(
        _conflict(reference, other) for other in outcomes[1:] if other.result is not best.result
    )
    disputed = any(f.status is Status.FAIL for f in conflicting)
    result = ReferenceResult.UNDECIDED if disputed else best.result
    return replace(best, result=result, findings=(*best.findings, *conflicting))


def _conflict(reference: DocumentReference, other: ReferenceFacts) -> Finding:
    altered = other.result is ReferenceResult.ALTERED
    return _finding(
        "EVIDENCE_CONFLICT",
        f"{other.file} claims the same SOPInstanceUID (0008,0018) and is {other.result}",
        reference.where,
        SubIndication.EVIDENCE_COVERAGE,
        status=Status.FAIL if altered else Status.WARN,
    )


_PREFERENCE = (
    ReferenceResult.MATCHED,
    ReferenceResult.UNDECIDED,
    ReferenceResult.ALTERED,
    ReferenceResult.MISSING,
    ReferenceResult.UNSECURED,
)


class _Outcome(NamedTuple):
    """What one proof showed."""

    proof: Proof | None
    findings: tuple[Finding, ...] = ()
    """What is to be said; a FAIL keeps the proof from vouching for the instance."""
    rests_on: SignatureFacts | None = None
    """The instance's signature, where nothing else vouches for the instance."""

    @property
    def failed(self) -> tuple[Finding, ...]:
        return tuple(f for f in self.findings if f.status is Status.FAIL)


def _compare(reference: DocumentReference, candidate: Candidate) -> ReferenceFacts:
    try:
        outcomes = tuple(_outcomes(reference, candidate.read()))
    except LimitError as error:
        outcomes = (_Outcome(None, (_not_compared(reference, candidate, error),)),)
    except DatasetError as error:
        unreadable = _finding("EVIDENCE_UNREADABLE", f"{candidate.label}: {error}", reference.where)
        outcomes = (_Outcome(None, (unreadable,)),)
    except SRError as error:
        outcomes = (_Outcome(None, (_not_compared(reference, candidate, error),)),)
    failed = [f for o in outcomes for f in o.failed]
    altered = any(f.sub_indication is SubIndication.EVIDENCE_MISMATCH for f in failed)
    by = tuple(dict.fromkeys(o.proof for o in outcomes if not o.failed and o.proof is not None))
    result = (
        ReferenceResult.ALTERED if altered
        else ReferenceResult.UNDECIDED if failed or not by
        else ReferenceResult.MATCHED
    )  # fmt: skip
    return ReferenceFacts(
        where=reference.where,
        sop_instance_uid=reference.sop_instance_uid,
        result=result,
        by=by,
        file=candidate.label,
        findings=tuple(f for o in outcomes for f in o.findings),
        rests_on=next((o.rests_on for o in outcomes if o.rests_on is not None), None),
    )


def _not_compared(reference: DocumentReference, candidate: Candidate, error: SRError) -> Finding:
    return _finding(
        "EVIDENCE_NOT_COMPARED", f"{candidate.label}: {error}", reference.where,
        SubIndication.EVIDENCE_COVERAGE,
    )  # fmt: skip


def _outcomes(reference: DocumentReference, file: DICOMFile) -> Iterator[_Outcome]:
    if file.sop_class_uid != reference.sop_class_uid:
        yield _Outcome(
            None,
            (_finding("EVIDENCE_CLASS", "SOPClassUID (0008,0016) differs from the reference",
                      reference.where),),
        )  # fmt: skip
    for mac in reference.macs:
        if mac.is_sound:
            yield _Outcome(Proof.MAC, tuple(_compare_mac(file, mac, reference)))
    yield from _compare_signatures(file, reference)


def _compare_mac(
    file: DICOMFile, mac: MACReference, reference: DocumentReference
) -> Iterator[Finding]:
    """Yield what is to be said of a MAC; a FAIL where the instance is not what it was taken of."""
    dataset, where = file.dataset, reference.where
    prevented = _not_comparable(file, mac, where)
    if prevented is not None:
        yield prevented
        return
    algorithm = mac.known_algorithm
    assert algorithm is not None  # noqa: S101 - ``is_sound`` says so
    matching = _matching_padding(dataset, mac, algorithm)
    if matching is None:
        yield _finding("EVIDENCE_MAC", "the MAC differs: the instance was altered", where)
        return
    yield from _reach(file, mac.data_elements_signed, reference)
    if algorithm.is_weak:
        yield _finding(
            "EVIDENCE_WEAK_MAC", f"the MAC uses {algorithm.value}, for which collisions are feared",
            where, SubIndication.CRYPTO_CONSTRAINTS_FAILURE_NO_POE,
        )  # fmt: skip
    if matching is not Padding.AS_STORED:
        yield _finding(
            "EVIDENCE_PADDING", "the MAC fits only after trailing padding was normalised", where,
            status=Status.NOTICE,
        )  # fmt: skip


def _not_comparable(file: DICOMFile, mac: MACReference, where: str) -> Finding | None:
    """Return why a MAC cannot be computed again as it was."""
    if mac.transfer_syntax_uid != file.transfer_syntax.mac_uid:
        return _finding(
            "EVIDENCE_TRANSFER_SYNTAX",
            f"the MAC was computed in {mac.transfer_syntax_uid}, the instance is stored in "
            f"{file.transfer_syntax.uid}",
            where, SubIndication.EVIDENCE_COVERAGE,
        )  # fmt: skip
    for tag in mac.data_elements_signed:
        element = file.dataset.get(tag)
        if element is None:
            return _finding("EVIDENCE_ABSENT", f"{describe_tag(tag)} is no longer there", where)
        if not is_signable(element):
            return _finding(
                "EVIDENCE_VR_UNKNOWN", f"{describe_tag(tag)} lost its value representation",
                where, SubIndication.VR_UNKNOWN,
            )  # fmt: skip
    return None


def _matching_padding(
    dataset: DataSet, mac: MACReference, algorithm: MACAlgorithm
) -> Padding | None:
    for padding in (Padding.AS_STORED, Padding.CANONICAL):
        segments = mac_segments(dataset, mac.data_elements_signed, padding=padding)
        if digest_segments(segments, algorithm) == mac.mac:
            return padding
    return None


def _reach(
    file: DICOMFile, listed: tuple[int, ...], reference: DocumentReference
) -> Iterator[Finding]:
    """Yield what a matching proof does not vouch for.

    What an archive may coerce is left to the policy, see ``reference_rules``.
    """
    where, coercible = reference.where, coercible_tags()
    left_out = floor_left_out(file.dataset, listed)
    thin = next((tag for tag in left_out if tag not in coercible), None)
    if thin is not None:
        yield _finding(
            "EVIDENCE_COVERAGE", f"the proof does not cover {describe_tag(thin)}",
            where, SubIndication.EVIDENCE_COVERAGE,
        )  # fmt: skip
    elif left_out:
        yield _finding(
            "EVIDENCE_COERCIBLE",
            f"the proof leaves out what an archive may change: "
            f"{', '.join(describe_tag(tag) for tag in left_out)}",
            where, SubIndication.EVIDENCE_COVERAGE,
        )  # fmt: skip
        yield from _coerced(file.dataset, left_out, reference)
    for place in hidden_places(file.dataset, listed)[:1]:
        yield _finding(
            "EVIDENCE_COVERAGE", f"{place} stands where no proof reaches it", where,
            SubIndication.EVIDENCE_COVERAGE,
        )  # fmt: skip
    said = frozenset(left_out) | (coercible if left_out else frozenset())
    others = [tag for tag in uncovered_tags(file.dataset, listed) if tag not in said]
    for rule, private in (("EVIDENCE_OTHER", False), ("EVIDENCE_PRIVATE", True)):
        tags = [describe_tag(tag) for tag in others if is_private(tag) is private]
        if tags:
            more = f" and {len(tags) - 3} more" if len(tags) > 3 else ""
            yield _finding(
                rule, f"the proof does not cover {', '.join(tags[:3])}{more} of the instance",
                where, SubIndication.EVIDENCE_COVERAGE, status=Status.NOTICE,
            )  # fmt: skip
    for place in ambiguous_fragments(file.dataset, frozenset(listed)):
        yield _finding(
            "FRAG_AMBIGUOUS", f"the MAC does not fix the fragments of {place}; another picture "
            "could have it",
            where, SubIndication.FRAGMENTS_AMBIGUOUS,
        )  # fmt: skip
        return


def _coerced(
    dataset: DataSet, left_out: tuple[int, ...], reference: DocumentReference
) -> Iterator[Finding]:
    """Yield what the document remembers otherwise than the instance now says."""
    if _STUDY in left_out and dataset.text(_STUDY) != reference.study_instance_uid:
        yield _finding(
            "EVIDENCE_COERCED",
            f"{describe_tag(_STUDY)} is {dataset.text(_STUDY)!r} now, the document says "
            f"{reference.study_instance_uid!r}",
            reference.where, SubIndication.EVIDENCE_COVERAGE, status=Status.WARN,
        )  # fmt: skip


def _compare_signatures(file: DICOMFile, reference: DocumentReference) -> Iterator[_Outcome]:
    """Yield what each copied signature showed that the instance still carries.

    A signature value alone fixes no bytes: for any value and any digest somebody can make a key
    that fits. Where no MAC stands beside it, the match rests on the signer, who is judged later.
    """
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
        if located is not None:
            facts = signature_facts(file, located)
            wrong = _compare_signature(copied, facts, reference.where)
            said: tuple[Finding, ...] = () if wrong is None else (wrong,)
            if alone and wrong is None:
                said = tuple(_reach(file, facts.data_elements_signed, reference))
            yield _Outcome(Proof.SIGNATURE, said, facts if alone else None)
        elif alone:
            yield _Outcome(
                Proof.SIGNATURE,
                (_finding(
                    "EVIDENCE_SIGNATURE_ABSENT",
                    f"the instance does not carry signature {copied.digital_signature_uid}",
                    reference.where, SubIndication.EVIDENCE_COVERAGE,
                ),),
            )  # fmt: skip


def _compare_signature(
    copied: SignatureReference, facts: SignatureFacts, where: str
) -> Finding | None:
    if facts.signature.rstrip(b"\0") != copied.signature.rstrip(b"\0"):
        return _finding(
            "EVIDENCE_SIGNATURE",
            "DigitalSignatureUID (0400,0100) is the same, Signature (0400,0120) is not",
            where,
        )
    if facts.integrity in (Integrity.OTHER_BYTES, Integrity.NOT_GENUINE):
        return _finding(
            "EVIDENCE_SIGNATURE", "the instance's signature does not verify any more", where
        )
    if not facts.integrity.is_intact:
        return _finding(
            "EVIDENCE_SIGNATURE", f"the instance's signature is {facts.integrity.value}",
            where, SubIndication.EVIDENCE_COVERAGE,
        )  # fmt: skip
    return None


def _facts(reference: DocumentReference, result: ReferenceResult) -> ReferenceFacts:
    return ReferenceFacts(
        where=reference.where, sop_instance_uid=reference.sop_instance_uid, result=result
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
