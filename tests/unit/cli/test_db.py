"""``srsign db``: a database is made and brought up to date."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from sr.cli.exit_codes import UNABLE, USAGE
from sr.cli.main import main
from sr.store.migrations import HEAD


def _run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(["db", "migrate", "--json", *arguments])
    code = ended.value.code
    assert isinstance(code, int)
    return code


def test_made_then_up_to_date(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An empty database goes through all steps once."""
    url = f"sqlite:///{tmp_path / 'srsign.db'}"
    for before in (None, HEAD):
        assert _run("--url", url) == 0
        assert json.loads(capsys.readouterr().out) == {"before": before, "after": HEAD}


def test_address_that_makes_no_sense(tmp_path: Path) -> None:
    """What is no database is said, and nothing is made."""
    assert _run("--url", "nonsense") == USAGE
    assert _run("--url", f"sqlite:///{tmp_path / 'absent' / 'srsign.db'}") == UNABLE
    assert not list(tmp_path.iterdir())


def test_database_of_a_later_version(tmp_path: Path) -> None:
    """A database of a later srsign is left alone."""
    path = tmp_path / "srsign.db"
    assert _run("--url", f"sqlite:///{path}") == 0
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    assert _run("--url", f"sqlite:///{path}") == USAGE
