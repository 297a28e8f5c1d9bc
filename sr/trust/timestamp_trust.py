"""Whether a time-stamp proves a time: its authority held against anchors, dates and revocation.

The authority is judged at the time of judging, since nothing older vouches for the token itself.
It must have been valid when it made the token. That it expired since is remarked upon, unless
something newer proves that the token is older. A revocation undoes every token, unless something
else proves that the token is older, or it is older by its own account and the authority merely went
out of business.

Anchors for time-stamps are those given for them; where none are, the anchors for signers count. A
certificate that may make time-stamps may do nothing else, so neither can stand in for the other.

Cites: RFC 3161 2.3, 4; EN 319 102-1 5.4.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID

from sr.findings import Finding, Limitation, Status
from sr.trust import rules
from sr.trust.certificate import Certificate, CertificateSummary, read_certificate
from sr.trust.constraints import check_path_certificates
from sr.trust.material import TrustMaterial
from sr.trust.path import Path, broken_constraint, build_paths
from sr.trust.policy import CertificatePolicies, TrustPolicy
from sr.trust.revocation import revocations
from sr.trust.rules import WEAKNESSES, Fault, Outcome, finding, limitation
from sr.trust.statement import RevocationState
from sr.trust.timestamp import TimestampToken
from sr.trust.validity import Times

__all__ = ["TimestampTrust", "evaluate_timestamp"]

_TIME_STAMPING = frozenset({ExtendedKeyUsageOID.TIME_STAMPING.dotted_string})
_SIGNING = frozenset({"digital_signature", "content_commitment"})
_OUT_OF_BUSINESS = frozenset({"affiliationChanged", "superseded", "cessationOfOperation"})
"""Reasons of a revocation that leave older tokens their worth."""


_ANY_POLICY = CertificatePolicies()
"""What a policy demands of the certificate policies of signers says nothing about authorities."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimestampTrust:
    """What a time-stamp is worth under one policy.

    Cites: EN 319 102-1 5.4.
    """

    findings: tuple[Finding, ...]
    limitations: tuple[Limitation, ...]
    chain: tuple[CertificateSummary, ...]
    """Authority first; empty where its certificate is not known."""
    proven_at: datetime | None
    """When the stamped value existed at the latest; ``None`` where the token proves nothing."""


def evaluate_timestamp(
    token: TimestampToken,
    *,
    judged_at: datetime,
    material: TrustMaterial,
    policy: TrustPolicy,
    proven_at: datetime | None = None,
) -> TimestampTrust:
    """Judge the authority of a time-stamp; that it stamps the right value is judged elsewhere.

    Args:
        token: From ``read_timestamp``.
        judged_at: The time to judge at.
        material: Anchors, intermediates and revocation lists.
        policy: What is demanded.
        proven_at: When something else, such as a later time-stamp, proves that this one existed.

    Raises:
        TrustEvidenceError: A part of the *material* does not parse.

    Cites: RFC 3161 2.3, 2.4.2, 4; EN 319 102-1 5.4.
    """
    material = replace(
        material,
        anchors=material.timestamp_anchors or material.anchors,
        intermediates=tuple(dict.fromkeys((*material.intermediates, *token.certificates))),
    )
    times = Times(
        claimed_at=None, claimed_zone_known=True, proven_at=proven_at, judged_at=judged_at
    )
    authority = _authority(token, material)
    if authority is None:
        fault = Fault(message="the certificate of the time-stamp authority is not known")
        return _trust(token, (), [(rules.TIMESTAMP_CHAIN, fault)], policy)
    if not token.is_signed_by(authority):
        fault = Fault(message=f"the time-stamp was not signed with the key of {authority}")
        return _trust(token, (authority,), [(rules.TIMESTAMP_INVALID, fault)], policy)
    paths = build_paths(authority, material)
    if not paths:
        outcomes = _outcomes_without_path(token, authority, times, policy)
        return _trust(token, (authority,), outcomes, policy)
    trusts = [
        _trust(token, path, _outcomes(token, path, times, material, policy), policy)
        for path in paths
    ]
    return min(trusts, key=_faults)


def _authority(token: TimestampToken, material: TrustMaterial) -> Certificate | None:
    known = (*material.intermediates, *material.anchors)
    return next((read_certificate(der) for der in known if token.names(der)), None)


def _trust(
    token: TimestampToken, path: Path, outcomes: Iterable[Outcome], policy: TrustPolicy
) -> TimestampTrust:
    outcomes = tuple(outcomes)
    findings = tuple(finding(outcome, policy) for outcome in outcomes)
    limitations = (limitation(outcome, policy) for outcome in outcomes)
    sound = not any(each.status is Status.FAIL for each in findings)
    proves = sound and (rules.TIMESTAMP_CHAIN, None) in outcomes
    return TimestampTrust(
        findings=findings,
        limitations=tuple(each for each in limitations if each is not None),
        chain=tuple(each.summary for each in path),
        proven_at=token.latest if proves else None,
    )


