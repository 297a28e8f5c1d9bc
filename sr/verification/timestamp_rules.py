"""Judging the time-stamp beside a signature: is it one, is it this signature's, is it proof.

What is not a time-stamp of this signature is never treated as absent: somebody put it there.

Cites: PS3.3 C.12.1.1.3.1.3; RFC 3161 2.4.2; ETSI EN 319 102-1 5.4.
"""

from __future__ import annotations

from datetime import datetime

from sr.errors import TrustEvidenceError
from sr.findings import Finding, Status, SubIndication
from sr.signature.integrity import der_prefix
from sr.signature.item import CMS_TSP
from sr.trust import TimestampTrust, TrustMaterial, TrustPolicy, evaluate_timestamp
from sr.trust.timestamp import TimestampToken, read_timestamp
from sr.verification.facts import SignatureFacts

__all__ = ["judge_timestamp"]


def judge_timestamp(
    facts: SignatureFacts,
    *,
    policy: TrustPolicy,
    material: TrustMaterial,
    judged_at: datetime,
    proven_at: datetime | None = None,
) -> TimestampTrust | None:
    """Return what the time-stamp of a signature is worth, ``None`` where there is none.

    Raises:
        TrustEvidenceError: A part of the trust material does not parse.

    Cites: PS3.3 C.12.1.1.3.1.3; ETSI EN 319 102-1 5.4.
    """
    if facts.timestamp is None and not facts.timestamp_type:
        return None
    try:
        token = _token(facts)
    except TrustEvidenceError as error:
        invalid = Finding(
            rule="TIMESTAMP_INVALID",
            status=Status.FAIL,
            message=str(error),
            where=facts.where,
            cites="PS3.3 C.12.1.1.3.1.3; RFC 3161 2.4.2",
            sub_indication=SubIndication.TIMESTAMP_FAILURE,
        )
        return TimestampTrust(findings=(invalid,), limitations=(), chain=(), proven_at=None)
    return evaluate_timestamp(
        token, judged_at=judged_at, material=material, policy=policy, proven_at=proven_at
    )


def _token(facts: SignatureFacts) -> TimestampToken:
    if not facts.timestamp:
        raise TrustEvidenceError(
            "CertifiedTimestampType (0400,0305) stands without CertifiedTimestamp (0400,0310)"
        )
    if facts.timestamp_type != CMS_TSP:
        raise TrustEvidenceError(
            f"CertifiedTimestampType (0400,0305) {facts.timestamp_type!r} is not {CMS_TSP}"
        )
    try:
        token = read_timestamp(facts.timestamp)
    except TrustEvidenceError as error:
        raise TrustEvidenceError(f"CertifiedTimestamp (0400,0310): {error}") from error
    padded = facts.key is not None and facts.key.kind == "EC"
    if not token.stamps(der_prefix(facts.signature) if padded else facts.signature):
        raise TrustEvidenceError(
            "CertifiedTimestamp (0400,0310) is not about this Signature (0400,0120)"
        )
    return token
