"""The parent's side of the worker: start it, ask it, notice when it dies, start another.

python-pkcs11 crashes under threads and its logins belong to a process, so one process owns it and
all calls are made one after another. A request reaches the worker through its standard input, so
a PIN is neither on a command line nor in an environment. After a failure the worker is ended: the
next call meets a fresh one, with nobody logged in.
"""

from __future__ import annotations

import atexit
import json
import os
import selectors
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

from sr.errors import SignerUnavailableError
from sr.keys.worker import raise_answer

__all__ = ["TokenProcess", "TokenWorker", "shared_worker"]

Message = dict[str, Any]

BOOT = (
    "import json, sys; sys.path[:] = json.loads(sys.argv.pop());"
    " from sr.keys.worker import serve; serve()"
)
CALL_SECONDS = 120.0  # somebody may be typing at a PIN pad
_END_SECONDS = 2.0  # to finish a call: SoftHSM rewrites its store at each login
_CHUNK = 1 << 16


class TokenWorker(Protocol):
    """Something that answers requests about tokens."""

    def call(self, request: Message, *, environment: Mapping[str, str]) -> Message:
        """Return the answer.

        Args:
            request: As ``sr.keys.worker.answer`` takes it.
            environment: Variables of the worker that differ from this process's.

        Raises:
            SRError: What the worker answered, or ``SignerUnavailableError`` if it did not.
        """
        ...


class TokenProcess:
    """A worker process, started at the first call and again after a failure.

    Args:
        seconds: How long a call may take.
        boot: What the process runs; another program is for tests of the crash paths.
    """

    def __init__(self, *, seconds: float = CALL_SECONDS, boot: str = BOOT) -> None:
        self._seconds = seconds
        self._boot = boot
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._environment: dict[str, str] = {}

    def forget(self) -> None:
        """Let go of the worker without ending it: after a fork it is the parent's."""
        self._lock = threading.Lock()
        process, self._process = self._process, None
        if process is not None:
            process.returncode = 0  # not our child, so there is nothing to wait for
            _close_pipes(process)

    @property
    def pid(self) -> int | None:
        """Process id of the running worker."""
        return None if self._process is None else self._process.pid

    def call(self, request: Message, *, environment: Mapping[str, str]) -> Message:
        """Return the worker's answer; calls from several threads wait for each other.

        Raises:
            SRError: What the worker answered.
            SignerUnavailableError: The worker ended, or did not answer in time.
        """
        with self._lock:
            try:
                process = self._running({**os.environ, **environment})
                reply = self._exchange(process, json.dumps(request).encode("ascii") + b"\n")
                raise_answer(reply)
            except BaseException:
                # Also when interrupted: a late answer must not be taken for the next one.
                self._end()
                raise
            return reply

    def close(self) -> None:
        """End the worker; the next call starts another."""
        with self._lock:
            self._end()

    def _running(self, environment: dict[str, str]) -> subprocess.Popen[bytes]:
        process = self._process
        if process is None or process.poll() is not None or self._environment != environment:
            self._end()
            process = self._process = _start(self._boot, environment)
            self._environment = environment
        return process

    def _exchange(self, process: subprocess.Popen[bytes], line: bytes) -> Message:
        assert process.stdin is not None  # noqa: S101 - opened as a pipe
        assert process.stdout is not None  # noqa: S101
        try:
            while line:
                line = line[process.stdin.write(line) :]
        except OSError as error:
            raise _ended(process) from error
        answer = self._read_line(process, process.stdout.fileno())
        try:
            reply = json.loads(answer)
        except ValueError as error:
            raise SignerUnavailableError("the token worker answered nonsense") from error
        if not isinstance(reply, dict):
            raise SignerUnavailableError("the token worker answered nonsense")
        return reply

    def _read_line(self, process: subprocess.Popen[bytes], descriptor: int) -> bytes:
        until = time.monotonic() + self._seconds
        answer = b""
        with selectors.DefaultSelector() as selector:
            selector.register(descriptor, selectors.EVENT_READ)
            while not answer.endswith(b"\n"):
                if not selector.select(max(0.0, until - time.monotonic())):
                    raise SignerUnavailableError(
                        f"the token did not answer within {self._seconds:g} seconds"
                    )
                chunk = os.read(descriptor, _CHUNK)
                if not chunk:
                    raise _ended(process)
                answer += chunk
        return answer

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        _close_pipes(process)
        try:
            process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _start(boot: str, environment: dict[str, str]) -> subprocess.Popen[bytes]:
    where = json.dumps([entry or str(Path.cwd()) for entry in sys.path])
    try:
        return subprocess.Popen(
            [sys.executable, "-I", "-c", boot, where],
            bufsize=0,  # nothing half written that a fork could copy
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # modules print what they like, some even PINs
            env=environment,
            process_group=0,  # an interrupt at the terminal is for us
        )
    except OSError as error:
        raise SignerUnavailableError(
            f"the token worker does not start: {error.strerror}"
        ) from error


def _close_pipes(process: subprocess.Popen[bytes]) -> None:
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with suppress(OSError):
                pipe.close()


def _ended(process: subprocess.Popen[bytes]) -> SignerUnavailableError:
    with suppress(subprocess.TimeoutExpired):
        process.wait(_END_SECONDS)
    code = process.returncode
    how = "and closed its pipe" if code is None else f"(code {code})"
    return SignerUnavailableError(
        f"the token worker ended unexpectedly {how}", hint="try again; a fresh one is started"
    )


_shared = TokenProcess()
atexit.register(_shared.close)
# A forked child must not talk into its parent's pipes.
os.register_at_fork(after_in_child=_shared.forget)


def shared_worker() -> TokenWorker:
    """Return the one worker of this process."""
    return _shared
