"""Detached CMS signatures over files: prepared, completed, and read again.

For what has no place inside DICOM: lists of files. The form is that of CAdES-BES: signed
attributes with content type, message digest, signing time in UTC and ESS signing-certificate-v2,
which binds the certificate that the format itself leaves open. As with data elements, a key is met
only between ``prepare_detached`` and ``complete_detached``.

Cites: RFC 5652 5; RFC 5035 3; ETSI EN 319 122-1 5.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from hmac import compare_digest
from typing import Any

from sr.errors import SignatureFormatError, SignerRefusedError
from sr.mac.algorithm import MACAlgorithm
from sr.signature.integrity import SignatureMatch, match_signature, public_key_facts
from sr.signature.moment import ClaimedTime

__all__ = [
    "DetachedSignature",
    "PreparedDetached",
    "complete_detached",
    "prepare_detached",
    "read_detached",
]

_ALGORITHM = MACAlgorithm.SHA256
_HASHES = {
    name.lower(): MACAlgorithm(name)
    for name in ("MD5", "SHA1", "SHA224", "SHA256", "SHA384", "SHA512")
}
_PADDING = {"rsassa_pkcs1v15": "RSA", "ecdsa": "EC"}
_FIRST_GENERALIZED_YEAR = 2050  # RFC 5652 11.3
_CITES = "RFC 5652 5"


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedDetached:
    """Signed attributes that wait for a signature value."""

    certificates: tuple[bytes, ...]
    """DER, signer first."""
    signed_at: datetime
    content_digest: bytes
    attributes: bytes
    """DER of the signed attributes, as they are digested."""
    digest: bytes
    """To be signed, SHA-256."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DetachedSignature:
    """A detached signature as read; what it is worth is judged elsewhere.

    Cites: RFC 5652 5.3.
    """

    certificate: bytes
    """DER of the signer's certificate, from the signature itself."""
    certificates: tuple[bytes, ...]
    """All certificates that came with it, none of them trusted for that."""
    claimed: ClaimedTime
    digest_algorithm: MACAlgorithm
    stated_digest: bytes
    """Digest of the content, as signed."""
    attributes_digest: bytes
    signature: bytes
    binds_certificate: bool
    """Whether a signed attribute names the certificate."""

    def compare(self, content_digest: bytes) -> SignatureMatch:
        """Return whether certificate, value and content agree.

        Args:
            content_digest: Digest of the content by ``digest_algorithm``.

        Cites: RFC 5652 5.6.
        """
        genuine = match_signature(
            self.certificate, self.signature, self.digest_algorithm, self.attributes_digest
        )
        if genuine is SignatureMatch.OTHER_DIGEST:
            return SignatureMatch.NOT_GENUINE  # the attributes are in the file: it is damaged
        if genuine is SignatureMatch.MATCHES and not compare_digest(
            self.stated_digest, content_digest
        ):
            return SignatureMatch.OTHER_DIGEST
        return genuine


def prepare_detached(
    content_digest: bytes, *, certificates: Iterable[bytes], signed_at: datetime
) -> PreparedDetached:
    """Return the attributes to be signed for some content.

    Args:
        content_digest: SHA-256 of the content.
        certificates: DER, signer first, then issuers to send along.
        signed_at: Aware.

    Raises:
        SignerRefusedError: There is no certificate, or its key is neither RSA nor EC.

    Cites: RFC 5652 5.3, 11; RFC 5035 3.
    """
    chain = tuple(certificates)
    key = public_key_facts(chain[0]) if chain else None
    if key is None or key.kind not in _PADDING.values():
        raise SignerRefusedError("a detached signature needs a certificate with an RSA or EC key")
    attributes = _attributes(content_digest, chain[0], signed_at)
    return PreparedDetached(
        certificates=chain,
        signed_at=signed_at,
        content_digest=content_digest,
        attributes=attributes,
        digest=hashlib.sha256(attributes).digest(),
    )


