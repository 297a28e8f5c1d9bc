"""Who is calling: a key in the header, or the cookie of somebody who logged in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from fastapi import Depends, Request

from sr.errors import AuthenticationError
from sr.service.access import Principal
from sr.service.accounts.agents import principal_of_agent
from sr.service.accounts.login import (
    principal_of_user,
    user_of_certificate,
    user_of_key,
    user_of_session,
)
from sr.service.accounts.openid import user_of_token
from sr.service.context import Context
from sr.web.asgi import certificate_of
from sr.web.guard.cookies import cookie_of, require_same_origin

__all__ = [
    "AgentCaller",
    "Caller",
    "Wired",
    "address_of",
    "agent_of",
    "context_of",
    "principal_of",
]

_OF_BROWSERS = frozenset({"origin", "sec-fetch-site"})
_DOTS_IN_TOKEN = 2
"""Cites: RFC 7515 3.1."""


def context_of(request: Request) -> Context:
    """Return the service that an application was made for."""
    context: Context = request.app.state.context
    return context


async def _wired(request: Request) -> Context:
    """Do the same without a thread, which costs more than the look."""
    return context_of(request)


Wired = Annotated[Context, Depends(_wired)]


def address_of(request: Request) -> str:
    """Return where a request comes from."""
    return request.client.host if request.client else ""


def agent_of(request: Request, context: Wired) -> Principal:
    """Return the signing agent that is calling; its token is good for nothing else.

    Raises:
        AuthenticationError: Nobody knows the agent.
    """
    caller = principal_of_agent(context, _bearer(request), address=address_of(request))
    request.state.principal = caller
    return caller


AgentCaller = Annotated[Principal, Depends(agent_of)]


def principal_of(request: Request, context: Wired) -> Principal:
    """Return who is calling; a header with credentials goes before a cookie.

    Raises:
        AuthenticationError: Nobody knows.
        AccessError: A browser sends it for a page of another site.
    """
    ways = _BY_HEADER if "authorization" in request.headers else _BY_CONNECTION
    for way in ways:
        caller = way(request, context)
        if caller is not None:
            request.state.principal = caller
            return caller
    raise AuthenticationError("nobody knows the caller", hint="log in, or send an API key")


Caller = Annotated[Principal, Depends(principal_of)]


def _by_key(request: Request, context: Context) -> Principal | None:
    key = _bearer(request)
    user = user_of_key(context, key) if key else None
    return None if user is None else principal_of_user(user, address_of(request))


def _by_token(request: Request, context: Context) -> Principal | None:
    token = _bearer(request)
    user = user_of_token(context, token) if token.count(".") == _DOTS_IN_TOKEN else None
    return None if user is None else principal_of_user(user, address_of(request))


def _by_cookie(request: Request, context: Context) -> Principal | None:
    token = cookie_of(request)
    user = user_of_session(context, token) if token else None
    if user is None:
        return None
    require_same_origin(request)
    return principal_of_user(user, address_of(request))


def _by_certificate(request: Request, context: Context) -> Principal | None:
    certificate = certificate_of(request.scope)
    user = user_of_certificate(context, certificate) if certificate else None
    if user is None:
        return None
    if not _OF_BROWSERS.isdisjoint(request.headers):  # which send a certificate unasked, too
        require_same_origin(request)
    return principal_of_user(user, address_of(request))


def _bearer(request: Request) -> str:
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    return value.strip() if scheme.lower() == "bearer" else ""


_Way = Callable[[Request, Context], Principal | None]
_BY_HEADER: tuple[_Way, ...] = (_by_token, _by_key)
_BY_CONNECTION: tuple[_Way, ...] = (_by_cookie, _by_certificate)
