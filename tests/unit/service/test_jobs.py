"""Jobs: asked for with what they concern, done once where nothing goes wrong, never lost."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from sqlalchemy import update

from sr.errors import AccessError, ConflictError, LifecycleError, NotFoundError
from sr.service.access import Principal
from sr.service.context import Context
from sr.service.operation.demonstration import principal_for
from sr.service.operation.jobs import LEASE, Run, enqueue, job_of, jobs_of, run_next, take_up_again
from sr.service.operation.worker import Worker
from sr.store.jobs import Job, JobState, change_job, get_job
from sr.store.schema import users
from tests.support.service import Service, open_service

ANNA, SAM = principal_for("anna"), principal_for("sam")


@pytest.fixture
def service(tmp_path) -> Service:
    """Return a service of its own."""
    return open_service(tmp_path)


def _ask(service: Service, kind: str = "echo", **arguments: Any) -> Job:
    with service.context.database.write() as connection:
        return enqueue(service.context, connection, ANNA, kind, arguments)


def _now(service: Service, job: Job) -> Job:
    with service.context.database.read() as connection:
        return get_job(connection, job.id)


def _echo(_context: Context, principal: Principal, run: Run) -> dict[str, Any]:
    run.progress(1, 2)
    return {"for": principal.user_id, **run.job.arguments}


def test_done(service: Service) -> None:
    """A job is done for whoever asked for it; progress and result can be seen."""
    job = _ask(service, word="yes")
    assert job_of(service.context, ANNA, job.id).state is JobState.QUEUED
    run_next(service.context, {"echo": _echo})
    done = job_of(service.context, ANNA, job.id)
    assert (done.state, done.done, done.total) == (JobState.DONE, 1, 2)
    assert done.result == {"for": "anna", "word": "yes"}
    assert run_next(service.context, {"echo": _echo}) is None


def test_oldest_first(service: Service) -> None:
    """Jobs are done in the order in which they were asked for."""
    asked = [_ask(service, n=n).id for n in range(3)]
    done = [run_next(service.context, {"echo": _echo}) for _ in range(3)]
    assert [job.id for job in done if job is not None] == asked


def test_not_asked_for_where_the_transaction_fails(service: Service) -> None:
    """A job is written with what it concerns, or not at all."""

    def refuse() -> None:
        with service.context.database.write() as connection:
            enqueue(service.context, connection, ANNA, "echo", {})
            raise LifecycleError("no")

    with pytest.raises(LifecycleError):
        refuse()
    assert run_next(service.context, {"echo": _echo}) is None


_ERRORS = {"lifecycle": LifecycleError("no"), "unexpected": RuntimeError("PIN 1234")}


@pytest.mark.parametrize("code", _ERRORS)
def test_failed(service: Service, code: str) -> None:
    """A job whose handler fails says with what error, but not what a fault of ours said."""

    def fail(*_: object) -> dict[str, Any]:
        raise _ERRORS[code]

    job = _ask(service, "fail")
    run_next(service.context, {"fail": fail})
    failed = _now(service, job)
    assert failed.state is JobState.FAILED
    assert failed.error is not None
    assert failed.error["code"] == code
    assert "1234" not in str(failed.error)


def test_kind_that_nobody_does(service: Service) -> None:
    """A job of an unknown kind fails, and the next one is done."""
    unknown, known = _ask(service, "unknown"), _ask(service)
    run_next(service.context, {"echo": _echo})
    run_next(service.context, {"echo": _echo})
    assert _now(service, unknown).state is JobState.FAILED
    assert _now(service, known).state is JobState.DONE


def test_disabled_user(service: Service) -> None:
    """Nothing is done for somebody who was disabled since."""
    job = _ask(service)
    with service.context.database.write() as connection:
        connection.execute(update(users).values(disabled_at=service.clock()))
    run_next(service.context, {"echo": _echo})
    assert _now(service, job).state is JobState.FAILED


def test_who_sees_it(service: Service) -> None:
    """A job is seen by whoever asked for it and by operators, by nobody else."""
    job = _ask(service)
    with pytest.raises(NotFoundError):
        job_of(service.context, SAM, job.id)
    with pytest.raises(AccessError):
        job_of(service.context, principal_for("ida"), job.id)
    with pytest.raises(NotFoundError):
        job_of(service.context, ANNA, "none")
    assert jobs_of(service.context, SAM) == ()
    assert job_of(service.context, principal_for("olga"), job.id) == job
    assert jobs_of(service.context, principal_for("olga")) == (job,)


def test_taken_up_again(service: Service) -> None:
    """A job of which nothing was heard is done again, and knows what its first attempt kept."""
    kept = []

    def crash(context: Context, _principal: Principal, run: Run) -> dict[str, Any]:
        kept.append(run.job.notes)
        with context.database.write() as connection:
            run.keep(connection, first="done")
        raise KeyboardInterrupt  # as if the process ended here

    job = _ask(service, "crash")
    with pytest.raises(KeyboardInterrupt):
        run_next(service.context, {"crash": crash})
    assert _now(service, job).state is JobState.RUNNING
    assert take_up_again(service.context) == 0
    service.clock.forward(LEASE)
    assert take_up_again(service.context) == 1
    with pytest.raises(KeyboardInterrupt):
        run_next(service.context, {"crash": crash})
    assert kept == [{}, {"first": "done"}]


def test_interrupted_too_often(service: Service) -> None:
    """A job that ends its worker three times has failed."""

    def crash(*_: object) -> dict[str, Any]:
        raise KeyboardInterrupt

    job = _ask(service, "crash")
    for _ in range(3):
        assert _now(service, job).state is JobState.QUEUED
        with pytest.raises(KeyboardInterrupt):
            run_next(service.context, {"crash": crash})
        service.clock.forward(LEASE)
        take_up_again(service.context)
    failed = _now(service, job)
    assert failed.state is JobState.FAILED
    assert failed.error is not None
    assert failed.error["code"] == "interrupted"


def test_attempt_that_was_given_up(service: Service) -> None:
    """An attempt that was slow and given up writes nothing any more, neither notes nor result."""

    def slow(context: Context, _principal: Principal, run: Run) -> dict[str, Any]:
        service.clock.forward(LEASE)
        take_up_again(context)
        for change in (run.alive, lambda: run.progress(1, 1)):
            with pytest.raises(ConflictError):
                change()
        with pytest.raises(ConflictError), context.database.write() as connection:
            run.keep(connection, late=True)
        return {"late": True}

    job = _ask(service, "slow")
    run_next(service.context, {"slow": slow})
    again = _now(service, job)
    assert (again.state, again.result, again.notes) == (JobState.QUEUED, None, {})


def test_alive_is_not_taken_up(service: Service) -> None:
    """A job that says it is at work is left alone, however long it takes."""

    def long(context: Context, _principal: Principal, run: Run) -> dict[str, Any]:
        for _ in range(5):
            service.clock.forward(LEASE / 2)
            run.alive()
            assert take_up_again(context) == 0
        return {}

    _ask(service, "long")
    done = run_next(service.context, {"long": long})
    assert done is not None
    assert done.state is JobState.DONE


def test_worker_does_jobs_until_it_stops(service: Service) -> None:
    """A worker does what is queued; after it stopped nothing is done."""
    ended = threading.Event()

    def signal(*_: object) -> dict[str, Any]:
        ended.set()
        return {}

    worker = Worker(service.context, {"signal": signal})
    job = _ask(service, "signal")
    worker.start()
    assert ended.wait(60)
    worker.stop()
    assert _now(service, job).state is JobState.DONE
    later = _ask(service, "signal")
    assert _now(service, later).state is JobState.QUEUED


def test_one_job_for_many_workers(service: Service) -> None:
    """Of two who see the same job in the queue one does it."""
    job = _ask(service)
    with service.context.database.write() as connection:
        taken = {"state": JobState.RUNNING, "attempts": 1}
        change_job(connection, job, taken)
    with pytest.raises(ConflictError), service.context.database.write() as connection:
        change_job(connection, job, taken)
