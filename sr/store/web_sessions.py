"""Sessions of browsers. Only the digest of a cookie's value is kept, so no row opens a session."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select, update

from sr.store.schema import login_attempts, web_sessions

__all__ = [
    "WebSession",
    "add_login_attempt",
    "add_web_session",
    "find_web_session",
    "forget_web_sessions",
    "remove_web_session",
    "see_web_session",
    "take_login_attempt",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class WebSession:
    """Somebody who logged in with a browser."""

    digest: str
    """SHA-256 of the cookie's value, hexadecimal."""
    user_id: str
    created_at: datetime
    seen_at: datetime
    expires_at: datetime


def add_web_session(connection: Connection, session: WebSession) -> None:
    """Write a session."""
    connection.execute(insert(web_sessions).values(**asdict(session)))


def find_web_session(connection: Connection, digest: str) -> WebSession | None:
    """Return a session, whether or not its time is over."""
    query = select(web_sessions).where(web_sessions.c.digest == digest)
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else WebSession(**row)


def see_web_session(connection: Connection, digest: str, at: datetime) -> None:
    """Keep when a session was last used."""
    connection.execute(
        update(web_sessions).where(web_sessions.c.digest == digest).values(seen_at=at)
    )


def remove_web_session(connection: Connection, digest: str) -> None:
    """Remove a session; nothing happens where there is none."""
    connection.execute(delete(web_sessions).where(web_sessions.c.digest == digest))


def forget_web_sessions(connection: Connection, *, user_id: str | None, until: datetime) -> None:
    """Remove the sessions of a user, or those whose time was over at some moment."""
    over = web_sessions.c.expires_at <= until
    mine = web_sessions.c.user_id == user_id
    connection.execute(delete(web_sessions).where(over if user_id is None else mine))


def add_login_attempt(
    connection: Connection, digest: str, *, at: datetime, expires_at: datetime
) -> None:
    """Keep that somebody was sent to a provider to log in; forget those whose time is over."""
    _forget_attempts(connection, until=at)
    connection.execute(insert(login_attempts).values(digest=digest, expires_at=expires_at))


def _forget_attempts(connection: Connection, *, until: datetime) -> None:
    connection.execute(delete(login_attempts).where(login_attempts.c.expires_at <= until))


def take_login_attempt(connection: Connection, digest: str, *, at: datetime) -> bool:
    """Remove an attempt, and those whose time is over; return whether it was there and in time."""
    _forget_attempts(connection, until=at)
    found = connection.execute(delete(login_attempts).where(login_attempts.c.digest == digest))
    return found.rowcount == 1
