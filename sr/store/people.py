"""Users, their certificates, and the keys of machines."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Text, bindparam, cast, delete, insert, select, update

from sr.errors import NotFoundError
from sr.store.schema import api_keys, credentials, users

__all__ = [
    "Credential",
    "NamedCertificate",
    "User",
    "add_api_key",
    "add_credential",
    "add_user",
    "change_user",
    "credential_of",
    "credentials_of",
    "get_user",
    "holders_of",
    "is_one_of",
    "names_and_certificates",
    "user_by_api_key",
    "user_by_login",
    "user_by_subject",
    "users_of",
    "users_of_certificate",
    "withdraw_credential",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A person or a machine that the service knows."""

    id: str
    login: str
    display_name: str
    person_name: str
    """As in reports, e.g. ``Meier^Anna``."""
    organization: str
    roles: tuple[str, ...]
    person: str = ""
    """Shared by the accounts of one person; the account's own id where nothing is said."""
    aliases: tuple[str, ...] = ()
    """Other names and identification codes, as in reports; a code with its scheme: 4711^L."""
    issuer: str | None = None
    """OpenID provider that vouches for the subject."""
    subject: str | None = None
    password: str | None = None
    """Hash; in demonstrations only."""
    created_at: datetime
    disabled_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """A certificate of a user, and where the key is if the server may use it."""

    id: str
    user_id: str
    sha256: str
    """Of the certificate, hexadecimal."""
    chain: bytes
    """PEM, leaf first."""
    label: str
    key_uri: str | None = None
    agent_id: str | None = None
    """The agent that proved last to hold the key."""
    not_after: datetime
    created_at: datetime
    revoked_at: datetime | None = None


class NamedCertificate(NamedTuple):
    """What an account goes by, and one of its certificates."""

    person: str
    person_name: str
    aliases: str
    """JSON, as it is kept."""
    sha256: str | None
    """Of the certificate, hexadecimal; ``None`` where the account never had one."""


_NAMED = (
    select(users.c.person, users.c.person_name, cast(users.c.aliases, Text), credentials.c.sha256)
    .outerjoin(credentials, credentials.c.user_id == users.c.id)
    .order_by(users.c.login, credentials.c.sha256)
)
_BY_KEY = (
    select(users, api_keys.c.expires_at)
    .join(api_keys, api_keys.c.user_id == users.c.id)
    .where(api_keys.c.digest == bindparam("digest"))
    .where(api_keys.c.revoked_at.is_(None))
)
_CREDENTIALS = (
    select(credentials)
    .where(credentials.c.user_id == bindparam("user_id"))
    .where(credentials.c.revoked_at.is_(None))
)
_OTHERS = users.alias()
_ONE_PERSON = (
    select(users.c.id)
    .join(_OTHERS, _OTHERS.c.person == users.c.person)
    .where(users.c.id == bindparam("user_id"))
    .where(_OTHERS.c.id.in_(bindparam("others", expanding=True)))
    .limit(1)
)
_CREDENTIAL = _CREDENTIALS.where(credentials.c.sha256 == bindparam("sha256"))


def add_user(connection: Connection, user: User) -> None:
    """Write a user."""
    lists = {"roles": list(user.roles), "aliases": list(user.aliases)}
    values = {**asdict(user), **lists, "person": user.person or user.id}
    connection.execute(insert(users).values(**values))


def get_user(connection: Connection, user_id: str) -> User:
    """Return a user.

    Raises:
        NotFoundError: There is none.
    """
    row = connection.execute(select(users).where(users.c.id == user_id)).mappings().one_or_none()
    if row is None:
        raise NotFoundError("there is no such user")
    return _user(row)


def user_by_login(connection: Connection, login: str) -> User | None:
    """Return the user who logs in under a name."""
    row = connection.execute(select(users).where(users.c.login == login)).mappings().one_or_none()
    return None if row is None else _user(row)


def user_by_subject(connection: Connection, issuer: str, subject: str) -> User | None:
    """Return the user for whom an OpenID provider vouches."""
    query = select(users).where(users.c.issuer == issuer).where(users.c.subject == subject)
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else _user(row)


def change_user(connection: Connection, user_id: str, changes: Mapping[str, Any]) -> None:
    """Change what is known of a user.

    Raises:
        NotFoundError: There is none.
    """
    found = connection.execute(update(users).where(users.c.id == user_id).values(**changes))
    if found.rowcount != 1:
        raise NotFoundError("there is no such user")


