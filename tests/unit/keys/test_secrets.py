"""Secrets come from a file, a command or nobody, and are never quoted."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from sr.errors import ConfigurationError, PINError
from sr.keys.secrets import (
    no_secrets,
    read_secret,
    secret_bytes,
    secrets_from_command,
    secrets_from_file,
)
from tests.support.canary import PIN_CANARY as CANARY


@pytest.mark.parametrize("ending", ["", "\n", "\r\n"])
def test_one_line_is_the_secret(tmp_path: Path, ending: str) -> None:
    """A file's only line is the secret, without its line ending, blanks and all."""
    path = tmp_path / "pin"
    path.write_bytes(f" öß {CANARY} {ending}".encode())
    assert read_secret(path) == f" öß {CANARY} "
    assert secrets_from_file(path)("PIN?") == f" öß {CANARY} "


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n",
        b"\r\n",
        f"{CANARY}\n{CANARY}\n".encode(),
        f"{CANARY}\n\n".encode(),
        f"{CANARY}\0".encode(),
        CANARY.encode() + b"\xff",
        CANARY.encode() * 200,
    ],
)
def test_other_files_are_no_secret(tmp_path: Path, content: bytes) -> None:
    """Empty, long, several lines, NUL or no UTF-8: refused without quoting the content."""
    path = tmp_path / "pin"
    path.write_bytes(content)
    with pytest.raises(ConfigurationError) as caught:
        read_secret(path)
    assert CANARY not in f"{caught.value} {caught.value.hint}"
    assert caught.value.__cause__ is None


def test_a_missing_file_is_a_configuration_error(tmp_path: Path) -> None:
    """A secret file that is absent, or a folder, is named in the error."""
    for path in (tmp_path / "none", tmp_path):
        with pytest.raises(ConfigurationError):
            read_secret(path)


def test_files_are_read_when_asked(tmp_path: Path) -> None:
    """Building secrets from a file does not read it."""
    secrets = secrets_from_file(tmp_path / "later")
    (tmp_path / "later").write_text("1234")
    assert secrets("PIN?") == "1234"


def test_a_command_is_asked() -> None:
    """What a command prints is the secret."""
    assert secrets_from_command([sys.executable, "-c", "print('4711')"])("PIN?") == "4711"


@pytest.mark.parametrize(
    "command",
    [
        ["/no/such/program"],
        [sys.executable, "-c", f"print('{CANARY}'); raise SystemExit(1)"],
        [sys.executable, "-c", "pass"],
        [sys.executable, "-c", f"print('{CANARY}' + chr(10) + 'x')"],
    ],
)
@pytest.mark.shows("secret", reason="a command that hands out a secret prints it")
def test_a_command_that_fails_is_refused(command: list[str]) -> None:
    """A command that fails or prints no line is refused, and its output is not quoted."""
    with pytest.raises(ConfigurationError) as caught:
        secrets_from_command(command)("PIN?")
    assert CANARY not in f"{caught.value} {caught.value.hint}"
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_nobody_to_ask_is_a_pin_error() -> None:
    """Without any source of secrets the signer learns that the PIN is missing."""
    with pytest.raises(PINError):
        no_secrets("PIN?")


def test_a_secret_is_utf_8() -> None:
    """A secret becomes UTF-8; half a character from a terminal is a PIN error without quoting."""
    assert secret_bytes("öß") == "öß".encode()
    with pytest.raises(PINError) as caught:
        secret_bytes(CANARY + "\udcff")
    assert caught.value.__suppress_context__
    assert CANARY not in str(caught.value)
