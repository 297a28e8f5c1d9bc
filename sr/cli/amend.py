"""``srsign amend``: the next version of a report."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from sr.cli import options as o
from sr.cli import trust_options as t
from sr.cli.command import register
from sr.cli.shell import Shell

__all__ = ["add_commands"]

_EXAMPLES = """
srsign amend report.dcm corrected.toml --evidence images/ -o amended.dcm
srsign amend report.dcm values.toml --template ct-chest -o amended.dcm
srsign amend report.dcm addendum.toml --addendum -o addended.dcm
srsign amend report.dcm more.toml --evidence images/ --trusted-kos seal.dcm \\
    --trust-anchor root.pem --intermediate issuing.pem -o amended.dcm
srsign sign addended.dcm --purpose addendum --key file:a.key --cert a.pem -o signed.dcm
"""


def add_commands(app: typer.Typer) -> None:
    """Add ``amend``."""
    register(app, "amend", examples=_EXAMPLES)(amend)


def amend(
    shell: Shell,
    source: Annotated[Path, typer.Argument(metavar="IN.dcm", help="The report as it stands.")],
    report: Annotated[
        Path, typer.Argument(metavar="REPORT", help="New content, or values: TOML, JSON, YAML.")
    ],
    output: o.Output,
    evidence: o.Evidence = [],
    addendum: Annotated[
        bool,
        typer.Option("--addendum", help="Keep the content and add the file's Addendum sections."),
    ] = False,
    template: Annotated[
        str | None,
        typer.Option("--template", metavar="ID", help="See srsign template list."),
    ] = None,
    templates: o.Templates = [],
    evidence_only: Annotated[
        bool,
        typer.Option(
            "--evidence-only", help="Cite only what --evidence holds, nothing else that IN cites."
        ),
    ] = False,
    allow_unsigned: Annotated[
        bool,
        typer.Option("--allow-unsigned", help="Amend a document that was sent out unsigned."),
    ] = False,
    secured: t.Secured = t.SECURED,
    anchor_kos: t.AnchorSelections = [],
    trust: t.Trust = t.TRUST,
) -> None:
    """Write the next version of a report, which names the one it amends with proof.

    The new document is UNVERIFIED and unsigned. IN keeps its signatures, which are verified first.
    """
    from sr import compose
    from sr.app.documents.amending import Amendment, amend_file
    from sr.errors import ConfigurationError

    if addendum and evidence_only:
        raise ConfigurationError(
            "--addendum keeps the content and what it cites; --evidence-only would not"
        )
    result = amend_file(
        source,
        report,
        output,
        amendment=Amendment(
            addendum=addendum, evidence_only=evidence_only, allow_unsigned=allow_unsigned
        ),
        evidence=tuple(evidence),
        template=template,
        sites=tuple(templates),
        ports=compose.ports(),
        securing=secured.securing(trust, anchors=anchor_kos),
    )
    for notice in result.notices:
        shell.notice(notice)
    if shell.json:
        shell.print_object(
            {
                "output": str(output),
                "sop_instance_uid": result.sop_instance_uid,
                "predecessor": result.predecessor,
                "signatures_left_behind": list(result.dropped),
                "cited": result.cited,
                "carried_over": result.carried,
                "proofs_copied": [asdict(copied) for copied in result.copied],
                "skipped": [{"file": str(s.path), "reason": s.reason} for s in result.skipped],
            }
        )
    for skipped in result.skipped:
        shell.detail(f"not cited: {skipped.path}: {skipped.reason}")
    what = "addendum to" if addendum else "new version of"
    carried = f", {result.carried} by the proof that it had" if result.carried else ""
    shell.tell(f"{what} {source} citing {result.cited} instances{carried} → {output}")
    shell.tell(f"not signed yet; {len(result.dropped)} signatures stay with {source}")
