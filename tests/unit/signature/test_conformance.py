"""Nothing that does not conform is signed, at any level and for any purpose."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from sr.codes import SignaturePurpose as P
from sr.dicomfile import BytesSource, canonicalise, read, tag_for_keyword
from sr.document.observer import Participant, ParticipationType, PersonObserver
from sr.errors import ProfileViolationError
from sr.signature import SigningRequest, prepare
from tests.support.datasets import ct_evidence, ct_files, evidence_of, key_object, report
from tests.support.forge import Node, at, edited, insert, leaf, remove, sequence, set_value
from tests.support.pki import demo_pki
from tests.support.signed import SIGNED_AT, approved_report, plain_report, sign, signed_image

EVIDENCE = (0x0040A375, 0, 0x00081115, 0, 0x00081199)
MAC = (*EVIDENCE, 0, 0x04000403)
REQUEST = SigningRequest(
    purpose=P.AUTHOR,
    certificate=demo_pki().author.der,
    signed_at=SIGNED_AT,
    digital_signature_uid="2.25.86.1",
)
ITEM = ((0x0040A730, 4),)

Edit = Callable[[list[Node]], object]


def refused(data: bytes, **changes: object) -> list[tuple[str, str | None]]:
    """Return rule and place of what keeps a file from being signed; empty where nothing does."""
    try:
        prepare(read(BytesSource(data)), replace(REQUEST, **changes))  # type: ignore[arg-type]
    except ProfileViolationError as error:
        return [(f.rule, f.where) for f in error.findings]
    return []


def rules(data: bytes, **changes: object) -> set[str]:
    """Return only the rules."""
    return {rule for rule, _ in refused(data, **changes)}


def selection(*edits: Edit) -> bytes:
    """Return an unsigned key object selection, edited."""
    return edited(canonicalise(key_object()), *edits)


def stripped_of_signatures() -> bytes:
    """Return an approved report without any signature."""
    return edited(approved_report(), lambda n: remove(n, 0x4FFE0001, 0xFFFAFFFA))


def without(*path: int) -> Edit:
    """Return the edit that removes an element."""
    *outer, tag = path

    def edit(nodes: list[Node]) -> None:
        level = nodes
        for sequence_tag, index in zip(outer[::2], outer[1::2], strict=True):
            items = at(level, sequence_tag).items
            assert items is not None
            level = items[index]
        remove(level, tag)

    return edit


REQUIRED = (
    *("Modality", "StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"),
    *("ContentDate", "ContentTime", "ValueType", "ConceptNameCodeSequence"),
    *("ContinuityOfContent", "CompletionFlag", "VerificationFlag"),
)


@pytest.mark.parametrize("keyword", REQUIRED)
def test_a_report_without_a_required_attribute_is_refused(keyword: str) -> None:
    """Each attribute of type 1 that C.4 takes for granted is asked for, by name."""
    tag = tag_for_keyword(keyword)
    said = refused(edited(plain_report(), without(tag)))
    assert ("DOC_ATTRIBUTE", f"({tag >> 16:04X},{tag & 0xFFFF:04X})") in said


@pytest.mark.parametrize("keyword", ["ContentDate", "CompletionFlag", "Modality"])
def test_an_empty_attribute_is_no_attribute(keyword: str) -> None:
    """A required attribute of length 0 is refused like one that is absent."""
    tag = tag_for_keyword(keyword)
    assert "DOC_ATTRIBUTE" in rules(edited(plain_report(), set_value(tag, to=b"")))


@pytest.mark.parametrize("tag", [0x0040A375, 0x0040A730])
def test_a_selection_without_content_or_evidence_is_refused(tag: int) -> None:
    """A key object selection needs evidence and content; a report may have neither image."""
    assert "DOC_ATTRIBUTE" in rules(selection(without(tag)), purpose=P.SOURCE)


def test_documents_that_conform_are_signed() -> None:
    """Report, selection and image pass: the rules do not refuse everything."""
    assert not refused(plain_report())
    assert not refused(selection(), purpose=P.SOURCE)
    assert not refused(ct_files()[0], purpose=P.SOURCE)


def unproven(nodes: list[Node]) -> None:
    """Take the proof of the first evidence item away."""
    without(*EVIDENCE, 0, 0x04000403)(nodes)


def weak(nodes: list[Node]) -> None:
    """Claim a MAC of MD5."""
    set_value(*MAC, 0, 0x04000015, to="MD5")(nodes)
    set_value(*MAC, 0, 0x04000404, to=bytes(16))(nodes)


def sha1(nodes: list[Node]) -> None:
    """Claim a MAC of SHA-1."""
    set_value(*MAC, 0, 0x04000015, to="SHA1")(nodes)
    set_value(*MAC, 0, 0x04000404, to=bytes(20))(nodes)


def cut(nodes: list[Node]) -> None:
    """Cut a MAC short."""
    set_value(*MAC, 0, 0x04000404, to=bytes(8))(nodes)


def twice(nodes: list[Node]) -> None:
    """Give an instance a second MAC."""
    macs = at(nodes, *MAC).items
    assert macs is not None
    macs.append(list(macs[0]))


def uncited(nodes: list[Node]) -> None:
    """Take the first instance, which the content cites, out of the evidence."""
    items = at(nodes, *EVIDENCE).items
    assert items is not None
    del items[0]


def itself(nodes: list[Node]) -> None:
    """Let the document cite itself."""
    set_value(*EVIDENCE, 2, 0x00081155, to="2.25.900.1")(nodes)


BAD_EVIDENCE = {
    "no proof": (unproven, "EVIDENCE_UNSECURED"),
    "MD5": (weak, "EVIDENCE_WEAK_MAC"),
    "SHA-1": (sha1, "EVIDENCE_WEAK_MAC"),
    "short MAC": (cut, "EVIDENCE_MAC_FORMAT"),
    "two MACs": (twice, "EVIDENCE_MAC_CONFLICT"),
    "cited, not listed": (uncited, "EVIDENCE_TREE"),
    "cites itself": (itself, "EVIDENCE_SELF"),
}


@pytest.mark.parametrize("purpose", [P.AUTHOR, P.REVIEW, P.SOURCE, P.TIMESTAMP])
@pytest.mark.parametrize("name", BAD_EVIDENCE)
def test_bad_evidence_is_refused_for_any_purpose(name: str, purpose: P) -> None:
    """An evidence item without good proof keeps the document from being signed at all."""
    edit, rule = BAD_EVIDENCE[name]
    assert rules(edited(plain_report(), edit), purpose=purpose) == {rule}


@pytest.mark.parametrize("name", BAD_EVIDENCE)
@pytest.mark.parametrize(
    "flags",
    [{"path": ITEM}, {"profile": "base-rsa"}, {"private": True}, {"purpose": None, "path": ITEM}],
    ids=["--item", "--profile", "--private", "item without purpose"],
)
def test_no_option_leads_around_the_evidence(name: str, flags: dict[str, object]) -> None:
    """An item's signature, a lesser profile and private elements change nothing."""
    edit, rule = BAD_EVIDENCE[name]
    assert rule in rules(edited(plain_report(), edit), **flags)


