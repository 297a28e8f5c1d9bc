"""The server's side of a connection: who is at the other end, and no waiting for half a request.

uvicorn gives an application neither the certificate of the client nor a limit to how long a request
line and headers may take, or an answer to be read; all are known here, where the connection is.

Cites: RFC 8446 4.4.2; RFC 5482; ASGI TLS extension 0.2.
"""

from __future__ import annotations

import asyncio
import socket
from math import inf
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
    unread_seconds: ClassVar[float] = 60.0
    """Until a client reads on that stopped reading its answer."""
    most: ClassVar[int] = 800
    """Of one server: more than the requests at work and waiting, for browsers keep some idle; less
    than the files that a process may have open."""
    _header_deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin."""
        super().connection_made(transport)
        tls: SSLObject | None = transport.get_extra_info("ssl_object")
        certificate = None if tls is None else tls.getpeercert(binary_form=True)
        if certificate is not None:
            self.app = _known_by(self.app, certificate)
        _stop_writing_after(transport, self.unread_seconds)
        self._await_request()
        self._make_room()

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
            self._header_deadline = self.loop.call_later(self.header_seconds, self.give_up)

    def _stop_waiting(self) -> None:
        if self._header_deadline is not None:
            self._header_deadline.cancel()
            self._header_deadline = None

    def give_up(self) -> None:
        """Let go of the client, whatever it still was to be told."""
        self._stop_waiting()
        self.transport.abort()

    def _make_room(self) -> None:
        """Let go of the client that would be given up first, where there are too many.

        Half requests then hold up other half requests, and nobody who sends a whole one.
        """
        if len(self.connections) > self.most:
            others = (each for each in self.connections if isinstance(each, Connection))
            min(others, key=Connection.given_up_at).give_up()

    def given_up_at(self) -> float:
        """Return when this client is let go of, by the loop's clock; never while it is served."""
        timers = (self._header_deadline, self.timeout_keep_alive_task)
        return min((timer.when() for timer in timers if timer is not None), default=inf)


def _stop_writing_after(transport: asyncio.Transport, seconds: float) -> None:
    """Have the system end a connection whose other end reads nothing for so long.

    Cites: RFC 5482 3.
    """
    end: socket.socket | None = transport.get_extra_info("socket")
    if end is not None and hasattr(socket, "TCP_USER_TIMEOUT"):
        end.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(seconds * 1000))


def _known_by(app: Any, certificate: bytes) -> Application:  # noqa: ANN401 - uvicorn's own type
    """Return an application that is told the certificate of the client."""

    async def told(scope: Scope, receive: Receive, send: Send) -> None:
        scope.setdefault("extensions", {})[CLIENT_CERTIFICATE] = certificate
        await app(scope, receive, send)

    return told
