"""The agent's client: which addresses it speaks to, and services that answer nonsense."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest

from sr.app.signatures.remote_signing import Refusal
from sr.errors import (
    AccessError,
    AuthenticationError,
    ConfigurationError,
    ConflictError,
    ExpiredError,
    ExternalServiceError,
    NotFoundError,
    SignerRefusedError,
    SRError,
    TimestampError,
)
from sr.net.agent_client import AgentClient, ask_code
from sr.net.service import HTTPService, service_url
from tests.support.tsa_server import Answer, http_server

SESSION: dict[str, Any] = {
    "id": "5" * 32,
    "state": "open",
    "purpose": "1",
    "certificate_sha256": "0" * 64,
    "mac_algorithm": "SHA256",
    "match_code": "AAAA-AAAA",
    "expires_at": "2026-11-21T12:00:00Z",
    "items": [
        {
            "n": 1,
            "digital_signature_uid": "2.25.1",
            "digest": "00" * 32,
            "covers": ["(0010,0010)"],
            "display": {"title": "", "patient_name": "", "patient_id": "", "purpose": ""},
        }
    ],
}


@dataclass
class Says:
    """A service that gives one answer."""

    status: int
    body: bytes

    def exchange(self, _method: str, _path: str, **_about: object) -> tuple[int, bytes]:
        """Answer."""
        return self.status, self.body


def client(status: int, body: object) -> AgentClient:
    """Return a client of a service that gives one answer."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return AgentClient(service=Says(status, data), token="token")


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("https://srsign.example.org/", "https://srsign.example.org"),
        ("https://example.org:8443/srsign", "https://example.org:8443/srsign"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://[::1]:8080", "http://[::1]:8080"),
        ("http://localhost:8080", "http://localhost:8080"),
    ],
)
def test_addresses(text: str, url: str) -> None:
    """HTTPS anywhere, plain HTTP on this machine."""
    assert service_url(text) == url


@pytest.mark.parametrize(
    "text",
    [
        "http://srsign.example.org",
        "http://10.0.0.1:8080",
        "http://localhost.example.org",
        "http://127.0.0.1.example.org",
        "https://anna:secret@srsign.example.org",
        "https://srsign.example.org/?token=1",
        "ftp://srsign.example.org",
        "file:///etc/passwd",
        "srsign.example.org",
        "",
    ],
)
def test_addresses_that_are_refused(text: str) -> None:
    """What others could read, what carries a secret, and what is no service is refused."""
    with pytest.raises(ConfigurationError):
        service_url(text)


def test_an_offer_is_taken_apart() -> None:
    """A session that waits comes out as an offer."""
    (offer,) = client(200, {"items": [SESSION]}).offers("0" * 64, wait=0)
    assert offer.documents[0].covers == (0x00100010,)
    assert not offer.has_values


NONSENSE: dict[str, object] = {
    "no JSON": b"<html>",
    "a list": [],
    "nothing": {},
    "items that are none": {"items": 4711},
    "a session that is none": {"items": ["session"]},
    "another purpose": {"items": [SESSION | {"purpose": "99"}]},
    "another algorithm": {"items": [SESSION | {"mac_algorithm": "ROT13"}]},
    "no time": {"items": [SESSION | {"expires_at": "soon"}]},
    "an id with a path": {"items": [SESSION | {"id": "../../agents"}]},
    "a digest that is none": {"items": [SESSION | {"items": [{"digest": "x"}]}]},
    "text that is a number": {"items": [SESSION | {"match_code": 4711}]},
}


@pytest.mark.parametrize("name", NONSENSE)
def test_nonsense(name: str) -> None:
    """An answer that is no list of sessions is a failure of the service, not of ours."""
    with pytest.raises(ExternalServiceError):
        client(200, NONSENSE[name]).offers("0" * 64, wait=0)


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b'{"user_code": 1}'])
def test_nonsense_when_pairing(body: bytes) -> None:
    """An answer without codes pairs nobody."""
    with pytest.raises(ExternalServiceError):
        ask_code(Says(200, body), "reading room")


PROBLEMS: dict[str, type[SRError]] = {
    "authentication": AuthenticationError,
    "access": AccessError,
    "not-found": NotFoundError,
    "conflict": ConflictError,
    "expired": ExpiredError,
    "signer-refused": SignerRefusedError,
    "timestamp": TimestampError,
    "unexpected": ExternalServiceError,
    "pin": ExternalServiceError,
    "signer-unavailable": ExternalServiceError,
}


@pytest.mark.parametrize("code", PROBLEMS)
def test_problems(code: str) -> None:
    """A problem becomes the error that it stands for; the token here is nothing a service knows."""
    body = {"type": f"urn:srsign:problem:{code}", "detail": "no"}
    with pytest.raises(SRError) as raised:
        client(409, body).complete("5" * 32, {})
    assert type(raised.value) is PROBLEMS[code]


@pytest.mark.parametrize("status", [302, 400, 404, 500, 502])
@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"null", b'{"type": 1}'])
def test_refusals_without_a_problem(status: int, body: bytes) -> None:
    """A status that says no is a failure, whatever comes with it; a redirect is none but that."""
    with pytest.raises(ExternalServiceError):
        client(status, body).stream("5" * 32, 1)


@pytest.mark.parametrize("code", ["conflict", "expired", "not-found"])
def test_what_is_over_is_refused_enough(code: str) -> None:
    """Refusing a session that ended otherwise is no failure."""
    client(409, {"type": f"urn:srsign:problem:{code}", "detail": "no"}).refuse("5", Refusal.KEY)


def test_a_redirect_is_not_followed() -> None:
    """The token goes to the one address that was named."""
    asked = []

    def answer(query: bytes) -> Answer:
        asked.append(query)
        return Answer(status=307, headers={"Location": "/elsewhere"})

    with http_server(answer) as url:
        there = AgentClient(service=HTTPService(url=url), token="token")
        with pytest.raises(ExternalServiceError):
            there.certificates()
    assert len(asked) == 1


def test_a_service_that_is_not_there() -> None:
    """An address where nobody listens is a failure of the service."""
    with http_server(lambda _: Answer()) as url:
        gone = url
    with pytest.raises(ExternalServiceError):
        AgentClient(service=HTTPService(url=gone), token="token").certificates()
