"""A signing session as its signer sees it: what is signed, and the bytes that are hashed.

Cites: PS3.15 A.4.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from sr.app.audit import AuditAction
from sr.errors import NotFoundError
from sr.service.access import Permission, Principal, require
from sr.service.context import Context
from sr.service.events import record
from sr.service.signing.prepared import prepared_of
from sr.service.signing.session_states import get_own_session
from sr.signature import PreparedSignature
from sr.signature.prepare import signed_stream
from sr.store.documents import get_document
from sr.store.signing_sessions import (
    LIVE,
    SessionItem,
    SessionState,
    SigningSession,
    sessions_in,
    verdicts_of,
)

__all__ = ["OpenedSession", "live_sessions", "session_results", "session_stream", "show_session"]


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedSession:
    """A session with what the signer has to see and to sign."""

    session: SigningSession
    items: tuple[SessionItem, ...]
    prepared: tuple[PreparedSignature, ...]


def live_sessions(context: Context, principal: Principal) -> tuple[SigningSession, ...]:
    """Return the principal's sessions that wait for something, oldest first.

    Raises:
        AccessError: The principal signs nothing.
    """
    require(principal, Permission.SIGN)
    with context.database.read() as connection:
        found = sessions_in(connection, *LIVE)
    return tuple(each for each in found if each.user_id == principal.user_id)


def show_session(context: Context, principal: Principal, session_id: str) -> OpenedSession:
    """Return a session with what the signer has to see and to sign.

    Raises:
        NotFoundError: The principal has no such session.
    """
    session, items = get_own_session(context, principal, session_id)
    prepared = tuple(prepared_of(context, session, item) for item in items)
    with context.database.write() as connection:
        for item in items:
            _read(context, connection, principal, item)
    return OpenedSession(session=session, items=items, prepared=prepared)


def session_results(
    context: Context, opened: OpenedSession
) -> tuple[tuple[SessionItem, dict[str, Any]], ...]:
    """Return the documents of a session that was completed, each with the verdict on it."""
    if opened.session.state is not SessionState.COMPLETED:
        return ()
    with context.database.read() as connection:
        verdicts = verdicts_of(connection, opened.session.id)
    return tuple(zip(opened.items, verdicts, strict=True))


def session_stream(context: Context, principal: Principal, session_id: str, n: int) -> bytes:
    """Return the bytes that one signature is over, for whoever computes the digest himself.

    Args:
        context: The service.
        principal: Who opened the session.
        session_id: The session.
        n: Number of the document, from 1.

    Raises:
        NotFoundError: The principal has no such session, or it has no such document.

    Cites: PS3.3 C.12.1.1.3.1.1.
    """
    session, items = get_own_session(context, principal, session_id)
    item = next((each for each in items if each.n == n), None)
    if item is None:
        raise NotFoundError("the signing session has no such document")
    ready = prepared_of(context, session, item)
    with context.database.write() as connection:
        _read(context, connection, principal, item)
    return signed_stream(ready)


def _read(
    context: Context,
    connection: Connection,
    principal: Principal,
    item: SessionItem,
) -> None:
    record(
        context,
        connection,
        principal,
        AuditAction.REPORT_READ,
        document=get_document(connection, item.sop_instance_uid),
        subject=item.session_id,
    )
