"""One database, its transactions, and what makes a commit last.

SQLite keeps a write-ahead log and waits for the disk at every commit. There is one writer at a
time, on PostgreSQL as on SQLite: each adds to the chain of the audit. The lock is taken at the
begin of a transaction that writes, so that none fails half way for want of it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DataError, DBAPIError, NoSuchModuleError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from sr.errors import ConfigurationError, ExternalServiceError, SRError
from sr.store.migration import migrate, version_of
from sr.store.migrations import HEAD
from sr.store.shared_commit import SharedCommits

__all__ = ["Database", "connect", "open_database"]

_WRITES = "srsign_writes"
_OWNER_ONLY = 0o600
_CONNECTIONS = 20  # kept open; twice as many at the most
_PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
    "PRAGMA recursive_triggers=ON",  # else REPLACE deletes without asking the triggers
    "PRAGMA busy_timeout=20000",
    "PRAGMA trusted_schema=OFF",
)


_BEGIN: dict[str, dict[bool, str | None]] = {
    "sqlite": {True: "BEGIN IMMEDIATE", False: "BEGIN"},
    "postgresql": {True: "SELECT pg_advisory_xact_lock(7364195)", False: None},
}
"""What a transaction begins with, whether it writes or not."""


@dataclass(frozen=True, slots=True)
class Database:
    """A database that is there, with all its tables."""

    engine: Engine
    writers: SharedCommits

    @contextmanager
    def write(self, *, brief: bool = False) -> Iterator[Connection]:
        """Open a transaction that writes; it is committed at the end, or undone by any error.

        Args:
            brief: Whether it only records that something was read, which goes before long work.

        Raises:
            ConfigurationError: A value is none that the database can hold.
            ExternalServiceError: The database does not take it: the disk is full, or fails.
        """
        try:
            with self.writers.write(brief=brief) as connection:
                yield connection
        except (DBAPIError, PoolTimeoutError) as error:
            raise _failure(error) from error

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Open a transaction that sees one state of everything.

        Raises:
            ConfigurationError: A value is none that the database can hold.
            ExternalServiceError: The database does not answer.
        """
        try:
            with _connection(self.engine) as connection, connection.begin():
                yield connection
        except (DBAPIError, PoolTimeoutError) as error:
            raise _failure(error) from error

    def close(self) -> None:
        """Let go of every connection."""
        self.engine.dispose()


def open_database(url: str, *, existing: bool = False) -> Database:
    """Return a database, made or brought up to date where it has to be.

    Args:
        url: Of SQLAlchemy, e.g. ``sqlite:////var/lib/srsign/srsign.db``.
        existing: Whether a file that is not there is an error.

    Raises:
        ConfigurationError: The address does not make sense, its driver is not installed, or the
            database is of a later srsign.
        ExternalServiceError: The database cannot be opened.
    """
    database = connect(url, existing=existing)
    with database.read() as connection:
        if version_of(connection) == HEAD:
            return database
    with database.write() as connection:
        migrate(connection)
    return database


def connect(url: str, *, existing: bool = False) -> Database:
    """Return a database as it is, which may be empty or out of date.

    Raises:
        ConfigurationError: The address does not make sense, or its driver is not installed.
    """
    try:
        parsed = make_url(url)
        if parsed.drivername == "postgresql":
            parsed = parsed.set(drivername="postgresql+psycopg")
        engine = create_engine(
            parsed,
            pool_size=_CONNECTIONS,
            max_overflow=_CONNECTIONS,
            pool_pre_ping=parsed.get_backend_name() != "sqlite",
        )
    except (ArgumentError, NoSuchModuleError, ModuleNotFoundError, TypeError) as error:  # in memory
        raise ConfigurationError(
            "the address of the database (store.url) does not make sense",
            hint="for example sqlite:////var/lib/srsign/srsign.db",
        ) from error
    if engine.dialect.name not in _BEGIN:
        raise ConfigurationError("the database (store.url) must be SQLite or PostgreSQL")
    if engine.dialect.name == "sqlite":
        if existing and not Path(parsed.database or "").is_file():
            raise ConfigurationError(f"there is no database {parsed.database}")
        _reserve(parsed.database)
        event.listen(engine, "connect", _tune)
    event.listen(engine, "begin", _begin)
    return Database(engine, SharedCommits(partial(_connection, engine, writes=True)))


def _reserve(name: str | None) -> None:
    """Make a file that nobody else may read; SQLite gives its log the same permissions."""
    if name:
        with suppress(OSError):  # it is there, or its folder is not, as opening it will tell
            os.close(os.open(name, os.O_CREAT | os.O_EXCL | os.O_WRONLY, _OWNER_ONLY))


def _connection(engine: Engine, *, writes: bool = False) -> Connection:
    """Return a connection that begins so: a writer sees what was committed while it waited."""
    options: dict[str, Any] = {_WRITES: writes}
    if engine.dialect.name == "postgresql":
        options["isolation_level"] = "READ COMMITTED" if writes else "REPEATABLE READ"
    return engine.connect().execution_options(**options)


def _tune(connection: Any, _record: object) -> None:  # noqa: ANN401 - the driver's own
    connection.isolation_level = None  # transactions begin where we say
    for pragma in _PRAGMAS:
        connection.execute(pragma)


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get(_WRITES, False)
    if (statement := _BEGIN[connection.dialect.name][writes]) is not None:
        connection.exec_driver_sql(statement)


def _failure(error: DBAPIError | PoolTimeoutError) -> SRError:
    if isinstance(error, DataError):  # e.g. a NUL in a text, for PostgreSQL
        return ConfigurationError("a value is none that the database can hold")
    kind = type(error.orig if isinstance(error, DBAPIError) else error).__name__
    return ExternalServiceError(f"the database did not do it: {kind}")
