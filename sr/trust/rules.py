"""The rules on a signer: id, default weight, what breaking it means, and where it comes from.

A check yields an outcome, a rule with its fault or ``None``. How much the fault weighs is the
policy's to say: only :func:`finding` and :func:`limitation` bring the two together.

Cites: PS3.15 C.1; EN 319 102-1 5.2.
"""

from __future__ import annotations

from dataclasses import dataclass

from sr.findings import Finding, Limitation, LimitationCode, Status, SubIndication
from sr.trust.policy import Consequence, Level, Need, TrustPolicy

__all__ = ["WEAKNESSES", "Fault", "Outcome", "Rule", "default_level", "finding", "limitation"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One demand on a signer."""

    id: str
    states: str
    """What is true when the rule holds."""
    sub_indication: SubIndication
    """What breaking it means, unless the fault says otherwise."""
    cites: str
    level: Level = Level.FAIL


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """How a rule is broken."""

    message: str
    sub_indication: SubIndication | None = None


Outcome = tuple[Rule, Fault | None]

_S = SubIndication

CERT_DER = Rule(
    id="CERT_DER",
    states="CertificateOfSigner (0400,0115) is one DER certificate and nothing else",
    sub_indication=_S.FORMAT_FAILURE,
    cites="PS3.3 C.12.1.1.3; PS3.5 6.2",
)
CERT_CHAIN = Rule(
    id="CERT_CHAIN",
    states="a chain of signatures leads from a trust anchor to the signer",
    sub_indication=_S.NO_CERTIFICATE_CHAIN_FOUND,
    cites="RFC 5280 6.1; EN 319 102-1 5.2.6",
)
CERT_PATH = Rule(
    id="CERT_PATH",
    states="the certification path keeps all constraints",
    sub_indication=_S.CHAIN_CONSTRAINTS_FAILURE,
    cites="RFC 5280 6.1",
)
CERT_CRITICAL_EXTENSION = Rule(
    id="CERT_CRITICAL_EXTENSION",
    states="every critical extension is understood",
    sub_indication=_S.CHAIN_CONSTRAINTS_FAILURE,
    cites="RFC 5280 4.2",
)
CERT_KEY_USAGE = Rule(
    id="CERT_KEY_USAGE",
    states="the key may be used for signatures",
    sub_indication=_S.CHAIN_CONSTRAINTS_FAILURE,
    cites="RFC 5280 4.2.1.3",
)
CERT_KEY_USAGE_ABSENT = Rule(
    id="CERT_KEY_USAGE_ABSENT",
    states="the certificate says what its key is for",
    sub_indication=_S.CHAIN_CONSTRAINTS_FAILURE,
    cites="RFC 5280 4.2.1.3",
    level=Level.WARN,
)
CERT_EXTENDED_KEY_USAGE = Rule(
    id="CERT_EXTENDED_KEY_USAGE",
    states="the certificate is not reserved for another purpose",
    sub_indication=_S.CHAIN_CONSTRAINTS_FAILURE,
    cites="RFC 5280 4.2.1.12",
)
CERT_IS_CA = Rule(
    id="CERT_IS_CA",
    states="the signer is not a certification authority",
    sub_indication=_S.CHAIN_CONSTRAINTS_FAILURE,
    cites="RFC 5280 4.2.1.9; PS3.15 C.1",
)
CERT_KEY_TYPE = Rule(
    id="CERT_KEY_TYPE",
    states="the keys of the path are of a usable kind",
    sub_indication=_S.CRYPTO_CONSTRAINTS_FAILURE,
    cites="PS3.15 C.1; RFC 8017 3.1",
)
CERT_KEY_OUTSIDE_PROFILE = Rule(
    id="CERT_KEY_OUTSIDE_PROFILE",
    states="the signer's key is an RSA key",
    sub_indication=_S.CRYPTO_CONSTRAINTS_FAILURE,
    cites="PS3.15 C.1",
    level=Level.NOTICE,
)
CERT_KEY_SIZE = Rule(
    id="CERT_KEY_SIZE",
    states="the keys of the path are long enough",
    sub_indication=_S.CRYPTO_CONSTRAINTS_FAILURE,
    cites="NIST SP 800-57 Part 1; EN 319 102-1 5.2.8",
)
CERT_EXPONENT = Rule(
    id="CERT_EXPONENT",
    states="the RSA public exponents of the path are large enough",
    sub_indication=_S.CRYPTO_CONSTRAINTS_FAILURE,
    cites="NIST SP 800-131A; FIPS 186-5 5.4",
)
CERT_SIGNATURE_ALGORITHM = Rule(
    id="CERT_SIGNATURE_ALGORITHM",
    states="every certificate below the anchor is signed with an accepted hash",
    sub_indication=_S.CRYPTO_CONSTRAINTS_FAILURE,
    cites="RFC 6194 2; EN 319 102-1 5.2.8",
)
CERT_VALIDITY = Rule(
    id="CERT_VALIDITY",
    states="the signature was made while the certificates were valid",
    sub_indication=_S.OUT_OF_BOUNDS_NO_POE,
    cites="RFC 5280 4.1.2.5; EN 319 102-1 5.2.6",
)
CERT_VALIDITY_POE = Rule(
    id="CERT_VALIDITY_POE",
    states="the signature is known to have existed while the certificates were valid",
    sub_indication=_S.OUT_OF_BOUNDS_NO_POE,
    cites="EN 319 102-1 5.2.6, 5.5",
)
CERT_ANCHOR_VALIDITY = Rule(
    id="CERT_ANCHOR_VALIDITY",
    states="the trust anchor's own certificate is valid",
    sub_indication=_S.OUT_OF_BOUNDS_NO_POE,
    cites="RFC 5280 6.1; RFC 5937",
    level=Level.WARN,
)
CERT_REVOCATION = Rule(
    id="CERT_REVOCATION",
    states="no certificate of the path was revoked before the signature existed",
    sub_indication=_S.REVOKED,
    cites="RFC 5280 6.3; EN 319 102-1 5.2.6",
)
CERT_REVOCATION_KNOWN = Rule(
    id="CERT_REVOCATION_KNOWN",
    states="the revocation status of every certificate below the anchor is known",
    sub_indication=_S.TRY_LATER,
    cites="RFC 5280 6.3; EN 319 102-1 5.2.6",
)
TIME_FUTURE = Rule(
    id="TIME_FUTURE",
    states="the signature is not from the future",
    sub_indication=_S.NOT_YET_VALID,
    cites="PS3.3 C.12.1.1.3 (0400,0105)",
)
TIME_NO_OFFSET = Rule(
    id="TIME_NO_OFFSET",
    states="DigitalSignatureDateTime (0400,0105) states its offset from UTC",
    sub_indication=_S.OUT_OF_BOUNDS_NO_POE,
    cites="PS3.3 C.12.1.1.3 (0400,0105); PS3.5 6.2",
    level=Level.WARN,
)
TIME_AFTER_PROOF = Rule(
    id="TIME_AFTER_PROOF",
    states="the claimed time is not later than the proven one",
    sub_indication=_S.SIG_CONSTRAINTS_FAILURE,
    cites="PS3.3 C.12.1.1.3.1.3; EN 319 102-1 5.5",
    level=Level.WARN,
)
TIME_PROVEN = Rule(
    id="TIME_PROVEN",
    states="a certified time-stamp proves when the signature existed",
    sub_indication=_S.SIG_CONSTRAINTS_FAILURE,
    cites="PS3.3 C.12.1.1.3.1.3; EN 319 102-1 5.5",
)

TIME_LONG_BEFORE_PROOF = Rule(
    id="TIME_LONG_BEFORE_PROOF",
    states="the claimed time is not long before the proven one",
    sub_indication=_S.SIG_CONSTRAINTS_FAILURE,
    cites="PS3.3 C.12.1.1.3.1.3; EN 319 102-1 5.5",
    level=Level.NOTICE,
)
TIMESTAMP_INVALID = Rule(
    id="TIMESTAMP_INVALID",
    states="the time-stamp belongs to this signature and was signed by the authority it names",
    sub_indication=_S.TIMESTAMP_FAILURE,
    cites="PS3.3 C.12.1.1.3.1.3; RFC 3161 2.4.2",
)
TIMESTAMP_CHAIN = Rule(
    id="TIMESTAMP_CHAIN",
    states="a chain of signatures leads from a trust anchor to the time-stamp authority",
    sub_indication=_S.TIMESTAMP_FAILURE,
    cites="RFC 5280 6.1; EN 319 102-1 5.4",
    level=Level.WARN,
)
TIMESTAMP_AUTHORITY = Rule(
    id="TIMESTAMP_AUTHORITY",
    states="the authority's certificate is for time-stamps and for nothing else",
    sub_indication=_S.TIMESTAMP_FAILURE,
    cites="RFC 3161 2.3",
)
TIMESTAMP_PATH = Rule(
    id="TIMESTAMP_PATH",
    states="the certification path of the time-stamp authority keeps all constraints",
    sub_indication=_S.TIMESTAMP_FAILURE,
    cites="RFC 5280 6.1; EN 319 102-1 5.4",
)
TIMESTAMP_ALGORITHM = Rule(
    id="TIMESTAMP_ALGORITHM",
    states="time-stamp and certificates of its authority rest on accepted hashes and keys",
    sub_indication=_S.TIMESTAMP_FAILURE,
    cites="EN 319 102-1 5.2.8, 5.4",
)
TIMESTAMP_VALIDITY = Rule(
    id="TIMESTAMP_VALIDITY",
    states="the time-stamp was made while the certificates of its authority were valid",
    sub_indication=_S.TIMESTAMP_FAILURE,
    cites="RFC 3161 4; EN 319 102-1 5.4",
)
TIMESTAMP_AGED = Rule(
    id="TIMESTAMP_AGED",
    states="the certificates of the time-stamp authority have not expired since",
    sub_indication=_S.TIMESTAMP_FAILURE,
    cites="RFC 3161 4; EN 319 102-1 5.4, 5.5",
    level=Level.WARN,
)
TIMESTAMP_REVOCATION = Rule(
    id="TIMESTAMP_REVOCATION",
    states="no revocation takes the time-stamp its worth",
    sub_indication=_S.TIMESTAMP_FAILURE,
    cites="RFC 3161 4; RFC 5280 6.3",
)
TIMESTAMP_REVOCATION_KNOWN = Rule(
    id="TIMESTAMP_REVOCATION_KNOWN",
    states="the revocation status of the time-stamp authority and its issuers is known",
    sub_indication=_S.TRY_LATER,
    cites="RFC 5280 6.3; EN 319 102-1 5.4",
)

WEAKNESSES = frozenset(
    {CERT_KEY_SIZE, CERT_EXPONENT, CERT_SIGNATURE_ALGORITHM, TIMESTAMP_ALGORITHM}
)
"""Rules on strength; the policy says at once what they all weigh."""
_REVOCATION_KNOWN = frozenset({CERT_REVOCATION_KNOWN, TIMESTAMP_REVOCATION_KNOWN})
_LIMITATIONS = {
    TIME_PROVEN.id: LimitationCode.TIME_CLAIMED_ONLY,
    CERT_REVOCATION_KNOWN.id: LimitationCode.REVOCATION_UNKNOWN,
    TIMESTAMP_REVOCATION_KNOWN.id: LimitationCode.REVOCATION_UNKNOWN,
    CERT_KEY_OUTSIDE_PROFILE.id: LimitationCode.KEY_OUTSIDE_PROFILE,
} | {rule.id: LimitationCode.WEAK_ALGORITHM for rule in WEAKNESSES}


def default_level(rule: Rule, policy: TrustPolicy) -> Level:
    """Return what a rule weighs where the policy has no ``severity`` for it."""
    if rule in WEAKNESSES:
        return Level.FAIL if policy.weak_algorithm is Consequence.FAIL else Level.WARN
    if rule in _REVOCATION_KNOWN:
        return Level.FAIL if policy.revocation is Need.REQUIRED else Level.WARN
    if rule is TIME_PROVEN:
        return Level.FAIL if policy.timestamp is Need.REQUIRED else Level.NOTICE
    return rule.level


def finding(outcome: Outcome, policy: TrustPolicy) -> Finding:
    """Return the finding for an outcome, weighed by the policy."""
    rule, fault = outcome
    level = policy.level(rule.id, default_level(rule, policy))
    if level is Level.IGNORE:
        status, message = Status.NOT_APPLICABLE, "not judged under this policy"
    elif fault is None:
        status, message = Status.PASS, rule.states
    else:
        status, message = Status(level.value), fault.message
    meaning = fault.sub_indication or rule.sub_indication if fault else None
    return Finding(
        rule=rule.id,
        status=status,
        message=message,
        cites=rule.cites,
        sub_indication=meaning if status is Status.FAIL else None,
    )


def limitation(outcome: Outcome, policy: TrustPolicy) -> Limitation | None:
    """Return what a fault that the policy tolerates leaves open, if it has a name.

    That a time is only claimed is said in any case.
    """
    rule, fault = outcome
    code = _LIMITATIONS.get(rule.id)
    if fault is None or code is None:
        return None
    tolerated = finding(outcome, policy).status is not Status.FAIL
    if not tolerated and code is not LimitationCode.TIME_CLAIMED_ONLY:
        return None
    return Limitation(code=code, message=fault.message)
