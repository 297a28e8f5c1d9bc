"""Several requests before one worker: nobody gets another's answer, and nobody waits for ever."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from sr.errors import ConfigurationError, SignerUnavailableError, SRError
from sr.keys.pipe import WorkerPipe
from sr.keys.process import TokenProcess, _start

CALLERS = 4
ECHO = "import sys\nfor line in sys.stdin: print(line, end='', flush=True)"
# Reads a request of each caller before it does anything, so all of them wait at once.
GATHERS = f"""
import json, sys, time
asked = [json.loads(sys.stdin.readline()) for _ in range({CALLERS})]
def answer(*replies):
    print(*map(json.dumps, replies), sep="\\n", flush=True)
"""
REFUSAL = "{'call': 2, 'error': 'ConfigurationError', 'message': '', 'hint': None}"
GOES_ON = "\nfor line in sys.stdin: print(line, end='', flush=True)"


@pytest.fixture
def worker(request: pytest.FixtureRequest) -> Iterator[TokenProcess]:
    """Yield a process that runs the parameter."""
    process = TokenProcess(seconds=30.0, boot=request.param)
    yield process
    process.close()


def ask_at_once(worker: TokenProcess, *, queued: bool = True) -> list[int | SRError]:
    """Return what each of several callers is told: the number it asked with, or an error."""
    told: list[int | SRError] = []

    def call(n: int) -> None:
        try:
            reply = worker.call({"n": n}, environment={}, queued=queued)
            assert reply == {"n": n}
            told.append(n)
        except SRError as error:
            told.append(error)

    in_threads(call)
    assert len(told) == CALLERS
    return told


def in_threads(call: Callable[[int], None]) -> None:
    threads = [threading.Thread(target=call, args=(n,)) for n in range(CALLERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def works_again(worker: TokenProcess) -> bool:
    worker._boot = ECHO
    return worker.call({"n": 7}, environment={}) == {"n": 7}


@pytest.mark.parametrize("worker", [GATHERS + "answer(*asked)"], indirect=True)
def test_queued_requests_wait_together(worker: TokenProcess) -> None:
    """The worker has all requests before it answers the first, and each caller gets its own."""
    assert sorted(ask_at_once(worker)) == list(range(CALLERS))  # type: ignore[type-var]


def test_other_requests_do_not_wait_together() -> None:
    """A request that may hold a PIN is written when no other is under way."""
    worker = TokenProcess(seconds=0.3, boot=GATHERS + "answer(*asked)")
    told = ask_at_once(worker, queued=False)
    assert {type(each) for each in told} == {SignerUnavailableError}


FAULTS = {
    "ends": "",
    "aborts": "import os; os.abort()",
    "answers one, then ends": "answer(asked[0])",
    "answers nonsense": "print('no json', flush=True); sys.stdin.read()",
    "answers half a line": "print('{\"a', end='', flush=True)",
    "answers the last first": "answer(*reversed(asked)); sys.stdin.read()",
    "forgets one": "answer(*asked[1:]); sys.stdin.read()",
    "answers one twice": "answer(asked[0], asked[0], *asked[1:]); sys.stdin.read()",
    "names no number": "answer(*[{'n': each['n']} for each in asked]); sys.stdin.read()",
    "counts in words": "answer(*[each | {'call': str(each['call'])} for each in asked])",
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_failure_is_told_to_everybody_who_waits(fault: str) -> None:
    """However the worker fails, nobody gets another's answer or waits, and the next call works."""
    worker = TokenProcess(seconds=30.0, boot=GATHERS + FAULTS[fault])
    told = ask_at_once(worker)
    answered = [each for each in told if isinstance(each, int)]
    refused = [each for each in told if not isinstance(each, int)]
    assert {type(error) for error in refused} == {SignerUnavailableError}
    assert len(answered) == (1 if "one, then" in fault or "twice" in fault else 0)
    assert works_again(worker)
    worker.close()


def test_a_worker_that_hangs_is_told_to_everybody_who_waits() -> None:
    """A worker that answers nobody in time is unavailable to all, and is replaced."""
    worker = TokenProcess(seconds=0.2, boot=GATHERS + "time.sleep(600)")
    assert {type(each) for each in ask_at_once(worker)} == {SignerUnavailableError}
    assert worker.pid is None
    worker._seconds = 30.0
    assert works_again(worker)
    worker.close()


