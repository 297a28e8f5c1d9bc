"""Use cases: log in and out, and tell who is behind a key or a cookie.

Secrets are drawn here and handed out once; the store holds their digests. A user who was disabled
is nobody, whatever the request carries.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from hashlib import sha256
from ipaddress import ip_address

from sqlalchemy import Connection

from sr.app.audit import AuditAction, Outcome
from sr.errors import AccessError, AuthenticationError, ServiceError
from sr.service.access import Principal, Role
from sr.service.context import Context
from sr.service.events import record
from sr.store.people import (
    User,
    get_user,
    user_by_api_key,
    user_by_login,
    users_of,
    users_of_certificate,
)
from sr.store.web_sessions import (
    WebSession,
    add_web_session,
    find_web_session,
    forget_web_sessions,
    remove_web_session,
    see_web_session,
)

__all__ = [
    "demo_login",
    "demo_people",
    "digest_of",
    "log_out",
    "principal_of_user",
    "record_refusal",
    "start_session",
    "user_of_certificate",
    "user_of_key",
    "user_of_session",
]

_SEEN = timedelta(minutes=1)
"""How exactly it is known when a session was last used; each writing costs a commit."""


def digest_of(secret: str) -> str:
    """Return what is kept of a random secret, SHA-256 in hexadecimal."""
    return sha256(secret.encode()).hexdigest()


def principal_of_user(user: User, address: str = "") -> Principal:
    """Return a user as a caller.

    Raises:
        AuthenticationError: The user was disabled.
    """
    if user.disabled_at is not None:
        raise AuthenticationError("nobody knows the caller")
    return Principal(
        user_id=user.id,
        login=user.login,
        display_name=user.display_name,
        person_name=user.person_name,
        organization=user.organization,
        roles=frozenset(Role(role) for role in user.roles),
        address=address,
    )


def user_of_key(context: Context, key: str) -> User | None:
    """Return whose API key it is, found by its digest."""
    with context.database.read() as connection:
        return user_by_api_key(connection, digest_of(key), at=context.ports.now())


def user_of_certificate(context: Context, certificate: bytes) -> User | None:
    """Return whose certificate a client proved to hold when it connected.

    Two people never have one certificate; where two accounts do, nobody is meant.
    """
    with context.database.read() as connection:
        users = users_of_certificate(connection, sha256(certificate).hexdigest())
    return users[0] if len(users) == 1 else None


def user_of_session(context: Context, token: str) -> User | None:
    """Return who logged in with a browser, unless that was too long ago, or the browser idle."""
    now, digest = context.ports.now(), digest_of(token)
    with context.database.read() as connection:
        session = find_web_session(connection, digest)
        user = None if session is None else get_user(connection, session.user_id)
    if session is None:
        return None
    if session.expires_at <= now or session.seen_at + context.idle_lifetime <= now:
        with context.database.write() as connection:
            remove_web_session(connection, digest)
        return None
    if session.seen_at + _SEEN <= now:
        with context.database.write() as connection:
            see_web_session(connection, digest, now)
    return user


def demo_people(context: Context) -> tuple[User, ...]:
    """Return whom a demonstration lets one log in as; nobody outside of one."""
    if not context.demo:
        return ()
    with context.database.read() as connection:
        return tuple(user for user in users_of(connection) if user.disabled_at is None)


def demo_login(context: Context, login: str, *, address: str) -> str:
    """Log in as somebody of a demonstration, without proof and on this machine only.

    Args:
        context: The service.
        login: Of the user.
        address: Where the request comes from.

    Returns:
        The value of the cookie.

    Raises:
        AccessError: This is no demonstration, or the request comes from elsewhere.
        AuthenticationError: There is no such user.
    """
    if not context.demo:
        raise AccessError("people log in by name with srsign serve --demo only")
    if not _is_loopback(address):
        raise AccessError("a demonstration lets people log in from its own machine only")
    with context.database.read() as connection:
        user = user_by_login(connection, login)
    if user is None:
        raise AuthenticationError("there is no such user")
    return start_session(context, user, address=address, by="demonstration")


def start_session(
    context: Context,
    user: User,
    *,
    address: str,
    by: str,
    also: Callable[[Connection], None] | None = None,
) -> str:
    """Begin a session of somebody who has proved who they are; return the value of the cookie.

    Args:
        context: The service.
        user: Who.
        address: Where the request comes from.
        by: How it was proved, for the audit.
        also: What has to happen in the same transaction.

    Raises:
        AuthenticationError: The user was disabled.
    """
    principal = principal_of_user(user, address)
    token = context.new_token() + context.new_token()
    now = context.ports.now()
    session = WebSession(
        digest=digest_of(token),
        user_id=user.id,
        created_at=now,
        seen_at=now,
        expires_at=now + context.login_lifetime,
    )
    with context.database.write() as connection:
        if also is not None:
            also(connection)
        forget_web_sessions(connection, user_id=None, until=now)
        add_web_session(connection, session)
        record(context, connection, principal, AuditAction.LOGIN, subject=by)
    return token


def log_out(context: Context, principal: Principal, token: str) -> None:
    """End a session."""
    with context.database.write() as connection:
        remove_web_session(connection, digest_of(token))
        record(context, connection, principal, AuditAction.LOGOUT)


def record_refusal(
    context: Context,
    principal: Principal | None,
    error: ServiceError,
    *,
    address: str,
    request: str,
    logs_in: bool = False,
) -> None:
    """Write to the audit that somebody was refused.

    Args:
        context: The service.
        principal: Who, where that is known.
        error: Why.
        address: Where the request comes from.
        request: What was asked for: method and path with the names of its parameters.
        logs_in: Whether it was an attempt to log in.

    Cites: PS3.15 A.5.3.10.
    """
    nobody = Principal(
        user_id="",
        login="",
        display_name="",
        person_name="",
        organization="",
        roles=frozenset(),
        address=address,
    )
    with context.database.write() as connection:
        record(
            context,
            connection,
            principal or nobody,
            AuditAction.LOGIN_FAILED if logs_in else AuditAction.ACCESS_REFUSED,
            outcome=Outcome.SERIOUS_FAILURE,
            subject=request,
            detail=str(error),
        )


def _is_loopback(address: str) -> bool:
    try:
        found = ip_address(address)
    except ValueError:
        return False
    mapped = getattr(found, "ipv4_mapped", None)
    return (mapped or found).is_loopback
