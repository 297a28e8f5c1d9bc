"""The pages for people: a module a page, thin over ``sr.service``; all work without script."""

from __future__ import annotations

from pathlib import Path

from fastapi import FastAPI
from starlette.staticfiles import StaticFiles

from sr.web.pages import (
    audit,
    checking,
    drafts,
    keys,
    login,
    report,
    seals,
    signatures,
    signing,
    theme,
    trust,
    worklist,
)

__all__ = ["install"]

_PAGES = (
    *(login, worklist, drafts, report, signing, checking),
    *(seals, signatures, keys, audit, trust, theme),
)
_STATIC = Path(__file__).parent.parent / "static"


def install(app: FastAPI) -> None:
    """Add the pages and the files that they load to an application."""
    app.mount("/static", StaticFiles(directory=_STATIC), name="static")
    for page in _PAGES:
        app.include_router(page.router)
