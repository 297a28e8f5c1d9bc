"""The audit: rows that are only ever added, each chained to the one before it.

Cites: PS3.15 A.5.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from sqlalchemy import Connection, func, insert, select

from sr.store.schema import audit_events

__all__ = ["AuditRow", "append_event", "events"]

_GENESIS = bytes(32)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRow:
    """One event as it is kept."""

    sequence: int
    at: datetime
    action: str
    outcome: str
    user_id: str
    sop_instance_uid: str | None
    encoded: bytes
    digest: bytes


def append_event(
    connection: Connection,
    encoded: bytes,
    *,
    at: datetime,
    action: str,
    outcome: str,
    user_id: str,
    sop_instance_uid: str | None = None,
) -> int:
    """Write an event behind the last one, in a transaction that writes; return its number."""
    last = connection.execute(select(func.max(audit_events.c.sequence))).scalar()
    before = _GENESIS
    if last is not None:
        before = connection.execute(
            select(audit_events.c.digest).where(audit_events.c.sequence == last)
        ).scalar_one()
    sequence = (last or 0) + 1
    connection.execute(
        insert(audit_events).values(
            sequence=sequence,
            at=at,
            action=action,
            outcome=outcome,
            user_id=user_id,
            sop_instance_uid=sop_instance_uid,
            encoded=encoded,
            digest=sha256(before + sequence.to_bytes(8, "big") + encoded).digest(),
        )
    )
    return sequence


def events(connection: Connection, *, after: int = 0, limit: int = 100) -> tuple[AuditRow, ...]:
    """Return events in the order in which they happened."""
    rows = connection.execute(
        select(audit_events)
        .where(audit_events.c.sequence > after)
        .order_by(audit_events.c.sequence)
        .limit(limit)
    )
    return tuple(AuditRow(**row) for row in rows.mappings())