def complete_detached(prepared: PreparedDetached, value: bytes) -> bytes:
    """Return the signature as a DER file, verified with its certificate first.

    Raises:
        SignerRefusedError: The value was not made with the certificate's key.

    Cites: RFC 5652 5.1, 5.3.
    """
    from asn1crypto import cms, x509  # noqa: PLC0415 - slow to import

    certificates = [x509.Certificate.load(der) for der in prepared.certificates]
    leaf = certificates[0]
    kind = public_key_facts(prepared.certificates[0])
    rsa = kind is not None and kind.kind == "RSA"
    signer = cms.SignerInfo(
        {
            "version": "v1",
            "sid": {
                "issuer_and_serial_number": {
                    "issuer": leaf.issuer,
                    "serial_number": leaf.serial_number,
                }
            },
            "digest_algorithm": {"algorithm": "sha256"},
            "signed_attrs": cms.CMSAttributes.load(prepared.attributes),
            "signature_algorithm": {"algorithm": "rsassa_pkcs1v15" if rsa else "sha256_ecdsa"},
            "signature": value,
        }
    )
    data = cms.SignedData(
        {
            "version": "v1",
            "digest_algorithms": [{"algorithm": "sha256"}],
            "encap_content_info": {"content_type": "data"},
            "certificates": certificates,
            "signer_infos": [signer],
        }
    )
    der: bytes = cms.ContentInfo({"content_type": "signed_data", "content": data}).dump()
    if read_detached(der).compare(prepared.content_digest) is not SignatureMatch.MATCHES:
        raise SignerRefusedError("the signature value does not belong to the certificate")
    return der


def read_detached(der: bytes) -> DetachedSignature:
    """Return what a detached signature says.

    Raises:
        SignatureFormatError: It is not one detached CMS signature by one signer with signed
            attributes, or its parts contradict each other; rule ``CMS_FORMAT``.

    Cites: RFC 5652 5; RFC 5035 3.
    """
    try:
        return _read(der)
    except SignatureFormatError:
        raise
    except Exception as error:  # a parser's whole vocabulary, converted once
        raise _refused(f"it does not parse: {error}") from error


def _attributes(content_digest: bytes, certificate: bytes, signed_at: datetime) -> bytes:
    from asn1crypto import cms, core, tsp  # noqa: PLC0415 - slow to import; tsp knows more attributes

    at = signed_at.astimezone(UTC).replace(microsecond=0)
    form = "utc_time" if at.year < _FIRST_GENERALIZED_YEAR else "generalized_time"
    bound = tsp.SigningCertificateV2(
        {"certs": [{"cert_hash": hashlib.sha256(certificate).digest()}]}
    )
    attributes = cms.CMSAttributes(
        [
            {"type": "content_type", "values": ["data"]},
            {"type": "signing_time", "values": [cms.Time({form: at})]},
            {"type": "message_digest", "values": [core.OctetString(content_digest)]},
            {"type": "signing_certificate_v2", "values": [bound]},
        ]
    )
    encoded: bytes = attributes.dump()
    return encoded


