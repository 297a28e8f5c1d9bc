"""The worker process: crashes, hangs and nonsense end in an error, and the next call works."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from sr.errors import ConfigurationError, SignerUnavailableError
from sr.keys.process import BOOT, TokenProcess
from tests.support.canary import PIN_CANARY

pytest.importorskip("pkcs11")

# Each reads a request and then does not answer it properly.
ECHO = "import sys\nfor line in sys.stdin: print(line, end='', flush=True)"
FAULTS = {
    "ends at once": "pass",
    "ends": "import sys; sys.stdin.readline()",
    "crashes": "import os, sys; sys.stdin.readline(); os.abort()",
    "segfaults": "import os, sys; sys.stdin.readline(); os.kill(os.getpid(), 11)",
    "answers nonsense": "import sys; sys.stdin.readline(); print('no json', flush=True)",
    "answers a number": "import sys; sys.stdin.readline(); print('7', flush=True)",
    "answers half a line": "import sys; sys.stdin.readline(); print('{\"a', end='', flush=True)",
    "closes its pipe": "import os, sys; sys.stdin.readline(); os.close(1); sys.stdin.readline()",
    "syntax error": "(",
}


@pytest.fixture
def process() -> Iterator[TokenProcess]:
    """Yield a worker process of the real program."""
    worker = TokenProcess()
    yield worker
    worker.close()


def ask(worker: TokenProcess, **request: Any) -> dict[str, Any]:
    return worker.call(request, environment={})


def missing_module(worker: TokenProcess) -> None:
    with pytest.raises(ConfigurationError):
        ask(worker, operation="list", uri="pkcs11:?module-path=/no/module.so")


@pytest.mark.parametrize("fault", FAULTS)
def test_a_worker_that_fails_is_unavailable(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """However the worker fails, the call says so, and the next one meets a fresh worker."""
    worker = TokenProcess(boot=FAULTS[fault])
    with pytest.raises(SignerUnavailableError):
        ask(worker, n=1)
    assert worker.pid is None
    monkeypatch.setattr(worker, "_boot", ECHO)
    assert ask(worker, n=2) == {"n": 2}
    worker.close()


def test_a_worker_that_hangs_is_ended() -> None:
    """A worker that does not answer in time is killed, even if it ignores its end of input."""
    hang = "import sys, time; sys.stdin.readline(); print('{', end='', flush=True); time.sleep(600)"
    worker = TokenProcess(seconds=0.2, boot=hang)
    with pytest.raises(SignerUnavailableError):
        ask(worker, n=1)
    assert worker.pid is None


def test_a_worker_that_was_killed_is_replaced() -> None:
    """A worker that died between two calls is not noticed by the caller."""
    worker = TokenProcess(boot=ECHO)
    assert ask(worker, n=1) == {"n": 1}
    first = worker.pid
    assert first is not None
    os.kill(first, 9)
    os.waitid(os.P_PID, first, os.WEXITED | os.WNOWAIT)
    assert ask(worker, n=2) == {"n": 2}
    assert worker.pid != first
    worker.close()


@pytest.mark.parametrize("queued", [True, False])
def test_an_interrupted_call_does_not_leave_its_answer_behind(queued: bool) -> None:
    """After an interrupt the late answer of the old worker is not taken for the next one's."""
    interrupts = "import os, sys; sys.stdin.readline(); os.kill(os.getppid(), 2); sys.stdin.read()"
    worker = TokenProcess(boot=interrupts)
    with pytest.raises(KeyboardInterrupt):
        worker.call({"n": 1}, environment={}, queued=queued)
    assert worker.pid is None
    assert worker._pipe is None


