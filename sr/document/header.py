"""The head of a document: patient, study, series, equipment, times and request.

highdicom builds the frame of a document and demands a data set as evidence; it gets a stand-in.
Whatever it then draws by itself (dates, times, its own name as contributing equipment) is
overwritten here from the arguments or taken out, so that equal arguments give equal bytes.

Cites: PS3.3 C.7.1.1, C.7.2.1, C.7.5.1, C.12.1, C.17.1.
"""

from __future__ import annotations

from dataclasses import dataclass

from pydicom.dataset import Dataset

from sr.codes import Code
from sr.document.content_encoding import coded_concept
from sr.document.elements import put, put_required
from sr.document.evidence import PatientStudy
from sr.document.identity import DocumentIdentity, format_date, format_offset, format_time
from sr.document.values import is_uid
from sr.errors import DocumentError, EvidenceError

__all__ = [
    "ReferencedRequest",
    "request_item",
    "stand_in",
    "write_header",
]

CHARACTER_SET = "ISO_IR 192"
"""Every document is written in UTF-8, whatever its evidence is written in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferencedRequest:
    """The request a document answers; every value may be empty but the study.

    Cites: PS3.3 Table C.17-2 Referenced Request Sequence.
    """

    study_instance_uid: str
    accession_number: str = ""
    placer_order_number: str = ""
    filler_order_number: str = ""
    requested_procedure_id: str = ""
    requested_procedure_description: str = ""
    requested_procedure_code: Code | None = None


_PATIENT_STUDY = (
    ("StudyInstanceUID", "UI", "study_instance_uid"),
    ("PatientName", "PN", "patient_name"),
    ("PatientID", "LO", "patient_id"),
    ("PatientBirthDate", "DA", "patient_birth_date"),
    ("PatientSex", "CS", "patient_sex"),
    ("StudyDate", "DA", "study_date"),
    ("StudyTime", "TM", "study_time"),
    ("StudyID", "SH", "study_id"),
    ("AccessionNumber", "SH", "accession_number"),
    ("ReferringPhysicianName", "PN", "referring_physician_name"),
)
"""Type 1 and 2: always present."""

_PATIENT_STUDY_OPTIONAL = (
    ("IssuerOfPatientID", "LO", "issuer_of_patient_id"),
    ("StudyDescription", "LO", "study_description"),
)

_EQUIPMENT_OPTIONAL = (
    ("ManufacturerModelName", "LO", "manufacturer_model_name"),
    ("DeviceSerialNumber", "LO", "device_serial_number"),
    ("SoftwareVersions", "LO", "software_versions"),
    ("InstitutionName", "LO", "institution_name"),
    ("InstitutionalDepartmentName", "LO", "institutional_department_name"),
    ("StationName", "SH", "station_name"),
)

_WANTED_BY_HIGHDICOM = (
    "AccessionNumber",
    "PatientBirthDate",
    "PatientID",
    "PatientName",
    "PatientSex",
    "StudyDate",
    "StudyID",
    "StudyTime",
)

_DRAWN_BY_HIGHDICOM = ("ContributingEquipmentSequence",)
"""It lists itself there, with the time of its own clock."""


def stand_in(subject: PatientStudy, identity: DocumentIdentity, sop_class_uid: str) -> Dataset:
    """Return the data set that highdicom gets as evidence: the document's own study and nobody.

    It only serves to build the frame; the real evidence is written by `evidence_sequence`, so a
    report without any can be built as well.
    """
    dataset = Dataset()
    dataset.SOPClassUID = sop_class_uid
    dataset.SOPInstanceUID = identity.sop_instance_uid
    dataset.SeriesInstanceUID = identity.series_instance_uid
    study = subject.study_instance_uid
    put_required(dataset, "StudyInstanceUID", "UI", study, error=EvidenceError)
    for keyword in _WANTED_BY_HIGHDICOM:
        setattr(dataset, keyword, "")
    return dataset


def write_header(dataset: Dataset, subject: PatientStudy, identity: DocumentIdentity) -> None:
    """Write patient, study, series, equipment and SOP common into a document.

    Raises:
        EvidenceError: A value taken over from the evidence cannot be written.
        DocumentError: A value of the identity cannot be written.

    Cites: PS3.3 C.7.1.1, C.7.2.1, C.7.5.1, C.12.1, C.17.1.
    """
    for keyword, vr, name in _PATIENT_STUDY:
        put(dataset, keyword, vr, getattr(subject, name), error=EvidenceError)
    for keyword, vr, name in _PATIENT_STUDY_OPTIONAL:
        if value := getattr(subject, name):
            put(dataset, keyword, vr, value, error=EvidenceError)
    _write_series_and_equipment(dataset, identity)
    _write_times(dataset, identity, subject.timezone_offset)
    dataset.SpecificCharacterSet = CHARACTER_SET
    for keyword in _DRAWN_BY_HIGHDICOM:
        if keyword in dataset:
            delattr(dataset, keyword)


def _write_series_and_equipment(dataset: Dataset, identity: DocumentIdentity) -> None:
    dataset.SOPInstanceUID = identity.sop_instance_uid
    dataset.SeriesInstanceUID = identity.series_instance_uid
    dataset.SeriesNumber = identity.series_number
    dataset.InstanceNumber = identity.instance_number
    if identity.series_description:
        put(dataset, "SeriesDescription", "LO", identity.series_description)
    equipment = identity.equipment
    put(dataset, "Manufacturer", "LO", equipment.manufacturer)
    for keyword, vr, name in _EQUIPMENT_OPTIONAL:
        if value := getattr(equipment, name):
            put(dataset, keyword, vr, value)


def _write_times(dataset: Dataset, identity: DocumentIdentity, offset: str) -> None:
    when = identity.local_time(offset)
    dataset.TimezoneOffsetFromUTC = format_offset(when)
    for keyword in ("InstanceCreationDate", "ContentDate"):
        setattr(dataset, keyword, format_date(when))
    for keyword in ("InstanceCreationTime", "ContentTime"):
        setattr(dataset, keyword, format_time(when))


def request_item(request: ReferencedRequest) -> Dataset:
    """Return an item of Referenced Request Sequence (0040,A370).

    Raises:
        DocumentError: A value cannot be written.
    """
    if not is_uid(request.study_instance_uid, in_use=True):
        raise DocumentError(
            f"StudyInstanceUID (0020,000D) of a request is not a UID: "
            f"{request.study_instance_uid!r}"
        )
    item = Dataset()
    put(item, "StudyInstanceUID", "UI", request.study_instance_uid)
    item.ReferencedStudySequence = []
    for keyword, vr, value in (
        ("AccessionNumber", "SH", request.accession_number),
        ("PlacerOrderNumberImagingServiceRequest", "LO", request.placer_order_number),
        ("FillerOrderNumberImagingServiceRequest", "LO", request.filler_order_number),
        ("RequestedProcedureID", "SH", request.requested_procedure_id),
        ("RequestedProcedureDescription", "LO", request.requested_procedure_description),
    ):
        put(item, keyword, vr, value)
    code = request.requested_procedure_code
    item.RequestedProcedureCodeSequence = [coded_concept(code)] if code else []
    return item