def _read(der: bytes) -> DetachedSignature:
    from asn1crypto import cms, tsp  # noqa: F401, PLC0415 - slow to import; tsp knows more attributes

    info = cms.ContentInfo.load(der, strict=True)
    if info["content_type"].native != "signed_data":
        raise _refused("its content is not signed data")
    signed = info["content"]
    content = signed["encap_content_info"]
    if content["content_type"].native != "data" or content["content"].native is not None:
        raise _refused("it is not detached from its content")
    if len(signed["signer_infos"]) != 1:
        raise _refused(f"it has {len(signed['signer_infos'])} signers, expected one")
    signer = signed["signer_infos"][0]
    certificates = [c.chosen for c in signed["certificates"] if c.name == "certificate"]
    certificate = _signers(signer["sid"], certificates)
    attributes = _once(signer["signed_attrs"])
    if attributes.get("content_type") is None or attributes["content_type"].native != "data":
        raise _refused("the signed attribute content-type is missing or is not data")
    if "message_digest" not in attributes:
        raise _refused("the signed attribute message-digest is missing")
    algorithm = _algorithm(signer, certificate.dump())
    encoded = signer["signed_attrs"].dump()
    return DetachedSignature(
        certificate=certificate.dump(),
        certificates=tuple(each.dump() for each in certificates),
        claimed=_claimed(attributes.get("signing_time")),
        digest_algorithm=algorithm,
        stated_digest=attributes["message_digest"].native,
        attributes_digest=hashlib.new(
            algorithm.value.lower(), b"\x31" + encoded[1:], usedforsecurity=False
        ).digest(),
        signature=signer["signature"].native,
        binds_certificate=_binds(attributes, certificate.dump()),
    )


def _signers(sid: Any, certificates: list[Any]) -> Any:  # noqa: ANN401 - asn1crypto has no types
    """Return the one certificate that the signer's identifier means."""
    if sid.name == "issuer_and_serial_number":
        wanted = sid.chosen
        fitting = [
            each
            for each in certificates
            if each.serial_number == wanted["serial_number"].native
            and each.issuer == wanted["issuer"]
        ]
    else:
        fitting = [each for each in certificates if each.key_identifier == sid.chosen.native]
    if len({each.dump() for each in fitting}) != 1:
        raise _refused("the signer's certificate is not in it, or there are two")
    return fitting[0]


def _once(attributes: Iterable[Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for attribute in attributes:
        name = attribute["type"].native
        if name in found or len(attribute["values"]) != 1:
            raise _refused(f"the signed attribute {name} stands twice or has several values")
        found[name] = attribute["values"][0]
    if not found:
        raise _refused("it has no signed attributes")
    return found


def _algorithm(signer: Any, certificate: bytes) -> MACAlgorithm:  # noqa: ANN401
    name = signer["digest_algorithm"]["algorithm"].native
    algorithm = _HASHES.get(name)
    used = signer["signature_algorithm"]
    if algorithm is None or used.signature_algo not in _PADDING:
        raise _refused(f"{name} with {used.signature_algo} is not supported")
    combined = used["algorithm"].native not in ("rsassa_pkcs1v15", "ecdsa")
    if combined and used.hash_algo != name:
        raise _refused("its digest algorithm and its signature algorithm differ")
    key = public_key_facts(certificate)
    if key is None or key.kind != _PADDING[used.signature_algo]:
        raise _refused("its signature algorithm does not fit the signer's key")
    return algorithm


def _claimed(value: Any) -> ClaimedTime:  # noqa: ANN401
    if value is None:
        return ClaimedTime(text="", at=None, zone_known=False)
    at = value.native.astimezone(UTC)
    return ClaimedTime(text=at.strftime("%Y%m%d%H%M%S") + "+0000", at=at, zone_known=True)


def _binds(attributes: dict[str, Any], certificate: bytes) -> bool:
    """Return whether an ESS attribute names the certificate; one that names another is an error."""
    stated = []
    if "signing_certificate_v2" in attributes:
        first = attributes["signing_certificate_v2"]["certs"][0]
        name = first["hash_algorithm"]["algorithm"].native
        stated.append((name, first["cert_hash"].native))
    if "signing_certificate" in attributes:
        first = attributes["signing_certificate"]["certs"][0]
        stated.append(("sha1", first["cert_hash"].native))
    for name, expected in stated:
        found = hashlib.new(name, certificate, usedforsecurity=False).digest()
        if not compare_digest(found, expected):
            raise _refused("its signed attributes name another certificate")
    return bool(stated)


def _refused(what: str) -> SignatureFormatError:
    return SignatureFormatError(
        f"not a usable detached signature: {what}", rule="CMS_FORMAT", cites=_CITES
    )
