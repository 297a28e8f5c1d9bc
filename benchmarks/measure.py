"""Passes of all subjects over the files of a workload, interleaved, and what they amount to."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.subjects import Subject

__all__ = ["Timing", "compare"]


_AT_LEAST = 2
"""Rounds that count, however long they take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """What one subject takes for one file."""

    subject: str
    median: float
    """Seconds of processor time."""
    best: float
    ratio: float
    """Median over the passes of the time over that of the hash in the same round."""
    best_ratio: float
    passes: int


def compare(
    subjects: Sequence[Subject], paths: Sequence[Path], *, seconds: float, rounds: int
) -> tuple[Timing, ...]:
    """Return a timing for each subject, the first of which is the hash alone.

    Every round is one pass of each subject, so that whatever the machine does meanwhile happens
    to all of them. The first round is not counted: it fills caches, also those of srsign.

    Args:
        subjects: What to compare.
        paths: Files.
        seconds: No round begins after this time, counted from the third on.
        rounds: How many rounds at most.
    """
    size = paths[0].stat().st_size
    taking_part = [s for s in subjects if s.largest is None or size <= s.largest]
    times: dict[str, list[float]] = {s.name: [] for s in taking_part}
    started = time.monotonic()
    for number in range(rounds + 1):
        if number > _AT_LEAST and time.monotonic() - started > seconds:
            break
        for subject in taking_part:
            chosen = (
                paths if subject.most_files is None else _some(paths, number, subject.most_files)
            )
            taken = subject.time(chosen) / len(chosen)
            if number:
                times[subject.name].append(taken)
    reference = times[taking_part[0].name]
    return tuple(
        Timing(
            subject=name,
            median=median(taken),
            best=min(taken),
            ratio=median(a / b for a, b in zip(taken, reference, strict=True)),
            best_ratio=min(taken) / min(reference),
            passes=len(taken),
        )
        for name, taken in times.items()
    )


def _some(paths: Sequence[Path], number: int, most: int) -> Sequence[Path]:
    first = number * most % len(paths)
    return paths[first : first + most]
