"""``srsign serve``: the service, for browsers, programs and signing agents."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Annotated

import typer

from sr.cli.command import register
from sr.cli.service import service_libraries
from sr.cli.shell import Shell
from sr.errors import ExternalServiceError

__all__ = ["add_commands"]

_EXAMPLES = """
srsign serve --demo
srsign serve
SRSIGN_STORE__URL=sqlite:////srv/srsign.db srsign serve --host 10.0.0.7 --port 8443
"""
_APPLICATION = "sr.web.serving:application"
_CONNECTION = "sr.web.guard.connection:Connection"


def add_commands(app: typer.Typer) -> None:
    """Add ``serve``."""
    register(app, "serve", examples=_EXAMPLES)(serve)


def serve(
    shell: Shell,
    host: Annotated[
        str | None,
        typer.Option("--host", help="Address to listen at; also the setting service.host."),
    ] = None,
    port: Annotated[
        int | None, typer.Option("--port", help="Port to listen at; also the setting service.port.")
    ] = None,
    demo: Annotated[
        bool, typer.Option("--demo", help="People, keys and images of nobody, in one folder.")
    ] = False,
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="Folder of the demonstration.")
    ] = Path("srsign-serve-demo"),
) -> int:
    """Serve reports, signing sessions, approvals and checks over HTTP.

    Pages for people, /api/v1 for programs and signing agents, and a worker for long jobs, in one
    process until Ctrl-C. What it works with is set in configuration files and SRSIGN_SECTION__KEY
    variables; srsign config show prints them, srsign doctor says what is missing. With --demo it
    starts from a filled worklist, and whoever is at this machine may be anybody.
    """
    from sr.app.settings import current_settings

    with service_libraries():
        import uvicorn
    from sr.net.server_tls import server_tls

    if demo:
        from sr.compose.service import demo_service

        os.environ.update(demo_service(out.absolute()))
        current_settings.cache_clear()
    settings = current_settings().service
    address, number = host or settings.host, settings.port if port is None else port
    configured = uvicorn.Config(
        _APPLICATION,
        factory=True,
        host=address,
        port=number,
        log_level="warning",
        access_log=False,
        server_header=False,
        http=_CONNECTION,
        loop="asyncio",  # which the limits of a connection are tested with, whatever is installed
        ws="none",
        proxy_headers=False,  # see http.proxies
        timeout_graceful_shutdown=10,
    )
    configured.load()
    configured.ssl = server_tls(settings)
    listening = _listening(address, number)
    scheme, bound = "https" if configured.ssl else "http", listening.getsockname()[1]
    shell.tell(f"serving at {scheme}://{_host(address)}:{bound}; stop with Ctrl-C")
    if demo:
        store = os.environ["SRSIGN_STORE__URL"]
        shell.tell(f"a key for programs: SRSIGN_STORE__URL={store} srsign api-key add anna")
    uvicorn.Server(configured).run(sockets=[listening])
    return 0


def _listening(address: str, port: int) -> socket.socket:
    """Return a socket at which callers wait until the service is there.

    Raises:
        ExternalServiceError: The address is taken, or none of this machine.
    """
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        return socket.create_server((address, port), family=family)
    except (OSError, OverflowError) as error:
        raise ExternalServiceError(
            f"cannot listen at {_host(address)}:{port}: {error}", hint="see --host and --port"
        ) from error


def _host(address: str) -> str:
    return f"[{address}]" if ":" in address else address
