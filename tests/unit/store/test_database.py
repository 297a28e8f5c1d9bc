"""The database: made in steps, one writer at a time, and what is written once stays."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Column, Connection, Integer, MetaData, func, select, text
from sqlalchemy.exc import DataError

from sr.errors import ConfigurationError, ExternalServiceError
from sr.store.database import Database, connect, open_database
from sr.store.migration import version_of
from sr.store.migrations import HEAD
from sr.store.people import User, add_user
from sr.store.schema import metadata, users
from tests.support.service import Service, open_service
from tests.support.signing import draft, sign
from tests.support.written_once import CHANGES, HEAD_ROW


@pytest.fixture
def database(tmp_path: Path) -> Database:
    """Return an empty database."""
    return open_database(f"sqlite:///{tmp_path / 'srsign.db'}")


def _differences(database: Database, expected: MetaData) -> list[object]:
    with database.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, expected))


def _add(connection: Connection, *names: str) -> None:
    for name in names:
        user = User(
            id=name, login=name, display_name="", person_name="", organization="", roles=(),
            created_at=datetime.now(UTC),
        )  # fmt: skip
        add_user(connection, user)


def test_steps_lead_to_the_schema(database: Database) -> None:
    """A database that went through all steps has the tables of the schema, and nothing else."""
    assert not _differences(database, metadata)


def test_a_column_that_no_step_makes_is_found(database: Database) -> None:
    """The comparison is one that can fail: a planted column and a planted table are differences."""
    planted = MetaData()
    for table in metadata.tables.values():
        table.to_metadata(planted)
    planted.tables["users"].append_column(Column("planted", Integer))
    assert len(_differences(database, planted)) == 1


def test_head_is_the_last_step(repository: Path) -> None:
    """What the store takes for the last step is the last one in the folder, and there is one."""
    config = Config()
    config.set_main_option("script_location", str(repository / "sr" / "store" / "migrations"))
    config.set_main_option("path_separator", "os")
    assert ScriptDirectory.from_config(config).get_heads() == [HEAD]


def test_database_of_a_later_version(tmp_path: Path) -> None:
    """A database of a later srsign is refused and stays as it is."""
    url = f"sqlite:///{tmp_path / 'srsign.db'}"
    later = open_database(url)
    with later.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(ConfigurationError):
        open_database(url)
    with later.read() as connection:
        assert version_of(connection) == "9999"


@pytest.mark.parametrize(
    "url", ["", "nonsense", "sqlite+nonsense:///x", "mysql://x/y", "oracle://x/y", "mssql://x/y"]
)
def test_address_that_makes_no_sense(url: str) -> None:
    """What is no address of SQLite or PostgreSQL is an error of the configuration."""
    with pytest.raises(ConfigurationError):
        open_database(url)


def test_folder_that_is_not_there(tmp_path: Path) -> None:
    """A database that cannot be opened is a failure outside of us."""
    with pytest.raises(ExternalServiceError):
        open_database(f"sqlite:///{tmp_path / 'absent' / 'srsign.db'}")


def test_nobody_else_may_read_it(tmp_path: Path) -> None:
    """A new database and its log are their owner's alone, whatever the process leaves to others."""
    before = os.umask(0)
    try:
        database = open_database(f"sqlite:///{tmp_path / 'srsign.db'}")
        with database.write() as connection:
            _add(connection, "anna")
        files = sorted(tmp_path.iterdir())
        assert len(files) > 1
        assert {path.stat().st_mode & 0o777 for path in files} == {0o600}
    finally:
        os.umask(before)


def test_file_that_is_no_database(tmp_path: Path) -> None:
    """A file that is something else is refused and stays as it is."""
    path = tmp_path / "srsign.db"
    path.write_bytes(b"not a database" * 512)
    with pytest.raises(ExternalServiceError):
        open_database(f"sqlite:///{path}")
    assert path.read_bytes() == b"not a database" * 512


def test_opened_by_many_at_once(tmp_path: Path) -> None:
    """Processes that start together make the tables once."""
    url = f"sqlite:///{tmp_path / 'srsign.db'}"
    with ThreadPoolExecutor(4) as pool:
        opened = list(pool.map(open_database, [url] * 4))
    assert not _differences(opened[0], metadata)


def test_steps_are_all_or_nothing(tmp_path: Path) -> None:
    """Where a step fails, none was taken."""
    url = f"sqlite:///{tmp_path / 'srsign.db'}"
    empty = connect(url)
    with empty.write() as connection:
        connection.execute(text("CREATE TABLE versions (x INTEGER)"))
    with pytest.raises(ExternalServiceError):
        open_database(url)
    with empty.read() as connection:
        tables = connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'table'"))
        assert tables.scalars().all() == ["versions"]


def test_failed_transaction_leaves_nothing(database: Database) -> None:
    """What was written before an error in a transaction is undone with it."""
    with pytest.raises(ExternalServiceError), database.write() as connection:
        _add(connection, "a", "b", "a")
    with database.read() as connection:
        assert connection.execute(select(func.count()).select_from(users)).scalar() == 0


@pytest.mark.parametrize("way", ["read", "write"])
def test_value_that_no_column_holds(database: Database, way: str) -> None:
    """What a database refuses for its value is the caller's matter, not a fault of the service."""
    with pytest.raises(ConfigurationError), getattr(database, way)():
        raise DataError("", None, ValueError())


def test_one_writer_at_a_time(database: Database) -> None:
    """A process that writes begins when the other one has ended, and sees what it did."""
    seen, another = [], open_database(str(database.engine.url))

    def count() -> None:
        with another.write() as connection:
            seen.append(connection.execute(select(func.count()).select_from(users)).scalar())

    other = Thread(target=count)
    with database.write() as connection:
        other.start()
        other.join(1)  # it would be over by now if it did not wait
        _add(connection, "a")
    other.join()
    assert seen == [1]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Service:
    """Return a service with a signed report, and a head of the audit."""
    service = open_service(tmp_path_factory.mktemp("service"))
    sign(service, draft(service))
    with service.context.database.write() as connection:
        connection.execute(text(HEAD_ROW))
    return service


@pytest.mark.parametrize("change", CHANGES)
def test_what_is_written_once_stays(service: Service, change: str) -> None:
    """Signed bytes, signatures, events and heads are neither changed, replaced nor deleted."""
    with pytest.raises(ExternalServiceError), service.context.database.write() as connection:
        connection.execute(text(CHANGES[change]))


def test_draft_may_be_removed(service: Service) -> None:
    """What nobody has signed may go."""
    uid = {"uid": draft(service).sop_instance_uid}
    with service.context.database.write() as connection:
        gone = connection.execute(text("DELETE FROM versions WHERE sop_instance_uid = :uid"), uid)
        assert gone.rowcount == 1
