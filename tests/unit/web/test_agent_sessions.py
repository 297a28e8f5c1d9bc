"""Signing agents over HTTP: what they see, sign and refuse, and who they are kept from."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from sr.app.ports import Timestamping
from sr.app.signatures.possession import possession_digest
from sr.app.signatures.remote_signing import Refusal
from sr.errors import (
    AccessError,
    AuthenticationError,
    ConflictError,
    ExpiredError,
    MismatchError,
    NotFoundError,
    SignerRefusedError,
    TimestampError,
)
from sr.mac import MACAlgorithm
from sr.net.agent_client import AgentClient
from sr.service.operation.demonstration import chain_of
from sr.store.people import add_user, get_user
from sr.store.schema import audit_events, credentials, signing_sessions
from tests.support.agents import Desk, InProcess, desk, draft, opened, paired
from tests.support.service import Service, open_service


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Service:
    """Return a service of this module."""
    return open_service(tmp_path_factory.mktemp("service"), slices=1)


@pytest.fixture
def anna(service: Service) -> Desk:
    """Return the author at her machine."""
    return desk(service)


def state_of(service: Service, session: dict[str, object]) -> str:
    """Return the state of a session."""
    query = select(signing_sessions.c.state).where(signing_sessions.c.id == session["id"])
    with service.context.database.read() as connection:
        return str(connection.execute(query).scalar_one())


def test_the_agent_signs_what_its_person_opened(service: Service, anna: Desk) -> None:
    """A session opened elsewhere is shown, signed with the key here, and stored as passed."""
    document = draft(service)
    session = opened(service, document)
    (ended,) = anna.run()
    assert [each["indication"] for each in ended.verdicts] == ["PASSED"]
    (offer, shown) = anna.shown[0]
    assert offer.match_code == session["match_code"]
    assert shown.patient_id == document["patient_id"]
    uid = document["sop_instance_uid"]
    assert service.client("anna").get(f"/api/v1/reports/{uid}").json()["state"] == "signed"
    assert anna.run() == []


def test_a_supervisor_approves_with_a_card(service: Service, anna: Desk) -> None:
    """An approval is signed by the supervisor's agent, over the approved copy."""
    document = draft(service)
    opened(service, document)
    anna.run()
    uid = document["sop_instance_uid"]
    signed = service.client("sam").get(f"/api/v1/reports/{uid}").json()
    sam = desk(service, "sam", "supervisor")
    opened(service, signed, login="sam", key="supervisor", purpose="verification")
    (ended,) = sam.run()
    assert [each["indication"] for each in ended.verdicts] == ["PASSED"]


def test_who_waits_is_told_at_once(service: Service, anna: Desk) -> None:
    """An agent that would wait for 25 seconds gets a session that is there without waiting."""
    opened(service, draft(service))
    assert len(anna.client.offers(anna.fingerprint, wait=25)) == 1
    anna.run()


@pytest.mark.parametrize("wait", ["-1", "26", "x"])
def test_nobody_waits_for_ever(service: Service, anna: Desk, wait: str) -> None:
    """An agent may wait for 25 seconds, and not longer."""
    path = f"/agent/sessions?certificate={anna.fingerprint}&wait={wait}"
    status, _ = anna.client.service.exchange("GET", path, token=anna.client.token)
    assert status == 422


def test_a_stack(service: Service, anna: Desk) -> None:
    """Several documents of one session are each shown, and signed after one PIN."""
    anna.opened = 0
    opened(service, draft(service), draft(service))
    (ended,) = anna.run()
    assert [each["indication"] for each in ended.verdicts] == ["PASSED", "PASSED"]
    assert (len(anna.shown), anna.opened) == (2, 0)


def test_declined(service: Service, anna: Desk) -> None:
    """What the person declines is void at the service, the audit says so, and it stays a draft."""
    document = draft(service)
    session = opened(service, document)
    anna.answers = False
    (ended,) = anna.run()
    assert ended.declined
    assert state_of(service, session) == "voided"
    with pytest.raises(ExpiredError):
        anna.client.complete(str(session["id"]), {1: bytes(256)})
    uid = document["sop_instance_uid"]
    assert service.client("anna").get(f"/api/v1/reports/{uid}").json()["state"] == "draft"


def test_too_late(service: Service, anna: Desk) -> None:
    """A session whose time is over is not offered, and its values are not taken."""
    session = opened(service, draft(service))
    service.clock.forward(timedelta(minutes=11))
    assert anna.run() == []
    with pytest.raises(ExpiredError):
        anna.client.complete(str(session["id"]), {1: bytes(256)})
    with pytest.raises(ExpiredError):
        anna.client.stream(str(session["id"]), 1)


