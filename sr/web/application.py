"""The application: routers, error answers, and nothing that decides."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import TextIO

from fastapi import FastAPI
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from sr import __version__
from sr.service.context import Context
from sr.web import health, login, pages, problems
from sr.web.api import ROUTERS, agent, agents
from sr.web.guard.authorisation import GUARD, ONLY_KNOWN
from sr.web.guard.headers import SecurityHeaders
from sr.web.guard.limits import Limiter
from sr.web.guard.rules import HTTPRules
from sr.web.methods import Head
from sr.web.observation import Figures, Observer, json_log
from sr.web.openapi import Application, operation_id
from sr.web.pages.refused import RefusedPages

__all__ = ["create_application"]

Life = Callable[[FastAPI], AbstractAsyncContextManager[None]]


def create_application(
    context: Context,
    rules: HTTPRules | None = None,
    *,
    log: TextIO | None = None,
    life: Life | None = None,
) -> FastAPI:
    """Return the service as an ASGI application.

    Args:
        context: The service, wired.
        rules: How it answers over HTTP.
        log: Where a line for each request goes; standard error where left out.
        life: What is done before the first request and after the last.
    """
    app = Application(
        title="srsign",
        version=__version__,
        openapi_url="/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=operation_id,
        lifespan=life,
    )
    app.state.context = context
    app.state.figures = Figures()
    app.state.rules = rules or HTTPRules()
    app.add_middleware(Limiter, rules=app.state.rules)
    app.add_middleware(Observer, figures=app.state.figures, log=json_log(log or sys.stderr))
    app.add_middleware(RefusedPages)
    app.add_middleware(Head)
    app.add_middleware(SecurityHeaders, rules=app.state.rules)
    if app.state.rules.proxies:
        app.add_middleware(ProxyHeadersMiddleware, trusted_hosts=list(app.state.rules.proxies))
    problems.install(app)
    app.include_router(health.router)
    for router in ROUTERS:
        app.include_router(router, prefix="/api/v1", dependencies=[GUARD, ONLY_KNOWN])
    for router in (agents.router, agent.router):
        app.include_router(router, prefix="/api/v1", dependencies=[ONLY_KNOWN])
    app.include_router(login.router)
    pages.install(app)
    return app
