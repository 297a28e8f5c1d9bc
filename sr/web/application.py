"""The application: routers, error answers, and nothing that decides."""

from __future__ import annotations

from fastapi import FastAPI

from sr import __version__
from sr.service.context import Context
from sr.web import problems
from sr.web.api import reports, signing_sessions

__all__ = ["create_application"]


def create_application(context: Context) -> FastAPI:
    """Return the service as an ASGI application.

    Args:
        context: The service, wired.
    """
    app = FastAPI(
        title="srsign",
        version=__version__,
        openapi_url="/openapi.json",
        docs_url=None,
        redoc_url=None,
    )
    app.state.context = context
    problems.install(app)
    for resource in (reports, signing_sessions):
        app.include_router(resource.router, prefix="/api/v1")
    return app
