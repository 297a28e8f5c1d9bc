"""``srsign create``, ``keyobject`` and ``seal``: documents that cite evidence with proof."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sr.cli import options as o
from sr.cli import trust_options as t
from sr.cli.command import register
from sr.cli.shell import Shell
from sr.codes import Code, title_modifier
from sr.errors import ConfigurationError
from sr.signature.reference_coverage import MACCoverage

if TYPE_CHECKING:
    from sr.app.documents.authoring import AuthoringResult

__all__ = ["add_commands", "report_authoring"]

_CREATE_EXAMPLES = """
srsign create --explain
srsign create report.toml --evidence images/ -o report.dcm
srsign create values.toml --template ct-chest --evidence images/ -o report.dcm
srsign create report.toml --evidence images/ --trusted-kos seal.dcm --anchor-kos seal.dcm \\
    --trust-anchor root.pem --intermediate issuing.pem -o report.dcm
"""
_KEYOBJECT_EXAMPLES = """
srsign keyobject --title of-interest --evidence images/1.dcm -o kos.dcm
srsign keyobject --title best-in-set --modifier series --evidence images/1.dcm -o best.dcm
srsign keyobject --title signed-manifest --evidence images/ --purpose source \\
    --key file:archive.key --cert archive.pem -o manifest.dcm
