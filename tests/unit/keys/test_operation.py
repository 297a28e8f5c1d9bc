"""How a token is asked and its answer read, without a token."""

from __future__ import annotations

import hashlib

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, decode_dss_signature

from sr.errors import SignerRefusedError, UnsupportedAlgorithmError
from sr.keys.checks import public_key_of
from sr.keys.operation import signature_value, token_operation
from sr.keys.token_port import KeyKind
from sr.mac import MACAlgorithm
from tests.support.pki import demo_pki, issue

HASHES = {
    MACAlgorithm.SHA224: hashes.SHA224(),
    MACAlgorithm.SHA256: hashes.SHA256(),
    MACAlgorithm.SHA384: hashes.SHA384(),
    MACAlgorithm.SHA512: hashes.SHA512(),
    MACAlgorithm.SHA512_256: hashes.SHA512_256(),
    MACAlgorithm.SHA3_384: hashes.SHA3_384(),
}


@pytest.mark.parametrize("algorithm", HASHES)
def test_rsa_gets_the_same_digest_info_as_the_library(algorithm: MACAlgorithm) -> None:
    """PKCS #1 padding around our DigestInfo is what the library signs for the same hash."""
    author = demo_pki().author
    assert isinstance(author.key, rsa.RSAPrivateKey)
    digest = hashlib.new(algorithm.value.lower(), b"document").digest()
    kind, payload = token_operation(public_key_of(author.certificate), digest, algorithm)
    expected = author.key.sign(digest, padding.PKCS1v15(), Prehashed(HASHES[algorithm]))
    recovered = author.key.public_key().recover_data_from_signature(
        expected, padding.PKCS1v15(), None
    )
    assert (KeyKind.RSA, recovered) == (kind, payload)


@pytest.mark.parametrize(
    ("key_kind", "algorithm", "length"),
    [
        ("p256", MACAlgorithm.SHA224, 28),
        ("p256", MACAlgorithm.SHA256, 32),
        ("p256", MACAlgorithm.SHA512, 32),
        ("p384", MACAlgorithm.SHA512, 48),
        ("p521", MACAlgorithm.SHA512, 64),
    ],
)
def test_ec_gets_at_most_the_order_of_its_curve(
    key_kind: str, algorithm: MACAlgorithm, length: int
) -> None:
    """ECDSA gets the leftmost bytes of a digest that is longer than the curve's order."""
    key = public_key_of(issue(demo_pki().issuing, key_kind=key_kind).certificate)
    digest = hashlib.new(algorithm.value.lower(), b"document").digest()
    assert token_operation(key, digest, algorithm) == (KeyKind.EC, digest[:length])


def test_a_digest_of_another_algorithm_is_refused() -> None:
    """No DigestInfo names an algorithm whose digest has another length."""
    with pytest.raises(UnsupportedAlgorithmError):
        token_operation(
            public_key_of(demo_pki().author.certificate), bytes(20), MACAlgorithm.SHA256
        )


def test_two_numbers_side_by_side_become_der() -> None:
    """R and s of equal length become a DER sequence of two integers."""
    key = public_key_of(issue(demo_pki().issuing, key_kind="p256").certificate)
    raw = bytes(31) + b"\x07" + b"\xff" * 32
    assert decode_dss_signature(signature_value(key, raw)) == (7, 2**256 - 1)


@pytest.mark.parametrize("raw", [b"", b"\x01", bytes(63)])
def test_what_is_not_two_numbers_is_refused(raw: bytes) -> None:
    """An empty or odd answer is no ECDSA value."""
    key = public_key_of(issue(demo_pki().issuing, key_kind="p256").certificate)
    with pytest.raises(SignerRefusedError):
        signature_value(key, raw)
