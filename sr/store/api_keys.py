"""The keys of machines: who has which, without the keys themselves."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select, update

from sr.errors import NotFoundError
from sr.store.schema import api_keys, users

__all__ = ["APIKey", "keys_of_machines", "revoke_api_key"]


@dataclass(frozen=True, slots=True, kw_only=True)
class APIKey:
    """A key of a machine."""

    id: str
    user_id: str
    login: str
    label: str
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None


def keys_of_machines(connection: Connection) -> tuple[APIKey, ...]:
    """Return every key, the youngest first."""
    columns = [column for column in api_keys.c if column.name != "digest"]
    query = select(*columns, users.c.login).join(users, users.c.id == api_keys.c.user_id)
    rows = connection.execute(query.order_by(api_keys.c.created_at.desc(), api_keys.c.id))
    return tuple(APIKey(**row) for row in rows.mappings())


def revoke_api_key(connection: Connection, key_id: str, *, at: datetime) -> None:
    """Let a key open nothing any more.

    Raises:
        NotFoundError: There is none that opens anything.
    """
    found = connection.execute(
        update(api_keys)
        .where(api_keys.c.id == key_id)
        .where(api_keys.c.revoked_at.is_(None))
        .values(revoked_at=at)
    )
    if found.rowcount != 1:
        raise NotFoundError("there is no such API key")
