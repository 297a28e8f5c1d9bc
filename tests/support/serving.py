"""A real server on a free port of this machine, for what a client in the process cannot show."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from ssl import SSLContext
from threading import Thread
from typing import Any

import uvicorn

from sr.web.guard.connection import Connection

__all__ = ["connect", "served"]


class _Impatient(Connection):
    """Waits a moment for a request, so that tests need not."""

    header_seconds = 0.3


@contextmanager
def served(
    app: Any,
    *,
    tls: SSLContext | None = None,
    http: type[Connection] = _Impatient,
    **options: Any,
) -> Iterator[int]:
    """Serve an application for as long as the block runs; yields the port."""
    config = uvicorn.Config(
        app, host="127.0.0.1", port=0, log_level="critical", http=http, lifespan="off",
        timeout_graceful_shutdown=1, **options,
    )  # fmt: skip
    config.load()
    config.ssl = tls
    server = uvicorn.Server(config)
    listening = socket.create_server(("127.0.0.1", 0))
    thread = Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    try:
        yield listening.getsockname()[1]
    finally:
        server.should_exit = True
        thread.join(20)
        listening.close()


def connect(port: int) -> socket.socket:
    """Return a connection to a server on this machine."""
    return socket.create_connection(("127.0.0.1", port), timeout=20)
