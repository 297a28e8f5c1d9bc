"""A request with an ``Idempotency-Key`` is done once."""

from __future__ import annotations

import tomllib
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient

from sr.document.template import load_template
from sr.mac import MACAlgorithm
from sr.service.operation.demonstration import chain_of
from sr.store.idempotency import StoredAnswer, claim_key, forget_keys, keep_answer, release_key
from sr.store.signatures import signatures_of
from tests.support.service import Service, open_service

DIGEST, OTHER = "0" * 64, "1" * 64
ANSWER = StoredAnswer(status=201, headers={"Location": "/x"}, body=b"{}")


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Service:
    """Return a service of this module."""
    return open_service(tmp_path_factory.mktemp("once"), slices=1)


@pytest.fixture
def client(service: Service) -> TestClient:
    """Return the author's client."""
    return service.client("anna")


def _new_report(service: Service) -> dict[str, Any]:
    values = tomllib.loads(load_template("ct-chest").example)
    study = service.world.studies[0]
    return {"study_instance_uid": study, "template": "ct-chest", "values": values}


def _count(client: TestClient) -> int:
    return len(client.get("/api/v1/reports", params={"limit": 500}).json()["items"])


def _opened(service: Service, client: TestClient) -> tuple[str, dict[str, Any]]:
    """Return a session of a new draft, and the body with its value."""
    document = client.post("/api/v1/reports", json=_new_report(service)).json()
    chain = chain_of(service.world.pki, "author")
    session = client.post(
        "/api/v1/signing-sessions",
        json={
            "items": [
                {"sop_instance_uid": document["sop_instance_uid"], "if_match": document["sha256"]}
            ],
            "purpose": "author",
            "certificate_chain": chain.decode(),
        },
    ).json()
    with service.signer("author") as signer:
        value = signer.sign_digest(
            bytes.fromhex(session["items"][0]["digest"]), MACAlgorithm.SHA256
        )
    items = [{"n": 1, "signature": b64encode(value).decode()}]
    return document["sop_instance_uid"], {"id": session["id"], "body": {"items": items}}


def test_the_same_request_is_answered_again(service: Service, client: TestClient) -> None:
    """The second answer is the first one, and there is one report."""
    before = _count(client)
    headers = {"Idempotency-Key": "again"}
    first = client.post("/api/v1/reports", json=_new_report(service), headers=headers)
    second = service.client("anna").post(
        "/api/v1/reports", json=_new_report(service), headers=headers
    )
    assert (first.status_code, first.content) == (second.status_code, second.content)
    assert first.headers["location"] == second.headers["location"]
    assert _count(client) == before + 1


def test_another_request_with_the_key_is_refused(service: Service, client: TestClient) -> None:
    """A key stands for one request."""
    headers = {"Idempotency-Key": "other"}
    body = _new_report(service)
    assert client.post("/api/v1/reports", json=body, headers=headers).status_code == 201
    answer = client.post("/api/v1/reports", json={**body, "template": None}, headers=headers)
    assert answer.status_code == 422


def test_a_key_is_its_callers(service: Service, client: TestClient) -> None:
    """The same key of somebody else is another one."""
    headers = {"Idempotency-Key": "mine"}
    body = _new_report(service)
    first = client.post("/api/v1/reports", json=body, headers=headers)
    second = service.client("sam").post("/api/v1/reports", json=body, headers=headers)
    assert first.json()["sop_instance_uid"] != second.json()["sop_instance_uid"]


def test_what_failed_may_be_tried_again(service: Service, client: TestClient) -> None:
    """A refusal is not kept: the same request is looked at anew, another takes the key."""
    headers = {"Idempotency-Key": "failed"}
    bad = {**_new_report(service), "template": "no-such"}
    for _ in range(2):
        assert client.post("/api/v1/reports", json=bad, headers=headers).status_code == 422
    answer = client.post("/api/v1/reports", json=_new_report(service), headers=headers)
    assert answer.status_code == 201


@pytest.mark.parametrize("key", ["", " ", "a b", "ä".encode(), "x" * 256])
def test_a_key_that_is_none_is_refused(
    service: Service, client: TestClient, key: str | bytes
) -> None:
    """Keys are 1 to 255 printable characters."""
    answer = client.post(
        "/api/v1/reports", json=_new_report(service), headers={"Idempotency-Key": key}
    )
    assert answer.status_code == 422


def test_twenty_at_once_sign_once(service: Service, client: TestClient) -> None:
    """Of 20 parallel posts with one key each gets the one answer, or is told to come back."""
    uid, session = _opened(service, client)

    def complete(
        each: TestClient, session_id: str = session["id"]
    ) -> tuple[int, str | None, bytes]:
        answer = each.post(
            f"/api/v1/signing-sessions/{session_id}/complete",
            json=session["body"],
            headers={"Idempotency-Key": "twenty"},
        )
        return answer.status_code, answer.headers.get("retry-after"), answer.content

    clients = [TestClient(client.app, headers=client.headers) for _ in range(20)]
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(complete, clients))
    done = {content for status, _, content in answers if status == 200}
    assert {(status, wait) for status, wait, _ in answers} <= {(200, None), (409, "1")}
    assert len(done) == 1
    assert complete(client) == (200, None, done.pop())
    with service.context.database.read() as connection:
        assert len(signatures_of(connection, uid)) == 1


def test_a_key_at_work_is_not_taken(service: Service) -> None:
    """Whoever comes second is not to do the work, until the lease of the first one is over."""
    now = service.clock()
    later = now + timedelta(minutes=6)
    with service.context.database.write() as connection:
        ask = {"user_id": "anna", "key": "lease", "request_digest": DIGEST}
        assert claim_key(connection, **ask, at=now).is_ours
        second = claim_key(connection, **ask, at=now)
        assert (second.is_ours, second.answer) == (False, None)
        assert claim_key(connection, **ask, at=later).is_ours


def test_an_answer_outlives_the_work(service: Service) -> None:
    """What was answered is found again, and letting go of the key does not lose it."""
    now = service.clock()
    with service.context.database.write() as connection:
        ask = {"user_id": "anna", "key": "kept"}
        claim_key(connection, **ask, request_digest=DIGEST, at=now)
        keep_answer(connection, **ask, answer=ANSWER)
        release_key(connection, **ask)
        found = claim_key(connection, **ask, request_digest=OTHER, at=now)
    assert (found.is_ours, found.request_digest, found.answer) == (False, DIGEST, ANSWER)


def test_old_keys_are_forgotten(service: Service) -> None:
    """A day later a key is free; at a start those without an answer are free at once."""
    now = service.clock()
    with service.context.database.write() as connection:
        forget_keys(connection, at=now, unanswered=True)
        for key in ("old", "open"):
            claim_key(connection, user_id="sam", key=key, request_digest=DIGEST, at=now)
        keep_answer(connection, user_id="sam", key="old", answer=ANSWER)
        assert forget_keys(connection, at=now) == 0
        assert forget_keys(connection, at=now, unanswered=True) == 1
        assert forget_keys(connection, at=now + timedelta(days=2)) >= 1
