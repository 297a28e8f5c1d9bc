"""Use cases: check the trail in the database, sign a head for it, export and forward it.

Cites: PS3.15 A.5, A.6.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sr.app.audit import Actor, AuditAction, AuditEvent, Outcome
from sr.app.audit.check import check_chain
from sr.app.audit.export import AuditFormat, as_lines, events_since
from sr.app.audit.extract import extract_for
from sr.app.audit.head import Head, anchored, sign_head
from sr.app.audit.message import AuditSource, audit_message
from sr.app.audit.report import AuditReport
from sr.app.audit.spool import Spool, Spooled
from sr.app.checks.check import CheckOptions
from sr.app.ports import Ports
from sr.app.signatures.signing import Credentials
from sr.errors import ConfigurationError
from sr.findings import Finding
from sr.net.syslog import syslog_message
from sr.store.audit import add_head, append_event, chain_rows, heads, last_row
from sr.store.database import Database

__all__ = [
    "Forwarding",
    "anchor_trail",
    "check_trail",
    "export_trail",
    "extract_trail",
    "forward_trail",
    "record_check",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Forwarding:
    """Where audit messages go."""

    source: AuditSource
    spool: Spool
    hostname: str
    deliver: Callable[[Sequence[bytes]], None]
    """Returns when the collector has read all of them."""


def check_trail(
    database: Database, options: CheckOptions, *, kept: Iterable[Head] = ()
) -> AuditReport:
    """Return what is wrong with the trail, and how far it is vouched for.

    Raises:
        ExternalServiceError: The database does not answer, or its file is damaged.
        TrustEvidenceError: A part of the trust material does not parse.
    """
    with database.read() as connection:
        return check_chain(chain_rows(connection), heads(connection), options, kept=kept)


def record_check(database: Database, report: AuditReport, *, by: Actor, at: datetime) -> None:
    """Write to the trail that it was checked, and what came of it.

    Raises:
        ExternalServiceError: The database did not take it.
    """
    told = report.indication.value
    event = AuditEvent(action=AuditAction.AUDIT_CHECKED, at=at, actor=by, detail=told)
    with database.write() as connection:
        append_event(connection, event)


def anchor_trail(
    database: Database, credentials: Credentials, ports: Ports, actor: Actor
) -> tuple[Head, tuple[Finding, ...]]:
    """Sign a head for the last row, keep it, and write a row that names it.

    Raises:
        ConfigurationError: The trail is empty, or a URI or file is not usable.
        SigningError: The key could not sign; nothing was written.
        TimestampError: The time-stamp authority failed; nothing was written.
        ExternalServiceError: The database did not take it.
    """
    with database.read() as connection:
        row = last_row(connection)
    if row is None:
        raise ConfigurationError("the audit trail is empty: there is nothing to sign")
    head, notices = sign_head(row, credentials, ports)
    with database.write() as connection:
        add_head(connection, head)
        append_event(connection, anchored(head, actor))
    return head, notices


def extract_trail(database: Database, sop_instance_uid: str) -> bytes:
    """Return what the trail says of a document, with its place in the chain, as JSON.

    Raises:
        DatasetError: A row about the document is no event; rule ``AUDIT_EVENT``.
        ExternalServiceError: The database does not answer.
    """
    with database.read() as connection:
        return extract_for(sop_instance_uid, chain_rows(connection), heads(connection))


def export_trail(
    database: Database,
    wanted: AuditFormat,
    source: AuditSource,
    *,
    by: Actor,
    at: datetime,
    to: str,
    since: datetime | None = None,
) -> Iterator[bytes]:
    """Yield the trail as lines, after writing to it that it was exported.

    Args:
        database: Where it is.
        wanted: The format.
        source: Who reports, in DICOM messages.
        by: Who exports.
        at: Now.
        to: Where the lines go, for the audit.
        since: Leave out what was before.

    Raises:
        DatasetError: A row is no event; rule ``AUDIT_EVENT``.
        ExternalServiceError: The database does not answer.
    """
    with database.write() as connection:
        append_event(
            connection,
            AuditEvent(action=AuditAction.AUDIT_EXPORTED, at=at, actor=by, subject=to),
        )
    with database.read() as connection:
        rows = events_since(chain_rows(connection), since)
        yield from as_lines(rows, heads(connection), wanted, source)


def forward_trail(database: Database, forwarding: Forwarding) -> tuple[int, Spooled]:
    """Bring every row that the collector does not have yet to it; return how many went.

    Where the spool is full, it is emptied and filled again until nothing is left.

    Raises:
        ExternalServiceError: The collector did not take them: they wait in the spool, and what
            does not fit there in the trail.
        ConfigurationError: The spool cannot be used.
    """
    gone = 0
    while True:
        with database.read() as connection:
            rows = events_since(chain_rows(connection, after=forwarding.spool.state.taken), None)
            state = forwarding.spool.take(
                (row.sequence, _message(row.sequence, event, forwarding)) for row, event in rows
            )
        if state.messages == 0:
            return gone, state
        gone += forwarding.spool.forward(forwarding.deliver)


def _message(sequence: int, event: AuditEvent, forwarding: Forwarding) -> bytes:
    return syslog_message(
        audit_message(event, forwarding.source),
        at=event.at,
        sequence=sequence,
        succeeded=event.outcome is Outcome.SUCCESS,
        hostname=forwarding.hostname,
    )
