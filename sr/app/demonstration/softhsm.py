"""A throw-away SoftHSM token for demonstrations: a token without hardware.

Makes a store in a folder with ``softhsm2-util``, imports keys of a demo PKI and writes their
certificates beside them. PINs are typed at the tool's prompt through a pseudo-terminal, since a
command line is visible to everyone on the machine.
"""

from __future__ import annotations

import os
import pty
import secrets
import select
import shutil
import subprocess
import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from cryptography import x509

from sr.errors import ConfigurationError
from sr.keys.inventory import SOFTHSM_MODULES
from sr.keys.pkcs11 import write_certificate
from sr.keys.secrets import no_secrets
from sr.keys.uri import PKCS11URI

__all__ = ["make_demo_token"]

_TOOL = "softhsm2-util"
_LABEL = "srsign DEMO"
_SECONDS = 30.0
_HINT = "apt-get install softhsm2"


def make_demo_token(folder: Path, pki: Path, names: Iterable[str]) -> dict[str, str]:
    """Make a SoftHSM store in a folder and return key URIs by name.

    The URIs are complete: they name the module, the store and a file with the PIN, so they work in
    another process too.

    Args:
        folder: Made if absent; must not hold a store yet.
        pki: Folder with ``NAME.key`` and ``NAME.pem``, as ``make_demo_pki`` leaves it.
        names: Which entities to put on the token.

    Raises:
        ConfigurationError: SoftHSM or python-pkcs11 is missing, a store is in the way, or the
            store cannot be made.
        SignerUnavailableError: The new token does not answer.
    """
    tool, module = _installed()
    folder = folder.absolute()
    if set(str(folder)) & set("=#\n"):
        raise ConfigurationError("SoftHSM cannot use a folder with = or # in its path")
    configuration, pin_file = folder / "softhsm2.conf", folder / "pin"
    if configuration.exists():
        raise ConfigurationError(f"{folder} already holds a token", hint="name a new folder")
    pins = {"SO PIN: ": _new_pin(), "user PIN: ": _new_pin()}
    _prepare(folder, configuration, pin_file, pins["user PIN: "])
    token = PKCS11URI(
        token=_LABEL, pin_source=pin_file, module_path=module, softhsm2_conf=configuration
    )
    environment = {**os.environ, "SOFTHSM2_CONF": str(configuration), "LC_ALL": "C"}
    _run([tool, "--init-token", "--free", "--label", _LABEL], environment, pins)
    uris = {}
    for number, name in enumerate(names, start=1):
        identifier = number.to_bytes(1, "big")
        where = ["--token", _LABEL, "--label", name, "--id", identifier.hex()]
        _run([tool, "--import", str(pki / f"{name}.key"), *where], environment, pins)
        key = replace(token, object_label=name, object_id=identifier)
        write_certificate(key, _certificate(pki / f"{name}.pem"), secrets=no_secrets)
        uris[name] = str(key)
    return uris


def _installed() -> tuple[str, Path]:
    tool = shutil.which(_TOOL)
    if tool is None:
        raise ConfigurationError(f"a demo token needs {_TOOL}, which is missing", hint=_HINT)
    module = next((path for path in map(Path, SOFTHSM_MODULES) if path.is_file()), None)
    if module is None:
        raise ConfigurationError("the PKCS #11 module of SoftHSM is missing", hint=_HINT)
    return tool, module


def _new_pin() -> str:
    return f"{secrets.randbelow(10**8):08d}"


def _prepare(folder: Path, configuration: Path, pin_file: Path, pin: str) -> None:
    tokens = folder / "tokens"
    try:
        tokens.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(pin_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(pin + "\n")
        configuration.write_text(
            f"directories.tokendir = {tokens}\nobjectstore.backend = file\nlog.level = ERROR\n",
            encoding="utf-8",
        )
    except OSError as error:
        raise ConfigurationError(
            f"a demo token cannot be made in {folder}: {error.strerror}"
        ) from error


def _certificate(path: Path) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(path.read_bytes())
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{path} is not a certificate") from error


def _run(command: list[str], environment: Mapping[str, str], pins: Mapping[str, str]) -> None:
    terminal, side = pty.openpty()
    try:
        with subprocess.Popen(
            command,
            stdin=side,
            stdout=side,
            stderr=side,
            env=environment,
            start_new_session=True,
        ) as process:
            os.close(side)
            if not _converse(terminal, pins):
                process.kill()
    finally:
        os.close(terminal)
    if process.returncode != 0:
        raise ConfigurationError(f"{_TOOL} {command[1]} failed (code {process.returncode})")


def _converse(terminal: int, pins: Mapping[str, str]) -> bool:
    """Answer each PIN prompt until the tool ends; ``False`` when it takes too long."""
    until = time.monotonic() + _SECONDS
    shown = b""
    while select.select([terminal], [], [], max(0.0, until - time.monotonic()))[0]:
        try:
            chunk = os.read(terminal, 4096)
        except OSError:  # how Linux says that the other side was closed
            return True
        if not chunk:
            return True
        shown += chunk
        for prompt, pin in pins.items():
            if shown.endswith(prompt.encode("ascii")):
                os.write(terminal, pin.encode("ascii") + b"\n")
                shown = b""
    return False
