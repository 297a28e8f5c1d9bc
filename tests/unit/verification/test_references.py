"""How each cited instance comes out: result, proof, file, and what is said beside it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sr.dicomfile import BytesSource, DICOMFile, read
from sr.dicomfile.tags import format_tag
from sr.errors import DatasetError, LimitError, SRError, UnsupportedAlgorithmError
from sr.findings import Indication, Status, SubIndication
from sr.verification import Candidate, Verdict, compare_references
from sr.verification.facts import Proof, ReferenceResult
from tests.support.case import Case
from tests.support.datasets import ct_files
from tests.support.signed import author_report, check, material, seal, signed_images
from tests.vectors.generators import evidence

R, S = ReferenceResult, SubIndication
PROOF = (Proof.MAC,)
BOTH = (Proof.MAC, Proof.SIGNATURE)


def judged(case: Case) -> Verdict:
    return check(case.data, evidence=case.evidence)


def first(case: Case) -> tuple[ReferenceResult, tuple[Proof, ...]]:
    items = judged(case).references.items
    assert items is not None
    return items[0].result, items[0].by


@pytest.mark.parametrize(
    ("made", "result", "by"),
    [
        (evidence.everything_matches, R.MATCHED, PROOF),
        (evidence.matches_by_signature, R.MATCHED, (Proof.SIGNATURE,)),
        (evidence.matches_by_signature_and_mac, R.MATCHED, BOTH),
        (evidence.signature_removed_but_mac_matches, R.MATCHED, PROOF),
        (evidence.padding_normalised, R.MATCHED, PROOF),
        (evidence.copy_in_another_syntax_beside_good_one, R.MATCHED, PROOF),
        (evidence.altered_pixel, R.ALTERED, ()),
        (evidence.picture_of_another_patient, R.ALTERED, ()),
        (evidence.class_differs, R.ALTERED, PROOF),
        (evidence.signature_altered_picture, R.ALTERED, ()),
        (evidence.signature_exchanged, R.ALTERED, ()),
        (evidence.one_missing, R.MISSING, ()),
        (evidence.one_unsecured, R.UNSECURED, ()),
        (evidence.mac_in_the_wrong_place, R.UNSECURED, ()),
        (evidence.mac_of_wrong_length, R.UNDECIDED, ()),
        (evidence.mac_list_out_of_order, R.UNDECIDED, ()),
        (evidence.mac_list_names_signatures, R.UNDECIDED, ()),
        (evidence.thin_mac, R.UNDECIDED, ()),
        (evidence.overlay_added, R.UNDECIDED, ()),
        (evidence.mac_with_sha1, R.UNDECIDED, ()),
        (evidence.mac_with_md5, R.UNDECIDED, ()),
        (evidence.fragments_cut_elsewhere, R.UNDECIDED, ()),
        (evidence.second_mac, R.UNDECIDED, ()),
        (evidence.stored_compressed, R.UNDECIDED, ()),
        (evidence.signature_removed, R.UNDECIDED, ()),
        (evidence.signature_by_nobody, R.UNDECIDED, ()),
        (evidence.altered_picture_with_a_key_that_fits, R.UNDECIDED, ()),
        (evidence.copy_altered_beside_good_one, R.UNDECIDED, PROOF),
    ],
)
def test_how_a_cited_instance_comes_out(
    made: Callable[[], Case], result: ReferenceResult, by: tuple[Proof, ...]
) -> None:
    """Matched, altered, missing, unsecured and undecided are five different things."""
    assert first(made()) == (result, by)


@pytest.mark.parametrize(
    ("made", "counts"),
    [
        # matched, altered, missing, unsecured, undecided
        (evidence.everything_matches, (3, 0, 0, 0, 0)),
        (evidence.altered_pixel, (2, 1, 0, 0, 0)),
        (evidence.one_missing, (2, 0, 1, 0, 0)),
        (evidence.one_unsecured, (2, 0, 0, 1, 0)),
        (evidence.thin_mac, (2, 0, 0, 0, 1)),
    ],
)
def test_the_counts_add_up(made: Callable[[], Case], counts: tuple[int, ...]) -> None:
    """Each reference is counted once."""
    shown = judged(made()).as_dict()["references"]
    names = ("matched", "altered", "missing", "unsecured", "undecided")
    assert tuple(shown[name] for name in names) == counts
    assert shown["total"] == sum(counts) == len(shown["items"])
    assert shown["unexpected"] == 0


@pytest.mark.parametrize(
    ("made", "differs"),
    [
        (evidence.everything_matches, False),
        (evidence.thin_mac, False),
        (evidence.one_unsecured, False),
        (evidence.copy_altered_beside_good_one, False),
        (evidence.altered_pixel, True),
        (evidence.one_missing, True),
    ],
)
def test_the_set_differs_only_where_something_is_altered_or_missing(
    made: Callable[[], Case], differs: bool
) -> None:
    """Undecided is not different."""
    assert judged(made()).references.differs is differs


@pytest.mark.parametrize("made", [evidence.altered_pixel, evidence.one_missing, evidence.thin_mac])
def test_evidence_does_not_touch_the_signature(made: Callable[[], Case]) -> None:
    """The signature's own indication is about the document's bytes."""
    verdict = judged(made())
    assert verdict.indication is Indication.INDETERMINATE
    assert {s.indication for s in verdict.signatures} == {Indication.PASSED}
    assert verdict.questions.unchanged == "yes"


def test_without_evidence_nothing_is_compared() -> None:
    """References are counted, and the limitation says that they were not looked at."""
    verdict = check(author_report())
    assert verdict.references.as_dict() | {"items": []} == {
        "total": 3, "matched": 0, "altered": 0, "missing": 0, "unsecured": 0, "undecided": 0,
        "unexpected": 0, "items": [],
    }  # fmt: skip
    assert "EVIDENCE_NOT_AVAILABLE" in {limit.code.value for limit in verdict.limitations}


def test_an_empty_folder_misses_everything() -> None:
    """A folder that was given is looked into."""
    verdict = check(author_report(), evidence=())
    assert verdict.references.count(R.MISSING) == 3
    assert verdict.sub_indication is S.EVIDENCE_MISSING


def test_a_selection_is_compared_like_a_report() -> None:
    """Key object selections cite instances the same way."""
    altered = evidence.altered_pixel().evidence
    assert altered is not None
    assert check(seal(), evidence=altered).sub_indication is S.EVIDENCE_MISMATCH


def test_a_signed_copy_matches_the_mac_of_the_bare_instance() -> None:
    """Signing an instance later does not change what its MAC covers."""
    assert first(Case(data=author_report(), evidence=signed_images())) == (R.MATCHED, PROOF)


def test_two_equal_copies_are_no_conflict() -> None:
    """The same instance twice is the same instance."""
    verdict = judged(Case(data=author_report(), evidence=(*ct_files(), ct_files()[0])))
    assert verdict.indication is Indication.PASSED
    assert "EVIDENCE_CONFLICT" not in {f.rule for f in verdict.findings}


def test_a_conflict_names_the_other_file() -> None:
    """Somebody has to go and look at the altered copy."""
    verdict = judged(evidence.copy_altered_beside_good_one())
    conflict = next(f for f in verdict.findings if f.rule == "EVIDENCE_CONFLICT")
    assert "evidence-4.dcm" in conflict.message


def test_an_unsecured_item_that_is_not_there_is_missing() -> None:
    """What is cited without a proof and not at hand is missing, not unsecured."""
    case = evidence.one_unsecured()
    assert case.evidence is not None
    verdict = check(case.data, evidence=case.evidence[1:])
    shown = verdict.as_dict()["references"]
    assert (shown["missing"], shown["unsecured"]) == (1, 0)
    assert verdict.sub_indication is S.EVIDENCE_MISSING


def test_an_unsecured_item_has_one_finding() -> None:
    """No second failure is raised for what carries no proof."""
    verdict = check(evidence.one_unsecured().data, policy="strict", evidence=ct_files())
    failing = [f.rule for f in verdict.findings if f.status is Status.FAIL]
    assert failing == ["EVIDENCE_UNSECURED"]
    assert verdict.references.unsecured == 1


def test_a_place_leads_to_the_reference() -> None:
    """A finding about a cited instance says where in the document it is cited."""
    verdict = judged(evidence.altered_pixel())
    found = next(f for f in verdict.findings if f.rule == "EVIDENCE_MISMATCH")
    assert found.where is not None
    assert found.where.startswith(format_tag(0x0040A375))


def _raising(error: SRError) -> Callable[[], DICOMFile]:
    def read_it() -> DICOMFile:
        raise error

    return read_it


@pytest.mark.parametrize(
    ("error", "result"),
    [
        (DatasetError("x", rule="DUPLICATE_TAG"), R.ALTERED),
        (LimitError("x"), R.UNDECIDED),
        (UnsupportedAlgorithmError("x"), R.UNDECIDED),
    ],
)
def test_a_file_that_cannot_be_read_is_no_reason_to_stop(
    error: SRError, result: ReferenceResult
) -> None:
    """Broken bytes are altered; what is too large, or cannot be computed, is undecided."""
    document = read(BytesSource(author_report()))
    candidate = Candidate(label="x.dcm", read=_raising(error))
    compared = compare_references(document, lambda _uid: (candidate,))
    assert {facts.result for facts in compared} == {result}


def test_the_signer_of_an_instance_counts_only_where_nothing_else_vouches() -> None:
    """A MAC fixes the bytes whoever signed them."""
    nobody = material(anchors=())
    case = evidence.matches_by_signature_and_mac()
    verdict = check(case.data, evidence=case.evidence, given=nobody)
    assert verdict.references.count(R.MATCHED) == 3
    alone = evidence.matches_by_signature()
    verdict = check(alone.data, evidence=alone.evidence, given=nobody)
    assert verdict.references.count(R.UNDECIDED) == 3


@pytest.mark.parametrize(
    ("made", "sub"),
    [
        (evidence.cites_itself, S.EVIDENCE_COVERAGE),
        (evidence.tree_cites_more, S.EVIDENCE_COVERAGE),
        (evidence.second_mac, S.EVIDENCE_COVERAGE),
        (evidence.mac_of_wrong_length_beside_signature, S.EVIDENCE_COVERAGE),
    ],
)
def test_a_contradiction_is_found_without_the_evidence(
    made: Callable[[], Case], sub: SubIndication
) -> None:
    """What is wrong with the document alone does not wait for its evidence."""
    verdict = check(made().data)
    assert (verdict.indication, verdict.sub_indication) == (Indication.INDETERMINATE, sub)


def test_a_weak_mac_is_a_limitation_for_other_peoples_documents() -> None:
    """The interoperability policy accepts the match and says what is weak."""
    case = evidence.mac_with_sha1()
    verdict = check(case.data, policy="interop", evidence=case.evidence)
    assert verdict.references.count(R.MATCHED) == 3
    assert "WEAK_ALGORITHM" in {limit.code.value for limit in verdict.limitations}
