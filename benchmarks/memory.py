"""Peak memory of computing MACs: ``python -m benchmarks.memory FILE...`` prints it, in bytes.

A process of its own, because the peak of a process never goes down again. ``ru_maxrss`` would
count what the parent had before the child became a program of its own, so Linux is asked for the
high-water mark of this address space where it tells.
"""

from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from sr.app.files import open_dicom
from sr.mac import compute_mac

__all__ = ["mac_of", "peak_memory"]


def mac_of(path: Path) -> bytes:
    """Return the MAC of an instance, as a seal carries it."""
    return compute_mac(open_dicom(path, allow_odd_lengths=True)).mac


def peak_memory(paths: Sequence[Path]) -> int:
    """Return the peak resident memory, in bytes, of a process that computes the MACs of files."""
    command = [sys.executable, "-m", "benchmarks.memory", *map(str, paths)]
    root = Path(__file__).parent.parent
    return int(subprocess.run(command, capture_output=True, check=True, cwd=root).stdout)


def _peak() -> int:
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text(encoding="ascii").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _main(paths: Sequence[str]) -> None:
    for path in paths:
        mac_of(Path(path))
    print(_peak())


if __name__ == "__main__":
    _main(sys.argv[1:])
