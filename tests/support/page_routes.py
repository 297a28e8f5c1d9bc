"""Every route of the application that the description of the API leaves out, but for files."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from fastapi.routing import APIRoute

from sr.web import login, pages

__all__ = ["page_routes"]


def page_routes() -> tuple[tuple[str, str], ...]:
    """Return method and path of each page, each form and the ways to log in and out."""
    modules = (
        login,
        *(import_module(f"{pages.__name__}.{each.name}") for each in iter_modules(pages.__path__)),
    )
    return tuple(
        (method, route.path)
        for module in modules
        for route in getattr(getattr(module, "router", None), "routes", ())
        if isinstance(route, APIRoute)
        for method in sorted(route.methods - {"HEAD"})
    )
