"""The instances a document cites."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sr.dicomfile import format_tag
from sr.document import ReferencedDigitalSignature, SecureReference
from sr.document.evidence import (
    Evidence,
    EvidenceKind,
    distinct,
    patient_study_of,
    read_evidence,
    require_one_patient,
)
from sr.errors import EvidenceError
from tests.support.datasets import ct_evidence, ct_files, evidence_of, instance, opened
from tests.support.forge import edited, remove, set_value

ECG = "1.2.840.10008.5.1.4.1.1.9.1.1"
PDF = "1.2.840.10008.5.1.4.1.1.104.1"
CT = "1.2.840.10008.5.1.4.1.1.2"


def _of_patient(evidence: Evidence, **changes: str) -> Evidence:
    return replace(evidence, patient_study=replace(evidence.patient_study, **changes))


def test_an_image_is_read() -> None:
    """Patient, study, series and proof of an image are taken over as Unicode text."""
    (first, *_) = ct_evidence()
    assert first.kind is EvidenceKind.IMAGE
    assert first.modality == "CT"
    assert first.patient_study.patient_name == "Müller^Jördis"
    assert first.patient_study.timezone_offset == "+0100"
    assert first.reference.mac is not None
    assert first.reference.mac.data_elements_signed[0] == 0x00080005


def test_spellings_of_one_name_agree() -> None:
    """Delimiters at the end of a name and blanks around an identifier say nothing."""
    data = instance(CT, PatientName="Müller^Jördis^^^", PatientID=" SRSIGN-4711 ")
    require_one_patient(ct_evidence()[0].patient_study, (evidence_of(data),))


@pytest.mark.parametrize(
    ("sop_class_uid", "attributes", "kind"),
    [
        (ECG, {}, EvidenceKind.WAVEFORM),
        (PDF, {}, EvidenceKind.COMPOSITE),
        (CT, {"Rows": 1, "Columns": 1}, EvidenceKind.IMAGE),
        ("1.2.840.10008.5.1.4.1.1.88.59", {}, EvidenceKind.COMPOSITE),
    ],
)
def test_the_kind_of_an_instance(
    sop_class_uid: str, attributes: dict[str, object], kind: EvidenceKind
) -> None:
    """What has pixels is an image, what has waveforms a waveform, all else composite."""
    assert evidence_of(instance(sop_class_uid, **attributes)).kind is kind


def test_frames_are_counted() -> None:
    """A multi-frame instance says how many frames may be cited."""
    data = instance(CT, Rows=1, Columns=1, NumberOfFrames="12")
    assert evidence_of(data).number_of_frames == 12
    assert ct_evidence()[0].number_of_frames == 0


@pytest.mark.parametrize("tag", [0x00080016, 0x00080018, 0x0020000D, 0x0020000E])
@pytest.mark.parametrize("value", [None, "", "none"])
def test_an_instance_without_uid_is_no_evidence(tag: int, value: str | None) -> None:
    """Without SOP Class, SOP Instance, Study and Series Instance UID nothing can be cited."""
    edit = (lambda n: remove(n, tag)) if value is None else set_value(tag, to=value)
    dataset = opened(edited(ct_files()[0], edit)).dataset
    with pytest.raises(EvidenceError) as caught:
        read_evidence(dataset, reference=ct_evidence()[0].reference)
    assert str(caught.value.where).endswith(format_tag(tag))


def test_unreadable_identity_is_not_taken_over() -> None:
    """A name that its character set does not define would be signed as nonsense."""
    data = ct_files()[0].replace(b"ISO_IR 192", b"ISO_IR 6\x20\x20")
    with pytest.raises(EvidenceError) as caught:
        evidence_of(data)
    assert caught.value.where is not None


def test_a_reference_without_proof_is_refused() -> None:
    """Every reference carries a MAC, a signature or both."""
    with pytest.raises(EvidenceError):
        SecureReference()


def test_a_signature_alone_is_proof() -> None:
    """The standard allows a copied signature without a MAC."""
    copied = ReferencedDigitalSignature(digital_signature_uid="2.25.1", signature=b"\1\2")
    assert SecureReference(signatures=(copied,)).mac is None


def test_repeated_instances_count_once() -> None:
    """The same file in two folders is one instance; the first label stays."""
    first, second, third = ct_evidence()
    again = replace(first, label="copy.dcm")
    assert distinct((first, second, again, third)) == (first, second, third)


@pytest.mark.parametrize("change", [{"series_instance_uid": "2.25.5"}, {"sop_class_uid": PDF}])
def test_one_uid_for_two_instances_is_refused(change: dict[str, str]) -> None:
    """A SOP Instance UID that stands for two things proves neither."""
    first = ct_evidence()[0]
    with pytest.raises(EvidenceError):
        distinct((first, replace(first, **change)))  # type: ignore[arg-type]


def test_one_uid_with_two_contents_is_refused() -> None:
    """An altered copy of an instance is found by its MAC."""
    first, second, _ = ct_evidence()
    with pytest.raises(EvidenceError):
        distinct((first, replace(first, reference=second.reference)))


def test_no_evidence_has_no_patient() -> None:
    """Without evidence there is nothing to take over."""
    with pytest.raises(EvidenceError):
        patient_study_of(())


@pytest.mark.parametrize(
    "change",
    [
        {"patient_name": "Müller^Judith"},
        {"patient_id": "4712"},
        {"patient_birth_date": "19610315"},
        {"patient_sex": "M"},
        {"issuer_of_patient_id": "other"},
    ],
)
def test_another_patient_in_the_same_study_is_refused(change: dict[str, str]) -> None:
    """Within one study every identifying attribute agrees."""
    first, second, _ = ct_evidence()
    with pytest.raises(EvidenceError) as caught:
        require_one_patient(first.patient_study, (first, _of_patient(second, **change)))
    assert caught.value.where is not None


@pytest.mark.parametrize(
    "change",
    [
        {"patient_id": "4712"},
        {"patient_birth_date": "19700101"},
        {"patient_birth_date": "19700101", "issuer_of_patient_id": "elsewhere"},
    ],
)
def test_a_prior_study_of_another_patient_is_refused(change: dict[str, str]) -> None:
    """An earlier study with the same issuer has the same Patient ID; the birth date never moves."""
    own, prior = ct_evidence()[0], ct_evidence(arc=2)[0]
    with pytest.raises(EvidenceError):
        require_one_patient(own.patient_study, (_of_patient(prior, **change),))


@pytest.mark.parametrize(
    "change",
    [
        {"patient_id": "X-1", "issuer_of_patient_id": "elsewhere"},
        {"patient_name": "Müller-Weiß^Jördis"},
        {"patient_birth_date": ""},
    ],
)
def test_a_prior_study_from_elsewhere_is_accepted(change: dict[str, str]) -> None:
    """Another institution has its own Patient IDs, and names change."""
    own, prior = ct_evidence()[0], ct_evidence(arc=2)[0]
    require_one_patient(own.patient_study, (_of_patient(prior, **change),))
