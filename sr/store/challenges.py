"""What somebody has to sign next to show that a key is at hand; one at a time, good once."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, insert

from sr.store.schema import challenges

__all__ = ["Challenge", "put_challenge", "take_challenge"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Challenge:
    """A challenge that nobody knew before."""

    user_id: str
    challenge: str
    expires_at: datetime


def put_challenge(connection: Connection, challenge: Challenge) -> None:
    """Keep a challenge in place of an earlier one."""
    connection.execute(delete(challenges).where(challenges.c.user_id == challenge.user_id))
    connection.execute(insert(challenges).values(**asdict(challenge)))


def take_challenge(connection: Connection, user_id: str, challenge: str, *, at: datetime) -> bool:
    """Use a challenge up; return whether it was the user's last one and is not too old."""
    found = connection.execute(
        delete(challenges)
        .where(challenges.c.user_id == user_id)
        .where(challenges.c.challenge == challenge)
        .where(challenges.c.expires_at > at)
    )
    return found.rowcount == 1
