"""The line of requests before one worker process: written in turn, answered in the same order.

Several requests may wait in the pipe, so that the token always has the next one while the threads
that asked take turns in one interpreter. Invariants: a request carries a number that its answer
repeats, and an answer with any other number than the next ends the line; once reading has failed,
nothing is read any more and everybody who waits hears of it; after an error nobody else may ask,
but what was asked before is answered.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import threading
import time
from contextlib import suppress
from typing import Any

from sr.errors import SignerUnavailableError

__all__ = ["WorkerPipe"]

Message = dict[str, Any]

_END_SECONDS = 2.0  # to finish a call: SoftHSM rewrites its store at each login
_CHUNK = 1 << 16


class WorkerPipe:
    """The pipes to a worker process.

    Args:
        process: Its standard input and output are unbuffered pipes.
        seconds: How long an answer may take, from the one before it.
    """

    def __init__(self, process: subprocess.Popen[bytes], *, seconds: float) -> None:
        assert process.stdin is not None  # noqa: S101 - opened as pipes
        assert process.stdout is not None  # noqa: S101
        self._process = process
        self._requests, self._answers = process.stdin, process.stdout
        self._seconds = seconds
        self._readable = select.poll()
        self._readable.register(self._answers, select.POLLIN)
        self._reading = threading.Lock()
        self._sent = 0
        # What follows belongs to the thread that reads.
        self._answered = 0
        self._unread = b""
        self._replies: dict[int, Message] = {}
        self._failure: SignerUnavailableError | None = None
        self._refuses_more = False

    @property
    def pid(self) -> int:
        """Process id of the worker."""
        return self._process.pid

    @property
    def is_spoiled(self) -> bool:
        """Whether something failed, so that nobody else may ask."""
        return self._refuses_more or self._failure is not None

    @property
    def is_usable(self) -> bool:
        """Whether the worker runs and nothing failed."""
        return not self.is_spoiled and self._process.poll() is None

    def send(self, request: Message) -> int:
        """Return the number of a request after writing it; for one thread at a time.

        Raises:
            SignerUnavailableError: The worker ended.
        """
        number = self._sent + 1
        line = json.dumps(request | {"call": number}).encode("ascii") + b"\n"
        try:
            while line:
                line = line[self._requests.write(line) :]
        except BaseException as error:
            self._refuses_more = True  # half a request may be in the pipe
            if isinstance(error, OSError):
                raise _ended(self._process) from error
            raise
        self._sent = number
        return number

    def receive(self, number: int) -> Message:
        """Return the answer to a request; whoever waits first reads also for the others.

        Raises:
            SignerUnavailableError: The worker ended, or did not answer in time.
        """
        with self._reading:
            while number not in self._replies:
                self._read_reply()
            return self._replies.pop(number)

    def drain(self) -> None:
        """Wait until each request has its answer, or will have none."""
        with self._reading, suppress(SignerUnavailableError):
            while self._answered < self._sent:
                self._read_reply()

    def end(self) -> None:
        """End the worker; for the thread that may send, when nobody waits for an answer."""
        with self._reading:
            self._failure = self._failure or SignerUnavailableError("the token worker was ended")
            self._close()
            try:
                self._process.wait(_END_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()

    def disown(self) -> None:
        """Let go of a worker that is not a child of this process, after a fork."""
        self._process.returncode = 0  # so there is nothing to wait for
        self._close()

    def _close(self) -> None:
        for pipe in (self._requests, self._answers):
            with suppress(OSError):
                pipe.close()

    def _read_reply(self) -> None:
        if self._failure is not None:
            raise SignerUnavailableError(str(self._failure), hint=self._failure.hint)
        try:
            reply = _parsed(self._read_line(), self._answered + 1)
        except SignerUnavailableError as error:
            self._failure = error
            raise
        except BaseException:
            self._failure = SignerUnavailableError("a call before was interrupted")
            raise
        self._answered += 1
        self._replies[self._answered] = reply
        if "error" in reply:
            self._refuses_more = True

    def _read_line(self) -> bytes:
        until = time.monotonic() + self._seconds
        while True:
            line, end, rest = self._unread.partition(b"\n")
            if end:
                self._unread = rest
                return line
            if not self._readable.poll(max(0.0, 1e3 * (until - time.monotonic()))):
                raise SignerUnavailableError(
                    f"the token did not answer within {self._seconds:g} seconds"
                )
            chunk = os.read(self._answers.fileno(), _CHUNK)
            if not chunk:
                raise _ended(self._process)
            self._unread += chunk


def _parsed(line: bytes, number: int) -> Message:
    try:
        reply = json.loads(line)
    except ValueError as error:
        raise SignerUnavailableError("the token worker answered nonsense") from error
    if not isinstance(reply, dict) or reply.pop("call", None) != number:
        raise SignerUnavailableError("the token worker did not answer what it was asked")
    return reply


def _ended(process: subprocess.Popen[bytes]) -> SignerUnavailableError:
    with suppress(subprocess.TimeoutExpired):
        process.wait(_END_SECONDS)
    code = process.returncode
    how = "and closed its pipe" if code is None else f"(code {code})"
    return SignerUnavailableError(
        f"the token worker ended unexpectedly {how}", hint="try again; a fresh one is started"
    )
