"""Key Object Selection documents."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO

import pytest
from highdicom.ko import KeyObjectSelectionDocument
from pydicom import dcmread
from pydicom.dataset import Dataset

from sr.codes import KEY_OBJECT_TITLES, Code
from sr.dicomfile import canonicalise
from sr.document.citations import require_cited
from sr.document.observer import DeviceObserver
from sr.errors import EvidenceError, TemplateError
from tests.support.datasets import ct_evidence, evidence_of, instance, key_object, report

MOTION = Code("111210", "DCM", "Motion blur")
STUDY = Code("113014", "DCM", "Study")
GERMAN = Code("de", "RFC5646", "German")


def _read(data: bytes) -> Dataset:
    return dcmread(BytesIO(data))


@pytest.mark.parametrize("title", [c.value for c in KEY_OBJECT_TITLES.values()])
def test_every_title_is_written(title: str) -> None:
    """All titles of CID 7010 that we name come out as the root's concept."""
    modifiers = (STUDY,) if title == "113013" else ()
    dataset = _read(key_object(title, title_modifiers=modifiers))
    assert dataset.ConceptNameCodeSequence[0].CodeValue == title
    assert dataset.ContentTemplateSequence[0].TemplateIdentifier == "2010"
    assert dataset.Modality == "KO"


def test_equal_arguments_give_equal_bytes() -> None:
    """Nothing but the arguments decides the bytes, and they are canonical."""
    assert key_object() == key_object()
    assert canonicalise(key_object()) == key_object()


def test_references_have_no_concept_name() -> None:
    """TID 2010 forbids a purpose of reference."""
    items = _read(key_object()).ContentSequence
    references = [item for item in items if item.ValueType == "IMAGE"]
    assert len(references) == len(ct_evidence())
    assert not any("ConceptNameCodeSequence" in item for item in references)


def test_the_evidence_is_what_is_cited() -> None:
    """Every instance is listed once, in the order given, with its MAC."""
    dataset = _read(key_object())
    (study,) = dataset.CurrentRequestedProcedureEvidenceSequence
    listed = study.ReferencedSeriesSequence[0].ReferencedSOPSequence
    cited = [
        i.ReferencedSOPSequence[0].ReferencedSOPInstanceUID
        for i in dataset.ContentSequence
        if i.ValueType == "IMAGE"
    ]
    assert [item.ReferencedSOPInstanceUID for item in listed] == cited
    assert all("ReferencedSOPInstanceMACSequence" in item for item in listed)


def test_there_is_no_document_state() -> None:
    """A selection has no completion, verification or predecessor, and one empty step sequence."""
    dataset = _read(key_object())
    for keyword in (
        "CompletionFlag",
        "VerificationFlag",
        "PreliminaryFlag",
        "AuthorObserverSequence",
        "PerformedProcedureCodeSequence",
    ):
        assert keyword not in dataset
    assert not dataset.ReferencedPerformedProcedureStepSequence


def test_rows_stand_in_template_order() -> None:
    """Modifiers, language, observers, description, then references."""
    device = DeviceObserver(uid="2.25.42", manufacturer="Maker", model_name="Picker")
    dataset = _read(
        key_object(
            "113001",
            title_modifiers=(MOTION,),
            language=GERMAN,
            description="Unscharf",
            observers=(device,),
        )
    )
    names = [
        item.ConceptNameCodeSequence[0].CodeValue
        for item in dataset.ContentSequence
        if "ConceptNameCodeSequence" in item
    ]
    assert names == ["113011", "121049", "121005", "121012", "121014", "121015", "113012"]
    assert dataset.ContentSequence[-1].ValueType == "IMAGE"


def test_other_kinds_are_cited_as_what_they_are() -> None:
    """Waveforms and documents stand beside images; a selection may cite a selection."""
    ecg = evidence_of(instance("1.2.840.10008.5.1.4.1.1.9.1.1"))
    before = evidence_of(key_object("113030", number=7))
    written = evidence_of(report(number=8))
    dataset = _read(key_object("113031", evidence=(*ct_evidence(), ecg, before, written)))
    kinds = [item.ValueType for item in dataset.ContentSequence][-3:]
    assert kinds == ["WAVEFORM", "COMPOSITE", "COMPOSITE"]
    (study,) = dataset.CurrentRequestedProcedureEvidenceSequence
    assert len(study.ReferencedSeriesSequence) == 3


def test_highdicom_reads_it_back() -> None:
    """The library that framed the document accepts it."""
    read = KeyObjectSelectionDocument.from_dataset(_read(key_object()))
    assert len(read.content.get_references()) == len(ct_evidence())


def test_two_studies_are_refused() -> None:
    """A second study is never dropped silently."""
    with pytest.raises(EvidenceError) as caught:
        key_object(evidence=ct_evidence() + ct_evidence(arc=2))
    assert "(0040,A525)" in str(caught.value)


def test_nothing_cannot_be_selected() -> None:
    """A selection of nothing is refused."""
    with pytest.raises(EvidenceError):
        key_object(evidence=())


def test_two_patients_are_refused() -> None:
    """One document has one patient."""
    first, *others = ct_evidence()
    stranger = replace(first, patient_study=replace(first.patient_study, patient_sex="M"))
    with pytest.raises(EvidenceError):
        key_object(evidence=(*others, stranger))


@pytest.mark.parametrize(
    ("title", "modifiers"),
    [
        ("113013", ()),
        ("113013", (MOTION,)),
        ("113013", (STUDY, STUDY)),
        ("113001", (STUDY,)),
        ("113010", (MOTION, STUDY)),
    ],
)
def test_wrong_modifiers_are_refused(title: str, modifiers: tuple[Code, ...]) -> None:
    """Best In Set says what the set is; a quality title gives reasons of CID 7011 only."""
    with pytest.raises(TemplateError):
        key_object(title, title_modifiers=modifiers)


def test_a_description_must_be_writable() -> None:
    """Control characters do not reach the file."""
    with pytest.raises(TemplateError):
        key_object(description="a\0b")


def test_the_tree_can_be_checked_again() -> None:
    """An unnamed citation in an empty tree is nothing; the check says which UIDs are cited."""
    from sr.document.content import Container, Relationship, reference_to

    root = Container(children=(reference_to(ct_evidence()[1], Relationship.CONTAINS),))
    assert require_cited(root, ct_evidence()) == {ct_evidence()[1].sop_instance_uid}
