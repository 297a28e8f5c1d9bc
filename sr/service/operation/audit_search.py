"""Use case: search the audit, which is itself an event of it.

Cites: PS3.15 A.5.3.
"""

from __future__ import annotations

from sr.app.audit import AuditAction, ChainRow
from sr.service.access import Permission, Principal, require
from sr.service.context import Context
from sr.service.events import record
from sr.store.audit import EventQuery, search_rows

__all__ = ["find_events"]


def find_events(
    context: Context, principal: Principal, query: EventQuery, *, limit: int
) -> tuple[ChainRow, ...]:
    """Return events of the audit, the newest first.

    Args:
        context: The service.
        principal: Who asks.
        query: Which.
        limit: At most so many.

    Raises:
        AccessError: The principal may not read the audit.

    Cites: PS3.15 A.5.3.
    """
    require(principal, Permission.READ_AUDIT)
    with context.database.write() as connection:
        found = search_rows(connection, query, limit=limit)
        record(context, connection, principal, AuditAction.AUDIT_READ)
    return found
