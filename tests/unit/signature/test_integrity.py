"""Does a value belong to a digest and a certificate: genuine, for other bytes, or not at all?"""

from __future__ import annotations

import hashlib

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, utils

from sr.errors import UnsupportedAlgorithmError
from sr.mac import MACAlgorithm
from sr.mac.algorithm import new_digest
from sr.signature.digest_info import digest_info
from sr.signature.integrity import SignatureMatch, der_prefix, match_signature, public_key_facts
from tests.support.pki import issue
from tests.support.signed import sign_digest

RSA = issue(None, key_kind="rsa2048")
OTHER = issue(None, key_kind="rsa2048", slot="other")
EC = issue(None, key_kind="p256")
SHA256 = MACAlgorithm.SHA256
DIGEST, WRONG = hashlib.sha256(b"right").digest(), hashlib.sha256(b"wrong").digest()
VALUE = sign_digest(RSA.key, SHA256, DIGEST)


@pytest.mark.parametrize("algorithm", MACAlgorithm)
def test_rsa_with_every_algorithm(algorithm):
    """RSASSA-PKCS1-v1_5 values match with every defined digest, also those libraries refuse."""
    digest, wrong = new_digest(algorithm), new_digest(algorithm)
    digest.update(b"right")
    value = sign_digest(RSA.key, algorithm, digest.digest())
    assert match_signature(RSA.der, value, algorithm, digest.digest()) is SignatureMatch.MATCHES
    assert match_signature(RSA.der, value, algorithm, wrong.digest()) is SignatureMatch.OTHER_DIGEST


@pytest.mark.parametrize(
    "name", ["SHA224", "SHA256", "SHA384", "SHA512", "SHA3_256", "SHA512_256", "MD5", "SHA1"]
)
def test_digest_info_is_what_a_library_makes(name):
    """The DER around a digest is that of another implementation."""
    algorithm = MACAlgorithm(name)
    other = getattr(hashes, name if name != "MD5" else "MD5")()
    digest = hashlib.new(name.lower(), b"x").digest()
    value = sign_digest(RSA.key, algorithm, digest)
    RSA.key.public_key().verify(value, digest, padding.PKCS1v15(), utils.Prehashed(other))


@pytest.mark.parametrize("length", [0, 20, 31, 33])
def test_digest_of_another_length(length):
    """A digest that cannot be of the algorithm has no DigestInfo."""
    with pytest.raises(UnsupportedAlgorithmError):
        digest_info(SHA256, bytes(length))


def _raised(block: bytes) -> bytes:
    """Return what the private key makes of any block."""
    numbers = RSA.key.private_numbers()
    number = int.from_bytes(b"\0\1" + block)
    return pow(number, numbers.d, numbers.public_numbers.n).to_bytes(256)


NOT_GENUINE = {
    "other key": (OTHER.der, VALUE),
    "one bit": (RSA.der, bytes([VALUE[0] ^ 1]) + VALUE[1:]),
    "short": (RSA.der, VALUE[:-1]),
    "long": (RSA.der, VALUE + b"\0\0"),
    "padded": (RSA.der, VALUE + b"\0"),
    "empty": (RSA.der, b""),
    "beyond the modulus": (RSA.der, b"\xff" * 256),
    "zero": (RSA.der, bytes(256)),
    "one": (RSA.der, bytes(255) + b"\1"),
    "bare digest": (RSA.der, _raised(b"\xff" * 221 + b"\0" + DIGEST)),
    "rest after the digest": (
        RSA.der, _raised(b"\xff" * 8 + b"\0" + digest_info(SHA256, DIGEST) + bytes(194)),
    ),
    "EC value": (RSA.der, sign_digest(EC.key, SHA256, DIGEST)),
    "EC key, RSA value": (EC.der, VALUE),
    "EC key, nonsense": (EC.der, b"\x30\6\2\1\1\2\1"),
    "EC key, empty": (EC.der, b""),
}  # fmt: skip


