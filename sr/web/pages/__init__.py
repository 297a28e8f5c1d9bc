"""The pages for people: a module a page, thin over ``sr.service``; all work without script."""

from __future__ import annotations

from pathlib import Path

from fastapi import FastAPI
from starlette.staticfiles import StaticFiles

from sr.web.pages import agents, checking, drafts, login, report, signing, theme, worklist

__all__ = ["install"]

_STATIC = Path(__file__).parent.parent / "static"


def install(app: FastAPI) -> None:
    """Add the pages and the files that they load to an application."""
    app.mount("/static", StaticFiles(directory=_STATIC), name="static")
    for page in (login, worklist, drafts, report, signing, checking, agents, theme):
        app.include_router(page.router)
