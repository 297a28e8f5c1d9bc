"""``srsign audit``: checked, anchored, exported, forwarded, and refused."""

from __future__ import annotations

import json
import sqlite3
import ssl
import zipfile
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sr.app.audit import AuditAction, decode_event
from sr.app.audit.head import decode_head
from sr.app.settings import current_settings
from sr.store.audit import append_event, chain_rows
from sr.store.database import open_database
from tests.support.audit import SIGNED, Keeper, events, open_keeper
from tests.support.collector import Collector, collecting, server_files
from tests.support.console import Ended, srsign
from tests.support.office import Office
from tests.support.pki import Entity, issue

TODAY = datetime.now(UTC)


@pytest.fixture(scope="module")
def keeper(tmp_path_factory: pytest.TempPathFactory) -> Keeper:
    """Return who signs heads."""
    return open_keeper(tmp_path_factory.mktemp("keeper"))


@pytest.fixture
def url(tmp_path: Path) -> str:
    """Return a database with a few events."""
    made = f"sqlite:///{tmp_path / 'srsign.db'}"
    database = open_database(made)
    with database.write() as connection:
        for event in (SIGNED, *events(5)):
            append_event(connection, event)
    database.close()
    return made


def check(url: str, keeper: Keeper, *more: str) -> Ended:
    trust = ["--trust-anchor", keeper.folder / "root.pem", "--signer", "*CN=Audit Keeper*"]
    return srsign("audit", "check", "--database", url, *map(str, trust), *more)


def anchor(url: str, keeper: Keeper, *more: str) -> Ended:
    who = [keeper.folder / "keeper.pem", "--cert", keeper.folder / "issuing.pem"]
    key = f"file:{keeper.folder / 'keeper.key'}"
    return srsign(
        "audit", "anchor", "--database", url, "--key", key, "--cert", *map(str, who), *more
    )


def meddle(url: str, statement: str) -> None:
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as raw, raw:
        for (name,) in raw.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'"):
            raw.execute(f"DROP TRIGGER {name}")
        raw.execute(statement)


def actions(url: str) -> list[AuditAction]:
    with open_database(url).read() as connection:
        return [decode_event(row.encoded).action for row in chain_rows(connection)]


def test_without_a_head_nothing_vouches(url: str, keeper: Keeper) -> None:
    """A chain alone is undecided: 11."""
    ended = check(url, keeper, "--json")
    assert ended.code == 11
    assert ended.json["counts"] == {"AUDIT_NOT_ANCHORED": 1}


def test_an_anchored_trail_passes(url: str, keeper: Keeper, tmp_path: Path) -> None:
    """After anchor, check ends with 0, in words too; the head that was kept agrees."""
    kept = tmp_path / "head.json"
    assert anchor(url, keeper, "-o", str(kept)).code == 0
    assert decode_head(kept.read_bytes()).sequence == 6
    ended = check(url, keeper, "--head", str(kept))
    assert ended.code == 0
    assert "PASSED" in ended.out
    assert actions(url)[-2:] == [AuditAction.AUDIT_ANCHORED, AuditAction.AUDIT_CHECKED]


def test_a_check_that_cannot_be_written_down_stands(url: str, keeper: Keeper) -> None:
    """A database that takes no row is checked all the same, and no row is added."""
    anchor(url, keeper)
    refuse = "CREATE TRIGGER full BEFORE INSERT ON audit_events BEGIN SELECT RAISE(FAIL, 'x'); END"
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as raw, raw:
        raw.execute(refuse)
    assert check(url, keeper).code == 0
    assert actions(url)[-1] is AuditAction.AUDIT_ANCHORED


MEDDLING = {
    "altered": "UPDATE audit_events SET encoded = x'7b7d' WHERE sequence = 3",
    "deleted": "DELETE FROM audit_events WHERE sequence = 3",
    "all deleted": "DELETE FROM audit_events",
    "head deleted": "DELETE FROM audit_heads",
    "head altered": "UPDATE audit_heads SET digest = x'00'",
    "head with no time": "UPDATE audit_heads SET at = 'yesterday'",
    "head with an earliest time": "UPDATE audit_heads SET at = '0001-01-01T00:00:00+14:00'",
    "head with text for a signature": "UPDATE audit_heads SET signature = 'mine'",
    "head of another time": "UPDATE audit_heads SET at = '2026-01-01T00:00:00.000000Z'",
}


