"""Evidence in the folders that the operator names; callers name studies, never paths."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

from sr.app.evidence_folder import survey
from sr.app.files import open_dicom
from sr.errors import SRError

__all__ = ["EvidenceRoots"]

_STUDY_INSTANCE_UID = 0x0020000D


@dataclass(frozen=True, slots=True)
class EvidenceRoots:
    """Folders with instances; headers are read once for each state of a file."""

    roots: tuple[Path, ...]
    _studies: dict[tuple[Path, int, int], str] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def study(self, study_instance_uid: str) -> tuple[Path, ...]:
        """Return the files of a study, in order of their paths.

        Raises:
            ConfigurationError: A folder does not exist.
        """
        return self.studies().get(study_instance_uid, ())

    def studies(self) -> dict[str, tuple[Path, ...]]:
        """Return the files of every study, in order of their paths.

        Raises:
            ConfigurationError: A folder does not exist.
        """
        found: dict[str, list[Path]] = {}
        with self._lock:
            for path in survey(self.roots).paths:
                if uid := self._study_of(path):
                    found.setdefault(uid, []).append(path)
        return {uid: tuple(paths) for uid, paths in found.items()}

    def _study_of(self, path: Path) -> str:
        state = path.stat()
        key = (path, state.st_mtime_ns, state.st_size)
        if key not in self._studies:
            try:
                dataset = open_dicom(path, allow_odd_lengths=True).dataset
                self._studies[key] = dataset.text(_STUDY_INSTANCE_UID)
            except SRError:
                self._studies[key] = ""
        return self._studies[key]
