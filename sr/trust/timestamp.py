"""Certified time-stamps as stored beside a signature: what they say, of which value, by whom.

A time-stamp is a TimeStampToken, not the response it came in, over the value of Signature
(0400,0120). Here it is read, its imprint compared and its own signature verified. Whether its
authority is to be trusted is judged in ``timestamp_trust``. Sets in another order than DER's are
accepted, since authorities write them.

Cites: PS3.3 C.12.1.1.3.1.3; PS3.15 C.1; RFC 3161 2.4.2; RFC 5652 5.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hmac import compare_digest
from itertools import islice
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding

from sr.errors import TrustEvidenceError
from sr.trust.certificate import Certificate, der_length, hash_term, read_certificate, verifies

if TYPE_CHECKING:
    from asn1crypto import algos, cms, tsp

__all__ = ["TimestampToken", "read_timestamp"]

_HASHES: dict[str, type[hashes.HashAlgorithm]] = {
    "md5": hashes.MD5,
    "sha1": hashes.SHA1,
    "sha224": hashes.SHA224,
    "sha256": hashes.SHA256,
    "sha384": hashes.SHA384,
    "sha512": hashes.SHA512,
    "sha512_256": hashes.SHA512_256,
    "sha3_256": hashes.SHA3_256,
    "sha3_384": hashes.SHA3_384,
    "sha3_512": hashes.SHA3_512,
}
_SET = b"\x31"
_MOST_CERTIFICATES = 16
_LARGEST = 256 * 1024
_Scheme = padding.PKCS1v15 | padding.PSS | ec.ECDSA | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TimestampToken:
    """What a time-stamp says, and what is needed to verify its signature.

    Cites: RFC 3161 2.4.2; RFC 5035 3, 4.
    """

    generated_at: datetime
    accuracy: timedelta
    """How far from the truth ``generated_at`` may be; zero where the token does not say."""
    policy: str
    """Object identifier of the policy that the authority issued it under."""
    nonce: int | None
    imprint_hash: str
    """As hashlib calls it, e.g. ``sha256``."""
    imprint: bytes
    hash_terms: frozenset[str]
    """Hashes that the token rests on, as DICOM spells them: imprint, content, signature."""
    certificates: tuple[bytes, ...]
    """Certificates that came with it, DER; unreadable ones left out."""
    authority_hash: str
    authority_digest: bytes
    """Digest of the authority's certificate, which the token itself names."""
    signed: bytes = field(repr=False)
    signature: bytes = field(repr=False)
    signature_hash: str
    scheme: _Scheme = field(repr=False, compare=False)

    @property
    def latest(self) -> datetime:
        """The moment by which the stamped value existed, the authority's inaccuracy allowed for."""
        return self.generated_at + self.accuracy

    def stamps(self, value: bytes) -> bool:
        """Return whether the token is about a value: Signature (0400,0120) without pad byte.

        Cites: PS3.3 C.12.1.1.3.1.3; RFC 3161 2.4.1.
        """
        return compare_digest(_digest(self.imprint_hash, value), self.imprint)

    def names(self, certificate: bytes) -> bool:
        """Return whether a DER certificate is that of the authority.

        Cites: RFC 3161 2.4.2; RFC 5035 4.
        """
        return compare_digest(_digest(self.authority_hash, certificate), self.authority_digest)

    def is_signed_by(self, authority: Certificate) -> bool:
        """Return whether the authority's key verifies the token.

        Cites: RFC 5652 5.6.
        """
        return verifies(
            authority.public_key,
            self.signature,
            self.signed,
            _HASHES[self.signature_hash](),
            self.scheme,
        )


def read_timestamp(value: bytes) -> TimestampToken:
    """Return what a value of Certified Timestamp (0400,0310) says.

    Raises:
        TrustEvidenceError: The value is not one sound TimeStampToken and at most one pad byte.

    Cites: PS3.3 C.12.1.1.3.1.3; RFC 3161 2.4.2; RFC 5652 5.
    """
    if len(value) > _LARGEST:
        raise TrustEvidenceError(f"a time-stamp of {len(value)} bytes")
    length = der_length(value)
    if value[length:] not in (b"", b"\0"):
        raise TrustEvidenceError(f"{len(value) - length} bytes follow the time-stamp")
    try:
        return _read(value[:length])
    except TrustEvidenceError as exc:
        raise TrustEvidenceError(f"not a time-stamp token: {exc}") from exc
    except Exception as exc:  # a parser's whole vocabulary, converted once
        raise TrustEvidenceError(f"not a time-stamp token: {exc}") from exc


