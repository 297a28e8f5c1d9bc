"""The next version of a report: what it takes over, what it says, and what is refused."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from pydicom import dcmread

from sr.app.checks.check import check_file, exit_code
from sr.app.files import open_dicom
from sr.app.signatures.signing import sign_file
from sr.codes import SignaturePurpose as P
from sr.document.template import load_template
from sr.errors import (
    ConfigurationError,
    EvidenceError,
    LifecycleError,
    ProfileViolationError,
    SRError,
    TemplateError,
)
from sr.findings import Indication
from sr.signature import examine
from sr.signature.references import PREDECESSORS, document_references
from tests.support.datasets import ct_files, write_all
from tests.support.desk import ADDENDUM, NEW, PORTS, Desk
from tests.support.forge import Node, at, edited, insert, leaf, remove, sequence, set_value
from tests.support.office import Office


@pytest.fixture
def desk(office: Office, tmp_path: Path) -> Desk:
    """Return a desk in the office."""
    return Desk(office, tmp_path)


@pytest.mark.parametrize("addendum", [False, True])
def test_a_new_version_is_a_new_unsigned_document(desk: Desk, addendum: bool) -> None:
    """New UIDs, same patient and study, UNVERIFIED, no observer, no signature."""
    result = desk.amend(addendum=addendum)
    before, after = dcmread(desk.office.report), dcmread(desk.output)
    for keyword in ("SOPInstanceUID", "SeriesInstanceUID"):
        assert before[keyword].value != after[keyword].value
    for keyword in ("PatientName", "PatientID", "StudyInstanceUID", "StudyDate"):
        assert before[keyword].value == after[keyword].value
    assert (after.VerificationFlag, after.CompletionFlag) == ("UNVERIFIED", "COMPLETE")
    assert after.PreliminaryFlag == "FINAL"
    assert "VerifyingObserverSequence" not in after
    assert not examine(open_dicom(desk.output)).signatures
    assert (result.predecessor, len(result.dropped)) == (before.SOPInstanceUID, 2)


@pytest.mark.parametrize(
    ("addendum", "code"), [(False, "121360"), (True, "121361")], ids=["amended", "addendum"]
)
def test_the_predecessor_is_named_with_proof_and_purpose(
    desk: Desk, addendum: bool, code: str
) -> None:
    """MAC, each of its signatures, and what the new document is to it (CID 7009)."""
    desk.amend(addendum=addendum)
    (study,) = dcmread(desk.output).PredecessorDocumentsSequence
    (item,) = study.ReferencedSeriesSequence[0].ReferencedSOPSequence
    assert item.ReferencedSOPInstanceUID == open_dicom(desk.office.report).sop_instance_uid
    signed = [s.signature for s in examine(open_dicom(desk.office.report)).signatures]
    copied = [s.DigitalSignatureUID for s in item.ReferencedDigitalSignatureSequence]
    assert copied == [s.digital_signature_uid for s in signed]
    assert len(item.ReferencedSOPInstanceMACSequence[0].MAC) == 32
    assert item.PurposeOfReferenceCodeSequence[0].CodeValue == code


def test_the_chain_of_predecessors_grows(desk: Desk) -> None:
    """A third version names the second, then the first with the proof it had."""
    desk.amend()
    second = desk.signed(desk.output, P.AUTHOR)
    third = desk.folder / "third.dcm"
    desk.amend(second, output=third, addendum=True)
    chain = [
        r for r in document_references(open_dicom(third).dataset) if r.sequence == PREDECESSORS
    ]
    earlier = [
        r for r in document_references(open_dicom(second).dataset) if r.sequence == PREDECESSORS
    ]
    assert [r.sop_instance_uid for r in chain] == [
        open_dicom(second).sop_instance_uid,
        open_dicom(desk.office.report).sop_instance_uid,
    ]
    assert (chain[1].macs, chain[1].signatures) == (earlier[0].macs, earlier[0].signatures)


@pytest.mark.parametrize("addendum", [False, True])
def test_the_whole_life(desk: Desk, addendum: bool) -> None:
    """Amended, signed by its author, approved by another: PASSED, with every image matched."""
    desk.amend(addendum=addendum)
    purpose = P.ADDENDUM if addendum else P.MODIFICATION
    final = desk.approved(desk.signed(desk.output, purpose))
    verdict = check_file(final, desk.options())
    assert [s.purpose.value for s in verdict.signatures if s.purpose] == [purpose.value, "5"]
    assert (verdict.indication, exit_code(verdict)) == (Indication.PASSED, 0)
    assert (verdict.references.total, verdict.references.differs) == (3, False)


def test_a_predecessor_is_no_evidence(desk: Desk) -> None:
    """Evidence is compared and counted; an altered predecessor beside it is not looked at."""
    desk.amend()
    final = desk.approved(desk.signed(desk.output, P.MODIFICATION))
    altered = desk.forged(set_value(0x00100020, to="OTHER"))
    evidence = (desk.office.images, altered)
    verdict = check_file(final, replace(desk.options(), evidence=evidence))
    assert verdict.indication is Indication.PASSED
    assert (verdict.references.total, verdict.references.differs) == (3, False)


def test_an_addendum_keeps_the_content(desk: Desk) -> None:
    """Every content item stands where it stood, as the same bytes; one section follows."""
    desk.amend(addendum=True)
    before, after = open_dicom(desk.office.report).dataset, open_dicom(desk.output).dataset
    kept, now = before.items(0x0040A730), after.items(0x0040A730)
    assert len(now) == len(kept) + 1
    for old, new in zip(kept, now, strict=False):
        assert old.source.read_at(old.start, old.end - old.start) == new.source.read_at(
            new.start, new.end - new.start
        )
    assert dcmread(desk.output).ContentSequence[-1].ConceptNameCodeSequence[0].CodeValue == (
        "55107-7"
    )


def test_an_addendum_states_who_wrote_it(desk: Desk) -> None:
    """Its author stands in the section and beside the first author in the header."""
    desk.amend(addendum=True)
    after = dcmread(desk.output)
    section = after.ContentSequence[-1].ContentSequence
    names = [str(i.PersonName) for i in section if i.ValueType == "PNAME"]
    assert names == ["Huber^Eva"]
    first = str(dcmread(desk.office.report).AuthorObserverSequence[0].PersonName)
    assert [str(i.PersonName) for i in after.AuthorObserverSequence] == [first, "Huber^Eva"]


def test_an_addendum_by_the_author_does_not_repeat_him(desk: Desk) -> None:
    """One person stands once among the authors."""
    name = str(dcmread(desk.office.report).AuthorObserverSequence[0].PersonName)
    report = desk.file(ADDENDUM.replace("Huber^Eva", name))
    desk.amend(report=report, addendum=True)
    assert len(dcmread(desk.output).AuthorObserverSequence) == 1


@pytest.mark.parametrize("addendum", [False, True])
def test_evidence_is_carried_over_with_its_proof(desk: Desk, addendum: bool) -> None:
    """Without any image at hand the instances and their MACs are those of the predecessor."""
    result = desk.amend(addendum=addendum)
    before, after = (
        {r.sop_instance_uid: r.macs for r in document_references(open_dicom(p).dataset)
         if r.is_evidence}
        for p in (desk.office.report, desk.output)
    )  # fmt: skip
    assert before == after
    assert (result.cited, result.carried) == (3, 3)


def test_evidence_at_hand_is_secured_anew(desk: Desk) -> None:
    """What --evidence holds is read again; the rest is carried over; new images join."""
    folder = desk.folder / "images"
    folder.mkdir()
    shutil.copy(next(desk.office.images.iterdir()), folder)
    result = desk.amend(evidence=(folder,))
    assert (result.cited, result.carried) == (3, 2)


def test_evidence_only_leaves_the_rest_out(desk: Desk) -> None:
    """A picture of somebody else, cited by mistake, can be got rid of."""
    folder = desk.folder / "images"
    folder.mkdir()
    shutil.copy(next(desk.office.images.iterdir()), folder)
    result = desk.amend(evidence=(folder,), evidence_only=True)
    assert (result.cited, result.carried) == (1, 0)


def test_a_carried_image_can_be_cited_again(desk: Desk) -> None:
    """An instance that the predecessor cites can be cited by its UID without the file."""
    uid = next(iter(document_references(open_dicom(desk.office.report).dataset))).sop_instance_uid
    desk.amend(report=desk.file(images=f'images = ["{uid}"]'))
    section = dcmread(desk.output).ContentSequence[-1]
    cited = section.ContentSequence[0].ContentSequence[0]
    assert cited.ReferencedSOPSequence[0].ReferencedSOPInstanceUID == uid


def test_values_of_a_template_amend_as_well(desk: Desk) -> None:
    """A template's values become the new content."""
    values = desk.folder / "values.toml"
    values.write_text(load_template("ct-chest").example, encoding="utf-8")
    desk.amend(report=values, template="ct-chest", evidence=(desk.office.images,))
    assert dcmread(desk.output).CompletionFlag == "COMPLETE"


