"""Detached CMS signatures: what is signed, and what is refused when one is read."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from typing import Any

import pytest
from asn1crypto import cms, core, tsp
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7
from hypothesis import given, settings
from hypothesis import strategies as st

from sr.errors import SignatureFormatError, SignerRefusedError
from sr.mac import MACAlgorithm
from sr.signature.detached import complete_detached, prepare_detached, read_detached
from sr.signature.integrity import SignatureMatch
from tests.support.pki import NOW, Entity, demo_pki, issue
from tests.support.signed import sign_digest

CONTENT = b"a list\n"
DIGEST = hashlib.sha256(CONTENT).digest()


def detached(signer: Entity | None = None, at: datetime = NOW) -> bytes:
    signer = signer or demo_pki().author
    prepared = prepare_detached(DIGEST, certificates=(signer.der,), signed_at=at)
    return complete_detached(
        prepared, sign_digest(signer.key, MACAlgorithm.SHA256, prepared.digest)
    )


@cache
def authors() -> bytes:
    """Return the author's signature over the content."""
    return detached()


@pytest.mark.parametrize("kind", ["rsa", "p256", "p384"])
def test_a_signature_says_who_when_and_over_what(kind: str) -> None:
    """What was signed comes back: certificate, time in UTC, digest, and the binding of both."""
    signer = demo_pki().author if kind == "rsa" else issue(demo_pki().issuing, key_kind=kind)
    found = read_detached(detached(signer))
    assert found.certificate == signer.der
    assert found.claimed.at == NOW.replace(microsecond=0)
    assert found.binds_certificate
    assert found.compare(DIGEST) is SignatureMatch.MATCHES
    assert found.compare(bytes(32)) is SignatureMatch.OTHER_DIGEST


def test_times_after_2049_are_written_in_full() -> None:
    """A year that UTCTime cannot tell from the last century is written with four digits."""
    at = datetime(2051, 3, 1, tzinfo=UTC)
    assert read_detached(detached(at=at)).claimed.at == at


def test_a_value_of_another_key_is_never_written() -> None:
    """A signature that does not belong to its certificate is refused when it is made."""
    prepared = prepare_detached(DIGEST, certificates=(demo_pki().author.der,), signed_at=NOW)
    other = sign_digest(demo_pki().supervisor.key, MACAlgorithm.SHA256, prepared.digest)
    with pytest.raises(SignerRefusedError):
        complete_detached(prepared, other)


def test_a_key_that_is_neither_rsa_nor_ec_is_refused() -> None:
    """Without a certificate of a usable kind nothing is prepared."""
    ed25519 = issue(demo_pki().issuing, key_kind="ed25519")
    for certificates in ((), (ed25519.der,), (b"0",)):
        with pytest.raises(SignerRefusedError):
            prepare_detached(DIGEST, certificates=certificates, signed_at=NOW)


def altered(change: Callable[[Any], None], der: bytes | None = None) -> bytes:
    """Return a signature with something in its structure changed, and nothing signed anew."""
    info = cms.ContentInfo.load(der or authors())
    change(info["content"])
    encoded: bytes = info.dump(force=True)
    return encoded


def _signer(signed: Any) -> Any:
    return signed["signer_infos"][0]


def _two_signers(signed: Any) -> None:
    signed["signer_infos"] = [_signer(signed), cms.SignerInfo.load(_signer(signed).dump())]


def _attached(signed: Any) -> None:
    signed["encap_content_info"] = {"content_type": "data", "content": core.OctetString(b"x")}


def _no_certificate(signed: Any) -> None:
    signed["certificates"] = []


def _foreign_certificate(signed: Any) -> None:
    other = cms.CertificateChoices.load(demo_pki().supervisor.der)
    signed["certificates"] = [other]


def _no_attributes(signed: Any) -> None:
    _signer(signed)["signed_attrs"] = []


def _without(name: str) -> Callable[[Any], None]:
    def change(signed: Any) -> None:
        kept = [a for a in _signer(signed)["signed_attrs"] if a["type"].native != name]
        _signer(signed)["signed_attrs"] = kept

    return change


def _twice(name: str) -> Callable[[Any], None]:
    def change(signed: Any) -> None:
        found = list(_signer(signed)["signed_attrs"])
        again = [cms.CMSAttribute.load(a.dump()) for a in found if a["type"].native == name]
        _signer(signed)["signed_attrs"] = [*found, *again]

    return change


