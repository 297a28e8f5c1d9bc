"""Who writes at the same time shares one commit, and nothing else."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import Connection, event, text

from sr.errors import ConflictError, ExternalServiceError
from sr.store.database import Database, connect

Writer = Callable[[Connection], None]


@pytest.fixture
def database(tmp_path: Path) -> Database:
    """Return a database of numbers, where a half has to be there as well."""
    database = connect(f"sqlite:///{tmp_path / 'numbers.db'}")
    with database.write() as connection:
        connection.execute(
            text("CREATE TABLE numbers (n INTEGER PRIMARY KEY, half REFERENCES numbers)")
        )
    return database


def _adds(n: int) -> Writer:
    def write(connection: Connection) -> None:
        connection.execute(text("INSERT INTO numbers (n) VALUES (:n)"), {"n": n})

    return write


def _refuses(connection: Connection) -> None:
    _adds(100)(connection)
    raise ConflictError("no")


def _is_refused(connection: Connection) -> None:
    connection.execute(text("INSERT INTO numbers (n) VALUES (101), (101)"))


def _spoils_the_commit(connection: Connection) -> None:
    connection.execute(text("PRAGMA defer_foreign_keys = ON"))
    connection.execute(text("INSERT INTO numbers VALUES (102, 51)"))


def _loses_the_transaction(connection: Connection) -> None:
    connection.exec_driver_sql("ROLLBACK")


def _numbers(database: Database) -> set[int]:
    with database.read() as connection:
        return set(connection.execute(text("SELECT n FROM numbers")).scalars())


def _together(
    database: Database, *writers: Writer, commit_seconds: float = 60.0
) -> list[Future[set[int]]]:
    """Let all write behind one who is at work until the last of them waits; end in their order."""
    database.writers.commit_seconds = commit_seconds
    begun, waiting = threading.Event(), threading.Event()

    def run(writer: Writer) -> set[int]:
        with database.write() as connection:
            begun.set()
            waiting.wait(20)
            writer(connection)
        return _numbers(database)

    with ThreadPoolExecutor(len(writers)) as pool:
        running = [pool.submit(run, writers[0])]
        begun.wait(20)
        running += [pool.submit(run, writer) for writer in writers[1:]]
        while database.writers.waiting < len(writers) - 1:
            threading.Event().wait(0.001)
        waiting.set()
    return running


@pytest.mark.parametrize(("commit_seconds", "needed"), [(60.0, 1), (0.0, 8)])
def test_writers_share_a_commit(database: Database, commit_seconds: float, needed: int) -> None:
    """Those who wait while another writes need one commit for all of them, if commits take long."""
    database.writers.now = lambda: 0.0
    commits: list[Connection] = []
    event.listen(database.engine, "commit", commits.append)
    _together(database, *map(_adds, range(8)), commit_seconds=commit_seconds)
    assert sum(each.get_execution_options()["srsign_writes"] for each in commits) == needed


def test_nobody_goes_on_before_the_commit(database: Database) -> None:
    """Whoever is done sees over another connection what everybody wrote."""
    ended = _together(database, *map(_adds, range(8)))
    assert [each.result() for each in ended] == [set(range(8))] * 8


def test_one_who_is_alone(database: Database) -> None:
    """Where nobody waits, a transaction is committed when it ends."""
    with database.write() as connection:
        _adds(1)(connection)
    assert _numbers(database) == {1}


@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize(
    ("fails", "error"), [(_refuses, ConflictError), (_is_refused, ExternalServiceError)]
)
def test_one_fails(database: Database, place: int, fails: Writer, error: type[Exception]) -> None:
    """Who fails undoes what was his; what the others wrote is kept, whatever the order."""
    writers = [_adds(1), _adds(2)]
    writers.insert(place, fails)
    ended = _together(database, *writers)
    assert [type(each.exception()) for each in ended].count(error) == 1
    assert _numbers(database) == {1, 2}


@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize("fails", [_spoils_the_commit, _loses_the_transaction])
def test_nothing_can_be_committed(database: Database, place: int, fails: Writer) -> None:
    """Where the transaction is lost, nobody who wrote in it is told otherwise."""
    writers = [_adds(1), _adds(2)]
    writers.insert(place, fails)
    ended = _together(database, *writers)
    assert isinstance(ended.pop(place).exception(), ExternalServiceError)
    told = {n for n, each in enumerate(ended, start=1) if each.exception() is None}
    assert _numbers(database) == told


@pytest.mark.parametrize("fails", [_spoils_the_commit, _loses_the_transaction])
def test_others_write_afterwards(database: Database, fails: Writer) -> None:
    """A transaction that was lost is the matter of those who were in it."""
    with pytest.raises(ExternalServiceError), database.write() as connection:
        fails(connection)
    with database.write() as connection:
        _adds(3)(connection)
    assert _numbers(database) == {3}
