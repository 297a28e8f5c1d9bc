"""A time-stamp authority in memory: sound answers by default, one variation at a time.

``token`` makes a token over a value; ``MemoryAuthority`` answers requests and is the double of the
client in ``sr.net``. What it makes, openssl and dcmsign accept.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from asn1crypto import algos, cms, core, tsp
from asn1crypto import x509 as asn1_x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from tests.support.forge import Node, edited, insert, leaf, signature_item
from tests.support.forge import at as find
from tests.support.pki import Entity, demo_pki, issue
from tests.support.signed import SIGNED_AT

__all__ = [
    "POLICY",
    "STAMPED_AT",
    "MemoryAuthority",
    "refusal",
    "response",
    "stamped",
    "token",
    "tsa",
]

STAMPED_AT = SIGNED_AT + timedelta(minutes=1)
POLICY = "1.2.3.4"
_HASHES = {
    "sha1": hashes.SHA1, "sha256": hashes.SHA256, "sha384": hashes.SHA384, "sha512": hashes.SHA512,
}  # fmt: skip


def tsa(issuer: Entity | None = None, name: str = "Other TSA", **changes: Any) -> Entity:
    """Return another sound authority; ``changes`` go to ``issue``."""
    sound: dict[str, Any] = {
        "slot": "tsa",
        "usage": ("digital_signature",),
        "extended_usage": [ExtendedKeyUsageOID.TIME_STAMPING],
        "extended_usage_critical": True,
    }
    return issue(issuer or demo_pki().issuing, name, **(sound | changes))


def token(
    value: bytes,
    *,
    authority: Entity | None = None,
    at: datetime | Any = STAMPED_AT,
    imprint_hash: str = "sha256",
    digest_hash: str = "sha256",
    signature_algorithm: str = "rsassa_pkcs1v15",
    content_type: str = "tst_info",
    signed_type: str | None = None,
    certificates: Iterable[Entity] | None = None,
    named: Entity | None = None,
    naming: str | cms.CMSAttribute = "signing_certificate_v2",
    nonce: int | None = None,
    policy: str = POLICY,
    accuracy: dict[str, int] | None = None,
    info: dict[str, Any] | None = None,
    signing_key: Entity | None = None,
    imprint: bytes | None = None,
) -> bytes:
    """Return a TimeStampToken over a value, one minute after the sound reports were signed.

    Args:
        value: What is stamped.
        authority: Who stamps; the sound one by default.
        at: Its time.
        imprint_hash: Hash of the imprint.
        digest_hash: Hash of the content and, where the algorithm leaves it open, the signature.
        signature_algorithm: As asn1crypto names it.
        content_type: What is signed, ``tst_info`` or ``data``.
        signed_type: What the signed attributes call it.
        certificates: What comes with it; the authority's own by default.
        named: Whose certificate it names; the authority's by default.
        naming: ``signing_certificate_v2``, ``signing_certificate``, empty for neither, or the
            whole attribute.
        nonce: That of the request.
        policy: Object identifier.
        accuracy: ``seconds``, ``millis``, ``micros``.
        info: Other fields of TSTInfo.
        signing_key: Whose key signs; the authority's by default.
        imprint: Other bytes than the digest of ``value``.
    """
    authority = authority or demo_pki().tsa
    content = tsp.TSTInfo(
        {
            "version": "v1",
            "policy": policy,
            "message_imprint": {
                "hash_algorithm": {"algorithm": imprint_hash},
                "hashed_message": imprint or hashlib.new(imprint_hash, value).digest(),
            },
            "serial_number": 1,
            "gen_time": at,
            **({"accuracy": accuracy} if accuracy else {}),
            **({"nonce": nonce} if nonce is not None else {}),
            **(info or {}),
        }
    ).dump()
    attributes = [
        {"type": "content_type", "values": [signed_type or content_type]},
        {"type": "message_digest", "values": [hashlib.new(digest_hash, content).digest()]},
        *_naming(named or authority, naming),
    ]
    return _content_info(
        content if content_type != "tst_info" else core.ParsableOctetString(content),
        content_type,
        cms.CMSAttributes(attributes),
        authority,
        digest_hash=digest_hash,
        algorithm=signature_algorithm,
        certificates=[authority] if certificates is None else list(certificates),
        key=(signing_key or authority).key,
    )


def _naming(authority: Entity, naming: str | cms.CMSAttribute) -> list[Any]:
    if isinstance(naming, cms.CMSAttribute):
        return [naming]
    if naming == "signing_certificate_v2":
        named = {"cert_hash": hashlib.sha256(authority.der).digest()}
    elif naming:
        named = {"cert_hash": hashlib.sha1(authority.der, usedforsecurity=False).digest()}
    else:
        return []
    return [{"type": naming, "values": [{"certs": [named]}]}]


def _content_info(
    content: object,
    content_type: str,
    attributes: cms.CMSAttributes,
    authority: Entity,
    *,
    digest_hash: str,
    algorithm: str,
    certificates: list[Entity],
    key: object,
) -> bytes:
    certificate = asn1_x509.Certificate.load(authority.der)
    said: dict[str, Any] = {"algorithm": algorithm}
    if algorithm == "rsassa_pss":
        said["parameters"] = {
            "hash_algorithm": {"algorithm": digest_hash},
            "mask_gen_algorithm": {"algorithm": "mgf1", "parameters": {"algorithm": digest_hash}},
            "salt_length": 32,
        }
    signer = {
        "version": "v1",
        "sid": {
            "issuer_and_serial_number": {
                "issuer": certificate.issuer,
                "serial_number": certificate.serial_number,
            }
        },
        "digest_algorithm": {"algorithm": digest_hash},
        "signed_attrs": attributes,
        "signature_algorithm": algos.SignedDigestAlgorithm(said),
        "signature": _signature(key, attributes.dump(), algorithm, _HASHES[digest_hash]()),
    }
    signed = cms.SignedData(
        {
            "version": "v3",
            "digest_algorithms": [{"algorithm": digest_hash}],
            "encap_content_info": {"content_type": content_type, "content": content},
            "certificates": [asn1_x509.Certificate.load(each.der) for each in certificates],
            "signer_infos": [signer],
        }
    )
    return cms.ContentInfo({"content_type": "signed_data", "content": signed}).dump()


def _signature(key: object, body: bytes, algorithm: str, kind: hashes.HashAlgorithm) -> bytes:
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return key.sign(body, ec.ECDSA(kind))
    assert isinstance(key, rsa.RSAPrivateKey)
    if algorithm == "rsassa_pss":
        return key.sign(body, padding.PSS(padding.MGF1(kind), 32), kind)
    return key.sign(body, padding.PKCS1v15(), kind)


def stamped(
    data: bytes,
    make: Callable[[bytes], bytes | None] = token,
    *,
    kind: str | None = "CMS_TSP",
    number: int = 0,
) -> bytes:
    """Return a file with a time-stamp beside one of its signatures.

    Args:
        data: A signed file.
        make: Returns the token over the signature value; ``None`` for none.
        kind: Certified Timestamp Type; ``None`` for none.
        number: Which signature, from 0.
    """

    def edit(nodes: list[Node]) -> None:
        item = signature_item(nodes, number)
        made = make(find(item, 0x04000120).value)
        if kind is not None:
            insert(item, leaf(0x04000305, "CS", kind))
        if made is not None:
            insert(item, leaf(0x04000310, "OB", made + b"\0" * (len(made) % 2)))

    return edited(data, edit)


def response(made: bytes, status: str = "granted") -> bytes:
    """Return the TimeStampResp that a token comes in."""
    return tsp.TimeStampResp(
        {"status": {"status": status}, "time_stamp_token": cms.ContentInfo.load(made)}
    ).dump()


def refusal(status: str = "rejection") -> bytes:
    """Return a TimeStampResp without token."""
    info = tsp.PKIStatusInfo({"status": status, "fail_info": {"bad_alg"}})
    return core.SequenceOf([info], spec=tsp.PKIStatusInfo).dump()


@dataclass(kw_only=True)
class MemoryAuthority:
    """Answers requests in memory; ``changes`` go to ``token``, ``answer`` replaces everything."""

    clock: Callable[[], datetime]
    changes: dict[str, Any] = field(default_factory=dict)
    answer: Callable[[bytes], bytes] | None = None
    status: str = "granted"
    requests: list[bytes] = field(default_factory=list)
    name: str = "memory:tsa"

    def respond(self, request: bytes) -> bytes:
        """Return the answer to a request."""
        self.requests.append(request)
        if self.answer is not None:
            return self.answer(request)
        asked = tsp.TimeStampReq.load(request)
        imprint = asked["message_imprint"]
        said: dict[str, Any] = {
            "at": self.clock(),
            "imprint": imprint["hashed_message"].native,
            "imprint_hash": imprint["hash_algorithm"]["algorithm"].native,
            "nonce": asked["nonce"].native,
            "policy": asked["req_policy"].native or POLICY,
        }
        return response(token(b"", **(said | self.changes)), self.status)
