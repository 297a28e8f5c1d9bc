"""A PostgreSQL of its own for a test: a cluster in a temporary folder, reached by a socket only."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

from tests.support.peers import POSTGRESQL, require_peer

__all__ = ["postgresql"]

_SETTINGS = (
    "-c listen_addresses='' -c fsync=off -c max_connections=40 -c shared_buffers=16MB "
    "-c statement_timeout=60s -c idle_in_transaction_session_timeout=60s"
)
"""With limits: whoever waits for a lock that nobody gives back fails, and the test ends."""


@contextmanager
def postgresql() -> Iterator[str]:
    """Yield the URL of an empty database; the cluster is gone afterwards."""
    require_peer(POSTGRESQL)
    folder = Path(mkdtemp(prefix="srsign-pg-"))
    data = folder / "data"
    if os.getuid() == 0:  # it refuses to run as root
        shutil.chown(folder, "postgres", "postgres")
    try:
        _run("initdb", "-D", data, "-A", "trust", "-U", "srsign", "-E", "UTF8", "--no-locale", "-N")
        options = f"{_SETTINGS} -k {folder}"
        _run("pg_ctl", "-D", data, "-o", options, "-l", folder / "log", "-w", "start")
        try:
            yield f"postgresql://srsign@/postgres?host={folder}"
        finally:
            _run("pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _run(program: str, *arguments: object) -> None:
    command = [str(POSTGRESQL / program), *map(str, arguments)]
    if os.getuid() == 0:
        command = ["runuser", "-u", "postgres", "--", *command]
    subprocess.run(command, check=True, cwd="/", stdout=subprocess.DEVNULL, timeout=120)
