"""``POST /login`` and ``/logout``: the form behind the login page, and the way out."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from sr.service.login import demo_login, log_out
from sr.web.authentication import Caller, Wired, address_of
from sr.web.cookies import cookie_of, forget_cookie, require_same_origin, set_cookie

__all__ = ["local_path", "router"]

router = APIRouter(include_in_schema=False)
_SEE_OTHER = 303


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


@router.post("/logout")
def leave(context: Wired, caller: Caller, request: Request) -> Response:
    """Log out."""
    log_out(context, caller, cookie_of(request) or "")
    response = RedirectResponse("/login", status_code=_SEE_OTHER)
    forget_cookie(request, response)
    return response


def local_path(text: str) -> str:
    """Return where to go after a login: a path of this service, or its first page."""
    plain = text.isascii() and text.isprintable() and "\\" not in text
    return text if plain and text.startswith("/") and not text.startswith("//") else "/"
