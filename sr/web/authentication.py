"""Who is calling: a key in the header, or the cookie of somebody who logged in."""

from __future__ import annotations

from hashlib import sha256
from typing import Annotated

from fastapi import Depends, Request

from sr.errors import AuthenticationError
from sr.service.access import Principal, Role
from sr.service.context import Context
from sr.store.people import User, user_by_api_key

__all__ = ["Caller", "Wired", "context_of", "principal_of"]


def context_of(request: Request) -> Context:
    """Return the service that an application was made for."""
    context: Context = request.app.state.context
    return context


Wired = Annotated[Context, Depends(context_of)]


def principal_of(request: Request, context: Wired) -> Principal:
    """Return who is calling.

    Raises:
        AuthenticationError: Nobody knows.
    """
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and key:
        with context.database.read() as connection:
            digest = sha256(key.encode()).hexdigest()
            user = user_by_api_key(connection, digest, at=context.ports.now())
        if user is not None and user.disabled_at is None:
            request.state.principal = caller = principal(user, request)
            return caller
    raise AuthenticationError("nobody knows the caller", hint="log in, or send an API key")


def principal(user: User, request: Request) -> Principal:
    """Return a user as the caller of a request."""
    return Principal(
        user_id=user.id,
        login=user.login,
        display_name=user.display_name,
        person_name=user.person_name,
        organization=user.organization,
        roles=frozenset(Role(role) for role in user.roles),
        address=request.client.host if request.client else "",
    )


Caller = Annotated[Principal, Depends(principal_of)]