@pytest.mark.parametrize("what", MEDDLING)
def test_meddling_with_the_database_fails(what: str, url: str, keeper: Keeper) -> None:
    """Whatever is altered or deleted under a head: 10."""
    anchor(url, keeper)
    meddle(url, MEDDLING[what])
    assert check(url, keeper).code == 10


def test_a_trail_cut_off_with_its_heads_fails_against_a_kept_one(
    url: str, keeper: Keeper, tmp_path: Path
) -> None:
    """Only the head that was kept elsewhere shows it."""
    kept = tmp_path / "head.json"
    anchor(url, keeper, "-o", str(kept))
    meddle(url, "DELETE FROM audit_heads")
    meddle(url, "DELETE FROM audit_events WHERE sequence > 3")
    anchor(url, keeper)
    assert check(url, keeper).code == 0
    assert check(url, keeper, "--head", str(kept)).code == 10


def test_a_head_by_somebody_else_is_undecided(url: str, keeper: Keeper) -> None:
    """Where the keeper is named, nobody else vouches: 11."""
    key = f"file:{keeper.folder / 'author.key'}"
    cert = str(keeper.folder / "author.pem")
    issuing = str(keeper.folder / "issuing.pem")
    who = ("--key", key, "--cert", cert, "--cert", issuing)
    assert srsign("audit", "anchor", "--database", url, *who).code == 0
    assert check(url, keeper).code == 11


def test_an_export_as_json_lines_can_be_checked(url: str, keeper: Keeper, tmp_path: Path) -> None:
    """The file is as good as the database, also when it is meddled with."""
    anchor(url, keeper)
    out = tmp_path / "trail.jsonl"
    wanted = ("--database", url, "--format", "jsonl", "-o", str(out))
    assert srsign("audit", "export", *wanted).code == 0
    trust = ("--trust-anchor", str(keeper.folder / "root.pem"))
    assert srsign("audit", "check", str(out), *trust).code == 0
    assert actions(url)[-1] is AuditAction.AUDIT_EXPORTED
    lines = out.read_bytes().splitlines(keepends=True)
    out.write_bytes(b"".join((*lines[:2], lines[2].replace(b"meier", b"weber"), *lines[3:])))
    assert srsign("audit", "check", str(out), *trust).code == 10
    out.write_bytes(b"".join((*lines[:2], *lines[3:])))
    assert srsign("audit", "check", str(out), *trust).code == 10


@pytest.mark.parametrize(
    "line", [b"{}\n", b"7\n", b"junk\n", b'{"sequence":1,"digest":"zz","event":{}}\n']
)
def test_a_file_that_is_no_trail_is_an_error(line: bytes, keeper: Keeper, tmp_path: Path) -> None:
    """What is neither row nor head could not be checked: 1."""
    path = tmp_path / "trail.jsonl"
    path.write_bytes(line)
    trust = ("--trust-anchor", str(keeper.folder / "root.pem"))
    assert srsign("audit", "check", str(path), *trust).code == 1


def test_an_export_as_dicom_is_a_message_a_line(url: str, tmp_path: Path) -> None:
    """Every event since a time is one XML document."""
    out = tmp_path / "trail.xml"
    since = (SIGNED.at + timedelta(minutes=3)).isoformat()
    wanted = ("--database", url, "--since", since, "-o", str(out), "--json")
    ended = srsign("audit", "export", *wanted)
    assert ended.code == 0
    lines = out.read_bytes().splitlines()
    assert len(lines) == ended.json["lines"] == 3
    assert all(line.startswith(b"<?xml") and line.endswith(b"</AuditMessage>") for line in lines)


