"""Use case: say whether the service can do its work, and how much there is of everything.

Neither answer names anybody.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Connection, func, select

from sr.errors import SRError
from sr.service.access import Permission, Principal, require
from sr.service.context import Context
from sr.store.schema import audit_events, documents, jobs, signatures, signing_sessions

__all__ = ["inventory", "is_ready", "readiness"]

_GROUPS = {
    "documents": documents.c.state,
    "signatures": signatures.c.purpose,
    "signing_sessions": signing_sessions.c.state,
    "jobs": jobs.c.state,
}


def readiness(context: Context) -> dict[str, bool]:
    """Return what the service needs, and whether it is there."""
    return {name: _works(check, context) for name, check in _CHECKS.items()}


def is_ready(found: dict[str, bool]) -> bool:
    """Return whether nothing is missing."""
    return all(found.values())


def inventory(context: Context, principal: Principal) -> dict[str, dict[str, int]]:
    """Return how many there are of what, by kind and state.

    Raises:
        AccessError: The principal reads no figures.
    """
    require(principal, Permission.READ_METRICS)
    with context.database.read() as connection:
        found = {kind: _counts(connection, column) for kind, column in _GROUPS.items()}
        last = connection.execute(select(func.max(audit_events.c.sequence))).scalar()
    return {**found, "audit_events": {"written": last or 0}}


def _counts(connection: Connection, column: object) -> dict[str, int]:
    query = select(column, func.count()).group_by(column)  # type: ignore[call-overload]
    return {str(state): count for state, count in connection.execute(query)}


def _works(check: Callable[[Context], bool], context: Context) -> bool:
    try:
        return check(context)
    except (SRError, OSError):
        return False


def _database(context: Context) -> bool:
    with context.database.write() as connection:
        connection.execute(select(1))
    return True


def _evidence(context: Context) -> bool:
    return all(root.is_dir() for root in context.evidence.roots)


def _trust(context: Context) -> bool:
    return bool(context.material().anchors)


_CHECKS: dict[str, Callable[[Context], bool]] = {
    "database": _database,
    "evidence": _evidence,
    "trust": _trust,
}
