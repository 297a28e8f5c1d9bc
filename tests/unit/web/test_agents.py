"""Pairing signing agents with people."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from threading import Barrier, Thread

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import delete, select, update

from sr.errors import ExpiredError, NotFoundError
from sr.net.agent_client import AgentClient, Asked, ask_code, take_token
from sr.service.accounts.agents import ALPHABET
from sr.store.schema import agents, pairing_failures, users
from tests.support.agents import InProcess, paired
from tests.support.service import Service, open_service

_URL = "http://srsign.test"


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Service:
    """Return a service of this module."""
    return open_service(tmp_path_factory.mktemp("service"), slices=1)


@pytest.fixture
def service(kept: Service) -> Service:
    """Return it without agents."""
    with kept.context.database.write() as connection:
        connection.execute(delete(agents))
        connection.execute(delete(pairing_failures))
    return kept


def asked(service: Service) -> Asked:
    """Return what an agent is told that wants to be paired."""
    return ask_code(InProcess(service.client()), "reading room")


def entered(service: Service, code: str, login: str = "anna") -> int:
    """Return how the service answers to a code."""
    answer = service.client(login).post("/api/v1/agents/pair", json={"user_code": code})
    return answer.status_code


def take(service: Service, code: Asked) -> object:
    """Return the token, if it is given out."""
    return take_token(InProcess(service.client()), code, _URL)


def test_pairing(service: Service) -> None:
    """An agent waits until its code was entered, gets a token once, and is its person's."""
    code = asked(service)
    assert re.fullmatch(f"[{ALPHABET}]{{4}}-[{ALPHABET}]{{4}}", code.user_code)
    assert code.verification_uri.startswith(_URL)
    assert take(service, code) is None
    assert entered(service, code.user_code.lower().replace("-", " ")) == 200
    pairing = take(service, code)
    there = AgentClient(service=InProcess(service.client()), token=pairing.token)  # type: ignore[attr-defined]
    assert there.certificates() == frozenset()
    (listed,) = service.client("anna").get("/api/v1/agents").json()["items"]
    assert (listed["id"], listed["label"]) == (pairing.agent_id, "reading room")  # type: ignore[attr-defined]
    assert service.client("sam").get("/api/v1/agents").json()["items"] == []


def test_secrets_are_not_kept(service: Service) -> None:
    """The database holds digests of device code and token, never themselves."""
    client, _ = paired(service, "anna")
    with service.context.database.read() as connection:
        (row,) = connection.execute(select(agents)).all()
    assert client.token not in map(str, row)
    assert row.user_code is None


def test_a_device_code_that_is_used_again(service: Service) -> None:
    """A device code is good for one token."""
    code = asked(service)
    entered(service, code.user_code)
    take(service, code)
    with pytest.raises(ExpiredError):
        take(service, code)


def test_two_who_take_at_once(service: Service) -> None:
    """Of two who have one device code, one gets the token."""
    code = asked(service)
    entered(service, code.user_code)
    start, got = Barrier(2), []

    def work() -> None:
        start.wait()
        try:
            got.append(take(service, code))
        except ExpiredError:
            got.append(None)

    threads = [Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(each is None for each in got) == [False, True]


def test_a_device_code_that_nobody_gave_out(service: Service) -> None:
    """Whoever makes up a device code gets nothing."""
    with pytest.raises(NotFoundError):
        take(service, replace(asked(service), device_code="0" * 32))


def test_a_user_code_is_no_device_code(service: Service) -> None:
    """Who saw the code on a screen cannot take the token with it."""
    code = asked(service)
    entered(service, code.user_code)
    with pytest.raises(NotFoundError):
        take(service, replace(code, device_code=code.user_code))


def test_a_code_is_entered_once(service: Service) -> None:
    """A code that was entered is gone, for everybody."""
    code = asked(service)
    assert entered(service, code.user_code) == 200
    assert entered(service, code.user_code, "sam") == 404


@pytest.mark.parametrize("late", ["to enter it", "to take the token"])
def test_too_late(service: Service, late: str) -> None:
    """After ten minutes a code is entered in vain, and a token is not handed out."""
    code = asked(service)
    if late == "to take the token":
        assert entered(service, code.user_code) == 200
    service.clock.forward(timedelta(minutes=10))
    if late == "to enter it":
        assert entered(service, code.user_code) == 404
    with pytest.raises(ExpiredError):
        take(service, code)


def test_guessing(service: Service) -> None:
    """After five codes that there are not, the right one is not taken either, for ten minutes."""
    code = asked(service)
    assert [entered(service, "BBBB-BBBB") for _ in range(5)] == [404] * 5
    answer = service.client("anna").post("/api/v1/agents/pair", json={"user_code": code.user_code})
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) > 0
    assert entered(service, "BBBB-BBBB", "sam") == 404
    service.clock.forward(timedelta(minutes=10))
    assert entered(service, asked(service).user_code) == 200


