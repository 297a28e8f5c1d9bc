"""Nothing that should stay on one machine is tracked, and text files are tidy."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.tracked import tracked_files
from tools.check_files import faults, has_private_key, machine_paths

PEM = "-----BEGIN {}PRIVATE KEY-----\n"


def test_tracked_files_are_in_order(repository: Path) -> None:
    """No private key outside certs-example/, no machine path, no untidy or unparsable text."""
    found = [
        f"{name}: {fault}"
        for name, data in tracked_files(repository)
        for fault in faults(name, data)
    ]
    assert not found, "\n".join(found)


def test_the_example_pki_warns(repository: Path) -> None:
    """Where throw-away keys lie, a README says what they are not for."""
    assert "NOT FOR PATIENTS" in (repository / "certs-example" / "README.md").read_text("utf-8")


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


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.md", b"no newline"),
        ("a.md", b"two newlines\n\n"),
        ("a.md", b"blank \n"),
        ("a.toml", b"x =\n"),
        ("a.json", b"{\n"),
        ("a.yaml", b"a: [\n"),
        ("keys/a.pem", PEM.format("").encode()),
    ],
)
def test_a_planted_fault_is_found(name: str, data: bytes) -> None:
    """Each kind of untidy, unparsable or secret file is found."""
    assert len(list(faults(name, data))) == 1


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.md", b"fine\n"),
        ("empty.py", b""),
        ("a.toml", b"x = 1\n"),
        ("a.dcm", b"\0\0 "),
        ("certs-example/a.key", PEM.format("").encode()),
    ],
)
def test_a_sound_file_passes(name: str, data: bytes) -> None:
    """Tidy text, binary files and the throw-away keys pass."""
    assert not list(faults(name, data))
