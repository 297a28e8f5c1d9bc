"""Signing agents of a service in this process: paired, with a key, and a person who confirms."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import sha256
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from fastapi.testclient import TestClient

from sr.app.signatures.offer import Offer, ShownDocument
from sr.app.signatures.possession import show_possession
from sr.app.signatures.remote_signing import Ended, Signatory, sign_offers
from sr.app.signatures.signing_span import SigningSpan
from sr.document.template import load_template
from sr.keys import open_signer
from sr.keys.secrets import no_secrets
from sr.net.agent_client import AgentClient, ask_code, take_token
from sr.service.operation.demonstration import chain_of, principal_for
from sr.signature.signing_policy import load_signing_policy
from tests.support.service import Service

__all__ = ["Desk", "InProcess", "desk", "draft", "opened", "paired"]

_URL = "http://srsign.test"


@dataclass(frozen=True)
class InProcess:
    """Exchanges with a service in this process; ``change`` may falsify what it answers."""

    client: TestClient
    change: Callable[[str, bytes], bytes] = lambda _path, body: body

    def exchange(
        self,
        method: str,
        path: str,
        *,
        body: bytes | None = None,
        token: str | None = None,
        patience: float = 0.0,
    ) -> tuple[int, bytes]:
        """Exchange."""
        del patience
        headers = {"Content-Type": "application/json"} if body is not None else {}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        answer = self.client.request(method, f"/api/v1{path}", content=body, headers=headers)
        return answer.status_code, self.change(path, answer.content)


def paired(service: Service, login: str) -> tuple[AgentClient, str]:
    """Return an agent that was paired with somebody, and its id."""
    there = InProcess(service.client())
    asked = ask_code(there, "reading room")
    entered = service.client(login).post("/api/v1/agents/pair", json={"user_code": asked.user_code})
    assert entered.status_code == 200, entered.text
    pairing = take_token(there, asked, _URL)
    assert pairing is not None
    return AgentClient(service=there, token=pairing.token), pairing.agent_id


@dataclass
class Desk:
    """A person at a machine with a card."""

    client: AgentClient
    agent_id: str
    chain: bytes
    uri: str
    service: Service
    answers: bool = True
    shown: list[tuple[Offer, ShownDocument]] = field(default_factory=list)
    opened: int = 0

    def __post_init__(self) -> None:
        """Get ready."""
        self.certificates = tuple(x509.load_pem_x509_certificates(self.chain))
        self.der = self.certificates[0].public_bytes(Encoding.DER)
        self.span = SigningSpan(
            self._open, now=self.service.clock, policy=load_signing_policy("standard")
        )

    def _open(self):  # type: ignore[no-untyped-def]
        self.opened += 1
        return open_signer(self.uri, certificates=self.certificates, secrets=no_secrets)

    def _confirm(self, offer: Offer, document: ShownDocument) -> bool:
        self.shown.append((offer, document))
        return self.answers

    def announce(self) -> None:
        """Show that the key is here."""
        show_possession(
            self.client, self.span.signer(), chain=self.chain, agent_id=self.agent_id, label="card"
        )

    @property
    def fingerprint(self) -> str:
        """Return the certificate's."""
        return sha256(self.der).hexdigest()

    def run(self, client: AgentClient | None = None) -> list[Ended]:
        """Sign what waits."""
        there = client or self.client
        signatory = Signatory(
            certificate=self.der,
            span=self.span,
            confirm=self._confirm,
            now=self.service.clock,
            clock_skew=timedelta(minutes=5),
        )
        return list(sign_offers(there.offers(self.fingerprint, wait=0), there, signatory))


def desk(service: Service, login: str = "anna", key: str = "author") -> Desk:
    """Return somebody at a machine with a key of the demonstration, announced to the service."""
    client, agent_id = paired(service, login)
    pki = service.world.pki
    made = Desk(
        client=client,
        agent_id=agent_id,
        chain=chain_of(pki, key),
        uri=pki.key_uri(key),
        service=service,
    )
    made.announce()
    return made


def draft(service: Service, login: str = "anna") -> dict[str, Any]:
    """Return a new draft."""
    answer = service.client(login).post(
        "/api/v1/reports",
        json={
            "study_instance_uid": service.world.studies[0],
            "template": "ct-chest",
            "values": {
                **tomllib.loads(load_template("ct-chest").example),
                "observer_name": principal_for(login).person_name,
            },
        },
    )
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def opened(
    service: Service,
    *documents: dict[str, Any],
    login: str = "anna",
    key: str = "author",
    purpose: str = "author",
) -> dict[str, Any]:
    """Return a session that somebody opened at a page."""
    answer = service.client(login).post(
        "/api/v1/signing-sessions",
        json={
            "items": [
                {"sop_instance_uid": each["sop_instance_uid"], "if_match": each["sha256"]}
                for each in documents
            ],
            "purpose": purpose,
            "certificate_chain": chain_of(service.world.pki, key).decode(),
        },
    )
    assert answer.status_code == 201, answer.text
    return dict(answer.json())
