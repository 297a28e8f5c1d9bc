"""``/theme``: light, dark, or as the system has it, kept in a cookie."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Form, Response

from sr.web.login import local_path
from sr.web.pages.frame import THEME_COOKIE, PageRoute, see_other

__all__ = ["router"]

router = APIRouter(route_class=PageRoute, include_in_schema=False)

_KEPT = int(timedelta(days=365).total_seconds())


class _Theme(StrEnum):
    AUTO = "auto"
    LIGHT = "light"
    DARK = "dark"


@router.post("/theme")
def choose(theme: Annotated[_Theme, Form()], back: Annotated[str, Form()] = "/") -> Response:
    """Keep the theme and return to the page; never to another site."""
    response = see_other(local_path(back))
    if theme is _Theme.AUTO:
        response.delete_cookie(THEME_COOKIE)
    else:
        response.set_cookie(THEME_COOKIE, theme, max_age=_KEPT, httponly=True, samesite="lax")
    return response