def test_more_than_anybody_needs(service: Service) -> None:
    """Agents that nobody pairs are limited in number, and make room when their time is over.

    No address has all of the places.
    """
    app = service.client().app
    clients = [
        TestClient(app, base_url="http://srsign.test", client=(f"192.0.2.{n}", 1))
        for n in range(11)
    ]
    answers = [_ask(client) for client in clients[:10] for _ in range(21)]
    assert answers == ([201] * 20 + [429]) * 10
    assert _ask(clients[10]) == 429
    service.clock.forward(timedelta(minutes=10))
    assert _ask(clients[0]) == 201


def _ask(client: TestClient) -> int:
    return client.post("/api/v1/agents", json={"label": "x"}).status_code


@pytest.mark.parametrize("login", ["archive", "olga", "ida", "root"])
def test_who_pairs_none(service: Service, login: str) -> None:
    """Those who sign nothing at a reader pair no agents, list none and revoke none."""
    code = asked(service)
    assert entered(service, code.user_code, login) == 403
    client = service.client(login)
    assert client.get("/api/v1/agents").status_code == 403
    assert client.delete(f"/api/v1/agents/{'0' * 32}").status_code == 403


def test_revoking(service: Service) -> None:
    """One's own agent is revoked once; somebody else's is not there."""
    _, agent_id = paired(service, "anna")
    path = f"/api/v1/agents/{agent_id}"
    assert service.client("sam").delete(path).status_code == 404
    assert service.client("anna").delete(path).status_code == 204
    assert service.client("anna").get("/api/v1/agents").json()["items"] == []


def test_an_agent_leaves(service: Service) -> None:
    """An agent gives its own token back."""
    client, _ = paired(service, "anna")
    client.leave()
    assert service.client("anna").get("/api/v1/agents").json()["items"] == []


def test_the_agent_of_somebody_who_was_disabled(service: Service) -> None:
    """With its person, an agent is disabled too."""
    client, _ = paired(service, "sam")
    own = users.c.id == "sam"
    with service.context.database.write() as connection:
        connection.execute(update(users).where(own).values(disabled_at=service.clock()))
    status, _ = client.service.exchange("GET", "/agent", token=client.token)
    with service.context.database.write() as connection:
        connection.execute(update(users).where(own).values(disabled_at=None))
    assert status == 401


@pytest.mark.parametrize("token", [None, "", "0" * 64])
def test_without_a_token(service: Service, token: str | None) -> None:
    """Nobody is an agent without a token, or with another one."""
    status, _ = InProcess(service.client()).exchange("GET", "/agent", token=token)
    assert status == 401


def test_a_person_is_no_agent(service: Service) -> None:
    """The key of a machine and the cookie of a browser open nothing of an agent."""
    assert service.client("anna").get("/api/v1/agent").status_code == 401
    assert service.browser("anna").get("/api/v1/agent").status_code == 401


@pytest.mark.parametrize("label", ["", "x" * 129, "a\nb", "a\x1b[31m"])
def test_labels(service: Service, label: str) -> None:
    """A label is a line of text that can be shown."""
    answer = service.client().post("/api/v1/agents", json={"label": label})
    assert answer.status_code == 422
