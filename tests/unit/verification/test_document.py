"""A document's verdict from its signatures': demands, persons, later additions, what is left."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from sr.codes import SignaturePurpose
from sr.dicomfile import BytesSource, read
from sr.document.approvable import ApprovalMode
from sr.findings import Indication, LimitationCode, Status, SubIndication
from sr.signature.coverage import APPROVAL_MAY_TOUCH
from sr.trust import TrustMaterial, load_policy
from sr.verification import Demands, compare_references, gather, judge
from tests.support.datasets import ct_files
from tests.support.forge import Node, apart, at, edited, forge_signature, insert, leaf, remove
from tests.support.pki import NOW, demo_pki, issue
from tests.support.signed import (
    approved_report,
    author_report,
    check,
    finder,
    material,
    plain_report,
    seal,
    sign,
    signed_image,
)
from tests.vectors.generators import hidden, integrity, reports, sound

V, S = Indication, SubIndication
L = LimitationCode


def with_predecessor() -> bytes:
    return approved_report(ApprovalMode.REISSUE_WITH_PREDECESSOR)


def predecessor() -> Node:
    return at(apart(with_predecessor()).nodes, 0x0040A360)


def rules(data: bytes, *statuses: Status, **given: object) -> set[str]:
    verdict = check(data, **given)  # type: ignore[arg-type]
    signed = (f for s in verdict.signatures if not s.location for f in s.findings)
    return {f.rule for f in (*verdict.findings, *signed) if f.status in statuses}


@pytest.mark.parametrize(
    ("demands", "indication"),
    [
        (Demands(purposes=("1",)), V.PASSED),
        (Demands(purposes=("1", "5")), V.PASSED),
        (Demands(purposes=("14",)), V.INDETERMINATE),
        (Demands(purposes=("6",)), V.INDETERMINATE),
        (Demands(signer="*O=srsign tests*"), V.PASSED),
        (Demands(signer="*o=SRSIGN TESTS*"), V.PASSED),
        (Demands(signer="*CN=Anna Meier*"), V.INDETERMINATE),
        (Demands(signer="CN=Anna Meier"), V.INDETERMINATE),
    ],
)
def test_what_the_caller_demands(demands: Demands, indication: Indication) -> None:
    """Each purpose must be held by a signature that passes, every signer must match."""
    assert check(approved_report(), demands=demands).indication is indication


def test_a_signature_that_does_not_pass_meets_no_demand() -> None:
    """A purpose that is there in name only is not there."""
    demands = Demands(purposes=("1",))
    verdict = check(author_report(), given=material(anchors=()), demands=demands)
    assert "REQUIRED_PURPOSE" in {f.rule for f in verdict.findings}


def test_a_demand_does_not_make_an_unsigned_file_anything_else() -> None:
    """No signature comes before a missing purpose."""
    demands = Demands(purposes=("5",), signer="*")
    assert check(plain_report(), demands=demands).indication is V.NOT_SIGNED


def test_a_named_observer_who_did_not_sign_is_a_warning() -> None:
    """Without a mapping of identities nobody can say more."""
    assert "OBSERVER_IDENTITY" in rules(reports.approver_not_named(), Status.WARN)
    assert "OBSERVER_IDENTITY" not in rules(approved_report(), *Status)


def test_names_are_compared_as_people_write_them() -> None:
    """Order, accents and case of a name do not make another person."""
    signer = issue(demo_pki().issuing, "MEIER, Ánna", slot="author")
    data = edited(plain_report(), lambda n: forge_signature(n, signer))
    assert "OBSERVER_IDENTITY" not in rules(data, *Status)


def test_a_predecessor_named_at_approval_is_excused() -> None:
    """The author's signature passes, and the verdict names what was added."""
    verdict = check(with_predecessor(), evidence=ct_files())
    assert {s.indication for s in verdict.signatures} == {V.PASSED}
    assert [x.code for x in verdict.limitations].count(L.ADDED_AFTER_SIGNING) == 1
    assert verdict.signatures[0].profile == "structured-report"


