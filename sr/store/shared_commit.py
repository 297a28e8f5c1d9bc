"""One wait for the disk for everybody who writes at the same time.

A commit waits for the disk, which may take longer than what is written. So who is done while others
wait for their turn leaves the transaction to the next of them; the last one commits it for all, and
only then does any of them go on. Each has a savepoint: who fails undoes what was his, and nothing
of the others. Where the commit fails, everybody fails.

Whoever leaves it waits for the others' statements in place of the disk, which pays while the
transaction is younger than a commit takes: on a disk that is quick, nobody leaves anything.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from time import monotonic

from sqlalchemy import Connection

__all__ = ["SharedCommits"]


@dataclass(slots=True)
class _Shared:
    """A transaction that several use, one after the other."""

    connection: Connection
    began: float
    fault: BaseException | None = None
    ended: threading.Event = field(default_factory=threading.Event)


class SharedCommits:
    """The transactions that write, of one process."""

    def __init__(
        self, connect: Callable[[], Connection], *, now: Callable[[], float] = monotonic
    ) -> None:
        """Begin without any.

        Args:
            connect: Returns a connection whose transactions take the lock of a writer.
            now: A clock, in seconds.
        """
        self._connect = connect
        self.now = now
        self._turn = threading.Lock()
        self._line = threading.Lock()
        self._guard = threading.Lock()
        self.waiting = 0
        """Who would write, and cannot yet."""
        self.commit_seconds = 0.0
        """What the last commit took."""
        self._open: _Shared | None = None

    @contextmanager
    def write(self, *, brief: bool = False) -> Iterator[Connection]:
        """Open a transaction that writes; when this returns it is on the disk.

        Args:
            brief: Whether it writes an event and no more. The others wait in a line, whose first
                alone is in the way of those who are brief.

        Raises:
            DBAPIError: The database does not take it.
        """
        self._take_turn(nullcontext() if brief else self._line)
        shared = None
        try:
            shared = self._open = self._open or self._begun()
            with _part(shared):
                yield shared.connection
        finally:
            self._leave(shared)
        if shared.fault is not None:
            raise shared.fault

    def _take_turn(self, line: AbstractContextManager[object]) -> None:
        with self._guard:
            self.waiting += 1
        try:
            with line:
                self._turn.acquire()
        finally:
            with self._guard:
                self.waiting -= 1

    def _begun(self) -> _Shared:
        connection = self._connect()
        try:
            connection.begin()
        except BaseException:
            connection.close()
            raise
        return _Shared(connection, self.now())

    def _leave(self, shared: _Shared | None) -> None:
        """Commit, or leave that to the next, and wait until it is done."""
        if shared is None:
            self._turn.release()
            return
        before = self.now()
        if shared.fault is None and self.waiting and before - shared.began < self.commit_seconds:
            self._turn.release()
            shared.ended.wait()
            return
        self._open = None
        try:
            _end(shared)
        finally:
            self.commit_seconds = self.now() - before
            self._turn.release()
            shared.ended.set()


@contextmanager
def _part(shared: _Shared) -> Iterator[None]:
    """Undo what one writer did when that one fails."""
    _say(shared, "SAVEPOINT part")
    try:
        yield
    except BaseException:
        _say(shared, "ROLLBACK TO SAVEPOINT part")
        raise
    _say(shared, "RELEASE SAVEPOINT part")


def _say(shared: _Shared, statement: str) -> None:
    """Where one part cannot be told from the others any more, all of them have failed."""
    try:
        shared.connection.exec_driver_sql(statement)
    except BaseException as error:
        shared.fault = error
        raise


def _end(shared: _Shared) -> None:
    """Commit, or undo everything; a connection that failed is not used again."""
    try:
        if shared.fault is None:
            shared.connection.commit()
    except BaseException as error:
        shared.fault = error
        raise
    finally:
        if shared.fault is not None:
            shared.connection.invalidate()
        shared.connection.close()
