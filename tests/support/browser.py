"""A browser on a served application: Debian's Chromium, driven by Playwright."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from typing import Any

from fastapi import FastAPI
from playwright.sync_api import Browser, Page, sync_playwright

from sr.web.guard.connection import Connection
from tests.support import serving
from tests.support.peers import CHROMIUM, require_peer

__all__ = ["axe_faults", "open_browser", "served"]

_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
    "--hide-scrollbars",
]
_GRAVE = ("serious", "critical")
_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@contextmanager
def served(application: FastAPI) -> Iterator[str]:
    """Serve an application on a free port of this machine, and yield its address."""
    with serving.served(application, http=Connection) as port:
        yield f"http://127.0.0.1:{port}"


@contextmanager
def open_browser() -> Iterator[Browser]:
    """Start a browser without a window and without a profile."""
    program = require_peer(CHROMIUM)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(program), args=_ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()


def axe_faults(page: Page) -> list[str]:
    """Return the grave faults that axe finds on a page as it stands, each with its first element.

    The page's policy forbids foreign scripts, so axe comes in through the debugger.
    """
    axe = files("axe_core_python").joinpath("axe.min.js").read_text("utf-8")
    page.evaluate(f"{axe}; 0")
    found: dict[str, Any] = page.evaluate(
        "rules => axe.run(document, {runOnly: rules})", {"type": "tag", "values": _RULES}
    )
    assert found["passes"], "nothing was looked at"
    return [
        f"{fault['id']}: {fault['nodes'][0]['html']}"
        for fault in found["violations"]
        if fault["impact"] in _GRAVE
    ]