def _read(der: bytes) -> TimestampToken:
    # Slow to import, and not needed for the many signatures without a time-stamp.
    from asn1crypto import cms, tsp  # noqa: PLC0415

    token = cms.ContentInfo.load(der, strict=True)
    _require(token["content_type"].native == "signed_data", "its content is not signed data")
    signed = token["content"]
    content = signed["encap_content_info"]
    _require(content["content_type"].native == "tst_info", "it signs something else")
    info = content["content"].parsed
    _require(isinstance(info, tsp.TSTInfo), "it has no content")
    _require(info["version"].native == "v1", "its version is not 1")
    _require(not any(e["critical"].native for e in info["extensions"]), "a critical extension")
    (signer,) = signed["signer_infos"]
    # Before any of it is looked at: what asn1crypto has parsed it encodes anew, at thrice the cost.
    as_received = _SET + signer["signed_attrs"].dump()[1:]
    attributes = _attributes(signer)
    digest_hash = _hash_name(signer["digest_algorithm"])
    _require(attributes["content_type"].native == "tst_info", "it was signed as something else")
    stated = attributes["message_digest"].native
    computed = _digest(digest_hash, bytes(content["content"]))
    _require(compare_digest(computed, stated), "its content was changed")
    signature_hash, scheme = _scheme(signer["signature_algorithm"], digest_hash)
    imprint_hash = _hash_name(info["message_imprint"]["hash_algorithm"])
    generated_at, accuracy = _time(info)
    authority_hash, authority_digest = _authority(attributes)
    return TimestampToken(
        generated_at=generated_at,
        accuracy=accuracy,
        policy=info["policy"].dotted,
        nonce=info["nonce"].native,
        imprint_hash=imprint_hash,
        imprint=info["message_imprint"]["hashed_message"].native,
        hash_terms=frozenset(map(_term, (imprint_hash, digest_hash, signature_hash))),
        certificates=tuple(_certificates(signed)),
        authority_hash=authority_hash,
        authority_digest=authority_digest,
        signed=as_received,
        signature=signer["signature"].native,
        signature_hash=signature_hash,
        scheme=scheme,
    )


def _require(holds: bool, otherwise: str) -> None:  # noqa: FBT001 - reads as a sentence
    if not holds:
        raise TrustEvidenceError(otherwise)


def _attributes(signer: cms.SignerInfo) -> dict[str, Any]:
    """Return the signed attributes; each stands once and has one value."""
    found: dict[str, Any] = {}
    for attribute in signer["signed_attrs"]:
        name = attribute["type"].native
        _require(name not in found and len(attribute["values"]) == 1, f"{name} is not single")
        found[name] = attribute["values"][0]
    return found


def _authority(attributes: dict[str, Any]) -> tuple[str, bytes]:
    """Return hash and digest of the authority's certificate, the newer form first."""
    for name in ("signing_certificate_v2", "signing_certificate"):
        if name in attributes:
            first = attributes[name]["certs"][0]
            newer = name == "signing_certificate_v2"
            hash_name = _hash_name(first["hash_algorithm"]) if newer else "sha1"
            return hash_name, first["cert_hash"].native
    raise TrustEvidenceError("it does not name the certificate of its authority")


def _time(info: tsp.TSTInfo) -> tuple[datetime, timedelta]:
    at = info["gen_time"].native
    if not isinstance(at, datetime) or at.tzinfo is None:
        raise TrustEvidenceError("its time is not in UTC")
    said = info["accuracy"].native or {}
    accuracy = timedelta(
        seconds=said.get("seconds") or 0,
        milliseconds=said.get("millis") or 0,
        microseconds=said.get("micros") or 0,
    )
    _require(accuracy >= timedelta(0), "its accuracy is negative")
    _ = at + accuracy  # may leave the calendar, and must not later
    return at, accuracy


def _certificates(signed: cms.SignedData) -> Iterator[bytes]:
    """Yield the certificates that can be read; the others cannot be the authority's."""
    for choice in islice(signed["certificates"], _MOST_CERTIFICATES):
        der = choice.chosen.dump()
        try:
            read_certificate(der)
        except TrustEvidenceError:
            continue
        yield der


def _scheme(algorithm: algos.SignedDigestAlgorithm, digest_hash: str) -> tuple[str, _Scheme]:
    """Return hash and scheme of the signature; a bare key type leaves the hash to the digest."""
    kind = algorithm.signature_algo
    if kind == "rsassa_pss":
        said = algorithm["parameters"]
        hash_name = _hash_name(said["hash_algorithm"])
        mask = _HASHES[_hash_name(said["mask_gen_algorithm"]["parameters"])]()
        salt = said["salt_length"].native
        return hash_name, padding.PSS(mgf=padding.MGF1(mask), salt_length=salt)
    plain = algorithm["algorithm"].native in ("rsassa_pkcs1v15", "ecdsa")
    hash_name = digest_hash if plain else algorithm.hash_algo
    _require(hash_name in _HASHES, f"its signature uses {hash_name}")
    if kind == "ecdsa":
        return hash_name, ec.ECDSA(_HASHES[hash_name]())
    _require(kind == "rsassa_pkcs1v15", f"its signature algorithm is {kind}")
    return hash_name, padding.PKCS1v15()


def _hash_name(algorithm: algos.DigestAlgorithm) -> str:
    name: str = algorithm["algorithm"].native
    _require(name in _HASHES, f"the hash {name} is not known")
    return name


def _term(hash_name: str) -> str:
    return hash_term(_HASHES[hash_name]())


def _digest(hash_name: str, value: bytes) -> bytes:
    return hashlib.new(hash_name, value, usedforsecurity=False).digest()
