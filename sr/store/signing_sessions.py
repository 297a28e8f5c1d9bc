"""Signing sessions: what is to be signed, the values that came back, and how it ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, update

from sr.errors import ConflictError, NotFoundError
from sr.store.rows import row_of
from sr.store.schema import documents, signatures, signing_sessions
from sr.store.schema import session_items as items_table

__all__ = [
    "LIVE",
    "SessionItem",
    "SessionState",
    "SigningSession",
    "add_session",
    "get_session",
    "has_moved",
    "items_of",
    "keep_results",
    "keep_values",
    "move_session",
    "require_unchanged",
    "sessions_in",
    "verdicts_of",
]


class SessionState(StrEnum):
    """How far a session is."""

    OPEN = "open"
    VALUED = "valued"
    """Every value is here and was verified; nothing more is needed of the signer."""
    COMPLETED = "completed"
    EXPIRED = "expired"
    VOIDED = "voided"
    """A document changed under it."""


LIVE = frozenset({SessionState.OPEN, SessionState.VALUED})
"""States out of which a signature can still come."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningSession:
    """Who signs what for, with which certificate, and how far that is."""

    id: str
    user_id: str
    agent_id: str | None = None
    purpose: str
    certificate_sha256: str
    chain: bytes
    """PEM, leaf first."""
    profile: str | None = None
    mac_algorithm: str
    timestamped: bool
    match_code: str
    state: SessionState
    created_at: datetime
    expires_at: datetime
    finished_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionItem:
    """One document of a session."""

    session_id: str
    n: int
    sop_instance_uid: str
    revision: int
    base: bytes
    """What is signed, before it is signed."""
    base_sha256: str
    digital_signature_uid: str
    signed_at: datetime
    digest: bytes
    value: bytes | None = None
    result: str | None = None
    """SOP Instance UID of the document that came of it."""


_ADD_SESSION, _ADD_ITEM = insert(signing_sessions), insert(items_table)
_SESSION = select(signing_sessions).where(signing_sessions.c.id == bindparam("id"))
_ITEMS = (
    select(items_table).where(items_table.c.session_id == bindparam("id")).order_by(items_table.c.n)
)
_MOVE = (
    update(signing_sessions)
    .where(signing_sessions.c.id == bindparam("of"))
    .where(signing_sessions.c.state == bindparam("since"))
)
_CHANGED = (
    select(items_table.c.n)
    .join(documents, documents.c.sop_instance_uid == items_table.c.sop_instance_uid)
    .where(items_table.c.session_id == bindparam("id"))
    .where(documents.c.revision != items_table.c.revision)
    .limit(1)
)
_VERDICTS = (
    select(signatures.c.verdict)
    .join(
        items_table,
        (items_table.c.result == signatures.c.sop_instance_uid)
        & (items_table.c.digital_signature_uid == signatures.c.digital_signature_uid),
    )
    .where(items_table.c.session_id == bindparam("id"))
    .order_by(items_table.c.n)
)
_CHANGE_ITEM = (
    update(items_table)
    .where(items_table.c.session_id == bindparam("of"))
    .where(items_table.c.n == bindparam("number"))
)


def add_session(
    connection: Connection, session: SigningSession, items: tuple[SessionItem, ...]
) -> None:
    """Write a session that was opened."""
    connection.execute(_ADD_SESSION, row_of(session))
    connection.execute(_ADD_ITEM, [row_of(item) for item in items])


def get_session(connection: Connection, session_id: str) -> SigningSession:
    """Return a session.

    Raises:
        NotFoundError: There is none.
    """
    row = connection.execute(_SESSION, {"id": session_id}).mappings().one_or_none()
    if row is None:
        raise NotFoundError("there is no such signing session")
    return _session(row)


def sessions_in(connection: Connection, *states: SessionState) -> tuple[SigningSession, ...]:
    """Return the sessions in some states, oldest first."""
    query = select(signing_sessions).where(signing_sessions.c.state.in_(states))
    rows = connection.execute(query.order_by(signing_sessions.c.created_at))
    return tuple(_session(row) for row in rows.mappings())


def items_of(connection: Connection, session_id: str) -> tuple[SessionItem, ...]:
    """Return the documents of a session, in order."""
    rows = connection.execute(_ITEMS, {"id": session_id})
    return tuple(SessionItem(**row) for row in rows.mappings())


def verdicts_of(connection: Connection, session_id: str) -> tuple[dict[str, Any], ...]:
    """Return the verdicts on what came of a session, in the order of its documents."""
    return tuple(connection.execute(_VERDICTS, {"id": session_id}).scalars())


def require_unchanged(connection: Connection, session_id: str) -> None:
    """Refuse a session of whose documents one has another version than was prepared.

    Raises:
        ConflictError: One has.
    """
    if connection.execute(_CHANGED, {"id": session_id}).one_or_none() is not None:
        raise ConflictError("a document was changed meanwhile", hint="open another session")


def move_session(
    connection: Connection,
    session: SigningSession,
    state: SessionState,
    *,
    finished_at: datetime | None = None,
) -> None:
    """Move a session on from the state in which it was read.

    Raises:
        ConflictError: Somebody else moved it meanwhile.
    """
    if not has_moved(connection, session, state, finished_at=finished_at):
        raise ConflictError("the signing session was completed meanwhile")


def has_moved(
    connection: Connection,
    session: SigningSession,
    state: SessionState,
    *,
    finished_at: datetime | None = None,
) -> bool:
    """Move a session on from the state in which it was read, unless somebody else did."""
    of = {"of": session.id, "since": session.state, "state": state, "finished_at": finished_at}
    return connection.execute(_MOVE, of).rowcount == 1


def keep_values(connection: Connection, session_id: str, values: Mapping[int, bytes]) -> None:
    """Keep the signature values of a session, by number of the document."""
    _change_items(connection, session_id, {n: {"value": value} for n, value in values.items()})


def keep_results(connection: Connection, session_id: str, results: Mapping[int, str]) -> None:
    """Keep the SOP Instance UID of what came of each document."""
    _change_items(connection, session_id, {n: {"result": uid} for n, uid in results.items()})


def _change_items(
    connection: Connection, session_id: str, changes: Mapping[int, Mapping[str, Any]]
) -> None:
    rows = [{"of": session_id, "number": n, **change} for n, change in changes.items()]
    connection.execute(_CHANGE_ITEM, rows)


def _session(row: Mapping[Any, Any]) -> SigningSession:
    values = dict(row)
    values["state"] = SessionState(values["state"])
    return SigningSession(**values)
