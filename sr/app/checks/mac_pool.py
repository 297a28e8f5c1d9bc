"""Use case: the MACs of many instances, by several processes, also in more than one run.

Nothing here needs a certificate or pydicom, so that worker processes start quickly.

Cites: PS3.3 Table C.17-3a.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from sr.app.files import open_dicom, read_bytes
from sr.app.pool import each
from sr.dicomfile import format_tag
from sr.errors import SRError
from sr.mac import MACAlgorithm, ReferencedSOPInstanceMAC, compute_mac
from sr.mac.reference import one_list

__all__ = ["MACOutcome", "compute", "compute_macs", "not_yet_computed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MACOutcome:
    """The MAC of one file, or the error that kept it from being computed.

    Cites: PS3.3 Table C.17-3a.
    """

    path: Path
    size: int = 0
    """Bytes of the file."""
    modified_ns: int = 0
    """When the file was last modified, as the file system says, before it was read."""
    sop_class_uid: str = ""
    sop_instance_uid: str = ""
    reference: ReferencedSOPInstanceMAC | None = None
    not_covered: tuple[int, ...] = ()
    """Top-level tags that the MAC leaves out, group lengths not counted."""
    error: SRError | None = None


def compute_macs(
    paths: Iterable[Path],
    *,
    algorithm: MACAlgorithm = MACAlgorithm.SHA256,
    private: bool = False,
    jobs: int = 1,
) -> Iterator[MACOutcome]:
    """Yield the MAC of each file, in order, as soon as it is known; go on where one fails.

    Args:
        paths: Instances.
        algorithm: Digest.
        private: Whether to cover private elements.
        jobs: How many processes; with one, everything happens in this one.

    Raises:
        ExternalServiceError: A process was killed.

    Cites: PS3.3 Table C.17-3a.
    """
    yield from each(partial(_outcome, algorithm=algorithm, private=private), paths, jobs=jobs)


def compute(
    paths: Iterable[Path],
    algorithm: MACAlgorithm = MACAlgorithm.SHA256,
    *,
    private: bool = False,
    jobs: int = 1,
) -> Iterator[dict[str, Any]]:
    """Yield the same as ``compute_macs`` as JSON objects.

    Raises:
        ExternalServiceError: A process was killed.

    Cites: PS3.3 Table C.17-3a.
    """
    for outcome in compute_macs(paths, algorithm=algorithm, private=private, jobs=jobs):
        yield _row(outcome, private=private)


def not_yet_computed(
    paths: Iterable[Path],
    rows: Path,
    algorithm: MACAlgorithm = MACAlgorithm.SHA256,
    *,
    private: bool = False,
) -> tuple[Path, ...]:
    """Return the paths for which an earlier run left no MAC that still holds.

    A MAC holds while the file has the size and the time of modification it had then, and the
    algorithm and what is covered are the same. Failures are tried again.

    Args:
        paths: Instances.
        rows: JSON lines of an earlier run, complete or cut short.
        algorithm: Digest.
        private: Whether private elements are to be covered.

    Raises:
        ConfigurationError: The earlier output cannot be read.
    """
    done = {
        (row["file"], row["size"], row["modified_ns"])
        for row in _rows(rows)
        if row.get("algorithm") == algorithm.value and row.get("private") == private
    }
    return tuple(path for path in paths if (str(path), *_stat(path)) not in done)


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the results among JSON lines; a line that was cut off is none."""
    for line in read_bytes(path).splitlines():
        try:
            row = json.loads(line)
        except ValueError:
            continue
        if isinstance(row, dict) and row.keys() >= {"file", "size", "modified_ns", "mac"}:
            yield row


def _stat(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except OSError:
        return 0, 0
    return found.st_size, found.st_mtime_ns


def _outcome(path: Path, *, algorithm: MACAlgorithm, private: bool) -> MACOutcome:
    size, modified_ns = _stat(path)
    try:
        file = open_dicom(path, allow_odd_lengths=True)
        reference = compute_mac(file, algorithm=algorithm, private=private)
        sop_class_uid, sop_instance_uid = file.sop_class_uid, file.sop_instance_uid
    except SRError as error:
        return MACOutcome(path=path, size=size, modified_ns=modified_ns, error=error)
    covered = frozenset(reference.data_elements_signed)
    tags = (element.tag for element in file.dataset)
    return MACOutcome(
        path=path,
        size=size,
        modified_ns=modified_ns,
        sop_class_uid=sop_class_uid,
        sop_instance_uid=sop_instance_uid,
        reference=reference,
        not_covered=one_list(tuple(t for t in tags if t not in covered and t & 0xFFFF != 0)),
    )


def _row(outcome: MACOutcome, *, private: bool) -> dict[str, Any]:
    error, found = outcome.error, outcome.reference
    if found is None:
        assert error is not None  # noqa: S101 - one of the two is there, for the type checker
        said = {"code": error.code, "message": str(error), "hint": error.hint}
        return {
            "file": str(outcome.path),
            "error": said | {"rule": getattr(error, "rule", None)},
        }
    return {
        "file": str(outcome.path),
        "size": outcome.size,
        "modified_ns": outcome.modified_ns,
        "sop_class_uid": outcome.sop_class_uid,
        "sop_instance_uid": outcome.sop_instance_uid,
        "algorithm": found.algorithm.value,
        "mac": found.mac.hex(),
        "transfer_syntax_uid": found.transfer_syntax_uid,
        "private": private,
        "elements": len(found.data_elements_signed),
        "data_elements_signed": [format_tag(tag) for tag in found.data_elements_signed],
        "not_covered": [format_tag(tag) for tag in outcome.not_covered],
    }
