"""Extracts of the trail: about one document, and nothing in them can be exchanged."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from sr.app.audit.extract import NO_EXTRACT, extract_for, judge_extract
from sr.findings import Status
from tests.support.audit import SIGNED, Keeper, Trail, chained, events, open_keeper
from tests.support.pki import NOW

UID = SIGNED.instances[0].sop_instance_uid


@pytest.fixture(scope="module")
def keeper(tmp_path_factory: pytest.TempPathFactory) -> Keeper:
    """Return who signs heads."""
    return open_keeper(tmp_path_factory.mktemp("keeper"))


@pytest.fixture(scope="module")
def trail(keeper: Keeper) -> Trail:
    """Return a trail: the document in rows 3, 5 and 12, heads at rows 8 and 16."""
    about = chained([*events(2), SIGNED, *events(1), SIGNED])
    made = keeper.grown(Trail(rows=about), 3)
    rows = (*made.rows, *chained([*events(2), SIGNED], after=made.rows[-1]))
    return keeper.grown(replace(made, rows=rows), 4)


def said(data: bytes, keeper: Keeper, uid: str = UID) -> list[Status]:
    found = list(judge_extract(data, uid, keeper.options(signer="*CN=Somebody*")))
    assert {finding.rule for finding in found} <= {"AUDIT_EXTRACT"}
    return [finding.status for finding in found]


def test_an_extract_is_vouched_for(keeper: Keeper, trail: Trail) -> None:
    """Each stretch leads from the document's rows to a head; other events are digests only."""
    data = extract_for(UID, trail.rows, trail.heads)
    assert said(data, keeper) == [Status.NOTICE, Status.NOTICE]
    stretches = json.loads(data)["stretches"]
    assert [(s["first"], len(s["rows"])) for s in stretches] == [(3, 6), (12, 5)]
    assert data.count(b'"report-read"') == 0
    assert data.count(b'"signed"') == 3


def test_what_no_head_covers_yet_is_a_warning(keeper: Keeper, trail: Trail) -> None:
    """Events behind the last head are told, and nobody vouches for them."""
    data = extract_for(UID, trail.rows[:15], trail.heads[:1])
    assert said(data, keeper) == [Status.NOTICE, Status.WARN]


def test_a_document_that_the_trail_does_not_know_has_no_events(
    keeper: Keeper, trail: Trail
) -> None:
    """An extract may be empty; that is no fault."""
    data = extract_for("2.25.99", trail.rows, trail.heads)
    assert said(data, keeper, "2.25.99") == []


def test_no_extract_is_nothing(keeper: Keeper) -> None:
    """A bundle made without a trail is not warned of."""
    assert said(NO_EXTRACT, keeper) == []


def _first(members: dict[str, Any]) -> dict[str, Any]:
    return members["stretches"][0]  # type: ignore[no-any-return]


FORGERIES: dict[str, Callable[[dict[str, Any]], object]] = {
    "event altered": lambda m: _first(m)["rows"][0]["event"].update(outcome="8"),
    "event left out": lambda m: _first(m)["rows"].pop(2),
    "digest altered": lambda m: _first(m)["rows"][1].update(event_sha256="00" * 32),
    "digest of another length": lambda m: _first(m)["rows"][1].update(event_sha256="00"),
    "rows swapped": lambda m: _first(m)["rows"].insert(0, _first(m)["rows"].pop(1)),
    "moved in the chain": lambda m: _first(m).update(first=4),
    "another row before": lambda m: _first(m).update(previous="00" * 32),
    "head altered": lambda m: _first(m)["head"].update(at="2026-11-21T12:00:01+00:00"),
    "head of another stretch": lambda m: _first(m).update(head=m["stretches"][1]["head"]),
    "head with another signature": lambda m: _first(m)["head"].update(signature="00"),
    "head left out": lambda m: _first(m).update(head=None),
    "number too large": lambda m: (
        _first(m).update(first=2**70 - 5),
        _first(m)["head"].update(sequence=2**70),
    ),
    "no rows": lambda m: _first(m).update(rows=[]),
    "unknown key": lambda m: m.update(weather="fine"),
    "another version": lambda m: m.update(v=2),
    "stretches are text": lambda m: m.update(stretches="none"),
}


@pytest.mark.parametrize("name", FORGERIES)
def test_forgeries_are_warned_of(name: str, keeper: Keeper, trail: Trail) -> None:
    """What was changed in an extract no longer leads to its head."""
    members = json.loads(extract_for(UID, trail.rows, trail.heads))
    FORGERIES[name](members)
    assert Status.WARN in said(json.dumps(members).encode(), keeper)


def test_an_extract_about_another_document_is_warned_of(keeper: Keeper, trail: Trail) -> None:
    """A sound extract proves nothing about a document that it does not name."""
    data = extract_for(UID, trail.rows, trail.heads)
    assert Status.WARN in said(data, keeper, "2.25.77")
    assert Status.WARN in said(data.replace(f'"{UID}"'.encode(), b'"2.25.7"', 1), keeper, "2.25.7")


@pytest.mark.parametrize("data", [b"", b"[]", b"7", b"\xff", b"{}", b"[" * 100_000])
def test_junk_is_warned_of(data: bytes, keeper: Keeper) -> None:
    """Bytes that are no extract are no fault of the document."""
    assert said(data, keeper) == [Status.WARN]


def test_a_stranger_vouches_for_nothing(keeper: Keeper) -> None:
    """A head by somebody whom nobody trusts is a warning."""
    rows = chained([SIGNED])
    head = keeper.head(rows[-1], NOW, by="stranger")
    assert said(extract_for(UID, rows, [head]), keeper) == [Status.WARN]
