"""Detached signatures by keys of every kind, verified by openssl."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from sr.app.ports import Ports
from sr.app.signatures.detached import sign_detached
from sr.app.signatures.signing import Credentials
from sr.errors import PINError, SignerRefusedError
from sr.keys.secrets import no_secrets
from tests.support.canary import PASSPHRASE_CANARY
from tests.support.peers import OPENSSL, run_peer
from tests.support.pki import NOW, Entity, demo_pki, issue
from tests.support.token import PIN, SoftHSM

pytestmark = pytest.mark.peer

CONTENT = b"one\ntwo\r\n\0three"
PORTS = Ports(now=lambda: NOW, new_uid=lambda: "2.25.1")


@pytest.fixture(scope="module")
def token(tmp_path_factory: pytest.TempPathFactory) -> SoftHSM:
    """Return a token with an RSA and an elliptic curve key."""
    pytest.importorskip("pkcs11")
    token = SoftHSM.create(tmp_path_factory.mktemp("softhsm"))
    token.add(demo_pki().author, label="rsa", object_id="01")
    token.add(issue(demo_pki().issuing, key_kind="p256"), label="curve", object_id="02")
    return token


def verified(folder: Path, der: bytes, content: bytes = CONTENT) -> bool:
    """Return whether openssl verifies a signature over some content with the root alone."""
    names = {"root.pem": demo_pki().root.pem, "x": content, "x.p7s": der}
    for name, data in names.items():
        (folder / name).write_bytes(data)
    result = run_peer(
        OPENSSL, "cms", "-verify", "-binary", "-inform", "DER", "-in", folder / "x.p7s",
        "-content", folder / "x", "-CAfile", folder / "root.pem", "-purpose", "any",
        "-attime", int(NOW.timestamp()), "-out", "/dev/null",
    )  # fmt: skip
    return result.returncode == 0


def _software(folder: Path) -> Iterator[tuple[str, Credentials]]:
    people: dict[str, Entity] = {
        "rsa": demo_pki().author,
        "p256": issue(demo_pki().issuing, key_kind="p256"),
        "p384": issue(demo_pki().issuing, key_kind="p384"),
    }
    for name, entity in people.items():
        key, certificate = folder / f"{name}.key", folder / f"{name}.pem"
        key.write_bytes(entity.key_pem(PASSPHRASE_CANARY.encode()))
        certificate.write_bytes(entity.pem)
        yield (
            name,
            Credentials(
                key=f"file:{key}",
                certificates=(certificate,),
                secrets=lambda prompt: PASSPHRASE_CANARY,
            ),
        )
    bag = folder / "author.p12"
    run_peer(
        OPENSSL, "pkcs12", "-export", "-inkey", folder / "rsa.key", "-in", folder / "rsa.pem",
        "-passin", f"pass:{PASSPHRASE_CANARY}", "-passout", f"pass:{PASSPHRASE_CANARY}",
        "-out", bag,
    )  # fmt: skip
    yield (
        "pkcs12",
        Credentials(key=f"pkcs12:{bag}", certificates=(), secrets=lambda prompt: PASSPHRASE_CANARY),
    )


def signed(credentials: Credentials) -> bytes:
    return sign_detached(CONTENT, credentials, PORTS, issuers=(demo_pki().issuing.der,))


def test_openssl_verifies_what_software_keys_sign(tmp_path: Path) -> None:
    """RSA and elliptic curve keys in files, and one in a PKCS #12 file: good, and not for less."""
    for name, credentials in _software(tmp_path):
        der = signed(credentials)
        assert verified(tmp_path, der), name
        assert not verified(tmp_path, der, CONTENT[:-1]), name


@pytest.mark.parametrize("label", ["rsa", "curve"])
def test_openssl_verifies_what_a_token_signs(token: SoftHSM, tmp_path: Path, label: str) -> None:
    """A token signs the list as it signs documents."""
    credentials = Credentials(
        key=token.uri(f"object={label}"), certificates=(), secrets=lambda prompt: PIN
    )
    assert verified(tmp_path, signed(credentials))


def test_a_certificate_that_expired_signs_nothing(tmp_path: Path) -> None:
    """A list is not signed when every recipient would find the certificate expired."""
    _, credentials = next(_software(tmp_path))
    late = Ports(now=lambda: NOW + timedelta(days=3650), new_uid=lambda: "2.25.1")
    with pytest.raises(SignerRefusedError):
        sign_detached(CONTENT, credentials, late)


def test_a_token_without_pin_signs_nothing(token: SoftHSM) -> None:
    """Nobody to ask for the PIN is an error, not a signature."""
    credentials = Credentials(key=token.uri("object=rsa"), certificates=(), secrets=no_secrets)
    with pytest.raises(PINError):
        signed(credentials)
