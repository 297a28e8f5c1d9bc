"""Basic Text, Enhanced and Comprehensive SR documents."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest
from highdicom.sr import srread
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom import dcmread
from pydicom.dataset import Dataset

from sr.codes import Code
from sr.dicomfile import canonicalise
from sr.document import ReferencedDigitalSignature, SecureReference
from sr.document.constraints import DocumentClass
from sr.document.content import (
    Coded,
    Container,
    ContentItem,
    DateTime,
    Number,
    PersonName,
    Reference,
    Relationship,
    Text,
    UIDReference,
    reference_to,
)
from sr.document.evidence import EvidenceKind
from sr.document.header import ReferencedRequest
from sr.document.identity import Equipment
from sr.document.observer import DeviceObserver, PersonObserver
from sr.document.part10 import IMPLEMENTATION_CLASS_UID
from sr.document.structured_report import (
    CompletionFlag,
    StructuredReport,
    build_structured_report,
)
from sr.document.values import canonical_person_name
from sr.errors import DocumentError, EvidenceError, TemplateError
from sr.mac import MACAlgorithm, ReferencedSOPInstanceMAC
from tests.support.datasets import (
    AUTHOR,
    NOW,
    ct_evidence,
    evidence_of,
    identity,
    instance,
    opened,
    report,
    report_content,
)
from tests.support.trees import root

CLASSES = [DocumentClass.BASIC_TEXT, DocumentClass.ENHANCED, DocumentClass.COMPREHENSIVE]
FINDING = Code("121071", "DCM", "Finding")
ECG = "1.2.840.10008.5.1.4.1.1.9.1.1"
CONTAINS, INFERRED_FROM = Relationship.CONTAINS, Relationship.INFERRED_FROM


def _read(data: bytes) -> Dataset:
    return dcmread(BytesIO(data))


def _text(value: str, *children: ContentItem) -> Text:
    return Text(concept=FINDING, relationship=CONTAINS, value=value, children=children)


def _build(**changes: object) -> bytes:
    """Build a report; report, subject, evidence, identity and predecessors can be changed."""
    evidence = ct_evidence()
    made = StructuredReport(
        document_class=DocumentClass.COMPREHENSIVE,
        content=report_content(_text("ok")),
        author=AUTHOR,
    )
    arguments: dict[str, object] = {
        "report": made,
        "subject": evidence[0].patient_study,
        "evidence": evidence,
        "identity": identity(),
    }
    arguments |= changes
    return build_structured_report(arguments.pop("report"), **arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize("document_class", CLASSES)
def test_every_class_is_written(document_class: DocumentClass) -> None:
    """Each SOP class comes out as itself, unverified, with the right modality."""
    dataset = _read(report(document_class=document_class))
    assert dataset.SOPClassUID == document_class
    assert dataset.Modality == "SR"
    assert dataset.VerificationFlag == "UNVERIFIED"
    assert "VerifyingObserverSequence" not in dataset


@pytest.mark.parametrize("document_class", CLASSES)
def test_equal_arguments_give_equal_bytes(document_class: DocumentClass) -> None:
    """No clock, no drawn UID: nothing but the arguments decides the bytes."""
    first = report(document_class=document_class)
    assert first == report(document_class=document_class)
    assert canonicalise(first) == first


@pytest.mark.shows("patient", reason="the child writes the document itself")
def test_bytes_do_not_depend_on_the_process() -> None:
    """Another process with another time zone writes the same document."""
    code = (
        "import sys; from tests.support.datasets import report; sys.stdout.buffer.write(report())"
    )
    root = Path(__file__).resolve().parents[3]
    run = subprocess.run(
        [sys.executable, "-c", code],
        cwd=root,
        env={"TZ": "Asia/Tokyo", "PYTHONHASHSEED": "7"},
        capture_output=True,
        check=True,
    )
    assert run.stdout == report()


def test_the_file_is_a_plain_part_10_file() -> None:
    """Zero preamble, explicit little endian, our implementation, no private or length elements."""
    data = report()
    dataset = _read(data)
    assert data[:128] == bytes(128)
    assert dataset.file_meta.TransferSyntaxUID == "1.2.840.10008.1.2.1"
    assert dataset.file_meta.ImplementationClassUID == IMPLEMENTATION_CLASS_UID
    assert dataset.file_meta.MediaStorageSOPInstanceUID == dataset.SOPInstanceUID
    assert not [e.tag for e in dataset.iterall() if e.tag.is_private or e.tag.element == 0]
    assert b"highdicom" not in data


def test_text_is_utf_8() -> None:
    """The character set is stated, whatever the library does by itself."""
    dataset = _read(report(_text("Größe 20 mm, 所見, ≥ 3 €")))
    assert dataset.SpecificCharacterSet == "ISO_IR 192"
    assert dataset.ContentSequence[-1].ContentSequence[0].TextValue == "Größe 20 mm, 所見, ≥ 3 €"
    assert dataset.PatientName == "Müller^Jördis"


def test_times_are_those_of_the_evidence_zone() -> None:
    """A clock in UTC writes the document in the time zone that its copied study time is in."""
    dataset = _read(report())
    assert dataset.TimezoneOffsetFromUTC == "+0100"
    assert (dataset.ContentDate, dataset.ContentTime) == ("20261120", "093015")
    assert (dataset.InstanceCreationDate, dataset.InstanceCreationTime) == ("20261120", "093015")


def test_without_a_zone_in_the_evidence_the_clock_decides() -> None:
    """The document always states its offset."""
    bare = tuple(
        replace(e, patient_study=replace(e.patient_study, timezone_offset=""))
        for e in ct_evidence()
    )
    dataset = _read(report(evidence=bare))
    assert (dataset.TimezoneOffsetFromUTC, dataset.ContentTime) == ("+0000", "083015")


@pytest.mark.parametrize("offset", ["0100", "+1", "+01:00", "+2500", "CET"])
def test_a_malformed_offset_is_refused(offset: str) -> None:
    """A time zone that cannot be read cannot be written either."""
    subject = replace(ct_evidence()[0].patient_study, timezone_offset=offset)
    with pytest.raises(DocumentError):
        _build(subject=subject)


def test_patient_and_study_are_copied() -> None:
    """The document joins the study of its evidence."""
    dataset, image = _read(report()), ct_evidence()[0].patient_study
    assert dataset.StudyInstanceUID == image.study_instance_uid
    assert dataset.IssuerOfPatientID == "srsign demo"
    assert dataset.PatientBirthDate == "19610314"
    assert dataset.ReferringPhysicianName == "Weiß^Jürgen^^Dr."
    assert dataset.StudyDescription == "CT Thorax"


def test_equipment_is_written() -> None:
    """General Equipment comes from the identity; empty optional attributes stay away."""
    equipment = Equipment(manufacturer="Maker", station_name="WS1", institution_name="Klinikum")
    dataset = _read(_build(identity=identity(equipment=equipment)))
    assert (dataset.Manufacturer, dataset.StationName) == ("Maker", "WS1")
    assert "DeviceSerialNumber" not in dataset


def test_every_reference_is_secured() -> None:
    """All evidence is listed, cited or not, each item with MAC beside UID."""
    dataset = _read(report())
    (study,) = dataset.CurrentRequestedProcedureEvidenceSequence
    (series,) = study.ReferencedSeriesSequence
    for item, evidence in zip(series.ReferencedSOPSequence, ct_evidence(), strict=True):
        (mac,) = item.ReferencedSOPInstanceMACSequence
        assert item.ReferencedSOPInstanceUID == evidence.sop_instance_uid
        assert evidence.reference.mac is not None
        assert evidence.reference.mac.mac == mac.MAC
        assert mac.MACAlgorithm == "SHA256"
        assert mac.MACCalculationTransferSyntaxUID == "1.2.840.10008.1.2.1"
        assert list(mac.DataElementsSigned) == list(evidence.reference.mac.data_elements_signed)
        assert "ReferencedDigitalSignatureSequence" not in item


def test_mac_and_signature_are_siblings() -> None:
    """Both kinds of proof stand in the reference item itself, not one inside the other."""
    first = ct_evidence()[0]
    signature = ReferencedDigitalSignature(digital_signature_uid="2.25.8", signature=b"\1\2\3")
    mac = ReferencedSOPInstanceMAC(
        transfer_syntax_uid="1.2.840.10008.1.2.4.90",
        algorithm=MACAlgorithm.SHA512,
        data_elements_signed=(0x00080016,),
        mac=bytes(64),
    )
    proven = replace(first, reference=SecureReference(mac=mac, signatures=(signature,)))
    dataset = _read(report(evidence=(proven,)))
    (study,) = dataset.CurrentRequestedProcedureEvidenceSequence
    item = study.ReferencedSeriesSequence[0].ReferencedSOPSequence[0]
    (referenced,) = item.ReferencedDigitalSignatureSequence
    assert referenced.Signature == b"\1\2\3\0"
    assert "ReferencedSOPInstanceMACSequence" not in referenced
    assert item.ReferencedSOPInstanceMACSequence[0].MACAlgorithm == "SHA512"
    assert item.ReferencedSOPInstanceMACSequence[0].DataElementsSigned == 0x00080016


def test_other_studies_are_pertinent_evidence() -> None:
    """Instances of other studies go to the other sequence, secured as well."""
    dataset = _read(report(evidence=ct_evidence() + ct_evidence(arc=2) + ct_evidence(arc=3)))
    assert len(dataset.CurrentRequestedProcedureEvidenceSequence) == 1
    assert len(dataset.PertinentOtherEvidenceSequence) == 2
    for study in dataset.PertinentOtherEvidenceSequence:
        for item in study.ReferencedSeriesSequence[0].ReferencedSOPSequence:
            assert "ReferencedSOPInstanceMACSequence" in item


def test_studies_that_were_requested_are_current_evidence() -> None:
    """A report that answers requests of two studies has current evidence in both."""
    evidence = ct_evidence() + ct_evidence(arc=2) + ct_evidence(arc=3)
    studies = list(dict.fromkeys(item.study_instance_uid for item in evidence))
    requests = tuple(ReferencedRequest(study_instance_uid=uid) for uid in studies[:2])
    dataset = _read(report(evidence=evidence, requests=requests))
    current = dataset.CurrentRequestedProcedureEvidenceSequence
    assert [study.StudyInstanceUID for study in current] == studies[:2]
    (other,) = dataset.PertinentOtherEvidenceSequence
    assert other.StudyInstanceUID == studies[2]


def test_a_report_without_images_is_written() -> None:
    """A text-only report has no evidence sequence at all."""
    data = report(_text("Kein Befund."), evidence=(), document_class=DocumentClass.BASIC_TEXT)
    dataset = _read(data)
    assert "CurrentRequestedProcedureEvidenceSequence" not in dataset
    assert "PertinentOtherEvidenceSequence" not in dataset
    assert dataset.PatientName == "Müller^Jördis"


def test_the_author_is_always_stated() -> None:
    """The observer cannot be inherited from whoever verifies later."""
    (author,) = _read(report()).AuthorObserverSequence
    assert (author.ObserverType, author.PersonName) == ("PSN", "Meier^Anna")
    assert author.InstitutionName == "Klinikum Musterstadt"
    assert not author.PersonIdentificationCodeSequence
    assert not author.InstitutionCodeSequence


def test_a_device_can_be_the_author() -> None:
    """A program that measures reports under its own UID."""
    device = DeviceObserver(uid="2.25.42", manufacturer="Maker", model_name="Measurer")
    (author,) = _read(report(author=device)).AuthorObserverSequence
    assert (author.ObserverType, author.DeviceUID) == ("DEV", "2.25.42")
    assert author.ManufacturerModelName == "Measurer"


def test_type_2_attributes_are_present() -> None:
    """What the module demands even when empty is there."""
    dataset = _read(report())
    assert not dataset.PerformedProcedureCodeSequence
    assert not dataset.ReferencedPerformedProcedureStepSequence


def test_flags_are_those_asked_for() -> None:
    """Completion and preliminary state come from the author."""
    dataset = _read(
        report(completion=CompletionFlag.PARTIAL, completion_description="Vorab", preliminary=True)
    )
    assert (dataset.CompletionFlag, dataset.PreliminaryFlag) == ("PARTIAL", "PRELIMINARY")
    assert dataset.CompletionFlagDescription == "Vorab"
    plain = _read(report())
    assert (plain.CompletionFlag, plain.PreliminaryFlag) == ("COMPLETE", "FINAL")


def test_requests_and_procedures_are_written() -> None:
    """The request that a report answers has all its type 2 attributes."""
    code = Code("24627-2", "LN", "CT Chest")
    request = ReferencedRequest(study_instance_uid="2.25.6", accession_number="A-1")
    dataset = _read(report(requests=(request,), performed_procedure_codes=(code,)))
    (item,) = dataset.ReferencedRequestSequence
    assert item.AccessionNumber == "A-1"
    assert item.PlacerOrderNumberImagingServiceRequest == ""
    assert "ReferencedStudySequence" in item
    assert "RequestedProcedureCodeSequence" in item
    assert dataset.PerformedProcedureCodeSequence[0].CodeValue == "24627-2"


def test_predecessors_are_secured_too() -> None:
    """An amendment lists the document it replaces with proof."""
    before = evidence_of(report(number=1))
    dataset = _read(_build(identity=identity(2), predecessors=(before,)))
    (study,) = dataset.PredecessorDocumentsSequence
    item = study.ReferencedSeriesSequence[0].ReferencedSOPSequence[0]
    assert item.ReferencedSOPInstanceUID == "2.25.900.1"
    assert "ReferencedSOPInstanceMACSequence" in item


def test_numbers_keep_their_digits() -> None:
    """A measured 12.50 says more than 12.5, and no binary fraction is added."""
    number = Number(
        concept=FINDING, relationship=CONTAINS, value="12.50", unit=Code("mm", "UCUM", "mm")
    )
    item = _read(report(number)).ContentSequence[-1].ContentSequence[0]
    assert str(item.MeasuredValueSequence[0].NumericValue) == "12.50"
    assert "FloatingPointValue" not in item.MeasuredValueSequence[0]


def test_lines_end_in_cr_lf() -> None:
    """Whatever the input's line ends, the text has those of the standard."""
    dataset = _read(report(_text("a\nb\r\nc\rd\u2028e")))
    assert dataset.ContentSequence[-1].ContentSequence[0].TextValue == "a\r\nb\r\nc\r\nd\u2028e"


