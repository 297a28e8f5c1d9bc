"""The form behind the login page, the way to a provider and back, and the way out."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from sr.service.accounts.login import demo_login, log_out
from sr.service.accounts.openid import begin_login, finish_login
from sr.web.guard.authentication import Caller, Wired, address_of
from sr.web.guard.cookies import (
    attempt_of,
    cookie_of,
    forget_cookie,
    keep_attempt,
    origin_of,
    require_same_origin,
    set_cookie,
)

__all__ = ["local_path", "router"]

router = APIRouter(include_in_schema=False)
_SEE_OTHER = 303
_CALLBACK = "/login/callback"
_ARRIVED = (
    '<!doctype html><html lang="en"><title>Logged in</title>'
    '<meta http-equiv="refresh" content="0;url=/"><a href="/">You are logged in.</a></html>'
)


@router.post("/login")
def log_in_here(
    context: Wired,
    request: Request,
    login: Annotated[str, Form(max_length=128)],
    after: Annotated[str, Form(alias="next", max_length=2048)] = "/",
) -> Response:
    """Log in as somebody of a demonstration."""
    require_same_origin(request)
    token = demo_login(context, login, address=address_of(request))
    response = RedirectResponse(local_path(after), status_code=_SEE_OTHER)
    set_cookie(request, response, token)
    return response


@router.get("/login/openid")
def go_to_provider(context: Wired, request: Request) -> Response:
    """Send the browser to the OpenID provider."""
    url, kept = begin_login(context, redirect_uri=_back(request))
    response = RedirectResponse(url, status_code=_SEE_OTHER)
    keep_attempt(request, response, kept)
    return response


@router.get(_CALLBACK)
def come_back(
    context: Wired,
    request: Request,
    state: Annotated[str, Query(max_length=128)] = "",
    code: Annotated[str, Query(max_length=2048)] = "",
    issuer: Annotated[str, Query(alias="iss", max_length=2048)] = "",
) -> Response:
    """Log in whom the provider vouches for."""
    token = finish_login(
        context,
        attempt_of(request) or "",
        state=state,
        code=code,
        issuer=issuer,
        redirect_uri=_back(request),
        address=address_of(request),
    )
    # A redirect would belong to the other site's, and the cookie would not be sent along.
    response = HTMLResponse(_ARRIVED)
    set_cookie(request, response, token)
    return response


@router.post("/logout")
def leave(context: Wired, caller: Caller, request: Request) -> Response:
    """Log out."""
    log_out(context, caller, cookie_of(request) or "")
    response = RedirectResponse("/login", status_code=_SEE_OTHER)
    forget_cookie(request, response)
    return response


def _back(request: Request) -> str:
    return origin_of(request) + _CALLBACK


def local_path(text: str) -> str:
    """Return where to go after a login: a path of this service, or its first page."""
    plain = text.isascii() and text.isprintable() and "\\" not in text
    return text if plain and text.startswith("/") and not text.startswith("//") else "/"