def test_a_predecessor_that_nobody_approved_is_not_excused() -> None:
    """Without the verification signature the addition stays a fault."""
    data = edited(author_report(), lambda n: insert(n, predecessor()))
    assert "SR_MIN" in rules(data, Status.FAIL)


def test_a_predecessor_added_after_approval_is_not_excused() -> None:
    """The verification signature has to cover what it excuses."""
    verdict = check(edited(approved_report(), lambda n: insert(n, predecessor())))
    assert [s.indication for s in verdict.signatures] == [V.INDETERMINATE, V.INDETERMINATE]
    assert V.PASSED is not verdict.indication


@pytest.mark.parametrize("purpose", ["VALIDATION", "REVIEW", "SOURCE", "COAUTHOR"])
def test_only_an_approval_excuses(purpose: str) -> None:
    """Another signature over everything does not speak for what the author left out."""
    code = SignaturePurpose[purpose].code

    def edit(nodes: list[Node]) -> None:
        insert(nodes, predecessor())
        forge_signature(nodes, demo_pki().archive, purpose=code)

    assert "SR_MIN" in rules(edited(author_report(), edit), Status.FAIL)


def test_nothing_but_a_predecessor_is_excused() -> None:
    """A station name added before approval is the author's no more than anybody's."""

    def edit(nodes: list[Node]) -> None:
        insert(nodes, leaf(0x00081010, "SH", "CT2"))
        reports._set_verified(nodes)
        forge_signature(nodes, demo_pki().supervisor, purpose=SignaturePurpose.VERIFICATION.code)

    assert "SR_MIN" in rules(edited(author_report(), edit), Status.FAIL)


def test_what_approval_may_touch_is_named_until_approval() -> None:
    """Exactly these elements of an author's report are open, and none of an approved one."""
    open_tags = set(check(author_report()).uncovered)
    assert open_tags <= APPROVAL_MAY_TOUCH
    assert {0x00080018, 0x0040A493} <= open_tags
    assert check(approved_report()).uncovered == ()


@pytest.mark.parametrize(
    ("tag", "code"),
    [
        (0x00104000, L.IDENTITY_NOT_COVERED),
        (0x00120040, L.IDENTITY_NOT_COVERED),
        (0x00080006, L.CHARSET_NOT_COVERED),
        (0x0040A525, L.INSTANCE_NOT_COVERED),
        (0x0040A492, L.STATUS_NOT_COVERED),
        (0x0040A160, L.CONTENT_NOT_COVERED),
        (0x0040A992, L.CONTENT_NOT_COVERED),
        (0x60003000, L.CONTENT_NOT_COVERED),
        (0x50003000, L.CONTENT_NOT_COVERED),
        (0x00700001, L.CONTENT_NOT_COVERED),
        (0x00283010, L.CONTENT_NOT_COVERED),
        (0x00200060, L.CONTENT_NOT_COVERED),
        (0x00091001, L.PRIVATE_NOT_COVERED),
        (0x0008103E, L.OTHER_NOT_COVERED),
        (0x00080201, L.OTHER_NOT_COVERED),
    ],
)
def test_what_is_added_is_named_for_what_it_is(tag: int, code: LimitationCode) -> None:
    """An element that no signature covers has its limitation, with its place."""
    bare = edited(plain_report(), lambda n: remove(n, tag))
    data = edited(sign(bare), lambda n: insert(n, leaf(tag, "LO", "added.")))
    verdict = check(data)
    where = f"({tag >> 16:04X},{tag & 0xFFFF:04X})"
    assert code in {x.code for x in verdict.limitations if x.where == where}
    assert tag in verdict.uncovered


def test_every_top_level_signature_has_to_pass() -> None:
    """A good signature does not make up for a bad one."""

    def edit(nodes: list[Node]) -> None:
        signer = issue(None, "Nobody", slot="nobody")
        forge_signature(nodes, signer, purpose=SignaturePurpose.REVIEW.code)

    verdict = check(edited(approved_report(), edit))
    assert verdict.indication is V.INDETERMINATE
    assert [s.indication for s in verdict.signatures] == [V.PASSED, V.PASSED, V.INDETERMINATE]


