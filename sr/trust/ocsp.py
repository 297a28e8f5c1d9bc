"""What supplied OCSP responses say about a certificate.

A response is believed when the issuer of the certificate signed it, or a responder to whom that
issuer delegated: a certificate signed by the issuer's key, for ``OCSPSigning``, valid when the
response was produced, and not revoked by a supplied CRL. Whether the certificate names a
responder is irrelevant.

Cites: RFC 6960 3.2, 4.2.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID

from sr.errors import TrustEvidenceError
from sr.trust.certificate import (
    Certificate,
    hash_term,
    is_signed_by,
    read_certificate,
    scheme_of,
    verifies,
)
from sr.trust.crl import crl_statements
from sr.trust.material import TrustMaterial
from sr.trust.name import same_name
from sr.trust.statement import RevocationState, Statement, read_generalized_time

__all__ = ["ocsp_statements"]

_ARCHIVE_CUTOFF = x509.ObjectIdentifier("1.3.6.1.5.5.7.48.1.6")
_STATES = {
    ocsp.OCSPCertStatus.GOOD: RevocationState.GOOD,
    ocsp.OCSPCertStatus.REVOKED: RevocationState.REVOKED,
    ocsp.OCSPCertStatus.UNKNOWN: RevocationState.UNKNOWN,
}


def ocsp_statements(
    certificate: Certificate, issuer: Certificate, material: TrustMaterial
) -> Iterator[Statement]:
    """Yield what the supplied OCSP responses say about a certificate.

    Raises:
        TrustEvidenceError: A response does not parse.

    Cites: RFC 6960 3.2, 4.2.2.2.
    """
    for der in material.ocsps:
        try:
            yield from _statements(der, certificate, issuer, material)
        except TrustEvidenceError:
            raise
        except Exception as exc:  # a parser's whole vocabulary, converted once
            raise TrustEvidenceError(f"an OCSP response does not parse: {exc}") from exc


def _statements(
    der: bytes, certificate: Certificate, issuer: Certificate, material: TrustMaterial
) -> Iterator[Statement]:
    response = ocsp.load_der_ocsp_response(der)
    if response.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
        return
    singles = [single for single in response.responses if _is_about(single, certificate, issuer)]
    if not singles or not _is_authentic(response, issuer, material):
        return
    cutoff = _archive_cutoff(response)
    for single in singles:
        yield _statement(single, cutoff, hash_term(response.signature_hash_algorithm))


def _statement(
    single: ocsp.OCSPSingleResponse, cutoff: datetime | None, hash_name: str
) -> Statement:
    state = _STATES[single.certificate_status]
    reason = single.revocation_reason
    if state is RevocationState.REVOKED and reason is x509.ReasonFlags.certificate_hold:
        state = RevocationState.ON_HOLD
    known = state is not RevocationState.UNKNOWN
    return Statement(
        state=state,
        at=single.revocation_time_utc,
        because=(reason.value if reason else "") if known else "the responder does not know it",
        this_update=single.this_update_utc,
        next_update=single.next_update_utc,
        keeps_expired_since=cutoff,
        hash_name=hash_name,
    )


def _is_about(
    single: ocsp.OCSPSingleResponse, certificate: Certificate, issuer: Certificate
) -> bool:
    if single.serial_number != certificate.serial:
        return False
    name = _hashed(single.hash_algorithm, certificate.issuer.public_bytes())
    key = _hashed(single.hash_algorithm, _key_bits(issuer))
    return (single.issuer_name_hash, single.issuer_key_hash) == (name, key)


def _hashed(algorithm: hashes.HashAlgorithm, data: bytes) -> bytes:
    digest = hashes.Hash(algorithm)
    digest.update(data)
    return digest.finalize()


def _key_bits(issuer: Certificate) -> bytes:
    """Return the content of the public key's BIT STRING, without the unused-bits octet."""
    key = issuer.public_key
    if isinstance(key, rsa.RSAPublicKey):
        return key.public_bytes(Encoding.DER, PublicFormat.PKCS1)
    if isinstance(key, ec.EllipticCurvePublicKey):
        return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    if key is None:
        return b""
    return key.public_bytes(Encoding.Raw, PublicFormat.Raw)


def _is_authentic(
    response: ocsp.OCSPResponse, issuer: Certificate, material: TrustMaterial
) -> bool:
    if _verifies(response, issuer):
        return True
    responders = (
        read_certificate(each.public_bytes(Encoding.DER)) for each in response.certificates
    )
    return any(
        _is_delegate(responder, issuer, response.produced_at_utc)
        and _verifies(response, responder)
        and not any(
            each.state in (RevocationState.REVOKED, RevocationState.ON_HOLD)
            for each in crl_statements(responder, (issuer,), material)
        )
        for responder in responders
    )


def _is_delegate(responder: Certificate, issuer: Certificate, produced_at: datetime) -> bool:
    return (
        same_name(responder.issuer, issuer.subject)
        and ExtendedKeyUsageOID.OCSP_SIGNING.dotted_string in (responder.extended_key_usage or ())
        and responder.not_before <= produced_at <= responder.not_after
        and is_signed_by(responder.parsed, issuer.public_key)
    )


def _verifies(response: ocsp.OCSPResponse, responder: Certificate) -> bool:
    algorithm = response.signature_hash_algorithm
    scheme = scheme_of(response.signature_algorithm_oid, algorithm)
    return verifies(
        responder.public_key, response.signature, response.tbs_response_bytes, algorithm, scheme
    )


def _archive_cutoff(response: ocsp.OCSPResponse) -> datetime | None:
    if len(list(response.responses)) != 1:
        return None  # the library does not tell the extensions of several apart
    for extension in response.single_extensions:
        if extension.oid == _ARCHIVE_CUTOFF:
            return read_generalized_time(extension.value.public_bytes())
    return None
