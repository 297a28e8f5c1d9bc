"""What is said about an edit before it is made is what happens when it is made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import cache

import pytest

from sr.codes import SignaturePurpose as P
from sr.dicomfile import BytesSource, DICOMFile, canonicalise, read, tag_for_keyword
from sr.dicomfile.splice import assemble, splice
from sr.document.approvable import Approval, ApprovalMode, VerifyingObserver
from sr.document.lifecycle import approve_edits
from sr.document.reference import SecureReference
from sr.errors import ConfigurationError, LifecycleError
from sr.mac import compute_mac
from sr.signature.reference_coverage import MACCoverage, reference_tags
from sr.signature.references import document_references
from sr.verification import gather
from sr.verification.edits import VOCABULARY, Change, parse_edit
from sr.verification.references import compare_reference
from sr.verification.survival import Reason, Survival, survival
from tests.support.datasets import ct_files, evidence_of, key_object, report
from tests.support.dicom_bytes import EXPLICIT, IMPLICIT, part10, tree
from tests.support.forge import Node, apart, at, edited, insert, leaf, remove, sequence, set_value
from tests.support.signed import (
    APPROVED_AT,
    approved_report,
    author_report,
    evidence_with_signature,
    finder,
    plain_report,
    seal,
    sign,
    signed_image,
)

CONTENT = 0x0040A730


@cache
def with_everything() -> bytes:
    """Return an approved report with a private element and a signature on a section."""
    data = edited(
        plain_report(),
        lambda n: insert(n, leaf(0x00090010, "LO", "ACME"), leaf(0x00091001, "LO", "inside")),
    )
    data = sign(data, private=True)
    data = sign(data, uid="2.25.4711.5", purpose=P.COAUTHOR)
    return sign(data, uid="2.25.4711.6", purpose=P.COAUTHOR, path=((CONTENT, 4),))


@cache
def image() -> bytes:
    """Return an image with a private element, signed with and without it."""
    data = canonicalise(
        edited(
            ct_files()[0],
            lambda n: insert(n, leaf(0x00090010, "LO", "ACME"), leaf(0x00091001, "LO", "inside")),
        )
    )
    data = sign(data, purpose=P.SOURCE, uid="2.25.4713.1")
    return sign(data, purpose=P.SOURCE, uid="2.25.4713.2", private=True)


FILES = {
    "authored": author_report,
    "approved": approved_report,
    "with everything": with_everything,
    "seal": seal,
    "image": image,
}


def opened(data: bytes) -> DICOMFile:
    return read(BytesSource(data))


def asked(data: bytes, text: str) -> Survival:
    """Return what an edit would do to the signatures of a file."""
    file = opened(data)
    return survival(file, gather(file), parse_edit(file, text))


def said(data: bytes, text: str) -> dict[str, bool]:
    """Return which signatures would survive, by UID."""
    return {o.of: o.survives for o in asked(data, text).signatures}


def intact(data: bytes) -> dict[str, bool]:
    """Return which signatures verify, by UID."""
    return {s.digital_signature_uid: s.integrity.is_intact for s in gather(opened(data)).signatures}


def set_to(keyword: str, vr: str, value: str) -> Callable[[list[Node]], None]:
    """Return the edit that gives an attribute another value, or adds it."""

    def edit(nodes: list[Node]) -> None:
        tag = tag_for_keyword(keyword)
        remove(nodes, tag)
        insert(nodes, leaf(tag, vr, value))

    return edit


def section_text(nodes: list[Node]) -> None:
    """Change a sentence of the fifth item of the content."""
    set_value(CONTENT, 4, CONTENT, 0, 0x0040A160, to="Something else.")(nodes)


def without_private(nodes: list[Node]) -> None:
    """Remove private elements at the top."""
    nodes[:] = [n for n in nodes if not n.tag >> 16 & 1 or n.tag >> 16 > 0xFF00]


MADE = {
    "set:PatientName": set_to("PatientName", "PN", "Other^Name"),
    "set:(0010,0010)": set_to("PatientName", "PN", "Other^Name"),
    "set:00100010": set_to("PatientName", "PN", "Other^Name"),
    "set:StationName": set_to("StationName", "SH", "ELSEWHERE"),
    "set:PatientComments": set_to("PatientComments", "LT", "added"),
    "set:InstanceCreationTime": set_to("InstanceCreationTime", "TM", "111111"),
    "set:PreliminaryFlag": set_to("PreliminaryFlag", "CS", "PRELIMINARY"),
    "set:SeriesInstanceUID": set_to("SeriesInstanceUID", "UI", "2.25.4"),
    "remove:StudyDate": lambda n: remove(n, 0x00080020),
    "remove:PatientSex": lambda n: remove(n, 0x00100040),
    "new-uid": set_to("SOPInstanceUID", "UI", "2.25.99"),
    "remove-private": without_private,
    "sign": lambda n: None,
}
ON_REPORTS = {
    "set:VerificationFlag": set_to("VerificationFlag", "CS", "OTHER"),
    "set:ContentSequence[4].ContentSequence[0].TextValue": section_text,
    "remove:ContentSequence[4].ContentSequence[0].TextValue": lambda n: remove(
        at(n, CONTENT, 4, CONTENT).items[0], 0x0040A160
    ),
    "set:ContentSequence[4].TextValue": lambda n: insert(
        at(n, CONTENT).items[4], leaf(0x0040A160, "UT", "Hidden.")
    ),
}


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("text", MADE)
def test_an_edit_does_what_was_said(name: str, text: str) -> None:
    """For each signature the prediction is what gathering finds after the edit."""
    data = FILES[name]()
    assert said(data, text) == intact(edited(data, MADE[text]))


@pytest.mark.parametrize("name", ["authored", "approved", "with everything"])
@pytest.mark.parametrize("text", ON_REPORTS)
def test_an_edit_inside_does_what_was_said(name: str, text: str) -> None:
    """Inside content items the signature of the item counts by itself."""
    data = FILES[name]()
    assert said(data, text) == intact(edited(data, ON_REPORTS[text]))


def test_predictions_differ_from_edit_to_edit() -> None:
    """The tests above see both answers, and three signatures that answer differently."""
    answers = {text: tuple(said(with_everything(), text).values()) for text in MADE | ON_REPORTS}
    assert answers["sign"] == (True, True, True)
    assert answers["set:PatientName"] == (False, False, True)
    assert answers["remove-private"] == (False, True, True)
    assert answers["set:ContentSequence[4].TextValue"] == (False, False, True)


def test_what_is_replaced_takes_its_signature_along() -> None:
    """A signature inside an element that is set or removed does not survive."""
    for text in ("set:ContentSequence", "remove:ContentSequence"):
        outcomes = {o.of: o.reason for o in asked(with_everything(), text).signatures}
        assert outcomes["2.25.4711.6"] is Reason.INSIDE
        assert outcomes["2.25.4711.1"] is Reason.COVERED


@pytest.mark.parametrize("mode", ApprovalMode)
@pytest.mark.parametrize("preliminary", [False, True])
@pytest.mark.parametrize("purpose", [P.AUTHOR, P.SOURCE])
def test_approval_does_what_was_said(mode: ApprovalMode, preliminary: bool, purpose: P) -> None:
    """In each mode exactly the predicted elements change, and the predicted signatures break."""
    data = sign(canonicalise(report(preliminary=preliminary)), purpose=purpose)
    file = opened(data)
    reissued = mode is not ApprovalMode.IN_PLACE
    approval = Approval(
        observer=VerifyingObserver(name="Weber^Sam", organization="Klinikum"),
        approved_at=APPROVED_AT + timedelta(minutes=1),
        mode=mode,
        sop_instance_uid="2.25.900.78" if reissued else "",
        predecessor=(
            SecureReference(mac=compute_mac(file))
            if mode is ApprovalMode.REISSUE_WITH_PREDECESSOR
            else None
        ),
    )
    edits = approve_edits(file.dataset, approval)
    predicted = parse_edit(file, f"approve:{mode.value}")
    assert {t.tag for t in predicted.touched} == {e.tag for e in edits if e.tag >> 16 != 2}
    assert said(data, f"approve:{mode.value}") == intact(assemble(splice(file, edits)))


def test_amending_leaves_signatures_behind() -> None:
    """A new version has none of them, and nothing happens to the old."""
    outcome = asked(approved_report(), "amend")
    assert {o.reason for o in outcome.signatures} == {Reason.LEFT_BEHIND}


def implicit(data: bytes) -> bytes:
    """Return a file re-encoded in implicit VR little endian by this test's own writer."""

    def rows(nodes: list[Node]) -> list[tuple[int, str, object]]:
        return [
            (n.tag, n.vr, [rows(i) for i in n.items] if n.items is not None else n.value)
            for n in nodes
        ]

    return part10(tree(rows(apart(data).nodes), IMPLICIT), "implicit")


