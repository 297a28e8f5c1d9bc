"""``srsign render``: a readable page of a document, made from its bytes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sr.cli import options as o
from sr.cli.command import register
from sr.cli.shell import Shell

__all__ = ["add_commands"]

_EXAMPLES = """
srsign render report.dcm -o report.html
srsign render report.dcm --trust-anchor root.pem --intermediate issuing.pem -o report.html
"""


def add_commands(app: typer.Typer) -> None:
    """Add ``render``."""
    register(app, "render", examples=_EXAMPLES)(render)


def render(
    shell: Shell,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Report or key object selection.")],
    output: o.Output,
    trust_anchor: o.TrustAnchors = [],
    intermediate: o.Intermediates = [],
    crl: o.CRL = [],
    ocsp: o.OCSP = [],
    policy: o.Policy = "standard",
    evidence: o.Evidence = [],
    at: o.At = None,
) -> None:
    """Make a readable page (HTML) of a document, with the verdict on its signatures.

    The page is made from the signed bytes, needs no network and names what nobody signed.
    """
    from sr.app.render import render_file

    verdict = render_file(
        file,
        output,
        o.check_options(
            trust_anchor=trust_anchor,
            intermediate=intermediate,
            crl=crl,
            ocsp=ocsp,
            policy=policy,
            evidence=evidence,
            at=at,
        ),
    )
    if shell.json:
        shell.print_object({"output": str(output), "indication": verdict.indication.value})
    shell.tell(f"{file} ({verdict.headline}) → {output}")