def test_a_damaged_trail_is_not_exported(url: str, tmp_path: Path) -> None:
    """A row that is no event is named, and no file is left."""
    meddle(url, MEDDLING["altered"])
    out = tmp_path / "trail.xml"
    assert srsign("audit", "export", "--database", url, "-o", str(out)).code == 1
    assert not out.exists()


USAGE: dict[str, Callable[[str, Path], list[str]]] = {
    "export to nowhere": lambda u, p: ["export", "--database", u],
    "export to both": lambda u, p: ["export", "--database", u, "--syslog", "-o", str(p / "x")],
    "unknown format": lambda u, p: [
        "export", "--database", u, "--format", "pdf", "-o", str(p / "x")
    ],
    "file and database": lambda u, p: ["check", "x.jsonl", "--database", u],
    "no such database": lambda u, p: ["check", "--database", f"sqlite:///{p}/none.db"],
    "no database at all": lambda u, p: ["check", "--database", "sqlite://"],
    "no collector": lambda u, p: ["export", "--database", u, "--syslog"],
}  # fmt: skip


@pytest.mark.parametrize("what", USAGE)
def test_what_makes_no_sense_is_usage(what: str, url: str, tmp_path: Path) -> None:
    """A mistake in the options is 2, and makes no file."""
    assert srsign("audit", *USAGE[what](url, tmp_path)).code == 2
    assert not (tmp_path / "none.db").exists()
    assert not (tmp_path / "x").exists()


def test_an_empty_trail_is_not_anchored(keeper: Keeper, tmp_path: Path) -> None:
    """There is nothing to sign."""
    url = f"sqlite:///{tmp_path / 'empty.db'}"
    open_database(url).close()
    assert anchor(url, keeper).code == 2


def test_what_is_new_goes_to_the_collector(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the collector is down messages wait; then all go once, and later only what is new."""
    root: Entity = issue(None, "Log Root", ca=True, key_kind="p256", not_before=TODAY)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*server_files(tmp_path, root))
    (tmp_path / "log-root.pem").write_bytes(root.pem)
    collector = Collector(context=context)
    with collecting(collector):
        pass
    settings = {
        "SYSLOG": f"localhost:{collector.port}",
        "SYSLOG_ANCHOR": str(tmp_path / "log-root.pem"),
        "SPOOL": str(tmp_path / "spool"),
        "SPOOL_MESSAGES": "4",
        "SOURCE": "srsign-7",
    }
    for name, value in settings.items():
        monkeypatch.setenv(f"SRSIGN_AUDIT__{name}", value)
    current_settings.cache_clear()
    try:
        sending = ("audit", "export", "--database", url, "--syslog", "--json")
        assert srsign(*sending).code == 1
        with collecting(collector):
            assert srsign(*sending).json["lines"] == 6
            assert srsign(*sending).json["lines"] == 0
    finally:
        monkeypatch.undo()
        current_settings.cache_clear()
    numbers = [message.split(b'sequenceId="')[1].split(b'"')[0] for message in collector.messages]
    assert numbers == [b"1", b"2", b"3", b"4", b"5", b"6"]
    assert all(b'AuditSourceID="srsign-7"' in message for message in collector.messages)
    assert json.dumps(settings)


def test_a_bundle_takes_the_trail_from_the_database(
    url: str, keeper: Keeper, office: Office, tmp_path: Path
) -> None:
    """Bundle --audit names the database; without one that is there nothing is written."""
    key = f"file:{keeper.folder / 'keeper.key'}"
    made = tmp_path / "report.zip"
    wanted = ("bundle", str(office.authored), "-o", str(made), "--key", key, "--cert")
    signer = (str(keeper.folder / "keeper.pem"), "--trust-anchor", str(keeper.folder / "root.pem"))
    assert srsign(*wanted, *signer, "--audit", "sqlite:///none.db").code == 2
    assert not made.exists()
    assert srsign(*wanted, *signer, "--audit", url).code == 0
    with zipfile.ZipFile(made) as archive:
        assert json.loads(archive.read("audit.json"))["type"] == "srsign-audit-extract"
