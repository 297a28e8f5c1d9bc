"""The cookie of a browser that logged in, and what is asked of a request that carries it.

A page of another site can make a browser send a request, but not read or choose its headers. So a
request that changes something and is known by its cookie must say that it comes from a page of
ours: by Sec-Fetch-Site, which every current browser sends, or else by Origin.

Cites: RFC 6265 4.1.2; W3C Fetch Metadata 2.3.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from fastapi import Request, Response

from sr.errors import AccessError
from sr.web.guard.rules import HTTPRules

__all__ = [
    "attempt_of",
    "cookie_of",
    "forget_cookie",
    "keep_attempt",
    "origin_of",
    "require_same_origin",
    "set_cookie",
]

_NAME = "srsign"
_ATTEMPT = "srsign_login"
_ATTEMPT_SECONDS = 600
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


def origin_of(request: Request) -> str:
    """Return scheme, host and port under which browsers know the service."""
    rules: HTTPRules = request.app.state.rules
    url = urlsplit(rules.url or str(request.base_url))
    return f"{url.scheme}://{url.netloc}"


def cookie_of(request: Request) -> str | None:
    """Return the value of the cookie of a login, where the request has one."""
    return request.cookies.get(_name(request))


def set_cookie(request: Request, response: Response, token: str) -> None:
    """Give the browser the cookie of a login; it lasts until the browser is closed.

    Cites: RFC 6265 4.1.2.
    """
    response.set_cookie(
        _name(request), token, secure=_is_secure(request), httponly=True, samesite="strict"
    )


def forget_cookie(request: Request, response: Response) -> None:
    """Take the cookie of a login back."""
    response.delete_cookie(
        _name(request), secure=_is_secure(request), httponly=True, samesite="strict"
    )


def keep_attempt(request: Request, response: Response, kept: str) -> None:
    """Give the browser what it keeps while it is at the provider.

    It is sent along when another site leads back here, unlike the cookie of a login.
    """
    response.set_cookie(
        _name(request, _ATTEMPT),
        kept,
        max_age=_ATTEMPT_SECONDS,
        secure=_is_secure(request),
        httponly=True,
        samesite="lax",
    )


def attempt_of(request: Request) -> str | None:
    """Return what the browser kept while it was at the provider."""
    return request.cookies.get(_name(request, _ATTEMPT))


def require_same_origin(request: Request) -> None:
    """Refuse what a page of another site made the browser send.

    Raises:
        AccessError: The request changes something and does not say that it comes from our pages.

    Cites: W3C Fetch Metadata 2.3; RFC 6454 7.
    """
    if request.method in _SAFE:
        return
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    ours = origin == origin_of(request) if site is None else site == "same-origin"
    if not ours or origin not in (None, origin_of(request)):
        raise AccessError("the request does not come from a page of this service")


def _is_secure(request: Request) -> bool:
    return origin_of(request).startswith("https:")


def _name(request: Request, name: str = _NAME) -> str:
    """Return the name of the cookie; with the prefix neither other hosts nor plain HTTP set it."""
    return f"__Host-{name}" if _is_secure(request) else name
