"""What goes into an evidence bundle as files of its own: certificates, lists, tokens.

Cites: RFC 4998 5.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from sr.app.checks.facts import FactsRecord
from sr.errors import SRError
from sr.signature.integrity import der_prefix
from sr.trust import TrustMaterial

__all__ = ["material_members", "signers", "token_members"]


def token_members(record: FactsRecord) -> dict[str, bytes]:
    """Return the time-stamps beside the signatures of a document as members.

    Cites: PS3.3 C.12.1.1.3.1.3.
    """
    signatures = record.facts.signatures if record.facts is not None else ()
    return {
        f"timestamps/signature-{each.number}.tst": der_prefix(each.timestamp)
        for each in signatures
        if each.timestamp
    }


def signers(record: FactsRecord) -> Iterator[bytes]:
    """Yield the certificates of those who signed a document, DER."""
    signatures = record.facts.signatures if record.facts is not None else ()
    for each in signatures:
        yield der_prefix(each.certificate)


def material_members(material: TrustMaterial, more: Iterable[bytes]) -> dict[str, bytes]:
    """Return certificates, CRLs and OCSP responses as members, each once, named by its digest."""
    known = (*material.anchors, *material.timestamp_anchors, *material.intermediates, *more)
    members: dict[str, bytes] = {}
    for der in known:
        pem = _pem(der)
        if pem is not None:
            members[f"certificates/{_short(der)}.pem"] = pem
    members |= {f"revocation/{_short(der)}.crl": der for der in material.crls}
    members |= {f"revocation/{_short(der)}.ocsp": der for der in material.ocsps}
    return members


def _short(der: bytes) -> str:
    return hashlib.sha256(der).hexdigest()[:32]


def _pem(der: bytes) -> bytes | None:
    """Return a certificate as text; one that does not parse stays in the document only."""
    try:
        return x509.load_der_x509_certificate(der).public_bytes(Encoding.PEM)
    except (ValueError, SRError):
        return None
