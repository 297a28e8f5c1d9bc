"""``/keys``: one's own certificates and signing agents, each added with a proof, and taken off."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated

from cryptography import x509
from fastapi import APIRouter, File, Form, Path, Request, Response, UploadFile

from sr.app.signatures.possession import possession_statement
from sr.errors import NotFoundError, TrustEvidenceError
from sr.service.access import Permission, may, require
from sr.service.accounts.agents import own_agents, pair_agent, revoke_agent
from sr.service.accounts.credentials import (
    add_certificate,
    draw_challenge,
    own_credentials,
    withdraw_certificate,
)
from sr.service.context import Context
from sr.store.challenges import Challenge
from sr.store.people import Credential
from sr.verification.render import short_name
from sr.web.guard.authentication import Caller, Wired
from sr.web.pages.frame import PageRoute, see_other, show
from sr.web.pages.looks import VALIDITY, Look

__all__ = ["router"]

router = APIRouter(route_class=PageRoute, include_in_schema=False)

_LARGEST = 1 << 16
_SOON = timedelta(days=90)

Id = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shown:
    """A certificate as its person sees it."""

    id: str
    label: str
    subject: str
    issuer: str
    sha256: str
    not_after: datetime
    state: Look
    key: str
    """Where its key is."""


@router.get("/keys")
def look(request: Request, context: Wired, caller: Caller) -> Response:
    """Show certificates and agents."""
    return _page(request, context, caller)


@router.get("/agents")
def send_on(caller: Caller) -> Response:
    """Lead to where a code is entered: agents show this address."""
    require(caller, Permission.PAIR_AGENTS)
    return see_other("/keys")


@router.post("/agents")
def pair(
    request: Request,
    context: Wired,
    caller: Caller,
    user_code: Annotated[str, Form(min_length=1, max_length=32)],
) -> Response:
    """Pair the agent that shows a code."""
    try:
        pair_agent(context, caller, user_code)
    except NotFoundError:
        return _page(request, context, caller, status=404, wrong=True)
    return see_other("/keys")


@router.post("/agents/{agent_id}/revoke")
def revoke(context: Wired, caller: Caller, agent_id: Id) -> Response:
    """Take an agent's token away."""
    revoke_agent(context, caller, agent_id)
    return see_other("/keys")


@router.post("/keys/challenge")
def draw(request: Request, context: Wired, caller: Caller) -> Response:
    """Show what the key of a new certificate has to sign, and where to hand it in."""
    challenge, _ = draw_challenge(context, caller)
    return _page(request, context, caller, challenge=challenge)


@router.post("/keys")
def add(
    context: Wired,
    caller: Caller,
    certificate: Annotated[UploadFile, File()],
    proof: Annotated[UploadFile, File()],
    challenge: Annotated[str, Form(pattern=r"^[0-9a-f]{32}$")],
    label: Annotated[str, Form(min_length=1, max_length=128)],
) -> Response:
    """Keep a certificate as the caller's, to sign with."""
    require(caller, Permission.OWN_CREDENTIALS)
    add_certificate(
        context,
        caller,
        chain=_content(certificate),
        challenge=challenge,
        signature=_content(proof),
        label=label,
    )
    return see_other("/keys")


@router.post("/keys/{credential_id}/remove")
def withdraw(context: Wired, caller: Caller, credential_id: Id) -> Response:
    """Sign with a certificate no longer; what it signed stays as good as it was."""
    withdraw_certificate(context, caller, credential_id)
    return see_other("/keys")


def _content(file: UploadFile) -> bytes:
    content = file.file.read(_LARGEST + 1)
    if len(content) > _LARGEST:
        raise TrustEvidenceError("the file is too large for a certificate or a signature")
    return content


def _page(
    request: Request,
    context: Context,
    caller: Caller,
    *,
    status: int = 200,
    wrong: bool = False,
    challenge: Challenge | None = None,
) -> Response:
    pairs = may(caller, Permission.PAIR_AGENTS)
    agents = own_agents(context, caller) if pairs else ()
    holders = {agent.id: agent.label for agent in agents}
    now = context.ports.now()
    statement = possession_statement(caller.user_id, challenge.challenge) if challenge else b""
    return show(
        request,
        caller,
        "keys.html.j2",
        status=status,
        certificates=[_shown(each, holders, now) for each in own_credentials(context, caller)],
        pairs=pairs,
        agents=agents,
        wrong=wrong,
        challenge=challenge,
        statement=f"data:application/octet-stream;base64,{b64encode(statement).decode()}",
    )


def _shown(credential: Credential, holders: dict[str, str], now: datetime) -> _Shown:
    leaf = x509.load_pem_x509_certificates(credential.chain)[0]
    left = credential.not_after - now
    state = "valid" if left > _SOON else "expires soon" if left > timedelta() else "expired"
    return _Shown(
        id=credential.id,
        label=credential.label,
        subject=short_name(leaf.subject.rfc4514_string()),
        issuer=short_name(leaf.issuer.rfc4514_string()),
        sha256=credential.sha256,
        not_after=credential.not_after,
        state=VALIDITY[state],
        key=_place(credential, holders),
    )


def _place(credential: Credential, holders: dict[str, str]) -> str:
    if credential.key_uri:
        return "this service"
    if credential.agent_id:
        label = holders.get(credential.agent_id)
        return f"agent {label}" if label else "an agent that is no longer paired"
    return "with you: the program that signs sends the signature"
