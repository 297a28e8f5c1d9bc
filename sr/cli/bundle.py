"""``srsign bundle``: a document with everything that a check needs years later."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import click
import typer
from typer.core import TyperGroup

from sr.cli import options as o
from sr.cli import trust_options as t
from sr.cli.command import group, register
from sr.cli.service import existing_database, service_libraries
from sr.cli.shell import Shell

if TYPE_CHECKING:
    from sr.app.shipping.bundle import Bundled

__all__ = ["add_commands"]

_EXAMPLES = """
srsign bundle report.dcm -o report.zip --key file:a.key --cert a.pem --timestamp http://tsa/ \\
    --trust-anchor root.pem --intermediate issuing.pem --crl root.crl --crl issuing.crl
srsign check report.zip --trust-anchor root.pem
"""
_RENEW_EXAMPLES = """
srsign bundle renew report.zip -o renewed.zip --timestamp http://tsa/ --trust-anchor root.pem \\
    --crl issuing-today.crl
"""
_DEFAULT = "create"
_TEXT = """A document with everything that a check needs years later.

srsign bundle IN.dcm -o OUT.zip makes a bundle, srsign check OUT.zip checks it.
"""


class _Bundle(TyperGroup):
    """Takes ``srsign bundle IN.dcm …`` for the command that makes a bundle."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the name of the default command where none was given."""
        if args and args[0] not in (*self.commands, "--help", "-h"):
            args = [_DEFAULT, *args]
        return super().parse_args(ctx, args)


def add_commands(app: typer.Typer) -> None:
    """Add ``bundle`` and ``bundle renew``."""
    commands = group("bundle", _TEXT)
    commands.info.cls = _Bundle
    register(commands, _DEFAULT, examples=_EXAMPLES)(create)
    register(commands, "renew", examples=_RENEW_EXAMPLES)(renew)
    app.add_typer(commands)


def create(
    shell: Shell,
    source: Annotated[Path, typer.Argument(metavar="IN.dcm", help="Document or image.")],
    output: o.Output,
    key: o.KeyURI,
    cert: o.Certificates = [],
    pin_file: o.PinFile = None,
    timestamp: o.Timestamp = None,
    trust: t.Trust = t.TRUST,
    evidence: o.Evidence = [],
    audit: Annotated[
        str | None,
        typer.Option(
            "--audit",
            metavar="URL",
            help="Put in what the audit trail in this database says of the document.",
        ),
    ] = None,
) -> None:
    """Bundle a document with certificates, CRLs, OCSP responses, verdict and facts, all signed.

    The word create may be left out. Everything given to check the document goes in. With a
    time-stamp authority the bundle proves when it existed; srsign check judges it at that time.
    """
    from sr import compose
    from sr.app.shipping.bundle import create_bundle

    bundled = create_bundle(
        source,
        output,
        credentials=o.credentials(key, cert, pin_file),
        options=trust.check_options(
            evidence=evidence,
        ),
        ports=compose.signing_ports(timestamp),
        audit=None if audit is None else _extract(audit),
    )
    _report(shell, f"{source} bundled", bundled, output)


def renew(
    shell: Shell,
    source: Annotated[Path, typer.Argument(metavar="BUNDLE.zip", help="A bundle.")],
    output: o.OutputOrInPlace = None,
    in_place: o.InPlace = False,
    timestamp: o.Timestamp = None,
    trust: t.Trust = t.TRUST,
) -> None:
    """Put a fresh time-stamp over a bundle, before algorithms or certificates of the last age.

    Give the CRLs of today: those that vouch for the last authority go in under the new time-stamp.
    A bundle that does not hold any more is refused.
    """
    from sr import compose
    from sr.app.shipping.bundle import renew_bundle

    target = o.one_output(output, source, in_place=in_place)
    bundled = renew_bundle(
        source,
        target,
        options=trust.check_options(),
        ports=compose.signing_ports(timestamp),
        in_place=in_place,
    )
    _report(shell, f"{source} renewed", bundled, target)


def _extract(url: str) -> Callable[[str], bytes]:
    with service_libraries():
        from sr.service.operation.audit_trail import extract_trail
    return partial(extract_trail, existing_database(url))


def _report(shell: Shell, what: str, bundled: Bundled, target: Path) -> None:
    for notice in bundled.notices:
        shell.notice(notice)
    if shell.json:
        said = {"output": str(target), "members": bundled.members}
        shell.print_object(said | {"verdict": bundled.verdict.as_dict()})
    shell.tell(f"{what}: {bundled.verdict.headline}, {bundled.members} members → {target}")
