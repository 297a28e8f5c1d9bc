"""Judging one signature: facts, policy and time to findings.

Cites: ETSI EN 319 102-1 5.2; PS3.15 C.1, C.4.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sr.findings import Finding, Limitation, LimitationCode, Status, SubIndication
from sr.signature.documents import is_document
from sr.signature.profile import ProfileSubject, Use, applies, check_profile, load_profile
from sr.trust import (
    SignerTrust,
    TimestampTrust,
    TrustMaterial,
    TrustPolicy,
    evaluate_signer,
)
from sr.trust.policy import NOT_NEGOTIABLE, Consequence, Level
from sr.verification.facts import DocumentFacts, Integrity, SignatureFacts
from sr.verification.timestamp_rules import judge_timestamp

__all__ = ["Judgement", "judge_signature", "profile_subject", "weigh"]

_PROFILES_MOST_SPECIFIC_FIRST = ("structured-report-verification", "structured-report", "base-rsa")
_STATUS = {Level.FAIL: Status.FAIL, Level.WARN: Status.WARN, Level.NOTICE: Status.NOTICE}
_LEVEL = {Status.FAIL: Level.FAIL, Status.WARN: Level.WARN, Status.NOTICE: Level.NOTICE}


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What was found about one signature under one policy.

    Cites: ETSI EN 319 102-1 5.2.
    """

    facts: SignatureFacts
    findings: tuple[Finding, ...]
    limitations: tuple[Limitation, ...]
    trust: SignerTrust | None
    timestamp: TimestampTrust | None
    """``None`` where there is no time-stamp."""
    proven_at: datetime | None
    """When a time-stamp, beside the signature or over all of it, proves that it existed."""
    profile: str | None


def judge_signature(
    document: DocumentFacts,
    facts: SignatureFacts,
    *,
    policy: TrustPolicy,
    material: TrustMaterial,
    judged_at: datetime,
    proven_at: datetime | None = None,
) -> Judgement:
    """Return what one signature is worth; ``proven_at`` as for a whole document.

    Raises:
        TrustEvidenceError: A part of the trust material does not parse.

    Cites: ETSI EN 319 102-1 5.2; PS3.15 C.1, C.4.
    """
    trust = None
    findings = [
        *facts.findings,
        *_integrity(facts),
        *_ambiguity(facts),
        *_claimed_time(facts),
    ]
    limitations = [*_tolerances(facts)]
    stamp = judge_timestamp(
        facts, policy=policy, material=material, judged_at=judged_at, proven_at=proven_at
    )
    if stamp is not None:
        proven_at = min(filter(None, (stamp.proven_at, proven_at)), default=None)
        findings += stamp.findings
        limitations += stamp.limitations
    if facts.certificate or facts.integrity.is_intact:
        trust = evaluate_signer(
            facts.certificate,
            claimed_at=facts.claimed.at,
            claimed_zone_known=facts.claimed.zone_known,
            proven_at=proven_at,
            judged_at=judged_at,
            material=material,
            policy=policy,
        )
        findings += trust.findings
        limitations += trust.limitations
    strength = tuple(_strength(facts, policy, proven_at, judged_at))
    findings += [f for f in strength if isinstance(f, Finding)]
    limitations += [f for f in strength if isinstance(f, Limitation)]
    subject = profile_subject(document, facts)
    profile = _conforms_to(document, facts, subject)
    if facts.at_top_level and is_document(document.sop_class_uid) and not _malformed(facts):
        findings += _profile_findings(subject, policy)
    weighed = tuple(weigh(findings, policy))
    if not facts.integrity.is_intact and all(f.status is not Status.FAIL for f in weighed):
        weighed = (*weighed, _not_computed(facts))  # whatever a policy ignores
    return Judgement(
        facts=facts,
        findings=weighed,
        limitations=tuple(limitations),
        trust=trust,
        timestamp=stamp,
        proven_at=proven_at,
        profile=profile,
    )


def _malformed(facts: SignatureFacts) -> bool:
    """Whether nothing can be said about what a signature covers."""
    return any(f.sub_indication is SubIndication.FORMAT_FAILURE for f in facts.findings)


