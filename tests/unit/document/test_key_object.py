"""Key Object Selection documents."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO

import pytest
from highdicom.ko import KeyObjectSelectionDocument
from pydicom import dcmread
from pydicom.dataset import Dataset

from sr.codes import KEY_OBJECT_TITLES, Code, key_object_title
from sr.dicomfile import canonicalise
from sr.document.citations import require_cited
from sr.document.identity import DocumentIdentity
from sr.document.key_object import KeyObjectSelection, build_key_objects
from sr.document.observer import DeviceObserver
from sr.errors import DocumentError, EvidenceError, TemplateError
from sr.signature.references import IDENTICAL, DocumentReference, document_references
from sr.verification import Candidate
from sr.verification.facts import ReferenceResult
from sr.verification.references import compare_reference
from tests.support.datasets import (
    AUTHOR,
    ct_evidence,
    evidence_of,
    identity,
    instance,
    key_object,
    opened,
    report,
)

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


def test_two_studies_are_no_single_document() -> None:
    """A second study is never dropped silently."""
    with pytest.raises(EvidenceError) as caught:
        key_object(evidence=ct_evidence() + ct_evidence(arc=2))
    assert "(0040,A525)" in str(caught.value)


def _copies(count: int, **changes: object) -> tuple[bytes, ...]:
    """Return a selection over as many studies as are counted."""
    evidence = tuple(e for arc in range(1, count + 1) for e in ct_evidence(arc=arc))
    selection = KeyObjectSelection(title=key_object_title("113035"), observers=(AUTHOR,))
    return build_key_objects(
        replace(selection, **changes),  # type: ignore[arg-type]
        evidence=evidence,
        identities=tuple(_identity(number) for number in range(1, count + 1)),
    )


def _identity(number: int) -> DocumentIdentity:
    return identity(number, series_instance_uid=f"2.25.900.0.{number}")


@pytest.mark.parametrize("count", [2, 3])
def test_each_study_has_its_document(count: int) -> None:
    """Each joins its study, in its own series, says the same and cites the evidence of all."""
    read = [_read(data) for data in _copies(count)]
    studies = [ct_evidence(arc=arc)[0].study_instance_uid for arc in range(1, count + 1)]
    assert [dataset.StudyInstanceUID for dataset in read] == studies
    assert len({dataset.SeriesInstanceUID for dataset in read}) == count
    for dataset in read:
        assert dataset.ContentSequence == read[0].ContentSequence
        listed = dataset.CurrentRequestedProcedureEvidenceSequence
        assert [study.StudyInstanceUID for study in listed] == studies
        assert listed == read[0].CurrentRequestedProcedureEvidenceSequence


@pytest.mark.parametrize("count", [2, 3])
def test_each_document_lists_all_others(count: int) -> None:
    """Identical Documents names every copy but the document itself, in its study and series."""
    read = [_read(data) for data in _copies(count)]
    whereabouts = [
        (d.StudyInstanceUID, d.SeriesInstanceUID, d.SOPClassUID, d.SOPInstanceUID) for d in read
    ]
    for number, dataset in enumerate(read):
        named = [
            (
                study.StudyInstanceUID,
                series.SeriesInstanceUID,
                item.ReferencedSOPClassUID,
                item.ReferencedSOPInstanceUID,
            )
            for study in dataset.IdenticalDocumentsSequence
            for series in study.ReferencedSeriesSequence
            for item in series.ReferencedSOPSequence
        ]
        assert named == whereabouts[:number] + whereabouts[number + 1 :]


def _identical_references(data: bytes) -> tuple[DocumentReference, ...]:
    references = document_references(opened(data).dataset)
    return tuple(r for r in references if r.sequence == IDENTICAL)


def test_copies_prove_one_another() -> None:
    """Each holds the MAC of the others over all but the sequence that holds the MACs."""
    copies = _copies(3)
    by_uid = {opened(data).sop_instance_uid: data for data in copies}
    for data in copies:
        references = _identical_references(data)
        assert len(references) == 2
        for reference in references:
            (mac,) = reference.macs
            assert IDENTICAL not in mac.data_elements_signed
            other = Candidate(
                label="copy", read=lambda uid=reference.sop_instance_uid: opened(by_uid[uid])
            )
            assert compare_reference(reference, (other,)).result is ReferenceResult.MATCHED


def test_a_copy_that_says_something_else_is_altered() -> None:
    """The proof notices a changed description in one of the copies."""
    first, _ = _copies(2)
    _, other = _copies(2, description="Unscharf")
    (reference,) = _identical_references(first)
    candidate = Candidate(label="copy", read=lambda: opened(other))
    assert compare_reference(reference, (candidate,)).result is ReferenceResult.ALTERED


def test_copies_are_canonical_and_repeatable() -> None:
    """Nothing but the arguments decides the bytes, and they are in the form that is signed."""
    assert _copies(2) == _copies(2)
    for data in _copies(2):
        assert canonicalise(data) == data


def test_one_study_has_no_copies() -> None:
    """A document without copies does not mention any."""
    (only,) = _copies(1)
    assert only == key_object(evidence=ct_evidence())
    assert "IdenticalDocumentsSequence" not in _read(only)


@pytest.mark.parametrize(
    "identities",
    [
        (),
        (_identity(1),),
        (_identity(1), _identity(2), _identity(3)),
        (_identity(1), replace(_identity(2), sop_instance_uid="2.25.900.1")),
        (_identity(1), replace(_identity(2), series_instance_uid="2.25.900.0.1")),
    ],
    ids=["none", "too-few", "too-many", "same-document", "same-series"],
)
def test_identities_must_fit(identities: tuple[DocumentIdentity, ...]) -> None:
    """One identity for each study, no UID used twice."""
    selection = KeyObjectSelection(title=key_object_title("113035"))
    with pytest.raises(DocumentError):
        build_key_objects(
            selection, evidence=ct_evidence() + ct_evidence(arc=2), identities=identities
        )


def test_a_selection_cannot_cite_itself() -> None:
    """No copy may be in the evidence of its own set."""
    own = replace(ct_evidence(arc=2)[0], sop_instance_uid="2.25.900.1")
    with pytest.raises(EvidenceError):
        build_key_objects(
            KeyObjectSelection(title=key_object_title("113035")),
            evidence=(*ct_evidence(), own),
            identities=(_identity(1), _identity(2)),
        )


def test_studies_of_two_patients_are_refused() -> None:
    """Birth dates that contradict one another are two persons, whatever the study."""
    stranger = tuple(
        replace(e, patient_study=replace(e.patient_study, patient_birth_date="19700101"))
        for e in ct_evidence(arc=2)
    )
    with pytest.raises(EvidenceError):
        build_key_objects(
            KeyObjectSelection(title=key_object_title("113035")),
            evidence=ct_evidence() + stranger,
            identities=(_identity(1), _identity(2)),
        )


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
