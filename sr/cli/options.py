"""Options that several commands share, and the values they become.

Parsers raise ``ValueError``, which is a usage error. Modules that cost start-up time are imported
where a value is made of an option, not here.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sr.codes import Code, SignaturePurpose, key_object_title
from sr.errors import ConfigurationError

if TYPE_CHECKING:
    from sr.app.signatures.signing import Credentials
    from sr.keys import Secrets

__all__ = [
    "At",
    "Certificates",
    "Evidence",
    "InPlace",
    "KeyURI",
    "OptionalKeyURI",
    "OptionalPurpose",
    "Output",
    "OutputOrInPlace",
    "PinFile",
    "Profile",
    "Purpose",
    "Records",
    "RequiredPurposes",
    "SignerPattern",
    "Templates",
    "Timestamp",
    "Title",
    "credentials",
    "one_output",
    "parse_time",
    "secrets",
]


def parse_time(text: str) -> datetime:
    """Return the time that ISO 8601 text means; without offset it is UTC.

    Raises:
        ValueError: The text is no time.
    """
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"{text!r} is no time; expected e.g. 2026-03-01T12:00:00Z") from error
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)


_PURPOSE = "author, source, verification, … or 1..18"
_KEY = "Key URI: file:author.key, pkcs12:author.p12 or pkcs11:token=…;object=…"

Output = Annotated[Path, typer.Option("--output", "-o", metavar="OUT", help="File to write.")]
KeyURI = Annotated[str, typer.Option("--key", metavar="URI", help=_KEY)]
OptionalKeyURI = Annotated[str | None, typer.Option("--key", metavar="URI", help=_KEY)]
Certificates = Annotated[
    list[Path],
    typer.Option(
        "--cert",
        metavar="PEM",
        help="Certificate of the signer, then its issuers; repeatable. May be left out where it "
        "is stored beside the key.",
    ),
]
PinFile = Annotated[
    Path | None,
    typer.Option(
        "--pin-file",
        metavar="FILE",
        help="File with the PIN or passphrase, when it is not to be asked for; also "
        "SRSIGN_PIN_FILE.",
    ),
]
Profile = Annotated[
    str | None,
    typer.Option(
        "--profile",
        metavar="ID",
        help="Insist on a profile beside those the object needs; site-ec lets EC keys sign.",
    ),
]
Purpose = Annotated[
    SignaturePurpose,
    typer.Option("--purpose", parser=SignaturePurpose.parse, metavar="PURPOSE", help=_PURPOSE),
]
OptionalPurpose = Annotated[
    SignaturePurpose | None,
    typer.Option("--purpose", parser=SignaturePurpose.parse, metavar="PURPOSE", help=_PURPOSE),
]
Title = Annotated[
    Code,
    typer.Option(
        "--title",
        parser=key_object_title,
        metavar="TITLE",
        help="of-interest, signed-manifest, … or 113000, 113031, …",
    ),
]
OutputOrInPlace = Annotated[
    Path | None, typer.Option("--output", "-o", metavar="OUT", help="File to write.")
]
InPlace = Annotated[bool, typer.Option("--in-place", help="Replace the input.")]
Evidence = Annotated[
    list[Path],
    typer.Option(
        "--evidence", metavar="DIR", help="Folder or file with cited instances; repeatable."
    ),
]
Templates = Annotated[
    list[Path],
    typer.Option(
        "--templates",
        metavar="DIR",
        envvar="SRSIGN_TEMPLATES",
        show_envvar=False,
        help="Folder with report templates of your own; repeatable; also SRSIGN_TEMPLATES.",
    ),
]
RequiredPurposes = Annotated[
    list[SignaturePurpose],
    typer.Option(
        "--require-purpose",
        parser=SignaturePurpose.parse,
        metavar="PURPOSE",
        help=f"A passing signature must have it: {_PURPOSE}; repeatable.",
    ),
]
SignerPattern = Annotated[
    str | None,
    typer.Option(
        "--signer",
        metavar="PATTERN",
        help="Every signer must match, e.g. '*O=My Hospital*' or sha256:FINGERPRINT.",
    ),
]
Records = Annotated[
    list[Path],
    typer.Option(
        "--record",
        metavar="FILE",
        help="Verdict on the same documents that was kept (check --json); repeatable. A "
        "certificate exchanged since then, or a signature removed, is found.",
    ),
]
Timestamp = Annotated[
    str | None,
    typer.Option(
        "--timestamp",
        metavar="URL",
        help="Have the signature time-stamped by this authority (RFC 3161); also the setting "
        "timestamp.url.",
    ),
]
At = Annotated[
    datetime | None,
    typer.Option(
        "--at",
        parser=parse_time,
        metavar="TIME",
        help="Judge as of this time, ISO 8601, UTC without offset. [default: now]",
    ),
]


def credentials(key: str, certificates: Sequence[Path], pin_file: Path | None) -> Credentials:
    """Return what a signer is opened with."""
    from sr.app.signatures.signing import Credentials

    return Credentials(key=key, certificates=tuple(certificates), secrets=secrets(pin_file))


def secrets(pin_file: Path | None) -> Secrets:
    """Return where a PIN or passphrase comes from: a file, or who sits at the terminal."""
    from sr import compose

    ask = _prompt if sys.stdin.isatty() else None
    return compose.secrets(pin_file, environment=os.environ, prompt=ask)


def _prompt(text: str) -> str:
    from getpass import getpass

    try:
        return getpass(f"{text.rstrip(': ')}: ")
    except EOFError as error:
        raise KeyboardInterrupt from error


def one_output(output: Path | None, source: Path, *, in_place: bool) -> Path:
    """Return where to write: the named file, or the source itself where that was asked for.

    Raises:
        ConfigurationError: Neither, or both and they differ.
    """
    if output is None:
        if not in_place:
            raise ConfigurationError("no output", hint="name a file with -o, or say --in-place")
        return source
    return output
