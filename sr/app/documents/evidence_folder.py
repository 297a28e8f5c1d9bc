"""Evidence on disk: which instances are in some folders, by their headers.

Folders are searched to the bottom. Files that are not DICOM are none of our business; DICOM files
that cannot be cited are reported with the reason, never guessed at. Below a DICOMDIR its records
say what belongs to the file-set.

Cites: PS3.15 A.4; PS3.10 8; PS3.3 F.3.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from sr.app.documents.file_set import ListedFile, list_file_set
from sr.app.files import open_dicom
from sr.dicomfile import DICOMFile
from sr.document.file_set import MEDIA_STORAGE_DIRECTORY, FileSetFault
from sr.errors import ConfigurationError, NotDICOMError, SRError
from sr.findings import Finding, Status, SubIndication
from sr.verification import Candidate

__all__ = ["DAMAGED", "EvidenceFolder", "Skipped", "expand", "survey"]

_META_CLASS = 0x00020002
_NAME = "DICOMDIR"
_MISNAMED = f"it lists instances and is none; it counts under the name {_NAME}"
_UNLISTED = "no record of the DICOMDIR above it names it"
DAMAGED = "EVIDENCE_DAMAGED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """A file that cannot be cited, and why."""

    path: Path
    reason: str
    rule: str = ""
    """The rule it breaks, where it is damaged or contradicts others rather than merely nothing to
    cite."""

    @property
    def broken(self) -> bool:
        """Whether something is wrong with it."""
        return bool(self.rule)


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceFolder:
    """What is in some folders, by SOP Instance UID; nothing is kept open."""

    by_uid: dict[str, tuple[Path, ...]]
    skipped: tuple[Skipped, ...]
    unlisted: frozenset[Path] = frozenset()
    """Readable instances below a DICOMDIR that no record of it names: compared, never cited."""
    labels: Mapping[Path, str] = field(default_factory=dict)
    """What verdicts call a file, where that is not its path."""

    @property
    def paths(self) -> tuple[Path, ...]:
        """Every instance that can be cited, in order of its path."""
        readable = {path for paths in self.by_uid.values() for path in paths}
        return tuple(sorted(readable - self.unlisted))

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What a verdict has to say about the folders themselves: damaged files and records."""
        return tuple(
            Finding(
                rule=skipped.rule,
                status=Status.WARN,
                message=f"{self.label(skipped.path)}: {skipped.reason}",
                cites="PS3.10 7, 8",
                sub_indication=SubIndication.EVIDENCE_COVERAGE,
            )
            for skipped in self.skipped
            if skipped.broken
        )

    def label(self, path: Path) -> str:
        """Return what verdicts call a file."""
        return self.labels.get(path, str(path))

    def find(self, sop_instance_uid: str) -> Iterator[Candidate]:
        """Yield the files that claim a UID."""
        for path in self.by_uid.get(sop_instance_uid, ()):
            read = partial(open_dicom, path, allow_odd_lengths=True)
            yield Candidate(label=self.label(path), read=read)


def expand(paths: Iterable[Path]) -> tuple[Path, ...]:
    """Return the files that paths name, folders searched to the bottom, each once.

    Raises:
        ConfigurationError: A path does not exist.
    """
    found: dict[Path, Path] = {}
    for path in paths:
        if not path.exists():
            raise ConfigurationError(f"{path} does not exist")
        inside = (
            Path(folder) / name for folder, _, names in os.walk(path) for name in sorted(names)
        )
        for file in sorted(inside) if path.is_dir() else (path,):
            if file.is_file():
                found.setdefault(file.resolve(), file)
    return tuple(found.values())


