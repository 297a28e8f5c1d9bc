"""What every page has: the frame, the headers, the theme, and errors that people can read.

A page loads nothing from elsewhere and runs no script but the files in ``sr/web/static``; the
policy in ``sr.web.guard.headers`` says so to the browser.

Cites: WCAG 2.2.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from functools import cache
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, urlsplit

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, RedirectResponse
from fastapi.routing import APIRoute
from jinja2 import Environment

from sr.app.checks.answers import signer_name
from sr.app.views.page import environment
from sr.app.views.wording import person_name
from sr.errors import AuthenticationError, SRError
from sr.service.access import Permission, Principal, may
from sr.web.guard.refusals import keep_refusal
from sr.web.pages.looks import ANSWERS, INDICATIONS, NAVIGATION, REFUSALS, STATES
from sr.web.problems import status_of

__all__ = ["THEME_COOKIE", "PageRoute", "failed", "is_scripted", "lead_on", "see_other", "show"]

THEME_COOKIE = "srsign_theme"
_OF_A_REPORT = re.compile(r"/reports/[0-9.]+/[a-z]+")


def show(
    request: Request,
    principal: Principal | None,
    template: str,
    *,
    status: int = 200,
    headers: dict[str, str] | None = None,
    **values: object,
) -> HTMLResponse:
    """Return a page.

    Args:
        request: What it answers.
        principal: Who looks at it, where known.
        template: File name in ``templates/pages``.
        status: Of the response.
        headers: Further ones.
        values: What the template asks for.
    """
    theme = request.cookies.get(THEME_COOKIE, "")
    page = _environment().get_template(f"pages/{template}")
    content = page.render(
        principal=principal,
        navigation=tuple(
            entry
            for entry in NAVIGATION
            if principal is not None and may(principal, entry.permission)
        ),
        path=request.url.path,
        theme=theme if theme in ("light", "dark") else "",
        **values,
    )
    return HTMLResponse(content, status_code=status, headers=headers)


def lead_on(request: Request, path: str) -> Response:
    """Return the answer to a form that was taken, where the script of the page may have sent it."""
    if is_scripted(request):
        return Response(status_code=HTTPStatus.NO_CONTENT, headers={"HX-Redirect": path})
    return see_other(path)


def see_other(path: str) -> RedirectResponse:
    """Return the answer to a form that was taken: go there.

    Cites: RFC 9110 15.4.4.
    """
    return RedirectResponse(path, status_code=HTTPStatus.SEE_OTHER)


class PageRoute(APIRoute):
    """A route whose errors are pages; who is not known is sent to log in."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler."""
        handler = super().get_route_handler()

        async def handle(request: Request) -> Response:
            try:
                return await handler(request)
            except AuthenticationError:
                return _to_login(request)
            except SRError as error:
                keep_refusal(request, error)
                return failed(request, status_of(error), str(error), error.hint, error.where)
            except RequestValidationError:
                return failed(request, 422, "the address or the form does not fit", None, None)

        return handle


def is_scripted(request: Request) -> bool:
    """Return whether the script of a page asks, which shows the answer in that page."""
    return "hx-request" in request.headers


def _to_login(request: Request) -> Response:
    """Send to log in; who was writing is told so, and the page with what was written stays."""
    scripted, writes = is_scripted(request), request.method != "GET"
    if scripted and writes:
        hint = "log in in another window, then send this again: what you wrote is still here"
        return failed(request, HTTPStatus.UNAUTHORIZED, "the session is over", hint, None)
    page = request.headers.get("hx-current-url" if scripted else "referer", "")
    back = urlsplit(page).path or "/" if scripted or writes else request.url.path
    target = f"/login?next={quote(back)}"
    return lead_on(request, target)


def failed(
    request: Request, status: int, message: str, hint: str | None, where: str | None
) -> Response:
    """Return the page that says what went wrong, with the navigation of whoever is known."""
    principal: Principal | None = getattr(request.state, "principal", None)
    path = request.url.path
    return show(
        request,
        principal,
        "error.html.j2",
        status=status,
        title=REFUSALS.get(status) or HTTPStatus(status).phrase,
        logged_out=status == HTTPStatus.UNAUTHORIZED,
        dialog=is_scripted(request),
        report=path.rpartition("/")[0] if _OF_A_REPORT.fullmatch(path) else None,
        message=message,
        hint=hint,
        where=where,
    )


@cache
def _environment() -> Environment:
    pages = environment().overlay()
    pages.filters = {**pages.filters, "clock": _clock, "person": person_name, "signer": signer_name}
    pages.globals = {
        **pages.globals,
        "answer_looks": ANSWERS,
        "indications": INDICATIONS,
        "states": STATES,
        "may": may,
        "Permission": Permission,
    }
    return pages


def _clock(at: datetime | None, seconds: bool = False) -> str:  # noqa: FBT001, FBT002 - a filter
    form = "%Y-%m-%d %H:%M:%S UTC" if seconds else "%Y-%m-%d %H:%M UTC"
    return at.astimezone(UTC).strftime(form) if at is not None else "–"
