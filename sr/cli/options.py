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
from sr.signature.reference_coverage import MACCoverage

if TYPE_CHECKING:
    from sr.app.check import CheckOptions
    from sr.app.securing import Securing
    from sr.app.signing import Credentials
    from sr.keys import Secrets

__all__ = [
    "CRL",
    "OCSP",
    "AnchorSelections",
    "At",
    "Certificates",
    "Coverage",
    "Evidence",
    "InPlace",
    "Intermediates",
    "KeyURI",
    "OptionalKeyURI",
    "OptionalPurpose",
    "Output",
    "OutputOrInPlace",
    "PinFile",
    "Policy",
    "Purpose",
    "Records",
    "RequiredPurposes",
    "SignerPattern",
    "Templates",
    "Timestamp",
    "TimestampAnchors",
    "Title",
    "TrustAnchors",
    "TrustedSelections",
    "TrustedSigner",
    "check_options",
    "credentials",
    "one_output",
    "parse_time",
    "secrets",
    "securing",
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
_SECURING = "How evidence is secured"
Coverage = Annotated[
    MACCoverage,
    typer.Option(
        "--coverage",
        help="What MACs of cited instances cover: full, or all but what an archive may change "
        "(patient ID, study and series UID, codes).",
        rich_help_panel=_SECURING,
    ),
]
TrustedSelections = Annotated[
    list[Path],
    typer.Option(
        "--trusted-kos",
        metavar="FILE",
        help="Signed key object selection whose proofs are copied instead of hashing again, if it "
        "is PASSED; repeatable.",
        rich_help_panel=_SECURING,
    ),
]
AnchorSelections = Annotated[
    list[Path],
    typer.Option(
        "--anchor-kos",
        metavar="FILE",
        help="Signed key object selection to cite beside what it secures, if it is PASSED and "
        "everything is as it says; repeatable.",
        rich_help_panel=_SECURING,
    ),
]
TrustedSigner = Annotated[
    str | None,
    typer.Option(
        "--trusted-signer",
        metavar="PATTERN",
        help="Every signer of these selections must match, e.g. '*CN=Archive*'.",
        rich_help_panel=_SECURING,
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
TrustAnchors = Annotated[
    list[Path],
    typer.Option(
        "--trust-anchor",
        metavar="PEM",
        help="Certificate you trust (PEM or DER); repeatable. Without any, those that srsign trust "
        "keeps.",
    ),
]
Intermediates = Annotated[
    list[Path],
    typer.Option("--intermediate", metavar="PEM", help="Issuing certificate; repeatable."),
]
CRL = Annotated[
    list[Path],
    typer.Option("--crl", metavar="FILE", help="Certificate revocation list; repeatable."),
]
OCSP = Annotated[
    list[Path], typer.Option("--ocsp", metavar="FILE", help="OCSP response; repeatable.")
]
Policy = Annotated[
    str,
    typer.Option(
        "--policy",
        metavar="ID|FILE",
        help="standard, strict, archive, interop, demo, or a policy file.",
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
TimestampAnchors = Annotated[
    list[Path],
    typer.Option(
        "--tsa-anchor",
        metavar="PEM",
        help="Certificate you trust for time-stamps only; repeatable. Without any, the trust "
        "anchors count for time-stamps too.",
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
    from sr.app.signing import Credentials

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


def check_options(
    *,
    trust_anchor: Sequence[Path],
    intermediate: Sequence[Path],
    crl: Sequence[Path],
    ocsp: Sequence[Path],
    policy: str,
    evidence: Sequence[Path] = (),
    require_purpose: Sequence[SignaturePurpose] = (),
    signer: str | None = None,
    at: datetime | None = None,
    tsa_anchor: Sequence[Path] = (),
    record: Sequence[Path] = (),
) -> CheckOptions:
    """Return the options of a check, everything they name read and found sound.

    Raises:
        ConfigurationError: A file cannot be read.
        TrustEvidenceError: A file holds no certificate or revocation list.
        ProfileError: The policy is unknown or malformed.
    """
    from sr.app.check import CheckOptions
    from sr.app.settings import current_settings
    from sr.compose import current_time

    options = CheckOptions(
        at=at or current_time(),
        anchors=tuple(trust_anchor),
        timestamp_anchors=tuple(tsa_anchor),
        intermediates=tuple(intermediate),
        crls=tuple(crl),
        ocsps=tuple(ocsp),
        policy=policy,
        evidence=tuple(evidence) or None,
        purposes=tuple(purpose.value for purpose in require_purpose),
        signer=signer,
        records=tuple(record),
        store=Path(current_settings().trust.directory).expanduser(),
    )
    _ = options.trust_policy, options.material, options.folder, options.record
    return options


def securing(
    coverage: MACCoverage,
    *,
    trusted_kos: Sequence[Path] = (),
    anchor_kos: Sequence[Path] = (),
    trusted_signer: str | None = None,
    trust_anchor: Sequence[Path] = (),
    intermediate: Sequence[Path] = (),
    crl: Sequence[Path] = (),
    ocsp: Sequence[Path] = (),
    policy: str = "standard",
) -> Securing:
    """Return how the references of a new document are secured, trust material read and found sound.

    Raises:
        ConfigurationError: A file cannot be read, or a signer is demanded of no selection.
        TrustEvidenceError: A file holds no certificate or revocation list.
        ProfileError: The policy is unknown or malformed.
    """
    from sr.app.securing import Securing

    if trusted_signer is not None and not (trusted_kos or anchor_kos):
        raise ConfigurationError("--trusted-signer is about --trusted-kos and --anchor-kos")
    return Securing(
        check=check_options(
            trust_anchor=trust_anchor,
            intermediate=intermediate,
            crl=crl,
            ocsp=ocsp,
            policy=policy,
            signer=trusted_signer,
        ),
        coverage=coverage,
        trusted=tuple(trusted_kos),
        anchors=tuple(anchor_kos),
    )


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
