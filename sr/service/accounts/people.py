"""Use cases: who has an account, with which roles, and which machines have keys.

Cites: PS3.15 A.5.3.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from sr.app.audit import AuditAction
from sr.errors import ConfigurationError, ConflictError, NotFoundError
from sr.service.access import Permission, Principal, Role, require
from sr.service.accounts.login import digest_of
from sr.service.context import Context
from sr.service.events import record
from sr.store.api_keys import APIKey, keys_of_machines, revoke_api_key
from sr.store.people import User, add_api_key, add_user, change_user, user_by_login, users_of
from sr.store.web_sessions import forget_web_sessions

__all__ = [
    "CONSOLE",
    "add_person",
    "disable_person",
    "list_keys",
    "list_people",
    "make_key",
    "revoke_key",
]

CONSOLE = Principal(
    user_id="console",
    login="console",
    display_name="Operator at the console",
    person_name="",
    organization="",
    roles=frozenset({Role.ADMIN}),
)
"""Whoever has the database at hand, e.g. to make the first administrator."""
_PERSON_NAME, _ORGANIZATION, _LOGIN, _LABEL = 324, 64, 128, 128


def add_person(context: Context, principal: Principal, user: User) -> User:
    """Write a user; id and time are set here.

    Raises:
        AccessError: The principal does not manage people.
        ConfigurationError: A name is missing or too long, or a role is none.
        ConflictError: The login, or the subject of the provider, is somebody's.
    """
    require(principal, Permission.MANAGE_PEOPLE)
    unknown = set(user.roles) - set(Role)
    if unknown:
        raise ConfigurationError(
            f"there is no role {sorted(unknown)[0]!r}", hint="roles: " + ", ".join(Role)
        )
    sizes = (
        (user.login, _LOGIN),
        (user.person_name, _PERSON_NAME),
        (user.organization or "-", _ORGANIZATION),
    )
    if any(not text.strip() or len(text) > most or not text.isprintable() for text, most in sizes):
        raise ConfigurationError("login, name or organization is missing, too long or no text")
    made = replace(user, id=context.new_token(), created_at=context.ports.now())
    with context.database.write() as connection:
        if made.person:
            _require_person(connection, made.person)
        try:
            add_user(connection, made)
        except IntegrityError as error:
            raise ConflictError("there is such a user already") from error
        record(
            context,
            connection,
            principal,
            AuditAction.ROLES_CHANGED,
            subject=made.login,
            detail=" ".join(made.roles),
        )
    return made


def list_people(context: Context, principal: Principal) -> tuple[User, ...]:
    """Return every user.

    Raises:
        AccessError: The principal does not manage people.
    """
    require(principal, Permission.MANAGE_PEOPLE)
    with context.database.read() as connection:
        return users_of(connection)


def disable_person(context: Context, principal: Principal, login: str) -> None:
    """Let a user do nothing any more; what the user did stays.

    Raises:
        AccessError: The principal does not manage people.
        NotFoundError: There is no such user.
    """
    require(principal, Permission.MANAGE_PEOPLE)
    now = context.ports.now()
    with context.database.write() as connection:
        user = _user(connection, login)
        change_user(connection, user.id, {"disabled_at": now})
        forget_web_sessions(connection, user_id=user.id, until=now)
        record(
            context,
            connection,
            principal,
            AuditAction.ROLES_CHANGED,
            subject=login,
            detail="disabled",
        )


def make_key(
    context: Context, principal: Principal, login: str, *, label: str, days: int
) -> tuple[str, str]:
    """Return the id of a new key of a user, and the key, which nobody can show again.

    Raises:
        AccessError: The principal does not manage people.
        NotFoundError: There is no such user.
        ConfigurationError: The label is too long, or there are no days.
    """
    require(principal, Permission.MANAGE_PEOPLE)
    if days < 1 or len(label) > _LABEL:
        raise ConfigurationError("a key has a label of at most 128 characters and a last day")
    key_id, now = context.new_token(), context.ports.now()
    key = context.new_token() + context.new_token()
    with context.database.write() as connection:
        user = _user(connection, login)
        add_api_key(
            connection,
            id=key_id,
            digest=digest_of(key),
            user_id=user.id,
            label=label,
            at=now,
            expires_at=now + timedelta(days=days),
        )
        record(context, connection, principal, AuditAction.CREDENTIAL_ADDED, subject=key_id)
    return key_id, key


def list_keys(context: Context, principal: Principal) -> tuple[APIKey, ...]:
    """Return every key of a machine, without the key itself.

    Raises:
        AccessError: The principal does not manage people.
    """
    require(principal, Permission.MANAGE_PEOPLE)
    with context.database.read() as connection:
        return keys_of_machines(connection)


def revoke_key(context: Context, principal: Principal, key_id: str) -> None:
    """Let a key open nothing any more.

    Raises:
        AccessError: The principal does not manage people.
        NotFoundError: There is none.
    """
    require(principal, Permission.MANAGE_PEOPLE)
    with context.database.write() as connection:
        revoke_api_key(connection, key_id, at=context.ports.now())
        record(context, connection, principal, AuditAction.CREDENTIAL_REMOVED, subject=key_id)


def _user(connection: Connection, login: str) -> User:
    user = user_by_login(connection, login)
    if user is None:
        raise NotFoundError("there is no such user")
    return user


def _require_person(connection: Connection, person: str) -> None:
    if person not in {user.person for user in users_of(connection)}:
        raise NotFoundError("there is no such person", hint="srsign user list shows them")
