"""Answers that are given again: a request with a key is done once, however often it is sent.

A key is claimed before the work and holds its answer after it. A claim without an answer is one
that is at work, or whose worker died; after its lease the next sender takes it over.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, insert, select, update

from sr.store.schema import idempotency

__all__ = ["Claim", "StoredAnswer", "claim_key", "forget_keys", "keep_answer", "release_key"]

_LEASE = timedelta(minutes=5)
_KEPT = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredAnswer:
    """What was answered."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What became of asking for a key."""

    is_ours: bool
    """Whether the work is to be done now, by this caller."""
    request_digest: str
    """Of the request that had the key first."""
    answer: StoredAnswer | None = None
    """``None`` while the first one is at work."""


def claim_key(
    connection: Connection, *, user_id: str, key: str, request_digest: str, at: datetime
) -> Claim:
    """Take a key, or return who has it; in a transaction that writes."""
    mine = (idempotency.c.user_id == user_id) & (idempotency.c.key == key)
    row = connection.execute(select(idempotency).where(mine)).mappings().one_or_none()
    if row is not None and _is_over(row["status"], row["created_at"], at):
        connection.execute(delete(idempotency).where(mine))
        row = None
    if row is None:
        connection.execute(
            insert(idempotency).values(
                user_id=user_id, key=key, request_digest=request_digest, created_at=at
            )
        )
        return Claim(is_ours=True, request_digest=request_digest)
    answer = None
    if row["status"] is not None:
        answer = StoredAnswer(status=row["status"], headers=row["headers"], body=row["body"])
    return Claim(is_ours=False, request_digest=row["request_digest"], answer=answer)


def _is_over(status: int | None, created_at: datetime, at: datetime) -> bool:
    return created_at + (_LEASE if status is None else _KEPT) <= at


def keep_answer(connection: Connection, *, user_id: str, key: str, answer: StoredAnswer) -> None:
    """Keep what was answered under a key."""
    connection.execute(
        update(idempotency)
        .where(idempotency.c.user_id == user_id, idempotency.c.key == key)
        .values(status=answer.status, headers=answer.headers, body=answer.body)
    )


def release_key(connection: Connection, *, user_id: str, key: str) -> None:
    """Let go of a key whose work failed, so that it may be tried again."""
    connection.execute(
        delete(idempotency)
        .where(idempotency.c.user_id == user_id, idempotency.c.key == key)
        .where(idempotency.c.status.is_(None))
    )


def forget_keys(connection: Connection, *, at: datetime, unanswered: bool = False) -> int:
    """Drop keys that are too old, at a start also those nobody works on; return how many."""
    over = (idempotency.c.created_at <= at - _KEPT) & idempotency.c.status.is_not(None)
    if unanswered:
        over |= idempotency.c.status.is_(None)
    return connection.execute(delete(idempotency).where(over)).rowcount
