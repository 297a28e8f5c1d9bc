"""The proof that goes with each instance that is cited, and the comparison with it later.

Cites: PS3.15 A.4; PS3.17 Annex W.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from sr.app.evidence_folder import DAMAGED, EvidenceFolder, Skipped, survey
from sr.app.files import open_dicom
from sr.app.mac_cache import remembered_mac
from sr.app.pool import each
from sr.app.settings import current_settings
from sr.dicomfile import DICOMFile
from sr.document.evidence import Evidence, read_evidence
from sr.document.reference import ReferencedDigitalSignature, SecureReference
from sr.errors import EvidenceError, SRError
from sr.mac import ReferencedSOPInstanceMAC, compute_mac
from sr.signature.references import DocumentReference, document_references
from sr.verification import Candidate, gather
from sr.verification.facts import ReferenceFacts
from sr.verification.references import compare_reference

__all__ = ["LoadedEvidence", "compare_evidence", "load_evidence", "secure_reference"]

_WORTH_A_POOL = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedEvidence:
    """The instances in some folders, each with its proof."""

    evidence: tuple[Evidence, ...]
    skipped: tuple[Skipped, ...]
    """What was left out, and why."""


def load_evidence(
    paths: Iterable[Path], *, without: Iterable[Path] = (), tolerant: bool = False
) -> LoadedEvidence:
    """Return the instances in some folders with their proofs, and what was left out.

    Args:
        paths: Files, folders and DICOMDIRs.
        without: Files that do not count.
        tolerant: Leave out what is damaged or contradictory instead of refusing.

    Raises:
        EvidenceError: A file is damaged, or two different objects have one UID.
        ConfigurationError: A path does not exist.

    Cites: PS3.15 A.4 b.
    """
    folder = survey(paths, without=without)
    skipped = list(folder.skipped)
    evidence: dict[str, Evidence] = {}
    cited = each(_cite_path, folder.paths, jobs=_jobs(len(folder.paths)))
    for path, item in zip(folder.paths, cited, strict=True):
        if isinstance(item, SRError):
            skipped.append(Skipped(path=path, reason=str(item), rule=DAMAGED))
            continue
        known = evidence.setdefault(item.sop_instance_uid, item)
        if known.reference != item.reference:
            reason = f"{known.label} is a different object with the same SOPInstanceUID (0008,0018)"
            skipped.append(Skipped(path=path, reason=reason, rule="EVIDENCE_CONFLICT"))
    broken = [s for s in skipped if s.broken]
    if broken and not tolerant:
        listed = "; ".join(f"{s.path}: {s.reason}" for s in broken)
        raise EvidenceError(
            f"{len(broken)} evidence files cannot be cited: {listed}",
            hint=f"nothing was written; the other {len(evidence)} files are readable",
        )
    return LoadedEvidence(evidence=tuple(evidence.values()), skipped=tuple(skipped))


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