def users_of(connection: Connection) -> tuple[User, ...]:
    """Return every user, in order of their logins."""
    rows = connection.execute(select(users).order_by(users.c.login)).mappings()
    return tuple(_user(row) for row in rows)


def add_api_key(
    connection: Connection,
    *,
    id: str,  # noqa: A002 - the column's name
    digest: str,
    user_id: str,
    label: str,
    at: datetime,
    expires_at: datetime | None = None,
) -> None:
    """Keep the digest of a key of a machine; the key itself is shown once and kept nowhere."""
    connection.execute(
        insert(api_keys).values(
            id=id, digest=digest, user_id=user_id, label=label, created_at=at, expires_at=expires_at
        )
    )


def user_by_api_key(connection: Connection, digest: str, *, at: datetime) -> User | None:
    """Return whose key it is, unless it was revoked or is too old."""
    row = connection.execute(_BY_KEY, {"digest": digest}).mappings().one_or_none()
    if row is None or (row["expires_at"] is not None and row["expires_at"] <= at):
        return None
    return _user({key: value for key, value in row.items() if key != "expires_at"})


def add_credential(connection: Connection, credential: Credential) -> None:
    """Write a certificate of a user, also one that was withdrawn before."""
    connection.execute(
        delete(credentials)
        .where(credentials.c.user_id == credential.user_id)
        .where(credentials.c.sha256 == credential.sha256)
        .where(credentials.c.revoked_at.is_not(None))
    )
    connection.execute(insert(credentials).values(**asdict(credential)))


def withdraw_credential(
    connection: Connection, credential_id: str, *, user_id: str, at: datetime
) -> Credential:
    """Take a certificate from a user, and return it.

    Raises:
        NotFoundError: The user has no such certificate.
    """
    mine = (credentials.c.id == credential_id) & (credentials.c.user_id == user_id)
    query = select(credentials).where(mine, credentials.c.revoked_at.is_(None))
    row = connection.execute(query).mappings().one_or_none()
    if row is None:
        raise NotFoundError("there is no such certificate")
    connection.execute(update(credentials).where(mine).values(revoked_at=at))
    return Credential(**row)


def credentials_of(connection: Connection, user_id: str) -> tuple[Credential, ...]:
    """Return the certificates of a user that were not withdrawn."""
    rows = connection.execute(_CREDENTIALS, {"user_id": user_id}).mappings()
    return tuple(Credential(**row) for row in rows)


def credential_of(connection: Connection, user_id: str, sha256: str) -> Credential | None:
    """Return what is registered of a certificate of a user, unless it was withdrawn."""
    of = {"user_id": user_id, "sha256": sha256}
    row = connection.execute(_CREDENTIAL, of).mappings().one_or_none()
    return None if row is None else Credential(**row)


def holders_of(connection: Connection, *, but: str) -> tuple[Credential, ...]:
    """Return the certificates of everybody but the person behind one user, withdrawn ones too."""
    person = select(users.c.person).where(users.c.id == but).scalar_subquery()
    query = (
        select(credentials)
        .join(users, users.c.id == credentials.c.user_id)
        .where(users.c.person != person)
    )
    return tuple(Credential(**row) for row in connection.execute(query).mappings())


def users_of_certificate(connection: Connection, digest: str) -> tuple[User, ...]:
    """Return the users who have a certificate that was not withdrawn."""
    query = (
        select(users)
        .join(credentials, credentials.c.user_id == users.c.id)
        .where(credentials.c.sha256 == digest)
        .where(credentials.c.revoked_at.is_(None))
    )
    return tuple(_user(row) for row in connection.execute(query).mappings())


def is_one_of(connection: Connection, user_id: str, others: Collection[str | None]) -> bool:
    """Return whether the person behind an account is behind one of some others, or the same."""
    of = {"user_id": user_id, "others": tuple(each for each in others if each is not None)}
    return connection.execute(_ONE_PERSON, of).one_or_none() is not None


def names_and_certificates(connection: Connection) -> tuple[NamedCertificate, ...]:
    """Return what every account goes by, with each certificate that it was ever given, or none."""
    return tuple(NamedCertificate(*row) for row in connection.execute(_NAMED))


def _user(row: Mapping[Any, Any]) -> User:
    values = dict(row)
    values["roles"] = tuple(values["roles"])
    values["aliases"] = tuple(values["aliases"])
    return User(**values)
