"""Rules on what certificates say of themselves: usage, keys, algorithms, extensions.

Each check looks at the signer's certificate, or at every certificate of the path, and yields the
first fault it meets, signer first. Dates, chains and revocation are judged elsewhere.

Cites: PS3.15 C.1; RFC 5280 4.2.1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa
from cryptography.x509.oid import ExtensionOID

from sr.trust import rules
from sr.trust.certificate import Certificate
from sr.trust.policy import TrustPolicy
from sr.trust.rules import Fault, Outcome
from sr.trust.validity import Times

__all__ = ["check_path_certificates", "check_signer_certificate"]

_RSA_BITS_EVER = 1024
"""Shorter keys have been factored in public; no policy can accept one."""
_UNDERSTOOD = frozenset(
    oid.dotted_string
    for oid in (
        ExtensionOID.AUTHORITY_INFORMATION_ACCESS,
        ExtensionOID.AUTHORITY_KEY_IDENTIFIER,
        ExtensionOID.BASIC_CONSTRAINTS,
        ExtensionOID.CERTIFICATE_POLICIES,
        ExtensionOID.CRL_DISTRIBUTION_POINTS,
        ExtensionOID.EXTENDED_KEY_USAGE,
        ExtensionOID.FRESHEST_CRL,
        ExtensionOID.INHIBIT_ANY_POLICY,
        ExtensionOID.KEY_USAGE,
        ExtensionOID.NAME_CONSTRAINTS,
        ExtensionOID.OCSP_NO_CHECK,
        ExtensionOID.POLICY_CONSTRAINTS,
        ExtensionOID.POLICY_MAPPINGS,
        ExtensionOID.SUBJECT_ALTERNATIVE_NAME,
        ExtensionOID.SUBJECT_KEY_IDENTIFIER,
    )
) | {"1.3.6.1.5.5.7.1.3"}  # qcStatements, which some authorities mark critical
_Check = Callable[[Certificate, TrustPolicy], str | None]


def check_signer_certificate(signer: Certificate, policy: TrustPolicy) -> Iterator[Outcome]:
    """Yield the outcomes of the rules on the signer's own certificate."""
    for rule, check in (
        (rules.CERT_KEY_USAGE, _key_usage),
        (rules.CERT_KEY_USAGE_ABSENT, _key_usage_absent),
        (rules.CERT_EXTENDED_KEY_USAGE, _extended_key_usage),
        (rules.CERT_IS_CA, _is_ca),
        (rules.CERT_KEY_OUTSIDE_PROFILE, _key_outside_profile),
    ):
        yield rule, _fault((signer,), check, policy)


def check_path_certificates(
    path: tuple[Certificate, ...],
    below_anchor: tuple[Certificate, ...],
    policy: TrustPolicy,
    times: Times,
) -> Iterator[Outcome]:
    """Yield the outcomes of the rules on every certificate of a path.

    Args:
        path: All certificates, signer first.
        below_anchor: Those whose own signature matters; nobody relies on the anchor's.
        policy: What is accepted.
        times: When the signature was made, for algorithms with a sunset date.
    """
    for rule, check in (
        (rules.CERT_CRITICAL_EXTENSION, _critical_extension),
        (rules.CERT_EXPONENT, _exponent),
    ):
        yield rule, _fault(path, check, policy)
    for rule, weakness, certificates in (
        (rules.CERT_KEY_SIZE, _key_size, path),
        (rules.CERT_SIGNATURE_ALGORITHM, _signature_algorithm, below_anchor),
    ):
        faults = (weakness(certificate, policy, times) for certificate in certificates)
        yield rule, next(filter(None, faults), None)
    signing_key = _fault(path[:1], _signing_key_type, policy)
    yield rules.CERT_KEY_TYPE, signing_key or _fault(path, _key_type, policy)


