"""``srsign render``: a readable page of a document, made from its bytes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sr.cli import options as o
from sr.cli import trust_options as t
from sr.cli.command import register
from sr.cli.shell import Shell

__all__ = ["add_commands"]

_EXAMPLES = """
srsign render report.dcm -o report.html
srsign render report.dcm --trust-anchor root.pem --intermediate issuing.pem -o report.pdf
srsign render report.dcm --trust-anchor root.pem --evidence images/ -o page.png
"""


def add_commands(app: typer.Typer) -> None:
    """Add ``render``."""
    register(app, "render", examples=_EXAMPLES)(render)


def render(
    shell: Shell,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Report or key object selection.")],
    output: o.Output,
    trust: t.Trust = t.TRUST,
    evidence: o.Evidence = [],
    at: o.At = None,
) -> None:
    """Make a readable page of a document, with the verdict on its signatures: HTML, PDF or PNG.

    The page is made from the signed bytes, needs no network and names what nobody signed. A PNG
    has one page; the further pages are OUT-2.png, OUT-3.png, … PDF and PNG need the extra 'pdf'.
    The QR code names the signature and a digest of what it covers: docs/howto/render-a-report.md.
    """
    from sr.app.views.render import render_file

    rendition = render_file(
        file,
        output,
        trust.check_options(
            evidence=evidence,
            at=at,
        ),
    )
    verdict = rendition.verdict
    if shell.json:
        shell.print_object(
            {
                "output": str(output),
                "files": [str(path) for path in rendition.files],
                "indication": verdict.indication.value,
            }
        )
    more = len(rendition.files) - 1
    shell.tell(f"{file} ({verdict.headline}) → {output}" + (f" and {more} more" if more else ""))