@pytest.mark.parametrize("name", ["no proof", "MD5", "cites itself", "cited, not listed"])
def test_bad_evidence_is_refused_in_selections(name: str) -> None:
    """Key object selections keep the same rules."""
    edit, rule = BAD_EVIDENCE[name]
    assert rule in rules(selection(edit), purpose=P.SOURCE)


def test_a_signature_beside_a_weak_mac_is_proof() -> None:
    """A copied signature vouches for an instance whose MAC is weak."""

    def copied(nodes: list[Node]) -> None:
        items = at(nodes, *EVIDENCE).items
        assert items is not None
        uid, value = leaf(0x04000100, "UI", "2.25.8"), leaf(0x04000120, "OB", b"\1\2")
        insert(items[0], sequence(0x04000402, [uid, value]))

    assert not refused(edited(plain_report(), weak, copied))


def observer(**changes: str) -> Edit:
    """Return the edit that changes the Verifying Observer."""
    tags = {"name": 0x0040A075, "organization": 0x0040A027, "when": 0x0040A030}

    def edit(nodes: list[Node]) -> None:
        for key, value in changes.items():
            set_value(0x0040A073, 0, tags[key], to=value)(nodes)

    return edit


def second_observer(nodes: list[Node]) -> None:
    """Add a Verifying Observer."""
    items = at(nodes, 0x0040A073).items
    assert items is not None
    items.append(list(items[0]))


def attested(nodes: list[Node]) -> None:
    """Let the Verifying Observer have attested the report."""
    item = [leaf(0x0040A080, "CS", "ATTEST"), leaf(0x0040A123, "PN", "WEBER^Sam^^Dr.")]
    insert(nodes, sequence(0x0040A07A, item))


