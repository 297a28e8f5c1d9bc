"""Work on many files by several processes, results in the order of the files.

Threads would not help: a scanner in Python holds the interpreter lock. Only a few chunks are under
way at any time, so a batch of any length costs the same memory and can be stopped at once.

The processes are our own rather than those of ``multiprocessing``, which copy the caller's memory
and locks or run its main module once more; neither is for a library to do.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from itertools import islice
from queue import SimpleQueue
from typing import TypeVar

from sr.app.settings import current_settings
from sr.errors import ExternalServiceError

__all__ = ["each", "jobs_for"]

_LARGEST_CHUNK = 16
_WORTH_A_POOL = 64
_CHUNKS_EACH = 3
"""Chunks under way for each process: one being worked on, the others waiting beside it."""
_SHARES = 4
"""Chunks that each process gets at least, so that none is idle while another works long."""

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


def jobs_for(count: int) -> int:
    """Return how many processes work on that many files; few are not worth starting any."""
    wanted = current_settings().mac.jobs or os.cpu_count() or 1
    return wanted if count >= _WORTH_A_POOL else 1


def each(
    work: Callable[[_Item], _Result], items: Iterable[_Item], *, jobs: int
) -> Iterator[_Result]:
    """Yield what ``work`` returns for each item, in order, as soon as it is known.

    Args:
        work: A function of a module other than the main one, or a ``partial`` of one; what it
            takes, returns and raises goes from process to process.
        items: What to work on.
        jobs: How many processes; with one, everything happens in this one.

    Raises:
        ExternalServiceError: A process was killed, by want of memory for instance.
    """
    waiting = items if isinstance(items, Sequence) else tuple(items)
    jobs = min(jobs, len(waiting))
    if jobs <= 1:
        yield from map(work, waiting)
        return
    size = max(1, min(_LARGEST_CHUNK, len(waiting) // (jobs * _SHARES)))
    workers = [_Worker() for _ in range(jobs)]
    idle: SimpleQueue[_Worker] = SimpleQueue()
    for worker in workers:
        idle.put(worker)

    def ask(chunk: list[_Item]) -> list[_Result]:
        worker = idle.get()
        try:
            return worker.ask(work, chunk)
        finally:
            idle.put(worker)

    threads = ThreadPoolExecutor(jobs)
    try:
        yield from _collect(threads, ask, iter(waiting), size, jobs * _CHUNKS_EACH)
    finally:
        for worker in workers:
            worker.kill()
        threads.shutdown(cancel_futures=True)
        for worker in workers:
            worker.bury()


class _Worker:
    """A process that runs ``sr.app.worker``."""

    def __init__(self) -> None:
        start = f"import sys; sys.path[:] = {sys.path!r}; import sr.app.worker as w; w.serve()"
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-c", start],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            process_group=0,  # Ctrl-C at a terminal is for the process that collects
        )

    def ask(self, work: Callable[[_Item], _Result], chunk: list[_Item]) -> list[_Result]:
        """Return the results for one chunk."""
        assert self._process.stdin is not None  # noqa: S101 - for the type checker
        assert self._process.stdout is not None  # noqa: S101
        try:
            pickle.dump((work, chunk), self._process.stdin)
            self._process.stdin.flush()
            went_well, answer = pickle.load(self._process.stdout)  # noqa: S301 - our own process
        except (EOFError, OSError, pickle.UnpicklingError) as error:
            raise ExternalServiceError(
                "a worker process was ended from outside",
                hint="the system may be short of memory; try fewer jobs",
            ) from error
        if not went_well:
            raise answer
        results: list[_Result] = answer
        return results

    def kill(self) -> None:
        """End the process, whatever it does."""
        self._process.kill()

    def bury(self) -> None:
        """Free what a killed process leaves behind."""
        with suppress(BrokenPipeError):
            self._process.communicate()


def _collect(
    threads: ThreadPoolExecutor,
    ask: Callable[[list[_Item]], list[_Result]],
    items: Iterator[_Item],
    size: int,
    window: int,
) -> Iterator[_Result]:
    under_way: deque[Future[list[_Result]]] = deque()
    for chunk in iter(lambda: list(islice(items, size)), []):
        under_way.append(threads.submit(ask, chunk))
        if len(under_way) == window:
            yield from under_way.popleft().result()
    while under_way:
        yield from under_way.popleft().result()
