"""How a signing session ends without a signature: its time is over, or somebody gave it up.

Cites: PS3.15 A.4.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection

from sr.app.audit import AuditAction, Outcome
from sr.codes import SignaturePurpose
from sr.errors import ConflictError, ExpiredError, NotFoundError, SigningError, TimestampError
from sr.service.access import Principal
from sr.service.context import Context
from sr.service.events import record
from sr.store.signing_sessions import (
    LIVE,
    SessionItem,
    SessionState,
    SigningSession,
    get_session,
    items_of,
    move_session,
    sessions_in,
)

__all__ = [
    "cancel_session",
    "end_session",
    "expire_sessions",
    "failure_recorded",
    "get_own_session",
    "require_live",
    "void_session",
]


def get_own_session(
    context: Context, principal: Principal, session_id: str
) -> tuple[SigningSession, tuple[SessionItem, ...]]:
    """Return a session and its documents.

    Raises:
        NotFoundError: The principal has no such session.
    """
    with context.database.read() as connection:
        session = get_session(connection, session_id)
        items = items_of(connection, session_id)
    if session.user_id != principal.user_id:
        raise NotFoundError("there is no such signing session")
    return session, items


def require_live(context: Context, principal: Principal, session: SigningSession) -> None:
    """Refuse a session that waits for nothing any more.

    Raises:
        ExpiredError: Its time is over, or a document changed under it.
    """
    if session.state is SessionState.OPEN and context.ports.now() >= session.expires_at:
        with context.database.write() as connection:
            if get_session(connection, session.id).state is SessionState.OPEN:
                expired = SessionState.EXPIRED
                end_session(context, connection, principal, session, expired, "expired")
        raise ExpiredError("the time of the signing session is over", hint="open another one")
    if session.state in (SessionState.EXPIRED, SessionState.VOIDED):
        raise ExpiredError("the signing session is over", hint="open another one")


def cancel_session(context: Context, principal: Principal, session_id: str) -> SigningSession:
    """Give a session up, and return it as it ended; nothing is signed any more.

    Raises:
        NotFoundError: The principal has no such session.
        ConflictError: It was completed already.
    """
    get_own_session(context, principal, session_id)
    session = void_session(context, principal, session_id, why="cancelled")
    if session.state is SessionState.COMPLETED:
        raise ConflictError("the signing session was completed already")
    return session


def void_session(
    context: Context, principal: Principal, session_id: str, *, why: str
) -> SigningSession:
    """Void a session unless it ended otherwise meanwhile; return it as it ended.

    Args:
        context: The service.
        principal: Who, or the service itself.
        session_id: The session.
        why: For the audit.
    """
    with context.database.write() as connection:
        session = get_session(connection, session_id)
        if session.state in LIVE:
            end_session(context, connection, principal, session, SessionState.VOIDED, why)
        return get_session(connection, session_id)


def expire_sessions(context: Context, principal: Principal) -> int:
    """End every open session whose time is over, and return how many there were.

    Args:
        context: The service.
        principal: The service itself.
    """
    now = context.ports.now()
    with context.database.read() as connection:
        if not any(each.expires_at <= now for each in sessions_in(connection, SessionState.OPEN)):
            return 0
    with context.database.write() as connection:
        over = [s for s in sessions_in(connection, SessionState.OPEN) if s.expires_at <= now]
        for session in over:
            end_session(context, connection, principal, session, SessionState.EXPIRED, "expired")
    return len(over)


@contextmanager
def failure_recorded(
    context: Context, principal: Principal, session: SigningSession
) -> Iterator[None]:
    """Write to the audit that a session was not signed where a key, value or time-stamp fails.

    Whether it goes on, or is void, is decided elsewhere.
    """
    try:
        yield
    except (SigningError, TimestampError) as error:
        with context.database.write() as connection:
            record(
                context,
                connection,
                principal,
                AuditAction.SIGNING_FAILED,
                outcome=Outcome.SERIOUS_FAILURE,
                purpose=SignaturePurpose(session.purpose),
                certificate_sha256=session.certificate_sha256,
                subject=session.id,
                detail=error.code,
            )
        raise


def end_session(
    context: Context,
    connection: Connection,
    principal: Principal,
    session: SigningSession,
    state: SessionState,
    why: str,
) -> None:
    """End a session without a signature, in a transaction that writes."""
    move_session(connection, session, state, finished_at=context.ports.now())
    record(
        context,
        connection,
        principal,
        AuditAction.SIGNING_VOIDED,
        outcome=Outcome.MINOR_FAILURE,
        subject=session.id,
        detail=why,
    )
