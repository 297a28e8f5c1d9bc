"""Runs the commands of a page for experts, as a reader would who copies them one by one."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from tests.support.peers import DCMDUMP, DCMSIGN, OPENSSL, require_peer

__all__ = ["failing"]


def failing(commands: Iterable[str], folder: Path) -> list[str]:
    """Run commands in their order, in a folder; return those that fail."""
    for program in (DCMDUMP, DCMSIGN, OPENSSL):
        require_peer(program)
    return [command for command in commands if _fails(command, folder)]


def _fails(command: str, folder: Path) -> bool:
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin"}
    run = subprocess.run(
        ["/bin/bash", "-euo", "pipefail", "-c", command],
        cwd=folder,
        env=environment,
        capture_output=True,
        check=False,
    )
    return run.returncode != 0
