"""Two-phase signing over HTTP."""

from __future__ import annotations

import tomllib
from base64 import b64encode
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from cryptography import x509
from fastapi.testclient import TestClient

from sr.app.ports import Timestamping
from sr.document.template import load_template
from sr.keys import open_signer
from sr.keys.secrets import no_secrets
from sr.mac import MACAlgorithm
from sr.service.operation.demonstration import chain_of
from tests.support.api import VALUES, code_of, path_of, tag_of
from tests.support.service import Service, open_service
from tests.support.tokens import MemoryAuthority, refusal


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Service:
    """Return a service of this module."""
    return open_service(tmp_path_factory.mktemp("service"))


def _draft(service: Service, login: str = "anna") -> dict[str, Any]:
    answer = service.client(login).post(
        "/api/v1/reports",
        json={
            "study_instance_uid": service.world.studies[0],
            "template": "ct-chest",
            "values": tomllib.loads(load_template("ct-chest").example),
        },
    )
    assert answer.status_code == 201, answer.text
    return answer.json()


def _sign(
    service: Service, login: str, certificate: str, document: dict[str, object], purpose: str
):
    client = service.client(login)
    pki = service.world.pki
    opened = client.post(
        "/api/v1/signing-sessions",
        json={
            "items": [
                {"sop_instance_uid": document["sop_instance_uid"], "if_match": document["sha256"]}
            ],
            "purpose": purpose,
            "certificate_chain": chain_of(pki, certificate).decode(),
        },
    )
    assert opened.status_code == 201, opened.text
    session = opened.json()
    chain = tuple(x509.load_pem_x509_certificates(chain_of(pki, certificate)))
    with open_signer(pki.key_uri(certificate), certificates=chain, secrets=no_secrets) as signer:
        items = [
            {
                "n": item["n"],
                "signature": b64encode(
                    signer.sign_digest(bytes.fromhex(item["digest"]), MACAlgorithm.SHA256)
                ).decode(),
            }
            for item in session["items"]
        ]
    return client.post(f"/api/v1/signing-sessions/{session['id']}/complete", json={"items": items})


def test_author_signs_and_supervisor_approves(service: Service) -> None:
    """A draft is signed by its author and approved by a supervisor, both verdicts PASSED."""
    document = _draft(service)
    answer = _sign(service, "anna", "author", document, "author")
    assert answer.status_code == 200, answer.text
    assert [v["indication"] for v in answer.json()["results"]] == ["PASSED"]
    uid = document["sop_instance_uid"]
    signed = service.client("sam").get(f"/api/v1/reports/{uid}").json()
    assert signed["state"] == "signed"
    answer = _sign(service, "sam", "supervisor", signed, "verification")
    assert answer.status_code == 200, answer.text
    assert [v["indication"] for v in answer.json()["results"]] == ["PASSED"]


def _prepared(service: Service, login: str, **said: str | None) -> tuple[int, str]:
    document = _draft(service)
    seen = {"sop_instance_uid": document["sop_instance_uid"], "if_match": document["sha256"]}
    body = {"items": [seen], "purpose": "author", **said}
    answer = service.client(login).post("/api/v1/signing-sessions", json=body)
    return answer.status_code, answer.json().get("certificate_sha256", "")


def _credential(service: Service, login: str) -> dict[str, str]:
    return service.client(login).get("/api/v1/credentials").json()["items"][0]


def test_a_registered_certificate_is_named_by_its_id(service: Service) -> None:
    """Instead of sending the chain, the caller names one of the certificates that are known."""
    own = _credential(service, "anna")
    assert _prepared(service, "anna", credential=own["id"]) == (201, own["sha256"])


@pytest.mark.parametrize("sends", ["nothing", "nulls", "both"])
def test_certificates_come_from_one_place(service: Service, sends: str) -> None:
    """Neither chain nor credential is refused, and so are both."""
    chain = chain_of(service.world.pki, "author").decode()
    said: dict[str, dict[str, str | None]] = {
        "nothing": {},
        "nulls": {"credential": None, "certificate_chain": None},
        "both": {"credential": _credential(service, "anna")["id"], "certificate_chain": chain},
    }
    assert _prepared(service, "anna", **said[sends])[0] == 422


def test_a_certificate_of_somebody_else_is_none(service: Service) -> None:
    """Whoever names another person's certificate, or none there is, is told that there is none."""
    other = _credential(service, "sam")["id"]
    assert _prepared(service, "anna", credential=other)[0] == 404
    assert _prepared(service, "anna", credential="0" * 32)[0] == 404
    assert _prepared(service, "anna", credential="x")[0] == 422


def _completed(service: Service, client: TestClient, session: dict[str, Any], **more: Any) -> Any:
    digest = bytes.fromhex(session["items"][0]["digest"])
    with service.signer("author") as signer:
        value = b64encode(signer.sign_digest(digest, MACAlgorithm.SHA256)).decode()
    said = {"items": [{"n": 1, "signature": value, **more}]}
    return client.post(f"/api/v1/signing-sessions/{session['id']}/complete", json=said)


def _opened(service: Service, client: TestClient, document: dict[str, Any]) -> dict[str, Any]:
    seen = {"sop_instance_uid": document["sop_instance_uid"], "if_match": document["sha256"]}
    chain = chain_of(service.world.pki, "author").decode()
    body = {"items": [seen], "purpose": "author", "certificate_chain": chain}
    return client.post("/api/v1/signing-sessions", json=body).json()


@pytest.mark.parametrize(
    ("what", "status", "code", "state"),
    [
        ("changed", 409, "conflict", "voided"),
        ("late", 410, "expired", "expired"),
        ("wrong", 422, "signer-refused", "open"),
    ],
)
def test_what_ends_a_session_has_a_status(
    service: Service, what: str, status: int, code: str, state: str
) -> None:
    """A changed draft is 409, a session that is over 410, another value 422; nothing is signed."""
    client, document = service.client("anna"), _draft(service)
    session = _opened(service, client, document)
    if what == "changed":
        assert client.put(path_of(document), json=VALUES, headers=tag_of(document)).is_success
    if what == "late":
        service.clock.forward(timedelta(minutes=11))
    more = {"signature": "AAAA"} if what == "wrong" else {}
    answer = _completed(service, client, session, **more)
    assert (answer.status_code, code_of(answer)) == (status, code)
    assert client.get(f"/api/v1/signing-sessions/{session['id']}").json()["state"] == state
    assert client.get(path_of(document)).json()["state"] == "draft"


def _stamped(service: Service, authority: MemoryAuthority) -> TestClient:
    stamping = Timestamping(authority=authority, new_nonce=lambda: 1 << 63)
    ports = replace(service.context.ports, timestamping=stamping)
    return replace(service, context=replace(service.context, ports=ports)).client("anna")


def test_without_a_timestamp_the_value_is_kept(service: Service) -> None:
    """A time-stamp authority that fails is 503; the next try signs, without any value."""
    down = _stamped(service, MemoryAuthority(clock=service.clock, answer=lambda _: refusal()))
    session = _opened(service, down, _draft(service))
    place = f"/api/v1/signing-sessions/{session['id']}/complete"
    for answer in (_completed(service, down, session), down.post(place, json={})):
        assert (answer.status_code, code_of(answer)) == (503, "timestamp")
    up = _stamped(service, MemoryAuthority(clock=service.clock))
    assert up.post(place, json={}).status_code == 200
