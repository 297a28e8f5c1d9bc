"""``srsign sign`` and ``srsign approve``: signatures on documents that exist."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sr.cli import options as o
from sr.cli import trust_options as t
from sr.cli.command import register
from sr.cli.shell import Shell
from sr.cli.stack import confirmation, tell_end, tell_one
from sr.errors import ConfigurationError

if TYPE_CHECKING:
    from sr.app.signatures.signing import ApprovalMode, SigningResult
    from sr.codes import Code
    from sr.mac import MACAlgorithm

__all__ = ["add_commands", "parse_algorithm"]

_SIGN_EXAMPLES = """
srsign sign report.dcm --purpose author --key file:a.key --cert a.pem -o report-author.dcm
srsign sign report.dcm --purpose author --key file:ec.key --cert ec.pem --profile site-ec \\
    -o report-author.dcm
srsign sign a.dcm b.dcm --purpose author --key 'pkcs11:token=Meier' -o signed/
srsign sign report.dcm --purpose author --key file:a.key --cert a.pem -o signed.dcm \\
    --timestamp https://tsa.example.org/rfc3161
srsign sign ct.dcm --purpose source --key 'pkcs11:token=Archive' --cert archive.pem --in-place
"""
_APPROVE_EXAMPLES = """
srsign approve report-author.dcm --observer 'Meier^Anna' --organization 'St. Anna' \\
    --key file:meier.key --cert meier.pem -o report.dcm
srsign approve report-author.dcm --observer 'Weber^Sam' --organization 'St. Anna' \\
    --policy site.toml --key 'pkcs11:token=Weber' -o report.dcm
