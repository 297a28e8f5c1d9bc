"""Judging comparisons of cited instances: what the policy and trust in a signer make of them.

Cites: PS3.15 A.4, C.1; ETSI EN 319 102-1 5.2.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from sr.findings import Finding, Limitation, LimitationCode, Status, SubIndication
from sr.trust import TrustMaterial, TrustPolicy, evaluate_signer
from sr.trust.policy import Consequence
from sr.verification.facts import Proof, ReferenceFacts, ReferenceResult, SignatureFacts
from sr.verification.timestamp_rules import judge_timestamp

__all__ = ["judge_references", "reference_limitations"]

_LIMITATIONS = {
    "EVIDENCE_PADDING": LimitationCode.PADDING_NORMALISED,
    "EVIDENCE_WEAK_MAC": LimitationCode.WEAK_ALGORITHM,
    "EVIDENCE_COERCIBLE": LimitationCode.IDENTITY_NOT_COVERED,
    "EVIDENCE_OTHER": LimitationCode.OTHER_NOT_COVERED,
    "EVIDENCE_PRIVATE": LimitationCode.PRIVATE_NOT_COVERED,
}


def judge_references(
    references: tuple[ReferenceFacts, ...],
    *,
    policy: TrustPolicy,
    material: TrustMaterial,
    judged_at: datetime,
) -> tuple[ReferenceFacts, ...]:
    """Return the comparisons as they stand under a policy.

    A match that rests on the instance's own signature alone needs a trusted signer: whoever may
    choose the certificate can make one that fits a given signature value and other bytes.

    Raises:
        TrustEvidenceError: A part of the trust material does not parse.

    Cites: PS3.15 A.4; PS3.17 Annex W (a *verified* signature is copied).
    """
    judged = []
    for reference in references:
        reference = _weighed(reference, policy)
        if reference.result is ReferenceResult.MATCHED and reference.rests_on is not None:
            fault = _distrust(reference.rests_on, policy, material, judged_at)
            if fault is not None:
                reference = _undecided(reference, fault)
        judged.append(reference)
    return tuple(judged)


def reference_limitations(references: tuple[ReferenceFacts, ...]) -> Iterator[Limitation]:
    """Yield what was tolerated in comparisons that did not fail, each thing once.

    Cites: PS3.15 A.4.
    """
    tolerated = [
        (code, f)
        for reference in references
        for f in reference.findings
        if (code := _LIMITATIONS.get(f.rule)) is not None and f.status is not Status.FAIL
    ]
    counted = Counter((code, f.message) for code, f in tolerated)
    first = {(code, f.message): f.where for code, f in reversed(tolerated)}
    for (code, message), count in counted.items():
        more = f" (and of {count - 1} further references)" if count > 1 else ""
        yield Limitation(code=code, message=f"{message}{more}", where=first[code, message])


def _weighed(reference: ReferenceFacts, policy: TrustPolicy) -> ReferenceFacts:
    """Tolerate a weak MAC and what an archive may coerce, where the policy allows it."""
    findings = tuple(_tolerated(f, policy) for f in reference.findings)
    if findings == reference.findings:
        return reference
    decided = not any(f.status is Status.FAIL for f in findings)
    proof = Proof.MAC if reference.rests_on is None else Proof.SIGNATURE
    return replace(
        reference,
        findings=findings,
        result=ReferenceResult.MATCHED if decided else reference.result,
        by=tuple(dict.fromkeys((proof, *reference.by))),
    )


def _tolerated(f: Finding, policy: TrustPolicy) -> Finding:
    weak = f.rule == "EVIDENCE_WEAK_MAC" and policy.weak_algorithm is not Consequence.FAIL
    coercible = f.rule == "EVIDENCE_COERCIBLE" and policy.evidence_coercible is not Consequence.FAIL
    return replace(f, status=Status.WARN) if weak or coercible else f


def _distrust(
    signature: SignatureFacts, policy: TrustPolicy, material: TrustMaterial, judged_at: datetime
) -> str | None:
    """Return why the signer of an instance is not to be trusted, or ``None``."""
    stamp = judge_timestamp(signature, policy=policy, material=material, judged_at=judged_at)
    proven_at = stamp.proven_at if stamp is not None else None
    trust = evaluate_signer(
        signature.certificate,
        claimed_at=signature.claimed.at,
        claimed_zone_known=signature.claimed.zone_known,
        proven_at=proven_at,
        judged_at=judged_at,
        material=material,
        policy=policy,
    )
    for f in (*(stamp.findings if stamp is not None else ()), *trust.findings):
        if f.status is Status.FAIL:
            return f.message
    weakness = policy.hash_weakness(
        signature.mac_algorithm,
        claimed_at=signature.claimed.at,
        proven_at=proven_at,
        judged_at=judged_at,
    )
    if weakness is not None and policy.weak_algorithm is Consequence.FAIL:
        return f"MACAlgorithm (0400,0015) {signature.mac_algorithm} is weak"
    return None


def _undecided(reference: ReferenceFacts, fault: str) -> ReferenceFacts:
    finding = Finding(
        rule="EVIDENCE_SIGNER",
        status=Status.FAIL,
        message=f"only its own signature vouches for the instance, not trusted: {fault}",
        where=reference.where,
        cites="PS3.15 A.4",
        sub_indication=SubIndication.EVIDENCE_COVERAGE,
    )
    return replace(
        reference,
        result=ReferenceResult.UNDECIDED,
        by=(),
        findings=(*reference.findings, finding),
    )