def weigh(findings: list[Finding], policy: TrustPolicy) -> Iterator[Finding]:
    """Yield findings with the severity the policy gives their rule.

    A broken MAC or signature value, and the format, are not negotiable.

    Cites: ETSI EN 319 102-1 5.1.4.3.
    """
    for f in findings:
        fixed = f.rule in NOT_NEGOTIABLE or f.sub_indication is SubIndication.FORMAT_FAILURE
        if fixed or f.status not in _LEVEL:
            yield f
            continue
        level = policy.level(f.rule, _LEVEL[f.status])
        if level is Level.IGNORE:
            continue
        yield f if _STATUS[level] is f.status else _restated(f, _STATUS[level])


def _restated(f: Finding, status: Status) -> Finding:
    return Finding(
        rule=f.rule,
        status=status,
        message=f.message,
        cites=f.cites,
        where=f.where,
        sub_indication=f.sub_indication,
    )


_INTEGRITY: dict[Integrity, tuple[str, SubIndication, str]] = {
    Integrity.OTHER_BYTES: (
        "MAC_VALUE", SubIndication.HASH_FAILURE,
        "the signature is genuine, but not for these bytes: something signed was altered",
    ),
    Integrity.INTACT_PEER_TRUNCATED: (
        "PEER_TRUNCATED_STREAM", SubIndication.PEER_TRUNCATED_STREAM,
        "the signature fits what dcmsign hashes, which is not all that it lists",
    ),
    Integrity.NOT_GENUINE: (
        "SIGNATURE_VALUE", SubIndication.SIG_CRYPTO_FAILURE,
        "Signature (0400,0120) was not made with the key of CertificateOfSigner (0400,0115)",
    ),
    Integrity.UNREADABLE_CERTIFICATE: (
        "CERT_DER", SubIndication.FORMAT_FAILURE,
        "CertificateOfSigner (0400,0115) cannot be read",
    ),
    Integrity.UNSUPPORTED: (
        "MAC_ALGORITHM", SubIndication.CRYPTO_CONSTRAINTS_FAILURE,
        "the algorithm or key type cannot be checked here",
    ),
}  # fmt: skip


def _integrity(facts: SignatureFacts) -> Iterator[Finding]:
    where = facts.where
    cites = "PS3.3 C.12.1.1.3.1.2"
    if facts.integrity.is_intact:
        yield Finding(
            rule="MAC_VALUE", status=Status.PASS, message="every covered byte is what was signed",
            where=where, cites=cites,
        )  # fmt: skip
    elif facts.integrity in _INTEGRITY:
        rule, sub, message = _INTEGRITY[facts.integrity]
        yield Finding(
            rule=rule, status=Status.FAIL, message=message, where=where, cites=cites,
            sub_indication=sub,
        )  # fmt: skip
    elif not any(f.status is Status.FAIL for f in facts.findings):
        yield _not_computed(facts)


def _not_computed(facts: SignatureFacts) -> Finding:
    return Finding(
        rule="MAC_NOT_COMPUTED", status=Status.FAIL,
        message="the MAC could not be computed, so nothing is known about what was signed",
        where=facts.where, cites="PS3.3 C.12.1.1.3.1.2", sub_indication=SubIndication.VR_UNKNOWN,
    )  # fmt: skip


def _ambiguity(facts: SignatureFacts) -> Iterator[Finding]:
    for place in facts.ambiguous_fragments:
        yield Finding(
            rule="FRAG_AMBIGUOUS", status=Status.FAIL,
            message=f"the MAC does not fix where the fragments of {place} begin and end; another "
            "picture could have it",
            where=place, cites="PS3.3 C.12.1.1.3.1.1",
            sub_indication=SubIndication.FRAGMENTS_AMBIGUOUS,
        )  # fmt: skip


