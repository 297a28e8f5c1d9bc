"""One database, its transactions, and what makes a commit last.

SQLite keeps a write-ahead log and waits for the disk at every commit; a transaction that writes
takes the lock at its begin, so that it never fails half way for want of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

from sr.errors import ConfigurationError, ExternalServiceError
from sr.store.schema import metadata

__all__ = ["Database", "open_database"]

_WRITES = "srsign_writes"
_PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
    "PRAGMA busy_timeout=20000",
    "PRAGMA trusted_schema=OFF",
)


@dataclass(frozen=True, slots=True)
class Database:
    """A database that is there, with all its tables."""

    engine: Engine

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Open a transaction that writes; it is committed at the end, or undone by any error.

        Raises:
            ExternalServiceError: The database does not take it: the disk is full, or fails.
        """
        try:
            with (
                self.engine.connect().execution_options(**{_WRITES: True}) as connection,
                connection.begin(),
            ):
                yield connection
        except DBAPIError as error:
            raise _failure(error) from error

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Open a transaction that sees one state of everything.

        Raises:
            ExternalServiceError: The database does not answer.
        """
        try:
            with self.engine.connect() as connection, connection.begin():
                yield connection
        except DBAPIError as error:
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
        ConfigurationError: The address does not make sense, or its driver is not installed.
        ExternalServiceError: The database cannot be opened.
    """
    try:
        parsed = make_url(url)
        engine = create_engine(parsed, pool_pre_ping=parsed.get_backend_name() != "sqlite")
    except (ArgumentError, NoSuchModuleError, ModuleNotFoundError) as error:
        raise ConfigurationError(
            "the address of the database (store.url) does not make sense",
            hint="for example sqlite:////var/lib/srsign/srsign.db",
        ) from error
    if engine.dialect.name == "sqlite":
        if existing and not Path(parsed.database or "").is_file():
            raise ConfigurationError(f"there is no database {parsed.database}")
        event.listen(engine, "connect", _tune)
        event.listen(engine, "begin", _begin)
    try:
        metadata.create_all(engine)
    except DBAPIError as error:
        raise _failure(error) from error
    return Database(engine)


def _tune(connection: Any, _record: object) -> None:  # noqa: ANN401 - the driver's own
    connection.isolation_level = None  # transactions begin where we say
    for pragma in _PRAGMAS:
        connection.execute(pragma)


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get(_WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _failure(error: DBAPIError) -> ExternalServiceError:
    return ExternalServiceError(f"the database did not do it: {type(error.orig).__name__}")
