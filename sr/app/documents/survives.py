"""Use case: say, before an edit is made, which signatures and proofs it would break.

Cites: PS3.3 C.12.1.1.3.1.1, Table C.17-3a; PS3.15 A.4, C.4.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sr.app.documents.evidence_folder import expand
from sr.app.files import open_dicom
from sr.dicomfile import DICOMFile
from sr.errors import NotDICOMError
from sr.signature.documents import is_document
from sr.signature.references import DocumentReference, document_references
from sr.verification import gather
from sr.verification.edits import parse_edit
from sr.verification.survival import Outcome, Survival, survival

__all__ = ["SurvivalReport", "exit_code", "survives_as_dict", "survives_file"]

_FAILED, _DIFFERS, _NOT_SIGNED = 10, 13, 12


@dataclass(frozen=True, slots=True, kw_only=True)
class SurvivalReport:
    """What several edits would do to one file."""

    file: Path
    sop_instance_uid: str
    edits: tuple[Survival, ...]


def survives_file(
    path: Path, edits: Iterable[str], *, cited_by: Iterable[Path] = ()
) -> SurvivalReport:
    """Return what each of some edits, made by itself, would do.

    Args:
        path: The file, which is only read.
        edits: As written, e.g. ``set:PatientName`` or ``implicit-vr``.
        cited_by: Documents, or folders with documents, that may cite the file.

    Raises:
        ConfigurationError: There is no such edit, it makes no sense for this file, or a path
            cannot be opened.
        LifecycleError: The life of the document does not allow it.
        DatasetError: A file breaks a structural rule.

    Cites: PS3.3 C.12.1.1.3.1.1.
    """
    file = open_dicom(path)
    parsed = tuple(parse_edit(file, text) for text in edits)
    facts = gather(file)
    references = tuple(_references(file, cited_by))
    return SurvivalReport(
        file=path,
        sop_instance_uid=file.sop_instance_uid,
        edits=tuple(survival(file, facts, edit, references) for edit in parsed),
    )


def _references(
    file: DICOMFile, cited_by: Iterable[Path]
) -> Iterator[tuple[str, DocumentReference]]:
    for path in expand(cited_by):
        try:
            document = open_dicom(path, allow_odd_lengths=True)
        except NotDICOMError:
            continue
        if is_document(document.sop_class_uid):
            for reference in document_references(document.dataset):
                if reference.sop_instance_uid == file.sop_instance_uid:
                    yield path.name, reference


def exit_code(report: SurvivalReport) -> int:
    """Return 0 where all survives, else 10 for a signature, 13 for a proof, 12 for nothing."""
    signatures = [o for edit in report.edits for o in edit.signatures]
    references = [o for edit in report.edits for o in edit.references]
    if not all(o.survives for o in signatures):
        return _FAILED
    if not all(o.survives for o in references):
        return _DIFFERS
    return 0 if signatures or references else _NOT_SIGNED


def survives_as_dict(report: SurvivalReport) -> dict[str, Any]:
    """Return the report as a JSON object."""
    return {
        "schema_version": 1,
        "file": report.file.name,
        "sop_instance_uid": report.sop_instance_uid,
        "edits": [_edit(survival) for survival in report.edits],
    }


def _edit(edit: Survival) -> dict[str, Any]:
    return {
        "edit": edit.edit,
        "survives": all(o.survives for o in (*edit.signatures, *edit.references)),
        "signatures": [
            {
                "number": o.number,
                "digital_signature_uid": o.of,
                "location": o.location,
                "purpose": None if o.purpose is None else o.purpose.value,
                **_outcome(o),
            }
            for o in edit.signatures
        ],
        "references": [
            {"document": o.document, "where": o.of, **_outcome(o)} for o in edit.references
        ],
        "not_covered": [str(touched) for touched in edit.unnoticed],
    }


def _outcome(outcome: Outcome) -> dict[str, Any]:
    return {
        "survives": outcome.survives,
        "reason": outcome.reason.value,
        "because": [str(touched) for touched in outcome.because],
    }
