"""``srsign manifest``: the signed list of what is shipped, and the check of what arrived."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sr.cli import options as o
from sr.cli.author import report_authoring
from sr.cli.command import group, register
from sr.cli.shell import Shell

__all__ = ["add_commands"]

_CREATE_EXAMPLES = """
srsign manifest create images/ --key file:archive.key --cert archive.pem -o manifest.dcm
srsign manifest create images/ report.dcm --key file:a.key --cert a.pem -o m.dcm --package out.zip
"""
_CHECK_EXAMPLES = """
srsign manifest check manifest.dcm received/ --trust-anchor root.pem --intermediate issuing.pem
"""


def add_commands(app: typer.Typer) -> None:
    """Add ``manifest create`` and ``manifest check``."""
    commands = group("manifest", "Signed lists of what is shipped, and the check of what arrived.")
    register(commands, "create", examples=_CREATE_EXAMPLES)(create)
    register(commands, "check", examples=_CHECK_EXAMPLES)(check)
    app.add_typer(commands)


def create(
    shell: Shell,
    folders: Annotated[list[Path], typer.Argument(metavar="DIR", help="What is shipped.")],
    output: o.Output,
    key: o.KeyURI,
    cert: o.Certificates = [],
    pin_file: o.PinFile = None,
    package: Annotated[
        Path | None,
        typer.Option("--package", metavar="ZIP|DIR", help="Also pack manifest and instances."),
    ] = None,
) -> None:
    """Write a manifest over everything in some folders: title 113031, signed with purpose 14.

    What belongs to several studies gets one in each, manifest.dcm, manifest-2.dcm and so on; any of
    them checks the whole shipment.
    """
    from sr import compose
    from sr.app.manifest import create_manifest

    result = create_manifest(
        tuple(folders),
        output,
        credentials=o.credentials(key, cert, pin_file),
        ports=compose.ports(),
        package=package,
    )
    report_authoring(shell, "manifest", result)
    if package is not None:
        shell.tell(f"packed → {package}")


def check(
    shell: Shell,
    manifest: Annotated[Path, typer.Argument(metavar="MANIFEST.dcm", help="The manifest.")],
    folders: Annotated[list[Path], typer.Argument(metavar="DIR", help="What arrived.")],
    trust_anchor: o.TrustAnchors = [],
    intermediate: o.Intermediates = [],
    crl: o.CRL = [],
    ocsp: o.OCSP = [],
    policy: o.Policy = "standard",
    at: o.At = None,
) -> int:
    """Check that what arrived is what the manifest lists: nothing altered, missing or added.

    Exit code 0 the same set under a signature you trust, 13 it differs, 10, 11 or 12 the manifest
    itself did not pass.
    """
    from sr.app.check import exit_code
    from sr.app.manifest import check_manifest
    from sr.verification.render import render_verdict

    verdict = check_manifest(
        manifest,
        tuple(folders),
        o.check_options(
            trust_anchor=trust_anchor,
            intermediate=intermediate,
            crl=crl,
            ocsp=ocsp,
            policy=policy,
            at=at,
        ),
    )
    if shell.json:
        shell.print_object(verdict.as_dict())
    else:
        shell.print(render_verdict(verdict, width=shell.width))
    return exit_code(verdict)
