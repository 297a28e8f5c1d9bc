"""DICOM audit messages: every action is one that the standard's schema and tables allow."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree
from pydicom.sr.codedict import codes

from sr.app.audit import Actor, AuditAction, AuditedInstance, AuditEvent, Outcome
from sr.app.audit.message import AuditSource, audit_message
from sr.app.audit.message_codes import MESSAGES, Family
from tests.support.audit import MEIER, SERVICE, SIGNED

SCHEMA = Path(__file__).resolve().parents[3] / "support" / "audit_message.rng"
RELAX_NG = etree.RelaxNG(etree.parse(SCHEMA))
SOURCE = AuditSource(source_id="srsign@reading-room", site="General Hospital")
SUBJECT = {AuditAction.EXPORTED: "192.0.2.7", AuditAction.LOGIN: ""}


def message(event: AuditEvent) -> etree._Element:
    root = etree.fromstring(audit_message(event, SOURCE))
    assert RELAX_NG.validate(root), RELAX_NG.error_log
    return root


def about(action: AuditAction) -> AuditEvent:
    return replace(SIGNED, action=action, subject=SUBJECT.get(action, "ab12"), detail="why")


@pytest.mark.parametrize("action", AuditAction)
@pytest.mark.parametrize("actor", [MEIER, SERVICE, Actor()], ids=["person", "service", "nobody"])
def test_every_action_is_a_valid_message(action: AuditAction, actor: Actor) -> None:
    """The schema of A.5.1 accepts the message of each action, whoever caused it."""
    message(replace(about(action), actor=actor))
    message(AuditEvent(action=action, at=SIGNED.at, actor=actor))


@pytest.mark.parametrize("outcome", Outcome)
def test_outcomes_are_told(outcome: Outcome) -> None:
    """A failure says why; a success needs no words."""
    root = message(replace(about(AuditAction.SIGNING_FAILED), outcome=outcome))
    event = root.find("EventIdentification")
    assert event.get("EventOutcomeIndicator") == outcome.value
    assert (event.find("EventOutcomeDescription") is None) is (outcome is Outcome.SUCCESS)


@pytest.mark.parametrize("action", AuditAction)
def test_one_participant_asked(action: AuditAction) -> None:
    """Exactly one participant is the requestor: the person, or the service by itself."""
    for actor in (MEIER, SERVICE):
        root = message(replace(about(action), actor=actor))
        asking = root.xpath("ActiveParticipant[@UserIsRequestor='true']/@UserID")
        by_itself = actor.is_service and MESSAGES[action].family is not Family.USER_AUTHENTICATION
        assert asking == ["srsign" if by_itself else actor.user_id]


ROLES = {
    Family.APPLICATION_ACTIVITY: {"110150", "110151"},
    Family.QUERY: {"110152", "110153"},
    Family.EXPORT: {"110153", "110154"},
}
OBJECTS = {
    Family.APPLICATION_ACTIVITY: [],
    Family.USER_AUTHENTICATION: [],
    Family.AUDIT_LOG_USED: [("12", "2", "13")],
    Family.QUERY: [("10", "2", "24")],
    Family.SECURITY_ALERT: [("12", "2", "13")],
    Family.INSTANCES_ACCESSED: [("110180", "2", "3"), ("2", "1", "1")],
    Family.EXPORT: [("110180", "2", "3"), ("2", "1", "1")],
}


@pytest.mark.parametrize("action", AuditAction)
def test_participants_and_objects_are_those_of_the_tables(action: AuditAction) -> None:
    """Role codes and objects are what A.5.3 demands of the family."""
    root = message(about(action))
    family = MESSAGES[action].family
    dcm = set(root.xpath("//RoleIDCode[@codeSystemName='DCM']/@csd-code"))
    assert dcm == ROLES.get(family, set())
    found = [
        (
            each.find("ParticipantObjectIDTypeCode").get("csd-code"),
            each.get("ParticipantObjectTypeCode"),
            each.get("ParticipantObjectTypeCodeRole"),
        )
        for each in root.iterfind("ParticipantObjectIdentification")
    ]
    assert found == OBJECTS[family]


ACTION_CODES = {
    Family.APPLICATION_ACTIVITY: set("E"),
    Family.AUDIT_LOG_USED: set("R"),
    Family.INSTANCES_ACCESSED: set("CRUD"),
    Family.EXPORT: set("R"),
    Family.QUERY: set("E"),
    Family.SECURITY_ALERT: set("E"),
    Family.USER_AUTHENTICATION: set("E"),
}


@pytest.mark.parametrize("action", AuditAction)
def test_codes_are_those_of_the_context_groups(action: AuditAction) -> None:
    """Events and types are in CID 400 and 401 with the meaning of the dictionary."""
    kind = MESSAGES[action]
    events = {(c.value, c.meaning) for c in map(codes.cid400.__getattr__, codes.cid400.dir())}
    types = {(c.value, c.meaning) for c in map(codes.cid401.__getattr__, codes.cid401.dir())}
    assert (kind.family.value.value, kind.family.value.meaning) in events
    assert kind.action_code in ACTION_CODES[kind.family]
    wants_type = kind.family in (
        Family.APPLICATION_ACTIVITY,
        Family.SECURITY_ALERT,
        Family.USER_AUTHENTICATION,
    )
    assert (kind.event_type is not None) is wants_type
    if kind.event_type is not None:
        assert (kind.event_type.value, kind.event_type.meaning) in types
    told = message(about(action)).xpath("//EventTypeCode[@codeSystemName='99SRSIGN']/@csd-code")
    assert told == [action.value]


def test_no_family_is_unused() -> None:
    """What no action becomes is not in the table."""
    assert {kind.family for kind in MESSAGES.values()} == set(Family)


def test_what_was_signed_is_told_in_full() -> None:
    """Instance, purpose, certificate, signature and digest are in the message, and the patient."""
    root = message(SIGNED)
    study, patient = root.iterfind("ParticipantObjectIdentification")
    details = {
        d.get("type"): b64decode(d.get("value")) for d in study.iter("ParticipantObjectDetail")
    }
    assert details == {
        "Purpose of Signature": b"1",
        "Digital Signature UID": b"2.25.3",
        "SHA-256 of Certificate": b"ab" * 32,
        "SHA-256 of Instance": b"2.25.2 " + b"cd" * 32,
    }
    assert study.xpath("string(.//Instance/@UID)") == "2.25.2"
    assert study.get("ParticipantObjectID") == "2.25.1"
    assert patient.findtext("ParticipantObjectName") == "Doe^Jane"


def test_many_instances_are_counted_by_class() -> None:
    """A message on a whole study stays short enough for every collector."""
    instances = tuple(
        AuditedInstance(sop_class_uid=f"1.2.{number % 2}", sop_instance_uid=f"2.25.{number}")
        for number in range(5000)
    )
    root = message(replace(SIGNED, instances=instances))
    assert root.xpath("//SOPClass/@NumberOfInstances") == ["2500", "2500"]
    assert not root.xpath("//Instance")
    assert len(audit_message(replace(SIGNED, instances=instances), SOURCE)) < 32768


@pytest.mark.parametrize(
    ("address", "kind"),
    [("192.0.2.7", "2"), ("2001:db8::1", "2"), ("pc7.example", "1"), ("https://x/y", "5")],
)
def test_addresses_have_their_kind(address: str, kind: str) -> None:
    """An address is said to be a number, a name or a URI."""
    root = message(replace(SIGNED, actor=replace(MEIER, address=address)))
    assert root.xpath("string(ActiveParticipant[1]/@NetworkAccessPointTypeCode)") == kind


@given(text=st.text(max_size=200))
def test_no_text_becomes_markup(text: str) -> None:
    """Whatever somebody typed is text of the message, and the message stays valid."""
    actor = Actor(user_id=text, name=text, roles=(text,), address=text)
    event = replace(
        SIGNED,
        actor=actor,
        patient_name=text,
        subject=text,
        detail=text,
        outcome=Outcome.SERIOUS_FAILURE,
    )
    root = message(event)
    assert root.xpath("string(ActiveParticipant[1]/@UserID)") == event.actor.user_id


BROKEN: dict[str, Callable[[etree._Element], object]] = {
    "no participant": lambda r: [r.remove(p) for p in r.findall("ActiveParticipant")],
    "no source": lambda r: r.remove(r.find("AuditSourceIdentification")),
    "unknown outcome": lambda r: r.find("EventIdentification").set("EventOutcomeIndicator", "1"),
    "unknown element": lambda r: etree.SubElement(r, "Weather"),
    "no time": lambda r: r.find("EventIdentification").attrib.pop("EventDateTime"),
    "bad boolean": lambda r: r.find("ActiveParticipant").set("UserIsRequestor", "maybe"),
    "source first": lambda r: r.insert(0, r.find("AuditSourceIdentification")),
    "object without name": lambda r: r[-1].remove(r[-1].find("ParticipantObjectName")),
}


@pytest.mark.parametrize("name", BROKEN)
def test_the_schema_can_say_no(name: str) -> None:
    """A message that breaks the schema is found, so that the tests above mean something."""
    root = message(SIGNED)
    BROKEN[name](root)
    assert not RELAX_NG.validate(root)
