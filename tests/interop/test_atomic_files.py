"""Files written by srsign, when the process is killed at any moment."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

_WRITER = """
import sys
from pathlib import Path
from sr.app.files import write_atomically
target = Path(sys.argv[1])
print("ready", flush=True)
number = 0
while True:
    number = (number + 1) % 10
    write_atomically(target, str(number).encode() * 3_000_000)
"""


def kill_while_writing(target: Path, delay: float) -> None:
    """Start a process that rewrites a file over and over, and kill it after a while."""
    with subprocess.Popen(
        [sys.executable, "-c", _WRITER, str(target)], stdout=subprocess.PIPE
    ) as writer:
        assert writer.stdout is not None
        writer.stdout.readline()
        time.sleep(delay)
        writer.send_signal(signal.SIGKILL)


def kills(count: int, folder: Path) -> list[bytes]:
    """Return the content of the file after each kill."""
    target = folder / "out.bin"
    chance = random.Random(count)
    seen = []
    for _ in range(count):
        target.write_bytes(b"x" * 3_000_000)
        kill_while_writing(target, chance.uniform(0.0, 0.05))
        seen.append(target.read_bytes())
    return seen


def is_whole(content: bytes) -> bool:
    """Return whether content is what one write wrote."""
    return len(content) == 3_000_000 and len(set(content)) == 1


def test_killed_writers_leave_whole_files(tmp_path: Path) -> None:
    """After SIGKILL the name shows the old content or a new one, never a part."""
    assert all(is_whole(content) for content in kills(8, tmp_path))


@pytest.mark.prove
def test_killed_writers_leave_whole_files_always(tmp_path: Path) -> None:
    """The same, two hundred times."""
    assert all(is_whole(content) for content in kills(200, tmp_path))


def test_a_torn_file_would_be_noticed() -> None:
    """The check of wholeness fails on a half-written file."""
    assert not is_whole(b"1" * 1_000_000)
    assert not is_whole(b"1" * 1_000_000 + b"2" * 2_000_000)
