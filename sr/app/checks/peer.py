"""DCMTK's dcmsign as a second opinion, where it is installed.

It is asked by absolute path, because pynetdicom installs scripts under names of DCMTK tools, and
it runs with limits on time, as any other parser of foreign bytes should.

Cites: docs/divergences.md.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

__all__ = ["dcmsign_accepts", "find_dcmsign"]

_PATHS = (Path("/usr/bin/dcmsign"), Path("/usr/local/bin/dcmsign"))
_SECONDS = 60


def find_dcmsign() -> Path | None:
    """Return where dcmsign is, ``None`` where it is not installed."""
    return next((path for path in _PATHS if path.is_file()), None)


def dcmsign_accepts(dcmsign: Path, document: Path, *, anchor: Path, intermediate: Path) -> bool:
    """Return whether dcmsign verifies every signature and finds the SR profile fulfilled.

    Cites: PS3.15 C.4.
    """
    command = [
        str(dcmsign), "--verify", "+cf", str(anchor), "+uf", str(intermediate), "+rs",
        str(document),
    ]  # fmt: skip
    try:
        done = subprocess.run(command, capture_output=True, timeout=_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
