"""The tracked files of the checkout."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

__all__ = ["tracked_files"]


def tracked_files(repository: Path) -> Iterator[tuple[str, bytes]]:
    """Yield path and content of every tracked file that is still there."""
    listing = subprocess.run(
        ["git", "ls-files", "-z"], cwd=repository, capture_output=True, text=True, check=True
    )
    for name in filter(None, listing.stdout.split("\0")):
        path = repository / name
        if path.is_file():
            yield name, path.read_bytes()