@settings(deadline=None)
@given(st.text(min_size=1, max_size=80))
def test_text_arrives_or_is_refused(text: str) -> None:
    """Sentences, identifiers and names are written as they are, or not at all."""
    try:
        data = report(_text(text), completion_description=text, author=PersonObserver(name=text))
    except TemplateError:
        return
    dataset = opened(data).dataset
    finding = dataset.items(0x0040A730)[-1].items(0x0040A730)[0]
    assert finding.text(0x0040A160) == re.sub("\r\n|\r|\n", "\r\n", text).rstrip(" ")
    assert dataset.text(0x0040A492) == text.rstrip(" ")
    name = dataset.items(0x0040A078)[0].text(0x0040A123)
    assert name == canonical_person_name(text)


def test_every_value_type_is_written() -> None:
    """Times, names, UIDs, codes and frames arrive as they were given."""
    frames = evidence_of(
        instance("1.2.840.10008.5.1.4.1.1.2", Rows=1, Columns=1, NumberOfFrames="3")
    )
    items = (
        PersonName(concept=FINDING, relationship=CONTAINS, value="Bono"),
        DateTime(concept=FINDING, relationship=CONTAINS, value="20261120093015+0100"),
        UIDReference(concept=FINDING, relationship=CONTAINS, value="2.25.3"),
        Coded(concept=FINDING, relationship=CONTAINS, value=Code("x" * 20, "99X", "long")),
        reference_to(frames, CONTAINS, frames=(1, 3)),
    )
    evidence = (*ct_evidence(), frames)
    name, moment, uid, code, image = (
        _read(report(*items, evidence=evidence)).ContentSequence[-1].ContentSequence
    )
    assert name.PersonName == "Bono"
    assert moment.DateTime == "20261120093015+0100"
    assert uid.UID == "2.25.3"
    assert code.ConceptCodeSequence[0].LongCodeValue == "x" * 20
    assert list(image.ReferencedSOPSequence[0].ReferencedFrameNumber) == [1, 3]


