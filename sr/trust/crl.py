"""What supplied certificate revocation lists say about a certificate.

A list is believed when the issuer of the certificate signed it, or another key of that authority;
whether the certificate names a distribution point is irrelevant. An entry counts in every list.
The *absence* of an entry counts only in a complete list whose scope includes the certificate.
Indirect lists are not supported and say nothing.

Cites: RFC 5280 5, 6.3.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import lru_cache

from cryptography import x509
from cryptography.x509.oid import ExtensionOID

from sr.errors import TrustEvidenceError
from sr.trust.certificate import Certificate, hash_term, is_signed_by, read_certificate
from sr.trust.material import TrustMaterial
from sr.trust.statement import RevocationState, Statement, read_generalized_time

__all__ = ["crl_statements"]

_EXPIRED_CERTS_ON_CRL = x509.ObjectIdentifier("2.5.29.60")
_USABLE_CRITICAL = {
    ExtensionOID.ISSUING_DISTRIBUTION_POINT,
    ExtensionOID.DELTA_CRL_INDICATOR,
    ExtensionOID.AUTHORITY_KEY_IDENTIFIER,
    ExtensionOID.CRL_NUMBER,
}


def crl_statements(
    certificate: Certificate,
    issuer: Certificate,
    material: TrustMaterial,
    vouchers: tuple[Certificate, ...] = (),
) -> Iterator[Statement]:
    """Yield what the supplied CRLs say about a certificate.

    Args:
        certificate: The certificate in question.
        issuer: Its issuer in the path.
        material: The CRLs.
        vouchers: Other certificates of the same issuer, each as trustworthy as ``issuer``.

    Raises:
        TrustEvidenceError: A CRL does not parse.
    """
    for der in material.crls:
        crl = _read_crl(der)
        if crl.issuer != certificate.issuer:
            continue
        if any(_may_sign(each) and _is_signed_by(der, each.der) for each in (issuer, *vouchers)):
            yield _read_statement(crl, certificate)


def _may_sign(issuer: Certificate) -> bool:
    return issuer.key_usage is None or "crl_sign" in issuer.key_usage


@lru_cache(maxsize=16)
def _read_crl(der: bytes) -> x509.CertificateRevocationList:
    try:
        crl = x509.load_der_x509_crl(der)
        _ = crl.issuer, crl.last_update_utc, crl.next_update_utc, crl.extensions
    except Exception as exc:  # a parser's whole vocabulary, converted once
        raise TrustEvidenceError(f"a CRL does not parse: {exc}") from exc
    return crl


@lru_cache(maxsize=64)
def _is_signed_by(crl: bytes, issuer: bytes) -> bool:
    return is_signed_by(_read_crl(crl), read_certificate(issuer).public_key)


def _read_statement(crl: x509.CertificateRevocationList, certificate: Certificate) -> Statement:
    try:
        return _statement(crl, certificate)
    except Exception as exc:  # an entry is parsed only when it is asked for
        raise TrustEvidenceError(f"a CRL does not parse: {exc}") from exc


def _statement(crl: x509.CertificateRevocationList, certificate: Certificate) -> Statement:
    entry = crl.get_revoked_certificate_by_serial_number(certificate.serial)
    obstacle = _obstacle(crl)
    if obstacle or entry is None:
        doubt = obstacle or _scope_doubt(crl, certificate)
        state, at = RevocationState.GOOD, None
    else:
        state, at, doubt = _entry(entry)
    return Statement(
        state=state,
        at=at,
        because=doubt,
        this_update=crl.last_update_utc,
        next_update=crl.next_update_utc,
        keeps_expired_since=_keeps_expired_since(crl),
        hash_name=hash_term(crl.signature_hash_algorithm),
    )


def _entry(entry: x509.RevokedCertificate) -> tuple[RevocationState, datetime | None, str]:
    values = [extension.value for extension in entry.extensions]
    reasons = [value.reason for value in values if isinstance(value, x509.CRLReason)]
    invalid = [v.invalidity_date_utc for v in values if isinstance(v, x509.InvalidityDate)]
    at = min([entry.revocation_date_utc, *invalid])
    reason = reasons[0] if reasons else x509.ReasonFlags.unspecified
    if reason is x509.ReasonFlags.remove_from_crl:
        return RevocationState.GOOD, None, "released from hold by a delta CRL"
    hold = reason is x509.ReasonFlags.certificate_hold
    return RevocationState.ON_HOLD if hold else RevocationState.REVOKED, at, reason.value


def _obstacle(crl: x509.CertificateRevocationList) -> str:
    unknown = [
        each for each in crl.extensions if each.critical and each.oid not in _USABLE_CRITICAL
    ]
    if unknown:
        return "a CRL with an unknown critical extension"
    scope = _scope(crl)
    return "an indirect CRL" if scope is not None and scope.indirect_crl else ""


def _scope_doubt(crl: x509.CertificateRevocationList, certificate: Certificate) -> str:
    """Return why the absence of a certificate from a list says nothing, or an empty text."""
    if any(isinstance(each.value, x509.DeltaCRLIndicator) for each in crl.extensions):
        return "only a delta CRL"
    scope = _scope(crl)
    if scope is None:
        return ""
    excluded = (
        scope.only_contains_attribute_certs
        or (scope.only_contains_user_certs and certificate.is_ca)
        or (scope.only_contains_ca_certs and not certificate.is_ca)
        or scope.only_some_reasons
    )
    if excluded or not _is_in_partition(scope, certificate):
        return "only CRLs with another scope"
    return ""


def _is_in_partition(scope: x509.IssuingDistributionPoint, certificate: Certificate) -> bool:
    if scope.relative_name is not None:
        return False
    if scope.full_name is None:
        return True
    named = [
        name
        for extension in certificate.parsed.extensions
        if isinstance(extension.value, x509.CRLDistributionPoints)
        for point in extension.value
        for name in point.full_name or ()
    ]
    return any(name in named for name in scope.full_name)


def _scope(crl: x509.CertificateRevocationList) -> x509.IssuingDistributionPoint | None:
    values = (extension.value for extension in crl.extensions)
    return next((v for v in values if isinstance(v, x509.IssuingDistributionPoint)), None)


def _keeps_expired_since(crl: x509.CertificateRevocationList) -> datetime | None:
    for extension in crl.extensions:
        if extension.oid == _EXPIRED_CERTS_ON_CRL:
            return read_generalized_time(extension.value.public_bytes())
    return None