"""


def add_commands(app: typer.Typer) -> None:
    """Add ``sign`` and ``approve``."""
    register(app, "sign", examples=_SIGN_EXAMPLES)(sign)
    register(app, "approve", examples=_APPROVE_EXAMPLES)(approve)


def parse_algorithm(text: str) -> MACAlgorithm:
    """Return a MAC algorithm by its defined term.

    Raises:
        ValueError: There is none.
    """
    from sr.mac import MACAlgorithm

    try:
        return MACAlgorithm(text.upper())
    except ValueError as error:
        known = ", ".join(algorithm.value for algorithm in MACAlgorithm)
        raise ValueError(f"no MAC algorithm {text!r}; known: {known}") from error


def _parse_mode(text: str) -> ApprovalMode:
    from sr.app.signatures.signing import ApprovalMode

    try:
        return ApprovalMode(text.lower().replace("-", "_"))
    except ValueError as error:
        known = ", ".join(mode.value for mode in ApprovalMode)
        raise ValueError(f"no approval mode {text!r}; known: {known}") from error


def _parse_code(text: str) -> Code:
    from sr.codes import Code

    value, _, rest = text.partition("^")
    scheme, _, meaning = rest.partition("^")
    if not (value.strip() and scheme.strip() and meaning.strip()):
        raise ValueError(f"{text!r} is no VALUE^SCHEME^MEANING")
    return Code(value, scheme, meaning)


_Input = Annotated[Path, typer.Argument(metavar="IN.dcm", help="Document or image.")]
_Algorithm = Annotated[
    Any,
    typer.Option("--algorithm", parser=parse_algorithm, metavar="TERM", help="SHA256, SHA384 …"),
]


def sign(
    shell: Shell,
    sources: Annotated[
        list[Path], typer.Argument(metavar="IN.dcm...", help="Documents or images.")
    ],
    purpose: o.Purpose,
    key: o.KeyURI,
    cert: o.Certificates = [],
    output: o.OutputOrInPlace = None,
    in_place: o.InPlace = False,
    pin_file: o.PinFile = None,
    timestamp: o.Timestamp = None,
    profile: o.Profile = None,
    policy: t.SitePolicy = None,
    item: Annotated[
        str,
        typer.Option(
            "--item", metavar="PATH", help="Sign one item only, e.g. 'ContentSequence[4]'."
        ),
    ] = "",
    private: Annotated[bool, typer.Option("--private", help="Cover private elements too.")] = False,
    algorithm: _Algorithm = "SHA256",
    yes: Annotated[
        bool, typer.Option("--yes", help="Several files: all of them are confirmed beforehand.")
    ] = False,
    signing_policy: Annotated[
        str,
        typer.Option(
            "--signing-policy",
            metavar="ID",
            help="Several files: how far one PIN reaches; standard, supervised or single.",
        ),
    ] = "standard",
) -> int:
    """Sign a document or image for a purpose; several after one PIN, each confirmed.

    The result conforms to the profile that its kind asks for, or is not written. With several
    files -o names a folder; a document that cannot be signed does not hold up the others.
    """
    from sr import compose
    from sr.app.signatures.signing import sign_file

    identity = t.identity_of(policy)
    if len(sources) > 1:
        from sr.app.signatures.stack import sign_stack
        from sr.signature.signing_policy import load_signing_policy

        if output is None or in_place or item:
            raise ConfigurationError(
                "several files are signed whole, into a folder", hint="name it with -o"
            )
        limits = load_signing_policy(signing_policy)
        made = []
        for each in sign_stack(
            sources,
            output,
            purpose=purpose,
            credentials=o.credentials(key, cert, pin_file),
            ports=compose.signing_ports(timestamp),
            policy=limits,
            confirm=confirmation(limits, yes=yes),
            profile=profile,
            private=private,
            mac_algorithm=algorithm,
            identity=identity,
        ):
            made.append(each)
            tell_one(shell, each)
        return tell_end(shell, made)
    (source,) = sources
    target = o.one_output(output, source, in_place=in_place)
    result = sign_file(
        source,
        target,
        purpose=purpose,
        credentials=o.credentials(key, cert, pin_file),
        ports=compose.signing_ports(timestamp),
        profile=profile,
        item=item,
        private=private,
        mac_algorithm=algorithm,
        in_place=in_place,
        identity=identity,
    )
    _report(shell, f"{source} signed: {purpose.code.meaning}", result, target)
    return 0


def approve(
    shell: Shell,
    source: _Input,
    observer: Annotated[
        str,
        typer.Option("--observer", metavar="NAME", help="Who approves, e.g. 'Meier^Anna'."),
    ],
    organization: Annotated[
        str, typer.Option("--organization", metavar="ORG", help="For whom the observer acts.")
    ],
    key: o.KeyURI,
    cert: o.Certificates = [],
    output: o.OutputOrInPlace = None,
    in_place: o.InPlace = False,
    mode: Annotated[
        Any,
        typer.Option(
            "--mode",
            parser=_parse_mode,
            metavar="MODE",
            help="reissue (new UID), reissue_with_predecessor, or in_place (same UID, only for a "
            "report that never left this system).",
        ),
    ] = "reissue",
    pin_file: o.PinFile = None,
    timestamp: o.Timestamp = None,
    profile: o.Profile = None,
    policy: t.SitePolicy = None,
    observer_code: Annotated[
        Any,
        typer.Option(
            "--observer-code",
            parser=_parse_code,
            metavar="VALUE^SCHEME^MEANING",
            help="Identification code of the observer, e.g. '4711^99STAFF^Weber, Sam'.",
        ),
    ] = None,
) -> None:
    """Approve a report: VERIFIED, the verifying observer and the verification signature.

    All three or none. The author's signature stays valid; the author cannot approve, whatever the
    certificate or the spelling of the name where a policy says who is who.
    """
    from sr import compose
    from sr.app.signatures.signing import approve_file

    target = o.one_output(output, source, in_place=in_place)
    result = approve_file(
        source,
        target,
        observer=observer,
        organization=organization,
        mode=mode,
        credentials=o.credentials(key, cert, pin_file),
        ports=compose.signing_ports(timestamp),
        profile=profile,
        in_place=in_place,
        identity=t.identity_of(policy),
        observer_code=observer_code,
    )
    _report(shell, f"{source} approved by {observer}", result, target)


def _report(shell: Shell, what: str, result: SigningResult, target: Path) -> None:
    stamped = result.timestamped_at
    for notice in result.notices:
        shell.notice(notice)
    if shell.json:
        from sr.dicomfile import format_tag

        shell.print_object(
            {
                "output": str(target),
                "digital_signature_uid": result.digital_signature_uid,
                "covers": [format_tag(tag) for tag in result.covers],
                "timestamped_at": stamped.isoformat() if stamped is not None else None,
            }
        )
    proof = f", time-stamped {stamped:%Y-%m-%dT%H:%M:%SZ}" if stamped is not None else ""
    shell.tell(f"{what}, covering {len(result.covers)} elements{proof} → {target}")
    shell.detail(f"Digital Signature UID {result.digital_signature_uid}")