@pytest.mark.parametrize("name", FILES)
def test_implicit_vr_does_what_was_said(name: str) -> None:
    """Signed private elements die in implicit VR, everything else lives."""
    data = FILES[name]()
    assert said(data, "implicit-vr") == intact(implicit(data))


def private_inside(data: bytes) -> bytes:
    """Put a private element into a content item."""

    def edit(nodes: list[Node]) -> None:
        items = at(nodes, CONTENT).items
        assert items is not None
        insert(items[4], leaf(0x00090010, "LO", "ACME"), leaf(0x00091001, "LO", "inside"))

    return edited(data, edit)


@pytest.mark.parametrize(
    "edit",
    [
        private_inside,
        lambda data: edited(data, lambda n: insert(n, leaf(0x00104000, "ST", "wrong VR"))),
        lambda data: edited(data, lambda n: insert(n, leaf(0x00980002, "LO", "unknown"))),
    ],
    ids=["private inside an item", "another VR than PS3.6", "not in PS3.6"],
)
def test_values_lose_their_vr(edit: Callable[[bytes], bytes]) -> None:
    """Whatever PS3.6 cannot give back breaks the signature that covers it, as predicted."""
    data = sign(edit(plain_report()), private=True)
    (outcome,) = asked(data, "implicit-vr").signatures
    assert (outcome.reason, outcome.survives) == (Reason.LOSES_VR, False)
    assert all(t.change is Change.VR for t in outcome.because)
    assert not any(intact(implicit(data)).values())


