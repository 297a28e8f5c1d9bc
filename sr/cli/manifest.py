"""``srsign manifest``: the signed list of what is shipped, and the check of what arrived."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sr.cli import options as o
from sr.cli import trust_options as t
from sr.cli.author import report_authoring
from sr.cli.command import group, register
from sr.cli.shell import Shell
from sr.errors import ConfigurationError

__all__ = ["add_commands"]

_CREATE_EXAMPLES = """
srsign manifest create images/ --key file:archive.key --cert archive.pem -o manifest.dcm
srsign manifest create images/ report.dcm --key file:a.key --cert a.pem -o m.dcm --package out.zip
"""
_CHECK_EXAMPLES = """
srsign manifest check manifest.dcm received/ --trust-anchor root.pem --intermediate issuing.pem
srsign manifest check integrity.json received/ --trust-anchor root.pem
"""
_FILES_EXAMPLES = """
srsign manifest files export/ --key file:a.key --cert a.pem --cert issuing.pem -o integrity.json
"""


def add_commands(app: typer.Typer) -> None:
    """Add ``manifest create``, ``manifest files`` and ``manifest check``."""
    commands = group("manifest", "Signed lists of what is shipped, and the check of what arrived.")
    register(commands, "create", examples=_CREATE_EXAMPLES)(create)
    register(commands, "files", examples=_FILES_EXAMPLES)(files)
    register(commands, "check", examples=_CHECK_EXAMPLES)(check)
    app.add_typer(commands)


def create(
    shell: Shell,
    folders: Annotated[list[Path], typer.Argument(metavar="DIR", help="What is shipped.")],
    output: o.Output,
    key: o.KeyURI,
    cert: o.Certificates = [],
    pin_file: o.PinFile = None,
    timestamp: o.Timestamp = None,
    profile: o.Profile = None,
    package: Annotated[
        Path | None,
        typer.Option("--package", metavar="ZIP|DIR", help="Also pack manifest and instances."),
    ] = None,
    secured: t.Secured = t.SECURED,
    trust: t.Trust = t.TRUST,
) -> None:
    """Write a manifest over everything in some folders: title 113031, signed with purpose 14.

    What belongs to several studies gets one in each, manifest.dcm, manifest-2.dcm and so on; any of
    them checks the whole shipment.
    """
    from sr import compose
    from sr.app.shipping.manifest import create_manifest

    result = create_manifest(
        tuple(folders),
        output,
        credentials=o.credentials(key, cert, pin_file),
        ports=compose.signing_ports(timestamp),
        package=package,
        profile=profile,
        securing=secured.securing(trust),
    )
    report_authoring(shell, "manifest", result)
    if package is not None:
        shell.tell(f"packed → {package}")


def files(
    shell: Shell,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="What is listed.")],
    output: o.Output,
    key: o.KeyURI,
    cert: o.Certificates = [],
    pin_file: o.PinFile = None,
) -> None:
    """List all files in a folder, of any kind, and sign the list: OUT.json and OUT.json.p7s.

    A recipient checks them with manifest check, or with openssl cms and sha256sum.
    """
    from sr import compose
    from sr.app.shipping.integrity import create_file_list, signature_path

    entries = create_file_list(
        folder, output, credentials=o.credentials(key, cert, pin_file), ports=compose.ports()
    )
    signature = signature_path(output)
    if shell.json:
        said = {"output": str(output), "signature": str(signature), "files": len(entries)}
        shell.print_object(said)
    shell.tell(f"{len(entries)} files listed → {output}, signed → {signature}")


def check(
    shell: Shell,
    manifest: Annotated[
        Path,
        typer.Argument(
            metavar="MANIFEST",
            help="The manifest: DICOM, a list that manifest files made, or a file of digests.",
        ),
    ],
    folders: Annotated[list[Path], typer.Argument(metavar="DIR", help="What arrived.")],
    trust: t.Trust = t.TRUST,
    at: o.At = None,
) -> int:
    """Check that what arrived is what the manifest lists: nothing altered, missing or added.

    Exit code 0 the same set under a signature you trust, 13 it differs, 10, 11 or 12 the manifest
    itself did not pass. Digests that nobody signed say "not damaged, origin unknown": 11.
    """
    from sr.app.checks.check import exit_code
    from sr.app.shipping.integrity import check_file_list, is_file_list
    from sr.app.shipping.manifest import check_manifest
    from sr.verification.render import render_verdict

    options = trust.check_options(
        at=at,
    )
    if is_file_list(manifest):
        if len(folders) > 1:
            raise ConfigurationError("a list of files is about one folder")
        verdict = check_file_list(manifest, folders[0], options)
    else:
        verdict = check_manifest(manifest, tuple(folders), options)
    if shell.json:
        shell.print_object(verdict.as_dict())
    else:
        shell.print(render_verdict(verdict, width=shell.width))
    return exit_code(verdict)
