"""Jobs: long work that was asked for, how far it is, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, insert, select, update

from sr.errors import ConflictError, NotFoundError
from sr.store.schema import jobs

__all__ = [
    "Job",
    "JobState",
    "add_job",
    "change_job",
    "find_jobs",
    "get_job",
    "oldest_queued",
    "unseen_jobs",
]


class JobState(StrEnum):
    """How far a job is."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Long work that somebody asked for."""

    id: str
    kind: str
    state: JobState = JobState.QUEUED
    user_id: str
    arguments: dict[str, Any]
    done: int = 0
    total: int = 0
    result: dict[str, Any] | None = None
    error: dict[str, Any] | None = None
    notes: dict[str, Any] = field(default_factory=dict)
    """What a second attempt must know of the first."""
    attempts: int = 0
    created_at: datetime
    started_at: datetime | None = None
    seen_at: datetime | None = None
    """When its worker last said that it is at it."""
    finished_at: datetime | None = None


def add_job(connection: Connection, job: Job) -> None:
    """Write a job, in the transaction of what it concerns."""
    connection.execute(insert(jobs).values(**asdict(job)))


def get_job(connection: Connection, job_id: str) -> Job:
    """Return a job.

    Raises:
        NotFoundError: There is none.
    """
    row = connection.execute(select(jobs).where(jobs.c.id == job_id)).mappings().one_or_none()
    if row is None:
        raise NotFoundError("there is no such job")
    return _job(row)


def find_jobs(
    connection: Connection, *, user_id: str | None = None, limit: int = 50, offset: int = 0
) -> tuple[Job, ...]:
    """Return jobs, the newest first."""
    query = select(jobs).order_by(jobs.c.created_at.desc(), jobs.c.id)
    if user_id is not None:
        query = query.where(jobs.c.user_id == user_id)
    rows = connection.execute(query.limit(limit).offset(offset)).mappings()
    return tuple(_job(row) for row in rows)


def oldest_queued(connection: Connection) -> Job | None:
    """Return the job that is next."""
    query = select(jobs).where(jobs.c.state == JobState.QUEUED)
    query = query.order_by(jobs.c.created_at, jobs.c.id).limit(1)
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else _job(row)


def unseen_jobs(connection: Connection, since: datetime) -> tuple[Job, ...]:
    """Return the running jobs of which no worker has said anything for long."""
    query = select(jobs).where(jobs.c.state == JobState.RUNNING).where(jobs.c.seen_at < since)
    return tuple(_job(row) for row in connection.execute(query).mappings())


def change_job(connection: Connection, job: Job, changes: Mapping[str, Any]) -> Job:
    """Change a job as long as it is the attempt that was read, and return it.

    Raises:
        ConflictError: It ended, or another worker took it.
    """
    found = connection.execute(
        update(jobs)
        .where(jobs.c.id == job.id)
        .where(jobs.c.state == job.state)
        .where(jobs.c.attempts == job.attempts)
        .values(**changes)
    )
    if found.rowcount != 1:
        raise ConflictError("the job is no longer this worker's")
    return get_job(connection, job.id)


def _job(row: Mapping[Any, Any]) -> Job:
    return Job(**{**row, "state": JobState(row["state"])})
