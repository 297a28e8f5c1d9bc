"""What approving a report changes in it, and which reports may be approved."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import BytesIO

import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset

from sr.codes import Code
from sr.dicomfile import canonicalise
from sr.dicomfile.splice import assemble, splice
from sr.document import ReferencedDigitalSignature, SecureReference
from sr.document.approvable import Approval, ApprovalMode, VerifyingObserver, check_approvable
from sr.document.lifecycle import approve_edits
from sr.document.observer import PersonObserver
from sr.document.structured_report import CompletionFlag
from sr.errors import LifecycleError
from sr.mac import compute_mac
from tests.support.datasets import NOW, ct_files, evidence_of, key_object, opened, report

LATER = NOW + timedelta(hours=2)
SUPERVISOR = VerifyingObserver(name="Öztürk^Deniz", organization="Klinikum Musterstadt")
REISSUE = Approval(observer=SUPERVISOR, approved_at=LATER, sop_instance_uid="2.25.901.1234567")
IN_PLACE = replace(REISSUE, mode=ApprovalMode.IN_PLACE, sop_instance_uid="")

INSTANCE = {0x00080012, 0x00080013, 0x00080018}
STATUS = {0x0040A493, 0x0040A073, 0x0040A496}
META_UID = 0x00020003


def _with_predecessor(data: bytes) -> Approval:
    reference = SecureReference(mac=compute_mac(opened(data)))
    mode = ApprovalMode.REISSUE_WITH_PREDECESSOR
    return replace(REISSUE, mode=mode, predecessor=reference)


def _approve(data: bytes, approval: Approval) -> bytes:
    file = opened(data)
    return assemble(splice(file, approve_edits(file.dataset, approval)))


def _read(data: bytes) -> Dataset:
    return dcmread(BytesIO(data))


def _raw(data: bytes) -> dict[int, bytes]:
    dataset = opened(data).dataset
    return {e.tag: data[e.start : e.end] for e in dataset}


def _changed(data: bytes, edit: Callable[[Dataset], object]) -> bytes:
    """Return the report with an attribute changed by pydicom, as a stranger would have it."""
    dataset = _read(data)
    edit(dataset)
    buffer = BytesIO()
    dataset.save_as(buffer)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("approval", "tags"),
    [
        (IN_PLACE, {0x0040A493, 0x0040A073}),
        (REISSUE, {META_UID, *INSTANCE, 0x0040A493, 0x0040A073}),
    ],
)
def test_only_what_an_author_leaves_open_changes(approval: Approval, tags: set[int]) -> None:
    """Every other element keeps its bytes, and the edits are in tag order."""
    data = report()
    edits = approve_edits(opened(data).dataset, approval)
    before, after = _raw(data), _raw(_approve(data, approval))
    assert [e.tag for e in edits] == sorted(tags)
    assert {t for t in before if after.get(t) != before[t]} <= INSTANCE | STATUS
    assert after.keys() - before.keys() == {0x0040A073}


def test_the_result_is_a_verified_document() -> None:
    """The new identity is in data set and file meta information, the group length right."""
    data = _approve(report(), REISSUE)
    dataset = _read(data)
    (observer,) = dataset.VerifyingObserverSequence
    assert dataset.VerificationFlag == "VERIFIED"
    assert observer.VerifyingObserverName == "Öztürk^Deniz"
    assert observer.VerifyingOrganization == "Klinikum Musterstadt"
    assert observer.VerificationDateTime == "20261120113015+0100"
    assert not observer.VerifyingObserverIdentificationCodeSequence
    assert dataset.SOPInstanceUID == dataset.file_meta.MediaStorageSOPInstanceUID
    assert dataset.SOPInstanceUID == "2.25.901.1234567"
    assert canonicalise(data) == data


def test_in_place_keeps_the_identity() -> None:
    """A report that never left the system keeps UID and creation time."""
    before, after = _read(report()), _read(_approve(report(), IN_PLACE))
    assert after.SOPInstanceUID == before.SOPInstanceUID
    assert after.InstanceCreationTime == before.InstanceCreationTime


def test_creation_is_written_in_the_documents_zone() -> None:
    """A supervisor in another zone does not bend the document's clock."""
    elsewhere = replace(REISSUE, approved_at=LATER.astimezone(UTC))
    dataset = _read(_approve(report(), elsewhere))
    assert (dataset.InstanceCreationDate, dataset.InstanceCreationTime) == ("20261120", "113015")
    assert dataset.VerifyingObserverSequence[0].VerificationDateTime == "20261120103015+0000"