def test_one_worker_serves_many_threads() -> None:
    """Calls of several threads wait for each other and each gets its own answer."""
    worker = TokenProcess(boot=ECHO)
    answers: dict[int, list[dict[str, Any]]] = {}

    def call(thread: int) -> None:
        answers[thread] = [ask(worker, thread=thread, n=n) for n in range(20)]

    threads = [threading.Thread(target=call, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    worker.close()
    assert answers == {t: [{"thread": t, "n": n} for n in range(20)] for t in range(8)}


def test_a_worker_killed_under_load_confuses_nobody() -> None:
    """Whenever the worker is killed, each call gets its own answer or hears of the failure."""
    worker = TokenProcess(boot=ECHO)
    strange: list[object] = []
    refused: list[SignerUnavailableError] = []

    def call(thread: int) -> None:
        for n in range(20):
            try:
                if ask(worker, thread=thread, n=n) != {"thread": thread, "n": n}:
                    strange.append((thread, n))
            except SignerUnavailableError as error:
                refused.append(error)
            except BaseException as error:
                strange.append(error)
            if n % 5 == thread and (pipe := worker._pipe) is not None:
                pipe._process.kill()

    threads = [threading.Thread(target=call, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    worker.close()
    assert not strange
    assert ask(worker, n=1) == {"n": 1}
    worker.close()


def test_a_long_answer_is_read_whole() -> None:
    """An answer longer than a pipe buffer arrives whole."""
    worker = TokenProcess(boot=ECHO)
    assert ask(worker, text="x" * 1_000_000) == {"text": "x" * 1_000_000}
    worker.close()


def test_another_environment_is_another_worker() -> None:
    """A worker never answers for a store that its environment does not name."""
    show = (
        "import json, os, sys\n"
        "for line in sys.stdin:"
        " print(json.dumps(json.loads(line) | dict(os.environ)), flush=True)"
    )
    worker = TokenProcess(boot=show)
    first = worker.call({}, environment={"SOFTHSM2_CONF": "/a"})
    pid = worker.pid
    assert worker.call({}, environment={"SOFTHSM2_CONF": "/a"}) == first
    assert worker.pid == pid
    assert worker.call({}, environment={"SOFTHSM2_CONF": "/b"})["SOFTHSM2_CONF"] == "/b"
    assert first["SOFTHSM2_CONF"] == "/a"
    worker.close()


def test_the_real_worker_answers_and_is_replaced_after_a_failure(process: TokenProcess) -> None:
    """A failure in the worker arrives as our error, and nobody stays logged in: it is ended."""
    missing_module(process)
    assert process.pid is None
    missing_module(process)


def test_what_a_module_prints_is_no_answer(tmp_path: Path) -> None:
    """Standard output and input of the real worker are not those of the pipe."""
    boot = BOOT.replace(
        "serve()",
        "import sr.keys.worker as w, os; w._OPERATIONS['list'] = lambda *_:"
        " (os.write(1, b'noise'), print('noise', flush=True), {'read': os.read(0, 9).hex()})[-1];"
        " w._load = lambda path: None; serve()",
    )
    worker = TokenProcess(boot=boot)
    assert ask(worker, operation="list", uri="pkcs11:?module-path=/no/module.so") == {"read": ""}
    worker.close()


def test_no_secret_is_on_the_command_line() -> None:
    """The command line and the environment of the worker hold nothing of a request."""
    canary = PIN_CANARY
    worker = TokenProcess(boot=ECHO)
    assert ask(worker, pin=canary) == {"pin": canary}
    shown = [Path(f"/proc/{worker.pid}/{name}").read_bytes() for name in ("cmdline", "environ")]
    worker.close()
    assert all(shown)
    assert canary.encode() not in b"".join(shown)


def test_settings_are_not_the_worker_s(monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings in the environment, with a password maybe, reach no library of a token."""
    monkeypatch.setenv("SRSIGN_STORE__URL", f"postgresql://srsign:{PIN_CANARY}@db/srsign")
    monkeypatch.setenv("OF_THE_SYSTEM", "stays")
    worker = TokenProcess(boot=ECHO)
    ask(worker)
    shown = Path(f"/proc/{worker.pid}/environ").read_bytes()
    worker.close()
    assert b"OF_THE_SYSTEM=stays" in shown
    assert PIN_CANARY.encode() not in shown


def test_importing_keys_loads_no_token_library() -> None:
    """The library that crashes under threads is loaded in the worker alone."""
    script = (
        "import sys, sr.keys, sr.keys.pkcs11, sr.keys.inventory, sr.keys.process;"
        " sys.exit('pkcs11' in sys.modules or 'pkcs11._pkcs11' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


def test_a_forked_child_has_a_worker_of_its_own() -> None:
    """A child does not talk into its parent's pipes, and does not keep the worker alive."""
    script = f"""
import os
from sr.keys import process
worker = process.shared_worker()
worker._boot = {ECHO!r}
assert worker.call({{"n": 1}}, environment={{}}) == {{"n": 1}}
parents = worker.pid
child = os.fork()
if child == 0:
    assert worker.pid is None
    assert worker.call({{"n": 2}}, environment={{}}) == {{"n": 2}}
    assert worker.pid != parents
    worker.close()
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
assert worker.call({{"n": 3}}, environment={{}}) == {{"n": 3}}
assert worker.pid == parents
"""
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", script], check=False, capture_output=True
    )
    assert (run.returncode, run.stderr) == (0, b"")


def test_a_worker_does_not_outlive_its_parent() -> None:
    """A parent that is killed takes its worker with it."""
    script = f"""
import os
from sr.keys import process
worker = process.shared_worker()
worker._boot = {ECHO!r}
worker.call({{"n": 1}}, environment={{}})
print(worker.pid, flush=True)
os.kill(os.getpid(), 9)
"""
    run = subprocess.run([sys.executable, "-c", script], check=False, capture_output=True)
    orphan = os.pidfd_open(int(run.stdout)) if _alive(int(run.stdout)) else None
    if orphan is not None:
        import select

        assert select.select([orphan], [], [], 30)[0]
        os.close(orphan)


def _alive(pid: int) -> bool:
    with suppress(ProcessLookupError):
        os.kill(pid, 0)
        return True
    return False
