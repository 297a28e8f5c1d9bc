"""The files in which a signing agent keeps its tokens."""

from __future__ import annotations

import json
import stat
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sr.app.signatures.pairings import Pairing, Pairings
from sr.errors import ConfigurationError, NotFoundError

ONE = Pairing(
    url="https://one.example.org",
    agent_id="1",
    token="secret",
    login="anna",
    display_name="Dr. Anna Meier",
    expires_at=datetime(2027, 2, 19, tzinfo=UTC),
)
TWO = replace(ONE, url="https://two.example.org")


def test_kept_and_forgotten(tmp_path: Path) -> None:
    """What is kept comes back, and is gone when it is forgotten."""
    pairings = Pairings(tmp_path / "agents")
    pairings.keep(ONE)
    pairings.keep(replace(ONE, token="newer"))
    assert [each.token for each in pairings.all()] == ["newer"]
    pairings.forget(ONE)
    assert pairings.all() == ()


def test_for_the_owner_only(tmp_path: Path) -> None:
    """Folder and file are their owner's, also where the file was there before."""
    pairings = Pairings(tmp_path / "agents")
    pairings.keep(ONE)
    (path,) = pairings.folder.iterdir()
    path.chmod(0o666)
    pairings.keep(ONE)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(pairings.folder.stat().st_mode) == 0o700


@pytest.mark.parametrize("mode", [0o604, 0o640, 0o660, 0o666])
def test_a_file_that_is_open_to_others(tmp_path: Path, mode: int) -> None:
    """A token that others could have read or written is not used."""
    pairings = Pairings(tmp_path)
    pairings.keep(ONE)
    (path,) = tmp_path.iterdir()
    path.chmod(mode)
    with pytest.raises(ConfigurationError):
        pairings.one(None)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"url": 1}', "\x00"])
def test_a_damaged_file(tmp_path: Path, content: str) -> None:
    """A file that is no pairing is named, not skipped."""
    path = tmp_path / "x.json"
    path.write_text(content)
    path.chmod(0o600)
    with pytest.raises(ConfigurationError):
        Pairings(tmp_path).all()


def test_no_time(tmp_path: Path) -> None:
    """A pairing without end is none."""
    pairings = Pairings(tmp_path)
    pairings.keep(ONE)
    (path,) = tmp_path.iterdir()
    path.write_text(json.dumps(json.loads(path.read_text()) | {"expires_at": "never"}))
    with pytest.raises(ConfigurationError):
        pairings.all()


def test_which_one(tmp_path: Path) -> None:
    """The only one needs no name; of several one has to be named, and has to be there."""
    pairings = Pairings(tmp_path)
    with pytest.raises(NotFoundError):
        pairings.one(None)
    pairings.keep(ONE)
    assert pairings.one(None) == ONE
    pairings.keep(TWO)
    with pytest.raises(ConfigurationError):
        pairings.one(None)
    assert pairings.one(TWO.url) == TWO
    with pytest.raises(NotFoundError):
        pairings.one("https://three.example.org")


def test_where_nothing_can_be_written(tmp_path: Path) -> None:
    """A folder that cannot be made is said."""
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError):
        Pairings(tmp_path / "file" / "agents").keep(ONE)