BAD_VERIFICATION = {
    "no observer": (without(0x0040A073), "SR_VERIFYING_OBSERVER"),
    "no item": (lambda n: at(n, 0x0040A073).items.clear(), "SR_ONE_VERIFYING_OBSERVER"),
    "two observers": (second_observer, "SR_ONE_VERIFYING_OBSERVER"),
    "no name": (observer(name=""), "SR_ONE_VERIFYING_OBSERVER"),
    "name of delimiters": (observer(name="^^"), "SR_ONE_VERIFYING_OBSERVER"),
    "no organization": (observer(organization=""), "SR_ONE_VERIFYING_OBSERVER"),
    "no time": (observer(when=""), "SR_ONE_VERIFYING_OBSERVER"),
    "attested by the same": (attested, "SR_VERIFIER_ATTESTS"),
    "partial": (set_value(0x0040A491, to="PARTIAL"), "SR_VERIFIED_NOT_COMPLETE"),
    "lower case": (set_value(0x0040A493, to="verified"), "SR_FLAG"),
    "two values": (set_value(0x0040A493, to="VERIFIED\\UNVERIFIED"), "SR_FLAG"),
    "another word": (set_value(0x0040A491, to="DONE"), "SR_FLAG"),
}


@pytest.mark.parametrize("purpose", [P.VERIFICATION, P.AUTHOR, P.REVIEW])
@pytest.mark.parametrize("name", BAD_VERIFICATION)
def test_a_contradictory_verification_is_refused(name: str, purpose: P) -> None:
    """Flags, observer and participants that contradict each other are never signed."""
    edit, rule = BAD_VERIFICATION[name]
    assert rule in rules(edited(stripped_of_signatures(), edit), purpose=purpose)


def test_a_verified_report_of_others_is_signed_for_verification() -> None:
    """VERIFIED with one whole observer is what purpose 5 needs, whoever set it."""
    assert not refused(stripped_of_signatures(), purpose=P.VERIFICATION)


@pytest.mark.parametrize("purpose", [P.AUTHOR, P.REVIEW, P.SOURCE, P.ADDENDUM])
def test_verified_without_purpose_5_is_refused(purpose: P) -> None:
    """No other purpose comes first on a report that says it was verified."""
    assert rules(stripped_of_signatures(), purpose=purpose) == {"SR_VERIFIED_NEEDS_5"}


def test_purpose_5_needs_verified() -> None:
    """A verification signature on an unverified report is refused."""
    assert "SR_5_NEEDS_VERIFIED" in rules(plain_report(), purpose=P.VERIFICATION)


def test_an_observer_in_an_unverified_report_is_refused() -> None:
    """Nobody may stand as verifying observer of what is not verified."""

    def named(nodes: list[Node]) -> None:
        insert(nodes, sequence(0x0040A073, [leaf(0x0040A075, "PN", "Weber^Sam")]))

    assert rules(edited(plain_report(), named)) == {"SR_VERIFYING_OBSERVER"}


def test_attestor_and_another_verifier_are_fine() -> None:
    """Only one and the same person is refused; an attestor by himself is not."""
    attestor = Participant(
        type=ParticipationType.ATTEST,
        observer=PersonObserver(name="Huber^Eva"),
        when="20261120080000+0100",
    )
    assert not refused(canonicalise(report(participants=(attestor,))))


def test_images_are_none_of_these_rules() -> None:
    """An image has no flags and no evidence that could be missing."""
    image = edited(canonicalise(ct_files()[0]), without(0x00080060))
    assert not refused(image, purpose=P.REVIEW)


@pytest.mark.parametrize("algorithm", ["MD5", "SHA1", "RIPEMD160", "SHA224", "SHA3_256"])
@pytest.mark.parametrize("path", [(), ITEM], ids=["document", "item"])
def test_digests_outside_the_profile_are_refused(
    algorithm: str, path: tuple[tuple[int, int], ...]
) -> None:
    """MD5, SHA-1, RIPEMD-160 and what PS3.15 does not list are never used to sign."""
    from sr.mac import MACAlgorithm

    asked = {"mac_algorithm": MACAlgorithm(algorithm), "path": path}
    assert rules(plain_report(), **asked) == {"PROFILE_MAC"}


def test_a_document_that_cites_a_signed_instance_is_signed() -> None:
    """MAC and evidence of an instance with a signature of its own pass as well."""
    data = canonicalise(report(evidence=(evidence_of(signed_image()), *ct_evidence()[1:])))
    assert not refused(data)
    assert sign(data)
