"""The audit in the database: what is written is checked, what is changed in the file is found."""

from __future__ import annotations

import sqlite3
from collections import Counter
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest

from sr.app.audit.check import check_chain
from sr.app.audit.head import anchored
from sr.app.audit.report import AuditReport
from sr.errors import SRError
from sr.findings import Indication, Status
from sr.store.audit import add_head, append_event, chain_rows, heads, last_row, latest_rows
from sr.store.database import Database, open_database
from tests.support.audit import SERVICE, SIGNED, Keeper, events, open_keeper
from tests.support.pki import NOW

DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def keeper(tmp_path_factory: pytest.TempPathFactory) -> Keeper:
    """Return who signs heads."""
    return open_keeper(tmp_path_factory.mktemp("keeper"))


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory, keeper: Keeper) -> Path:
    """Return a database with 60 events, a head, and the row that names it; not to be changed."""
    path = tmp_path_factory.mktemp("database") / "srsign.db"
    database = open_database(f"sqlite:///{path}")
    with database.write() as connection:
        for event in (SIGNED, *events(59)):
            append_event(connection, event)
        last = last_row(connection)
        assert last is not None
        head = keeper.head(last, NOW + DAY)
        add_head(connection, head)
        append_event(connection, anchored(head, SERVICE))
    database.close()
    with closing(sqlite3.connect(path)) as raw:
        raw.execute("PRAGMA journal_mode=DELETE")
    return path


def checked(database: Database, keeper: Keeper) -> AuditReport:
    with database.read() as connection:
        return check_chain(chain_rows(connection), heads(connection), keeper.options())


def copied(filled: Path, folder: Path) -> Path:
    path = folder / "copy.db"
    path.write_bytes(filled.read_bytes())
    return path


def test_what_was_written_passes(filled: Path, keeper: Keeper, tmp_path: Path) -> None:
    """Rows and head come back from the database as they went in."""
    report = checked(open_database(f"sqlite:///{copied(filled, tmp_path)}"), keeper)
    assert report.indication is Indication.PASSED
    assert (report.rows, report.anchored_sequence) == (61, 60)


def test_the_newest_come_first_and_page_by_page(filled: Path, tmp_path: Path) -> None:
    """A page of the audit goes on where the one before ended."""
    database = open_database(f"sqlite:///{copied(filled, tmp_path)}")
    with database.read() as connection:
        first = latest_rows(connection, limit=2)
        second = latest_rows(connection, before=first[-1].sequence, limit=2)
    assert [row.sequence for row in (*first, *second)] == [61, 60, 59, 58]


COLUMNS = {
    "action": "'login'",
    "outcome": "'8'",
    "user_id": "'weber'",
    "sop_instance_uid": "'2.25.9'",
    "at": "'2026-11-20T12:00:00.000001Z'",
    "encoded": "x'7b7d'",
    "digest": "x'00'",
}


@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize("value", ["other", "junk"])
def test_every_column_of_a_row_is_checked(
    column: str, value: str, filled: Path, keeper: Keeper, tmp_path: Path
) -> None:
    """What the table repeats of an event cannot say something else than the event."""
    path = copied(filled, tmp_path)
    new = COLUMNS[column] if value == "other" else "12.5"
    with closing(sqlite3.connect(path)) as raw, raw:
        for trigger in raw.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'"):
            raw.execute(f"DROP TRIGGER {trigger[0]}")
        raw.execute(f"UPDATE audit_events SET {column} = {new} WHERE sequence = 1")  # noqa: S608
    report = checked(open_database(f"sqlite:///{path}"), keeper)
    assert report.indication is Indication.FAILED
    failing = {f.rule for f in report.findings if f.status is Status.FAIL}
    assert failing == {"AUDIT_ROW_ALTERED"}


def _events(path: Path) -> list[tuple[int, bytes]]:
    with closing(sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)) as raw:
        return raw.execute(
            "SELECT sequence, encoded FROM audit_events ORDER BY sequence"
        ).fetchall()


def _bytes_of_the_table(path: Path) -> list[int]:
    """Return where in the file the pages of the table are, byte by byte."""
    with closing(sqlite3.connect(path)) as raw:
        (size,) = raw.execute("PRAGMA page_size").fetchone()
        pages = raw.execute("SELECT pageno FROM dbstat WHERE name = 'audit_events'").fetchall()
    return [start for (page,) in pages for start in range((page - 1) * size, page * size)]


def _flipped(seed: int, filled: Path, keeper: Keeper, folder: Path) -> str:
    """Flip a bit of the table; return ``found``, ``harmless`` or ``missed``."""
    draw = Random(seed)
    data = bytearray(filled.read_bytes())
    data[draw.choice(_bytes_of_the_table(filled))] ^= 1 << draw.randrange(8)
    path = folder / f"{seed}.db"
    path.write_bytes(data)
    try:
        database = open_database(f"sqlite:///{path}")
        report = checked(database, keeper)
        database.close()
    except SRError:
        return "found"
    if report.indication is Indication.FAILED:
        return "found"
    return "harmless" if _events(path) == _events(filled) else "missed"


def test_a_flipped_bit_of_the_file_is_found_or_harmless(
    filled: Path, keeper: Keeper, tmp_path: Path
) -> None:
    """No bit of the table can change without the check failing, or every event staying the same."""
    came_out = Counter(_flipped(seed, filled, keeper, tmp_path) for seed in range(50))
    assert came_out["missed"] == 0
    assert came_out["found"] > 25


@pytest.mark.prove
def test_a_thousand_flipped_bits(filled: Path, keeper: Keeper, tmp_path: Path) -> None:
    """The same for a thousand bits."""
    came_out = Counter(_flipped(seed, filled, keeper, tmp_path) for seed in range(1000))
    assert came_out["missed"] == 0, came_out
