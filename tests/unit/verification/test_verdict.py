"""The verdict as a value: folding findings, its shape in JSON, and what it refuses."""

from __future__ import annotations

import json
from dataclasses import FrozenInstanceError
from itertools import combinations

import pytest

from sr.errors import VerdictError
from sr.findings import Finding, Indication, Status, SubIndication
from sr.verification.verdict import fold, indication_of
from tests.support.datasets import ct_files
from tests.support.signed import approved_report, author_report, check
from tests.vectors.generators import encoding, reports

S = SubIndication
FAILED = {
    S.FORMAT_FAILURE,
    S.HASH_FAILURE,
    S.SIG_CRYPTO_FAILURE,
    S.SIGNED_DATA_NOT_FOUND,
    S.REVOKED,
    S.EXPIRED,
    S.NOT_YET_VALID,
}
"""As the contract lists them."""
TOP_KEYS = [
    "schema_version", "subject", "sop_class_uid", "sop_instance_uid", "indication",
    "sub_indication", "judged_at", "policy", "questions", "signatures", "findings", "limitations",
    "uncovered", "references",
]  # fmt: skip
SIGNATURE_KEYS = [
    "digital_signature_uid", "location", "purpose", "signer", "claimed_at", "proven_at",
    "mac_algorithm", "profile", "covers", "indication", "sub_indication", "findings",
]  # fmt: skip


def finding(
    sub: SubIndication | None, *, status: Status = Status.FAIL, rule: str = "SOME_RULE"
) -> Finding:
    return Finding(rule=rule, status=status, message="m", cites="c", sub_indication=sub)


@pytest.mark.parametrize("sub", [s for s in S if s is not S.SIG_CONSTRAINTS_FAILURE])
def test_a_sub_indication_decides_the_indication(sub: SubIndication) -> None:
    """FAILED is for what is certain; every other failure is undecided."""
    expected = Indication.FAILED if sub in FAILED else Indication.INDETERMINATE
    assert indication_of(finding(sub)) is expected
    assert fold([finding(sub)]) == (expected, sub)


@pytest.mark.parametrize("rule", ["SR_PURPOSE", "SR_VERIFIED_NEEDS_5", "FOUR_EYES"])
def test_contradictions_of_purpose_and_person_fail(rule: str) -> None:
    """Among broken constraints these three are refusals."""
    broken = finding(S.SIG_CONSTRAINTS_FAILURE, rule=rule)
    assert fold([broken]) == (Indication.FAILED, S.SIG_CONSTRAINTS_FAILURE)


@pytest.mark.parametrize("rule", ["SR_MIN", "COV_IDENTITY", "META_CLASS", "REQUIRED_SIGNER"])
def test_other_constraints_are_undecided(rule: str) -> None:
    """A constraint that is merely not met leaves the verdict open."""
    broken = finding(S.SIG_CONSTRAINTS_FAILURE, rule=rule)
    assert fold([broken]) == (Indication.INDETERMINATE, S.SIG_CONSTRAINTS_FAILURE)


@pytest.mark.parametrize("status", [s for s in Status if s is not Status.FAIL])
def test_only_a_failure_changes_the_indication(status: Status) -> None:
    """Warnings and notices leave PASSED as it is."""
    assert fold([finding(S.HASH_FAILURE, status=status)]) == (Indication.PASSED, None)


def test_nothing_found_is_passed() -> None:
    """An empty list of failures folds to PASSED without a reason."""
    assert fold([]) == (Indication.PASSED, None)


@pytest.mark.parametrize(("one", "other"), list(combinations(S, 2)))
def test_folding_does_not_depend_on_order(one: SubIndication, other: SubIndication) -> None:
    """The worst indication wins, and its reason is the same either way round."""
    pair = [finding(one), finding(other)]
    folded = fold(pair)
    assert folded == fold(reversed(pair))
    assert folded[0] is max(
        (indication_of(f) for f in pair), key=[Indication.INDETERMINATE, Indication.FAILED].index
    )
    assert folded[1] in (one, other)
    assert indication_of(finding(folded[1])) is folded[0]


