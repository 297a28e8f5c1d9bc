"""Comparing the references of a document with the evidence that is at hand.

Cites: PS3.15 A.4.
"""

from __future__ import annotations

from sr.app.documents.evidence_folder import EvidenceFolder
from sr.app.pool import each, jobs_for
from sr.dicomfile import DICOMFile
from sr.signature.references import DocumentReference, document_references
from sr.verification import Candidate
from sr.verification.facts import ReferenceFacts
from sr.verification.references import compare_reference

__all__ = ["compare_evidence"]


def compare_evidence(file: DICOMFile, folder: EvidenceFolder) -> tuple[ReferenceFacts, ...]:
    """Return one comparison for each evidence item of a document, by several processes if many.

    Cites: PS3.15 A.4.
    """
    cited = tuple(r for r in document_references(file.dataset) if r.is_evidence)
    pairs = tuple((r, tuple(folder.find(r.sop_instance_uid))) for r in cited)
    return tuple(each(_compare_pair, pairs, jobs=jobs_for(len(pairs))))


def _compare_pair(pair: tuple[DocumentReference, tuple[Candidate, ...]]) -> ReferenceFacts:
    return compare_reference(*pair)