def test_what_a_file_in_implicit_vr_has_is_not_lost_again() -> None:
    """A file that came through implicit VR loses nothing more."""
    assert asked(implicit(author_report()), "implicit-vr").signatures[0].survives


def test_a_broken_signature_has_nothing_to_survive() -> None:
    """What does not verify now is named so, whatever the edit."""
    broken = edited(author_report(), set_to("PatientName", "PN", "Other^Name"))
    for text in ("sign", "set:StationName", "approve"):
        assert [o.reason for o in asked(broken, text).signatures] == [Reason.BROKEN_ALREADY]


def test_what_nobody_covers_is_named() -> None:
    """An element that no signature covers changes unnoticed, and that is said."""
    names = [str(t) for t in asked(author_report(), "set:PatientComments").unnoticed]
    assert names == ["(0010,4000) PatientComments"]
    assert not asked(author_report(), "set:PatientName").unnoticed


def latin() -> bytes:
    """Return a report in Latin-1 with an umlaut."""

    def edit(nodes: list[Node]) -> None:
        set_value(0x00080005, to="ISO_IR 100")(nodes)
        set_value(0x00100010, to="Müller^A".encode("latin_1"))(nodes)

    data = edited(
        plain_report(),
        edit,
        lambda n: [
            set_value(CONTENT, i, CONTENT, j, 0x0040A160, to="plain")(n)
            for i, item in enumerate(at(n, CONTENT).items)
            for j, inner in enumerate(next((x.items for x in item if x.tag == CONTENT), []))
            if any(x.tag == 0x0040A160 for x in inner)
        ],
    )
    return sign(data)


def test_re_encoding_text_touches_what_is_not_ascii() -> None:
    """Character set and umlauts change; a document in UTF-8 already does not."""
    touched = [str(t) for t in parse_edit(opened(latin()), "to-utf8").touched]
    assert touched == [
        "(0008,0005) SpecificCharacterSet",
        "(0008,0090) ReferringPhysicianName",
        "(0010,0010) PatientName",
    ]
    assert not any(said(latin(), "to-utf8").values())
    assert not parse_edit(opened(author_report()), "to-utf8").touched


def test_coercion_touches_who_and_which_study() -> None:
    """Only what is there can be corrected."""
    touched = {t.tag for t in parse_edit(opened(author_report()), "coerce").touched}
    assert {0x00100020, 0x0020000D, 0x0020000E} <= touched
    assert touched <= {e.tag for e in opened(author_report()).dataset}


def test_a_tolerant_proof_survives_what_it_was_made_for() -> None:
    """A MAC that leaves out what an archive may coerce survives that; a full one does not."""
    file = opened(signed_image())
    for coverage, survives in ((MACCoverage.COERCION_TOLERANT, True), (MACCoverage.FULL, False)):
        covers = reference_tags(file.dataset, coverage)
        evidence = evidence_with_signature(signed_image())
        mac = evidence.reference.mac
        assert mac is not None
        reference = SecureReference(mac=replace(mac, data_elements_signed=covers))
        document = opened(
            canonicalise(key_object(evidence=(replace(evidence, reference=reference),)))
        )
        references = [("kos.dcm", r) for r in document_references(document.dataset)]
        edit = parse_edit(file, "coerce")
        (outcome,) = survival(file, gather(file), edit, references).references
        assert outcome.survives == survives


# References to the instance in other documents


def cited(data: bytes, text: str, *, mac: bool = True) -> tuple[Reason, bool]:
    """Return what an edit of an image does to the proof in a report that cites it."""
    evidence = evidence_with_signature(data, mac=mac)
    document = opened(canonicalise(key_object(evidence=(evidence,))))
    file = opened(data)
    references = [("kos.dcm", r) for r in document_references(document.dataset)]
    (outcome,) = survival(file, gather(file), parse_edit(file, text), references).references
    return outcome.reason, outcome.survives


