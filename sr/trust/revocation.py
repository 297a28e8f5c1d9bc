"""Whether a certificate of the path was revoked, and what that makes of the signature.

The rules lean to the safe side:

* a revocation counts however old the list is that says so;
* the word that a certificate is *good* counts only while the list is current, or when the list
  was issued after the signature is proven to have existed;
* a list issued after the certificate expired proves nothing by silence, since authorities drop
  expired certificates, unless it says that it keeps them;
* a key known to have been compromised before it was revoked counts from then on.

Cites: RFC 5280 6.3; EN 319 102-1 5.2.5, 5.2.6.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from itertools import chain

from cryptography import x509

from sr.findings import SubIndication
from sr.trust import rules
from sr.trust.certificate import Certificate, read_certificate
from sr.trust.crl import crl_statements
from sr.trust.material import TrustMaterial
from sr.trust.ocsp import ocsp_statements
from sr.trust.path import Path, issuers
from sr.trust.policy import TrustPolicy
from sr.trust.rules import Fault, Outcome
from sr.trust.statement import ALL_REASONS, RevocationState, Statement
from sr.trust.validity import Times

__all__ = ["Revocation", "check_revocation", "conclude", "revocations"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Revocation:
    """The revocation status of one certificate."""

    state: RevocationState
    at: datetime | None = None
    """Since when, for a revoked certificate or one on hold."""
    because: str = ""
    """Why nothing is known, or the reason given for the revocation."""


def check_revocation(
    path: Path, statuses: tuple[Revocation, ...], times: Times
) -> Iterator[Outcome]:
    """Yield the outcomes of the rules on revocation, one a revoked or unknown certificate.

    Args:
        path: Signer first, anchor last.
        statuses: What is known, in the order of the path.
        times: The moments.
    """
    pairs = tuple(zip(path, statuses, strict=False))
    revoked = [_revoked(each, status, times, path[0]) for each, status in pairs]
    unknown = [_unknown(each, status) for each, status in pairs]
    for rule, faults in (
        (rules.CERT_REVOCATION, revoked),
        (rules.CERT_REVOCATION_KNOWN, unknown),
    ):
        found = [fault for fault in faults if fault is not None]
        yield from ((rule, fault) for fault in found)
        if not found:
            yield rule, None


def _revoked(
    certificate: Certificate, status: Revocation, times: Times, signer: Certificate
) -> Fault | None:
    since = status.at
    if since is None or times.existed_at < since:
        return None
    message = f"{certificate}: {status.state} since {since:%Y-%m-%d %H:%M:%SZ} ({status.because})"
    if status.state is RevocationState.ON_HOLD:
        meaning = SubIndication.TRY_LATER
    elif certificate is not signer:
        meaning = SubIndication.REVOKED_CA_NO_POE
    elif times.claims_not_before(since):
        meaning = SubIndication.REVOKED
    else:
        meaning = SubIndication.REVOKED_NO_POE
    return Fault(message=message, sub_indication=meaning)


def _unknown(certificate: Certificate, status: Revocation) -> Fault | None:
    if status.state is not RevocationState.UNKNOWN:
        return None
    return Fault(message=f"{certificate}: revocation status is not known: {status.because}")


def revocations(
    path: Path, material: TrustMaterial, times: Times, policy: TrustPolicy
) -> tuple[Revocation, ...]:
    """Return the status of every certificate below the anchor, signer first.

    A signer who is an anchor is trusted by decision; only a revocation that can be verified all
    the same is taken note of.

    Raises:
        TrustEvidenceError: A CRL or OCSP response does not parse.
    """
    signer, *above = path
    if not above:
        said = (_statements(signer, (each,), material) for each in issuers(signer, material))
        status = conclude(signer, tuple(chain.from_iterable(said)), times, policy)
        return (status,) if status.at is not None else ()
    return tuple(
        conclude(
            certificate,
            _statements(certificate, path[n:], material),
            times,
            policy,
        )
        for n, certificate in enumerate(path[:-1], start=1)
    )


def _statements(
    certificate: Certificate, above: Path, material: TrustMaterial
) -> tuple[Statement, ...]:
    return _said(certificate.der, tuple(each.der for each in above), material)


@lru_cache(maxsize=64)  # no time enters here, so it holds for every document of a signer
def _said(
    certificate_der: bytes, above_der: tuple[bytes, ...], material: TrustMaterial
) -> tuple[Statement, ...]:
    certificate = read_certificate(certificate_der)
    above = tuple(map(read_certificate, above_der))
    return (
        *crl_statements(certificate, above, material),
        *ocsp_statements(certificate, above[0], material),
    )


def conclude(
    certificate: Certificate,
    statements: tuple[Statement, ...],
    times: Times,
    policy: TrustPolicy,
) -> Revocation:
    """Return the status that follows from all that was said about a certificate.

    Revocation is final and its earliest date counts; between hold and release the newest
    statement decides.
    """
    revoked = [each for each in statements if each.state is RevocationState.REVOKED]
    if revoked:
        first = min(revoked, key=lambda each: each.at or each.this_update)
        return Revocation(state=first.state, at=first.at, because=first.because)
    doubts = []
    settled: frozenset[x509.ReasonFlags] = frozenset()
    for each in sorted(statements, key=lambda each: each.this_update, reverse=True):
        if each.state is RevocationState.ON_HOLD:
            return Revocation(state=each.state, at=each.at, because=each.because)
        doubt = each.because or _doubt(each, certificate, times, policy)
        if not doubt:
            settled |= each.reasons
        if settled == ALL_REASONS:
            return Revocation(state=RevocationState.GOOD)
        doubts.append(doubt or "only lists for some reasons")
    because = "; ".join(dict.fromkeys(doubts)) or "no CRL or OCSP response of its issuer"
    return Revocation(state=RevocationState.UNKNOWN, because=because)


def _doubt(
    statement: Statement, certificate: Certificate, times: Times, policy: TrustPolicy
) -> str:
    """Return why a statement of good standing proves nothing, or an empty text."""
    end, kept = certificate.not_after, statement.keeps_expired_since
    if statement.this_update > end and (kept is None or kept > end):
        return "issued after the certificate expired"
    if statement.hash_name and policy.hash_weakness(
        statement.hash_name,
        claimed_at=None,
        proven_at=times.proven_at,
        judged_at=times.judged_at,
    ):
        return f"signed with {statement.hash_name}"
    current = statement.next_update is not None and statement.next_update >= times.judged_at
    newer = statement.this_update >= times.existed_at
    return "" if current or newer else f"stale since {statement.next_update or 'it was issued'}"
