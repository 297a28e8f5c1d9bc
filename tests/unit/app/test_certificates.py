"""The throw-away PKI: what a verifier looks at is there, and nobody can mistake it for real."""

from __future__ import annotations

import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from sr.app.demonstration.certificates import DEMO_ENTITIES, DemoPKI, make_demo_pki
from sr.errors import ConfigurationError
from sr.keys import open_signer
from sr.mac import MACAlgorithm

NOW = datetime(2026, 11, 20, 12, 0, 0, 123456, tzinfo=UTC)
T = TypeVar("T", bound=x509.ExtensionType)
SIGNERS = ("author", "supervisor", "archive", "tsa")


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> DemoPKI:
    """Return one demo PKI for all tests."""
    folder = tmp_path_factory.mktemp("demo") / "new" / "pki"
    return make_demo_pki(folder, now=NOW, passphrase="demo")


def certificate(pki: DemoPKI, name: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate(pki.certificate(name).read_bytes())


def extension(pki: DemoPKI, name: str, kind: type[T]) -> x509.Extension[T]:
    return certificate(pki, name).extensions.get_extension_for_class(kind)


def test_exactly_the_promised_files_are_there(pki: DemoPKI) -> None:
    """Certificates, keys and revocation lists have the names of the contract."""
    expected = {f"{name}.{kind}" for name in DEMO_ENTITIES for kind in ("pem", "key")}
    expected |= {"root.crl", "issuing.crl"} | {f"{name}.p12" for name in SIGNERS}
    assert {path.name for path in pki.folder.iterdir()} == expected


def test_private_keys_are_the_owners_alone(pki: DemoPKI) -> None:
    """Whatever holds a private key has mode 0600; nothing else has."""
    for path in pki.folder.iterdir():
        private = path.suffix in (".key", ".p12")
        assert (stat.S_IMODE(path.stat().st_mode) & 0o077 == 0) == private


@pytest.mark.parametrize("name", DEMO_ENTITIES)
def test_keys_are_strong_and_differ(pki: DemoPKI, name: str) -> None:
    """Every entity has its own RSA key of 3072 bits."""
    key = certificate(pki, name).public_key()
    assert isinstance(key, rsa.RSAPublicKey)
    assert key.key_size == 3072
    others = [certificate(pki, other).public_key() for other in DEMO_ENTITIES if other != name]
    assert key not in others


@pytest.mark.parametrize("name", DEMO_ENTITIES)
def test_every_name_says_what_it_is_not_for(pki: DemoPKI, name: str) -> None:
    """Subject and issuer of every certificate carry the warning."""
    for subject in (certificate(pki, name).subject, certificate(pki, name).issuer):
        assert "DEMO - NOT FOR PATIENTS" in subject.rfc4514_string()


@pytest.mark.parametrize(
    ("name", "issuer"),
    [("root", "root"), ("issuing", "root"), *((name, "issuing") for name in SIGNERS)],
)
def test_issuers_signed(pki: DemoPKI, name: str, issuer: str) -> None:
    """Each certificate verifies with its issuer's key, and the key identifiers agree."""
    certificate(pki, name).verify_directly_issued_by(certificate(pki, issuer))
    identifier = extension(pki, issuer, x509.SubjectKeyIdentifier).value.key_identifier
    authority = extension(pki, name, x509.AuthorityKeyIdentifier).value.key_identifier
    assert identifier == authority


@pytest.mark.parametrize(("name", "length"), [("root", 1), ("issuing", 0)])
def test_authorities_may_sign_certificates_and_lists(pki: DemoPKI, name: str, length: int) -> None:
    """CAs have critical basic constraints with a path length, and only a CA's key usage."""
    constraints = extension(pki, name, x509.BasicConstraints)
    usage = extension(pki, name, x509.KeyUsage)
    assert constraints.critical
    assert constraints.value == x509.BasicConstraints(ca=True, path_length=length)
    assert usage.critical
    assert (usage.value.key_cert_sign, usage.value.crl_sign) == (True, True)
    assert not usage.value.digital_signature


@pytest.mark.parametrize("name", SIGNERS)
def test_signers_are_no_authorities(pki: DemoPKI, name: str) -> None:
    """Signers sign documents and nothing else."""
    usage = extension(pki, name, x509.KeyUsage).value
    assert not extension(pki, name, x509.BasicConstraints).value.ca
    assert usage.digital_signature
    assert usage.content_commitment == (name != "tsa")
    assert not any((usage.key_cert_sign, usage.crl_sign, usage.key_encipherment))


def test_the_time_stamp_authority_is_one(pki: DemoPKI) -> None:
    """The TSA's extended key usage is critical and holds time stamping alone."""
    usage = extension(pki, "tsa", x509.ExtendedKeyUsage)
    assert usage.critical
    assert list(usage.value) == [ExtendedKeyUsageOID.TIME_STAMPING]


def test_persons_can_be_told_apart(pki: DemoPKI) -> None:
    """Author and supervisor differ in name, serial number and mailbox; the archive has a host."""
    persons = [certificate(pki, name).subject for name in ("author", "supervisor")]
    for oid in (NameOID.COMMON_NAME, NameOID.SERIAL_NUMBER):
        assert len({p.get_attributes_for_oid(oid)[0].value for p in persons}) == 2
    mailboxes = {
        extension(pki, name, x509.SubjectAlternativeName).value.get_values_for_type(
            x509.RFC822Name
        )[0]
        for name in ("author", "supervisor")
    }
    hosts = extension(pki, "archive", x509.SubjectAlternativeName).value
    assert len(mailboxes) == 2
    assert hosts.get_values_for_type(x509.DNSName) == ["archive.demo.invalid"]


@pytest.mark.parametrize(
    ("name", "years"),
    [
        ("root", 20),
        ("issuing", 10),
        ("tsa", 10),
        ("author", 3),
        ("supervisor", 3),
        ("archive", 3),
    ],
)
def test_validity_begins_before_now(pki: DemoPKI, name: str, years: int) -> None:
    """Certificates are valid from 30 days before the given time, for their years."""
    subject = certificate(pki, name)
    start = NOW.replace(microsecond=0) - timedelta(days=30)
    assert subject.not_valid_before_utc == start
    assert subject.not_valid_after_utc == start + timedelta(days=365 * years)


@pytest.mark.parametrize("name", ["root", "issuing"])
def test_revocation_lists_hold_for_years(pki: DemoPKI, name: str) -> None:
    """Both lists are signed by their CA, revoke nobody, and stay fresh for long."""
    path = next(p for p in pki.revocation_lists if p.stem == name)
    revoked = x509.load_pem_x509_crl(path.read_bytes())
    assert revoked.is_signature_valid(certificate(pki, name).public_key())  # type: ignore[arg-type]
    assert revoked.issuer == certificate(pki, name).subject
    assert len(revoked) == 0
    assert revoked.last_update_utc < NOW
    assert revoked.next_update_utc is not None
    assert revoked.next_update_utc > NOW + timedelta(days=5 * 365)


@pytest.mark.parametrize("name", SIGNERS)
def test_keys_open_and_sign(pki: DemoPKI, name: str) -> None:
    """Each signer's key file goes with its certificate, and so does its PKCS #12 file."""
    own = certificate(pki, name)
    with open_signer(pki.key_uri(name), certificates=(own,), secrets=str) as signer:
        signer.sign_digest(bytes(32), MACAlgorithm.SHA256)
    uri = f"pkcs12:{pki.folder / name}.p12"
    with open_signer(uri, secrets=lambda _prompt: "demo") as signer:
        chain = tuple(certificate(pki, n) for n in (name, "issuing", "root"))
        assert signer.certificate_chain == chain


def test_names_can_be_chosen(tmp_path: Path) -> None:
    """Common names are the caller's where given."""
    pki = make_demo_pki(tmp_path, now=NOW, names={"author": "Jörg Öztürk"})
    (name,) = certificate(pki, "author").subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    assert name.value == "Jörg Öztürk"


@pytest.mark.parametrize("names", [{"nobody": "A"}, {"author": ""}, {"author": "A" * 65}])
def test_names_that_are_no_names_are_refused(tmp_path: Path, names: dict[str, str]) -> None:
    """Unknown entities and impossible common names are refused before anything is written."""
    with pytest.raises(ConfigurationError):
        make_demo_pki(tmp_path / "pki", now=NOW, names=names)
    assert not (tmp_path / "pki").exists()


def test_an_empty_passphrase_is_refused(tmp_path: Path) -> None:
    """A PKCS #12 file without protection is not written by mistake."""
    with pytest.raises(ConfigurationError):
        make_demo_pki(tmp_path / "pki", now=NOW, passphrase="")


@pytest.mark.parametrize("name", ["root.key", "author.pem", "issuing.crl"])
def test_a_pki_in_the_way_is_kept(tmp_path: Path, name: str) -> None:
    """Files that are already there are not overwritten, not even through a dangling link."""
    (tmp_path / name).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ConfigurationError):
        make_demo_pki(tmp_path, now=NOW)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_pki_is_replaced_when_asked(tmp_path: Path) -> None:
    """On request the files are replaced, and a link in the way is not followed."""
    (tmp_path / "root.key").symlink_to(tmp_path / "elsewhere")
    make_demo_pki(tmp_path, now=NOW, replace=True)
    assert not (tmp_path / "elsewhere").exists()
    assert not (tmp_path / "root.key").is_symlink()


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    """Where a file stands in the place of the folder, the error is ours."""
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError):
        make_demo_pki(tmp_path / "file", now=NOW)


@pytest.mark.parametrize("name", DEMO_ENTITIES)
def test_the_example_pki_is_whole(repository: Path, name: str) -> None:
    """The committed example PKI has every file, and each key goes with its certificate."""
    example = DemoPKI(folder=repository / "certs-example")
    own = certificate(example, name)
    with open_signer(example.key_uri(name), certificates=(own,), secrets=str) as signer:
        signer.sign_digest(bytes(32), MACAlgorithm.SHA256)
    issuer = "root" if name in ("root", "issuing") else "issuing"
    own.verify_directly_issued_by(certificate(example, issuer))
    assert all(path.is_file() for path in example.revocation_lists)
    assert "NOT FOR PATIENTS" in own.subject.rfc4514_string()
