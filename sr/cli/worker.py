"""``srsign worker``: does the jobs of a service, without answering anybody."""

from __future__ import annotations

import signal
import threading

import typer

from sr.cli.command import register
from sr.cli.service import configured_service
from sr.cli.shell import Shell

__all__ = ["add_commands"]

_EXAMPLES = """
srsign worker
SRSIGN_STORE__URL=postgresql://srsign@db.example.org/srsign srsign worker
"""


def add_commands(app: typer.Typer) -> None:
    """Add ``worker``."""
    register(app, "worker", examples=_EXAMPLES)(worker)


def worker(shell: Shell) -> int:
    """Do the jobs of the service until stopped.

    srsign serve does them itself; a worker of its own is for another machine, on PostgreSQL. A job
    whose worker went away is taken up again.
    """
    from sr.app.settings import current_settings

    context = configured_service()
    from sr.compose.service import service_upkeep
    from sr.service.operation.job_kinds import HANDLERS
    from sr.service.operation.worker import Worker

    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    upkeep = service_upkeep(
        current_settings(), context, lambda task, code: shell.tell(f"{task}: {code}")
    )
    at_work = Worker(context, HANDLERS, upkeep)
    at_work.start()
    shell.tell("doing jobs; stop with Ctrl-C")
    ended.wait()
    at_work.stop()
    context.server_keys.close()
    context.database.close()
    return 0
