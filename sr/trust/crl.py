"""What supplied certificate revocation lists say about a certificate.

A list is believed when the issuer of the certificate signed it, or another key for which that
authority vouches; whether the certificate names a distribution point is irrelevant. An entry
counts in every list. The *absence* of an entry counts only in a complete list whose scope includes
the certificate. See ``crl_scope``.

Cites: RFC 5280 5, 6.3.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import lru_cache

from cryptography import x509

from sr.errors import TrustEvidenceError
from sr.trust.certificate import Certificate, hash_term, is_signed_by, read_certificate
from sr.trust.crl_scope import concerns, is_indirect, may_stand_on, obstacle, scope
from sr.trust.material import TrustMaterial
from sr.trust.name import same_name
from sr.trust.path import Path, list_signers
from sr.trust.statement import RevocationState, Statement, read_generalized_time

__all__ = ["crl_statements"]

_EXPIRED_CERTS_ON_CRL = x509.ObjectIdentifier("2.5.29.60")
_List = x509.CertificateRevocationList


def crl_statements(
    certificate: Certificate, above: Path, material: TrustMaterial
) -> Iterator[Statement]:
    """Yield what the supplied CRLs say about a certificate.

    Args:
        certificate: The certificate in question.
        above: The authorities above it in the path, its issuer first.
        material: The CRLs, and certificates of those who may have signed them.

    Raises:
        TrustEvidenceError: A CRL does not parse.
    """
    try:
        believed = tuple(
            crl
            for der in material.crls
            if concerns(crl := _read_crl(der), certificate)
            and _is_believed(der, crl, above, material)
        )
        yield from [_statement(crl, certificate, believed) for crl in believed]
    except TrustEvidenceError:
        raise
    except Exception as exc:  # an entry or an extension is parsed only when it is asked for
        raise TrustEvidenceError(f"a CRL does not parse: {exc}") from exc


@lru_cache(maxsize=64)
def _read_crl(der: bytes) -> _List:
    try:
        crl = x509.load_der_x509_crl(der)
        _ = crl.issuer, crl.last_update_utc, crl.next_update_utc, crl.extensions
    except Exception as exc:  # a parser's whole vocabulary, converted once
        raise TrustEvidenceError(f"a CRL does not parse: {exc}") from exc
    return crl


def _is_believed(der: bytes, crl: _List, above: Path, material: TrustMaterial) -> bool:
    return any(
        _is_signed_by(der, signer.der)
        and (voucher is None or _is_sound(signer, voucher, crl.last_update_utc, material))
        for signer, voucher in list_signers(crl.issuer, above, material)
    )


def _is_sound(
    signer: Certificate, voucher: Certificate, at: datetime, material: TrustMaterial
) -> bool:
    """Return whether a signer of lists was valid, and its voucher has not revoked it."""
    if not signer.not_before <= at <= signer.not_after:
        return False
    return not any(
        same_name(_read_crl(der).issuer, voucher.subject)
        and _is_signed_by(der, voucher.der)
        and _entry_of(_read_crl(der), signer) is not None
        for der in material.crls
    )


@lru_cache(maxsize=256)
def _is_signed_by(crl: bytes, issuer: bytes) -> bool:
    return is_signed_by(_read_crl(crl), read_certificate(issuer).public_key)


def _statement(crl: _List, certificate: Certificate, believed: tuple[_List, ...]) -> Statement:
    entry = _entry_of(crl, certificate)
    unusable, reasons = obstacle(crl), frozenset[x509.ReasonFlags]()
    if unusable or entry is None:
        doubt, reasons = (unusable, reasons) if unusable else scope(crl, certificate)
        state, at = RevocationState.GOOD, None
    else:
        state, at, doubt = _judged(entry)
        if state is RevocationState.GOOD:  # released from hold
            doubt, reasons = _release(crl, certificate, believed)
    return Statement(
        state=state,
        at=at,
        because=doubt,
        reasons=reasons,
        this_update=crl.last_update_utc,
        next_update=crl.next_update_utc,
        keeps_expired_since=_keeps_expired_since(crl),
        hash_name=hash_term(crl.signature_hash_algorithm),
    )


def _release(
    crl: _List, certificate: Certificate, believed: tuple[_List, ...]
) -> tuple[str, frozenset[x509.ReasonFlags]]:
    """Return what a release is worth: as much as the complete list that it changes."""
    bases = [base for base in believed if may_stand_on(crl, base)]
    if not bases:
        return "released from hold by a delta CRL alone", frozenset()
    return scope(bases[0], certificate)


def _entry_of(crl: _List, certificate: Certificate) -> x509.RevokedCertificate | None:
    """Return the entry about a certificate; in an indirect list, entries name their issuers."""
    if not is_indirect(crl) and certificate.serial >= 0:  # the index knows no negative ones
        return crl.get_revoked_certificate_by_serial_number(certificate.serial)
    issuer = crl.issuer
    for entry in crl:
        for extension in entry.extensions:
            if isinstance(extension.value, x509.CertificateIssuer):
                names = extension.value.get_values_for_type(x509.DirectoryName)
                issuer = names[0] if names else issuer
        if entry.serial_number == certificate.serial and same_name(issuer, certificate.issuer):
            return entry
    return None


def _judged(entry: x509.RevokedCertificate) -> tuple[RevocationState, datetime | None, str]:
    values = [extension.value for extension in entry.extensions]
    reasons = [value.reason for value in values if isinstance(value, x509.CRLReason)]
    invalid = [v.invalidity_date_utc for v in values if isinstance(v, x509.InvalidityDate)]
    at = min([entry.revocation_date_utc, *invalid])
    reason = reasons[0] if reasons else x509.ReasonFlags.unspecified
    if reason is x509.ReasonFlags.remove_from_crl:
        return RevocationState.GOOD, None, ""
    hold = reason is x509.ReasonFlags.certificate_hold
    return RevocationState.ON_HOLD if hold else RevocationState.REVOKED, at, reason.value


def _keeps_expired_since(crl: _List) -> datetime | None:
    for extension in crl.extensions:
        if extension.oid == _EXPIRED_CERTS_ON_CRL:
            return read_generalized_time(extension.value.public_bytes())
    return None