def survey(paths: Iterable[Path], *, without: Iterable[Path] = ()) -> EvidenceFolder:
    """Return which instances some folders hold; only headers are read.

    A DICOMDIR that is named adds the files of its file-set. One that is found in a folder decides
    what below it can be cited, unless none of its records leads to a file.

    Args:
        paths: Files and folders.
        without: Files that do not count.

    Raises:
        ConfigurationError: A path does not exist.
    """
    paths = tuple(paths)
    named = frozenset(path.resolve() for path in paths if not path.is_dir())
    ignored = frozenset(path.resolve() for path in without)
    seen = {
        resolved: _look(path, named=resolved in named)
        for path in expand(paths)
        if (resolved := path.resolve()) not in ignored
    }
    listings = tuple(
        (s.path, *list_file_set(s.path, s.directory)) for s in seen.values() if s.directory
    )
    listed: dict[Path, list[Skipped]] = {}
    for directory, files, _ in listings:
        for file in files:
            resolved = file.path.resolve()
            if resolved not in seen:
                seen[resolved] = _look(file.path, named=False)
            faults = _contradiction(directory, file, seen[resolved])
            listed.setdefault(resolved, []).extend(faults)
    instances = {resolved: s for resolved, s in seen.items() if s.sop_instance_uid}
    by_uid: dict[str, list[Path]] = {}
    for s in instances.values():
        by_uid.setdefault(s.sop_instance_uid, []).append(s.path)
    roots = frozenset(directory.parent.resolve() for directory, files, _ in listings if files)
    unlisted = frozenset(
        s.path
        for resolved, s in instances.items()
        if resolved not in named and resolved not in listed and roots.intersection(resolved.parents)
    )
    return EvidenceFolder(
        by_uid={uid: tuple(found) for uid, found in by_uid.items()},
        skipped=(
            *(s.skipped for s in seen.values() if s.skipped),
            *(_fault(path, fault) for path, _, faults in listings for fault in faults),
            *(skipped for found in listed.values() for skipped in found),
            *(Skipped(path=path, reason=_UNLISTED) for path in sorted(unlisted)),
        ),
        unlisted=unlisted,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """What the header of a file said; nothing where it is no DICOM file."""

    path: Path
    sop_class_uid: str = ""
    sop_instance_uid: str = ""
    directory: DICOMFile | None = None
    skipped: Skipped | None = None


def _look(path: Path, *, named: bool) -> _Seen:
    """Return what a file is; a DICOMDIR counts by its name, or where it was named itself."""
    try:
        file = open_dicom(path, allow_odd_lengths=True)
    except NotDICOMError:
        return _Seen(path=path)
    except SRError as error:
        return _Seen(path=path, skipped=Skipped(path=path, reason=str(error), rule=DAMAGED))
    if _is_directory(file):
        if named or path.name == _NAME:
            return _Seen(path=path, directory=file)
        return _Seen(path=path, skipped=Skipped(path=path, reason=_MISNAMED))
    if not file.sop_instance_uid:
        reason = "SOPInstanceUID (0008,0018) is missing"
        return _Seen(path=path, skipped=Skipped(path=path, reason=reason))
    return _Seen(
        path=path, sop_class_uid=file.sop_class_uid, sop_instance_uid=file.sop_instance_uid
    )


def _contradiction(directory: Path, file: ListedFile, found: _Seen) -> Iterator[Skipped]:
    """Yield where a record says something else than the file; a damaged file is reported itself."""
    record = file.record
    said = (record.sop_class_uid, record.sop_instance_uid)
    damaged = found.skipped is not None and found.skipped.broken
    if not damaged and said != (found.sop_class_uid, found.sop_instance_uid):
        reason = f"{file.path} is not the instance that it names"
        yield _fault(directory, FileSetFault(where=record.where, reason=reason))


def _fault(directory: Path, fault: FileSetFault) -> Skipped:
    reason = f"{fault.where}: {fault.reason}"
    return Skipped(path=directory, reason=reason, rule="EVIDENCE_FILE_SET")


def _is_directory(file: DICOMFile) -> bool:
    return file.meta is not None and file.meta.text(_META_CLASS) == MEDIA_STORAGE_DIRECTORY
