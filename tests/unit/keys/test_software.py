"""Keys in files: what is opened, what is refused, what is remembered."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)

from sr.errors import (
    ConfigurationError,
    PINError,
    SignerRefusedError,
    UnsupportedAlgorithmError,
)
from sr.keys import open_signer
from sr.mac import MACAlgorithm
from sr.signature.integrity import SignatureMatch, match_signature
from tests.support.canary import PIN_CANARY
from tests.support.pki import Entity, demo_pki, issue

PASSPHRASE = f"{PIN_CANARY} öß"
SHA2 = (MACAlgorithm.SHA224, MACAlgorithm.SHA256, MACAlgorithm.SHA384, MACAlgorithm.SHA512)


def unasked(prompt: str) -> str:
    raise AssertionError(prompt)


def digest_of(algorithm: MACAlgorithm) -> bytes:
    return hashlib.new(algorithm.value.lower(), b"document").digest()


def key_file(folder: Path, entity: Entity, passphrase: str | None = None) -> str:
    path = folder / "key.pem"
    path.write_bytes(entity.key_pem(passphrase.encode() if passphrase else None))
    return f"file:{path}"


def pfx_file(
    folder: Path, entity: Entity, *, passphrase: str | None = None, certificate: bool = True
) -> str:
    path = folder / "key.p12"
    encryption = BestAvailableEncryption(passphrase.encode()) if passphrase else NoEncryption()
    path.write_bytes(
        pkcs12.serialize_key_and_certificates(
            b"key",
            entity.key,  # type: ignore[arg-type]
            entity.certificate if certificate else None,
            entity.above if certificate else None,
            encryption,
        )
    )
    return f"pkcs12:{path}"


@pytest.mark.parametrize("algorithm", SHA2)
@pytest.mark.parametrize("key_kind", ["rsa2048", "rsa3072", "p256", "p384", "p521"])
def test_values_verify_with_the_certificate(
    tmp_path: Path, key_kind: str, algorithm: MACAlgorithm
) -> None:
    """RSA and EC keys sign every SHA-2 digest, and the value verifies."""
    entity = issue(demo_pki().issuing, key_kind=key_kind)
    uri = key_file(tmp_path, entity)
    digest = digest_of(algorithm)
    with open_signer(uri, certificates=entity.chain, secrets=unasked) as signer:
        value = signer.sign_digest(digest, algorithm)
    assert match_signature(entity.der, value, algorithm, digest) is SignatureMatch.MATCHES


@pytest.mark.parametrize("encoding", [Encoding.PEM, Encoding.DER])
@pytest.mark.parametrize("form", [PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL])
def test_usual_forms_of_a_key_file_are_read(
    tmp_path: Path, encoding: Encoding, form: PrivateFormat
) -> None:
    """PKCS #8 and the older forms, PEM and DER, are read."""
    author = demo_pki().author
    path = tmp_path / "author.key"
    path.write_bytes(author.key.private_bytes(encoding, form, NoEncryption()))
    with open_signer(f"file:{path}", certificates=author.chain, secrets=unasked) as signer:
        assert signer.certificate_chain == author.chain


def test_certificates_in_the_key_file_are_found(tmp_path: Path) -> None:
    """Without given certificates those in the PEM file are used, leaf first."""
    author = demo_pki().author
    path = tmp_path / "both.pem"
    issuer = author.above[0].public_bytes(Encoding.PEM)
    path.write_bytes(issuer + author.key_pem() + author.pem)
    with open_signer(f"file:{path}", secrets=unasked) as signer:
        assert signer.certificate_chain == author.chain[:2]


@pytest.mark.parametrize("passphrase", [None, PASSPHRASE])
def test_a_pkcs12_file_brings_its_chain(tmp_path: Path, passphrase: str | None) -> None:
    """A PKCS #12 file is asked for its passphrase only when it has one."""
    author = demo_pki().author
    uri = pfx_file(tmp_path, author, passphrase=passphrase)
    secrets = unasked if passphrase is None else lambda _prompt: PASSPHRASE
    with open_signer(uri, secrets=secrets) as signer:
        assert signer.certificate_chain == author.chain


@pytest.mark.parametrize("make", [key_file, pfx_file])
def test_a_passphrase_is_checked_every_time(tmp_path: Path, make: object) -> None:
    """A key that was opened once is not handed out again for a wrong passphrase."""
    author = demo_pki().author
    uri = make(tmp_path, author, passphrase=PASSPHRASE)  # type: ignore[operator]
    with open_signer(uri, certificates=author.chain, secrets=lambda _prompt: PASSPHRASE):
        pass
    for wrong in ("", "wrong", PASSPHRASE.upper(), "\udcff"):
        signer = open_signer(uri, certificates=author.chain, secrets=lambda _prompt, w=wrong: w)
        with pytest.raises(PINError) as caught, signer:
            pass
        assert PASSPHRASE not in str(caught.value)


def test_a_changed_file_is_read_anew(tmp_path: Path) -> None:
    """Another key under the same name is the one that signs, even within one clock tick."""
    pki = demo_pki()
    for entity in (pki.author, pki.supervisor, pki.author):
        uri = key_file(tmp_path, entity)
        with open_signer(uri, certificates=entity.chain, secrets=unasked) as signer:
            signer.sign_digest(digest_of(MACAlgorithm.SHA256), MACAlgorithm.SHA256)


def test_a_removed_file_is_gone(tmp_path: Path) -> None:
    """A key that was opened once cannot be opened after its file is removed."""
    author = demo_pki().author
    uri = key_file(tmp_path, author)
    with open_signer(uri, certificates=author.chain, secrets=unasked):
        pass
    (tmp_path / "key.pem").unlink()
    with pytest.raises(ConfigurationError), open_signer(uri, secrets=unasked):
        pass


