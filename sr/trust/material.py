"""The certificates, CRLs and OCSP responses a check may rely on, as DER.

PEM bundles and DER are told apart here, once, and everything is parsed once so that a file that
is not what it was given as is refused where it was given. What the material is worth is judged
in ``path`` and ``revocation``. Nothing is ever fetched.

Cites: RFC 7468 5, 6; X.690 10.
"""

from __future__ import annotations

import binascii
import re
from base64 import b64decode
from collections.abc import Callable
from dataclasses import dataclass

from cryptography import x509
from cryptography.x509 import ocsp

from sr.errors import TrustEvidenceError
from sr.trust.certificate import der_length, read_certificate

__all__ = ["TrustMaterial", "parse_certificates", "parse_crls", "parse_ocsp"]

_PEM_BLOCK = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----(.*?)-----END \1-----", re.DOTALL)
_LABELS = {
    "certificate": (b"CERTIFICATE", b"X509 CERTIFICATE", b"TRUSTED CERTIFICATE"),
    "CRL": (b"X509 CRL",),
    "OCSP response": (b"OCSP RESPONSE",),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustMaterial:
    """What the operator supplies to judge certificates with; every item is DER."""

    anchors: tuple[bytes, ...] = ()
    """Certificates trusted by decision: CAs, or single signers."""
    intermediates: tuple[bytes, ...] = ()
    crls: tuple[bytes, ...] = ()
    ocsps: tuple[bytes, ...] = ()
    timestamp_anchors: tuple[bytes, ...] = ()
    """Trusted for time-stamps only; where there are none, ``anchors`` count for them too."""


def parse_certificates(data: bytes) -> tuple[bytes, ...]:
    """Return the certificates in a PEM bundle or a DER file.

    Raises:
        TrustEvidenceError: There is none, or one does not parse.
    """
    return _parse(data, "certificate", read_certificate)


def parse_crls(data: bytes) -> tuple[bytes, ...]:
    """Return the certificate revocation lists in a PEM bundle or a DER file.

    Raises:
        TrustEvidenceError: There is none, or one does not parse.
    """
    return _parse(data, "CRL", x509.load_der_x509_crl)


def parse_ocsp(data: bytes) -> tuple[bytes, ...]:
    """Return the OCSP responses in a PEM bundle or a DER file.

    Raises:
        TrustEvidenceError: There is none, or one does not parse.
    """
    return _parse(data, "OCSP response", ocsp.load_der_ocsp_response)


def _parse(data: bytes, kind: str, read: Callable[[bytes], object]) -> tuple[bytes, ...]:
    pieces = _pem_blocks(data, kind) if b"-----BEGIN " in data else (data,)
    for number, der in enumerate(pieces, start=1):
        try:
            length = der_length(der)
            read(der)
        except Exception as exc:  # a parser's whole vocabulary, converted once
            raise TrustEvidenceError(f"{kind} {number} does not parse: {exc}") from exc
        if length != len(der):
            raise TrustEvidenceError(f"{kind} {number} is followed by {len(der) - length} bytes")
    return pieces


def _pem_blocks(data: bytes, kind: str) -> tuple[bytes, ...]:
    bodies = [body for label, body in _PEM_BLOCK.findall(data) if label in _LABELS[kind]]
    if not bodies:
        raise TrustEvidenceError(f"no {kind} among the PEM blocks")
    try:
        return tuple(b64decode(b"".join(body.split()), validate=True) for body in bodies)
    except binascii.Error as exc:
        raise TrustEvidenceError(f"a PEM block is not base64: {exc}") from exc
