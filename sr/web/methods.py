"""What every resource offers beside its own methods: HEAD where there is GET, and OPTIONS.

Cites: RFC 9110 9.3.2, 9.3.7, 15.5.6.
"""

from __future__ import annotations

from fastapi import Request
from starlette.routing import Match, Mount

from sr.web.asgi import Application, Message, Receive, Scope, Send

__all__ = ["Head", "allowed"]

_METHODS = ("DELETE", "GET", "PATCH", "POST", "PUT")


class Head:
    """Middleware that answers HEAD as GET, without the content."""

    def __init__(self, app: Application) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self.app(scope, receive, send)
            return

        async def without_content(message: Message) -> None:
            if message["type"] == "http.response.start":
                await send(message)
                await send({"type": "http.response.body", "body": b""})

        scope["method"] = "GET"
        try:
            await self.app(scope, receive, without_content)
        finally:
            scope["method"] = "HEAD"


def allowed(request: Request) -> str:
    """Return the methods that a resource offers, as the header Allow names them.

    Cites: RFC 9110 10.2.1.
    """
    root = request.scope.get("app_root_path", request.scope.get("root_path", ""))
    found = {each for each in _METHODS if _offers(request, {"method": each, "root_path": root})}
    also = {"OPTIONS", *(["HEAD"] if "GET" in found else [])}
    return ", ".join(sorted(found | also))


def _offers(request: Request, asked: dict[str, str]) -> bool:
    """Return whether some route takes a method; what is mounted are files, only to be read."""
    return any(
        each.matches({**request.scope, **asked})[0] is Match.FULL
        for each in request.app.routes
        if asked["method"] == "GET" or not isinstance(each, Mount)
    )