def test_a_draft_that_changed(service: Service, anna: Desk) -> None:
    """Of two sessions over one draft, the second to come back is refused and void."""
    document = draft(service)
    opened(service, document)
    second = opened(service, document)
    first, other = anna.run()
    assert first.error is None
    assert isinstance(other.error, ConflictError | ExpiredError)
    assert state_of(service, second) == "voided"


def test_a_wrong_value(service: Service, anna: Desk) -> None:
    """A value that does not fit is refused, and nothing of it is kept."""
    session = opened(service, draft(service))
    with pytest.raises(SignerRefusedError):
        anna.client.complete(str(session["id"]), {1: bytes(256)})
    assert state_of(service, session) == "open"
    anna.client.refuse(str(session["id"]), Refusal.DECLINED)


def _lying(change: Callable[[dict[str, object]], object]) -> Callable[[str, bytes], bytes]:
    def falsify(path: str, body: bytes) -> bytes:
        if not path.startswith("/agent/sessions?"):
            return body
        said = json.loads(body)
        for session in said["items"]:
            change(session)
        return json.dumps(said).encode()

    return falsify


def _longer(path: str, body: bytes) -> bytes:
    return body + b"x" if path.endswith("/stream") else body


LIES: dict[str, tuple[str, Callable[[str, bytes], bytes]]] = {
    "display": (
        "OFFER_DISPLAY",
        _lying(lambda s: s["items"][0]["display"].update(patient_name="Other^Patient")),  # type: ignore[index]
    ),
    "digest": ("OFFER_DIGEST", _lying(lambda s: s["items"][0].update(digest="00" * 32))),  # type: ignore[index]
    "match code": ("OFFER_MATCH_CODE", _lying(lambda s: s.update(match_code="AAAA-AAAA"))),
    "fewer": ("OFFER_COVERS", _lying(lambda s: s["items"][0]["covers"].pop())),  # type: ignore[index]
    "purpose": ("OFFER_PURPOSE", _lying(lambda s: s.update(purpose="4"))),
    "certificate": (
        "OFFER_CERTIFICATE", _lying(lambda s: s.update(certificate_sha256="0" * 64))
    ),
    "stream": ("OFFER_DIGEST", _longer),
}  # fmt: skip


@pytest.mark.parametrize("name", LIES)
def test_a_service_that_lies(service: Service, anna: Desk, name: str) -> None:
    """What comes falsified over the line is refused before anybody is asked, and is not signed."""
    rule, lie = LIES[name]
    session = opened(service, draft(service))
    liar = AgentClient(service=InProcess(service.client(), lie), token=anna.client.token)
    (ended,) = anna.run(liar)
    assert isinstance(ended.error, MismatchError)
    assert ended.error.rule == rule
    assert anna.shown == []
    assert state_of(service, session) == "voided"


class _Away:
    name = "away"

    def respond(self, request: bytes) -> bytes:
        raise TimestampError(f"no answer to {len(request)} bytes")


def test_a_time_stamp_authority_that_is_away(service: Service, anna: Desk) -> None:
    """Without a time-stamp the values are kept, and the next round needs neither person nor key."""
    stamping = Timestamping(authority=_Away(), new_nonce=lambda: 1)
    ports = replace(service.context.ports, timestamping=stamping)
    without = replace(service, context=replace(service.context, ports=ports))
    session = opened(without, draft(service))
    there = AgentClient(service=InProcess(without.client()), token=anna.client.token)
    (ended,) = anna.run(there)
    assert ended.is_kept
    assert state_of(service, session) == "valued"
    asked, anna.opened = len(anna.shown), 0
    (again,) = anna.run(there)
    assert again.is_kept
    assert (len(anna.shown), anna.opened) == (asked, 0)


# Who an agent is kept from.


def test_the_agent_of_somebody_else(service: Service, anna: Desk) -> None:
    """An agent of another user sees nothing of a session, and can do nothing about it."""
    session = str(opened(service, draft(service))["id"])
    sam = desk(service, "sam", "supervisor")
    assert sam.client.offers(anna.fingerprint, wait=0) == ()
    for act in _acts(sam.client, session):
        with pytest.raises(NotFoundError):
            act()
    anna.run()


def test_another_agent_of_the_same_person(service: Service, anna: Desk) -> None:
    """A session is for the agent that holds the key, not for another one of its person."""
    session = str(opened(service, draft(service))["id"])
    other, _ = paired(service, "anna")
    assert other.offers(anna.fingerprint, wait=0) == ()
    for act in _acts(other, session):
        with pytest.raises(NotFoundError):
            act()
    anna.run()


def _acts(client: AgentClient, session: str) -> list[Callable[[], object]]:
    def refuse() -> None:
        status, _ = client.service.exchange(
            "POST",
            f"/agent/sessions/{session}/refuse",
            body=b'{"why": "declined"}',
            token=client.token,
        )
        assert status == 404
        raise NotFoundError("refused")

    return [
        lambda: client.stream(session, 1),
        lambda: client.complete(session, {1: bytes(256)}),
        lambda: client.complete(session, {}),
        refuse,
    ]