def test_references_may_go_without_name() -> None:
    """No concept name is invented for a reference."""
    image = reference_to(ct_evidence()[0], INFERRED_FROM)
    written = _read(report(_text("x", image))).ContentSequence[-1].ContentSequence[0]
    assert "ConceptNameCodeSequence" not in written.ContentSequence[0]


def test_waveforms_are_cited_as_such() -> None:
    """An ECG is a WAVEFORM reference."""
    ecg = evidence_of(instance(ECG))
    dataset = _read(report(reference_to(ecg, CONTAINS), evidence=(*ct_evidence(), ecg)))
    assert dataset.ContentSequence[-1].ContentSequence[0].ValueType == "WAVEFORM"


def test_highdicom_reads_it_back(tmp_path: Path) -> None:
    """The library that framed the document accepts it."""
    path = tmp_path / "report.dcm"
    path.write_bytes(report())
    read = srread(path)
    assert read.SOPInstanceUID == "2.25.900.1"


@pytest.mark.parametrize("kind", list(EvidenceKind))
def test_a_citation_outside_the_evidence_is_refused(kind: EvidenceKind) -> None:
    """Images, waveforms and composites alike are checked against the evidence."""
    stray = Reference(
        relationship=CONTAINS, kind=kind, sop_class_uid=ECG, sop_instance_uid="2.25.404"
    )
    with pytest.raises(EvidenceError) as caught:
        report(stray)
    assert "(0008,1155)" in str(caught.value)
    assert caught.value.where == "(0040,A730)[5]/(0040,A730)[1]"


