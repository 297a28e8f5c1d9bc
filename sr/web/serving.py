"""The application that settings describe, for a server that is given this module's name."""

from __future__ import annotations

import sys

from fastapi import FastAPI

from sr.app.settings import current_settings
from sr.compose.service import service_context, service_upkeep
from sr.web.application import create_application
from sr.web.background import background
from sr.web.guard.rules import http_rules
from sr.web.observation import json_log

__all__ = ["application"]


def application() -> FastAPI:
    """Return the service of this process's settings.

    Raises:
        ConfigurationError: A setting does not make sense.
        ExternalServiceError: The database cannot be opened.
    """
    settings = current_settings()
    context = service_context(settings)
    log = json_log(sys.stderr)
    upkeep = service_upkeep(
        settings, context, lambda task, code: log.error("upkeep", task=task, fault=code)
    )
    return create_application(context, http_rules(settings.http), life=background(context, upkeep))