@pytest.mark.parametrize("flags", ['completion = "PARTIAL"', "preliminary = true"])
def test_the_flags_are_those_of_the_new_file(desk: Desk, flags: str) -> None:
    """A new version may be partial or preliminary, whatever its predecessor was."""
    desk.amend(report=desk.file(more=flags))
    after = dcmread(desk.output)
    assert ("PARTIAL" in flags) == (after.CompletionFlag == "PARTIAL")
    assert ("preliminary" in flags) == (after.PreliminaryFlag == "PRELIMINARY")


@pytest.mark.parametrize(
    ("flag", "value", "code"),
    [(0x0040A491, "PARTIAL", "121363"), (0x0040A496, "PRELIMINARY", "121362")],
)
def test_what_a_draft_becomes(desk: Desk, flag: int, value: str, code: str) -> None:
    """The next version of a partial or preliminary report says that this is what it was."""
    draft = desk.forged(set_value(flag, to=value), of="draft")
    signed = desk.signed(draft, P.AUTHOR)
    desk.amend(signed)
    item = dcmread(desk.output).PredecessorDocumentsSequence[0]
    purpose = item.ReferencedSeriesSequence[0].ReferencedSOPSequence[0]
    assert purpose.PurposeOfReferenceCodeSequence[0].CodeValue == code