def test_a_nested_signature_does_not_speak_for_the_document() -> None:
    """It is shown with its place, and neither helps nor hurts."""
    good = check(sound.nested_signature_beside())
    broken = check(sound.nested_signature_broken_beside())
    assert good.indication is broken.indication is V.PASSED
    assert {s.location for s in good.signatures} == {"", "(0040,A730)[4]"}
    assert {s.location: s.indication for s in broken.signatures} == {
        "": V.PASSED,
        "(0040,A730)[4]": V.FAILED,
    }


def test_a_malformed_nested_signature_hides_something() -> None:
    """What stands in it is outside every MAC, so the document fails."""
    assert check(hidden.smuggled_in_nested_signature()).sub_indication is S.FORMAT_FAILURE


@pytest.mark.parametrize(
    ("made", "unchanged"),
    [
        (sound.authored, "yes"),
        (integrity.patient_changed, "no"),
        (reports.unsigned, "unknown"),
        (integrity.certificate_of_another_key, "unknown"),
        (reports.verified_by_hand, "yes"),
    ],
)
def test_is_it_unchanged(made: Callable[[], bytes], unchanged: str) -> None:
    """The first question is about signed bytes, nothing else."""
    assert check(made()).questions.unchanged == unchanged


def test_facts_are_judged_without_the_file() -> None:
    """The same facts under another policy or with other anchors give another verdict."""
    facts = gather(read(BytesSource(author_report())))

    def verdict(given: TrustMaterial, policy: str) -> Indication:
        return judge(
            facts, subject="x", policy=load_policy(policy), material=given, judged_at=NOW
        ).indication

    assert verdict(material(), "standard") is V.PASSED
    assert verdict(TrustMaterial(), "standard") is V.INDETERMINATE
    assert verdict(material(), "archive") is V.INDETERMINATE
    assert verdict(material(), "standard") is V.PASSED


def test_facts_hold_no_opinion() -> None:
    """Gathering the same file twice gives equal facts; trust is in none of them."""
    files = ct_files()
    made = [
        gather(
            (file := read(BytesSource(author_report()))), compare_references(file, finder(files))
        )
        for _ in range(2)
    ]
    assert made[0] == made[1]
    assert replace(made[0], findings=()) == replace(made[1], findings=())


def test_a_signed_image_is_no_report() -> None:
    """Rules on reports leave images alone: no purpose is required of them."""
    data = edited(signed_image(), lambda n: remove(n, 0x4FFE0001, 0xFFFAFFFA))
    bare = edited(data, lambda n: forge_signature(n, demo_pki().archive, purpose=None))
    verdict = check(bare)
    assert verdict.indication is V.PASSED
    assert verdict.signatures[0].profile == "base-rsa"
    assert verdict.signatures[0].purpose is None


def test_a_key_object_has_no_verification_state() -> None:
    """A flag in a selection means nothing, and no purpose 5 is asked for."""

    def edit(nodes: list[Node]) -> None:
        remove(nodes, 0x4FFE0001, 0xFFFAFFFA)
        insert(nodes, leaf(0x0040A493, "CS", "VERIFIED"))
        forge_signature(nodes, demo_pki().archive, purpose=SignaturePurpose.SOURCE.code)

    assert "SR_VERIFIED_NEEDS_5" not in rules(edited(seal(), edit), *Status)


@pytest.mark.parametrize(("number", "allowed"), [(64, True), (65, False)])
def test_the_number_of_signatures_is_bounded(number: int, allowed: bool) -> None:
    """Each costs a pass over the document, so a file with thousands of them is refused."""

    def edit(nodes: list[Node]) -> None:
        forge_signature(nodes)
        items = at(nodes, 0xFFFAFFFA).items
        assert items is not None
        items.extend([*items] * (number - 1))

    found = rules(edited(plain_report(), edit), Status.FAIL)
    assert ("LIMIT_SIGNATURES" not in found) is allowed
