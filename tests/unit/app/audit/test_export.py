"""Exports: JSON lines come back as they went, and anything else is named."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from sr.app.audit import AuditAction
from sr.app.audit.export import AuditFormat, as_lines, events_since, read_lines
from sr.app.audit.message import AuditSource, audit_message
from sr.errors import ConfigurationError, DatasetError
from sr.net.syslog import syslog_message
from tests.support.audit import SIGNED, Keeper, Trail, chained, longest, open_keeper

SOURCE = AuditSource(source_id="here")


@pytest.fixture(scope="module")
def trail(tmp_path_factory: pytest.TempPathFactory) -> Trail:
    """Return a trail with a head."""
    keeper: Keeper = open_keeper(tmp_path_factory.mktemp("keeper"))
    return keeper.grown(Trail(rows=chained([SIGNED, longest()])), 3)


def written(trail: Trail, folder: Path) -> Path:
    path = folder / "trail.jsonl"
    rows = events_since(trail.rows, None)
    path.write_bytes(b"".join(as_lines(rows, trail.heads, AuditFormat.JSONL, SOURCE)))
    return path


def test_json_lines_hold_rows_and_heads(trail: Trail, tmp_path: Path) -> None:
    """What is read from an export is what was in the trail."""
    rows, heads = read_lines(written(trail, tmp_path))
    assert tuple(rows) == trail.rows
    assert heads == trail.heads


@pytest.mark.parametrize(
    "line",
    [
        b"\n",
        b"{}\n",
        b"[1]\n",
        b"\xff\n",
        b'{"sequence":"1","digest":"00","event":{}}\n',
        b'{"sequence":1,"digest":"0","event":{}}\n',
        b'{"sequence":1,"digest":7,"event":{}}\n',
        b'{"sequence":9223372036854775808,"digest":"00","event":{}}\n',
        b'{"sequence":1,"digest":"00","event":{},"more":1}\n',
        b'{"sequence":1,"digest":"00","event":"\\ud800"}\n',
        b"[" * 100_000 + b"\n",
    ],
)
def test_another_line_is_named(line: bytes, trail: Trail, tmp_path: Path) -> None:
    """What is no row is an error, not an altered row."""
    path = written(trail, tmp_path)
    path.write_bytes(path.read_bytes() + line)
    with pytest.raises(DatasetError) as error:
        tuple(read_lines(path)[0])
    assert error.value.rule == "AUDIT_FILE"


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    """A path that cannot be opened is an error of its own."""
    with pytest.raises(ConfigurationError):
        read_lines(tmp_path / "none.jsonl")


def test_the_longest_event_is_a_message_that_collectors_take() -> None:
    """No event can grow so long that its message is refused and blocks those behind it."""
    for action in AuditAction:
        for count in (30, 100):
            made = replace(longest(), action=action, instances=longest().instances[:count])
            xml = audit_message(made, SOURCE)
            header = {"sequence": 1, "succeeded": False, "hostname": "h" * 300}
            assert len(syslog_message(xml, at=made.at, **header)) <= 32768