@pytest.mark.parametrize("sub", [S.HASH_FAILURE, S.NO_CERTIFICATE_CHAIN_FOUND, S.TRY_LATER])
def test_a_broken_constraint_is_the_last_reason_given(sub: SubIndication) -> None:
    """What says more is told first."""
    constraint = finding(S.SIG_CONSTRAINTS_FAILURE)
    assert fold([constraint, finding(sub)])[1] is sub


def test_a_failure_of_unknown_meaning_is_undecided() -> None:
    """A failure without sub-indication never becomes PASSED."""
    assert fold([finding(None)]) == (Indication.INDETERMINATE, None)


def test_the_json_object_has_exactly_the_keys_of_the_contract() -> None:
    """Names and nesting are those that other machines rely on, in that order."""
    shown = check(approved_report(), evidence=ct_files()).as_dict()
    assert list(shown) == TOP_KEYS
    assert shown["schema_version"] == 1
    assert list(shown["questions"]) == ["unchanged", "signer", "time", "complete"]
    assert shown["questions"]["unchanged"] in ("yes", "no", "unknown")
    for signature in shown["signatures"]:
        assert list(signature) == SIGNATURE_KEYS
        assert list(signature["purpose"]) == ["code", "scheme", "meaning"]
        assert list(signature["signer"]) == ["subject", "issuer", "serial", "sha256"]
        assert signature["proven_at"] is None
        for f in signature["findings"]:
            assert list(f) == ["rule", "status", "message", "where", "cites"]
    for limitation in shown["limitations"]:
        assert list(limitation) == ["code", "where", "message"]
    references = shown["references"]
    assert list(references) == (
        ["total", "matched", "altered", "missing", "unsecured", "undecided", "unexpected", "items"]
    )
    for item in references["items"]:
        assert list(item) == ["sop_instance_uid", "result", "by", "file"]
    assert json.loads(json.dumps(shown)) == shown


@pytest.mark.parametrize(
    "data",
    [encoding.duplicate_patient, reports.unsigned, reports.nested_signature_only],
    ids=["refused by the reader", "unsigned", "nested only"],
)
def test_every_verdict_has_the_same_keys(data: object) -> None:
    """A verdict that says little has the shape of one that says much."""
    shown = check(data()).as_dict()  # type: ignore[operator]
    assert list(shown) == TOP_KEYS
    assert json.dumps(shown)


def test_tags_and_times_are_written_as_the_contract_shows_them() -> None:
    """Tags as (gggg,eeee), uncovered ones with their keyword, times in UTC."""
    shown = check(author_report()).as_dict()
    assert shown["judged_at"] == "2026-11-20T12:00:00Z"
    assert shown["signatures"][0]["covers"][0] == "(0008,0005)"
    assert "(0008,0018) SOPInstanceUID" in shown["uncovered"]


def test_a_verdict_is_not_a_bool() -> None:
    """Asking for truth is an error, for documents and for signatures."""
    verdict = check(author_report())
    for value in (verdict, *verdict.signatures):
        with pytest.raises(TypeError):
            bool(value)


def test_requiring_a_pass_raises_with_the_findings() -> None:
    """Only PASSED returns; everything else raises and brings its reasons."""
    check(author_report()).require_passed()
    for data in (reports.unsigned(), reports.verified_by_hand(), encoding.truncated()):
        verdict = check(data)
        with pytest.raises(VerdictError) as caught:
            verdict.require_passed()
        assert caught.value.findings == verdict.findings


def test_a_verdict_cannot_be_changed() -> None:
    """A verdict is a value."""
    verdict = check(author_report())
    with pytest.raises(FrozenInstanceError):
        verdict.indication = Indication.FAILED  # type: ignore[misc]


def test_limitations_are_in_the_headline() -> None:
    """PASSED alone is said only where nothing limits it."""
    assert check(author_report()).headline != Indication.PASSED.value