def test_a_session_opened_before_the_card_was_there(service: Service) -> None:
    """A session with a certificate that no agent holds waits for none."""
    opened(service, draft(service, "sam"), login="sam", key="supervisor")
    client, _ = paired(service, "sam")
    fingerprint = Desk(
        client=client, agent_id="", chain=chain_of(service.world.pki, "supervisor"),
        uri="", service=service,
    ).fingerprint  # fmt: skip
    assert client.offers(fingerprint, wait=0) == ()


@pytest.mark.parametrize(
    "path",
    ["/reports", "/reports/1.2.3", "/signing-sessions", "/agents", "/audit-events", "/credentials"],
)
def test_an_agent_token_opens_nothing_else(service: Service, anna: Desk, path: str) -> None:
    """With an agent's token neither the worklist nor anything but its own resources is read."""
    client = service.client()
    client.headers["Authorization"] = f"Bearer {anna.client.token}"
    assert client.get(f"/api/v1{path}").status_code in (401, 404, 405)
    assert client.get("/metrics").status_code == 401


def test_a_revoked_agent(service: Service, anna: Desk) -> None:
    """A revoked agent is a stranger, and its session waits for nobody."""
    session = str(opened(service, draft(service))["id"])
    answer = service.client("anna").delete(f"/api/v1/agents/{anna.agent_id}")
    assert answer.status_code == 204
    for act in (
        lambda: anna.client.offers(anna.fingerprint, wait=0),
        lambda: anna.client.stream(session, 1),
        lambda: anna.client.complete(session, {1: bytes(256)}),
        anna.client.challenge,
        anna.client.leave,
    ):
        with pytest.raises(AuthenticationError):
            act()


def test_an_agent_whose_time_is_over(service: Service, anna: Desk) -> None:
    """After ninety days an agent has to be paired again."""
    later = replace(service.context.ports, now=lambda: service.clock() + timedelta(days=90))
    aged = replace(service, context=replace(service.context, ports=later))
    old = AgentClient(service=InProcess(aged.client()), token=anna.client.token)
    with pytest.raises(AuthenticationError):
        old.certificates()


# Whose key it is.


@pytest.mark.parametrize(("login", "key"), [("anna", "supervisor"), ("sam", "author")])
def test_the_certificate_of_somebody_else(service: Service, login: str, key: str) -> None:
    """A certificate that does not name the agent's person is not taken, even with its key."""
    with pytest.raises(AccessError):
        desk(service, login, key)


@pytest.mark.parametrize("withdrawn", [False, True])
def test_a_namesake(service: Service, anna: Desk, withdrawn: bool) -> None:
    """A certificate that is or was somebody else's is not a namesake's, even with its key."""
    login = f"namesake-{withdrawn}"
    own = credentials.c.sha256 == anna.fingerprint
    with service.context.database.write() as connection:
        user = get_user(connection, "anna")
        add_user(connection, replace(user, id=login, login=login, person=login))
        if withdrawn:
            connection.execute(update(credentials).where(own).values(revoked_at=service.clock()))
    try:
        with pytest.raises(AccessError):
            desk(service, login, "author")
    finally:
        with service.context.database.write() as connection:
            connection.execute(update(credentials).where(own).values(revoked_at=None))


def test_a_key_that_does_not_belong_to_the_certificate(service: Service, anna: Desk) -> None:
    """Without a signature by the certificate's key nothing is announced."""
    with pytest.raises(SignerRefusedError):
        anna.client.announce(anna.chain, anna.client.challenge(), bytes(256), "card")


def test_a_proof_that_is_used_again(service: Service, anna: Desk) -> None:
    """A proof is good once, for the challenge that was drawn last."""
    first = anna.client.challenge()
    second = anna.client.challenge()
    values = {
        each: anna.span.signer().sign_digest(
            possession_digest(anna.agent_id, each), MACAlgorithm.SHA256
        )
        for each in (first, second)
    }
    with pytest.raises(ConflictError):
        anna.client.announce(anna.chain, first, values[first], "card")
    anna.client.announce(anna.chain, second, values[second], "card")
    with pytest.raises(ConflictError):
        anna.client.announce(anna.chain, second, values[second], "card")


def test_what_the_audit_says(service: Service, anna: Desk) -> None:
    """Announcing, reading, signing and refusing are in the audit, with the person who did it."""
    opened(service, draft(service))
    anna.run()
    opened(service, draft(service))
    anna.answers = False
    anna.run()
    with service.context.database.read() as connection:
        rows = connection.execute(select(audit_events.c.action, audit_events.c.user_id)).all()
    said = {action for action, user in rows if user == "anna"}
    assert {"credential-added", "report-read", "signed", "signing-voided", "login"} <= said
