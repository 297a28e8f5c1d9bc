"""Problems become pages for browsers, wherever they came from: routes, limits, unknown addresses.

Clients of the API, and whoever does not ask for HTML, get the problem as it is.
"""

from __future__ import annotations

import json
from http import HTTPStatus

from fastapi import Request

from sr.web.asgi import Application, Message, Receive, Scope, Send
from sr.web.operations import PROBLEM_MEDIA_TYPE
from sr.web.pages.frame import failed, is_scripted

__all__ = ["RefusedPages"]

_NO_PAGES = ("/api/", "/static/")
_OF_THE_PROBLEM = frozenset({b"content-type", b"content-length", b"www-authenticate"})


class RefusedPages:
    """Middleware that shows problems to people."""

    def __init__(self, app: Application) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http" or not _wants_page(scope):
            await self.app(scope, receive, send)
            return
        begun: Message | None = None
        said = b""

        async def shown(message: Message) -> None:
            nonlocal begun, said
            if message["type"] == "http.response.start" and _is_problem(message):
                begun = message
            elif begun is None:
                await send(message)
            else:
                said += message.get("body", b"")
                if not message.get("more_body", False):
                    await _show(scope, receive, send, begun, said)

        await self.app(scope, receive, shown)


async def _show(scope: Scope, receive: Receive, send: Send, begun: Message, said: bytes) -> None:
    problem = json.loads(said)
    headers = [each for each in scope["headers"] if each[0] != b"host"]  # which may be the problem
    page = failed(
        Request({**scope, "headers": headers}),
        begun["status"],
        problem.get("detail") or HTTPStatus(begun["status"]).phrase,
        problem.get("hint"),
        problem.get("where"),
    )
    kept = [each for each in begun["headers"] if each[0].lower() not in _OF_THE_PROBLEM]
    page.raw_headers.extend(kept)
    await page(scope, receive, send)


def _wants_page(scope: Scope) -> bool:
    if scope["path"].startswith(_NO_PAGES):
        return False
    accepted = b",".join(value for name, value in scope["headers"] if name == b"accept")
    return b"text/html" in accepted.lower() or is_scripted(Request(scope))


def _is_problem(message: Message) -> bool:
    kind = dict(message.get("headers", ())).get(b"content-type", b"")
    return bool(kind.startswith(PROBLEM_MEDIA_TYPE.encode()))
