"""What every answer tells a browser.

Pages load scripts, styles and images from here and from nowhere else; no other site frames them,
reads them or learns their addresses; nothing with patient data stays in a cache.

Cites: W3C CSP 3; RFC 6797; RFC 9111 5.2.2.5.
"""

from __future__ import annotations

from sr.web.asgi import Application, Message, Receive, Scope, Send
from sr.web.guard.rules import HTTPRules

__all__ = ["SecurityHeaders"]

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
_HEADERS = {
    b"content-security-policy": _POLICY.encode(),
    b"x-content-type-options": b"nosniff",
    b"x-frame-options": b"DENY",
    b"referrer-policy": b"same-origin",  # with no-referrer our own forms would name no Origin
    b"cross-origin-opener-policy": b"same-origin",
    b"cross-origin-resource-policy": b"same-origin",
    b"permissions-policy": b"camera=(), geolocation=(), microphone=()",
    b"cache-control": b"no-store",
}
_STATIC = "/static/"
"""Files without patient data; browsers keep them and ask whether they changed."""
_ONLY_ENCRYPTED = (b"strict-transport-security", b"max-age=31536000")


class SecurityHeaders:
    """Middleware that adds the headers; what a route sets itself stays as it is."""

    def __init__(self, app: Application, rules: HTTPRules) -> None:
        self.app = app
        self.rules = rules
        self.headers = dict(_HEADERS)
        if rules.url.startswith("https:"):
            self.headers.update([_ONLY_ENCRYPTED])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        headers = self.headers
        if scope["path"].startswith(_STATIC):
            headers = {**headers, b"cache-control": b"no-cache"}

        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = list(message.get("headers", ()))
                there = {name.lower() for name, _ in own}
                own += [each for each in headers.items() if each[0] not in there]
                message["headers"] = own
            await send(message)

        await self.app(scope, receive, marked)
