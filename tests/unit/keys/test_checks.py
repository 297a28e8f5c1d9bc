"""What every signer checks before and after it signs."""

from __future__ import annotations

import hashlib

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

from sr.errors import SignerRefusedError, UnsupportedAlgorithmError
from sr.keys.checks import chain_from, check_digest, check_key, check_value, public_key_of
from sr.mac import MACAlgorithm
from tests.support.pki import Entity, demo_pki, issue, name

DIGEST = hashlib.sha256(b"document").digest()


def sign(entity: Entity, digest: bytes = DIGEST) -> bytes:
    assert isinstance(entity.key, rsa.RSAPrivateKey)
    return entity.key.sign(digest, padding.PKCS1v15(), Prehashed(hashes.SHA256()))


@pytest.mark.parametrize("algorithm", [MACAlgorithm.MD5, MACAlgorithm.SHA1, MACAlgorithm.RIPEMD160])
def test_weak_digests_are_never_signed(algorithm: MACAlgorithm) -> None:
    """MD5, SHA-1 and RIPEMD-160 are refused whatever the key."""
    with pytest.raises(UnsupportedAlgorithmError):
        check_digest(bytes(algorithm.digest_bytes), algorithm)


@pytest.mark.parametrize("length", [0, 20, 31, 33, 64])
def test_a_digest_has_the_length_of_its_algorithm(length: int) -> None:
    """A digest of another length is refused: it is no SHA-256 value."""
    with pytest.raises(UnsupportedAlgorithmError):
        check_digest(bytes(length), MACAlgorithm.SHA256)


def test_a_value_of_the_certificate_passes() -> None:
    """A value made with the certificate's key is returned unchanged."""
    author = demo_pki().author
    value = sign(author)
    assert check_value(author.certificate, value, DIGEST, MACAlgorithm.SHA256) == value


@pytest.mark.parametrize("fault", ["other key", "other digest", "flipped", "empty"])
def test_a_value_of_another_key_is_refused(fault: str) -> None:
    """A value that does not verify with the certificate does not leave the signer."""
    author, supervisor = demo_pki().author, demo_pki().supervisor
    value = {
        "other key": sign(supervisor),
        "other digest": sign(author, bytes(32)),
        "flipped": bytes([sign(author)[0] ^ 1]) + sign(author)[1:],
        "empty": b"",
    }[fault]
    with pytest.raises(SignerRefusedError):
        check_value(author.certificate, value, DIGEST, MACAlgorithm.SHA256)


def test_key_and_certificate_belong_together() -> None:
    """A key passes with its own certificate and with no other."""
    pki = demo_pki()
    check_key(pki.author.certificate, public_key_of(pki.author.certificate))
    with pytest.raises(SignerRefusedError):
        check_key(pki.author.certificate, public_key_of(pki.supervisor.certificate))


def test_other_kinds_of_key_are_unsupported() -> None:
    """An Ed25519 certificate is refused: no profile knows it."""
    with pytest.raises(UnsupportedAlgorithmError):
        public_key_of(issue(demo_pki().issuing, key_kind="ed25519").certificate)


def test_a_chain_is_put_in_order() -> None:
    """Issuers are found in any order, and strangers are left out."""
    pki = demo_pki()
    pool = (
        pki.supervisor.certificate,
        pki.root.certificate,
        pki.author.certificate,
        pki.issuing.certificate,
    )
    assert chain_from(pki.author.certificate, pool) == pki.author.chain


def test_a_chain_goes_by_signature_and_not_by_name() -> None:
    """A CA of the same name with another key is no issuer."""
    pki = demo_pki()
    double = issue(pki.root, ca=True, subject=pki.issuing.certificate.subject, slot="double")
    pool = (double.certificate, pki.root.certificate)
    assert chain_from(pki.author.certificate, pool) == (pki.author.certificate,)


def test_a_circle_of_issuers_ends() -> None:
    """Two CAs that certify each other make a finite chain."""
    pki = demo_pki()
    a, b = name("A"), name("B")
    by_b = issue(None, ca=True, subject=a, slot="a", issuer_name=b,
                 signing_key=issue(None, ca=True, slot="b").key)  # fmt: skip
    by_a = issue(None, ca=True, subject=b, slot="b", issuer_name=a, signing_key=by_b.key)
    pool = (by_a.certificate, by_b.certificate, pki.root.certificate)
    assert chain_from(by_a.certificate, pool) == (by_a.certificate, by_b.certificate)
