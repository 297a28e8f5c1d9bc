"""Evidence on disk: which instances are in some folders, and the proof that goes with each.

Folders are searched to the bottom. Files that are not DICOM are none of our business; DICOM files
that cannot be cited are reported with the reason, never guessed at.

Cites: PS3.15 A.4; PS3.17 Annex W.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from sr.app.files import open_dicom
from sr.app.mac_cache import remembered_mac
from sr.app.pool import each
from sr.app.settings import current_settings
from sr.dicomfile import DICOMFile
from sr.document.evidence import Evidence, read_evidence
from sr.document.reference import ReferencedDigitalSignature, SecureReference
from sr.errors import ConfigurationError, EvidenceError, NotDICOMError, SRError
from sr.mac import ReferencedSOPInstanceMAC, compute_mac
from sr.signature.references import DocumentReference, document_references
from sr.verification import Candidate, gather
from sr.verification.facts import ReferenceFacts
from sr.verification.references import compare_reference

__all__ = [
    "EvidenceFolder",
    "Skipped",
    "compare_evidence",
    "expand",
    "load_evidence",
    "secure_reference",
    "survey",
]

_DIRECTORY = "1.2.840.10008.1.3.10"
_META_CLASS = 0x00020002
_WORTH_A_POOL = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """A file that cannot be cited, and why."""

    path: Path
    reason: str
    broken: bool
    """Whether it is damaged, rather than merely nothing to cite."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceFolder:
    """What is in some folders, by SOP Instance UID; nothing is kept open."""

    by_uid: dict[str, tuple[Path, ...]]
    skipped: tuple[Skipped, ...]

    @property
    def paths(self) -> tuple[Path, ...]:
        """Every readable instance, in order of its path."""
        return tuple(sorted(path for paths in self.by_uid.values() for path in paths))

    def find(self, sop_instance_uid: str) -> Iterator[Candidate]:
        """Yield the files that claim a UID."""
        for path in self.by_uid.get(sop_instance_uid, ()):
            yield Candidate(label=str(path), read=partial(open_dicom, path, allow_odd_lengths=True))


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


def survey(paths: Iterable[Path]) -> EvidenceFolder:
    """Return which instances some folders hold; only headers are read.

    Raises:
        ConfigurationError: A path does not exist.
    """
    by_uid: dict[str, tuple[Path, ...]] = {}
    skipped: list[Skipped] = []
    for path in expand(paths):
        try:
            file = open_dicom(path, allow_odd_lengths=True)
        except NotDICOMError:
            continue
        except SRError as error:
            skipped.append(Skipped(path=path, reason=str(error), broken=True))
            continue
        if _is_directory(file):
            reason = "a DICOMDIR lists instances and is none; it has no SOPInstanceUID (0008,0018)"
            skipped.append(Skipped(path=path, reason=reason, broken=False))
        elif not file.sop_instance_uid:
            reason = "SOPInstanceUID (0008,0018) is missing"
            skipped.append(Skipped(path=path, reason=reason, broken=False))
        else:
            uid = file.sop_instance_uid
            by_uid[uid] = (*by_uid.get(uid, ()), path)
    return EvidenceFolder(by_uid=by_uid, skipped=tuple(skipped))


def load_evidence(
    paths: Iterable[Path], *, tolerant: bool = False
) -> tuple[tuple[Evidence, ...], tuple[Skipped, ...]]:
    """Return the instances in some folders with their proofs, and what was left out.

    Args:
        paths: Files and folders.
        tolerant: Leave out what is damaged or contradictory instead of refusing.

    Raises:
        EvidenceError: A file is damaged, or two different objects have one UID.
        ConfigurationError: A path does not exist.

    Cites: PS3.15 A.4 b.
    """
    folder = survey(paths)
    skipped = list(folder.skipped)
    evidence: dict[str, Evidence] = {}
    cited = each(_cite_path, folder.paths, jobs=_jobs(len(folder.paths)))
    for path, item in zip(folder.paths, cited, strict=True):
        if isinstance(item, SRError):
            skipped.append(Skipped(path=path, reason=str(item), broken=True))
            continue
        known = evidence.setdefault(item.sop_instance_uid, item)
        if known.reference != item.reference:
            reason = f"{known.label} is a different object with the same SOPInstanceUID (0008,0018)"
            skipped.append(Skipped(path=path, reason=reason, broken=True))
    broken = [s for s in skipped if s.broken]
    if broken and not tolerant:
        listed = "; ".join(f"{s.path}: {s.reason}" for s in broken)
        raise EvidenceError(
            f"{len(broken)} evidence files cannot be cited: {listed}",
            hint=f"nothing was written; the other {len(evidence)} files are readable",
        )
    return tuple(evidence.values()), tuple(skipped)


def compare_evidence(file: DICOMFile, folder: EvidenceFolder) -> tuple[ReferenceFacts, ...]:
    """Return one comparison for each evidence item of a document, by several processes if many.

    Cites: PS3.15 A.4.
    """
    cited = tuple(r for r in document_references(file.dataset) if r.is_evidence)
    pairs = tuple((r, tuple(folder.find(r.sop_instance_uid))) for r in cited)
    return tuple(each(_compare_pair, pairs, jobs=_jobs(len(pairs))))


def _compare_pair(pair: tuple[DocumentReference, tuple[Candidate, ...]]) -> ReferenceFacts:
    return compare_reference(*pair)


def _jobs(count: int) -> int:
    """Return how many processes work on that many files; few are not worth starting any."""
    wanted = current_settings().mac.jobs or os.cpu_count() or 1
    return wanted if count >= _WORTH_A_POOL else 1


def _cite_path(path: Path) -> Evidence | SRError:
    memory = current_settings().mac.cache
    try:
        file = open_dicom(path, allow_odd_lengths=True)
        mac = remembered_mac(Path(memory), path, file) if memory else None
        return read_evidence(
            file.dataset, reference=secure_reference(file, mac=mac), label=path.name
        )
    except SRError as error:
        return error


def secure_reference(
    file: DICOMFile, *, mac: ReferencedSOPInstanceMAC | None = None
) -> SecureReference:
    """Return the proof of an instance: MAC over every signable element, and intact signatures.

    Args:
        file: The instance.
        mac: Its MAC, where that is known already.

    Raises:
        EncodingError: Nothing in it can be covered by a MAC.

    Cites: PS3.3 Table C.17-3a.
    """
    return SecureReference(
        mac=mac or compute_mac(file),
        signatures=tuple(
            ReferencedDigitalSignature(
                digital_signature_uid=s.digital_signature_uid, signature=s.signature
            )
            for s in gather(file).top_level
            if s.integrity.is_intact
        ),
    )


def _is_directory(file: DICOMFile) -> bool:
    return file.meta is not None and file.meta.text(_META_CLASS) == _DIRECTORY