@pytest.mark.parametrize(
    "worker", [GATHERS + f"answer(asked[0], {REFUSAL}, *asked[2:])" + GOES_ON], indirect=True
)
def test_an_error_in_the_middle_is_told_to_one(worker: TokenProcess) -> None:
    """The others get their own answers, before and after it, and the worker is replaced."""
    told = ask_at_once(worker)
    refused = [each for each in told if not isinstance(each, int)]
    assert [type(error) for error in refused] == [ConfigurationError]
    assert worker.pid is None
    assert works_again(worker)


@pytest.mark.parametrize("queued", [True, False])
def test_a_worker_that_failed_is_asked_nothing_more(queued: bool) -> None:
    """After an error answer nobody meets the worker that gave it."""
    refuses = f"print(json.dumps({REFUSAL.replace('2', '1')}), flush=True); sys.stdin.read()"
    worker = TokenProcess(boot="import sys, json; sys.stdin.readline(); " + refuses)
    with pytest.raises(ConfigurationError):
        worker.call({}, environment={}, queued=queued)
    assert worker._pipe is None
    assert works_again(worker)
    worker.close()


# Answers whatever came in one piece at once, and says where a request was not alone in it.
_TELLS = """
import json, os
unread = b""
while chunk := os.read(0, 65536):
    *lines, unread = (unread + chunk).split(b"\\n")
    asked = [json.loads(line) for line in lines]
    for each in asked:
        together = each["alone"] and (len(asked) > 1 or bool(unread))
        os.write(1, json.dumps({"call": each["call"], "together": together}).encode() + b"\\n")
"""


@pytest.mark.parametrize("worker", [_TELLS], indirect=True)
def test_what_is_asked_alone_is_alone(worker: TokenProcess) -> None:
    """Between queued requests of others, a call that is not queued has the worker for itself."""
    together: list[bool] = []

    def call(thread: int) -> None:
        for n in range(100):
            alone = (n + thread) % 3 == 0
            reply = worker.call({"alone": alone}, environment={}, queued=not alone)
            together.append(reply["together"])

    in_threads(call)
    assert together == [False] * (100 * CALLERS)


@pytest.mark.parametrize("worker", [ECHO], indirect=True)
def test_a_call_for_another_store_takes_nobodys_answer(worker: TokenProcess) -> None:
    """Callers who need different environments end a worker when it has answered the others."""
    told: list[dict[str, Any]] = []

    def call(thread: int) -> None:
        for _ in range(10):
            store = {"SOFTHSM2_CONF": f"/{thread % 2}"}
            told.append(worker.call({"n": thread}, environment=store, queued=True))

    in_threads(call)
    assert len(told) == 10 * CALLERS


@pytest.fixture
def pipe() -> Iterator[WorkerPipe]:
    """Yield a pipe to an echo."""
    line = WorkerPipe(_start(ECHO, {}), seconds=30.0)
    yield line
    line.end()


def test_an_answer_that_nobody_fetches_is_nobody_elses(pipe: WorkerPipe) -> None:
    """A caller that was interrupted leaves its answer behind, and the next still gets its own."""
    pipe.send({"n": 1})
    second, third = pipe.send({"n": 2}), pipe.send({"n": 3})
    assert pipe.receive(third) == {"n": 3}
    assert pipe.receive(second) == {"n": 2}
    pipe.drain()
    assert not pipe.is_spoiled


def test_an_interrupt_while_reading_ends_the_line(pipe: WorkerPipe) -> None:
    """What was read of an answer is lost, so nobody reads on behind it."""

    class Interrupted:
        def poll(self, _milliseconds: float) -> Any:
            raise KeyboardInterrupt

    first, second = pipe.send({"n": 1}), pipe.send({"n": 2})
    pipe._readable = Interrupted()  # type: ignore[assignment]
    with pytest.raises(KeyboardInterrupt):
        pipe.receive(first)
    assert pipe.is_spoiled
    with pytest.raises(SignerUnavailableError):
        pipe.receive(second)
