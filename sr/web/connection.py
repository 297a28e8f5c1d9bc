"""The server's side of a connection: who is at the other end, and no waiting for half a request.

uvicorn gives an application neither the certificate of the client nor a limit to how long a request
line and headers may take; both are known here, where the connection is.

Cites: RFC 8446 4.4.2; ASGI TLS extension 0.2.
"""

from __future__ import annotations

import asyncio
from ssl import SSLObject
from typing import Any, ClassVar

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from sr.web.asgi import CLIENT_CERTIFICATE, Application, Receive, Scope, Send

__all__ = ["Connection"]


class Connection(H11Protocol):
    """HTTP/1.1 over one connection."""

    header_seconds: ClassVar[float] = 20.0
    """For a request line and its headers."""
    _header_deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin."""
        super().connection_made(transport)
        tls: SSLObject | None = transport.get_extra_info("ssl_object")
        certificate = None if tls is None else tls.getpeercert(binary_form=True)
        if certificate is not None:
            self.app = _known_by(self.app, certificate)
        self._await_request()

    def data_received(self, data: bytes) -> None:
        """Take what has arrived."""
        super().data_received(data)
        if self.conn.their_state is h11.IDLE:
            self._await_request()
        else:
            self._stop_waiting()

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        self._stop_waiting()
        super().connection_lost(exc)

    def _await_request(self) -> None:
        if self._header_deadline is None:
            self._header_deadline = self.loop.call_later(self.header_seconds, self._give_up)

    def _stop_waiting(self) -> None:
        if self._header_deadline is not None:
            self._header_deadline.cancel()
            self._header_deadline = None

    def _give_up(self) -> None:
        self._header_deadline = None
        if not self.transport.is_closing():
            self.transport.close()


def _known_by(app: Any, certificate: bytes) -> Application:  # noqa: ANN401 - uvicorn's own type
    """Return an application that is told the certificate of the client."""

    async def told(scope: Scope, receive: Receive, send: Send) -> None:
        scope.setdefault("extensions", {})[CLIENT_CERTIFICATE] = certificate
        await app(scope, receive, send)

    return told
