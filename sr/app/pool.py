"""Work on many files by several processes, results in the order of the files.

Threads would not help: a scanner in Python holds the interpreter lock. Only a few chunks are under
way at any time, so a batch of any length costs the same memory and can be stopped at once.
"""

from __future__ import annotations

import multiprocessing
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from multiprocessing.context import BaseContext
from typing import TypeVar

from sr.errors import ExternalServiceError

__all__ = ["each"]

_LARGEST_CHUNK = 16
_CHUNKS_EACH = 3
"""Chunks under way for each process: one being worked on, the others waiting beside it."""
_SHARES = 4
"""Chunks that each process gets at least, so that none is idle while another works long."""

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


def each(
    work: Callable[[_Item], _Result], items: Iterable[_Item], *, jobs: int
) -> Iterator[_Result]:
    """Yield what ``work`` returns for each item, in order, as soon as it is known.

    Args:
        work: A function of a module, or a ``partial`` of one; what it takes and returns, and any
            ``SRError`` it raises, goes from process to process.
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
    pool = ProcessPoolExecutor(jobs, mp_context=_context(), initializer=_ignore_interrupts)
    try:
        yield from _collect(pool, work, iter(waiting), size, jobs * _CHUNKS_EACH)
    except BrokenProcessPool as error:
        raise ExternalServiceError(
            "a worker process was ended from outside",
            hint="the system may be short of memory; try fewer jobs",
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


def _collect(
    pool: ProcessPoolExecutor,
    work: Callable[[_Item], _Result],
    items: Iterator[_Item],
    size: int,
    window: int,
) -> Iterator[_Result]:
    under_way: deque[Future[list[_Result]]] = deque()
    for chunk in iter(lambda: list(islice(items, size)), []):
        under_way.append(pool.submit(_work_on, work, chunk))
        if len(under_way) == window:
            yield from under_way.popleft().result()
    while under_way:
        yield from under_way.popleft().result()


def _work_on(work: Callable[[_Item], _Result], chunk: list[_Item]) -> list[_Result]:
    return [work(item) for item in chunk]


def _context() -> BaseContext:
    """Return how processes start: from a server that imports once, where there is one.

    A plain fork would copy locks that threads of this process hold.
    """
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["__main__", "sr.app.mac_pool"])
    return context


def _ignore_interrupts() -> None:
    """Leave Ctrl-C, which every process of a terminal gets, to the process that collects."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
