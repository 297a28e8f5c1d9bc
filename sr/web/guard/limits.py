"""Whom the service answers, and how much of it one caller gets: requests, bytes, and time.

Whoever waits too long, sends too much or asks too often is answered at once, and the work of others
goes on. A thread cannot be stopped, so a request that is given up keeps its place until it is done.

Cites: RFC 6585 4; RFC 9110 7.2, 15.5.9, 15.5.14.
"""

from __future__ import annotations

import asyncio
import re
from collections import OrderedDict
from collections.abc import Callable
from hashlib import sha256
from math import ceil
from time import monotonic

from starlette.responses import Response

from sr.web.asgi import Application, Message, Receive, Scope, Send
from sr.web.guard.rates import Buckets
from sr.web.guard.rules import HTTPRules
from sr.web.problems import problem

__all__ = ["Limiter"]

_CREDENTIALS = frozenset({b"authorization", b"cookie"})
_MOST = 10_000
_FREE = frozenset({"/livez"})
_FILES = frozenset({"/check", "/api/v1/checks"})
"""Paths that take files; any other body is parsed before its sender is known, so it is short."""
_WAITING = re.compile(r"/api/v1/(agent/sessions|jobs/[^/]+/events)")
"""Paths whose answer waits for something to happen. That takes no place from those who work: a
hospital has more agents than the service has places."""
_MOST_WAITING = 512
_GONE: Message = {"type": "http.disconnect"}


