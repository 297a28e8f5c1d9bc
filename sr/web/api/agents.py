"""``/agents``: pairing signing agents, listing and revoking one's own.

Cites: RFC 8628.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Request, Response
from pydantic import Field

from sr.app.audit import AuditAction
from sr.service.access import Permission
from sr.service.accounts.agents import (
    POLL_SECONDS,
    ask_code,
    own_agents,
    pair_agent,
    revoke_agent,
    take_token,
)
from sr.web.guard.authentication import Caller, Wired, address_of
from sr.web.guard.authorisation import GUARD
from sr.web.guard.bodies import Body, View
from sr.web.operations import EVERYBODY, protected

__all__ = ["AgentView", "router"]

router = APIRouter(prefix="/agents", tags=["agents"])

_Label = Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[^\x00-\x1f\x7f]+$")]


class NewAgent(Body):
    """A program that wants to be paired."""

    label: _Label
    """What it calls itself, e.g. the name of its machine."""


class AskedView(View):
    """What the program shows to its person, and what it waits with.

    Cites: RFC 8628 3.2.
    """

    device_code: str
    user_code: str
    verification_uri: str
    expires_at: datetime
    interval: int
    """Seconds between two questions whether the code was entered."""


class Device(Body):
    """Who waits for a token."""

    device_code: Annotated[str, Field(min_length=1, max_length=64)]


class TokenView(View):
    """Whether the code was entered, and the token, which is handed out once."""

    state: Literal["pending", "paired"]
    agent_id: str | None = None
    token: str | None = None
    expires_at: datetime | None = None
    login: str | None = None
    display_name: str | None = None


class EnteredCode(Body):
    """A code that a person was shown by an agent."""

    user_code: Annotated[str, Field(min_length=1, max_length=32)]
    label: _Label | None = None


class AgentView(View):
    """An agent of the caller."""

    id: str
    label: str
    address: str
    """Where it asked to be paired from."""
    created_at: datetime
    expires_at: datetime
    seen_at: datetime | None


class AgentList(View):
    """The caller's agents."""

    items: list[AgentView]


@router.post("", status_code=201, **protected(EVERYBODY))
def ask(context: Wired, request: Request, body: NewAgent) -> AskedView:
    """Ask for a code that a person enters where they are logged in."""
    asked = ask_code(context, label=body.label, address=address_of(request))
    base = request.app.state.rules.url or str(request.base_url).rstrip("/")
    return AskedView(
        device_code=asked.device_code,
        user_code=asked.user_code,
        verification_uri=f"{base}/agents",
        expires_at=asked.expires_at,
        interval=POLL_SECONDS,
    )


@router.post("/token", **protected(EVERYBODY, audit=AuditAction.LOGIN, errors=(404, 410)))
def token(context: Wired, body: Device, response: Response) -> TokenView:
    """Take the token, or learn that the code was not entered yet."""
    response.headers["Cache-Control"] = "no-store"
    handed = take_token(context, body.device_code)
    if handed is None:
        return TokenView(state="pending")
    return TokenView(
        state="paired",
        agent_id=handed.agent.id,
        token=handed.token,
        expires_at=handed.agent.expires_at,
        login=handed.principal.login,
        display_name=handed.principal.display_name,
    )


@router.post(
    "/pair",
    dependencies=[GUARD],
    **protected(Permission.PAIR_AGENTS, audit=AuditAction.CREDENTIAL_ADDED, errors=(404,)),
)
def pair(context: Wired, caller: Caller, body: EnteredCode) -> AgentView:
    """Pair the agent that shows a code with the caller."""
    return AgentView.model_validate(pair_agent(context, caller, body.user_code, label=body.label))


@router.get("", dependencies=[GUARD], **protected(Permission.PAIR_AGENTS))
def mine(context: Wired, caller: Caller) -> AgentList:
    """Return the caller's agents, oldest first."""
    return AgentList(items=[AgentView.model_validate(each) for each in own_agents(context, caller)])


@router.delete(
    "/{agent_id}",
    status_code=204,
    response_class=Response,
    dependencies=[GUARD],
    **protected(Permission.PAIR_AGENTS, audit=AuditAction.CREDENTIAL_REMOVED, errors=(404,)),
)
def revoke(
    context: Wired, caller: Caller, agent_id: Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]
) -> None:
    """Take an agent's token away."""
    revoke_agent(context, caller, agent_id)
