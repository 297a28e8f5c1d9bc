"""Where PINs and passphrases come from: asked for when needed, never part of a URI.

A shell builds one ``Secrets`` from its prompt, ``--pin-file`` or a configured command and hands it
to ``open_signer``. Nothing here keeps a secret, and no error quotes one.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

from sr.errors import ConfigurationError, PINError

__all__ = [
    "Secrets",
    "no_secrets",
    "read_secret",
    "secret_bytes",
    "secrets_from_command",
    "secrets_from_file",
]

Secrets = Callable[[str], str]
"""Called with a prompt text, only when a secret is needed; returns the secret."""

_MAXIMUM = 1024  # bytes; a longer file is not a PIN file
_COMMAND_SECONDS = 60.0


def no_secrets(prompt: str) -> str:
    """Refuse: nobody can be asked here.

    Raises:
        PINError: Always.
    """
    raise PINError(
        f"a secret is needed and nobody can be asked ({prompt})",
        hint="give --pin-file, or pin-source= in the key URI",
    )


def secret_bytes(secret: str) -> bytes:
    """Return a secret as the bytes that keys and tokens take.

    Raises:
        PINError: It has characters that no encoding knows, as a terminal may deliver.
    """
    try:
        return secret.encode("utf-8")
    except UnicodeEncodeError:
        raise PINError("the secret is not valid text") from None  # the exception quotes it


def read_secret(path: Path) -> str:
    """Return the first line of a secret file.

    Raises:
        ConfigurationError: The file cannot be read or is not one line of text.
    """
    try:
        with path.open("rb") as file:
            data = file.read(_MAXIMUM + 1)
    except OSError as error:
        raise ConfigurationError(
            f"the secret file {path} cannot be read: {error.strerror}"
        ) from error
    return _one_line(data, f"the secret file {path}")


def secrets_from_file(path: Path) -> Secrets:
    """Return secrets that answer every prompt with the content of a file, read when asked."""
    return lambda _prompt: read_secret(path)


def secrets_from_command(command: Sequence[str]) -> Secrets:
    """Return secrets that answer every prompt with what a command prints, run when asked."""
    arguments = tuple(command)

    def ask(_prompt: str) -> str:
        try:
            run = subprocess.run(
                arguments, stdout=subprocess.PIPE, check=True, timeout=_COMMAND_SECONDS
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise ConfigurationError(
                f"the secret command {arguments[0]!r} failed: {type(error).__name__}"
            ) from None  # the exception holds what the command printed
        return _one_line(run.stdout, f"the output of {arguments[0]!r}")

    return ask


def _one_line(data: bytes, what: str) -> str:
    line = data.removesuffix(b"\n").removesuffix(b"\r")
    if not line or len(data) > _MAXIMUM or any(byte in line for byte in b"\0\r\n"):
        raise ConfigurationError(f"{what} is not one line with a secret")
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        raise ConfigurationError(f"{what} is not UTF-8") from None
