"""Signing and approving files: what survives, and what is refused before anything is written."""

from __future__ import annotations

from pathlib import Path

import pytest

from sr.app.checks.check import check_file, exit_code
from sr.app.documents.authoring import create_key_object, create_report
from sr.app.files import open_dicom
from sr.app.signatures.signing import ApprovalMode, approve_file, sign_file
from sr.codes import SignaturePurpose, key_object_title
from sr.dicomfile.splice import SetElement, assemble, splice
from sr.dicomfile.writer import text
from sr.errors import (
    ConfigurationError,
    EvidenceError,
    LifecycleError,
    ProfileViolationError,
    SRError,
)
from sr.findings import Indication
from tests.support.story import Story, real_ports

PORTS = real_ports()


def approve(story: Story, source: Path, output: Path, mode: ApprovalMode, who: str = "supervisor"):
    """Approve a report as somebody of the story."""
    return approve_file(
        source, output, observer="Weber^Sam", organization="Clinic", mode=mode,
        credentials=story.credentials(who), ports=PORTS,
    )  # fmt: skip


@pytest.mark.parametrize("mode", ApprovalMode)
def test_author_signature_survives_every_way_of_approving(
    story: Story, tmp_path: Path, mode: ApprovalMode
) -> None:
    """After approval, in every mode, author's and supervisor's signatures pass."""
    output = tmp_path / "approved.dcm"
    approve(story, story.out / "report-author.dcm", output, mode)
    verdict = check_file(output, story.options(story.out / "evidence"))
    assert [(s.purpose.value, s.indication) for s in verdict.signatures if s.purpose] == [
        ("1", Indication.PASSED),
        ("5", Indication.PASSED),
    ]
    assert exit_code(verdict) == 0


@pytest.mark.parametrize("mode", ApprovalMode)
def test_only_in_place_keeps_the_instance_uid(
    story: Story, tmp_path: Path, mode: ApprovalMode
) -> None:
    """A reissued report is a new instance, in the data set and in File Meta Information."""
    source, output = story.out / "report-author.dcm", tmp_path / "approved.dcm"
    approve(story, source, output, mode)
    before, after = open_dicom(source), open_dicom(output)
    kept = before.sop_instance_uid == after.sop_instance_uid
    assert kept == (mode is ApprovalMode.IN_PLACE)
    assert after.meta is not None
    assert after.meta.text(0x00020003) == after.sop_instance_uid


def test_predecessor_is_named_as_added_after_signing(story: Story, tmp_path: Path) -> None:
    """The predecessor that approval adds is a limitation, not a fault of the author's signature."""
    output = tmp_path / "approved.dcm"
    approve(story, story.out / "report-author.dcm", output, ApprovalMode.REISSUE_WITH_PREDECESSOR)
    verdict = check_file(output, story.options())
    added = [(x.code.value, x.where) for x in verdict.limitations if "ADDED" in x.code.value]
    assert added == [("ADDED_AFTER_SIGNING", "(0040,A360)")]


def test_nothing_of_the_author_is_re_encoded(story: Story, tmp_path: Path) -> None:
    """Every element that approval does not edit is byte for byte what the author signed."""
    output = tmp_path / "approved.dcm"
    approve(story, story.out / "report-author.dcm", output, ApprovalMode.REISSUE)
    before, after = open_dicom(story.out / "report-author.dcm"), open_dicom(output)
    edited = {0x00080012, 0x00080013, 0x00080018, 0x0040A073, 0x0040A493, 0x4FFE0001, 0xFFFAFFFA}
    for element in before.dataset:
        if element.tag not in edited:
            same = after.dataset.get(element.tag)
            assert same is not None
            assert before.source.read_at(element.start, element.end - element.start) == (
                after.source.read_at(same.start, same.end - same.start)
            )


def test_author_cannot_approve(story: Story, tmp_path: Path) -> None:
    """A report is not approved with the certificate of its author."""
    output = tmp_path / "approved.dcm"
    with pytest.raises(LifecycleError) as refusal:
        approve(story, story.out / "report-author.dcm", output, ApprovalMode.REISSUE, "author")
    assert refusal.value.where == "(0400,0115)"
    assert not output.exists()


