"""What a policy changes in a verdict, and what it can not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sr.dicomfile import BytesSource, read
from sr.findings import Indication, Status, SubIndication
from sr.resources import resource_root
from sr.trust import TrustMaterial, TrustPolicy, load_policy, parse_policy
from sr.trust.policy import NOT_NEGOTIABLE, Level, SeverityRule
from sr.verification import gather, judge
from sr.verification.facts import Integrity
from sr.verification.signature_rules import weigh
from tests.support.pki import NOW
from tests.support.signed import SIGNED_AT, author_report, check, material
from tests.unit.verification.test_verdict import finding
from tests.vectors.generators import (
    coverage,
    evidence,
    fragments,
    integrity,
    items,
    reports,
    sound,
    times,
    timestamps,
)

V, S = Indication, SubIndication
WITHOUT_LISTS = TrustMaterial(anchors=material().anchors, intermediates=material().intermediates)


def site(*rows: str) -> TrustPolicy:
    """Return a site's policy: the standard one with some rules weighed otherwise."""
    weights = "".join(
        f"[[severity]]\nrules = [\"{rule}\"]\nlevel = '{level}'\ncites = 'x'\n"
        for rule, _, level in (row.partition("=") for row in rows)
    )
    return parse_policy(
        f"id = 'site'\ntitle = 'Site'\nextends = 'standard'\ncites = 'x'\n{weights}", "site.toml"
    )


@pytest.mark.parametrize(
    ("made", "indications"),
    [
        # in the order standard, strict, interop
        (sound.authored, (V.PASSED, V.PASSED, V.PASSED)),
        (coverage.minimum_only, (V.INDETERMINATE, V.INDETERMINATE, V.PASSED)),
        (coverage.patient_not_signed, (V.INDETERMINATE, V.INDETERMINATE, V.PASSED)),
        (coverage.charset_not_signed, (V.INDETERMINATE, V.INDETERMINATE, V.PASSED)),
        (coverage.overlay_added_to_image, (V.INDETERMINATE, V.INDETERMINATE, V.PASSED)),
        (coverage.other_added, (V.PASSED, V.PASSED, V.PASSED)),
        (sound.made_with_sha1, (V.INDETERMINATE, V.INDETERMINATE, V.PASSED)),
        (evidence.one_unsecured, (V.PASSED, V.INDETERMINATE, V.PASSED)),
        (fragments.marker_inside_fragment, (V.INDETERMINATE,) * 3),
        (timestamps.type_without_token, (V.INDETERMINATE,) * 3),
        (reports.purpose_absent, (V.FAILED,) * 3),
        (reports.verified_by_hand, (V.FAILED,) * 3),
        (reports.purpose_with_unknown_meaning, (V.INDETERMINATE, V.INDETERMINATE, V.PASSED)),
        (integrity.patient_changed, (V.FAILED,) * 3),
        (items.list_absent_element, (V.FAILED,) * 3),
        (reports.unsigned, (V.NOT_SIGNED,) * 3),
    ],
)
def test_what_the_policies_make_of_a_file(
    made: object, indications: tuple[Indication, ...]
) -> None:
    """Coverage, weak digests and missing proof are weighed; integrity and purpose are not."""
    data = made()  # type: ignore[operator]
    given, files = (data, None) if isinstance(data, bytes) else (data.data, data.evidence)
    found = tuple(
        check(given, policy=policy, evidence=files).indication
        for policy in ("standard", "strict", "interop")
    )
    assert found == indications


@pytest.mark.parametrize(
    ("policy", "indication", "sub"),
    [("strict", V.INDETERMINATE, S.TRY_LATER), ("standard", V.PASSED, None)],
)
def test_revocation_not_known(
    policy: str, indication: Indication, sub: SubIndication | None
) -> None:
    """Without revocation lists, strict is undecided and standard names the limitation."""
    verdict = check(author_report(), policy=policy, given=WITHOUT_LISTS)
    assert (verdict.indication, verdict.sub_indication) == (indication, sub)
    named = "REVOCATION_UNKNOWN" in {limit.code.value for limit in verdict.limitations}
    assert named == (policy == "standard")


def test_only_the_archive_wants_a_time_stamp() -> None:
    """A claimed time is a limitation everywhere, and not enough in the archive."""
    found = {p: check(author_report(), policy=p) for p in ("standard", "strict", "demo", "archive")}
    assert all(
        "TIME_CLAIMED_ONLY" in {limit.code.value for limit in verdict.limitations}
        for verdict in found.values()
    )
    passing = {policy for policy, verdict in found.items() if verdict.indication is V.PASSED}
    assert passing == {"standard", "strict", "demo"}