@pytest.mark.parametrize("make", [key_file, pfx_file])
def test_a_key_of_another_certificate_is_refused(tmp_path: Path, make: object) -> None:
    """A key is refused on opening when the given certificate is another's."""
    pki = demo_pki()
    uri = make(tmp_path, pki.author)  # type: ignore[operator]
    with (
        pytest.raises(SignerRefusedError),
        open_signer(uri, certificates=pki.supervisor.chain, secrets=unasked),
    ):
        pass


def test_a_chain_that_does_not_start_with_the_leaf_is_refused(tmp_path: Path) -> None:
    """Given certificates are leaf first; they are not guessed at."""
    author = demo_pki().author
    uri = key_file(tmp_path, author)
    with (
        pytest.raises(SignerRefusedError),
        open_signer(uri, certificates=author.chain[::-1], secrets=unasked),
    ):
        pass


def test_certificates_of_others_in_the_key_file_are_refused(tmp_path: Path) -> None:
    """A PEM file with a key and somebody else's certificate is refused."""
    pki = demo_pki()
    path = tmp_path / "mixed.pem"
    path.write_bytes(pki.author.key_pem() + pki.supervisor.pem)
    with pytest.raises(SignerRefusedError), open_signer(f"file:{path}", secrets=unasked):
        pass


@pytest.mark.parametrize("scheme", ["file", "pkcs12"])
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"hello",
        b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        b"-----BEGIN PRIVATE",
        b"0\x82\x00",
        b"0\x03\x02\x01\x03",
        b"\x30\x80" * 5000,
        bytes(1 << 21),
    ],
)
def test_files_that_are_no_key_are_refused(tmp_path: Path, scheme: str, content: bytes) -> None:
    """Whatever a file holds instead of a key, nobody is asked for a passphrase."""
    path = tmp_path / "x"
    path.write_bytes(content)
    with (
        pytest.raises(ConfigurationError),
        open_signer(f"{scheme}:{path}", certificates=demo_pki().author.chain, secrets=unasked),
    ):
        pass


def test_a_certificate_is_no_key(tmp_path: Path) -> None:
    """Key and certificate options mixed up give a clear refusal."""
    path = tmp_path / "author.pem"
    path.write_bytes(demo_pki().author.pem)
    with pytest.raises(ConfigurationError), open_signer(f"file:{path}", secrets=unasked):
        pass


@pytest.mark.parametrize("make", [key_file, pfx_file])
def test_a_key_without_a_certificate_is_refused(tmp_path: Path, make: object) -> None:
    """Nothing is signed without a certificate."""
    author = demo_pki().author
    arguments = {"certificate": False} if make is pfx_file else {}
    uri = make(tmp_path, author, **arguments)  # type: ignore[operator]
    with pytest.raises(ConfigurationError), open_signer(uri, secrets=unasked):
        pass


def test_a_pkcs12_file_without_a_key_is_refused(tmp_path: Path) -> None:
    """A PKCS #12 file may hold certificates only; that is no signer."""
    path = tmp_path / "trust.p12"
    certificates = [pkcs12.PKCS12Certificate(demo_pki().root.certificate, None)]
    path.write_bytes(pkcs12.serialize_java_truststore(certificates, NoEncryption()))
    with pytest.raises(ConfigurationError), open_signer(f"pkcs12:{path}", secrets=unasked):
        pass


@pytest.mark.parametrize("path", ["none.key", "."])
@pytest.mark.parametrize("scheme", ["file", "pkcs12"])
def test_files_that_cannot_be_read_are_named(tmp_path: Path, scheme: str, path: str) -> None:
    """An absent file and a folder are configuration errors."""
    with (
        pytest.raises(ConfigurationError),
        open_signer(f"{scheme}:{tmp_path / path}", secrets=unasked),
    ):
        pass


def test_other_kinds_of_key_are_unsupported(tmp_path: Path) -> None:
    """An Ed25519 key is refused: no profile knows it."""
    entity = issue(demo_pki().issuing, key_kind="ed25519")
    uri = key_file(tmp_path, entity)
    with (
        pytest.raises(UnsupportedAlgorithmError),
        open_signer(uri, certificates=entity.chain, secrets=unasked),
    ):
        pass


@pytest.mark.parametrize("algorithm", [MACAlgorithm.MD5, MACAlgorithm.SHA1])
def test_weak_digests_are_not_signed(tmp_path: Path, algorithm: MACAlgorithm) -> None:
    """A signer makes no value over a weak digest."""
    author = demo_pki().author
    uri = key_file(tmp_path, author)
    with (
        open_signer(uri, certificates=author.chain, secrets=unasked) as signer,
        pytest.raises(UnsupportedAlgorithmError),
    ):
        signer.sign_digest(digest_of(algorithm), algorithm)


def test_a_digest_of_the_wrong_length_is_not_signed(tmp_path: Path) -> None:
    """A digest that is none of the named algorithm is refused before the key is used."""
    author = demo_pki().author
    uri = key_file(tmp_path, author)
    with (
        open_signer(uri, certificates=author.chain, secrets=unasked) as signer,
        pytest.raises(UnsupportedAlgorithmError),
    ):
        signer.sign_digest(bytes(20), MACAlgorithm.SHA256)


def test_a_signer_does_not_show_its_key(tmp_path: Path) -> None:
    """The representation of a signer names certificates and no key."""
    author = demo_pki().author
    uri = key_file(tmp_path, author)
    with open_signer(uri, certificates=author.chain, secrets=unasked) as signer:
        assert "PrivateKey" not in repr(signer)
        assert "Anna Meier" in repr(signer)