def test_a_preliminary_report_becomes_final() -> None:
    """Approval makes it the prevailing version, unless it is told not to."""
    data = report(preliminary=True)
    assert _read(_approve(data, REISSUE)).PreliminaryFlag == "FINAL"
    kept = _approve(data, replace(REISSUE, final=False))
    assert _read(kept).PreliminaryFlag == "PRELIMINARY"


def test_the_observer_may_be_identified() -> None:
    """An identification code goes into its sequence."""
    observer = replace(SUPERVISOR, identification=Code("4711", "99HR", "Deniz Öztürk"))
    data = _approve(report(), replace(REISSUE, observer=observer))
    (item,) = _read(data).VerifyingObserverSequence
    assert item.VerifyingObserverIdentificationCodeSequence[0].CodeValue == "4711"


def test_the_predecessor_is_referenced_securely() -> None:
    """With a predecessor, the document approved is named with its MAC and signature."""
    data = report()
    approval = _with_predecessor(data)
    signature = ReferencedDigitalSignature(digital_signature_uid="2.25.8", signature=b"\1\2\3")
    assert approval.predecessor is not None
    both = replace(approval.predecessor, signatures=(signature,))
    after = _approve(data, replace(approval, predecessor=both))
    (study,) = _read(after).PredecessorDocumentsSequence
    (series,) = study.ReferencedSeriesSequence
    (item,) = series.ReferencedSOPSequence
    before = _read(data)
    assert item.ReferencedSOPInstanceUID == before.SOPInstanceUID
    assert (study.StudyInstanceUID, series.SeriesInstanceUID) == (
        before.StudyInstanceUID,
        before.SeriesInstanceUID,
    )
    (mac,) = item.ReferencedSOPInstanceMACSequence
    assert approval.predecessor.mac is not None
    assert approval.predecessor.mac.mac == mac.MAC
    assert list(mac.DataElementsSigned) == list(approval.predecessor.mac.data_elements_signed)
    assert item.ReferencedDigitalSignatureSequence[0].Signature == b"\1\2\3\0"
    assert evidence_of(after).sop_instance_uid == "2.25.901.1234567"


def _refused(data: bytes, approval: Approval) -> LifecycleError:
    with pytest.raises(LifecycleError) as caught:
        approve_edits(opened(data).dataset, approval)
    return caught.value


@pytest.mark.parametrize("approval", [IN_PLACE, REISSUE])
def test_a_partial_report_is_not_approved(approval: Approval) -> None:
    """VERIFIED needs COMPLETE."""
    assert _refused(report(completion=CompletionFlag.PARTIAL), approval).where == "(0040,A491)"


@pytest.mark.parametrize("approval", [IN_PLACE, replace(REISSUE, sop_instance_uid="2.25.902")])
def test_nobody_approves_twice(approval: Approval) -> None:
    """A second approver adds a signature, not a second observer."""
    assert _refused(_approve(report(), REISSUE), approval).where == "(0040,A493)"


def test_an_observer_without_flag_is_not_overwritten() -> None:
    """A document that contradicts itself is not approved."""

    def contradict(dataset: Dataset) -> None:
        dataset.VerificationFlag = "UNVERIFIED"

    data = _changed(_approve(report(), REISSUE), contradict)
    assert _refused(data, replace(REISSUE, sop_instance_uid="2.25.902")).where == "(0040,A493)"


@pytest.mark.parametrize(
    ("keyword", "where"),
    [("CompletionFlag", "(0040,A491)"), ("VerificationFlag", "(0040,A493)")],
)
def test_a_document_without_state_is_not_approved(keyword: str, where: str) -> None:
    """Absent flags are not guessed."""
    data = _changed(report(), lambda dataset: delattr(dataset, keyword))
    assert _refused(data, REISSUE).where == where


def test_a_key_object_selection_is_not_approved() -> None:
    """It has no verification state."""
    assert _refused(key_object(), REISSUE).where == "(0008,0016)"


def test_an_image_is_not_approved() -> None:
    """Neither has an image."""
    assert _refused(ct_files()[0], REISSUE).where == "(0040,A491)"


@pytest.mark.parametrize("uid", ["", "new", "2.25.900.1", "2.25.007"])
def test_a_reissued_report_needs_a_new_uid(uid: str) -> None:
    """The UID is a UID, well formed, and not the old one."""
    assert _refused(report(), replace(REISSUE, sop_instance_uid=uid)).where == "(0008,0018)"


