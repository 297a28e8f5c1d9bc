"""More cores, more instances: what a second process gains, and whether any cost grows faster."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.documents import Office
from benchmarks.workloads import DATA, small_series
from sr.app.checks.check import check_file
from sr.app.checks.mac_pool import compute_macs
from sr.app.documents.authoring import author_key_objects
from sr.app.documents.evidence import load_evidence
from sr.app.documents.securing import Securing
from sr.codes import key_object_title

__all__ = ["Growth", "Speedup", "growth", "speedup"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Speedup:
    """Wall-clock seconds for one batch of files."""

    files: int
    one: float
    two: float

    @property
    def factor(self) -> float:
        """How many times as fast two processes are, their start included."""
        return self.one / self.two


@dataclass(frozen=True, slots=True, kw_only=True)
class Growth:
    """Seconds an instance, at some number of instances."""

    instances: int
    mac: float
    """Processor time of ``srsign mac compute`` with one process."""
    seal: float
    """Wall-clock time from the files to the signed key object selection."""
    check: float
    """Wall-clock time of checking it against the files."""


def speedup(paths: Sequence[Path], *, files: int, rounds: int) -> Speedup:
    """Return how fast one and two processes are, in alternation."""
    batch = (list(paths) * (files // len(paths) + 1))[:files]
    times: dict[int, list[float]] = {1: [], 2: []}
    for _ in range(rounds):
        for jobs, taken in times.items():
            start = time.perf_counter()
            for outcome in compute_macs(batch, jobs=jobs):
                assert outcome.reference is not None
            taken.append(time.perf_counter() - start)
    return Speedup(files=files, one=median(times[1]), two=median(times[2]))


def growth(numbers: Sequence[int], office: Office) -> Iterator[Growth]:
    """Yield the cost of an instance in series of growing size."""
    for number in numbers:
        paths = small_series(number)
        start = time.process_time()
        for outcome in compute_macs(paths):
            assert outcome.reference is not None
        mac = time.process_time() - start
        start = time.perf_counter()
        evidence = load_evidence(paths, securing=Securing(check=office.options())).evidence
        title = key_object_title("113035")
        sealed = DATA / f"seal-{number}.dcm"
        sealed.write_bytes(office.sign(author_key_objects(title, evidence, ports=office.ports)[0]))
        seal = time.perf_counter() - start
        start = time.perf_counter()
        verdict = check_file(sealed, office.options(evidence=paths))
        check = time.perf_counter() - start
        assert verdict.indication == "PASSED", verdict
        yield Growth(instances=number, mac=mac / number, seal=seal / number, check=check / number)