def _faults(trust: TimestampTrust) -> tuple[int, int]:
    failed = sum(each.status is Status.FAIL for each in trust.findings)
    return failed, len(trust.limitations)


def _outcomes_without_path(
    token: TimestampToken, authority: Certificate, times: Times, policy: TrustPolicy
) -> Iterator[Outcome]:
    yield rules.TIMESTAMP_INVALID, None
    fault = Fault(message=f"{authority}: no chain of signatures to a trust anchor")
    yield rules.TIMESTAMP_CHAIN, fault
    yield rules.TIMESTAMP_AUTHORITY, _not_for_timestamps(authority)
    yield from _certificates((authority,), (authority,), token, times, policy)
    yield rules.TIMESTAMP_VALIDITY, _not_valid_then((authority,), token)


def _outcomes(
    token: TimestampToken,
    path: Path,
    times: Times,
    material: TrustMaterial,
    policy: TrustPolicy,
) -> Iterator[Outcome]:
    below = path[:-1] or path
    yield rules.TIMESTAMP_INVALID, None
    yield rules.TIMESTAMP_CHAIN, None
    yield rules.TIMESTAMP_AUTHORITY, _not_for_timestamps(path[0])
    yield from _certificates(path, path[:-1], token, times, policy)
    yield rules.TIMESTAMP_VALIDITY, _not_valid_then(below, token)
    yield rules.TIMESTAMP_AGED, _expired_since(below, times)
    yield from _revocation(token, path, times, material, policy)


def _not_for_timestamps(authority: Certificate) -> Fault | None:
    usage = authority.key_usage
    for holds, otherwise in (
        (
            authority.extended_key_usage == _TIME_STAMPING,
            "extended key usage is not timeStamping, alone",
        ),
        (
            ExtensionOID.EXTENDED_KEY_USAGE.dotted_string in authority.critical,
            "extended key usage timeStamping is not critical",
        ),
        (usage is None or frozenset() < usage <= _SIGNING, "key usage is not signatures, alone"),
        (not authority.is_ca, "a certification authority"),
    ):
        if not holds:
            return Fault(message=f"{authority}: {otherwise}")
    return None


def _certificates(
    path: Path, below: Path, token: TimestampToken, times: Times, policy: TrustPolicy
) -> Iterator[Outcome]:
    """Yield what the rules on certificates and hashes amount to for a time-stamp."""
    judged = tuple(check_path_certificates(path, below, policy, times))
    weak = [fault.message for rule, fault in judged if fault and rule in WEAKNESSES]
    weak += [
        f"the time-stamp rests on {name}"
        for name in sorted(token.hash_terms)
        if policy.hash_weakness(
            name, claimed_at=None, proven_at=times.proven_at, judged_at=times.judged_at
        )
    ]
    other = [fault.message for rule, fault in judged if fault and rule not in WEAKNESSES]
    if not other and (broken := broken_constraint(path, _ANY_POLICY)):
        other = [broken]
    yield rules.TIMESTAMP_ALGORITHM, Fault(message="; ".join(weak)) if weak else None
    yield rules.TIMESTAMP_PATH, Fault(message="; ".join(other)) if other else None


def _not_valid_then(certificates: Path, token: TimestampToken) -> Fault | None:
    at = token.generated_at
    for each in certificates:
        if not each.not_before <= at <= each.not_after:
            return Fault(message=f"{each}: not valid when the time-stamp was made, {at}")
    return None


def _expired_since(certificates: Path, times: Times) -> Fault | None:
    for each in certificates:
        if times.existed_at > each.not_after:
            return Fault(message=f"{each}: expired {each.not_after:%Y-%m-%d}, after the time-stamp")
    return None


def _revocation(
    token: TimestampToken,
    path: Path,
    times: Times,
    material: TrustMaterial,
    policy: TrustPolicy,
) -> Iterator[Outcome]:
    revoked = unknown = None
    for certificate, status in zip(path, revocations(path, material, times, policy), strict=False):
        if status.at is not None:
            harmless = status.because in _OUT_OF_BUSINESS and token.latest < status.at
            older = harmless or (times.proven_at is not None and times.proven_at < status.at)
            if not older:
                said = f"{status.state} since {status.at:%Y-%m-%d %H:%M:%SZ} ({status.because})"
                revoked = revoked or Fault(message=f"{certificate}: {said}")
        elif status.state is RevocationState.UNKNOWN:
            said = f"revocation status is not known: {status.because}"
            unknown = unknown or Fault(message=f"{certificate}: {said}")
    yield rules.TIMESTAMP_REVOCATION, revoked
    yield rules.TIMESTAMP_REVOCATION_KNOWN, unknown
