"""Nothing that should stay on one machine is tracked: private keys, PINs, paths, hosts."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.tracked import (
    has_private_key,
    machine_paths,
    tracked_files,
)

PEM = "-----BEGIN {}PRIVATE KEY-----\n"


def test_private_keys_stay_in_the_example_pki(repository: Path) -> None:
    """No tracked file outside certs-example/ holds a private key."""
    guilty = [
        name
        for name, data in tracked_files(repository)
        if not name.startswith("certs-example/") and has_private_key(data)
    ]
    assert not guilty


def test_the_example_pki_warns(repository: Path) -> None:
    """Where throw-away keys lie, a README says what they are not for."""
    assert "NOT FOR PATIENTS" in (repository / "certs-example" / "README.md").read_text("utf-8")


def test_no_machine_path_is_tracked(repository: Path) -> None:
    """No tracked text names a folder of somebody's machine."""
    guilty = [
        f"{name}: {found}"
        for name, data in tracked_files(repository)
        for found in machine_paths(data)
    ]
    assert not guilty, "\n".join(guilty)


@pytest.mark.parametrize("kind", ["", "RSA ", "EC ", "ENCRYPTED ", "OPENSSH "])
def test_a_planted_key_is_found(kind: str) -> None:
    """Every PEM form of a private key is recognised, wherever it stands in a file."""
    assert has_private_key(b"text\n" + PEM.format(kind).encode())


def test_a_planted_der_key_is_found() -> None:
    """A PKCS#8 key in DER is recognised too."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.DER,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    assert has_private_key(key)


@pytest.mark.parametrize("text", ["a certificate", PEM.format("").replace("PRIVATE", "PUBLIC")])
def test_other_text_is_no_key(text: str) -> None:
    """Prose about keys and public keys raise no alarm."""
    assert not has_private_key(text.encode())


@pytest.mark.parametrize("folder", ["home/anna/x", "root/x", "Users/anna/x", "work/main/x"])
def test_a_planted_machine_path_is_found(folder: str) -> None:
    """Home folders and work folders are recognised."""
    assert machine_paths(f"see /{folder}".encode())


@pytest.mark.parametrize("text", ["/usr/bin/dcmsign", "/etc/srsign/config.toml", "~/.config"])
def test_standard_places_are_no_machine_paths(text: str) -> None:
    """Places that every machine has may be named."""
    assert not machine_paths(text.encode())
