"""The audit: rows that are only ever added, each chained to the one before it, and their heads.

The columns beside the encoded event are there to search by; a check holds them against it.

Cites: PS3.15 A.5.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, String, insert, select, type_coerce

from sr.app.audit import START, AuditEvent, ChainRow, columns_of, encode_event, link
from sr.app.audit.head import Head
from sr.store.schema import audit_events, audit_heads

__all__ = [
    "EventQuery",
    "add_head",
    "append_event",
    "append_rows",
    "chain_rows",
    "event_row",
    "heads",
    "last_row",
    "latest_rows",
    "search_rows",
]

_BLOCK = 1000
_NEVER = datetime.min.replace(tzinfo=UTC)
_COLUMNS = ("action", "outcome", "user_id", "sop_instance_uid")


def _rows() -> Select[tuple[object, ...]]:
    """Return the query of rows; times as they are kept, since they may be anything by now."""
    at = type_coerce(audit_events.c.at, String).label("at")
    names = ("sequence", *_COLUMNS, "encoded", "digest")
    return select(at, *(audit_events.c[name] for name in names))


_ADD = insert(audit_events)
_LAST = _rows().order_by(audit_events.c.sequence.desc()).limit(1)
_END = (
    select(audit_events.c.sequence, audit_events.c.digest)
    .order_by(audit_events.c.sequence.desc())
    .limit(1)
)


def append_event(connection: Connection, event: AuditEvent) -> None:
    """Write an event behind the last one, in a transaction that writes."""
    append_rows(connection, (event_row(event),))


def event_row(event: AuditEvent) -> dict[str, Any]:
    """Return what of an event does not depend on its place, to be made before the turn to write."""
    return columns_of(event) | {"at": event.at, "encoded": encode_event(event)}


def append_rows(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write events behind the last one, in their order, in a transaction that writes.

    Args:
        connection: The transaction.
        rows: From ``event_row``.
    """
    last = connection.execute(_END).one_or_none()
    before, previous = (last.sequence, _bytes(last.digest)) if last else (0, START)
    chained = []
    for sequence, row in enumerate(rows, start=before + 1):
        previous = link(previous, sequence, row["encoded"])
        chained.append({**row, "sequence": sequence, "digest": previous})
    connection.execute(_ADD, chained)


def last_row(connection: Connection) -> ChainRow | None:
    """Return the row that was written last."""
    row = connection.execute(_LAST).one_or_none()
    return None if row is None else _chain_row(row)


def chain_rows(connection: Connection, *, after: int = 0) -> Iterator[ChainRow]:
    """Yield all rows behind a number, in their order, a block in memory at a time."""
    query = (
        _rows()
        .where(audit_events.c.sequence > after)
        .order_by(audit_events.c.sequence)
        .execution_options(yield_per=_BLOCK)
    )
    yield from map(_chain_row, connection.execute(query))


def latest_rows(
    connection: Connection, *, before: int | None = None, limit: int = 100
) -> tuple[ChainRow, ...]:
    """Return the newest rows, newest first; those before a number where there is one."""
    query = _rows().order_by(audit_events.c.sequence.desc()).limit(limit)
    if before is not None:
        query = query.where(audit_events.c.sequence < before)
    return tuple(map(_chain_row, connection.execute(query)))


@dataclass(frozen=True, slots=True, kw_only=True)
class EventQuery:
    """Which events; what is empty does not restrict."""

    actions: tuple[str, ...] = ()
    outcomes: tuple[str, ...] = ()
    user_id: str | None = None
    sop_instance_uid: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    before: int | None = None
    """Number of an event."""


def search_rows(connection: Connection, query: EventQuery, *, limit: int) -> tuple[ChainRow, ...]:
    """Return rows, the newest first."""
    column = audit_events.c
    conditions = (
        column.action.in_(query.actions) if query.actions else None,
        column.outcome.in_(query.outcomes) if query.outcomes else None,
        column.user_id == query.user_id if query.user_id is not None else None,
        column.sop_instance_uid == query.sop_instance_uid
        if query.sop_instance_uid is not None
        else None,
        column.at >= query.since if query.since is not None else None,
        column.at < query.until if query.until is not None else None,
        column.sequence < query.before if query.before is not None else None,
    )
    statement = (
        _rows()
        .where(*(condition for condition in conditions if condition is not None))
        .order_by(column.sequence.desc())
        .limit(limit)
    )
    return tuple(map(_chain_row, connection.execute(statement)))


def add_head(connection: Connection, head: Head) -> None:
    """Keep a head."""
    connection.execute(
        insert(audit_heads).values(
            sequence=head.sequence,
            digest=head.digest,
            at=head.at,
            signature=head.signature,
            timestamp=head.timestamp,
        )
    )


def heads(connection: Connection) -> tuple[Head, ...]:
    """Return the heads, oldest first."""
    at = type_coerce(audit_heads.c.at, String).label("at")
    names = ("sequence", "digest", "signature", "timestamp")
    query = select(at, *(audit_heads.c[name] for name in names)).order_by(audit_heads.c.sequence)
    return tuple(
        Head(
            sequence=row.sequence,
            digest=_bytes(row.digest),
            at=_moment(row.at),
            signature=_bytes(row.signature),
            timestamp=None if row.timestamp is None else _bytes(row.timestamp),
        )
        for row in connection.execute(query)
    )


def _chain_row(row: Row[tuple[object, ...]]) -> ChainRow:
    return ChainRow(
        sequence=row.sequence,
        encoded=_bytes(row.encoded),
        digest=_bytes(row.digest),
        columns={name: getattr(row, name) for name in ("at", *_COLUMNS)},
    )


def _moment(value: object) -> datetime:
    """Return a time; the earliest of all, which no head was signed at, for what is none."""
    try:
        at = datetime.fromisoformat(str(value))
        return at.astimezone(UTC) if at.tzinfo is not None else _NEVER
    except (ValueError, OverflowError):
        return _NEVER


def _bytes(value: object) -> bytes:
    """Return bytes; SQLite has no types of columns, and what was altered may be of another one."""
    return value if isinstance(value, bytes) else b""
