"""What a route declares is what decides: nobody gets past a route that declares nothing.

The declaration is the one in the OpenAPI file (see ``operations``). Use cases require the same
permission again, for callers that do not come over HTTP.
"""

from __future__ import annotations

from fastapi import Depends, Request

from sr.errors import AccessError
from sr.service.access import Permission, Principal, require
from sr.web.authentication import Caller, agent_of, context_of, principal_of
from sr.web.operations import AGENT, ANYBODY, EVERYBODY

__all__ = ["GUARD", "authorise", "declared_permission"]


def declared_permission(request: Request) -> str | None:
    """Return what the route of a request declares, ``None`` for nothing."""
    extra = getattr(request.scope.get("route"), "openapi_extra", None) or {}
    declared: str | None = extra.get("x-permission")
    return declared


def authorise(request: Request) -> None:
    """Refuse a request whose caller is unknown, or has not the permission of its route.

    Raises:
        AuthenticationError: Nobody knows the caller.
        AccessError: The caller may not do that, or nobody may.
    """
    declared, context = declared_permission(request), context_of(request)
    if declared == AGENT:
        agent_of(request, context)
    elif declared != EVERYBODY:
        _require(request, principal_of(request, context))


def _require(request: Request, caller: Principal) -> None:
    declared = declared_permission(request)
    if declared is None:
        raise AccessError("the route declares no permission, so that nobody has it")
    if declared != ANYBODY:
        require(caller, Permission(declared))


async def _guard(request: Request, caller: Caller) -> None:
    _require(request, caller)


GUARD = Depends(_guard)
"""Dependency of every router of the API."""