@pytest.mark.parametrize("change", [{"sop_class_uid": ECG}, {"kind": EvidenceKind.COMPOSITE}])
def test_a_citation_under_another_class_is_refused(change: dict[str, object]) -> None:
    """Class and value type are those of the instance."""
    image = reference_to(ct_evidence()[0], CONTAINS)
    with pytest.raises(EvidenceError):
        report(replace(image, **change))  # type: ignore[arg-type]


@pytest.mark.parametrize(("frames", "cited"), [(None, 1), ("3", 4), ("3", 0)])
def test_a_frame_that_is_not_there_is_refused(frames: str | None, cited: int) -> None:
    """Frames are cited only of multi-frame instances, and only those they have."""
    attributes = {"NumberOfFrames": frames} if frames else {}
    item = evidence_of(instance("1.2.840.10008.5.1.4.1.1.2", Rows=1, Columns=1, **attributes))
    with pytest.raises(EvidenceError):
        report(reference_to(item, CONTAINS, frames=(cited,)), evidence=(item,))


def test_a_document_cannot_cite_itself() -> None:
    """A document in its own evidence would prove itself."""
    own = replace(ct_evidence()[0], sop_instance_uid="2.25.900.1")
    with pytest.raises(EvidenceError):
        _build(evidence=(*ct_evidence(), own))