def test_in_place_takes_no_uid() -> None:
    """A UID that would not be used is a mistake."""
    _refused(report(), replace(IN_PLACE, sop_instance_uid="2.25.5"))


def test_an_existing_predecessor_cannot_be_extended() -> None:
    """The author's signature covers the sequence as it is."""
    data = report()
    after = _approve(data, _with_predecessor(data))

    def reopen(dataset: Dataset) -> None:
        dataset.VerificationFlag = "UNVERIFIED"
        del dataset.VerifyingObserverSequence

    reopened = _changed(after, reopen)
    approval = replace(_with_predecessor(reopened), sop_instance_uid="2.25.903")
    assert _refused(reopened, approval).where == "(0040,A360)"


def test_a_predecessor_needs_proof_and_only_its_mode_takes_one() -> None:
    """A reference without proof, or proof without use, is refused."""
    data = report()
    _refused(data, replace(_with_predecessor(data), predecessor=None))
    _refused(data, replace(REISSUE, predecessor=_with_predecessor(data).predecessor))


@pytest.mark.parametrize(
    "name",
    [
        "Meier^Anna",
        "MEIER^ANNA^^Dr.",
        "Meier^Anna=山田^太郎",
        "Méier^Anna",
        "Anna^Meier",
        "Meier^Anna^Maria",
    ],
)
@pytest.mark.parametrize("approval", [IN_PLACE, REISSUE])
def test_an_author_does_not_approve_his_own_report(name: str, approval: Approval) -> None:
    """Four eyes: spelling the name differently does not make another person."""
    observer = replace(SUPERVISOR, name=name)
    assert _refused(report(), replace(approval, observer=observer)).where == "(0040,A078)"


def test_an_observer_of_the_tree_is_an_author_too() -> None:
    """Without Author Observer Sequence the content tree still says who reports."""
    data = _changed(report(), lambda dataset: delattr(dataset, "AuthorObserverSequence"))
    observer = replace(SUPERVISOR, name="Meier^Anna")
    assert _refused(data, replace(REISSUE, observer=observer)).where == "(0040,A078)"


def test_namesakes_in_the_family_are_two_persons() -> None:
    """The same family name alone does not stop an approval."""
    observer = replace(SUPERVISOR, name="Meier^Bernd")
    check_approvable(opened(report()).dataset, replace(REISSUE, observer=observer))


@pytest.mark.parametrize(
    "observer",
    [
        VerifyingObserver(name="", organization="K"),
        VerifyingObserver(name="^^=", organization="K"),
        VerifyingObserver(name="A^B", organization=" "),
        VerifyingObserver(name="A\\B", organization="K"),
        VerifyingObserver(name="A^B", organization="x" * 65),
        VerifyingObserver(name="A^B^C^D^E^F", organization="K"),
        VerifyingObserver(name="A^B", organization="K", identification=Code("x" * 17, "S", "m")),
    ],
)
def test_an_observer_that_cannot_be_written_is_refused(observer: VerifyingObserver) -> None:
    """Name and organization are required and have to fit."""
    _refused(report(), replace(REISSUE, observer=observer))


def test_a_name_outside_the_character_set_is_refused() -> None:
    """A document in another character set takes ASCII names only; nothing is re-encoded."""

    def to_latin_1(dataset: Dataset) -> None:
        dataset.SpecificCharacterSet = "ISO_IR 100"

    data = _changed(report(author=PersonObserver(name="Meier^Anna")), to_latin_1)
    _refused(data, REISSUE)
    plain = replace(SUPERVISOR, name="Oeztuerk^Deniz")
    assert approve_edits(opened(data).dataset, replace(REISSUE, observer=plain))


@pytest.mark.parametrize("when", [LATER.replace(tzinfo=None), NOW - timedelta(seconds=1)])
def test_approval_comes_after_the_content_with_an_offset(when: datetime) -> None:
    """A clock without zone or before the content is refused."""
    _refused(report(), replace(REISSUE, approved_at=when))


def test_other_encodings_are_refused() -> None:
    """Edits are explicit little endian, so the document must be."""
    dataset = _read(report())
    dataset.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2"
    buffer = BytesIO()
    dataset.save_as(buffer, implicit_vr=True, little_endian=True)
    _refused(buffer.getvalue(), REISSUE)
