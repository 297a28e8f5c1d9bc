"""``srsign audit``: the trail of what the service did: check it, sign its head, export it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sr.cli import options as o
from sr.cli import trust_options as t
from sr.cli.command import group, register
from sr.cli.service import existing_database, service_libraries
from sr.cli.shell import Shell, printable
from sr.errors import ConfigurationError, ExternalServiceError

if TYPE_CHECKING:
    from sr.app.audit import Actor
    from sr.app.audit.head import Head
    from sr.app.audit.report import AuditReport

__all__ = ["add_commands"]

_CHECK_EXAMPLES = """
srsign audit check --trust-anchor root.pem --intermediate issuing.pem --signer '*CN=Archive*'
srsign audit check trail.jsonl --head kept.json --trust-anchor root.pem
"""
_ANCHOR_EXAMPLES = """
srsign audit anchor --key file:archive.key --cert archive.pem --timestamp http://tsa/ -o head.json
"""
_EXPORT_EXAMPLES = """
srsign audit export --format dicom -o trail.xml --since 2026-11-01
srsign audit export --format jsonl -o trail.jsonl
srsign audit export --syslog
"""
_EXIT = {"PASSED": 0, "FAILED": 10}
_UNDECIDED = 11

DatabaseURL = Annotated[
    str | None,
    typer.Option(
        "--database",
        metavar="URL",
        help="Database of the service, e.g. sqlite:///srsign.db; also the setting store.url.",
    ),
]


def add_commands(app: typer.Typer) -> None:
    """Add ``audit check``, ``audit anchor`` and ``audit export``."""
    commands = group("audit", "The trail of what the service did.")
    register(commands, "check", examples=_CHECK_EXAMPLES)(check)
    register(commands, "anchor", examples=_ANCHOR_EXAMPLES)(anchor)
    register(commands, "export", examples=_EXPORT_EXAMPLES)(export)
    app.add_typer(commands)


def check(
    shell: Shell,
    file: Annotated[
        Path | None,
        typer.Argument(metavar="TRAIL.jsonl", help="An export, in place of the database."),
    ] = None,
    database: DatabaseURL = None,
    head: Annotated[
        list[Path],
        typer.Option("--head", metavar="FILE", help="A head that was kept elsewhere; repeatable."),
    ] = [],
    signer: Annotated[
        str | None,
        typer.Option(
            "--signer",
            metavar="PATTERN",
            help="Whose heads count, e.g. '*CN=Archive*' or sha256:FINGERPRINT.",
        ),
    ] = None,
    trust: t.Trust = t.TRUST,
    at: o.At = None,
) -> int:
    """Find rows that were altered, moved, deleted or cut off.

    It says how far signed heads vouch for the trail, too. Exit code 0 nothing is wrong up to the
    last head, 10 something was altered or is gone, 11 there is no head, or nobody you trust signed
    it. Rows cut off at the end only show against a head that was kept elsewhere: give it with
    --head. A check of the database is itself an event of the trail.
    """
    from sr.app.audit.check import check_chain
    from sr.app.audit.export import read_lines
    from sr.compose import current_time

    options, kept = trust.check_options(signer=signer, at=at), tuple(map(_head, head))
    if file is not None:
        if database is not None:
            raise ConfigurationError("give a file or a database, not both")
        rows, heads = read_lines(file)
        report = check_chain(rows, heads, options, kept=kept)
    else:
        with service_libraries():
            from sr.service.operation.audit_trail import check_trail, record_check
        trail = existing_database(database)
        report = check_trail(trail, options, kept=kept)
        try:
            record_check(trail, report, by=_somebody(), at=current_time())
        except ExternalServiceError as error:
            shell.tell(f"that it was checked is not in the trail: {error}")
    if shell.json:
        shell.print_object(report.as_dict())
    else:
        shell.print(printable(line) for line in _lines(report))
    return _EXIT.get(report.indication.value, _UNDECIDED)


def anchor(
    shell: Shell,
    key: o.KeyURI,
    cert: o.Certificates = [],
    pin_file: o.PinFile = None,
    timestamp: o.Timestamp = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="OUT", help="Write the head, to keep it elsewhere."),
    ] = None,
    database: DatabaseURL = None,
) -> None:
    """Sign the head of the trail: its last row and, by the chain, everything before.

    Best done daily, with a key that is not on the machine of the database, and with --output onto
    another machine: a head that is kept there shows later that rows at the end are gone.
    """
    from sr import compose
    from sr.app.audit.head import encode_head
    from sr.app.files import guard_output, write_atomically

    with service_libraries():
        from sr.service.operation.audit_trail import anchor_trail
    if output is not None:
        guard_output(output, [], in_place=False)
    made, notices = anchor_trail(
        existing_database(database),
        o.credentials(key, cert, pin_file),
        compose.signing_ports(timestamp),
        _somebody(),
    )
    if output is not None:
        write_atomically(output, encode_head(made))
    for notice in notices:
        shell.notice(notice)
    if shell.json:
        said = {"sequence": made.sequence, "digest": made.digest.hex(), "at": made.at.isoformat()}
        shell.print_object(said | {"time_stamped": made.timestamp is not None})
    shell.tell(f"head signed for row {made.sequence}" + (f" → {output}" if output else ""))


def export(
    shell: Shell,
    format: Annotated[  # noqa: A002 - named after the option
        str, typer.Option("--format", metavar="dicom|jsonl", help="DICOM messages or JSON lines.")
    ] = "dicom",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="OUT", help="File to write.")
    ] = None,
    since: Annotated[
        datetime | None,
        typer.Option(
            "--since",
            parser=o.parse_time,
            metavar="TIME",
            help="Leave out what was before, ISO 8601, UTC without offset.",
        ),
    ] = None,
    syslog: Annotated[
        bool,
        typer.Option(
            "--syslog",
            help="Send what was not sent yet to the collector of the settings audit.syslog….",
        ),
    ] = False,
    database: DatabaseURL = None,
) -> None:
    """Export the trail to a file, or bring what is new in it to a syslog collector over TLS.

    DICOM audit messages (PS3.15 A.5) are XML, one a line; JSON lines can be checked again with
    srsign audit check. The export itself is an event of the trail. Names of patients are in both.
    """
    from sr.app.settings import current_settings

    if syslog == (output is not None):
        raise ConfigurationError("name a file with -o, or say --syslog")
    trail = existing_database(database)
    if syslog:
        from sr.compose.service import audit_forwarding
        from sr.service.operation.audit_trail import forward_trail

        gone, _ = forward_trail(trail, audit_forwarding(current_settings()))
        _said(shell, gone, current_settings().audit.syslog)
        return
    assert output is not None  # noqa: S101 - for the type checker
    from sr.app.audit.export import AuditFormat
    from sr.app.files import guard_output, write_atomically
    from sr.compose import current_time
    from sr.compose.service import audit_source
    from sr.dicomfile.splice import Piece
    from sr.service.operation.audit_trail import export_trail

    if format not in set(AuditFormat):
        raise ConfigurationError(f"unknown format {format!r}", hint="dicom or jsonl")
    guard_output(output, [], in_place=False)
    count = 0

    def pieces() -> Iterator[Piece]:
        nonlocal count
        for line in export_trail(
            trail,
            AuditFormat(format),
            audit_source(current_settings()),
            by=_somebody(),
            at=current_time(),
            to=output.name,
            since=since,
        ):
            count += 1
            yield Piece(line)

    write_atomically(output, pieces())
    _said(shell, count, str(output))


def _said(shell: Shell, count: int, target: str) -> None:
    if shell.json:
        shell.print_object({"lines": count, "output": target})
    shell.tell(f"{count} lines → {target}")


def _somebody() -> Actor:
    """Return who runs the command, as far as the system knows."""
    from getpass import getuser

    from sr.app.audit import Actor

    try:
        return Actor(user_id=getuser(), roles=("operator",))
    except (OSError, KeyError):
        return Actor(user_id="unknown", roles=("operator",))


def _head(path: Path) -> Head:
    from sr.app.audit.head import decode_head
    from sr.app.files import read_bytes

    return decode_head(read_bytes(path))


def _lines(report: AuditReport) -> Iterator[str]:
    sub = f" / {report.sub_indication.value}" if report.sub_indication else ""
    yield f"{report.indication.value}{sub} · {report.rows} rows, {report.heads} heads"
    if report.anchored_at is not None:
        proven = f", proven {report.proven_at:%Y-%m-%dT%H:%M:%SZ}" if report.proven_at else ""
        yield (
            f"  vouched for up to row {report.anchored_sequence}, signed "
            f"{report.anchored_at:%Y-%m-%dT%H:%M:%SZ}{proven}"
        )
    if report.signer is not None:
        yield f"  by {report.signer.subject}"
    for finding in report.findings:
        place = f"{finding.where}: " if finding.where else ""
        yield f"  {finding.status.value:<6}  {finding.rule:<22}  {place}{finding.message}"
    for rule, count in report.counts.items():
        shown = sum(finding.rule == rule for finding in report.findings)
        if count > shown:
            yield f"  and {count - shown} more of {rule}"
