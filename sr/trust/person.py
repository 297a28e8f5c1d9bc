"""Who stands behind a certificate: the person, not the certificate or the key.

Four eyes are two persons. A second certificate, a renewed one or one with a new mail address does
not make a second person, so two certificates that share *any* identifier are taken for one
person's. That errs towards refusing: namesakes need an identity mapping by the site, while an
author who approves the own report under another certificate is caught.

Cites: RFC 5280 4.1.2.6; EN 319 412-2 4.2.4.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from hashlib import sha256

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from sr.trust.certificate import Certificate, read_certificate
from sr.trust.name import plain_text

__all__ = ["person_of"]

_WORDS = re.compile(r"[^\W_]+")


@lru_cache(maxsize=256)
def person_of(certificate: bytes) -> frozenset[str]:
    """Return identifiers of the person a DER certificate names, each with its kind in front.

    Kinds are ``serialnumber``, ``uid``, ``email``, ``name`` and ``key``. They are normalised:
    letter case, accents, spaces and the order of the parts of a name make no difference.

    Raises:
        TrustEvidenceError: The bytes are not a certificate.

    Cites: RFC 5280 4.1.2.6, 4.2.1.6; EN 319 412-2 4.2.4.
    """
    return frozenset(_identifiers(read_certificate(certificate)))


def _identifiers(certificate: Certificate) -> Iterator[str]:
    for kind, oid in (("serialnumber", NameOID.SERIAL_NUMBER), ("uid", NameOID.USER_ID)):
        yield from (f"{kind}:{text}" for text in map(plain_text, _values(certificate, oid)) if text)
    yield from (f"email:{text}" for text in map(plain_text, _mail_addresses(certificate)) if text)
    yield from (f"name:{text}" for text in map(_name, _names(certificate)) if text)
    if certificate.public_key is not None:
        info = certificate.public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        yield f"key:{sha256(info).hexdigest()}"


def _values(certificate: Certificate, oid: x509.ObjectIdentifier) -> Iterator[str]:
    for attribute in certificate.subject.get_attributes_for_oid(oid):
        if isinstance(attribute.value, str):
            yield attribute.value


def _mail_addresses(certificate: Certificate) -> Iterator[str]:
    yield from _values(certificate, NameOID.EMAIL_ADDRESS)
    for extension in certificate.parsed.extensions:
        if isinstance(extension.value, x509.SubjectAlternativeName):
            yield from extension.value.get_values_for_type(x509.RFC822Name)


def _names(certificate: Certificate) -> Iterator[str]:
    yield from _values(certificate, NameOID.COMMON_NAME)
    given = " ".join(_values(certificate, NameOID.GIVEN_NAME))
    family = " ".join(_values(certificate, NameOID.SURNAME))
    if given and family:
        yield f"{given} {family}"


def _name(text: str) -> str:
    return " ".join(sorted(_WORDS.findall(plain_text(text))))