def test_altered_report_is_not_approved(story: Story, tmp_path: Path) -> None:
    """A report whose author signature does not verify is not approved."""
    file = open_dicom(story.out / "report-author.dcm")
    edit = SetElement(tag=0x00100020, encoded=text(0x00100020, "LO", "SOMEBODY-ELSE"))
    altered, output = tmp_path / "altered.dcm", tmp_path / "approved.dcm"
    altered.write_bytes(assemble(splice(file, [edit])))
    with pytest.raises(LifecycleError):
        approve(story, altered, output, ApprovalMode.REISSUE)
    assert not output.exists()


def test_partial_report_is_not_approved(story: Story, tmp_path: Path) -> None:
    """Approval needs Completion Flag COMPLETE."""
    file = open_dicom(story.out / "report-draft.dcm")
    edit = SetElement(tag=0x0040A491, encoded=text(0x0040A491, "CS", "PARTIAL "))
    partial = tmp_path / "partial.dcm"
    partial.write_bytes(assemble(splice(file, [edit])))
    with pytest.raises(LifecycleError) as refusal:
        approve(story, partial, tmp_path / "approved.dcm", ApprovalMode.REISSUE)
    assert refusal.value.where == "(0040,A491)"


def test_approved_report_is_not_approved_again(story: Story, tmp_path: Path) -> None:
    """A second approval is a further signature, not another Verifying Observer."""
    with pytest.raises(LifecycleError) as refusal:
        approve(story, story.out / "report.dcm", tmp_path / "twice.dcm", ApprovalMode.REISSUE)
    assert refusal.value.where == "(0040,A493)"


def test_second_opinion_is_a_further_signature(story: Story, tmp_path: Path) -> None:
    """A review signature joins an approved report and disturbs neither earlier one."""
    output = tmp_path / "reviewed.dcm"
    sign_file(
        story.out / "report.dcm", output, purpose=SignaturePurpose.REVIEW,
        credentials=story.credentials("archive"), ports=PORTS,
    )  # fmt: skip
    verdict = check_file(output, story.options())
    assert [s.indication for s in verdict.signatures] == [Indication.PASSED] * 3


def test_unsecured_evidence_is_not_signed(story: Story, tmp_path: Path) -> None:
    """A report with an evidence item that carries no proof is refused, naming the item."""
    data = (story.out / "report-draft.dcm").read_bytes()
    file = open_dicom(story.out / "report-draft.dcm")
    evidence = file.dataset.items(0x0040A375)[0].items(0x00081115)[0]
    instance = evidence.items(0x00081199)[0]
    proof = instance.get(0x04000403)
    assert proof is not None
    edit = SetElement(
        tag=0x04000403, encoded=None,
        path=((0x0040A375, 0), (0x00081115, 0), (0x00081199, 0)),
    )  # fmt: skip
    unsecured = tmp_path / "unsecured.dcm"
    unsecured.write_bytes(assemble(splice(file, [edit])))
    assert len(unsecured.read_bytes()) < len(data)
    with pytest.raises(ProfileViolationError) as refusal:
        sign_file(
            unsecured, tmp_path / "out.dcm", purpose=SignaturePurpose.AUTHOR,
            credentials=story.credentials("author"), ports=PORTS,
        )  # fmt: skip
    assert [f.rule for f in refusal.value.findings] == ["EVIDENCE_UNSECURED"]
    assert (refusal.value.where or "").startswith("(0040,A375)[0]")


def test_signed_title_without_signature_is_refused(story: Story, tmp_path: Path) -> None:
    """A title that promises a signature is not written on a document without one."""
    with pytest.raises(ConfigurationError) as refusal:
        create_key_object(
            tmp_path / "kos.dcm", title=key_object_title("113031"),
            evidence=(story.out / "evidence",), ports=PORTS,
        )  # fmt: skip
    assert refusal.value.where == "(0040,A043)"
    assert not (tmp_path / "kos.dcm").exists()