def _claimed_time(facts: SignatureFacts) -> Iterator[Finding]:
    if facts.claimed.at is None:
        yield Finding(
            rule="TIME_UNREADABLE", status=Status.FAIL,
            message=f"DigitalSignatureDateTime (0400,0105) {facts.claimed.text!r} is no date-time",
            where=facts.where, cites="PS3.5 6.2; PS3.3 C.12.1.1.3",
            sub_indication=SubIndication.FORMAT_FAILURE,
        )  # fmt: skip


def _tolerances(facts: SignatureFacts) -> Iterator[Limitation]:
    if facts.integrity is Integrity.INTACT_PADDING_NORMALISED:
        yield Limitation(
            code=LimitationCode.PADDING_NORMALISED,
            message="the signature fits only after trailing padding was normalised",
            where=facts.where,
        )
    if facts.truncation is not None:
        first = facts.truncation.first_uncovered
        yield Limitation(
            code=LimitationCode.PEER_TRUNCATED_STREAM,
            message=f"dcmsign left {facts.truncation.bytes_missing} bytes out of this signature, "
            f"from {first} on",
            where=f"{facts.location}.{first}" if facts.location else first,
        )
    for place in facts.ambiguous_fragments:
        yield Limitation(
            code=LimitationCode.FRAGMENTS_AMBIGUOUS,
            message="the MAC does not fix where the fragments of the pixel data begin and end",
            where=place,
        )


def _strength(
    facts: SignatureFacts, policy: TrustPolicy, proven_at: datetime | None, judged_at: datetime
) -> Iterator[Finding | Limitation]:
    """Yield what is weak about the MAC algorithm; certificates are judged with the path."""
    if not facts.mac_algorithm:
        return
    weakness = policy.hash_weakness(
        facts.mac_algorithm, claimed_at=facts.claimed.at, proven_at=proven_at, judged_at=judged_at
    )
    if weakness is None:
        return
    message = f"MACAlgorithm (0400,0015) {facts.mac_algorithm} is not strong enough any more"
    yield Limitation(code=LimitationCode.WEAK_ALGORITHM, message=message, where=facts.where)
    if policy.weak_algorithm is Consequence.FAIL:
        yield Finding(
            rule="MAC_ALGORITHM_WEAK", status=Status.FAIL, message=message, where=facts.where,
            cites="PS3.15 C.1", sub_indication=weakness,
        )  # fmt: skip


def profile_subject(document: DocumentFacts, facts: SignatureFacts) -> ProfileSubject:
    """Return a found signature as profiles see it.

    Cites: PS3.15 6.3.
    """
    return ProfileSubject(
        present=frozenset(document.present) if facts.at_top_level else frozenset(),
        signed=frozenset(facts.data_elements_signed),
        at_top_level=facts.at_top_level,
        values=document.values,
        purpose=facts.purpose,
        mac_algorithm=facts.mac_algorithm,
        key_type=facts.key.kind if facts.key is not None else "unreadable",
        certificate_type=facts.certificate_type,
        timestamp_type=facts.timestamp_type,
    )


def _conforms_to(
    document: DocumentFacts, facts: SignatureFacts, subject: ProfileSubject
) -> str | None:
    if not facts.integrity.is_intact:
        return None
    about_reports = is_document(document.sop_class_uid)
    for profile_id in _PROFILES_MOST_SPECIFIC_FIRST:
        profile = load_profile(profile_id)
        if not about_reports and profile_id != "base-rsa":
            continue
        if applies(profile, subject) and not check_profile(profile, subject, Use.ACCEPT):
            return profile_id
    return None


_JUDGED_WITH_THE_CERTIFICATE = frozenset({"PROFILE_KEY_TYPE"})


def _profile_findings(subject: ProfileSubject, policy: TrustPolicy) -> Iterator[Finding]:
    """Yield what keeps a top-level signature of a report from the SR profile.

    A key type outside the profile is a limitation that trust reports; a policy may do without a
    purpose, not with a wrong one.
    """
    for f in check_profile(load_profile("structured-report"), subject, Use.ACCEPT):
        dispensed = f.rule == "SR_PURPOSE" and subject.purpose is None
        if f.rule in _JUDGED_WITH_THE_CERTIFICATE:
            continue
        if not dispensed or policy.require_purpose_for_sr_kos:
            yield f