# What is refused


def refused(desk: Desk, kind: type[SRError], *arguments: object, **how: object) -> SRError:
    """Return the refusal, after which nothing was written."""
    with pytest.raises(kind) as caught:
        desk.amend(*arguments, **how)  # type: ignore[arg-type]
    assert not desk.output.exists()
    return caught.value


@pytest.mark.parametrize("addendum", [False, True])
def test_a_selection_is_not_amended(desk: Desk, addendum: bool) -> None:
    """A key object selection has no predecessors."""
    error = refused(desk, LifecycleError, desk.office.seal, addendum=addendum)
    assert (error.where, error.hint is None) == ("(0008,0016)", False)


def test_an_image_or_another_report_is_not_amended(desk: Desk) -> None:
    """Only the classes that srsign writes are amended."""
    image = next(desk.office.images.iterdir())
    assert refused(desk, LifecycleError, image).where == "(0008,0016)"
    dose = desk.forged(set_value(0x00080016, to="1.2.840.10008.5.1.4.1.1.88.67"))
    assert refused(desk, LifecycleError, dose).where == "(0008,0016)"


@pytest.mark.parametrize("addendum", [False, True])
def test_a_draft_is_not_amended(desk: Desk, addendum: bool) -> None:
    """What nobody signed is written anew, unless it was sent out so."""
    error = refused(desk, LifecycleError, desk.office.draft, addendum=addendum)
    assert (error.where, error.hint is None) == ("(FFFA,FFFA)", False)


