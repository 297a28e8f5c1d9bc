"""Does the signature value belong to these bytes and this certificate?

Trust is not asked here: only whether digest, signature value and public key agree.

Cites: PS3.3 C.12.1.1.3.1.2; PS3.15 C.1.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from hmac import compare_digest

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils

from sr.mac.algorithm import MACAlgorithm
from sr.signature.digest_info import digest_info

__all__ = ["PublicKeyFacts", "SignatureMatch", "der_prefix", "match_signature", "public_key_facts"]


class SignatureMatch(StrEnum):
    """What comparing a digest with a signature value showed.

    Cites: ETSI EN 319 102-1 5.2.7.
    """

    MATCHES = "matches"
    OTHER_DIGEST = "other digest"
    """The signature is genuine, but for other bytes."""
    NOT_GENUINE = "not genuine"
    """The value was not made with the private key of the certificate."""
    UNREADABLE_CERTIFICATE = "unreadable certificate"
    UNSUPPORTED_KEY = "unsupported key"


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicKeyFacts:
    """What the certificate's key is.

    Cites: PS3.15 C.1.
    """

    kind: str
    """``RSA``, ``EC`` or another word of the certificate."""
    bits: int


def der_prefix(data: bytes) -> bytes:
    """Return the first DER element of ``data``, without whatever pads it.

    DICOM pads OB values to even length; DER parsers refuse the pad byte.

    Cites: PS3.5 6.2 (OB).
    """
    if len(data) < 2:
        return data
    length, header = data[1], 2
    if length & 0x80:
        count = length & 0x7F
        header = 2 + count
        length = int.from_bytes(data[2:header], "big")
    return data[: header + length]


def public_key_facts(certificate: bytes) -> PublicKeyFacts | None:
    """Return what key a DER certificate holds, ``None`` where it cannot be read.

    Cites: PS3.15 C.1.
    """
    key = _public_key(certificate)
    if isinstance(key, rsa.RSAPublicKey):
        return PublicKeyFacts(kind="RSA", bits=key.key_size)
    if isinstance(key, ec.EllipticCurvePublicKey):
        return PublicKeyFacts(kind="EC", bits=key.key_size)
    if key is None:
        return None
    return PublicKeyFacts(kind=type(key).__name__.removesuffix("PublicKey"), bits=0)


def match_signature(
    certificate: bytes, signature: bytes, algorithm: MACAlgorithm, digest: bytes
) -> SignatureMatch:
    """Compare a digest with a signature value.

    Args:
        certificate: DER, may carry a pad byte.
        signature: Value of Signature (0400,0120), may carry a pad byte for EC.
        algorithm: How ``digest`` was computed.
        digest: Of the MAC stream.

    Cites: PS3.15 C.1 (RSASSA-PKCS1-v1_5); RFC 8017 8.2.2.
    """
    key = _public_key(certificate)
    if key is None:
        return SignatureMatch.UNREADABLE_CERTIFICATE
    if isinstance(key, rsa.RSAPublicKey):
        return _match_rsa(key, signature, algorithm, digest)
    if isinstance(key, ec.EllipticCurvePublicKey):
        return _match_ec(key, signature, digest)
    return SignatureMatch.UNSUPPORTED_KEY


def _match_rsa(
    key: rsa.RSAPublicKey, signature: bytes, algorithm: MACAlgorithm, digest: bytes
) -> SignatureMatch:
    size = (key.key_size + 7) // 8
    if len(signature) < size or signature[size:] not in (b"", b"\0"[: size % 2]):
        return SignatureMatch.NOT_GENUINE
    try:
        recovered = key.recover_data_from_signature(signature[:size], padding.PKCS1v15(), None)
    except (InvalidSignature, ValueError):
        return SignatureMatch.NOT_GENUINE
    expected = digest_info(algorithm, digest)
    if compare_digest(recovered, expected):
        return SignatureMatch.MATCHES
    prefix = expected[: -len(digest)]
    genuine = len(recovered) == len(expected) and recovered.startswith(prefix)
    return SignatureMatch.OTHER_DIGEST if genuine else SignatureMatch.NOT_GENUINE


def _match_ec(key: ec.EllipticCurvePublicKey, signature: bytes, digest: bytes) -> SignatureMatch:
    value = der_prefix(signature)
    if signature[len(value) :] not in (b"", b"\0"):
        return SignatureMatch.NOT_GENUINE
    hashed = _HASH_OF_LENGTH.get(len(digest))
    if hashed is None:
        return SignatureMatch.UNSUPPORTED_KEY
    try:
        key.verify(value, digest, ec.ECDSA(utils.Prehashed(hashed)))
    except (InvalidSignature, ValueError):
        return SignatureMatch.OTHER_DIGEST if _is_ec_value(value) else SignatureMatch.NOT_GENUINE
    except UnsupportedAlgorithm:
        return SignatureMatch.UNSUPPORTED_KEY
    return SignatureMatch.MATCHES


def _is_ec_value(value: bytes) -> bool:
    try:
        utils.decode_dss_signature(value)
    except ValueError:
        return False
    return True


_HASH_OF_LENGTH: dict[int, hashes.HashAlgorithm] = {
    16: hashes.MD5(),  # noqa: S303 - only the length counts for a digest already computed
    20: hashes.SHA1(),  # noqa: S303
    28: hashes.SHA224(),
    32: hashes.SHA256(),
    48: hashes.SHA384(),
    64: hashes.SHA512(),
}


@lru_cache(maxsize=64)
def _public_key(certificate: bytes) -> object | None:
    try:
        with warnings.catch_warnings(action="ignore"):  # of oddities that trust judges
            return x509.load_der_x509_certificate(der_prefix(certificate)).public_key()
    except Exception:  # a parser's whole vocabulary: any certificate may come from anyone
        return None
