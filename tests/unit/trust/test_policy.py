"""Policies load strictly, say what the contract says, and cannot relax what must not be."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from sr.errors import ProfileFormatError, SRError, UnknownProfileError
from sr.findings import Status, SubIndication
from sr.resources import resource_root
from sr.trust import load_policy, parse_policy
from sr.trust import rules as trust_rules
from sr.trust.policy import NOT_NEGOTIABLE, Consequence, Level, Need
from sr.trust.policy_file import policy_ids
from tests.support.pki import NOW, demo_pki, issue
from tests.unit.trust.scene import DAY, POLICIES, failures, judge, limits, material, statuses

S = SubIndication
RULES = {each.id: each for each in vars(trust_rules).values() if isinstance(each, trust_rules.Rule)}
SITE = 'id = "site"\nextends = "standard"\ntitle = "Site"\ncites = "site rules"\n'


def test_the_policies_of_the_contract_are_there() -> None:
    """Exactly the five policies of the contract come with srsign."""
    assert set(policy_ids()) == set(POLICIES)


@pytest.mark.parametrize(
    ("attribute", "values"),
    [
        ("revocation", "limitation required limitation limitation limitation"),
        ("timestamp", "optional optional required optional optional"),
        ("weak_algorithm", "fail fail fail limitation fail"),
        ("uncovered_identity", "fail fail fail limitation fail"),
        ("uncovered_charset", "fail fail fail limitation fail"),
        ("uncovered_content", "fail fail fail limitation fail"),
        ("evidence_unsecured", "limitation fail limitation limitation limitation"),
        ("require_purpose_for_sr_kos", "True True True True True"),
    ],
)
def test_what_the_policies_demand(attribute: str, values: str) -> None:
    """Each policy demands what the contract says it demands."""
    found = [str(getattr(load_policy(each), attribute)) for each in POLICIES]
    assert found == values.split()


@pytest.mark.parametrize("policy", POLICIES)
def test_a_policy_weighs_only_rules_that_exist(policy: str) -> None:
    """A severity names a rule of this room or of a profile, or it would be without effect."""
    rules = RULES.keys() | {"SR_PURPOSE_MEANING"}
    assert {each.rule for each in load_policy(policy).severity} <= rules


def test_every_rule_cites() -> None:
    """No rule is without a clause, and those that are not negotiable exist."""
    assert all(each.cites for each in RULES.values())
    assert {each for each in NOT_NEGOTIABLE if each.startswith("CERT_")} <= RULES.keys()


def test_a_shipped_file_given_as_text_is_the_shipped_policy() -> None:
    """Reading a shipped file at the edge is not redefining it."""
    text = (resource_root("profiles") / "trust" / "strict.toml").read_text(encoding="utf-8")
    assert parse_policy(text, "strict.toml") == load_policy("strict")
    assert load_policy(text) == load_policy("strict")


@pytest.mark.parametrize("name", ["nobody", "", "../trust/standard", "standard.toml", "STANDARD"])
def test_an_unknown_id_says_so(name: str) -> None:
    """Only an exact id names a policy."""
    with pytest.raises(UnknownProfileError):
        load_policy(name)


@pytest.mark.parametrize(
    "change",
    [
        "colour = 1\n",
        "[keys]\nrsa_bits = 1\ncites = 'c'\n",
        "[[algorithms.rsa]]\nbits = 1024\n",
        "[[algorithms.rsa]]\nbits = 0\ncites = 'c'\n",
        "[[algorithms.rsa]]\nbits = '2048'\ncites = 'c'\n",
        "[[algorithms.rsa]]\nbits = 1024\nuntil = 2030\ncites = 'c'\n",
        "[[algorithms.curve]]\nname = 1\ncites = 'c'\n",
        "[algorithms]\nrsa_exponent = 3\n",
        "[policies]\naccepted = ['any']\ncites = 'c'\n",
        "[policies]\nrequired = 1\ncites = 'c'\n",
        "[policies]\nrequired = true\n",
        "[revocation]\nstatus = 'optional'\ncites = 'c'\n",
        "[timestamp]\nrequirement = 'limitation'\ncites = 'c'\n",
        "[algorithms]\nweak = 'warn'\ncites = 'c'\n",
        "[[algorithms.hash]]\nname = 'MD5'\n",
        "[certificate]\nkey_usage = []\ncites = 'c'\n",
        "[certificate]\nkey_usage = ['crl_sign']\ncites = 'c'\n",
        "[certificate]\nextended_key_usage_forbidden = ['anything']\ncites = 'c'\n",
        "[[severity]]\nrules = ['CERT_IS_CA']\nlevel = 'WARN'\n",
        "[[severity]]\nrules = ['CERT_IS_CA']\nlevel = 'PASS'\ncites = 'c'\n",
        *(
            f"[[severity]]\nrules = ['{rule}']\nlevel = '{level}'\ncites = 'c'\n"
            for rule in sorted(NOT_NEGOTIABLE)
            for level in ("WARN", "ignore")
        ),
    ],
    ids=repr,
)
def test_a_policy_that_is_not_one_does_not_load(change: str) -> None:
    """Misspelt, uncited, mistyped or too lenient: the policy does not load."""
    with pytest.raises(ProfileFormatError):
        parse_policy(SITE + change, "site.toml")


def test_a_site_cannot_redefine_a_shipped_policy() -> None:
    """The id of a shipped policy means the shipped policy."""
    with pytest.raises(ProfileFormatError):
        parse_policy(SITE.replace('"site"', '"strict"'), "site.toml")


def test_a_policy_needs_no_parent_but_all_its_tables() -> None:
    """A policy that extends nothing has to say everything."""
    with pytest.raises(SRError):
        parse_policy('id = "site"\ntitle = "Site"\ncites = "c"\n', "site.toml")


@pytest.mark.parametrize(
    ("level", "status"),
    [
        ("FAIL", Status.FAIL),
        ("WARN", Status.WARN),
        ("NOTICE", Status.NOTICE),
        ("ignore", Status.NOT_APPLICABLE),
    ],
)
def test_a_policy_weighs_a_rule(level: str, status: Status) -> None:
    """The severity in the policy is the status of the finding."""
    row = f"[[severity]]\nrules = ['CERT_KEY_USAGE']\nlevel = '{level}'\ncites = 'c'\n"
    policy = parse_policy(SITE + row, "site.toml")
    assert policy.level("CERT_KEY_USAGE") is Level(level)
    signer = issue(demo_pki().issuing, slot="case", usage=["key_agreement"])
    trust = judge(signer, policy=policy)
    assert statuses(trust)["CERT_KEY_USAGE"] is status
    assert ("CERT_KEY_USAGE" in failures(trust)) is (status is Status.FAIL)


def test_what_a_policy_tolerates_is_named() -> None:
    """A weak key that is only warned about stays a limitation."""
    row = "[[severity]]\nrules = ['CERT_KEY_SIZE']\nlevel = 'ignore'\ncites = 'c'\n"
    policy = parse_policy(SITE + row, "site.toml")
    trust = judge(issue(demo_pki().issuing, key_kind="rsa1024"), policy=policy)
    assert not failures(trust)
    assert "WEAK_ALGORITHM" in limits(trust)


@pytest.mark.parametrize(
    ("name", "claimed", "proven", "expected"),
    [
        ("SHA256", 2026, None, None),
        ("SHA1", 2026, None, S.CRYPTO_CONSTRAINTS_FAILURE),
        ("SHA1", 2010, None, S.CRYPTO_CONSTRAINTS_FAILURE_NO_POE),
        ("SHA1", 2010, 2012, None),
        ("SHA1", 2010, 2015, S.CRYPTO_CONSTRAINTS_FAILURE_NO_POE),
        ("SHA1", 2014, 2015, S.CRYPTO_CONSTRAINTS_FAILURE),
        ("MD5", 2010, 2010, S.CRYPTO_CONSTRAINTS_FAILURE),
        ("MD2", 1995, 1995, S.CRYPTO_CONSTRAINTS_FAILURE),
        ("", 2026, 2026, S.CRYPTO_CONSTRAINTS_FAILURE),
    ],
)
def test_an_algorithm_has_its_day(
    name: str, claimed: int, proven: int | None, expected: SubIndication | None
) -> None:
    """What is proven to be older than the end of an algorithm stays good."""
    weakness = load_policy("standard").hash_weakness(
        name,
        claimed_at=datetime(claimed, 1, 1, tzinfo=UTC),
        proven_at=proven and datetime(proven, 1, 1, tzinfo=UTC),
        judged_at=NOW,
    )
    assert weakness is expected


def test_a_sunset_moves_the_verdict() -> None:
    """Putting an end to an algorithm in the one table changes what is accepted."""
    ends = date(2026, 11, 1)
    row = f"[[algorithms.hash]]\nname = 'SHA256'\nuntil = {ends}\ncites = 'c'\n"
    policy = parse_policy(SITE + row, "site.toml")
    author = demo_pki().author
    rule = "CERT_SIGNATURE_ALGORITHM"
    assert failures(judge(author, policy=policy)) == {rule: S.CRYPTO_CONSTRAINTS_FAILURE}
    old = NOW - 25 * DAY
    claimed = failures(judge(author, claimed=old, policy=policy))
    assert claimed == {rule: S.CRYPTO_CONSTRAINTS_FAILURE_NO_POE}
    assert not failures(judge(author, claimed=old, proven=old, policy=policy))


def test_a_child_may_forbid_an_algorithm_again() -> None:
    """The last row for an algorithm counts."""
    row = "[[algorithms.hash]]\nname = 'SHA1'\nuntil = 1999-12-31\ncites = 'c'\n"
    policy = parse_policy(SITE + row, "site.toml")
    assert [each.until for each in policy.algorithms.hashes if each.name == "SHA1"] == [
        date(1999, 12, 31)
    ]


def test_needs_and_consequences_are_terms() -> None:
    """Policy fields hold terms, not texts that could be anything."""
    policy = load_policy("strict")
    assert policy.revocation is Need.REQUIRED
    assert policy.evidence_unsecured is Consequence.FAIL


def test_the_samples_of_the_page_are_policies() -> None:
    """What the page on trust shows loads, and is as strict as it says."""
    page = Path(__file__).parents[3] / "docs" / "howto" / "trust.md"
    samples = re.findall(r"```toml\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    _, whole, identity = samples  # the first is of the settings
    policy = parse_policy(whole, "sample.toml")
    assert policy.revocation is Need.REQUIRED
    assert policy.certificate_policies.required
    rule = "CERT_KEY_SIZE"
    expected = {rule: S.CRYPTO_CONSTRAINTS_FAILURE}
    at = datetime(2028, 1, 1, tzinfo=UTC)
    assert failures(judge(demo_pki().author, at=at, claimed=at, policy=policy)).items() >= (
        expected.items()
    )
    assert not failures(judge(demo_pki().author, at=at, claimed=at)).keys() & {rule}
    assert parse_policy(SITE + identity, "sample.toml").identity.is_configured


@pytest.mark.parametrize(("until", "fails"), [("2026-11-20", False), ("2026-11-19", True)])
def test_a_key_length_has_its_last_day(until: str, fails: bool) -> None:
    """Moving the last day of a key length in the table moves the verdict with it."""
    row = f"[[algorithms.rsa]]\nbits = 2048\nuntil = {until}\ncites = 'c'\n"
    policy = parse_policy(SITE + row, "site.toml")
    today = failures(judge(demo_pki().author, claimed=NOW, policy=policy))
    assert ("CERT_KEY_SIZE" in today) is fails
    old = {"claimed": NOW - 9 * DAY, "proven": NOW - 9 * DAY}
    assert not failures(judge(demo_pki().author, policy=policy, **old))  # type: ignore[arg-type]


def test_a_key_is_as_good_as_the_longest_row_it_reaches() -> None:
    """The end of 2048 bits is not the end of 3072, and a row for more does not lift less."""
    row = "[[algorithms.rsa]]\nbits = 2048\nuntil = 2020-12-31\ncites = 'c'\n"
    policy = parse_policy(SITE + row, "site.toml")
    long = issue(demo_pki().root, "Long", key_kind="rsa3072", slot="long")
    weak = {"CERT_KEY_SIZE": S.CRYPTO_CONSTRAINTS_FAILURE}
    given = material(anchors=[long], intermediates=[], crls=[])
    assert not failures(judge(long, policy=policy, given=given))
    assert failures(judge(demo_pki().author, policy=policy)) == weak


def test_shipped_policies_draw_on_one_table() -> None:
    """No shipped policy has a row of its own; all have those of the one file."""
    tables = {load_policy(each).algorithms for each in POLICIES}
    assert len(tables) == 1
    assert len(next(iter(tables)).hashes) > 8
