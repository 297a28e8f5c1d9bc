"""What a route declares is what decides: nobody gets past a route that declares nothing.

The declaration is the one in the OpenAPI file (see ``operations``). Use cases require the same
permission again, for callers that do not come over HTTP.
"""

from __future__ import annotations

from collections.abc import Iterator

from fastapi import Depends, Request
from fastapi.dependencies.models import Dependant

from sr.errors import AccessError, ConfigurationError
from sr.service.access import Permission, Principal, require
from sr.web.guard.authentication import Caller, agent_of, context_of, principal_of
from sr.web.operations import AGENT, ANYBODY, EVERYBODY

__all__ = ["GUARD", "ONLY_KNOWN", "authorise", "declared_permission"]


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


def _query_names(dependant: Dependant) -> Iterator[str]:
    yield from (each.alias for each in dependant.query_params)
    for inner in dependant.dependencies:
        yield from _query_names(inner)


async def _only_known(request: Request) -> None:
    """Refuse a query parameter that the route does not have: a mistyped filter filters nothing.

    Raises:
        ConfigurationError: Naming those that it has.
    """
    dependant = getattr(request.scope.get("route"), "dependant", None)
    known = frozenset() if dependant is None else frozenset(_query_names(dependant))
    if not known.issuperset(request.query_params):
        raise ConfigurationError(
            "the query has a parameter that this operation does not know",
            hint=f"known: {', '.join(sorted(known))}" if known else "it takes none",
        )


GUARD = Depends(_guard)
"""Dependency of every router of the API, but those of agents."""

ONLY_KNOWN = Depends(_only_known)
"""Dependency of every router of the API."""
