"""Audit events: one encoding each, nothing that breaks a log, nothing lost on the way back."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sr.app.audit import (
    START,
    Actor,
    AuditAction,
    AuditedInstance,
    AuditEvent,
    Outcome,
    decode_event,
    encode_event,
    link,
)
from sr.app.audit.chain import link_digest
from sr.codes import SignaturePurpose
from sr.errors import DatasetError
from tests.support.audit import MEIER, SIGNED

TEXT = st.text(max_size=300)
EVENTS = st.builds(
    AuditEvent,
    action=st.sampled_from(AuditAction),
    at=st.datetimes(timezones=st.just(UTC)),
    actor=st.builds(
        Actor, user_id=TEXT, name=TEXT, roles=st.tuples(TEXT), is_service=st.booleans()
    ),
    outcome=st.sampled_from(Outcome),
    instances=st.tuples(st.builds(AuditedInstance, sop_class_uid=TEXT, sop_instance_uid=TEXT)),
    purpose=st.none() | st.sampled_from(SignaturePurpose),
    patient_name=TEXT,
    subject=TEXT,
    detail=TEXT,
)


@given(event=EVENTS)
def test_every_event_has_one_encoding_and_comes_back(event: AuditEvent) -> None:
    """Whatever text is in it, an event is encoded, and decoded to itself."""
    encoded = encode_event(event)
    assert decode_event(encoded) == event
    assert b"\n" not in encoded


@given(text=TEXT)
def test_text_of_an_event_is_clean(text: str) -> None:
    """No control character, surrogate or endless text gets into the trail."""
    kept = Actor(user_id=text).user_id
    assert len(kept) <= 256
    assert kept.isprintable() or not any(ord(c) < 32 or 0xD800 <= ord(c) < 0xE000 for c in kept)
    assert Actor(user_id=kept).user_id == kept


def test_names_stay_as_they_are() -> None:
    """Letters beyond ASCII are no reason to change a name."""
    assert Actor(user_id="Müller^Zoë=山田^太郎").user_id == "Müller^Zoë=山田^太郎"


def test_times_are_kept_in_utc() -> None:
    """One moment has one encoding, whatever the offset it was told in."""
    there = SIGNED.at.astimezone(timezone(timedelta(hours=9)))
    assert encode_event(replace(SIGNED, at=there)) == encode_event(SIGNED)


def test_a_time_without_offset_is_refused() -> None:
    """Nobody could say later when it was."""
    with pytest.raises(DatasetError) as error:
        AuditEvent(
            action=AuditAction.LOGIN,
            at=datetime(2026, 11, 20, 12),  # noqa: DTZ001 - the fault
            actor=MEIER,
        )
    assert error.value.rule == "AUDIT_EVENT"


MEMBERS = json.loads(encode_event(SIGNED))


@pytest.mark.parametrize(
    "encoded",
    [
        b"",
        b"[]",
        b"null",
        b"\xff",
        b"[" * 100_000,
        json.dumps(MEMBERS).encode(),
        encode_event(SIGNED) + b"\n",
        encode_event(SIGNED).replace(b'"v":1', b'"v":2'),
        encode_event(SIGNED).replace(b'"v":1', b'"v":true'),
        encode_event(SIGNED).replace(b'"v":1', b'"v":1.0'),
        encode_event(SIGNED).replace(b'"signed"', b'"did-it"'),
        encode_event(SIGNED).replace(b'"signed"', b"7"),
        encode_event(SIGNED).replace(b'"v":1', b'"v":1,"weather":"fine"'),
        encode_event(SIGNED).replace(b"+00:00", b"+01:00"),
        encode_event(SIGNED).replace(b"+00:00", b""),
        encode_event(SIGNED).replace(b'"purpose":"1"', b'"purpose":"99"'),
        encode_event(SIGNED).replace(b'"purpose":"1"', b'"detail":"","purpose":"1"'),
    ],
)
def test_what_is_no_event_is_refused(encoded: bytes) -> None:
    """Only the exact form in which events are written is read."""
    with pytest.raises(DatasetError) as error:
        decode_event(encoded)
    assert error.value.rule == "AUDIT_EVENT"


def test_a_link_depends_on_all_that_it_joins() -> None:
    """Another predecessor, place or event gives another digest."""
    encoded = encode_event(SIGNED)
    links = {
        link(START, 1, encoded),
        link(START, 2, encoded),
        link(b"\x01" * 32, 1, encoded),
        link(START, 1, encoded + b" "),
    }
    assert len(links) == 4
    assert link(START, 1, encoded) == link_digest(START, 1, sha256(encoded).digest())


def test_the_encoding_does_not_change() -> None:
    """Rows written by one version of srsign are whole to the next: bytes and digest are fixed."""
    encoded = encode_event(SIGNED)
    assert encoded == (
        b'{"action":"signed","actor":{"address":"192.0.2.7","name":"Anna Meier",'
        b'"roles":["author"],"user_id":"meier"},"at":"2026-11-20T12:00:00+00:00",'
        b'"certificate_sha256":"' + b"ab" * 32 + b'","digital_signature_uid":"2.25.3",'
        b'"instances":[{"sha256":"' + b"cd" * 32 + b'",'
        b'"sop_class_uid":"1.2.840.10008.5.1.4.1.1.88.33","sop_instance_uid":"2.25.2"}],'
        b'"outcome":"0","patient_id":"P-1","patient_name":"Doe^Jane","purpose":"1",'
        b'"study_instance_uid":"2.25.1","v":1}'
    )
    assert link(START, 1, encoded).hex() == (
        "667fd70d62b4ba66d2d4ac77dcf217b53dd451a333a4bb5e02c9a22f61317ba9"
    )
