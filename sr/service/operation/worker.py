"""The worker: one thread that does jobs, one that says so, and sweeps.

A service has one in its process; ``srsign worker`` is one alone.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import suppress

from sr.errors import SRError
from sr.service.context import Context
from sr.service.operation.jobs import Handler, Run, run_next
from sr.service.operation.recovery import sweep
from sr.service.operation.upkeep import Upkeep

__all__ = ["Worker"]

_LOOK_SECONDS = 1.0
_PATIENCE_SECONDS = 10.0
_SWEEP_SECONDS = 10.0  # also how often a job at work is said to be alive


class Worker:
    """Does queued jobs until it is stopped."""

    def __init__(
        self, context: Context, handlers: Mapping[str, Handler], upkeep: Upkeep | None = None
    ) -> None:
        self._context = context
        self._upkeep = upkeep
        self._handlers = handlers
        self._stopping = threading.Event()
        self._run: Run | None = None
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Begin, in threads of its own."""
        self._threads = [self._thread(self._work), self._thread(self._watch)]

    def stop(self) -> None:
        """Take no further job, and give the one at work a little time; else it is done again."""
        self._stopping.set()
        for thread in self._threads:
            thread.join(_PATIENCE_SECONDS)

    def _thread(self, target: Callable[[], None]) -> threading.Thread:
        thread = threading.Thread(target=target, name=f"srsign-{target.__name__}", daemon=True)
        thread.start()
        return thread

    def _work(self) -> None:
        while not self._stopping.is_set():
            try:
                found = run_next(self._context, self._handlers, self._started)
            except SRError:  # the database does not answer; it may later
                found = None
            self._run = None
            if found is None:
                self._stopping.wait(_LOOK_SECONDS)

    def _started(self, run: Run) -> None:
        self._run = run

    def _watch(self) -> None:
        while not self._stopping.wait(_SWEEP_SECONDS):
            with suppress(SRError):
                if (run := self._run) is not None:
                    run.alive()
                sweep(self._context)
            if self._upkeep is not None:
                self._upkeep.look()
