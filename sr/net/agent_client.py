"""Client of the service's resources for signing agents: ``/agents`` to be paired, ``/agent`` then.

What the service says is taken apart here and trusted nowhere: see ``sr.app.signatures.offer``.

Cites: RFC 8628; RFC 9457.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from sr.app.signatures.offer import Display, Offer, OfferedDocument
from sr.app.signatures.pairings import Pairing
from sr.app.signatures.remote_signing import Refusal
from sr.codes import SignaturePurpose
from sr.errors import (
    AccessError,
    AuthenticationError,
    ConflictError,
    ExpiredError,
    ExternalServiceError,
    NotFoundError,
    SignerRefusedError,
    SRError,
    TimestampError,
)
from sr.mac import MACAlgorithm

__all__ = ["AgentClient", "Asked", "Exchanges", "ask_code", "take_token"]

_PROBLEM = "urn:srsign:problem:"
_ERRORS: dict[str, type[SRError]] = {
    error.code: error
    for error in (
        AccessError,
        AuthenticationError,
        ConflictError,
        ExpiredError,
        NotFoundError,
        SignerRefusedError,
        TimestampError,
    )
}
_LONGEST_DETAIL = 300


class Exchanges(Protocol):
    """One exchange after another with one service."""

    def exchange(
        self,
        method: str,
        path: str,
        *,
        body: bytes | None = None,
        token: str | None = None,
        patience: float = 0.0,
    ) -> tuple[int, bytes]:
        """Return status and body of an answer, also of one that says no.

        Args:
            method: HTTP method.
            path: Below ``/api/v1``, with its query.
            body: JSON.
            token: Of the agent.
            patience: Seconds that the service may take beyond the usual.

        Raises:
            ExternalServiceError: There is no answer.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the service tells an agent that wants to be paired.

    Cites: RFC 8628 3.2.
    """

    device_code: str
    user_code: str
    verification_uri: str
    expires_at: datetime
    interval: int


def ask_code(service: Exchanges, label: str) -> Asked:
    """Ask for a code that a person enters where they are logged in.

    Raises:
        ExternalServiceError: The service does not answer, or not as it should.
    """
    with _understood():
        said = _json(service.exchange("POST", "/agents", body=_body({"label": label})))
        return Asked(
            device_code=_text(said["device_code"]),
            user_code=_text(said["user_code"]),
            verification_uri=_text(said["verification_uri"]),
            expires_at=datetime.fromisoformat(said["expires_at"]),
            interval=max(1, int(said["interval"])),
        )


def take_token(service: Exchanges, asked: Asked, url: str) -> Pairing | None:
    """Return the pairing once the code was entered, ``None`` before.

    Raises:
        ExpiredError: Nobody entered it in time.
        ExternalServiceError: The service does not answer, or not as it should.
    """
    with _understood():
        body = _body({"device_code": asked.device_code})
        said = _json(service.exchange("POST", "/agents/token", body=body))
        if said["state"] == "pending":
            return None
        return Pairing(
            url=url,
            agent_id=_text(said["agent_id"]),
            token=_text(said["token"]),
            login=_text(said["login"]),
            display_name=_text(said["display_name"]),
            expires_at=datetime.fromisoformat(said["expires_at"]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentClient:
    """The service as a paired agent meets it; a ``RemoteService``."""

    service: Exchanges
    token: str

    def certificates(self) -> frozenset[str]:
        """Return the fingerprints of the certificates whose keys this agent has shown to hold.

        Raises:
            AuthenticationError: The service does not know this agent.
        """
        with _understood():
            return frozenset(map(_text, self._call("GET", "/agent")["certificates"]))

    def challenge(self) -> str:
        """Return what to sign to show that a key is here."""
        with _understood():
            return _text(self._call("POST", "/agent/challenge", {})["challenge"])

    def announce(self, chain: bytes, challenge: str, signature: bytes, label: str) -> None:
        """Show that a key is here.

        Raises:
            AccessError: The certificate is not the person's.
            SignerRefusedError: The signature does not fit.
        """
        with _understood():
            self._call(
                "POST",
                "/agent/certificates",
                {
                    "certificate_chain": chain.decode(),
                    "challenge": challenge,
                    "signature": b64encode(signature).decode(),
                    "label": label,
                },
            )

    def offers(self, certificate_sha256: str, *, wait: int) -> tuple[Offer, ...]:
        """Return the sessions that wait for this agent, after at most some seconds.

        Raises:
            AuthenticationError: The service does not know this agent any more.
        """
        path = f"/agent/sessions?certificate={certificate_sha256}&wait={wait}"
        with _understood():
            said = self._call("GET", path, patience=wait)
            return tuple(_offer(each) for each in said["items"])

    def stream(self, session_id: str, n: int) -> bytes:
        """Return the MAC stream of one document."""
        path = f"/agent/sessions/{session_id}/items/{n}/stream"
        with _understood():
            status, body = self.service.exchange("GET", path, token=self.token)
            _refuse_problem(status, body)
            return body

    def complete(self, session_id: str, values: Mapping[int, bytes]) -> tuple[dict[str, Any], ...]:
        """Hand over signature values; none to use those that the service has kept."""
        items = [{"n": n, "signature": b64encode(v).decode()} for n, v in values.items()]
        with _understood():
            said = self._call("POST", f"/agent/sessions/{session_id}/complete", {"items": items})
            return tuple(dict(each) for each in said["results"])

    def refuse(self, session_id: str, why: Refusal) -> None:
        """Say that a session will not be signed; one that is over already is refused enough."""
        try:
            self._call("POST", f"/agent/sessions/{session_id}/refuse", {"why": why.value})
        except (ConflictError, ExpiredError, NotFoundError):
            return

    def leave(self) -> None:
        """Give the token back."""
        self._call("DELETE", "/agent")

    def _call(
        self,
        method: str,
        path: str,
        body: Mapping[str, object] | None = None,
        *,
        patience: float = 0.0,
    ) -> Any:  # noqa: ANN401 - JSON
        encoded = None if body is None else _body(body)
        return _json(
            self.service.exchange(method, path, body=encoded, token=self.token, patience=patience)
        )


def _offer(said: Mapping[str, Any]) -> Offer:
    return Offer(
        id=_identifier(said["id"]),
        purpose=SignaturePurpose(said["purpose"]),
        certificate_sha256=_text(said["certificate_sha256"]),
        mac_algorithm=MACAlgorithm(said["mac_algorithm"]),
        match_code=_text(said["match_code"]),
        expires_at=datetime.fromisoformat(said["expires_at"]),
        has_values=said["state"] == "valued",
        documents=tuple(_document(each) for each in said["items"]),
    )


def _document(said: Mapping[str, Any]) -> OfferedDocument:
    names = ("title", "patient_name", "patient_id", "purpose")
    return OfferedDocument(
        n=int(said["n"]),
        digital_signature_uid=_text(said["digital_signature_uid"]),
        digest=bytes.fromhex(said["digest"]),
        covers=tuple(int(tag[1:5] + tag[6:10], 16) for tag in said["covers"]),
        display=Display(**{name: _text(said["display"][name]) for name in names}),
    )


def _identifier(said: object) -> str:
    text = _text(said)
    if not (text.isascii() and text.isalnum()):
        raise ValueError("an id that does not fit into an address")
    return text


def _text(said: object) -> str:
    if not isinstance(said, str):
        raise TypeError("no text")
    return said


def _body(value: Mapping[str, object]) -> bytes:
    return json.dumps(value).encode()


def _json(answer: tuple[int, bytes]) -> Any:  # noqa: ANN401
    status, body = answer
    _refuse_problem(status, body)
    return json.loads(body) if body else {}


def _refuse_problem(status: int, body: bytes) -> None:
    """Raise the error that a problem stands for.

    Cites: RFC 9457 3.
    """
    if status < 300:
        return
    try:
        said = json.loads(body)
        code = _text(said["type"]).removeprefix(_PROBLEM)
        detail = _text(said["detail"])[:_LONGEST_DETAIL]
        hint = said.get("hint")
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ExternalServiceError(f"the service answers {status}") from None
    kind = _ERRORS.get(code, ExternalServiceError)
    message = detail if kind is not ExternalServiceError else f"the service says {status}: {detail}"
    raise kind(message, hint=hint if isinstance(hint, str) else None)


@contextmanager
def _understood() -> Iterator[None]:
    try:
        yield
    except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        raise ExternalServiceError("the service answers something else than it should") from error
