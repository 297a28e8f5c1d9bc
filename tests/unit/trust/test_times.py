"""Moments against validity: edges, unknown zones, proofs, skew."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from sr.findings import LimitationCode, Status, SubIndication
from sr.trust import SignerTrust
from tests.support.pki import NOW, Entity, demo_pki, issue, make_crl
from tests.unit.trust.scene import DAY, failures, judge, limits, material, statuses

S = SubIndication
PKI = demo_pki()
START, END = NOW - 20 * DAY, NOW + 20 * DAY
SIGNER = issue(PKI.issuing, "Timed", slot="case", not_before=START, not_after=END)
HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)
LATER = NOW + 300 * DAY


def _judge(signer: Entity = SIGNER, **scene: Any) -> SignerTrust:
    """Judge with lists that are good at any time and keep nothing back."""
    lists = [
        make_crl(each, this_update=NOW, next_update=NOW + 3000 * DAY)
        for each in (PKI.root, PKI.issuing)
    ]
    return judge(signer, given=material(crls=lists), **scene)


@pytest.mark.parametrize(
    ("claimed", "expected"),
    [
        (START, None),
        (START - SECOND, S.NOT_YET_VALID),
        (START - 3000 * DAY, S.NOT_YET_VALID),
        (END, None),
        (END + SECOND, S.EXPIRED),
    ],
)
def test_validity_includes_its_ends(claimed: datetime, expected: SubIndication | None) -> None:
    """A signature of the first or last second is inside; a second beyond is not."""
    trust = _judge(claimed=claimed, at=max(claimed, NOW), proven=None)
    assert failures(trust).get("CERT_VALIDITY") is expected


@pytest.mark.parametrize(
    ("claimed", "expected"),
    [
        (START + 14 * HOUR, None),
        (START + 14 * HOUR - SECOND, S.OUT_OF_BOUNDS_NO_POE),
        (START, S.OUT_OF_BOUNDS_NO_POE),
        (START - 14 * HOUR, S.OUT_OF_BOUNDS_NO_POE),
        (START - 14 * HOUR - SECOND, S.NOT_YET_VALID),
        (END - 14 * HOUR, None),
        (END - 14 * HOUR + SECOND, S.OUT_OF_BOUNDS_NO_POE),
        (END + 14 * HOUR, S.OUT_OF_BOUNDS_NO_POE),
        (END + 14 * HOUR + SECOND, S.EXPIRED),
    ],
)
def test_without_offset_the_whole_window_must_be_inside(
    claimed: datetime, expected: SubIndication | None
) -> None:
    """Without offset a time is fourteen hours wide to either side, and warned about anyway."""
    trust = _judge(claimed=claimed, zone=False, at=max(claimed, NOW))
    assert failures(trust).get("CERT_VALIDITY") is expected
    assert statuses(trust)["TIME_NO_OFFSET"] is Status.WARN


def test_a_proof_settles_an_unknown_zone() -> None:
    """A proven time inside validity makes the missing offset a mere warning."""
    trust = _judge(claimed=START + HOUR, zone=False, proven=START + 2 * HOUR)
    assert not failures(trust)
    assert statuses(trust)["TIME_NO_OFFSET"] is Status.WARN


@pytest.mark.parametrize(
    ("claimed", "zone", "expected"),
    [
        (NOW + timedelta(seconds=300), True, None),
        (NOW + timedelta(seconds=301), True, S.NOT_YET_VALID),
        (NOW + 14 * HOUR, False, None),
        (NOW + 14 * HOUR + timedelta(seconds=301), False, S.NOT_YET_VALID),
    ],
)
def test_the_future_begins_after_the_skew(
    claimed: datetime, zone: bool, expected: SubIndication | None
) -> None:
    """Clocks may differ by five minutes; a later claim is refused."""
    trust = _judge(claimed=claimed, zone=zone)
    assert failures(trust).get("TIME_FUTURE") is expected


@pytest.mark.parametrize(
    ("proven", "expected"),
    [
        (None, {"CERT_VALIDITY_POE": S.OUT_OF_BOUNDS_NO_POE}),
        (NOW, {}),
        (END, {}),
        (END + SECOND, {"CERT_VALIDITY_POE": S.OUT_OF_BOUNDS_NO_POE}),
        (START - SECOND, {"CERT_VALIDITY": S.NOT_YET_VALID}),
    ],
)
def test_after_expiry_only_a_proof_helps(
    proven: datetime | None, expected: dict[str, SubIndication]
) -> None:
    """An expired certificate needs a proof from inside its validity."""
    trust = _judge(claimed=NOW - 2 * HOUR, proven=proven, at=LATER)
    assert failures(trust) == expected
    assert (LimitationCode.TIME_CLAIMED_ONLY in limits(trust)) is (proven is None)


def test_a_claim_outside_validity_is_held_against_the_signer_despite_a_proof() -> None:
    """A time-stamp does not heal a signer who claims a time without a valid certificate."""
    trust = _judge(claimed=START - DAY, proven=NOW)
    assert failures(trust) == {"CERT_VALIDITY": S.NOT_YET_VALID}


@pytest.mark.parametrize(("policy", "status"), [("standard", Status.WARN), ("strict", Status.FAIL)])
def test_a_claim_after_the_proof_is_untrue(policy: str, status: Status) -> None:
    """What a time-stamp already proves cannot have been signed later."""
    trust = _judge(claimed=NOW - HOUR, proven=NOW - DAY, policy=policy)
    assert statuses(trust)["TIME_AFTER_PROOF"] is status


def test_a_proof_from_after_the_judged_time_is_from_the_future() -> None:
    """Judged at a time at which the signature did not exist, it is not valid yet."""
    trust = _judge(claimed=NOW - 2 * DAY, proven=NOW, at=NOW - DAY)
    assert failures(trust) == {"TIME_FUTURE": S.NOT_YET_VALID}


def test_no_claimed_time_leaves_the_judged_one() -> None:
    """Without a readable claim the certificate is judged at the time of judging."""
    trust = _judge(claimed=None)
    assert not failures(trust)
    assert "TIME_NO_OFFSET" not in statuses(trust)
    assert failures(_judge(claimed=None, at=LATER)).keys() == {"CERT_VALIDITY_POE"}


@pytest.mark.parametrize("claimed", [NOW - 29 * DAY, NOW - DAY])
def test_an_authority_out_of_its_validity_leaves_no_proof(claimed: datetime) -> None:
    """An intermediate that has expired, or was not valid, makes the time out of bounds."""
    short = issue(
        PKI.root,
        "Short CA",
        ca=True,
        slot="short",
        not_before=NOW - 25 * DAY,
        not_after=NOW - 2 * DAY,
    )
    signer = issue(short, "Case", slot="case")
    given = material(intermediates=[short], crls=[])
    trust = judge(signer, claimed=claimed, given=given)
    assert failures(trust) == {"CERT_VALIDITY": S.OUT_OF_BOUNDS_NO_POE}


@pytest.mark.parametrize(("policy", "status"), [("standard", Status.WARN), ("strict", Status.FAIL)])
def test_an_expired_anchor_is_remarked_upon(policy: str, status: Status) -> None:
    """Trust in an anchor is a decision; that its certificate expired is said."""
    root = issue(None, "Old Root", ca=True, slot="old-root", not_after=NOW - 10 * DAY)
    signer = issue(root, "Case", slot="case")
    given = material(anchors=[root], intermediates=[], crls=[make_crl(root)])
    trust = judge(signer, given=given, policy=policy)
    assert statuses(trust)["CERT_ANCHOR_VALIDITY"] is status