class Limiter:
    """Middleware that holds callers to the rules."""

    def __init__(
        self, app: Application, rules: HTTPRules, *, now: Callable[[], float] = monotonic
    ) -> None:
        self.app = app
        self.rules = rules
        self.now = now
        self.requests = Buckets(rules.requests_per_minute)
        self.refusals = Buckets(rules.refusals_per_minute)
        self.under_way: set[_Exchange] = set()
        self.known: OrderedDict[str, str] = OrderedDict()
        """Users by what they carried when they were answered."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http" or scope["path"] in _FREE:
            await self.app(scope, receive, send)
            return
        refusal = self._refusal(scope)
        if refusal is not None:
            await refusal(scope, receive, send)
            return
        self.requests.take(self._whose(scope), self.now())
        exchange = _Exchange(self.rules, scope, receive, send)
        self.under_way.add(exchange)
        task = asyncio.ensure_future(self.app(scope, exchange.receive, exchange.send))
        task.add_done_callback(lambda _: self.under_way.discard(exchange))
        try:
            await exchange.run(task)
        finally:
            self._remember(scope, exchange.status)

    def _refusal(self, scope: Scope) -> Response | None:
        if not self._is_meant(scope):
            return problem(
                400, "host", "the service does not go by that name", hint="see http.url, http.hosts"
            )
        who = self._whose(scope)
        wait = self.requests.wait(who, self.now())
        if _caller(scope) not in self.known:
            wait = max(wait, self.refusals.wait(_address(scope), self.now()))
        most, each = self.rules.concurrent_requests, self.rules.concurrent_requests_per_caller
        if wait or (each and self._under_way_of(who) >= each):
            return _later(429, "too-many-requests", "too many requests", wait)
        if most and self._is_full(scope, most):
            return _later(503, "busy", "the service is busy", 1)
        return _refused_body(scope, _largest(self.rules, scope))

    def _whose(self, scope: Scope) -> str:
        """Return as whose a request counts: its user's, and the address's until that is known.

        Else drawing new credentials would help, or sending the same ones in another spelling.
        """
        user: str | None = getattr(scope.get("state", {}).get("principal"), "user_id", None)
        return user or self.known.get(_caller(scope)) or _address(scope)

    def _under_way_of(self, who: str) -> int:
        return sum(self._whose(each.scope) == who for each in self.under_way)

    def _is_full(self, scope: Scope, most: int) -> bool:
        waiting = sum(_waits(each.scope) for each in self.under_way)
        if _waits(scope):
            return waiting >= _MOST_WAITING
        return len(self.under_way) - waiting >= most

    def _is_meant(self, scope: Scope) -> bool:
        hosts = [value.decode("latin-1") for name, value in scope["headers"] if name == b"host"]
        return len(hosts) < 2 and all(map(self.rules.answers_to, hosts))

    def _remember(self, scope: Scope, status: int) -> None:
        caller, address = _caller(scope), _address(scope)
        if status == 401:
            self.refusals.take(address, self.now())
            self.known.pop(caller, None)
        elif caller != address and status < 400 and "principal" in scope.get("state", {}):
            self.known[caller] = self._whose(scope)
            self.known.move_to_end(caller)
            if len(self.known) > _MOST:
                self.known.popitem(last=False)


class _Exchange:
    """One request with its answer; what stands against it replaces what the application says."""

    def __init__(self, rules: HTTPRules, scope: Scope, receive: Receive, send: Send) -> None:
        self.rules = rules
        self.scope = scope
        self._receive = receive
        self._send = send
        self._taken = 0
        self._largest = _largest(rules, scope)
        self._complete = False
        self._begun = False
        self._over = False
        self._instead: Response | None = None
        self._deadline = _from_now(rules.stall_seconds)
        self.status = 500

    async def run(self, task: asyncio.Future[None]) -> None:
        """Wait for the application, or give it up."""
        try:
            await asyncio.wait({task}, timeout=self.rules.request_seconds or None)
            if self._begun or (task.done() and self._instead is None):
                await task
                return
        except asyncio.CancelledError:
            task.cancel()
            raise
        task.add_done_callback(_forget)
        if not self._over:
            self._instead = self._instead or _later(503, "timeout", "it takes too long", 10)
            await self._answer_instead()

    async def receive(self) -> Message:
        """Return the next piece of the request."""
        if self._instead is not None or self._over:
            return _GONE
        if self._complete:  # only the end of the connection is still to come
            return await self._receive()
        try:
            async with asyncio.timeout_at(self._deadline):
                message = await self._receive()
        except TimeoutError:
            self._instead = problem(
                408, "timeout", "the request does not arrive", headers={"Connection": "close"}
            )
            return _GONE
        self._taken += len(message.get("body", b""))
        if self._largest and self._taken > self._largest:
            self._instead = _too_large(self._largest)
            return _GONE
        self._complete = not message.get("more_body", False)
        return message

    async def send(self, message: Message) -> None:
        """Pass on a piece of the answer."""
        if self._over:
            return
        if not self._begun and self._instead is not None:
            await self._answer_instead()
            return
        self._begun = True
        self.status = message.get("status", self.status)
        async with asyncio.timeout_at(_from_now(self.rules.stall_seconds)):
            await self._send(message)

    async def _answer_instead(self) -> None:
        assert self._instead is not None  # noqa: S101 - callers have looked
        self._over, self.status = True, self._instead.status_code
        await self._instead(self.scope, self._receive, self._send)


def _waits(scope: Scope) -> bool:
    return _WAITING.fullmatch(scope["path"]) is not None


def _caller(scope: Scope) -> str:
    """Return what tells callers apart: what they carry, or where they are."""
    carried = [value for name, value in scope["headers"] if name in _CREDENTIALS]
    return sha256(b"\0".join(carried)).hexdigest() if carried else _address(scope)


def _address(scope: Scope) -> str:
    client = scope.get("client")
    return str(client[0]) if client else ""


def _refused_body(scope: Scope, largest: int) -> Response | None:
    """Return why a body is not read, by what is said about it.

    Two lengths are one for a proxy and another for us; what is packed would be larger unpacked.

    Cites: RFC 9112 6.1; RFC 9110 8.4.
    """
    said = dict(scope["headers"])
    if b"content-length" in said and b"transfer-encoding" in said:
        return problem(
            400, "length", "the request has two lengths", headers={"Connection": "close"}
        )
    if said.get(b"content-encoding", b"identity").strip().lower() != b"identity":
        return problem(
            415,
            "unsupported-media",
            "bodies are taken as they are, without Content-Encoding",
            headers={"Accept-Encoding": "identity"},
        )
    if largest and not _fits(said.get(b"content-length", b"0"), largest):
        return _too_large(largest)
    return None


def _fits(length: bytes, most: int) -> bool:
    return length.isdigit() and len(length) < 20 and int(length) <= most


def _from_now(seconds: int) -> float | None:
    return asyncio.get_running_loop().time() + seconds if seconds else None


def _later(status: int, code: str, detail: str, wait: float) -> Response:
    return problem(status, code, detail, headers={"Retry-After": str(max(1, ceil(wait)))})


def _largest(rules: HTTPRules, scope: Scope) -> int:
    """Return how many bytes a body has at most; 0 for any number."""
    takes_files = not rules.form_bytes or scope["path"] in _FILES
    return rules.body_bytes if takes_files else rules.form_bytes


def _too_large(largest: int) -> Response:
    return problem(
        413,
        "too-large",
        f"such a request has at most {largest} bytes",
        headers={"Connection": "close"},
    )


def _forget(task: asyncio.Future[None]) -> None:
    """Take note of how a request ended that nobody waits for."""
    if not task.cancelled():
        task.exception()
