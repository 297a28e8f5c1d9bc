"""What operators see of every request: a line in the log, and figures to be scraped.

Neither names a patient: a line has the route, not the address with its identifiers, and who called,
not what was said. An error that nobody foresaw leaves its type and its place, never its text.
"""

from __future__ import annotations

import logging
from time import perf_counter
from traceback import extract_tb
from typing import TextIO
from uuid import uuid4

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from structlog.typing import FilteringBoundLogger

from sr.web.asgi import Application, Message, Receive, Scope, Send
from sr.web.problems import problem
from sr.web.routes import method_of, route_of

__all__ = ["Figures", "Observer", "json_log"]

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


def json_log(stream: TextIO) -> FilteringBoundLogger:
    """Return a log that writes its lines as JSON objects."""
    log: FilteringBoundLogger = structlog.wrap_logger(
        structlog.PrintLogger(stream),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
    )
    return log


class Figures:
    """Counters of one application."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "srsign_http_requests",
            "Requests answered.",
            ("method", "route", "status"),
            registry=self.registry,
        )
        self.seconds = Histogram(
            "srsign_http_request_seconds",
            "Time to answer.",
            ("method", "route"),
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.under_way = Gauge(
            "srsign_http_requests_under_way", "Requests being answered.", registry=self.registry
        )


class Observer:
    """Middleware that measures and logs every request, and gives each an id."""

    def __init__(self, app: Application, figures: Figures, log: FilteringBoundLogger) -> None:
        self.app = app
        self.figures = figures
        self.log = log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request_id, status, started = uuid4().hex, 500, perf_counter()
        begun = False
        scope.setdefault("state", {})["request_id"] = request_id

        async def marked(message: Message) -> None:
            nonlocal status, begun
            if message["type"] == "http.response.start":
                begun = True
                status = message["status"]
                message["headers"] = [
                    *message.get("headers", ()),
                    (b"x-request-id", request_id.encode()),
                ]
            await send(message)

        fault: dict[str, str] = {}
        self.figures.under_way.inc()
        try:
            await self.app(scope, receive, marked)
        except Exception as error:
            fault = _place_of(error)
            if not begun:
                answer = problem(500, "unexpected", "unexpected fault", hint=request_id)
                await answer(scope, receive, marked)
        finally:
            self.figures.under_way.dec()
            self._observe(scope, status, perf_counter() - started, fault, request_id)

    def _observe(
        self, scope: Scope, status: int, seconds: float, fault: dict[str, str], request_id: str
    ) -> None:
        method, route = method_of(scope), route_of(scope)
        self.figures.requests.labels(method, route, status).inc()
        self.figures.seconds.labels(method, route).observe(seconds)
        caller = scope["state"].get("principal")
        say = self.log.error if status >= 500 or fault else self.log.info
        say(
            "request",
            request_id=request_id,
            method=method,
            route=route,
            status=status,
            milliseconds=round(seconds * 1000, 1),
            caller=getattr(caller, "user_id", None),
            **fault,
        )


def _place_of(error: Exception) -> dict[str, str]:
    """Return type and place of an error; its text could hold anything."""
    last = extract_tb(error.__traceback__)[-1]
    return {"fault": type(error).__name__, "at": f"{last.name}:{last.lineno}"}