def test_an_unsigned_document_is_amended_with_its_images(desk: Desk) -> None:
    """Where that is said; then every image has to be at hand, for nothing vouches for its proof."""
    error = refused(desk, EvidenceError, desk.office.draft, allow_unsigned=True)
    assert str(error.where).startswith("(0040,A375)")
    result = desk.amend(desk.office.draft, allow_unsigned=True, evidence=(desk.office.images,))
    assert (result.carried, result.dropped) == (0, ())


@pytest.mark.parametrize("allow_unsigned", [False, True])
@pytest.mark.parametrize("addendum", [False, True])
def test_an_altered_report_is_not_amended(desk: Desk, addendum: bool, allow_unsigned: bool) -> None:
    """A predecessor whose own signature is broken is refused, whatever else is said."""
    altered = desk.forged(set_value(0x00100020, to="OTHER"))
    error = refused(desk, LifecycleError, altered, addendum=addendum, allow_unsigned=allow_unsigned)
    assert error.where == "(FFFA,FFFA)"


def test_a_document_that_is_not_sound_is_not_amended(desk: Desk) -> None:
    """A document that contradicts itself is refused, signed or not."""

    def itself(nodes: list[Node]) -> None:
        uid = at(nodes, 0x00080018).value
        at(nodes, 0x0040A375, 0, 0x00081115, 0, 0x00081199, 0, 0x00081155).value = uid

    bad = desk.unsigned(itself)
    refused(desk, LifecycleError, bad, allow_unsigned=True, evidence=(desk.office.images,))


@pytest.mark.parametrize("title", [[], [[]]], ids=["absent", "empty"])
def test_a_document_without_title_is_not_amended(desk: Desk, title: list[list[Node]]) -> None:
    """What the document is called is part of what its next version takes over."""

    def untitled(nodes: list[Node]) -> None:
        remove(nodes, 0x0040A043)
        insert(nodes, *(sequence(0x0040A043, item) for item in title))

    how = {"allow_unsigned": True, "evidence": (desk.office.images,)}
    assert refused(desk, LifecycleError, desk.unsigned(untitled), **how).where == "(0040,A043)"


@pytest.mark.parametrize(
    ("named", "where"),
    [
        ('[patient]\nname = "Somebody^Else"', "(0010,0010)"),
        ('[patient]\nname = "{name}"\nid = "4712"', "(0010,0020)"),
        ('[patient]\nname = "{name}"\nbirth_date = "19000101"', "(0010,0030)"),
        ('[patient]\nname = "{name}"\n[study]\ninstance_uid = "1.2.3"', "(0020,000D)"),
    ],
)
@pytest.mark.parametrize("addendum", [False, True])
def test_another_patient_or_study_is_refused(
    desk: Desk, named: str, where: str, addendum: bool
) -> None:
    """A report file that names somebody else is refused, by the attribute that differs."""
    name = str(dcmread(desk.office.report).PatientName)
    text = (ADDENDUM if addendum else NEW) + named.replace("{name}", name)
    error = refused(desk, LifecycleError, report=desk.file(text), addendum=addendum)
    assert str(error.where).endswith(where)
    assert error.hint


def test_the_same_patient_may_be_named(desk: Desk) -> None:
    """A report file that names the predecessor's patient is fine."""
    name = str(dcmread(desk.office.report).PatientName)
    desk.amend(report=desk.file(NEW + f'[patient]\nname = "{name}"\n'))
    assert desk.output.exists()


def test_evidence_of_another_patient_is_refused(desk: Desk) -> None:
    """New images must be the patient's."""
    folder = desk.folder / "other"
    folder.mkdir()
    data = edited(ct_files(1, arc=9)[0], set_value(0x00100020, to="SOMEBODY"))
    write_all(folder, [data])
    refused(desk, EvidenceError, evidence=(folder,))


