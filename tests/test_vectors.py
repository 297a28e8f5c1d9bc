"""Every vector, checked: indication, sub-indication and rules, twice, and never by message."""

from __future__ import annotations

import importlib
import json
import tomllib
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from sr.app.checks.facts import FactsRecord, facts_schema
from sr.findings import Finding, LimitationCode, Status, SubIndication
from sr.trust import load_policy
from sr.trust.policy_file import policy_ids
from sr.verification import Verdict
from sr.verification.facts_json import as_json, from_json
from tests.support.case import Case
from tests.support.signed import check, found, judge_found

HERE = Path(__file__).resolve().parent / "vectors"
DOCS = HERE.parent.parent / "docs"
VERDICT = Draft202012Validator(json.loads((DOCS / "verdict.schema.json").read_text("utf-8")))
FACTS = Draft202012Validator(facts_schema())
NAMES = sorted(path.parent.name for path in HERE.glob("*/vector.toml"))
KEYS = {
    "why", "generator", "expect", "sub_indication", "rules", "also", "limitations",
    "no_limitations", "policy", "layer", "cites", "flags", "source",
}  # fmt: skip
REQUIRED = KEYS - {"sub_indication", "also", "limitations", "no_limitations", "policy"}
LAYERS = {
    "none", "reader", "structure", "mac", "profile", "trust", "document", "evidence",
    "timestamp", "meta",
}  # fmt: skip
NOTABLE = (Status.WARN, Status.NOTICE)


@cache
def vector(name: str) -> dict[str, Any]:
    return tomllib.loads((HERE / name / "vector.toml").read_text(encoding="utf-8"))


@cache
def case(name: str) -> Case:
    module, function = vector(name)["generator"].split(".")
    made = getattr(importlib.import_module(f"tests.vectors.generators.{module}"), function)()
    return made if isinstance(made, Case) else Case(data=made)


def policies(name: str) -> tuple[str, ...]:
    said = vector(name).get("policy", "standard")
    return (said,) if isinstance(said, str) else tuple(said)


def judge_anew(name: str, policy: str) -> Verdict:
    given = case(name)
    return check(
        given.data,
        policy=policy,
        evidence=given.evidence,
        at=given.at,
        given=given.given,
        demands=given.demands,
    )


judged = cache(judge_anew)


def findings(verdict: Verdict) -> tuple[Finding, ...]:
    return (*verdict.findings, *(f for s in verdict.signatures for f in s.findings))


def rules(found: Iterable[Finding], *statuses: Status) -> set[str]:
    return {f.rule for f in found if f.status in statuses}


CASES = [(name, policy) for name in NAMES for policy in policies(name)]


@pytest.mark.parametrize(("name", "policy"), CASES, ids=[f"{n}-{p}" for n, p in CASES])
def test_vector(name: str, policy: str) -> None:
    """The verdict is the one the vector states, for the reasons it states."""
    said = vector(name)
    verdict = judged(name, policy)
    document = (*verdict.findings, *_top_level(verdict))
    assert verdict.indication.value.lower() == said["expect"]
    found = verdict.sub_indication.value if verdict.sub_indication is not None else None
    assert found == said.get("sub_indication")
    failing = rules(document, Status.FAIL)
    if said["expect"] == "passed":
        assert set(said["rules"]) <= rules(findings(verdict), *NOTABLE, Status.FAIL)
        assert not failing
    else:
        assert set(said["rules"]) <= failing
        assert failing <= {*said["rules"], *said.get("also", ())}
    stated = {limitation.code.value for limitation in verdict.limitations}
    assert set(said.get("limitations", ())) <= stated
    assert not set(said.get("no_limitations", ())) & stated


def _top_level(verdict: Verdict) -> tuple[Finding, ...]:
    return tuple(f for s in verdict.signatures if not s.location for f in s.findings)


