"""Evidence in the folders that the operator names; callers name studies, never paths.

Links that lead out of the folders are not followed. Files are read again when a folder has changed,
told by names, times and sizes.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

from sr.app.documents.evidence_folder import survey
from sr.app.files import open_dicom
from sr.errors import SRError

__all__ = ["EvidenceRoots"]

_STUDY_INSTANCE_UID = 0x0020000D
_State = tuple[str, int, int]
"""Path, time of the last change in nanoseconds, size in bytes."""
_Studies = dict[str, tuple[Path, ...]]


@dataclass(frozen=True, slots=True)
class EvidenceRoots:
    """Folders with instances; headers are read once for each state of a file."""

    roots: tuple[Path, ...]
    _of_files: dict[_State, str] = field(default_factory=dict)
    _surveyed: dict[frozenset[_State], _Studies] = field(default_factory=dict)
    """What the last survey found, by what was in the folders then."""
    _lock: Lock = field(default_factory=Lock)

    def study(self, study_instance_uid: str) -> tuple[Path, ...]:
        """Return the files of a study, in order of their paths.

        Raises:
            ConfigurationError: A folder does not exist.
        """
        return self.studies().get(study_instance_uid, ())

    def studies(self) -> _Studies:
        """Return the files of every study, in order of their paths.

        Raises:
            ConfigurationError: A folder does not exist.
        """
        with self._lock:
            state = frozenset(self._state())
            if state not in self._surveyed or not all(root.is_dir() for root in self.roots):
                found = self._survey()
                self._surveyed.clear()
                self._surveyed[state] = found
            return self._surveyed[state]

    def _survey(self) -> _Studies:
        inside = tuple(root.resolve() for root in self.roots)
        found: dict[str, list[Path]] = {}
        for path in survey(self.roots).paths:
            if not any(path.resolve().is_relative_to(root) for root in inside):
                continue
            if uid := self._study_of(path):
                found.setdefault(uid, []).append(path)
        return {uid: tuple(paths) for uid, paths in found.items()}

    def _state(self) -> Iterator[_State]:
        for root in self.roots:
            for folder, _, names in os.walk(root):
                for name in names:
                    path = os.path.join(folder, name)  # noqa: PTH118 - for every file, each time
                    try:
                        state = os.stat(path)  # noqa: PTH116
                    except OSError:  # gone meanwhile, or a link to nothing
                        continue
                    yield path, state.st_mtime_ns, state.st_size

    def _study_of(self, path: Path) -> str:
        state = path.stat()
        key = (str(path), state.st_mtime_ns, state.st_size)
        if key not in self._of_files:
            try:
                dataset = open_dicom(path, allow_odd_lengths=True).dataset
                self._of_files[key] = dataset.text(_STUDY_INSTANCE_UID)
            except SRError:
                self._of_files[key] = ""
        return self._of_files[key]
