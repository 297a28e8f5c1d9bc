"""What is compared: the hash alone, srsign, and what other programs do with the same file.

Times are seconds of processor time, of this process or of the program that was run: with the files
in the page cache there is nothing to wait for, and what else the machine does hardly counts.
"""

from __future__ import annotations

import hashlib
import os
import resource
import shutil
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydicom import dcmread
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_data_element

from benchmarks.memory import mac_of

__all__ = ["DCMSIGN", "SHA256SUM", "Subject", "all_subjects"]

DCMSIGN = Path("/usr/bin/dcmsign")
SHA256SUM = shutil.which("sha256sum")
_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Something that takes time over files."""

    name: str
    time: Callable[[Sequence[Path]], float]
    """Returns the seconds for one pass over the files."""
    most_files: int | None = None
    """How many files a pass looks at, where all would take too long."""
    largest: int | None = None
    """Bytes of the largest file it is tried on."""


def all_subjects(signed: Path | None) -> tuple[Subject, ...]:
    """Return the subjects that can be tried here.

    Args:
        signed: One of the files with a signature, for ``dcmsign --verify``.
    """
    found = [
        Subject(name="hash", time=_in_process(_hash)),
        Subject(name="srsign", time=_in_process(mac_of)),
        Subject(name="pydicom", time=_in_process(_naive), most_files=1, largest=100 << 20),
    ]
    if SHA256SUM is not None:
        found.append(Subject(name="sha256sum", time=_sha256sum))
    if DCMSIGN.exists() and signed is not None:
        found.append(Subject(name="dcmsign", time=lambda _: _dcmsign(signed), most_files=1))
    return tuple(found)


def _hash(path: Path) -> bytes:
    """Hash a file, the way one writes it without thinking; large ones in blocks."""
    with path.open("rb") as file:
        if os.fstat(file.fileno()).st_size <= 64 * _BLOCK:
            return hashlib.sha256(file.read()).digest()
        digest = hashlib.sha256()
        while block := file.read(_BLOCK):
            digest.update(block)
        return digest.digest()


def _naive(path: Path) -> bytes:
    """Encode every element anew with pydicom and hash that; often not the right bytes."""
    digest = hashlib.sha256()
    for element in dcmread(path):
        buffer = DicomBytesIO()
        buffer.is_little_endian, buffer.is_implicit_VR = True, False
        write_data_element(buffer, element)
        digest.update(buffer.getvalue())
    return digest.digest()


def _in_process(work: Callable[[Path], object]) -> Callable[[Sequence[Path]], float]:
    def one_pass(paths: Sequence[Path]) -> float:
        start = time.process_time()
        for path in paths:
            work(path)
        return time.process_time() - start

    return one_pass


def _sha256sum(paths: Sequence[Path]) -> float:
    return _program([str(SHA256SUM), *map(str, paths)])


def _dcmsign(signed: Path) -> float:
    return _program([str(DCMSIGN), "--verify", str(signed)])


def _program(command: list[str]) -> float:
    """Return the processor time of a program, its start included."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    quiet = subprocess.DEVNULL
    subprocess.run(command, stdout=quiet, stderr=quiet, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