"""
_SEAL_EXAMPLES = """
srsign seal images/ --key file:archive.key --cert archive.pem -o seal.dcm
"""

_More = Annotated[list[Path], typer.Argument(metavar="DIR", help="More evidence.")]


def add_commands(app: typer.Typer) -> None:
    """Add ``create``, ``keyobject`` and ``seal``."""
    register(app, "create", examples=_CREATE_EXAMPLES)(create)
    register(app, "keyobject", examples=_KEYOBJECT_EXAMPLES)(keyobject)
    register(app, "seal", examples=_SEAL_EXAMPLES)(seal)


def _explain(wanted: bool) -> None:  # noqa: FBT001 - called by Typer
    if wanted:
        from sr.document.report_explanation import explain_report

        shell = Shell()
        shell.print(explain_report(shell.width))
        raise typer.Exit


def _print_schema(wanted: bool) -> None:  # noqa: FBT001 - called by Typer
    if wanted:
        from sr.document.report_schema import report_schema

        Shell().print_object(report_schema())
        raise typer.Exit


def create(
    shell: Shell,
    report: Annotated[
        Path, typer.Argument(metavar="REPORT", help="Report, or values: TOML, JSON, YAML.")
    ],
    output: o.Output,
    more: _More = [],
    evidence: o.Evidence = [],
    template: Annotated[
        str | None,
        typer.Option("--template", metavar="ID", help="See srsign template list."),
    ] = None,
    templates: o.Templates = [],
    secured: t.Secured = t.SECURED,
    anchor_kos: t.AnchorSelections = [],
    trust: t.Trust = t.TRUST,
    explain: Annotated[
        bool,
        typer.Option(
            "--explain", callback=_explain, is_eager=True, help="Explain the report file and exit."
        ),
    ] = False,
    schema: Annotated[
        bool,
        typer.Option(
            "--schema",
            callback=_print_schema,
            is_eager=True,
            help="Print its JSON Schema and exit.",
        ),
    ] = False,
) -> None:
    """Write a structured report from a text file and the images that it is about.

    Every instance of the evidence is cited with its MAC. The report is not signed yet.
    """
    from sr import compose
    from sr.app.documents.authoring import create_report

    result = create_report(
        report,
        output,
        evidence=(*evidence, *more),
        template=template,
        sites=tuple(templates),
        ports=compose.ports(),
        securing=secured.securing(trust, anchors=anchor_kos),
    )
    report_authoring(shell, "report", result)


def keyobject(
    shell: Shell,
    title: o.Title,
    output: o.Output,
    more: _More = [],
    evidence: o.Evidence = [],
    description: Annotated[
        str, typer.Option("--description", metavar="TEXT", help="Key Object Description.")
    ] = "",
    modifier: Annotated[
        list[Code],
        typer.Option(
            "--modifier",
            parser=title_modifier,
            metavar="MODIFIER",
            help="What best-in-set means (series, …) or why a quality title (motion-blur, …); "
            "repeatable.",
        ),
    ] = [],
    purpose: o.OptionalPurpose = None,
    key: o.OptionalKeyURI = None,
    cert: o.Certificates = [],
    pin_file: o.PinFile = None,
    timestamp: o.Timestamp = None,
    profile: o.Profile = None,
    secured: t.Secured = t.SECURED,
    anchor_kos: t.AnchorSelections = [],
    trust: t.Trust = t.TRUST,
) -> None:
    """Write a key object selection of all the evidence, signed where a key is given.

    The titles that say 'Signed' are not written without a signature. Evidence of several studies
    gives one document in each of them, kos.dcm, kos-2.dcm and so on, that list one another.
    """
    from sr import compose
    from sr.app.documents.authoring import create_key_object

    for option, given in (("--timestamp", timestamp), ("--profile", profile)):
        if given is not None and key is None:
            raise ConfigurationError(f"{option} needs a signature, but no --key is given")
    result = create_key_object(
        output,
        title=title,
        evidence=(*evidence, *more),
        description=description,
        modifiers=tuple(modifier),
        credentials=None if key is None else o.credentials(key, cert, pin_file),
        purpose=purpose,
        profile=profile,
        ports=compose.signing_ports(timestamp),
        securing=secured.securing(trust, anchors=anchor_kos),
    )
    report_authoring(shell, f"key object selection {title.meaning!r}", result)


def seal(
    shell: Shell,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="What was acquired.")],
    output: o.Output,
    key: o.KeyURI,
    cert: o.Certificates = [],
    pin_file: o.PinFile = None,
    timestamp: o.Timestamp = None,
    profile: o.Profile = None,
    coverage: t.Coverage = MACCoverage.FULL,
) -> None:
    """Seal everything that was acquired.

    The seal is a key object selection with the title 113035, signed with the purpose source; one
    in each study, seal.dcm, seal-2.dcm and so on.
    """
    from sr import compose
    from sr.app.documents import authoring

    result = authoring.seal(
        folder,
        output,
        credentials=o.credentials(key, cert, pin_file),
        ports=compose.signing_ports(timestamp),
        profile=profile,
        securing=t.Secured(coverage=coverage).securing(t.TRUST),
    )
    report_authoring(shell, "seal", result)


def report_authoring(shell: Shell, what: str, result: AuthoringResult) -> None:
    """Say what was written, and what could not be cited."""
    for notice in result.notices:
        shell.notice(notice)
    if shell.json:
        shell.print_object(
            {
                "output": str(result.output),
                "cited": result.cited,
                "digital_signature_uid": result.digital_signature_uid,
                "proofs_copied": [asdict(copied) for copied in result.copied],
                "identical_documents": [
                    {
                        "output": str(copy.output),
                        "study_instance_uid": copy.study_instance_uid,
                        "digital_signature_uid": copy.digital_signature_uid,
                    }
                    for copy in result.identical
                ],
                "skipped": [
                    {"file": str(skipped.path), "reason": skipped.reason}
                    for skipped in result.skipped
                ],
            }
        )
    for skipped in result.skipped:
        shell.detail(f"not cited: {skipped.path}: {skipped.reason}")
    signed = ", signed" if result.digital_signature_uid else ""
    left_out = f", {len(result.skipped)} files left out (-v lists them)" if result.skipped else ""
    shell.tell(f"{what} citing {result.cited} instances{signed}{left_out} → {result.output}")
    for copy in result.identical:
        shell.tell(f"identical, in study {copy.study_instance_uid}{signed} → {copy.output}")
