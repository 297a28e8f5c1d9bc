"""A certificate's fields, the exactness of its DER, and names that cannot mislead."""

from __future__ import annotations

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import NameOID

from sr.errors import TrustEvidenceError
from sr.trust import subject_name
from sr.trust.certificate import der_length, hash_term, read_certificate, read_certificate_of_signer
from tests.support.pki import demo_pki, issue, name

PKI = demo_pki()
DER = PKI.author.der


@pytest.mark.parametrize("value", [DER, DER + b"\0"])
def test_one_certificate_and_a_pad_byte(value: bytes) -> None:
    """The value is one certificate, with or without the byte that makes it even."""
    assert read_certificate_of_signer(value).der == DER


def _long_form(der: bytes) -> bytes:
    """Return the same certificate with a length in more octets than needed."""
    return der[:1] + b"\x83\x00" + der[2:4] + der[4:]


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"\0",
        b"\x30",
        b"\x30\x80" + DER[4:] + b"\0\0",
        b"\x30\x85\0\0\0\0\0",
        DER + b"\0\0",
        DER + b" ",
        DER + DER,
        b"\0" + DER,
        DER[:-1],
        _long_form(DER),
        b"\x31" + DER[1:],
        PKI.author.pem,
    ],
    ids=lambda value: value[:6].hex(),
)
def test_nothing_else_is_a_certificate(value: bytes) -> None:
    """Covert bytes, BER lengths, PEM and fragments are refused."""
    with pytest.raises(TrustEvidenceError):
        read_certificate_of_signer(value)


@pytest.mark.parametrize(
    ("data", "length"),
    [(b"\x30\x00", 2), (b"\x30\x01x!", 3), (b"\x30\x81\x80" + bytes(128), 131)],
)
def test_the_length_of_a_sequence(data: bytes, length: int) -> None:
    """The DER length covers header and content, not what follows."""
    assert der_length(data) == length


def test_the_summary_is_that_of_the_contract() -> None:
    """The signer object has subject, issuer, serial and fingerprint."""
    summary = read_certificate(DER).summary
    assert summary.as_dict() == {
        "subject": "CN=Anna Meier,O=srsign tests,C=XX",
        "issuer": "CN=Test Issuing CA,O=srsign tests,C=XX",
        "serial": f"{PKI.author.certificate.serial_number:x}",
        "sha256": PKI.author.certificate.fingerprint(hashes.SHA256()).hex(),
    }


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("Anna\x1b[31mMeier", "CN=Anna\\1B[31mMeier"),
        ("Anna\u202ereieM", "CN=Anna\\E2\\80\\AEreieM"),
        ("Anna, Dr. Meier", "CN=Anna\\, Dr. Meier"),
        ("Jürgen Groß", "CN=Jürgen Groß"),
        ("山田太郎", "CN=山田太郎"),
    ],
)
def test_a_name_steers_no_terminal(raw: str, shown: str) -> None:
    """Control and direction characters in a name are shown as hexadecimal."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, raw)])
    assert subject_name(issue(PKI.issuing, subject=subject).der) == shown


@pytest.mark.parametrize(
    ("algorithm", "term"),
    [
        (hashes.SHA256(), "SHA256"),
        (hashes.SHA512_256(), "SHA512_256"),
        (hashes.SHA3_256(), "SHA3_256"),
        (hashes.SHA1(), "SHA1"),  # noqa: S303 - a name here
        (None, ""),
    ],
)
def test_hashes_are_spelt_as_dicom_does(algorithm: hashes.HashAlgorithm | None, term: str) -> None:
    """The name of a hash is the defined term."""
    assert hash_term(algorithm) == term


def test_usage_is_read() -> None:
    """Key usage bits and extended usages are read, and absence differs from emptiness."""
    bare = read_certificate(issue(PKI.issuing, usage=None, basic_constraints=False).der)
    assert bare.key_usage is None
    assert bare.extended_key_usage is None
    assert not bare.is_ca
    none = read_certificate(issue(PKI.issuing, usage=[]).der)
    assert none.key_usage == frozenset()
    assert read_certificate(PKI.root.der).is_ca
    assert read_certificate(PKI.author.der).subject == name("Anna Meier")
