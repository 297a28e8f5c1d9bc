"""Measure: every figure beside the hash of the same bytes, all in one run.

    python -m benchmarks            files up to a few MiB
    python -m benchmarks --large    the 1.5 GB instance too
    python -m benchmarks --quick    fewer rounds
    python -m benchmarks --json     one JSON object instead of tables

Runs are interleaved and medians taken, because other programs disturb a machine.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from pydicom import dcmread
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_data_element

from benchmarks.workloads import WORKLOADS, Workload, small_series
from sr.app.files import open_dicom
from sr.app.mac_pool import compute_macs
from sr.mac import compute_mac

_BLOCK = 1 << 20
_DCMSIGN = Path("/usr/bin/dcmsign")
_GROWTH = (100, 1_000, 4_000)
Row = dict[str, object]


def read_and_hash(path: Path) -> None:
    """Hash a file as it is: what any integrity check costs at least."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)


def srsign(path: Path) -> None:
    """Compute the MAC of an instance as a secure reference carries it."""
    compute_mac(open_dicom(path))


def naive(path: Path) -> None:
    """Hash what pydicom writes, element by element: the obvious way, and a wrong one."""
    digest = hashlib.sha256()
    for element in dcmread(path):
        buffer = DicomBytesIO()
        buffer.is_little_endian, buffer.is_implicit_VR = True, False
        write_data_element(buffer, element)
        digest.update(buffer.getvalue())


def sha256sum(path: Path) -> None:
    """Run coreutils' program, process start included."""
    subprocess.run(["/usr/bin/sha256sum", path], check=True, stdout=subprocess.DEVNULL)


def dcmsign(path: Path) -> None:
    """Sign with DCMTK's program, process start and one RSA-2048 signature included."""
    key, certificate = _throw_away()
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            [_DCMSIGN, "-q", "+s", key, certificate, "-pf", "+m2", path, Path(folder) / "out"],
            check=False,
            capture_output=True,
        )


def median_seconds(
    works: Sequence[Callable[[Path], None]], paths: Sequence[Path], rounds: int
) -> list[float]:
    """Return the median seconds a file of each work, interleaved file by file."""
    times: list[list[float]] = [[] for _ in works]
    for number in range(rounds):
        path = paths[number % len(paths)]
        for index, work in enumerate(works):
            start = time.perf_counter()
            work(path)
            times[index].append(time.perf_counter() - start)
    return [statistics.median(seconds) for seconds in times]


def peak_megabytes(path: Path) -> float:
    """Return the peak resident memory of a fresh process that computes one MAC."""
    code = (
        "import sys; from pathlib import Path; from sr.app.files import open_dicom; "
        "from sr.mac import compute_mac; compute_mac(open_dicom(Path(sys.argv[1]))); "
        "print(Path('/proc/self/status').read_text().split('VmHWM:')[1].split()[0])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, path], check=True, capture_output=True, text=True
    )
    return float(done.stdout) / 1024


def measure(workload: Workload, *, quick: bool) -> Row:
    """Return the figures of one workload."""
    paths = workload.make()
    rounds = 3 if workload.is_large else 40 if quick else 200
    hashed, ours = median_seconds([read_and_hash, srsign], paths, rounds)
    row: Row = {
        "workload": workload.title,
        "bytes": paths[0].stat().st_size,
        "hash_ms": hashed * 1e3,
        "srsign_ms": ours * 1e3,
        "ratio": ours / hashed,
        "goal": workload.target,
        "peak_mb": peak_megabytes(paths[0]),
    }
    slow = [("naive pydicom", naive), ("sha256sum", sha256sum)]
    slow += [("dcmsign", dcmsign)] if _DCMSIGN.exists() else []
    if not workload.is_large:
        seconds = median_seconds([work for _, work in slow], paths, 3 if quick else 9)
        row |= {name: value / hashed for (name, _), value in zip(slow, seconds, strict=True)}
    return row


def measure_jobs(workload: Workload) -> Row:
    """Return how much faster two processes are than one, start of the processes apart."""
    paths = workload.make() * 25
    seconds = {}
    for jobs in (1, 2):
        stream = compute_macs(paths, jobs=jobs)
        next(stream)
        start = time.perf_counter()
        sum(1 for _ in stream)
        seconds[jobs] = time.perf_counter() - start
    return {"workload": workload.title, "speed_up_on_2_cores": seconds[1] / seconds[2]}


def measure_growth(sizes: Sequence[int]) -> Row:
    """Return the cost an instance for series of growing size."""
    row: Row = {}
    for size in sizes:
        paths = small_series(size)
        start = time.perf_counter()
        sum(1 for _ in compute_macs(paths))
        row[f"us_each_of_{size}"] = (time.perf_counter() - start) / size * 1e6
    return row


def _throw_away() -> tuple[Path, Path]:
    """Return a throw-away key and certificate for dcmsign."""
    folder = Path(tempfile.gettempdir()) / f"srsign-benchmark-{os.getuid()}"
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    if not certificate.exists():
        folder.mkdir(mode=0o700, exist_ok=True)
        command = ("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", "/CN=x")
        subprocess.run(
            ["/usr/bin/openssl", *command, "-keyout", key, "-out", certificate],
            check=True,
            capture_output=True,
        )
    return key, certificate


def show(rows: Sequence[Row]) -> None:
    """Print rows as a table."""
    for row in rows:
        cells = (
            f"{key} {value:.3g}" if isinstance(value, float) else f"{key} {value}"
            for key, value in row.items()
            if value is not None
        )
        print("  ".join(cells), flush=True)


def main() -> None:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--large", action="store_true", help="the 1.5 GB instance too")
    parser.add_argument("--quick", action="store_true", help="fewer rounds")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    rows = []
    for workload in WORKLOADS:
        if workload.is_large and not options.large:
            continue
        rows.append(measure(workload, quick=options.quick))
        if not options.json:
            show(rows[-1:])
    rows.append(measure_jobs(WORKLOADS[0]))
    rows.append(measure_growth(_GROWTH[:2] if options.quick else _GROWTH))
    if options.json:
        print(json.dumps(rows))
    else:
        show(rows[-2:])


if __name__ == "__main__":
    main()
