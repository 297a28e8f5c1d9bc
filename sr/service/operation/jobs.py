"""Use cases: ask for long work, see how far it is, and do it.

A job is written in the transaction of what it concerns. Whoever does it says every few seconds that
it is still at it; a job of which nothing was heard is taken up again, and after three attempts it
has failed. So a handler may run twice: what must not happen twice it keeps in the notes, in the
transaction that does it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection

from sr.errors import ConflictError, NotFoundError, SRError
from sr.service.access import Permission, Principal, Role, require
from sr.service.accounts.login import principal_of_user
from sr.service.context import Context
from sr.store.jobs import (
    Job,
    JobState,
    add_job,
    change_job,
    find_jobs,
    get_job,
    oldest_queued,
    unseen_jobs,
)
from sr.store.people import get_user

__all__ = [
    "Handler",
    "Run",
    "enqueue",
    "job_of",
    "jobs_of",
    "run_next",
    "take_up_again",
]

LEASE = timedelta(seconds=30)
"""After so long without a sign of life a job is another worker's."""
_ATTEMPTS = 3


class Run:
    """One attempt at a job, for its handler."""

    def __init__(self, context: Context, job: Job) -> None:
        self.job = job
        """As it was when the attempt began, with the notes of earlier ones."""
        self._context = context

    def progress(self, done: int, total: int) -> None:
        """Say how far it is, which is also a sign of life.

        Raises:
            ConflictError: The job is no longer this worker's: stop.
        """
        with self._context.database.write() as connection:
            self._change(connection, done=done, total=total)

    def keep(self, connection: Connection, **notes: Any) -> None:  # noqa: ANN401 - JSON
        """Keep what a second attempt must know, in the transaction that does it.

        Raises:
            ConflictError: The job is no longer this worker's: the transaction is undone.
        """
        before = get_job(connection, self.job.id).notes
        self._change(connection, notes={**before, **notes})

    def alive(self) -> None:
        """Say that it is still at work.

        Raises:
            ConflictError: The job is no longer this worker's.
        """
        with self._context.database.write() as connection:
            self._change(connection)

    def _change(self, connection: Connection, **changes: Any) -> None:  # noqa: ANN401 - columns
        change_job(connection, self.job, {**changes, "seen_at": self._context.ports.now()})


Handler = Callable[[Context, Principal, Run], dict[str, Any]]
"""Does a job for whoever asked for it, and returns its result; may be called a second time."""


def enqueue(
    context: Context,
    connection: Connection,
    principal: Principal,
    kind: str,
    arguments: dict[str, Any],
    *,
    total: int = 0,
) -> Job:
    """Write a job, in the transaction of what it concerns.

    Args:
        context: The service.
        connection: The transaction.
        principal: For whom it will be done.
        kind: Names the handler.
        arguments: For the handler.
        total: Steps, where they are known.
    """
    job = Job(
        id=context.new_token(),
        kind=kind,
        user_id=principal.user_id,
        arguments=arguments,
        total=total,
        created_at=context.ports.now(),
    )
    add_job(connection, job)
    return job


def job_of(context: Context, principal: Principal, job_id: str) -> Job:
    """Return a job of the principal's, or any for who operates the service.

    Raises:
        AccessError: The principal reads no jobs.
        NotFoundError: There is none that the principal may see.
    """
    require(principal, Permission.READ_JOBS)
    with context.database.read() as connection:
        job = get_job(connection, job_id)
    if job.user_id != principal.user_id and Role.OPERATOR not in principal.roles:
        raise NotFoundError("there is no such job")
    return job


def jobs_of(
    context: Context, principal: Principal, *, limit: int = 50, offset: int = 0
) -> tuple[Job, ...]:
    """Return the principal's jobs, or all for who operates the service, the newest first.

    Raises:
        AccessError: The principal reads no jobs.
    """
    require(principal, Permission.READ_JOBS)
    everything = Role.OPERATOR in principal.roles
    user_id = None if everything else principal.user_id
    with context.database.read() as connection:
        return find_jobs(connection, user_id=user_id, limit=limit, offset=offset)


def run_next(
    context: Context,
    handlers: Mapping[str, Handler],
    started: Callable[[Run], None] = lambda _run: None,
) -> Job | None:
    """Do the job that is next, and return it as it ended; ``None`` where there is none.

    Args:
        context: The service.
        handlers: By kind of job.
        started: Told of the attempt before its handler is.
    """
    with context.database.read() as connection:
        if oldest_queued(connection) is None:
            return None
    with context.database.write() as connection:
        queued = oldest_queued(connection)
        if queued is None:
            return None
        now = context.ports.now()
        job = change_job(
            connection,
            queued,
            {
                "state": JobState.RUNNING,
                "attempts": queued.attempts + 1,
                "started_at": now,
                "seen_at": now,
            },
        )
        user = get_user(connection, job.user_id)
    run = Run(context, job)
    started(run)
    try:
        result = _handler(handlers, job)(context, principal_of_user(user), run)
    except SRError as error:
        said = {"code": error.code, "message": str(error), "where": error.where, "hint": error.hint}
        return _end(context, job, {"state": JobState.FAILED, "error": said})
    except Exception as error:
        said = {"code": "unexpected", "message": type(error).__name__}
        return _end(context, job, {"state": JobState.FAILED, "error": said})
    return _end(context, job, {"state": JobState.DONE, "result": result})


def take_up_again(context: Context) -> int:
    """Queue the jobs of which nothing was heard again, or fail them; return how many."""
    since = context.ports.now() - LEASE
    with context.database.read() as connection:
        if not unseen_jobs(connection, since):
            return 0
    with context.database.write() as connection:
        found = unseen_jobs(connection, since)
        for job in found:
            change_job(connection, job, _after(context, job))
    return len(found)


def _after(context: Context, job: Job) -> dict[str, Any]:
    if job.attempts < _ATTEMPTS:
        return {"state": JobState.QUEUED}
    said = {"code": "interrupted", "message": f"it was interrupted {job.attempts} times"}
    return {"state": JobState.FAILED, "error": said, "finished_at": context.ports.now()}


def _handler(handlers: Mapping[str, Handler], job: Job) -> Handler:
    if job.kind not in handlers:
        raise NotFoundError(f"nobody here does jobs of the kind {job.kind}")
    return handlers[job.kind]


def _end(context: Context, job: Job, changes: dict[str, Any]) -> Job:
    """Write how an attempt ended, unless another worker has the job meanwhile."""
    with context.database.write() as connection:
        try:
            return change_job(connection, job, {**changes, "finished_at": context.ports.now()})
        except ConflictError:
            return get_job(connection, job.id)
