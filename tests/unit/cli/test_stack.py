"""``srsign sign`` with several files."""

from __future__ import annotations

import os
import pty
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.console import srsign
from tests.support.office import Office


def _files(office: Office, folder: Path) -> list[Path]:
    return [Path(shutil.copy(office.draft, folder / name)) for name in ("a.dcm", "b.dcm")]


def test_a_confirmed_stack(office: Office, tmp_path: Path) -> None:
    """With --yes every file is signed into the folder, and each passes."""
    ended = srsign(
        *("sign", *_files(office, tmp_path), "--purpose", "author", *office.signer("author")),
        *("--yes", "-o", tmp_path / "signed", "--json"),
    )
    assert ended.code == 0, ended.err
    *items, summary = ended.lines
    assert [item["message_type"] for item in items] == ["item", "item"]
    assert (summary["signed"], summary["failed"]) == (2, 0)
    for item in items:
        assert srsign("check", item["output"], *office.trust).code == 0


REFUSED = {
    "nobody confirms": [],
    "the policy wants a person": ["--yes", "--signing-policy", "supervised"],
    "no such policy": ["--yes", "--signing-policy", "generous"],
    "an item": ["--yes", "--item", "ContentSequence[0]"],
    "in place": ["--yes", "--in-place"],
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_stack_that_is_refused(office: Office, tmp_path: Path, name: str) -> None:
    """A stack that nobody may sign like this is a usage error, and nothing is signed."""
    out = tmp_path / "signed"
    ended = srsign(
        *("sign", *_files(office, tmp_path), "--purpose", "author", *office.signer("author")),
        *(*REFUSED[name], "-o", out),
    )
    assert (ended.code, list(out.iterdir()) if out.is_dir() else []) == (2, [])


@pytest.mark.parametrize(("broken", "code"), [(["a.dcm"], 3), (["a.dcm", "b.dcm"], 1)])
def test_a_stack_that_failed_partly(
    office: Office, tmp_path: Path, broken: list[str], code: int
) -> None:
    """Some failed: 3; all failed: 1."""
    files = _files(office, tmp_path)
    for name in broken:
        (tmp_path / name).write_bytes(b"nothing")
    ended = srsign(
        *("sign", *files, "--purpose", "author", *office.signer("author"), "--yes"),
        *("-o", tmp_path / "signed"),
    )
    assert ended.code == code


@pytest.mark.shows("patient", reason="who confirms a document has to know whose it is")
def test_a_person_confirms_each(office: Office, tmp_path: Path) -> None:
    """At a terminal each document is asked about; only yes is yes, and left out is no failure."""
    terminal, side = pty.openpty()
    program = "from sr.cli.main import main; main()"
    arguments = ["sign", *_files(office, tmp_path), "--purpose", "1", *office.signer("author")]
    with subprocess.Popen(
        [sys.executable, "-c", program, *map(str, arguments), "-o", tmp_path / "signed"],
        stdin=side,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        os.close(side)
        os.write(terminal, b"n\ny\n")
        said = process.communicate(timeout=60)[1].decode()
    os.close(terminal)
    assert process.returncode == 0, said
    assert [path.name for path in (tmp_path / "signed").iterdir()] == ["b.dcm"]
