"""Facts say all that a judgement needs, or are refused; ``test_vectors`` replays every vector."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from sr.app.checks.facts import FactsRecord, facts_schema, read_facts, record_bytes
from sr.errors import DatasetError, SRError
from sr.findings import Indication, LimitationCode, Status, SubIndication
from sr.trust import TrustMaterial, load_policy
from sr.trust.policy_file import policy_ids
from sr.verification import Verdict
from sr.verification.facts_json import as_json, from_json
from tests.support.pki import NOW
from tests.support.signed import approved_report, found, judge_found
from tests.test_vectors import VERDICT, case, judged
from tools.make_facts_schema import TARGET, text

VERDICT_SCHEMA = VERDICT.schema
LATER = NOW + timedelta(days=3 * 365)


def saved(record: FactsRecord) -> Any:
    """Return what becomes of a record on its way through a file."""
    return json.loads(json.dumps(as_json(record)))


def replayed(record: FactsRecord) -> FactsRecord:
    return from_json(FactsRecord, saved(record), where="record")


def test_the_published_facts_schema_is_current() -> None:
    """``python -m tools.make_facts_schema`` leaves no difference."""
    assert TARGET.read_text(encoding="ascii") == text()


def test_the_schemas_are_schemas() -> None:
    """Both are JSON Schema 2020-12, and know every word that a verdict may use."""
    Draft202012Validator.check_schema(VERDICT_SCHEMA)
    Draft202012Validator.check_schema(facts_schema())
    words = VERDICT_SCHEMA["$defs"]
    assert words["sub_indication"]["enum"] == [s.value for s in SubIndication]
    assert words["status"]["enum"] == [s.value for s in Status]
    assert words["limitation"]["properties"]["code"]["enum"] == [c.value for c in LimitationCode]
    indications = [i.value for i in Indication]
    assert VERDICT_SCHEMA["properties"]["indication"]["enum"] == indications


@pytest.mark.parametrize(
    "wrong",
    [
        {"indication": "VALID"},
        {"indication": "PASSED", "sub_indication": "HASH_FAILURE"},
        {"indication": "FAILED", "sub_indication": "TRY_LATER"},
        {"judged_at": "today"},
        {"schema_version": 2},
        {"extra": 1},
        {"references": {}},
        {"limitations": [{"code": "NONE", "where": None, "message": ""}]},
    ],
)
def test_the_verdict_schema_refuses(wrong: dict[str, Any]) -> None:
    """A word, a key or a combination that the contract does not have is refused."""
    verdict = judged("evidence-everything-matches", "standard").as_dict()
    assert VERDICT.is_valid(verdict)
    assert not VERDICT.is_valid(verdict | wrong)


def test_another_policy_and_time_give_another_verdict() -> None:
    """One record is enough for every policy, every time and every set of trusted people."""
    record = replayed(found(approved_report()))

    def said(policy: str = "standard", **given: Any) -> tuple[Indication, SubIndication | None]:
        verdict: Verdict = judge_found(record, policy=load_policy(policy), **given)
        return verdict.indication, verdict.sub_indication

    assert said() == (Indication.PASSED, None)
    assert said("archive") != said()
    assert said(at=LATER) == (Indication.INDETERMINATE, SubIndication.OUT_OF_BOUNDS_NO_POE)
    nobody = TrustMaterial()
    found_none = (Indication.INDETERMINATE, SubIndication.NO_CERTIFICATE_CHAIN_FOUND)
    assert said(given=nobody) == found_none


def test_a_signer_that_was_taken_out_is_not_overlooked() -> None:
    """A record that claims an intact signature by nobody does not pass."""
    record = saved(found(approved_report()))
    for signature in record["facts"]["signatures"]:
        signature["certificate"] = ""
    policy = load_policy("standard")
    verdict = judge_found(from_json(FactsRecord, record, where="record"), policy=policy)
    assert verdict.sub_indication is SubIndication.FORMAT_FAILURE


def _places(value: object, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    yield path
    inside = value.items() if isinstance(value, dict) else ()
    inside = enumerate(value) if isinstance(value, list) else inside
    for key, inner in inside:
        yield from _places(inner, (*path, key))


WHOLE = saved(
    found(
        case("evidence-matches-by-signature").data, case("evidence-matches-by-signature").evidence
    )
)
PLACES = tuple(_places(WHOLE))
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.text(max_size=8),
    st.sampled_from(
        ["(FFFF,FFFF)", "00", "3000", "intact", "RSA", "EC", "SHA1", "MD5", "SHA3_512", "FAIL"]
    ),
    st.sampled_from(["9999-12-31T23:59:59+00:00", "0001-01-01T00:00:00+14:00", "\ud800", "5"]),
    st.lists(st.none(), max_size=1),
    st.dictionaries(st.text(max_size=3), st.none(), max_size=1),
)


def _with(value: Any, path: tuple[str | int, ...], new: object) -> Any:
    if not path:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = _with(value[path[0]], path[1:], new)
    return copy


@settings(max_examples=120, deadline=None)
@given(place=st.sampled_from(PLACES), value=VALUES, policy=st.sampled_from(policy_ids()))
def test_whatever_was_changed_is_judged_or_refused(
    place: tuple[str | int, ...], value: object, policy: str
) -> None:
    """A record with one value exchanged gives a verdict of the contract's form, or an error."""
    changed = _with(WHOLE, place, value)
    try:
        record = from_json(FactsRecord, changed, where="record")
        if record.facts is None and record.refusal is None:
            return
        verdict = judge_found(record, policy=load_policy(policy))
    except SRError:
        return
    VERDICT.validate(verdict.as_dict())


