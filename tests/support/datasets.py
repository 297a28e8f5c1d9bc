"""Synthetic instances and documents with good defaults; a test changes only what it is about.

Everything is deterministic: UIDs are counted, times fixed. Evidence carries real MACs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from functools import cache
from itertools import count
from pathlib import Path

from pydicom.dataset import Dataset

from sr.app.demonstration.synthetic import synthetic_ct_series
from sr.codes import Code, key_object_title
from sr.dicomfile import BytesSource, DICOMFile, read
from sr.document.constraints import DocumentClass
from sr.document.content import (
    Coded,
    Container,
    ContentItem,
    Number,
    Relationship,
    Text,
    reference_to,
)
from sr.document.evidence import Evidence, read_evidence
from sr.document.identity import DocumentIdentity
from sr.document.key_object import KeyObjectSelection, build_key_object
from sr.document.observer import PersonObserver, observer_context
from sr.document.part10 import write_part10
from sr.document.reference import SecureReference
from sr.document.structured_report import StructuredReport, build_structured_report
from sr.mac import compute_mac

__all__ = [
    "AUTHOR",
    "FINDINGS",
    "NOW",
    "ct_evidence",
    "ct_files",
    "evidence_of",
    "identity",
    "instance",
    "key_object",
    "opened",
    "report",
    "report_content",
    "uid_source",
    "write_all",
]

NOW = datetime(2026, 11, 20, 9, 30, 15, tzinfo=timezone(timedelta(hours=1)))
"""When everything happens, one hour east of Greenwich."""

AUTHOR = PersonObserver(name="Meier^Anna", organization="Klinikum Musterstadt")

FINDINGS = Code("59776-5", "LN", "Findings")

_R = Relationship


def uid_source(arc: int = 1) -> Callable[[], str]:
    """Return a function that counts UIDs up, each source under its own arc."""
    numbers = count(1)
    return lambda: f"2.25.{arc}.{next(numbers)}"


@cache
def ct_files(number: int = 3, *, arc: int = 1) -> tuple[bytes, ...]:
    """Return the files of one synthetic CT series; another arc is another study."""
    return synthetic_ct_series(number, new_uid=uid_source(arc), now=NOW)


def opened(data: bytes) -> DICOMFile:
    """Return a file as the strict reader sees it."""
    return read(BytesSource(data))


def evidence_of(data: bytes, label: str = "") -> Evidence:
    """Return a file as evidence, with the MAC over all its signable elements."""
    file = opened(data)
    reference = SecureReference(mac=compute_mac(file))
    return read_evidence(file.dataset, reference=reference, label=label)


@cache
def ct_evidence(number: int = 3, *, arc: int = 1) -> tuple[Evidence, ...]:
    """Return `ct_files` as evidence, labelled ``ct-1.dcm`` and so on."""
    return tuple(
        evidence_of(data, f"ct-{n}.dcm") for n, data in enumerate(ct_files(number, arc=arc), 1)
    )


def instance(sop_class_uid: str, *, like: bytes | None = None, **attributes: object) -> bytes:
    """Return a small instance of any SOP class, of the synthetic patient and study.

    Args:
        sop_class_uid: Its SOP class.
        like: File whose patient and study it shares; the first CT image by default.
        **attributes: Further attributes by keyword; ``None`` leaves one out.
    """
    source = opened(like or ct_files()[0]).dataset
    dataset = Dataset()
    dataset.SOPClassUID = sop_class_uid
    dataset.SOPInstanceUID = "2.25.77.1"
    dataset.SeriesInstanceUID = "2.25.77.2"
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.Modality = "OT"
    for keyword, tag in _SHARED.items():
        setattr(dataset, keyword, source.text(tag))
    for keyword, value in attributes.items():
        if value is None:
            delattr(dataset, keyword)
        else:
            setattr(dataset, keyword, value)
    return write_part10(dataset)


_SHARED = {
    "StudyInstanceUID": 0x0020000D,
    "PatientName": 0x00100010,
    "PatientID": 0x00100020,
    "IssuerOfPatientID": 0x00100021,
    "PatientBirthDate": 0x00100030,
    "PatientSex": 0x00100040,
    "StudyDate": 0x00080020,
    "StudyTime": 0x00080030,
    "StudyID": 0x00200010,
    "AccessionNumber": 0x00080050,
}


def identity(number: int = 1, **changes: object) -> DocumentIdentity:
    """Return the identity of the nth document, made at `NOW` by a clock in UTC."""
    made = DocumentIdentity(
        sop_instance_uid=f"2.25.900.{number}",
        series_instance_uid="2.25.900.0.1",
        series_number=900,
        instance_number=number,
        created_at=NOW.astimezone(UTC),
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def report_content(*items: ContentItem) -> Container:
    """Return a TID 2000 tree with these items under the heading Findings."""
    language = Coded(
        concept=Code("121049", "DCM", "Language of Content Item and Descendants"),
        relationship=_R.HAS_CONCEPT_MOD,
        value=Code("de", "RFC5646", "German"),
    )
    section = Container(concept=FINDINGS, relationship=_R.CONTAINS, children=items)
    return Container(
        concept=Code("18748-4", "LN", "Diagnostic Imaging Report"),
        template_id="2000",
        children=(language, *observer_context(AUTHOR), section),
    )


def report(
    *items: ContentItem,
    evidence: Iterable[Evidence] | None = None,
    document_class: DocumentClass = DocumentClass.COMPREHENSIVE,
    number: int = 1,
    **changes: object,
) -> bytes:
    """Return a complete, unverified report; without items it says something about image 1."""
    cited = ct_evidence() if evidence is None else tuple(evidence)
    subject = (cited or ct_evidence())[0].patient_study
    made = StructuredReport(
        document_class=document_class,
        content=report_content(*(items or _default_items(cited, document_class))),
        author=AUTHOR,
    )
    return build_structured_report(
        replace(made, **changes),  # type: ignore[arg-type]
        subject=subject,
        evidence=cited,
        identity=identity(number),
    )


def _default_items(
    cited: tuple[Evidence, ...], document_class: DocumentClass
) -> tuple[ContentItem, ...]:
    sources = tuple(reference_to(item, _R.INFERRED_FROM) for item in cited[:1])
    finding = Text(
        concept=Code("121071", "DCM", "Finding"),
        relationship=_R.CONTAINS,
        value="Rundherd im linken Oberlappen, Größe 20 mm.",
        children=sources,
    )
    diameter = Number(
        concept=Code("81827009", "SCT", "Diameter"),
        relationship=_R.CONTAINS,
        value="20.0",
        unit=Code("mm", "UCUM", "mm"),
    )
    return (finding,) if document_class is DocumentClass.BASIC_TEXT else (finding, diameter)


def key_object(
    title: str = "113035",
    *,
    evidence: Iterable[Evidence] | None = None,
    number: int = 1,
    **changes: object,
) -> bytes:
    """Return a key object selection over the synthetic CT series."""
    cited = ct_evidence() if evidence is None else tuple(evidence)
    selection = KeyObjectSelection(title=key_object_title(title), observers=(AUTHOR,))
    return build_key_object(
        replace(selection, **changes),  # type: ignore[arg-type]
        evidence=cited,
        identity=identity(number),
    )


def write_all(folder: Path, files: Iterable[bytes], stem: str = "ct") -> tuple[Path, ...]:
    """Write files as ``ct-1.dcm`` and so on; return their paths."""
    paths = []
    for number, data in enumerate(files, 1):
        path = folder / f"{stem}-{number}.dcm"
        path.write_bytes(data)
        paths.append(path)
    return tuple(paths)
