"""``/agents``: a signing agent is paired by its code; one's own are listed and revoked."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Path, Request, Response

from sr.errors import NotFoundError
from sr.service.agents import own_agents, pair_agent, revoke_agent
from sr.web.authentication import Caller, Wired
from sr.web.pages.frame import PageRoute, see_other, show

__all__ = ["router"]

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.get("/agents")
def look(request: Request, context: Wired, caller: Caller) -> Response:
    """Show the form for a code, and the agents that are paired."""
    return show(request, caller, "agents.html.j2", agents=own_agents(context, caller), wrong=False)


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
        agents = own_agents(context, caller)
        return show(request, caller, "agents.html.j2", status=404, agents=agents, wrong=True)
    return see_other("/agents")


@router.post("/agents/{agent_id}/revoke")
def revoke(
    context: Wired, caller: Caller, agent_id: Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]
) -> Response:
    """Take an agent's token away."""
    revoke_agent(context, caller, agent_id)
    return see_other("/agents")
