"""A certificate as the checks see it: every field read once, eagerly, from its DER.

The bytes may come from anyone. Whatever a parser thinks of them becomes ``TrustEvidenceError``
here, so that no check behind this module meets an unreadable field. Nothing is judged here.

Cites: PS3.3 C.12.1.1.3; RFC 5280 4.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from datetime import datetime
from fnmatch import fnmatch
from functools import lru_cache

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, padding, rsa
from cryptography.x509.oid import ExtensionOID, SignatureAlgorithmOID

from sr.errors import TrustEvidenceError
from sr.trust.name import name_text

__all__ = [
    "Certificate",
    "CertificateSummary",
    "PublicKey",
    "SignedStructure",
    "der_length",
    "hash_term",
    "is_signed_by",
    "read_certificate",
    "read_certificate_of_signer",
    "scheme_of",
    "subject_name",
    "verifies",
]

PublicKey = (
    rsa.RSAPublicKey
    | ec.EllipticCurvePublicKey
    | ed25519.Ed25519PublicKey
    | ed448.Ed448PublicKey
    | dsa.DSAPublicKey
)
SignedStructure = x509.Certificate | x509.CertificateRevocationList
_USAGE_BITS = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
)

_Oid = SignatureAlgorithmOID
_RSA_WITH_HASH = {
    _Oid.RSA_WITH_MD5,
    _Oid.RSA_WITH_SHA1,
    _Oid.RSA_WITH_SHA224,
    _Oid.RSA_WITH_SHA256,
    _Oid.RSA_WITH_SHA384,
    _Oid.RSA_WITH_SHA512,
}
_ECDSA_WITH_HASH = {
    _Oid.ECDSA_WITH_SHA1,
    _Oid.ECDSA_WITH_SHA224,
    _Oid.ECDSA_WITH_SHA256,
    _Oid.ECDSA_WITH_SHA384,
    _Oid.ECDSA_WITH_SHA512,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateSummary:
    """What a reader is told about a certificate."""

    subject: str
    """RFC 4514 text."""
    issuer: str
    """RFC 4514 text."""
    serial: str
    """Hexadecimal, lower case."""
    sha256: str
    """Fingerprint of the DER, hexadecimal, lower case."""
    not_before: datetime
    not_after: datetime
    der: bytes = field(repr=False)

    def matches(self, pattern: str) -> bool:
        """Return whether this is the signer that a caller demands.

        Args:
            pattern: Of the subject, with ``*`` and ``?``, case not counted; or ``sha256:`` and the
                fingerprint.
        """
        wanted = pattern.casefold()
        return fnmatch(self.subject.casefold(), wanted) or f"sha256:{self.sha256}" == wanted

    def as_dict(self) -> dict[str, str]:
        """Return the object ``signer`` of a verdict."""
        return {
            "subject": self.subject,
            "issuer": self.issuer,
            "serial": self.serial,
            "sha256": self.sha256,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """The fields of an X.509 certificate that rules ask for."""

    der: bytes = field(repr=False)
    parsed: x509.Certificate = field(repr=False, compare=False)
    subject: x509.Name
    issuer: x509.Name
    serial: int
    not_before: datetime
    not_after: datetime
    public_key: PublicKey | None = field(repr=False, compare=False)
    """``None`` for a key of a kind or shape that cannot be used."""
    hash_name: str
    """Hash of the issuer's signature as DICOM spells it; empty where the scheme brings its own, an
    object identifier where it is not known."""
    is_ca: bool
    """Basic constraints say CA."""
    key_usage: frozenset[str] | None
    """Names of the bits; ``None`` without the extension."""
    extended_key_usage: frozenset[str] | None
    """Object identifiers; ``None`` without the extension."""
    critical: frozenset[str]
    """Object identifiers of the critical extensions."""

    @property
    def summary(self) -> CertificateSummary:
        """What a reader is told."""
        return _summary(self.der)

    def __str__(self) -> str:
        return name_text(self.subject) or f"serial number {self.serial:x}"


@lru_cache(maxsize=256)
def _summary(der: bytes) -> CertificateSummary:
    certificate = read_certificate(der)
    return CertificateSummary(
        subject=name_text(certificate.subject),
        issuer=name_text(certificate.issuer),
        serial=f"{certificate.serial:x}",
        sha256=certificate.parsed.fingerprint(hashes.SHA256()).hex(),
        not_before=certificate.not_before,
        not_after=certificate.not_after,
        der=der,
    )


def subject_name(certificate: bytes) -> str:
    """Return the subject of a DER certificate as RFC 4514 text.

    Raises:
        TrustEvidenceError: The bytes are not a certificate.
    """
    return name_text(read_certificate(certificate).subject)


def der_length(data: bytes) -> int:
    """Return the length of the DER sequence at the start of ``data``, header included.

    Raises:
        TrustEvidenceError: ``data`` does not begin with a whole, minimally encoded sequence.
    """
    if len(data) < 2 or data[0] != 0x30:
        raise TrustEvidenceError("not a DER sequence")
    header, length = 2, data[1]
    if length >= 0x80:
        octets = length & 0x7F
        header, length = 2 + octets, int.from_bytes(data[2 : 2 + octets])
        if not 1 <= octets <= 4 or length < 0x80 or length >> 8 * (octets - 1) == 0:
            raise TrustEvidenceError("not a DER sequence: its length is not minimally encoded")
    if header + length > len(data):
        raise TrustEvidenceError("not a DER sequence: it is cut short")
    return header + length


def read_certificate_of_signer(value: bytes) -> Certificate:
    """Return the certificate in a value of CertificateOfSigner (0400,0115).

    The value is exactly one DER certificate, and one NUL that makes it even where needed. Bytes
    after it are covert and unsigned, so they are refused.

    Raises:
        TrustEvidenceError: The value is anything else.

    Cites: PS3.3 C.12.1.1.3; PS3.5 6.2.
    """
    length = der_length(value)
    if value[length:] not in (b"", b"\0"):
        raise TrustEvidenceError(f"{len(value) - length} bytes follow the certificate")
    certificate = read_certificate(value[:length])
    _require_whole_signature(certificate.der)
    return certificate


@lru_cache(maxsize=256)
def read_certificate(der: bytes) -> Certificate:
    """Return a certificate with every field read.

    Raises:
        TrustEvidenceError: A field does not parse.
    """
    try:
        with warnings.catch_warnings(action="ignore"):  # of what it tolerates; our rules judge
            return _read(der)
    except Exception as exc:  # a parser's whole vocabulary, converted once
        raise TrustEvidenceError(f"not a certificate: {exc}") from exc


def _read(der: bytes) -> Certificate:
    parsed = x509.load_der_x509_certificate(der)
    _require_one_algorithm(der)
    extensions = {extension.oid.dotted_string: extension for extension in parsed.extensions}
    values = {oid: extension.value for oid, extension in extensions.items()}
    basic = values.get(ExtensionOID.BASIC_CONSTRAINTS.dotted_string)
    usage = values.get(ExtensionOID.KEY_USAGE.dotted_string)
    extended = values.get(ExtensionOID.EXTENDED_KEY_USAGE.dotted_string)
    _ = name_text(parsed.subject), name_text(parsed.issuer)
    return Certificate(
        der=der,
        parsed=parsed,
        subject=parsed.subject,
        issuer=parsed.issuer,
        serial=parsed.serial_number,
        not_before=parsed.not_valid_before_utc,
        not_after=parsed.not_valid_after_utc,
        public_key=_public_key(parsed),
        hash_name=_hash_name(parsed),
        is_ca=isinstance(basic, x509.BasicConstraints) and basic.ca,
        key_usage=_usage_bits(usage) if isinstance(usage, x509.KeyUsage) else None,
        extended_key_usage=(
            frozenset(oid.dotted_string for oid in extended)
            if isinstance(extended, x509.ExtendedKeyUsage)
            else None
        ),
        critical=frozenset(oid for oid, extension in extensions.items() if extension.critical),
    )


def _require_one_algorithm(der: bytes) -> None:
    """Refuse a certificate that names its signature algorithm differently outside its signed part.

    The outer name is signed by nobody; parsers that ignore its parameters would let two different
    encodings stand for one certificate.

    Cites: RFC 5280 4.1.1.2.
    """
    signed, outer, _ = _members(der)
    fields = _members(signed)
    versioned = fields[0][0] == 0xA0
    if fields[2 if versioned else 1] != outer:
        raise ValueError("its two signature algorithms differ")


def _require_whole_signature(der: bytes) -> None:
    """Refuse a certificate whose signature says that it has unused bits, which nobody signed.

    Cites: RFC 5280 4.1.1.3.
    """
    *_, signature = _members(der)
    if signature[-_content_length(signature)]:
        raise TrustEvidenceError("not a certificate: its signature has unused bits")


def _members(der: bytes) -> list[bytes]:
    """Return the encodings of the members of a DER sequence."""
    members, position = [], der_length(der) - _content_length(der)
    while position < len(der):
        end = position + _total_length(der[position:])
        members.append(der[position:end])
        position = end
    return members


def _content_length(der: bytes) -> int:
    return der[1] if der[1] < 0x80 else int.from_bytes(der[2 : 2 + (der[1] & 0x7F)])


def _total_length(der: bytes) -> int:
    return _content_length(der) + 2 + (der[1] & 0x7F if der[1] >= 0x80 else 0)


def _usage_bits(usage: x509.KeyUsage) -> frozenset[str]:
    return frozenset(bit for bit in _USAGE_BITS if getattr(usage, bit))


def _hash_name(parsed: x509.Certificate) -> str:
    try:
        return hash_term(parsed.signature_hash_algorithm)
    except UnsupportedAlgorithm:  # then no policy accepts it under this name
        return parsed.signature_algorithm_oid.dotted_string


def _public_key(parsed: x509.Certificate) -> PublicKey | None:
    try:
        key = parsed.public_key()
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return None
    return key if isinstance(key, PublicKey) else None


def hash_term(algorithm: hashes.HashAlgorithm | None) -> str:
    """Return a hash algorithm as DICOM spells it, e.g. ``SHA256``; empty for ``None``.

    Cites: PS3.3 C.12.1.1.3 (0400,0015).
    """
    return "" if algorithm is None else algorithm.name.upper().replace("-", "_")


def is_signed_by(signed: SignedStructure, key: PublicKey | None) -> bool:
    """Return whether a key verifies the signature on a certificate or CRL, whatever its hash.

    How weak the hash is, is for the policy to say; the library's own check refuses to look.
    """
    body = (
        signed.tbs_certificate_bytes
        if isinstance(signed, x509.Certificate)
        else signed.tbs_certlist_bytes
    )
    try:
        algorithm, scheme = signed.signature_hash_algorithm, signed.signature_algorithm_parameters
    except (ValueError, UnsupportedAlgorithm):
        return False
    scheme = scheme or scheme_of(signed.signature_algorithm_oid, algorithm)
    return verifies(key, signed.signature, body, algorithm, scheme)


def scheme_of(
    oid: x509.ObjectIdentifier, algorithm: hashes.HashAlgorithm | None
) -> padding.PKCS1v15 | ec.ECDSA | None:
    """Return the signature scheme of an algorithm identifier without parameters."""
    if oid in _RSA_WITH_HASH:
        return padding.PKCS1v15()
    return ec.ECDSA(algorithm) if oid in _ECDSA_WITH_HASH and algorithm else None


def verifies(
    key: PublicKey | None,
    signature: bytes,
    body: bytes,
    algorithm: hashes.HashAlgorithm | None,
    scheme: padding.PKCS1v15 | padding.PSS | ec.ECDSA | None,
) -> bool:
    """Return whether a signature value is right; a mismatch of key and scheme is just wrong."""
    try:
        match key, scheme:
            case rsa.RSAPublicKey(), padding.PKCS1v15() | padding.PSS() if algorithm:
                key.verify(signature, body, scheme, algorithm)
            case ec.EllipticCurvePublicKey(), ec.ECDSA():
                key.verify(signature, body, scheme)
            case ed25519.Ed25519PublicKey() | ed448.Ed448PublicKey(), None:
                key.verify(signature, body)
            case _:
                return False
    except (InvalidSignature, ValueError, TypeError, UnsupportedAlgorithm):
        return False
    return True