def _other_certificate_named(signed: Any) -> None:
    bound = tsp.SigningCertificateV2({"certs": [{"cert_hash": bytes(32)}]})
    for attribute in _signer(signed)["signed_attrs"]:
        if attribute["type"].native == "signing_certificate_v2":
            attribute["values"] = [bound]


def _digest_algorithm(signed: Any) -> None:
    _signer(signed)["digest_algorithm"] = {"algorithm": "md2"}


def _other_hash_in_signature(signed: Any) -> None:
    _signer(signed)["signature_algorithm"] = {"algorithm": "sha512_rsa"}


def _signature_of_another_kind(signed: Any) -> None:
    _signer(signed)["signature_algorithm"] = {"algorithm": "sha256_ecdsa"}


@pytest.mark.parametrize(
    "change",
    [
        _two_signers,
        _attached,
        _no_certificate,
        _foreign_certificate,
        _no_attributes,
        _without("content_type"),
        _without("message_digest"),
        _twice("message_digest"),
        _twice("signing_time"),
        _other_certificate_named,
        _digest_algorithm,
        _other_hash_in_signature,
        _signature_of_another_kind,
    ],
)
def test_a_structure_that_means_something_else_is_refused(change: Callable[[Any], None]) -> None:
    """What is not one signature by one signer over signed attributes is refused."""
    with pytest.raises(SignatureFormatError) as refused:
        read_detached(altered(change))
    assert refused.value.rule == "CMS_FORMAT"


@pytest.mark.parametrize("name", ["signing_time", "signing_certificate_v2"])
def test_an_attribute_removed_breaks_the_signature(name: str) -> None:
    """What may be absent may not be taken away."""
    found = read_detached(altered(_without(name)))
    assert found.compare(DIGEST) is SignatureMatch.NOT_GENUINE


@pytest.mark.parametrize("data", [b"", b"0", b"0\x80", CONTENT, bytes(1000)])
def test_bytes_that_are_no_signature_are_refused(data: bytes) -> None:
    """Other bytes are refused, and nothing worse."""
    with pytest.raises(SignatureFormatError):
        read_detached(data)


def test_bytes_behind_a_signature_are_refused() -> None:
    """Nothing may follow the signature."""
    with pytest.raises(SignatureFormatError):
        read_detached(authors() + b"\0")


@settings(max_examples=150, deadline=None)
@given(place=st.integers(0, len(authors()) - 1), mask=st.integers(1, 255))
def test_no_changed_byte_is_a_valid_signature_of_another(place: int, mask: int) -> None:
    """A changed byte is refused, breaks the signature, or is no part of what it says."""
    data = bytearray(authors())
    data[place] ^= mask
    try:
        found = read_detached(bytes(data))
    except SignatureFormatError:
        return
    if found.compare(DIGEST) is SignatureMatch.MATCHES:
        original = read_detached(authors())
        assert (found.certificate, found.claimed, found.stated_digest, found.signature) == (
            original.certificate,
            original.claimed,
            original.stated_digest,
            original.signature,
        )


def of_others(signer: Entity, *options: pkcs7.PKCS7Options) -> bytes:
    builder = pkcs7.PKCS7SignatureBuilder().set_data(CONTENT)
    builder = builder.add_signer(signer.certificate, signer.key, hashes.SHA384())  # type: ignore[arg-type]
    return builder.sign(Encoding.DER, [pkcs7.PKCS7Options.Binary, *options])


@pytest.mark.parametrize("kind", ["rsa2048", "p256"])
def test_signatures_of_others_are_read(kind: str) -> None:
    """What another library signs is read, and that it binds no certificate is seen."""
    signer = issue(demo_pki().issuing, key_kind=kind)
    found = read_detached(of_others(signer, pkcs7.PKCS7Options.DetachedSignature))
    assert not found.binds_certificate
    assert found.digest_algorithm is MACAlgorithm.SHA384
    assert found.compare(hashlib.sha384(CONTENT).digest()) is SignatureMatch.MATCHES


@pytest.mark.parametrize("missing", ["detachment", "attributes"])
def test_signatures_of_others_need_the_same_form(missing: str) -> None:
    """A signature with its content inside, or without signed attributes, is refused."""
    detachment, no_attributes = (
        pkcs7.PKCS7Options.DetachedSignature,
        pkcs7.PKCS7Options.NoAttributes,
    )
    options = [detachment, no_attributes] if missing == "attributes" else []
    with pytest.raises(SignatureFormatError):
        read_detached(of_others(demo_pki().author, *options))