def test_altered_evidence_is_refused(desk: Desk) -> None:
    """An image that is not what the predecessor cited is refused under its UID."""
    folder = desk.folder / "images"
    folder.mkdir()
    image = next(desk.office.images.iterdir())
    (folder / "a.dcm").write_bytes(edited(image.read_bytes(), set_value(0x00080060, to="MR")))
    error = refused(desk, EvidenceError, evidence=(folder,))
    assert str(error.where).startswith("(0040,A375)")


def test_citing_what_nobody_has_is_refused(desk: Desk) -> None:
    """New content cites what is at hand or what the predecessor cited."""
    report = desk.file(images='images = ["1.2.3.4"]')
    refused(desk, EvidenceError, report=report)


def test_weak_proof_is_not_carried_on(desk: Desk) -> None:
    """A MAC of MD5 in the predecessor is no proof: the image has to be at hand."""
    path = (0x0040A375, 0, 0x00081115, 0, 0x00081199, 0, 0x04000403, 0)
    weak = desk.unsigned(
        set_value(*path, 0x04000015, to="MD5"), set_value(*path, 0x04000404, to=bytes(16))
    )
    refused(desk, EvidenceError, weak, allow_unsigned=True)


SECTION = '\n[[section]]\nheading = "Findings"\n[[section.item]]\ntext = "And more."\n'
BAD_ADDENDA = {
    "another heading": (ADDENDUM + SECTION, "section[2]"),
    "another title": ('title = "CTHeadReport"\n' + ADDENDUM, "(0040,A043)"),
    "another class": ('class = "basic-text"\n' + ADDENDUM, "(0008,0016)"),
    "another language": (ADDENDUM.replace('"en"', '"de"'), "(0040,A730)"),
}


@pytest.mark.parametrize("name", BAD_ADDENDA)
def test_an_addendum_changes_nothing_else(desk: Desk, name: str) -> None:
    """Title, class, language and the other sections are not an addendum's business."""
    text, where = BAD_ADDENDA[name]
    error = refused(desk, LifecycleError, report=desk.file(text), addendum=True)
    assert (error.where, error.hint is None) == (where, False)


@pytest.mark.parametrize("template", ["1500", "2005"])
def test_an_addendum_needs_sections_with_observers(desk: Desk, template: str) -> None:
    """A root template whose sections state no observer of their own takes no addendum."""
    source = desk.unsigned(set_value(0x0040A504, 0, 0x0040DB00, to=template))
    how = {"allow_unsigned": True, "addendum": True, "evidence": (desk.office.images,)}
    assert refused(desk, LifecycleError, source, **how).where == "(0040,A504)"


def test_an_addendum_to_inherited_observers_is_refused(desk: Desk) -> None:
    """Content that states no observer would seem to be the second author's."""

    def inherits(nodes: list[Node]) -> None:
        items = at(nodes, 0x0040A730).items
        assert items is not None
        items[:] = [i for i in items if at(i, 0x0040A010).value.strip() != b"HAS OBS CONTEXT"]

    source = desk.unsigned(inherits)
    how = {"allow_unsigned": True, "addendum": True, "evidence": (desk.office.images,)}
    assert refused(desk, LifecycleError, source, **how).where == "(0040,A078)"


def test_an_addendum_to_other_character_sets_is_refused(desk: Desk) -> None:
    """Text that would have to be written anew is not kept byte for byte."""

    def latin(nodes: list[Node]) -> None:
        set_value(0x00080005, to="ISO_IR 100")(nodes)
        item = next(
            i for i in at(nodes, 0x0040A730).items or [] if any(n.tag == 0x0040A123 for n in i)
        )
        at(item, 0x0040A123).value = "Müller^A".encode("latin_1")

    source = desk.unsigned(latin)
    how = {"allow_unsigned": True, "addendum": True, "evidence": (desk.office.images,)}
    assert refused(desk, LifecycleError, source, **how).where == "(0008,0005)"