def test_evidence_of_another_patient_is_refused() -> None:
    """One document has one patient."""
    first, *others = ct_evidence()
    stranger = replace(first, patient_study=replace(first.patient_study, patient_id="X"))
    with pytest.raises(EvidenceError):
        _build(evidence=(stranger, *others))


@pytest.mark.parametrize("value", ["A\\B", "x" * 65, "a\x07b"])
def test_unwritable_evidence_is_refused(value: str) -> None:
    """A value taken over that would change meaning on writing is named and refused."""
    subject = replace(ct_evidence()[0].patient_study, patient_id=value)
    with pytest.raises(EvidenceError) as caught:
        _build(subject=subject, evidence=())
    assert caught.value.where == "PatientID (0010,0020)"


@pytest.mark.parametrize(
    "item",
    [
        Text(concept=FINDING, relationship=CONTAINS, value=""),
        Text(concept=FINDING, relationship=CONTAINS, value="a\0b"),
        Text(relationship=CONTAINS, value="nameless"),
        Text(concept=Code("1", "X" * 17, "m"), relationship=CONTAINS, value="x"),
        Text(concept=Code("1", "X", "m" * 65), relationship=CONTAINS, value="x"),
        Number(concept=FINDING, relationship=CONTAINS, value="1,5", unit=FINDING),
        Number(concept=FINDING, relationship=CONTAINS, value="", unit=FINDING),
        PersonName(concept=FINDING, relationship=CONTAINS, value="^^"),
        DateTime(concept=FINDING, relationship=CONTAINS, value="yesterday"),
        UIDReference(concept=FINDING, relationship=CONTAINS, value="1.a"),
        UIDReference(concept=FINDING, relationship=CONTAINS, value=""),
    ],
)
def test_unwritable_content_is_refused(item: ContentItem) -> None:
    """Nothing reaches the library that it would bend."""
    with pytest.raises(TemplateError):
        report(item)


@pytest.mark.parametrize(
    "author",
    [PersonObserver(name=""), PersonObserver(name="a\\b"), PersonObserver(name="^")],
)
def test_an_author_needs_a_name(author: PersonObserver) -> None:
    """An anonymous observer is no observer."""
    with pytest.raises(TemplateError):
        report(author=author)


@pytest.mark.parametrize(
    "changes",
    [
        {"sop_instance_uid": "report-1"},
        {"series_instance_uid": ""},
        {"series_number": 0},
        {"instance_number": -1},
        {"created_at": NOW.replace(tzinfo=None)},
    ],
)
def test_an_impossible_identity_is_refused(changes: dict[str, object]) -> None:
    """UIDs are UIDs, numbers positive, times aware."""
    with pytest.raises(DocumentError):
        identity(**changes)


def test_a_key_object_selection_is_no_report() -> None:
    """The classes have different builders."""
    with pytest.raises(TemplateError):
        report(document_class=DocumentClass.KEY_OBJECT_SELECTION, content=root())


def test_a_root_that_is_no_container_is_refused() -> None:
    """A document starts with a title."""
    rooted = Container(concept=FINDING, relationship=CONTAINS)
    with pytest.raises(TemplateError):
        report(content=rooted)