@pytest.mark.parametrize(
    ("path", "new"),
    [
        (("facts", "present", 0), 524293),
        (("facts", "present", 0), "(0008,000g)"),
        (("facts", "signatures", 0, "integrity"), "very intact"),
        (("facts", "signatures", 0, "certificate"), "3082 "),
        (("facts", "signatures", 0, "certificate"), "308"),
        (("facts", "signatures", 0, "number"), True),
        (("facts", "signatures", 0, "claimed", "at"), "2026-11-21T10:00:00"),
        (("facts", "signatures", 0, "claimed", "at"), "yesterday"),
        (("facts", "values"), []),
        (("facts", "signatures"), {}),
        (("facts", "references", 0, "result"), None),
        (("facts", "unknown"), 1),
        (("facts",), "x"),
        (("subject",), None),
    ],
)
def test_a_record_that_is_not_one_is_refused(path: tuple[str | int, ...], new: object) -> None:
    """A wrong type, word or key is refused with its place, and nothing is judged."""
    changed = json.loads(json.dumps(WHOLE))
    target = changed
    for key in path[:-1]:
        target = target[key]
    target[path[-1]] = new
    with pytest.raises(DatasetError) as refused:
        from_json(FactsRecord, changed, where="record")
    assert refused.value.rule == "FACTS_FORMAT"


HEAD = b'{\n  "type": "srsign-facts",\n  "schema_version": 1,\n  '


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0" * 200,
        b"[]",
        b"null",
        b"{}",
        b'{"type": "srsign-facts"}',
        b"[" * 100_000,
        b"1" * 10_000,
        HEAD + b'"subject": "x", "facts": null, "refusal": null}',
        HEAD + b'"subject": "x", "subject": "y", "facts": null}',
        HEAD + b'"subject": NaN, "facts": null}',
        HEAD + b'"subject": "\xff", "facts": null}',
        HEAD.replace(b"1", b"2") + b'"subject": "x", "facts": null}',
    ],
)
def test_a_file_that_is_no_record_is_refused(content: bytes, tmp_path: Path) -> None:
    """Whatever else a file holds, it is refused as facts."""
    path = tmp_path / "facts.json"
    path.write_bytes(content)
    with pytest.raises(DatasetError) as refused:
        read_facts(path)
    assert refused.value.rule == "FACTS_FORMAT"


def test_a_record_survives_its_file(tmp_path: Path) -> None:
    """What is written is what is read, with the digest of the file it is about."""
    source, target = tmp_path / "x.dcm", tmp_path / "facts.json"
    source.write_bytes(approved_report())
    record = found(approved_report())
    target.write_bytes(record_bytes(record, source))
    again = read_facts(target)
    assert len(again.sha256) == 64
    assert again.facts == record.facts