def test_citing_what_is_not_there_is_refused(story: Story, tmp_path: Path) -> None:
    """A content item that cites an instance outside the evidence is refused."""
    report = tmp_path / "report.toml"
    report.write_text(
        'title = "CTChestReport"\nlanguage = "en"\n[observer]\nname = "Meier^Anna"\n'
        'organization = "Clinic"\n[[section]]\nheading = "Findings"\n[[section.item]]\n'
        'text = "A nodule."\nimages = ["1.2.3.4.5"]\n',
        encoding="utf-8",
    )
    with pytest.raises(EvidenceError):
        create_report(
            report, tmp_path / "r.dcm", evidence=(story.out / "evidence",), template=None,
            ports=PORTS,
        )  # fmt: skip
    assert not (tmp_path / "r.dcm").exists()


def test_damaged_evidence_is_refused_and_nothing_is_written(story: Story, tmp_path: Path) -> None:
    """One unreadable evidence file refuses the whole document and is named."""
    folder = tmp_path / "evidence"
    folder.mkdir()
    first, second = sorted((story.out / "evidence").iterdir())[:2]
    (folder / "good.dcm").write_bytes(first.read_bytes())
    (folder / "bad.dcm").write_bytes(second.read_bytes()[:-100])
    with pytest.raises(EvidenceError) as refusal:
        create_key_object(
            tmp_path / "kos.dcm", title=key_object_title("of-interest"), evidence=(folder,),
            ports=PORTS,
        )  # fmt: skip
    assert "bad.dcm" in str(refusal.value)
    assert not (tmp_path / "kos.dcm").exists()


def test_two_objects_under_one_uid_are_refused(story: Story, tmp_path: Path) -> None:
    """Two different files with one SOP Instance UID are never guessed between."""
    folder = tmp_path / "evidence"
    folder.mkdir()
    data = (story.out / "evidence" / "001.dcm").read_bytes()
    (folder / "a.dcm").write_bytes(data)
    (folder / "b.dcm").write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    with pytest.raises(EvidenceError):
        create_key_object(
            tmp_path / "kos.dcm", title=key_object_title("of-interest"), evidence=(folder,),
            ports=PORTS,
        )  # fmt: skip


def test_verification_purpose_is_refused_on_an_unverified_report(
    story: Story, tmp_path: Path
) -> None:
    """Purpose 5 without VERIFIED is refused; approval does both or neither."""
    with pytest.raises(ProfileViolationError) as refusal:
        sign_file(
            story.out / "report-draft.dcm", tmp_path / "out.dcm",
            purpose=SignaturePurpose.VERIFICATION, credentials=story.credentials("supervisor"),
            ports=PORTS,
        )  # fmt: skip
    assert [f.rule for f in refusal.value.findings] == ["SR_5_NEEDS_VERIFIED"]


def test_input_is_not_overwritten(story: Story, tmp_path: Path) -> None:
    """An output that is the input is refused unless that was asked for."""
    source = tmp_path / "draft.dcm"
    data = (story.out / "report-draft.dcm").read_bytes()
    source.write_bytes(data)
    with pytest.raises(ConfigurationError):
        sign_file(
            source, source, purpose=SignaturePurpose.AUTHOR,
            credentials=story.credentials("author"), ports=PORTS,
        )  # fmt: skip
    assert source.read_bytes() == data


def test_in_place_signs_the_input(story: Story, tmp_path: Path) -> None:
    """With in_place the input is replaced by its signed form."""
    source = tmp_path / "draft.dcm"
    source.write_bytes((story.out / "report-draft.dcm").read_bytes())
    sign_file(
        source, source, purpose=SignaturePurpose.AUTHOR, credentials=story.credentials("author"),
        ports=PORTS, in_place=True,
    )  # fmt: skip
    assert exit_code(check_file(source, story.options())) == 0


def test_key_of_another_certificate_is_refused(story: Story, tmp_path: Path) -> None:
    """A key that does not belong to the certificate makes no document."""
    mixed = story.credentials("author")
    wrong = type(mixed)(
        key=mixed.key, certificates=(story.pki / "supervisor.pem",), secrets=mixed.secrets
    )
    with pytest.raises(SRError):
        sign_file(
            story.out / "report-draft.dcm", tmp_path / "out.dcm",
            purpose=SignaturePurpose.AUTHOR, credentials=wrong, ports=PORTS,
        )  # fmt: skip
    assert not (tmp_path / "out.dcm").exists()
