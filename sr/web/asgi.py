"""Names for what passes between a server, middleware and an application.

Cites: ASGI 3.0.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

__all__ = [
    "CLIENT_CERTIFICATE",
    "Application",
    "Message",
    "Receive",
    "Scope",
    "Send",
    "certificate_of",
]

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

CLIENT_CERTIFICATE = "srsign.client_certificate"
"""Extension of a scope."""


def certificate_of(scope: Scope) -> bytes | None:
    """Return the certificate, DER, that the client proved to hold when the connection was made."""
    found: bytes | None = scope.get("extensions", {}).get(CLIENT_CERTIFICATE)
    return found
