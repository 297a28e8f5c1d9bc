"""``/agent``: what a paired signing agent may do, with its token; nothing else is open to it.

Cites: PS3.15 A.4.
"""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import Field

from sr.app.audit import AuditAction
from sr.app.signatures.offer import display_of
from sr.app.signatures.remote_signing import Refusal
from sr.codes import SignaturePurpose
from sr.dicomfile.tags import format_tag
from sr.mac import MACAlgorithm
from sr.service.accounts.agent_keys import announce_certificate, challenge_of, keys_of_agent
from sr.service.accounts.agents import revoke_agent
from sr.service.signing.agent_sessions import (
    agent_complete,
    agent_stream,
    has_open_session,
    refuse_session,
    waiting_for,
)
from sr.service.signing.session_view import OpenedSession
from sr.signature import PreparedSignature
from sr.store.signing_sessions import SessionItem, SessionState
from sr.web.api.signing_sessions import Results, Values
from sr.web.api.views import VerdictView
from sr.web.guard.authentication import AgentCaller, Wired
from sr.web.guard.bodies import Base64Value, Body, Certificates, View
from sr.web.operations import AGENT, protected

__all__ = ["router"]

router = APIRouter(prefix="/agent", tags=["agent"])

LONGEST_WAIT = 25
_BETWEEN = 1.0
"""Seconds between two looks into the database while an agent waits."""
_SessionID = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]
_Digest = Annotated[str, Query(pattern=r"^[0-9a-f]{64}$")]
_STREAM = {
    200: {
        "description": "The bytes that are hashed.",
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}


class AgentKeys(View):
    """Whom the agent signs for, and with which certificates so far."""

    login: str
    display_name: str
    agent_id: str
    certificates: list[str]
    """SHA-256, lower-case hexadecimal."""


class Challenge(View):
    """What to sign to show that one holds a key."""

    challenge: str


class Announcement(Body):
    """A certificate, and the proof that its key is here."""

    certificate_chain: Annotated[Certificates, Field(max_length=65536)]
    """The person's certificate first: PEM, or a list of PEM or Base64 of DER."""
    challenge: Annotated[str, Field(max_length=64)]
    signature: Base64Value
    """By the key, SHA-256, over words that the agent puts around its id and the challenge."""
    label: Annotated[str, Field(max_length=128)] = "card"


class CertificateView(View):
    """A certificate that the person can now choose."""

    id: str
    sha256: str
    not_after: datetime


class DisplayView(View):
    """What the service says of a document; the agent reads it from the bytes and compares."""

    title: str
    patient_name: str
    patient_id: str
    purpose: str


class OfferedDocument(View):
    """One document to sign."""

    n: int
    digital_signature_uid: str
    digest: str
    covers: list[str]
    display: DisplayView


class WaitingView(View):
    """A session that waits for the agent."""

    id: str
    state: SessionState
    purpose: SignaturePurpose
    certificate_sha256: str
    mac_algorithm: MACAlgorithm
    match_code: str
    expires_at: datetime
    items: list[OfferedDocument]


class WaitingList(View):
    """Sessions that wait for the agent, oldest first."""

    items: list[WaitingView]


class Refused(Body):
    """Why a session is not signed."""

    why: Refusal


@router.get("", **protected(AGENT))
def whoami(context: Wired, agent: AgentCaller) -> AgentKeys:
    """Return whom the agent signs for, and with what."""
    return AgentKeys(
        login=agent.login,
        display_name=agent.display_name,
        agent_id=agent.agent_id or "",
        certificates=[each.sha256 for each in keys_of_agent(context, agent)],
    )


@router.delete(
    "",
    status_code=204,
    response_class=Response,
    **protected(AGENT, audit=AuditAction.CREDENTIAL_REMOVED),
)
def leave(context: Wired, agent: AgentCaller) -> None:
    """Take the agent's own token away."""
    revoke_agent(context, agent, agent.agent_id or "")


@router.post("/challenge", **protected(AGENT, errors=(404,)))
def challenge(context: Wired, agent: AgentCaller) -> Challenge:
    """Draw what the agent has to sign next."""
    return Challenge(challenge=challenge_of(context, agent))


@router.post(
    "/certificates",
    status_code=201,
    **protected(AGENT, audit=AuditAction.CREDENTIAL_ADDED, errors=(409,)),
)
def announce(context: Wired, agent: AgentCaller, body: Announcement) -> CertificateView:
    """Show that a key is here; its certificate can then be chosen to sign with."""
    credential = announce_certificate(
        context,
        agent,
        chain=body.certificate_chain,
        challenge=body.challenge,
        signature=body.signature,
        label=body.label,
    )
    return CertificateView(
        id=credential.id, sha256=credential.sha256, not_after=credential.not_after
    )


@router.get("/sessions", **protected(AGENT, audit=AuditAction.REPORT_READ))
async def sessions(
    context: Wired,
    agent: AgentCaller,
    certificate: _Digest,
    wait: Annotated[int, Query(ge=0, le=LONGEST_WAIT)] = 0,
) -> WaitingList:
    """Return the sessions that wait for the agent, as soon as there is a new one to show."""
    loop = asyncio.get_running_loop()
    until = loop.time() + wait
    while loop.time() < until:
        if await run_in_threadpool(has_open_session, context, agent, certificate):
            break
        await asyncio.sleep(min(_BETWEEN, max(0.0, until - loop.time())))
    opened = await run_in_threadpool(waiting_for, context, agent, certificate)
    return WaitingList(items=[_view(each) for each in opened])


@router.get(
    "/sessions/{session_id}/items/{n}/stream",
    response_class=Response,
    **protected(AGENT, audit=AuditAction.REPORT_READ, errors=(404, 409, 410), content=_STREAM),
)
def stream(
    context: Wired,
    agent: AgentCaller,
    session_id: _SessionID,
    n: Annotated[int, Path(ge=1, le=200)],
) -> Response:
    """Return the bytes that one signature is over."""
    data = agent_stream(context, agent, session_id, n)
    return Response(data, media_type="application/octet-stream")


@router.post(
    "/sessions/{session_id}/complete",
    **protected(AGENT, audit=AuditAction.SIGNED, errors=(404, 409, 410)),
)
def complete(context: Wired, agent: AgentCaller, session_id: _SessionID, body: Values) -> Results:
    """Take the signature values and store what came of them."""
    values = {each.n: each.signature for each in body.items}
    verdicts = agent_complete(context, agent, session_id, values)
    return Results(results=[VerdictView.model_validate(each) for each in verdicts])


@router.post(
    "/sessions/{session_id}/refuse",
    status_code=204,
    response_class=Response,
    **protected(AGENT, audit=AuditAction.SIGNING_VOIDED, errors=(404, 409)),
)
def refuse(context: Wired, agent: AgentCaller, session_id: _SessionID, body: Refused) -> None:
    """End a session that will not be signed."""
    refuse_session(context, agent, session_id, body.why)


def _view(opened: OpenedSession) -> WaitingView:
    session = opened.session
    return WaitingView(
        id=session.id,
        state=session.state,
        purpose=SignaturePurpose(session.purpose),
        certificate_sha256=session.certificate_sha256,
        mac_algorithm=MACAlgorithm(session.mac_algorithm),
        match_code=session.match_code,
        expires_at=session.expires_at,
        items=[_item(*pair) for pair in zip(opened.items, opened.prepared, strict=True)],
    )


def _item(item: SessionItem, ready: PreparedSignature) -> OfferedDocument:
    purpose = ready.request.purpose
    assert purpose is not None  # noqa: S101 - a session has one
    shown = display_of(ready.file.dataset, purpose)
    return OfferedDocument(
        n=item.n,
        digital_signature_uid=item.digital_signature_uid,
        digest=item.digest.hex(),
        covers=[format_tag(tag) for tag in ready.covers],
        display=DisplayView(
            title=shown.title,
            patient_name=shown.patient_name,
            patient_id=shown.patient_id,
            purpose=shown.purpose,
        ),
    )