@pytest.mark.parametrize("name", NAMES)
def test_the_layer_that_must_object_does(name: str) -> None:
    """What an earlier layer refuses is refused there, and does not reach a later one."""
    said = vector(name)
    verdict = judged(name, policies(name)[0])
    computed = any(f.rule == "MAC_VALUE" for s in verdict.signatures for f in s.findings)
    match said["layer"]:
        case "reader":
            assert not verdict.signatures
        case "structure":
            assert verdict.sub_indication in (
                SubIndication.FORMAT_FAILURE,
                SubIndication.SIGNED_DATA_NOT_FOUND,
                SubIndication.VR_UNKNOWN,
                SubIndication.NO_SIGNATURE,
            )
        case "profile" | "trust" | "document" | "evidence" | "timestamp" | "meta":
            assert computed
        case "none":
            assert said["expect"] in ("passed", "not_signed")


@pytest.mark.parametrize("name", NAMES)
def test_checking_twice_gives_the_same_and_changes_nothing(name: str) -> None:
    """A verdict is a function of the input, which stays as it was."""
    given = case(name)
    before = bytes(bytearray(given.data))
    policy = policies(name)[0]
    first, second = judged(name, policy), judge_anew(name, policy)
    assert first == second
    assert json.dumps(first.as_dict()) == json.dumps(second.as_dict())
    assert given.data == before
    _hold_against_saved_facts(name)


def _hold_against_saved_facts(name: str) -> None:
    """The facts, saved and judged again, give the same verdict; both have the published form."""
    given = case(name)
    record = found(given.data, given.evidence)
    saved = json.loads(json.dumps(as_json(record)))
    FACTS.validate({"type": "srsign-facts", "schema_version": 1} | saved)
    again = from_json(FactsRecord, saved, where="record")
    assert again == record
    for policy in policies(name):
        replayed = judge_found(
            again,
            policy=load_policy(policy),
            at=given.at,
            given=given.given,
            demands=given.demands,
        )
        said = replayed.as_dict()
        assert said == judged(name, policy).as_dict()
        VERDICT.validate(json.loads(json.dumps(said)))


@pytest.mark.parametrize("name", NAMES)
def test_vector_file_is_well_formed(name: str) -> None:
    """A vector has all its keys, none misspelt, and its words are known ones."""
    said = vector(name)
    flags = tomllib.loads((HERE / "flags.toml").read_text(encoding="utf-8"))
    assert said.keys() <= KEYS
    assert said.keys() >= REQUIRED
    assert said["layer"] in LAYERS
    assert said["flags"]
    assert set(said["flags"]) <= flags.keys()
    assert said["source"] in ("ours", "forged", "edited")
    assert said["expect"] in ("passed", "indeterminate", "failed", "not_signed")
    assert ("sub_indication" in said) == (said["expect"] != "passed")
    assert set(policies(name)) <= set(policy_ids())
    codes = {*said.get("limitations", ()), *said.get("no_limitations", ())}
    assert codes <= {code.value for code in LimitationCode}
    assert said["why"].endswith(".")


def test_negatives_outnumber_positives() -> None:
    """There are at least twice as many vectors that must not pass as vectors that must."""
    passing = [name for name in NAMES if vector(name)["expect"] == "passed"]
    assert len(NAMES) - len(passing) >= 2 * len(passing)


def test_every_flag_is_used() -> None:
    """A flag that no vector carries is not defined."""
    flags = tomllib.loads((HERE / "flags.toml").read_text(encoding="utf-8"))
    assert {flag for name in NAMES for flag in vector(name)["flags"]} == flags.keys()


def test_every_generator_is_used() -> None:
    """A generator that no vector names is dead."""
    named = {vector(name)["generator"] for name in NAMES}
    there = set()
    for path in (HERE / "generators").glob("*.py"):
        module = importlib.import_module(f"tests.vectors.generators.{path.stem}")
        there |= {f"{path.stem}.{name}" for name in getattr(module, "__all__", ())}
    assert there == named