@pytest.mark.parametrize("name", NOT_GENUINE)
def test_values_that_are_not_genuine(name):
    """What the key of the certificate did not make, or not in this form, is not genuine."""
    certificate, value = NOT_GENUINE[name]
    assert match_signature(certificate, value, SHA256, DIGEST) is SignatureMatch.NOT_GENUINE


def test_another_algorithm_is_not_genuine():
    """A value over the same digest under another algorithm's name does not count."""
    value = sign_digest(RSA.key, MACAlgorithm.SHA512_256, DIGEST)
    assert match_signature(RSA.der, value, SHA256, DIGEST) is SignatureMatch.NOT_GENUINE


@pytest.mark.parametrize("kind", ["p256", "p384", "p521", "brainpool256"])
@pytest.mark.parametrize("name", ["SHA256", "SHA384", "SHA512"])
def test_ec(kind, name):
    """DER values of any curve match, with or without the pad byte of OB."""
    signer, algorithm = issue(None, key_kind=kind), MACAlgorithm(name)
    digest = hashlib.new(name.lower(), b"right").digest()
    value = sign_digest(signer.key, algorithm, digest)
    for stored in (value, value + b"\0"):
        matched = match_signature(signer.der, stored, algorithm, digest)
        assert matched is SignatureMatch.MATCHES
    wrong = hashlib.new(name.lower(), b"wrong").digest()
    assert match_signature(signer.der, value, algorithm, wrong) is SignatureMatch.OTHER_DIGEST


@pytest.mark.parametrize("rest", [b"\1", b"\0\0", b"x" * 20])
def test_bytes_after_an_ec_value(rest):
    """Only one zero byte may follow an EC value."""
    value = sign_digest(EC.key, SHA256, DIGEST) + rest
    assert match_signature(EC.der, value, SHA256, DIGEST) is SignatureMatch.NOT_GENUINE


UNREADABLE = {
    "empty": b"",
    "one byte": b"\x30",
    "text": b"certificate",
    "cut": RSA.der[:-20],
    "unknown version": RSA.der.replace(b"\xa0\3\2\1\2", b"\xa0\3\2\1\x09"),
    "huge length": b"\x30\x84\xff\xff\xff\xff",
    "indefinite length": b"\x30\x80\0\0",
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_unreadable_certificates(name):
    """Bytes that are no certificate are said to be so, and never raise."""
    data = UNREADABLE[name]
    assert match_signature(data, VALUE, SHA256, DIGEST) is SignatureMatch.UNREADABLE_CERTIFICATE
    assert public_key_facts(data) is None


def test_a_padded_certificate_is_read():
    """The pad byte of OB does not belong to the certificate."""
    assert match_signature(RSA.der + b"\0", VALUE, SHA256, DIGEST) is SignatureMatch.MATCHES


@pytest.mark.parametrize(
    ("kind", "facts"),
    [
        ("rsa2048", ("RSA", 2048)),
        ("rsa3072", ("RSA", 3072)),
        ("p256", ("EC", 256)),
        ("p521", ("EC", 521)),
        ("ed25519", ("Ed25519", 0)),
    ],
)
def test_public_key_facts(kind, facts):
    """A certificate's key is named by kind and size."""
    found = public_key_facts(issue(None, key_kind=kind).der)
    assert found is not None
    assert (found.kind, found.bits) == facts


def test_unsupported_key():
    """A key of a kind no profile knows is neither right nor wrong."""
    certificate = issue(None, key_kind="ed25519").der
    assert match_signature(certificate, VALUE, SHA256, DIGEST) is SignatureMatch.UNSUPPORTED_KEY


@pytest.mark.parametrize(
    ("data", "prefix"),
    [
        (b"\x30\3\2\1\1\0", b"\x30\3\2\1\1"),
        (b"\x30\3\2\1\1", b"\x30\3\2\1\1"),
        (b"\x30\x81\3\2\1\1\0\0", b"\x30\x81\3\2\1\1"),
        (b"\x30\x05\1", b"\x30\5\1"),
        (b"\x30", b"\x30"),
        (b"", b""),
    ],
)
def test_der_prefix(data, prefix):
    """The first DER element ends where its length says."""
    assert der_prefix(data) == prefix