def test_a_policy_may_weigh_a_rule_down() -> None:
    """A site that knows why may live with a finding, which is still shown."""
    verdict = check(reports.equipment_added(), policy=site("SR_MIN=WARN"))
    assert verdict.indication is V.PASSED
    assert any(f.rule == "SR_MIN" for s in verdict.signatures for f in s.findings)


def test_a_policy_may_weigh_a_rule_up() -> None:
    """A site that maps identities may refuse what is a warning elsewhere."""
    data = reports.approver_not_named()
    assert check(data).indication is V.PASSED
    assert check(data, policy=site("OBSERVER_IDENTITY=FAIL")).indication is not V.PASSED


def test_a_rule_that_is_ignored_is_not_shown() -> None:
    """A rule that is not judged yields no finding."""
    verdict = check(reports.approver_not_named(), policy=site("OBSERVER_IDENTITY=ignore"))
    assert "OBSERVER_IDENTITY" not in {f.rule for f in verdict.findings}


def smuggled_in(rule: str) -> TrustPolicy:
    """Return a policy that ignores a rule, made past the loader."""
    ignored = SeverityRule(rule=rule, level=Level.IGNORE, cites="x")
    return replace(load_policy("standard"), severity=(ignored,))


@pytest.mark.parametrize("rule", sorted(NOT_NEGOTIABLE))
def test_some_rules_keep_their_weight(rule: str) -> None:
    """Even a policy made past the loader cannot weigh these down."""
    broken = finding(S.HASH_FAILURE, rule=rule)
    assert list(weigh([broken], smuggled_in(rule))) == [broken]


def test_a_signature_that_was_not_verified_never_passes() -> None:
    """Whatever rule kept the MAC from being computed, and whatever a policy makes of that rule."""
    facts = gather(read(BytesSource(author_report())))
    unread = replace(
        facts.signatures[0],
        integrity=Integrity.NOT_COMPUTED,
        findings=(finding(S.VR_UNKNOWN, rule="SOME_NEW_RULE"),),
    )
    verdict = judge(
        replace(facts, signatures=(unread,)),
        subject="x",
        policy=smuggled_in("SOME_NEW_RULE"),
        material=material(),
        judged_at=NOW,
    )
    assert verdict.indication is V.INDETERMINATE
    assert verdict.signatures[0].indication is V.INDETERMINATE


def test_the_format_keeps_its_weight() -> None:
    """A malformed signature is FAILED under every policy."""
    verdict = check(items.list_order(), policy=site("DES_ORDER=ignore"))
    assert verdict.indication is V.FAILED


@pytest.mark.parametrize("level", ["WARN", "ignore"])
@pytest.mark.parametrize(
    "made",
    [
        fragments.marker_inside_fragment,
        coverage.patient_not_signed,
        reports.two_verifying_observers,
    ],
)
def test_a_negotiable_rule_never_hides_a_broken_mac(made: object, level: str) -> None:
    """With all negotiable rules weighed down, a changed byte is still FAILED."""
    rules = ("FRAG_AMBIGUOUS", "COV_IDENTITY", "SR_ONE_VERIFYING_OBSERVER")
    lax = site(*(f"{rule}={level}" for rule in rules))
    data = made()  # type: ignore[operator]
    assert check(data, policy=lax).indication is V.PASSED
    changed = data.replace(b"ORIGINAL", b"ORIGINAM").replace(b"CONTAINER ", b"CONTAINES ")
    assert changed != data
    assert check(changed, policy=lax).indication is V.FAILED


def test_a_purpose_may_be_dispensed_with_by_a_site() -> None:
    """A policy that requires no purpose accepts none, and still no wrong one."""
    text = (
        "id = 'site'\ntitle = 'Site'\nextends = 'standard'\ncites = 'x'\n"
        "[purpose]\nrequired_for_sr_kos = false\ncites = 'x'\n"
    )
    policy = parse_policy(text, "site.toml")
    assert check(reports.purpose_absent(), policy=policy).indication is V.PASSED
    assert check(reports.purpose_unknown(), policy=policy).indication is V.FAILED


def test_the_time_of_judging_is_an_argument() -> None:
    """The same facts at another time are another verdict."""
    case = times.certificate_expired_since()
    assert check(case.data, at=NOW).indication is V.PASSED
    assert check(case.data, at=case.at).indication is V.INDETERMINATE
    early = check(case.data, at=SIGNED_AT.replace(year=2025))
    assert early.indication is V.FAILED


def test_every_shipped_policy_judges() -> None:
    """No shipped policy fails to load or to judge."""
    names = [path.name for path in (resource_root("profiles") / "trust").iterdir()]
    for name in names:
        verdict = check(author_report(), policy=name.removesuffix(".toml"))
        assert verdict.indication in (V.PASSED, V.INDETERMINATE)
        assert all(f.status is not Status.FAIL or f.sub_indication for f in verdict.findings)