def matched(data: bytes, after: bytes, *, mac: bool = True) -> bool:
    """Return whether the edited image still is what the report cites."""
    evidence = evidence_with_signature(data, mac=mac)
    document = opened(canonicalise(key_object(evidence=(evidence,))))
    (reference,) = document_references(document.dataset)
    found = compare_reference(reference, finder([after])(reference.sop_instance_uid))
    return found.result.value == "matched"


@pytest.mark.parametrize("mac", [True, False], ids=["by MAC", "by signature"])
@pytest.mark.parametrize(
    "text",
    [
        *("set:PatientName", "set:InstanceCreationTime", "set:SeriesInstanceUID"),
        *("remove:StudyDate", "new-uid", "sign"),
    ],
)
def test_references_do_what_was_said(text: str, mac: bool) -> None:
    """A citing document's proof survives exactly where the comparison still matches."""
    data = signed_image()
    _, survives = cited(data, text, mac=mac)
    assert survives == matched(data, edited(data, MADE[text]), mac=mac)


def test_a_new_uid_loses_the_reference() -> None:
    """Nothing is found under the old UID."""
    assert cited(signed_image(), "new-uid") == (Reason.UID, False)


def test_a_reissued_report_leaves_references_alone() -> None:
    """Who cites the unverified report still finds it: the approved one is another instance."""
    file = opened(author_report())
    document = opened(canonicalise(key_object(evidence=(evidence_of(author_report()),), number=2)))
    references = [("kos.dcm", r) for r in document_references(document.dataset)]
    facts = gather(file)
    for text, survives in (("approve", True), ("approve:in-place", False), ("amend", True)):
        edit = parse_edit(file, text)
        (outcome,) = survival(file, facts, edit, references).references
        assert outcome.survives == survives


def test_a_reference_without_proof_has_none_to_lose() -> None:
    """An unsecured reference is said to be one."""
    document = opened(
        edited(
            canonicalise(key_object(evidence=(evidence_of(signed_image()),))),
            lambda n: remove(at(n, 0x0040A375, 0, 0x00081115, 0, 0x00081199).items[0], 0x04000403),
        )
    )
    file = opened(signed_image())
    references = [("kos.dcm", r) for r in document_references(document.dataset)]
    (outcome,) = survival(file, gather(file), parse_edit(file, "sign"), references).references
    assert (outcome.reason, outcome.survives) == (Reason.NO_PROOF, False)


# What is refused

NONSENSE = (
    *("nonsense", "set", "set:", "remove", "remove:", "set:NoSuchKeyword", "set:12345"),
    *("sign:1", "new-uid:1.2", "approve:", "approve:quickly", "coerce:PatientID", ":PatientName"),
    *("set:ContentSequence[99].TextValue", "set:ContentSequence[x].TextValue", ""),
    *("remove:PatientComments", "set:PatientName:x", "amend:addendum"),
)


@pytest.mark.parametrize("text", NONSENSE)
def test_what_is_no_edit_is_refused(text: str) -> None:
    """Unknown words, missing or superfluous arguments and absent elements are misuses."""
    with pytest.raises(ConfigurationError):
        parse_edit(opened(author_report()), text)


@pytest.mark.parametrize(
    ("data", "text", "where"),
    [
        (approved_report, "approve", "(0040,A493)"),
        (seal, "approve", "(0008,0016)"),
        (seal, "amend", "(0008,0016)"),
        (signed_image, "amend", "(0008,0016)"),
        (signed_image, "approve", "(0040,A491)"),
    ],
)
def test_an_illegal_move_is_refused(data: Callable[[], bytes], text: str, where: str) -> None:
    """What may not be done has no consequences to tell."""
    with pytest.raises(LifecycleError) as caught:
        parse_edit(opened(data()), text)
    assert caught.value.where == where


def test_a_second_predecessor_is_refused() -> None:
    """A covered Predecessor Documents Sequence cannot be extended by approval."""
    data = edited(plain_report(), lambda n: insert(n, sequence(0x0040A360)))
    with pytest.raises(LifecycleError) as caught:
        parse_edit(opened(sign(data)), "approve:reissue_with_predecessor")
    assert caught.value.where == "(0040,A360)"


def test_encapsulated_pixels_have_no_implicit_form() -> None:
    """A compressed image is not sent in implicit VR as it is."""
    body = tree([(0x00080016, "UI", b"1.2.840.10008.5.1.4.1.1.7\0")], EXPLICIT)
    data = part10(body + EXPLICIT.encapsulated(0x7FE00010, b"", b"\1\2"), "jpeg")
    with pytest.raises(ConfigurationError):
        parse_edit(opened(data), "implicit-vr")


def test_the_vocabulary_is_small_and_explained() -> None:
    """Each word has a sentence, and each is parsed."""
    assert len(VOCABULARY) == 10
    assert all(about for _, about in VOCABULARY)
