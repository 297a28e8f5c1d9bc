"""The proof that goes with a reference: computed, copied from the instance, or from a selection.

The three ways of PS3.17 Annex W, case 1 d. A MAC is always there. A signature of the instance is
copied beside it only after it was verified, here and now. The proof of a trusted key object
selection is taken over as it stands, without hashing the instance; what its header shows is held
against it all the same.

Cites: PS3.15 A.4 (b); PS3.17 Annex W; PS3.3 Table C.17-3a.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric import ec, rsa

from sr.dicomfile.dataset import DICOMFile
from sr.dicomfile.tags import describe_tag
from sr.document.reference import ReferencedDigitalSignature, SecureReference
from sr.errors import EvidenceError, TrustEvidenceError
from sr.findings import Finding, Status, SubIndication
from sr.mac.reference import ReferencedSOPInstanceMAC, compute_mac
from sr.signature.reference_coverage import (
    MACCoverage,
    coercible_tags,
    floor_left_out,
    reference_tags,
)
from sr.signature.references import DocumentReference, MACReference
from sr.signature.structure import examine
from sr.trust.algorithms import Moments
from sr.trust.certificate import read_certificate_of_signer
from sr.trust.policy import TrustPolicy
from sr.verification.facts import SignatureFacts
from sr.verification.gather import signature_facts

__all__ = ["ProofRules", "Proven", "copy_proof", "prove"]

_Usable = rsa.RSAPublicKey | ec.EllipticCurvePublicKey


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofRules:
    """How references are secured."""

    policy: TrustPolicy
    """Which algorithms are good enough for a signature that is copied."""
    at: datetime
    """When; aware."""
    coverage: MACCoverage = MACCoverage.FULL


@dataclass(frozen=True, slots=True, kw_only=True)
class Proven:
    """A proof, and what the author should know about it."""

    reference: SecureReference
    notices: tuple[Finding, ...] = ()


def prove(
    file: DICOMFile, rules: ProofRules, *, mac: ReferencedSOPInstanceMAC | None = None
) -> Proven:
    """Return the proof of an instance: its MAC, and its signatures that were verified just now.

    Args:
        file: The instance.
        rules: What is covered, and which signatures are good enough to be copied.
        mac: Its MAC, where that is known already.

    Raises:
        EncodingError: Nothing in it can be covered by a MAC.

    Cites: PS3.17 Annex W, case 1 d.1; PS3.3 Table C.17-3a.
    """
    copied: list[ReferencedDigitalSignature] = []
    notices: list[Finding] = []
    for located in examine(file).signatures:
        if located.level.path:
            continue
        facts = signature_facts(file, located)
        fault = next(_faults(facts, rules), None)
        if fault is None:
            uid = facts.digital_signature_uid
            copied.append(
                ReferencedDigitalSignature(digital_signature_uid=uid, signature=facts.signature)
            )
        else:
            notices.append(_not_copied(file, facts, fault))
    return Proven(
        reference=SecureReference(
            mac=mac or compute_mac(file, tags=reference_tags(file.dataset, rules.coverage)),
            signatures=tuple(copied),
        ),
        notices=tuple(notices),
    )


def _faults(facts: SignatureFacts, rules: ProofRules) -> Iterator[str]:
    """Yield why a signature is not copied; what it covers does not matter beside a MAC."""
    if not facts.integrity.is_intact:
        yield f"it is {facts.integrity.value}"
        return
    moments = Moments(claimed_at=None, proven_at=None, judged_at=rules.at)
    algorithms = rules.policy.algorithms
    if algorithms.hash_weakness(facts.mac_algorithm, moments) is not None:
        yield f"MACAlgorithm (0400,0015) {facts.mac_algorithm} is weak"
    try:
        key = read_certificate_of_signer(facts.certificate).public_key
    except TrustEvidenceError as error:
        yield str(error)
    else:
        if not isinstance(key, _Usable) or algorithms.key_weakness(key, moments) is not None:
            yield "its key is weak"


def _not_copied(file: DICOMFile, facts: SignatureFacts, fault: str) -> Finding:
    return Finding(
        rule="EVIDENCE_SIGNATURE_NOT_COPIED",
        status=Status.NOTICE if facts.integrity.is_intact else Status.WARN,
        message=f"signature {facts.digital_signature_uid} of {file.sop_instance_uid}: {fault}",
        where=facts.where,
        cites="PS3.17 Annex W, case 1 d.1",
        sub_indication=SubIndication.EVIDENCE_COVERAGE,
    )


def copy_proof(file: DICOMFile, said: DocumentReference) -> SecureReference | str:
    """Return the proof that a trusted selection has for an instance, or why it is not taken over.

    The instance is not hashed: whether it is what the proof says shows when the new document is
    checked.

    Args:
        file: The instance; only its headers are read.
        said: What the selection says about it.

    Raises:
        EvidenceError: The instance is not the one that the selection describes.

    Cites: PS3.17 Annex W, case 1 d.3.
    """
    _require_described(file, said)
    if len(said.macs) != 1 or not said.macs[0].is_sound:
        return "it has no MAC of the instance"
    mac = said.macs[0]
    algorithm = mac.known_algorithm
    if algorithm is None or algorithm.is_weak:
        return f"its MAC uses {mac.algorithm}"
    if mac.transfer_syntax_uid != file.transfer_syntax.mac_uid:
        return f"its MAC was computed in {mac.transfer_syntax_uid}"
    _require_covered(file, mac)
    left_out = floor_left_out(file.dataset, mac.data_elements_signed)
    thin = next((tag for tag in left_out if tag not in coercible_tags()), None)
    if thin is not None:
        return f"its MAC does not cover {describe_tag(thin)}"
    return SecureReference(
        mac=ReferencedSOPInstanceMAC(
            transfer_syntax_uid=mac.transfer_syntax_uid,
            algorithm=algorithm,
            data_elements_signed=mac.data_elements_signed,
            mac=mac.mac,
        ),
        signatures=tuple(
            ReferencedDigitalSignature(
                digital_signature_uid=s.digital_signature_uid, signature=s.signature
            )
            for s in said.signatures
            if s.signature
        ),
    )


def _require_described(file: DICOMFile, said: DocumentReference) -> None:
    for tag, described in (
        (0x00080016, said.sop_class_uid),
        (0x0020000D, said.study_instance_uid),
        (0x0020000E, said.series_instance_uid),
    ):
        if file.dataset.text(tag) != described:
            raise EvidenceError(
                f"{describe_tag(tag)} of {file.sop_instance_uid} is {file.dataset.text(tag)!r}, "
                f"the trusted selection says {described!r}",
                where=said.where,
            )


def _require_covered(file: DICOMFile, mac: MACReference) -> None:
    for tag in mac.data_elements_signed:
        if tag not in file.dataset:
            raise EvidenceError(
                f"{describe_tag(tag)} of {file.sop_instance_uid} is no longer there; the MAC of "
                "the trusted selection covers it",
                where=describe_tag(tag),
            )
