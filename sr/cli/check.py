"""``srsign check``: the verdict on files, as text or as the JSON of the public contract."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sr.cli import options as o
from sr.cli import trust_options as t
from sr.cli.command import register
from sr.cli.exit_codes import UNABLE
from sr.cli.shell import Shell, error_as_dict, printable
from sr.errors import ConfigurationError, DatasetError

if TYPE_CHECKING:
    from sr.app.checks.check import CheckOptions
    from sr.verification import Verdict

__all__ = ["add_commands"]

_EXAMPLES = """
srsign check report.dcm --trust-anchor root.pem --intermediate issuing.pem
srsign check report.dcm --trust-anchor root.pem --evidence images/ --require-purpose verification
srsign check report.dcm --trust-anchor root.pem --tsa-anchor tsa-root.pem --policy archive
srsign check reports/ --trust-anchor root.pem --policy strict --crl root.crl --json
srsign check report.dcm --trust-anchor root.pem --record kept.json --signer '*O=My Hospital*'
srsign check report.dcm --trust-anchor root.pem --facts facts.json
srsign check report.dcm --trust-anchor root.pem --report check.html
srsign check --replay facts.json --trust-anchor root.pem --policy strict --at 2027-01-01
"""


def add_commands(app: typer.Typer) -> None:
    """Add ``check``."""
    register(app, "check", examples=_EXAMPLES)(check)


def check(
    shell: Shell,
    files: Annotated[list[Path], typer.Argument(metavar="FILE|DIR", help="What to check.")],
    trust: t.Trust = t.TRUST,
    evidence: o.Evidence = [],
    require_purpose: o.RequiredPurposes = [],
    signer: o.SignerPattern = None,
    at: o.At = None,
    record: o.Records = [],
    facts: Annotated[
        Path | None,
        typer.Option("--facts", metavar="OUT.json", help="Also write what was found, unjudged."),
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(
            "--report",
            metavar="OUT.html|OUT.pdf",
            help="Also write a page for experts: every finding with its clause, and the commands "
            "that let dcmsign and openssl repeat the check.",
        ),
    ] = None,
    replay: Annotated[
        bool,
        typer.Option(
            "--replay",
            help="The files are facts that --facts wrote: judge those, without the documents.",
        ),
    ] = False,
) -> int:
    """Check files, or evidence bundles: unchanged, signed by whom and when, complete.

    Exit code 0 PASSED, 10 FAILED, 11 INDETERMINATE, 12 NOT_SIGNED or a required purpose is
    missing, 13 evidence differs, 1 not readable; of several results the gravest.
    """
    if replay and (evidence or facts is not None or report is not None):
        raise ConfigurationError(
            "with --replay there is no document: --evidence, --facts and --report went with the "
            "check that wrote the facts"
        )
    options = trust.check_options(
        evidence=evidence,
        require_purpose=require_purpose,
        signer=signer,
        at=at,
        record=record,
    )
    several = len(files) > 1 or files[0].is_dir()
    if several and (facts is not None or report is not None):
        raise ConfigurationError("--facts and --report write about one file, not about several")
    if several:
        return _check_several(shell, tuple(_expanded(files)), options, replay=replay)
    return _check_one(shell, files[0], options, facts=facts, report=report, replay=replay)


def _check_one(
    shell: Shell,
    path: Path,
    options: CheckOptions,
    *,
    facts: Path | None,
    report: Path | None,
    replay: bool,
) -> int:
    from sr.app.checks.check import exit_code

    if facts is None and report is None:
        verdict = _verdict(path, options, replay=replay)
    else:
        verdict = _written(shell, path, options, facts=facts, report=report)
    if replay:
        shell.tell("judged from saved facts, which nobody signed")
    if shell.json:
        shell.print_object(verdict.as_dict())
    else:
        shell.print(_rendered(shell, verdict))
    return exit_code(verdict)


def _written(
    shell: Shell, path: Path, options: CheckOptions, *, facts: Path | None, report: Path | None
) -> Verdict:
    """Check a file and write what was asked for about it, all from one reading."""
    from sr.app.checks.check import gather_opened, judge_record
    from sr.app.shipping.zip_file import is_zip

    if is_zip(path):
        raise ConfigurationError(
            "--facts and --report are about a document, and this is a bundle",
            hint="its facts are in facts.json; for a report unpack it and check the document",
        )
    record, file = gather_opened(path, options)
    verdict = judge_record(record, options)
    if facts is not None:
        from sr.app.checks.facts import write_facts

        write_facts(record, path, facts)
        shell.tell(f"facts written to {facts}")
    if report is not None:
        from sr.app.checks.expert_report import write_report

        write_report(report, verdict, options, path=path, file=file)
        shell.tell(f"report written to {report}")
    return verdict


def _verdict(path: Path, options: CheckOptions, *, replay: bool) -> Verdict:
    from sr.app.checks.check import check_file, judge_record
    from sr.app.checks.facts import read_facts
    from sr.app.shipping.zip_file import is_zip

    if replay:
        return judge_record(read_facts(path), options)
    if path.is_file() and is_zip(path):
        from sr.app.shipping.bundle import check_bundle

        return check_bundle(path, options)
    return check_file(path, options)


def _check_several(
    shell: Shell, paths: tuple[Path, ...], options: CheckOptions, *, replay: bool
) -> int:
    from sr.app.checks.check import exit_code, worst_exit_code

    if not paths:
        raise ConfigurationError("there is no file to check in these folders")
    counts: Counter[str] = Counter()
    codes: list[int] = []
    with shell.following("checking", len(paths)) as steps:
        for path in paths:
            try:
                verdict = _verdict(path, options, replay=replay)
            except (ConfigurationError, DatasetError) as error:
                _unreadable(shell, path, error)
                counts["not_read"] += 1
                codes.append(UNABLE)
            else:
                _item(shell, path, verdict)
                counts[verdict.indication.value.lower()] += 1
                codes.append(exit_code(verdict))
            steps.advance()
    code = worst_exit_code(codes)
    _summary(shell, counts, len(paths), code)
    return code


def _item(shell: Shell, path: Path, verdict: Verdict) -> None:
    verdict = replace(verdict, subject=str(path))
    if shell.json:
        shell.print_line("item", verdict.as_dict())
    elif shell.verbose:
        shell.print([*_rendered(shell, verdict), ""])
    else:
        shell.print(_rendered(shell, verdict)[:1])


def _unreadable(shell: Shell, path: Path, error: ConfigurationError | DatasetError) -> None:
    if shell.json:
        said = {"subject": str(path), "indication": None, "error": error_as_dict(error)}
        shell.print_line("item", said)
    else:
        shell.print([printable(f"– NOT READ · {path}: {error}")])


_COUNTED = ("passed", "indeterminate", "failed", "not_signed", "not_read")


def _summary(shell: Shell, counts: Counter[str], total: int, code: int) -> None:
    if shell.json:
        counted: dict[str, Any] = {word: counts[word] for word in _COUNTED}
        shell.print_line("summary", {"total": total, **counted, "exit_code": code})
        return
    said = ", ".join(f"{counts[w]} {w.replace('_', ' ')}" for w in _COUNTED if counts[w])
    shell.print([f"{total} files: {said}"])


def _rendered(shell: Shell, verdict: Verdict) -> tuple[str, ...]:
    from sr.verification.render import render_verdict

    return render_verdict(verdict, width=shell.width)


def _expanded(paths: list[Path]) -> Iterator[Path]:
    """Yield files, and what is in folders; a path that does not exist is reported on its turn."""
    from sr.app.documents.evidence_folder import expand

    for path in paths:
        if path.is_dir():
            yield from expand([path])
        else:
            yield path