def test_an_addendum_to_unknown_elements_is_refused(desk: Desk) -> None:
    """An element of value representation UN could not be signed."""

    def unknown(nodes: list[Node]) -> None:
        items = at(nodes, 0x0040A730).items
        assert items is not None
        insert(items[-1], leaf(0x0099_1001, "UN", b"\1\2"))

    source = desk.unsigned(unknown)
    how = {"allow_unsigned": True, "addendum": True, "evidence": (desk.office.images,)}
    assert refused(desk, LifecycleError, source, **how).where == "(0040,A730)"


def test_signatures_of_items_do_not_go_along(desk: Desk) -> None:
    """An addendum keeps a section's content and not the section's signature."""
    nested = desk.folder / "nested.dcm"
    sign_file(
        desk.office.authored,
        nested,
        purpose=P.COAUTHOR,
        credentials=desk.office.credentials("archive"),
        ports=PORTS,
        item="ContentSequence[5]",
    )
    result = desk.amend(nested, addendum=True)
    assert len(result.dropped) == 2
    assert not examine(open_dicom(desk.output)).signatures


@pytest.mark.parametrize("victim", ["source", "report"])
def test_no_input_is_overwritten(desk: Desk, victim: str) -> None:
    """The output is another file than the document and the report file."""
    copy = Path(shutil.copy(desk.office.report, desk.folder / "copy.dcm"))
    report = desk.file()
    before = copy.read_bytes(), report.read_bytes()
    with pytest.raises(ConfigurationError):
        desk.amend(copy, report, output=copy if victim == "source" else report)
    assert (copy.read_bytes(), report.read_bytes()) == before


def test_a_wrong_file_names_its_line(desk: Desk) -> None:
    """Mistakes in the report file are those of srsign create."""
    refused(desk, TemplateError, report=desk.file(more='nonsense = "x"'))


def test_an_amendment_is_not_approved_by_either_author(desk: Desk) -> None:
    """Neither who wrote the report nor who wrote the addendum approves it."""
    desk.amend(addendum=True)
    signed = desk.signed(desk.output, P.ADDENDUM)
    first = str(dcmread(desk.office.report).AuthorObserverSequence[0].PersonName)
    for name in ("Huber^Eva", first):
        with pytest.raises(LifecycleError) as caught:
            desk.approved(signed, observer=name)
        assert caught.value.where == "(0040,A078)"
    with pytest.raises(LifecycleError) as caught:
        desk.approved(signed, who="author")
    assert caught.value.where == "(0400,0115)"


def test_an_attestor_does_not_approve(desk: Desk) -> None:
    """Who attested a report is not its verifying observer."""
    more = '[[participant]]\nname = "Weber^Sam"\ntype = "ATTEST"\nwhen = "20261120090000+0100"\n'
    desk.amend(report=desk.file(NEW + more))
    participant = dcmread(desk.output).ParticipantSequence[0]
    assert (participant.ParticipationType, str(participant.PersonName)) == ("ATTEST", "Weber^Sam")
    signed = desk.signed(desk.output, P.MODIFICATION)
    with pytest.raises(LifecycleError) as caught:
        desk.approved(signed)
    assert caught.value.where == "(0040,A07A)"


def test_what_could_not_be_signed_is_not_written(desk: Desk) -> None:
    """A predecessor whose kept content cites what it does not list gives no addendum."""
    unlisted = sequence(0x0040A360)
    source = desk.unsigned(
        lambda n: remove(n, 0x0040A375), lambda n: insert(n, replace(unlisted, tag=0x0040A525))
    )
    with pytest.raises((LifecycleError, ProfileViolationError)):
        desk.amend(source, addendum=True, allow_unsigned=True)
    assert not desk.output.exists()
