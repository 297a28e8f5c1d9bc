"""What a proven time changes: algorithms past their last day, evidence, policies of signers."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from sr.codes import SignaturePurpose
from sr.dicomfile import canonicalise
from sr.findings import Status, SubIndication
from sr.trust import TrustMaterial, TrustPolicy, load_policy
from sr.trust.policy import CertificatePolicies
from sr.verification import Verdict
from sr.verification.facts import ReferenceResult
from tests.support.datasets import ct_files, report
from tests.support.pki import NOW, demo_pki, issue, make_crl
from tests.support.signed import (
    author_report,
    check,
    evidence_with_signature,
    material,
    plain_report,
    sign,
)
from tests.support.tokens import stamped, token, tsa

PKI = demo_pki()
DAY = timedelta(days=1)


def weak_from(last: date) -> TrustPolicy:
    """Return the default policy in which SHA-256 has a last day."""
    policy = load_policy("standard")
    rows = tuple(
        replace(row, until=last if row.name == "SHA256" else row.until)
        for row in policy.algorithms.hashes
    )
    return replace(policy, algorithms=replace(policy.algorithms, hashes=rows))


def failing(verdict: Verdict) -> set[str]:
    (signature,) = verdict.signatures
    return {each.rule for each in signature.findings if each.status is Status.FAIL}


def strong_authority() -> tuple[dict[str, Any], TrustMaterial]:
    """Return a time-stamp authority that rests on SHA-512, and material that trusts it."""
    root = issue(None, "SHA-512 Root", ca=True, slot="sha512", hash_algorithm=hashes.SHA512())
    authority = tsa(root, hash_algorithm=hashes.SHA512())
    sound = material()
    lists = (
        make_crl(PKI.root, hash_algorithm=hashes.SHA512(), next_update=NOW + 90 * DAY),
        make_crl(PKI.issuing, hash_algorithm=hashes.SHA512(), next_update=NOW + 90 * DAY),
        make_crl(root, hash_algorithm=hashes.SHA512(), next_update=NOW + 90 * DAY),
    )
    given = TrustMaterial(
        anchors=sound.anchors,
        intermediates=sound.intermediates,
        crls=tuple(each.public_bytes(Encoding.DER) for each in lists),
        timestamp_anchors=(root.der,),
    )
    changes = {"authority": authority, "imprint_hash": "sha512", "digest_hash": "sha512"}
    return changes, given


def test_what_was_proven_by_the_last_day_stays_good() -> None:
    """After the last day of SHA-256 a signature with it counts where its age is proven."""
    changes, given = strong_authority()
    policy, later = weak_from(NOW.date()), NOW + 60 * DAY
    proven = check(
        stamped(author_report(), lambda v: token(v, **changes)),
        policy=policy,
        at=later,
        given=given,
    )
    assert proven.sub_indication is None
    claimed = check(author_report(), policy=policy, at=later, given=given)
    assert claimed.sub_indication is SubIndication.CRYPTO_CONSTRAINTS_FAILURE_NO_POE
    assert "MAC_ALGORITHM_WEAK" in failing(claimed)


def test_a_time_stamp_past_its_own_last_day_proves_nothing() -> None:
    """A time-stamp with the hash that is weak now may itself be made up."""
    verdict = check(stamped(author_report()), policy=weak_from(NOW.date()), at=NOW + 60 * DAY)
    assert {"TIMESTAMP_ALGORITHM", "MAC_ALGORITHM_WEAK"} <= failing(verdict)
    assert verdict.signatures[0].proven_at is None


@pytest.mark.parametrize("required", [True, False])
def test_certificate_policies_of_signers_are_not_asked_of_authorities(required: bool) -> None:
    """A site that wants certificates of a certain policy from signers still has its time-stamps."""
    demanded = CertificatePolicies(accepted=frozenset({"1.2.3"}), required=required)
    policy = replace(load_policy("standard"), certificate_policies=demanded)
    verdict = check(stamped(author_report()), policy=policy)
    assert verdict.signatures[0].proven_at is not None
    assert ("CERT_PATH" in failing(verdict)) == required


@pytest.mark.parametrize("proven", [True, False])
def test_evidence_that_rests_on_a_signature_of_an_expired_signer(proven: bool) -> None:
    """A copied signature vouches for its instance as long as its age is proven."""
    signer = issue(PKI.issuing, "Short Archive", slot="archive", not_after=NOW)
    image = sign(canonicalise(ct_files()[0]), signer, SignaturePurpose.SOURCE, uid="2.25.4712.7")
    image = stamped(image) if proven else image
    cited = (evidence_with_signature(image, mac=False),)
    data = sign(canonicalise(report(evidence=cited)))
    verdict = check(data, evidence=(image,), at=NOW + 20 * DAY)
    assert verdict.references.items is not None
    (reference,) = verdict.references.items
    expected = ReferenceResult.MATCHED if proven else ReferenceResult.UNDECIDED
    assert reference.result is expected


def test_evidence_with_junk_for_a_time_stamp_is_undecided() -> None:
    """A signature whose time-stamp is another's vouches for no instance."""
    image = stamped(
        sign(canonicalise(ct_files()[0]), PKI.archive, SignaturePurpose.SOURCE, uid="2.25.4712.7"),
        lambda value: token(value, imprint=bytes(32)),
    )
    data = sign(canonicalise(report(evidence=(evidence_with_signature(image, mac=False),))))
    verdict = check(data, evidence=(image,))
    assert verdict.references.items is not None
    assert [each.result for each in verdict.references.items] == [ReferenceResult.UNDECIDED]


def test_a_report_without_time_stamp_is_claimed_only() -> None:
    """Nothing is proven where there is nothing to prove it."""
    assert check(sign(plain_report())).signatures[0].proven_at is None
