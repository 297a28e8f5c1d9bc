"""``/login``: who looks at the pages."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from sr.service.accounts.login import demo_people
from sr.web.guard.authentication import Wired
from sr.web.login import local_path
from sr.web.pages.frame import PageRoute, show

__all__ = ["router"]

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.get("/login")
def look(
    request: Request,
    context: Wired,
    after: Annotated[str, Query(alias="next", max_length=2048)] = "/",
) -> Response:
    """Show the ways to log in."""
    return show(
        request,
        None,
        "login.html.j2",
        people=demo_people(context),
        provider=context.openid is not None,
        then=local_path(after),
    )
