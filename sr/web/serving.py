"""The application that settings describe, for a server that is given this module's name."""

from __future__ import annotations

from fastapi import FastAPI

from sr.app.settings import current_settings
from sr.compose import service_context
from sr.web.application import create_application
from sr.web.background import background
from sr.web.rules import http_rules

__all__ = ["application"]


def application() -> FastAPI:
    """Return the service of this process's settings.

    Raises:
        ConfigurationError: A setting does not make sense.
        ExternalServiceError: The database cannot be opened.
    """
    settings = current_settings()
    context = service_context(settings)
    return create_application(context, http_rules(settings.http), life=background(context))