def _fault(certificates: Iterable[Certificate], check: _Check, policy: TrustPolicy) -> Fault | None:
    for certificate in certificates:
        if message := check(certificate, policy):
            return Fault(message=f"{certificate}: {message}")
    return None


def _key_usage(certificate: Certificate, policy: TrustPolicy) -> str | None:
    usages = certificate.key_usage
    if usages is None or usages & policy.key_usages:
        return None
    return f"key usage is {_listed(usages)}, not {' or '.join(sorted(policy.key_usages))}"


def _key_usage_absent(certificate: Certificate, _policy: TrustPolicy) -> str | None:
    return "no key usage" if certificate.key_usage is None else None


def _extended_key_usage(certificate: Certificate, policy: TrustPolicy) -> str | None:
    usages = certificate.extended_key_usage or frozenset()
    forbidden = usages & policy.forbidden_extended_usages
    if not forbidden or usages - forbidden - policy.neutral_extended_usages:
        return None
    return f"reserved for another purpose by extended key usage {_listed(usages)}"


def _is_ca(certificate: Certificate, _policy: TrustPolicy) -> str | None:
    if certificate.is_ca:
        return "a certification authority"
    if "key_cert_sign" in (certificate.key_usage or ()):
        return "its key may sign certificates"
    return None


def _key_outside_profile(certificate: Certificate, _policy: TrustPolicy) -> str | None:
    key = certificate.public_key
    if isinstance(key, ec.EllipticCurvePublicKey):
        return f"an elliptic curve key ({key.curve.name}); no DICOM profile has one"
    return None


def _critical_extension(certificate: Certificate, _policy: TrustPolicy) -> str | None:
    unknown = certificate.critical - _UNDERSTOOD
    return f"unknown critical extension {_listed(unknown)}" if unknown else None


def _key_type(certificate: Certificate, _policy: TrustPolicy) -> str | None:
    key = certificate.public_key
    if key is None or isinstance(key, dsa.DSAPublicKey):
        return "a key of a kind that cannot be used"
    if not isinstance(key, rsa.RSAPublicKey):
        return None
    if key.key_size < _RSA_BITS_EVER:
        return f"an RSA key of {key.key_size} bits, which anyone can factor"
    exponent = key.public_numbers().e
    return None if exponent >= 3 and exponent % 2 else f"an RSA key with exponent {exponent}"


def _signing_key_type(certificate: Certificate, _policy: TrustPolicy) -> str | None:
    if isinstance(certificate.public_key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey):
        return None
    return "a key of a kind that makes no DICOM signature"


def _key_size(certificate: Certificate, policy: TrustPolicy, times: Times) -> Fault | None:
    key = certificate.public_key
    if not isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey):
        return None
    weakness = policy.algorithms.key_weakness(key, times)
    if weakness is None:
        return None
    kind = f"an RSA key of {key.key_size} bits"
    if isinstance(key, ec.EllipticCurvePublicKey):
        kind = f"a key on the curve {key.curve.name}"
    return Fault(message=f"{certificate}: {kind}, not accepted", sub_indication=weakness)


def _exponent(certificate: Certificate, policy: TrustPolicy) -> str | None:
    if not isinstance(certificate.public_key, rsa.RSAPublicKey):
        return None
    exponent = certificate.public_key.public_numbers().e
    if exponent >= policy.algorithms.min_rsa_exponent:
        return None
    return f"RSA public exponent {exponent}, smaller than {policy.algorithms.min_rsa_exponent}"


def _signature_algorithm(
    certificate: Certificate, policy: TrustPolicy, times: Times
) -> Fault | None:
    if not certificate.hash_name:  # Ed25519 and Ed448 bring their own
        return None
    weakness = policy.algorithms.hash_weakness(certificate.hash_name, times)
    if weakness is None:
        return None
    return Fault(
        message=f"{certificate}: signed by its issuer with {certificate.hash_name}",
        sub_indication=weakness,
    )


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "empty"
