"""Whether a signer is to be trusted: every rule of this room applied to one certificate.

Order: format of the value, chain, certificates, path, times, revocation, time-stamp. Without a
chain nobody vouches for the certificate's dates, so times and revocation are not judged then.
Of several chains the one with the fewest faults counts.

The signature value itself, time-stamp tokens and the identity a site expects are judged
elsewhere; a proven time is an argument.

Cites: EN 319 102-1 5.2; RFC 5280 6.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from sr.errors import TrustEvidenceError
from sr.findings import Finding, Limitation, Status
from sr.trust import rules
from sr.trust.certificate import Certificate, CertificateSummary, read_certificate_of_signer
from sr.trust.constraints import check_path_certificates, check_signer_certificate
from sr.trust.identity import persons_of
from sr.trust.material import TrustMaterial
from sr.trust.path import Path, broken_constraint, build_paths
from sr.trust.policy import TrustPolicy
from sr.trust.revocation import check_revocation, revocations
from sr.trust.rules import Fault, Outcome, finding, limitation
from sr.trust.validity import Times, check_claim, check_form, check_times

__all__ = ["SignerTrust", "evaluate_signer"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SignerTrust:
    """What was found about a signer under one policy."""

    findings: tuple[Finding, ...]
    """One a rule, passed ones too; the sub-indication of a FAIL says what it means."""
    limitations: tuple[Limitation, ...]
    chain: tuple[CertificateSummary, ...]
    """Signer first. Only the signer where no chain was found; empty for an unreadable value."""
    person: frozenset[str]
    """Identifiers of the person; see ``persons_of``."""


def evaluate_signer(
    certificate_of_signer: bytes,
    *,
    claimed_at: datetime | None,
    claimed_zone_known: bool,
    proven_at: datetime | None,
    judged_at: datetime,
    material: TrustMaterial,
    policy: TrustPolicy,
) -> SignerTrust:
    """Judge the signer of a signature.

    Args:
        certificate_of_signer: Value of CertificateOfSigner (0400,0115), with padding; any bytes.
        claimed_at: DigitalSignatureDateTime (0400,0105); without known zone its digits as UTC.
        claimed_zone_known: Whether it states its offset from UTC.
        proven_at: When a verified time-stamp proves that the signature existed.
        judged_at: The time to judge at.
        material: Anchors, intermediates and revocation lists.
        policy: What is demanded.

    Raises:
        TrustEvidenceError: A part of the *material* does not parse.

    Cites: EN 319 102-1 5.2; RFC 5280 6.
    """
    times = Times(
        claimed_at=claimed_at,
        claimed_zone_known=claimed_zone_known,
        proven_at=proven_at,
        judged_at=judged_at,
    )
    try:
        signer = read_certificate_of_signer(certificate_of_signer)
    except TrustEvidenceError as exc:
        fault = Fault(message=f"CertificateOfSigner (0400,0115): {exc}")
        format_failure = finding((rules.CERT_DER, fault), policy)
        return SignerTrust(findings=(format_failure,), limitations=(), chain=(), person=frozenset())
    return _judge(signer, times, material, policy)


def _judge(
    signer: Certificate, times: Times, material: TrustMaterial, policy: TrustPolicy
) -> SignerTrust:
    paths = build_paths(signer, material)
    if not paths:
        return _trust((signer,), _outcomes_without_path(signer, times, policy), policy)
    trusts = (_trust(path, _outcomes(path, times, material, policy), policy) for path in paths)
    return min(trusts, key=_faults)


def _faults(trust: SignerTrust) -> tuple[int, int]:
    failed = sum(each.status is Status.FAIL for each in trust.findings)
    return failed, len(trust.limitations)


def _trust(path: Path, outcomes: Iterable[Outcome], policy: TrustPolicy) -> SignerTrust:
    outcomes = tuple(outcomes)
    limitations = (limitation(outcome, policy) for outcome in outcomes)
    return SignerTrust(
        findings=tuple(finding(outcome, policy) for outcome in outcomes),
        limitations=tuple(each for each in limitations if each is not None),
        chain=tuple(each.summary for each in path),
        person=persons_of(path[0], policy.identity),
    )


def _outcomes_without_path(
    signer: Certificate, times: Times, policy: TrustPolicy
) -> Iterator[Outcome]:
    yield rules.CERT_DER, None
    yield rules.CERT_CHAIN, Fault(message=f"{signer}: no chain of signatures to a trust anchor")
    yield from check_signer_certificate(signer, policy)
    yield from check_path_certificates((signer,), (signer,), policy, times)
    yield from check_form(times)


def _outcomes(
    path: Path, times: Times, material: TrustMaterial, policy: TrustPolicy
) -> Iterator[Outcome]:
    yield rules.CERT_DER, None
    yield rules.CERT_CHAIN, None
    yield from check_signer_certificate(path[0], policy)
    certificates = tuple(check_path_certificates(path, path[:-1], policy, times))
    yield from certificates
    if (rules.CERT_CRITICAL_EXTENSION, None) in certificates:
        broken = broken_constraint(path, policy.certificate_policies)
        yield rules.CERT_PATH, Fault(message=broken) if broken else None
    yield from check_claim(times, policy)
    yield from check_times(path, times)
    yield from check_revocation(path, revocations(path, material, times, policy), times)
    yield from check_form(times)
