"""The instances a document cites, and what the document takes over from them.

Invariants: one document has one patient; all cited instances of its own study agree about patient
and study; an instance is cited once. Reading files and computing MACs happen elsewhere.

Cites: PS3.3 C.17.2.3.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from enum import StrEnum

from sr.dicomfile import DataSet, describe_tag, format_tag
from sr.document.reference import SecureReference
from sr.document.values import canonical_person_name, is_uid
from sr.errors import EvidenceError

__all__ = [
    "Evidence",
    "EvidenceKind",
    "PatientStudy",
    "distinct",
    "patient_study_of",
    "read_evidence",
    "read_patient_study",
    "require_one_patient",
]


class EvidenceKind(StrEnum):
    """The value type of a content item that cites an instance."""

    IMAGE = "IMAGE"
    WAVEFORM = "WAVEFORM"
    COMPOSITE = "COMPOSITE"


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientStudy:
    """What a document copies from its evidence, as Unicode text; absent is empty."""

    study_instance_uid: str
    patient_name: str = ""
    patient_id: str = ""
    issuer_of_patient_id: str = ""
    patient_birth_date: str = ""
    patient_sex: str = ""
    study_date: str = ""
    study_time: str = ""
    study_id: str = ""
    study_description: str = ""
    accession_number: str = ""
    referring_physician_name: str = ""
    timezone_offset: str = ""
    """Timezone Offset From UTC (0008,0201) of the instance, e.g. ``+0100``; the document that
    copies its study date and time must use the same one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One instance a document may cite."""

    sop_class_uid: str
    sop_instance_uid: str
    series_instance_uid: str
    modality: str
    kind: EvidenceKind
    patient_study: PatientStudy
    reference: SecureReference
    number_of_frames: int = 0
    """0 for an instance that has no frames to cite."""
    number_of_segments: int = 0
    """0 for an instance that is no segmentation."""
    size: tuple[int, int] = (0, 0)
    """Columns and rows of the picture, or of one frame."""
    total_size: tuple[int, int] = (0, 0)
    """Columns and rows of the Total Pixel Matrix, for a tiled image."""
    label: str = ""
    """What a person calls it, e.g. the file name; used in messages and report input."""

    @property
    def study_instance_uid(self) -> str:
        """Study Instance UID (0020,000D)."""
        return self.patient_study.study_instance_uid

    def __str__(self) -> str:
        """Return the label, or the SOP Instance UID where there is none."""
        return self.label or self.sop_instance_uid


_PATIENT_STUDY_TAGS = {
    "study_instance_uid": 0x0020000D,
    "patient_name": 0x00100010,
    "patient_id": 0x00100020,
    "issuer_of_patient_id": 0x00100021,
    "patient_birth_date": 0x00100030,
    "patient_sex": 0x00100040,
    "study_date": 0x00080020,
    "study_time": 0x00080030,
    "study_id": 0x00200010,
    "study_description": 0x00081030,
    "accession_number": 0x00080050,
    "referring_physician_name": 0x00080090,
    "timezone_offset": 0x00080201,
}

_PERSON_NAMES = ("patient_name", "referring_physician_name")
"""Two devices may end the same name with more or fewer delimiters."""

_KEYWORDS = {
    "study_instance_uid": "StudyInstanceUID (0020,000D)",
    "patient_name": "PatientName (0010,0010)",
    "patient_id": "PatientID (0010,0020)",
    "issuer_of_patient_id": "IssuerOfPatientID (0010,0021)",
    "patient_birth_date": "PatientBirthDate (0010,0030)",
    "patient_sex": "PatientSex (0010,0040)",
}

_IDENTITY = tuple(name for name in _KEYWORDS if name != "study_instance_uid")

_UNSIGNED = {"US": 2, "UL": 4}
"""Bytes of one value."""

_WAVEFORM_ROOT = "1.2.840.10008.5.1.4.1.1.9."


def read_patient_study(dataset: DataSet) -> PatientStudy:
    """Return the patient and study of an instance.

    Raises:
        EvidenceError: There is no valid Study Instance UID.
    """
    values = {name: dataset.text(tag).strip(" ") for name, tag in _PATIENT_STUDY_TAGS.items()}
    for name in _PERSON_NAMES:
        values[name] = canonical_person_name(values[name])
    _require_uid(values["study_instance_uid"], _KEYWORDS["study_instance_uid"], "")
    for name, tag in _PATIENT_STUDY_TAGS.items():
        _require_readable(values[name], tag)
    return PatientStudy(**values)


def read_evidence(dataset: DataSet, *, reference: SecureReference, label: str = "") -> Evidence:
    """Return the cited instance that a data set is.

    Args:
        dataset: The data set of the instance.
        reference: The proof that will go with every reference to it.
        label: What to call it in messages, e.g. its file name.

    Raises:
        EvidenceError: A UID is missing or malformed.
    """
    uids = {
        "sop_class_uid": (0x00080016, "SOPClassUID (0008,0016)"),
        "sop_instance_uid": (0x00080018, "SOPInstanceUID (0008,0018)"),
        "series_instance_uid": (0x0020000E, "SeriesInstanceUID (0020,000E)"),
    }
    values = {
        name: _require_uid(dataset.text(tag), what, label) for name, (tag, what) in uids.items()
    }
    frames = dataset.text(0x00280008)
    return Evidence(
        **values,
        modality=dataset.text(0x00080060),
        kind=_kind(values["sop_class_uid"], has_pixels=0x00280010 in dataset),
        patient_study=read_patient_study(dataset),
        reference=reference,
        number_of_frames=int(frames) if frames.isascii() and frames.isdigit() else 0,
        number_of_segments=len(dataset.items(0x00620002)),
        size=(_unsigned(dataset, 0x00280011), _unsigned(dataset, 0x00280010)),
        total_size=(_unsigned(dataset, 0x00480006), _unsigned(dataset, 0x00480007)),
        label=label,
    )


def _unsigned(dataset: DataSet, tag: int) -> int:
    """Return the value of a US or UL element, 0 where there is none."""
    element = dataset.get(tag)
    value = dataset.bytes(tag) if element and element.vr in _UNSIGNED else None
    if value is None or element is None or len(value) != _UNSIGNED[element.vr]:
        return 0
    return int.from_bytes(value, "little" if dataset.encoding.little else "big")


def _kind(sop_class_uid: str, *, has_pixels: bool) -> EvidenceKind:
    if sop_class_uid.startswith(_WAVEFORM_ROOT):
        return EvidenceKind.WAVEFORM
    return EvidenceKind.IMAGE if has_pixels else EvidenceKind.COMPOSITE


def _require_uid(value: str, what: str, label: str) -> str:
    if not is_uid(value, in_use=True):
        of = f" of {label}" if label else ""
        raise EvidenceError(f"{what}{of} is not a UID: {value!r}", where=what)
    return value


def _require_readable(value: str, tag: int) -> None:
    if "\ufffd" in value:
        raise EvidenceError(
            f"{describe_tag(tag)} has bytes that SpecificCharacterSet (0008,0005) does not define; "
            "a document cannot take it over",
            where=format_tag(tag),
            hint="correct the character set of the evidence",
        )


def distinct(evidence: Iterable[Evidence]) -> tuple[Evidence, ...]:
    """Return the instances without repetition, in the order given.

    Raises:
        EvidenceError: The same SOP Instance UID stands for two different instances.
    """
    seen: dict[str, Evidence] = {}
    for item in evidence:
        known = seen.setdefault(item.sop_instance_uid, item)
        if _content(known) != _content(item):
            raise EvidenceError(
                f"SOPInstanceUID (0008,0018) {item.sop_instance_uid} stands for two different "
                f"instances, {known} and {item}",
                where="(0008,0018)",
            )
    return tuple(seen.values())


def _content(item: Evidence) -> tuple[object, ...]:
    return tuple(getattr(item, field.name) for field in fields(item) if field.name != "label")


def patient_study_of(evidence: tuple[Evidence, ...]) -> PatientStudy:
    """Return the patient and study that a document with this evidence belongs to.

    That is the study of the first instance.

    Raises:
        EvidenceError: There is no evidence.
    """
    if not evidence:
        raise EvidenceError("no evidence, so no patient and study to take over")
    return evidence[0].patient_study


def require_one_patient(subject: PatientStudy, evidence: tuple[Evidence, ...]) -> None:
    """Refuse evidence of another patient than the document's.

    Within the document's study every identifying attribute must agree. An instance of another
    study may come from another institution: there the Patient ID counts where the issuers are
    the same, and the birth date where both are known.

    Raises:
        EvidenceError: Naming the attribute that differs.
    """
    for item in evidence:
        other = item.patient_study
        for name in _compared(subject, other):
            if getattr(subject, name) != getattr(other, name):
                raise EvidenceError(
                    f"{_KEYWORDS[name]} of {item} differs from that of the document: "
                    "one document has one patient",
                    where=_KEYWORDS[name],
                    hint="give only the evidence of one patient",
                )


def _compared(subject: PatientStudy, other: PatientStudy) -> tuple[str, ...]:
    if subject.study_instance_uid == other.study_instance_uid:
        return _IDENTITY
    compared = []
    if subject.issuer_of_patient_id == other.issuer_of_patient_id:
        compared.append("patient_id")
    if subject.patient_birth_date and other.patient_birth_date:
        compared.append("patient_birth_date")
    return tuple(compared)
