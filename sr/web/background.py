"""What a serving process does besides answering: it recovers, sweeps, and does jobs."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress

from anyio.to_thread import current_default_thread_limiter
from fastapi import FastAPI

from sr.app.audit import AuditAction
from sr.errors import SRError
from sr.service.access import THE_SERVICE
from sr.service.context import Context
from sr.service.events import record
from sr.service.operation.job_kinds import HANDLERS
from sr.service.operation.recovery import recover
from sr.service.operation.upkeep import Upkeep
from sr.service.operation.worker import Worker

__all__ = ["background"]

_THREADS = 128
"""Requests at work; most of them wait, for the disk or for their turn to compute."""
_SECONDS_A_TURN = 0.001
"""Until another thread may go on, so that short answers need not wait for long ones."""


def background(
    context: Context, upkeep: Upkeep | None = None
) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    """Return the life of an application: what is done before its first request and after its last.

    Args:
        context: The service; its database and keys are closed at the end.
        upkeep: What is to be done again and again.
    """

    @asynccontextmanager
    async def life(_app: FastAPI) -> AsyncIterator[None]:
        recover(context)
        current_default_thread_limiter().total_tokens = _THREADS
        sys.setswitchinterval(_SECONDS_A_TURN)
        worker = Worker(context, HANDLERS, upkeep)
        worker.start()
        try:
            yield
        finally:
            worker.stop()
            with suppress(SRError), context.database.write() as connection:
                record(context, connection, THE_SERVICE, AuditAction.SERVICE_STOPPED)
            context.server_keys.close()
            context.database.close()

    return life
