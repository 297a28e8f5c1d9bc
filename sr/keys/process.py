"""The parent's side of the worker: start it, ask it, notice when it dies, start another.

python-pkcs11 crashes under threads and its logins belong to a process, so one process owns it and
all calls are made one after another. A request reaches the worker through its standard input, so
a PIN is neither on a command line nor in an environment. After a failure the worker is ended: the
next call meets a fresh one, with nobody logged in. What holds a PIN is asked when nothing else is
under way; the signatures of a stack that is logged in already may wait in line (``sr.keys.pipe``).
"""

from __future__ import annotations

import atexit
import json
import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from sr.errors import SignerUnavailableError
from sr.keys.pipe import WorkerPipe
from sr.keys.worker import raise_answer

__all__ = ["TokenProcess", "TokenWorker", "shared_worker"]

Message = dict[str, Any]

BOOT = (
    "import json, sys; sys.path[:] = json.loads(sys.argv.pop());"
    " from sr.keys.worker import serve; serve()"
)
_OURS = "SRSIGN_"
CALL_SECONDS = 120.0  # somebody may be typing at a PIN pad


class TokenWorker(Protocol):
    """Something that answers requests about tokens."""

    def call(
        self, request: Message, *, environment: Mapping[str, str], queued: bool = False
    ) -> Message:
        """Return the answer.

        Args:
            request: As ``sr.keys.worker.answer`` takes it.
            environment: Variables of the worker that differ from this process's.
            queued: Whether the request may be sent while others wait for their answers. Only for
                what holds no PIN: a failure may be on its way that ends the login.

        Raises:
            SRError: What the worker answered, or ``SignerUnavailableError`` if it did not.
        """
        ...


class TokenProcess:
    """A worker process, started at the first call and again after a failure.

    Args:
        seconds: How long an answer may take.
        boot: What the process runs; another program is for tests of the crash paths.
    """

    def __init__(self, *, seconds: float = CALL_SECONDS, boot: str = BOOT) -> None:
        self._seconds = seconds
        self._boot = boot
        self._lock = threading.Lock()
        self._pipe: WorkerPipe | None = None
        self._environment: dict[str, str] = {}

    def forget(self) -> None:
        """Let go of the worker without ending it: after a fork it is the parent's."""
        self._lock = threading.Lock()
        pipe, self._pipe = self._pipe, None
        if pipe is not None:
            pipe.disown()

    @property
    def pid(self) -> int | None:
        """Process id of the running worker."""
        return None if self._pipe is None or self._pipe.is_spoiled else self._pipe.pid

    def call(
        self, request: Message, *, environment: Mapping[str, str], queued: bool = False
    ) -> Message:
        """Return the worker's answer; calls from several threads wait for each other.

        A call that is not queued has the worker for itself: what was asked before is answered,
        and nothing is asked until its own answer is there.

        Raises:
            SRError: What the worker answered.
            SignerUnavailableError: The worker ended, or did not answer in time.
        """
        variables = {**_inherited(), **environment}
        return self._queued(request, variables) if queued else self._alone(request, variables)

    def close(self) -> None:
        """End the worker; the next call starts another."""
        with self._lock:
            self._retire()

    def _alone(self, request: Message, environment: dict[str, str]) -> Message:
        with self._lock:
            if self._pipe is not None:
                self._pipe.drain()
            pipe = self._running(environment)
            try:
                reply = pipe.receive(pipe.send(request))
                raise_answer(reply)
            except BaseException:
                # Also when interrupted: a late answer must not be taken for the next one.
                self._end()
                raise
            return reply

    def _queued(self, request: Message, environment: dict[str, str]) -> Message:
        try:
            with self._lock:
                pipe = self._running(environment)
                number = pipe.send(request)
            reply = pipe.receive(number)
            raise_answer(reply)
        except BaseException:
            self._retire_spoiled()
            raise
        return reply

    def _running(self, environment: dict[str, str]) -> WorkerPipe:
        pipe = self._pipe
        if pipe is not None and pipe.is_usable and self._environment == environment:
            return pipe
        self._retire()
        pipe = self._pipe = WorkerPipe(_start(self._boot, environment), seconds=self._seconds)
        self._environment = environment
        return pipe

    def _retire_spoiled(self) -> None:
        # Whoever has the lock meanwhile ends it before its own call, or when that fails too.
        if self._lock.acquire(blocking=False):
            try:
                if self._pipe is not None and self._pipe.is_spoiled:
                    self._retire()
            finally:
                self._lock.release()

    def _retire(self) -> None:
        if self._pipe is not None:
            self._pipe.drain()
            self._end()

    def _end(self) -> None:
        pipe, self._pipe = self._pipe, None
        if pipe is not None:
            pipe.end()


def _inherited() -> dict[str, str]:
    """Return the environment without our settings: a token's library has no use for them.

    The address of the database may hold a password.
    """
    return {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}


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


_shared = TokenProcess()
atexit.register(_shared.close)
# A forked child must not talk into its parent's pipes.
os.register_at_fork(after_in_child=_shared.forget)


def shared_worker() -> TokenWorker:
    """Return the one worker of this process."""
    return _shared
