"""``srsign survives``: what an edit would break, said before it is made."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sr.cli.command import register
from sr.cli.shell import Shell

if TYPE_CHECKING:
    from sr.app.documents.survives import SurvivalReport
    from sr.verification.survival import Outcome, Survival

__all__ = ["add_commands"]

_EXAMPLES = """
srsign survives report.dcm --edit set:PatientName --edit implicit-vr
srsign survives report.dcm --edit 'set:ContentSequence[4].TextValue'
srsign survives images/1.dcm --edit coerce --cited-by reports/
srsign survives --list
"""
_MOST = 3
_WORDS = {
    "not_covered": "survives: it covers nothing of that",
    "other_instance": "survives: the result is another instance",
    "covered": "breaks: it covers",
    "loses_vr": "breaks: it covers what would lose its value representation,",
    "inside": "breaks: it stands inside",
    "left_behind": "stays behind: the new document has no signatures",
    "uid": "breaks: nothing is found under the old UID,",
    "broken_already": "does not verify as it is",
    "no_proof": "has no proof that could survive",
}


def add_commands(app: typer.Typer) -> None:
    """Add ``survives``."""
    register(app, "survives", examples=_EXAMPLES)(survives)


def _list(wanted: bool) -> None:  # noqa: FBT001 - called by Typer
    if wanted:
        from sr.verification.edits import VOCABULARY

        Shell().print(f"{name:18} {about}" for name, about in VOCABULARY)
        raise typer.Exit


def survives(
    shell: Shell,
    source: Annotated[Path, typer.Argument(metavar="IN.dcm", help="Document or image.")],
    edit: Annotated[
        list[str],
        typer.Option("--edit", metavar="EDIT", help="What would be done; repeatable."),
    ],
    cited_by: Annotated[
        list[Path],
        typer.Option(
            "--cited-by",
            metavar="DIR",
            help="Documents that may cite IN: are their references still good? Repeatable.",
        ),
    ] = [],
    known: Annotated[
        bool,
        typer.Option("--list", callback=_list, is_eager=True, help="List the edits and exit."),
    ] = False,
) -> int:
    """Say which signatures an edit would break, before it is made. Nothing is changed.

    Ends with 0 where everything survives, 10 where a signature would not, 13 where only the proof
    in a citing document would not, and 12 where there is nothing to survive.
    """
    from sr.app.documents.survives import exit_code, survives_as_dict, survives_file

    report = survives_file(source, edit, cited_by=cited_by)
    if shell.json:
        shell.print_object(survives_as_dict(report))
    else:
        shell.print(_lines(report))
    return exit_code(report)


def _lines(report: SurvivalReport) -> Iterator[str]:
    for number, edit in enumerate(report.edits):
        if number:
            yield ""
        yield from _edit(edit)


def _edit(edit: Survival) -> Iterator[str]:
    outcomes = (*edit.signatures, *edit.references)
    broken = sum(not outcome.survives for outcome in outcomes)
    if not outcomes:
        yield f"{edit.edit}: nothing is signed, and no reference is known"
    elif broken:
        yield f"✘ {edit.edit}: {broken} of {len(outcomes)} would not survive"
    else:
        yield f"✔ {edit.edit}: everything survives"
    for outcome in edit.signatures:
        purpose = f"{outcome.purpose.meaning} ({outcome.purpose.value})" if outcome.purpose else ""
        at = f" in {outcome.location}" if outcome.location else ""
        yield f"  signature {outcome.number}{at}  {purpose}  {_said(outcome)}"
    for outcome in edit.references:
        yield f"  {outcome.document} {outcome.of}  {_said(outcome)}"
    if edit.unnoticed and edit.signatures:
        yield f"  not covered by any signature: {_few([str(t) for t in edit.unnoticed])}"


def _said(outcome: Outcome) -> str:
    because = _few([str(touched) for touched in outcome.because])
    return f"{_WORDS[outcome.reason]} {because}".rstrip()


def _few(names: list[str]) -> str:
    more = f" and {len(names) - _MOST} more" if len(names) > _MOST else ""
    return ", ".join(names[:_MOST]) + more
