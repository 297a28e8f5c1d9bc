"""How the service answers over HTTP: its address, whom it answers, and what it takes."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from sr.app.settings import HTTPSettings
from sr.errors import ConfigurationError

__all__ = ["HTTPRules", "http_rules"]


@dataclass(frozen=True, slots=True, kw_only=True)
class HTTPRules:
    """What a site decides about HTTP."""

    url: str = ""
    """Public address without path, e.g. ``https://srsign.example.org``; empty for the request's."""


def http_rules(settings: HTTPSettings) -> HTTPRules:
    """Return the rules that settings describe.

    Raises:
        ConfigurationError: A setting does not make sense.
    """
    url = urlsplit(settings.url)
    if settings.url and (
        url.scheme not in ("http", "https")
        or not url.hostname
        or url.path.strip("/")
        or url.query
        or url.username is not None
    ):
        raise ConfigurationError(
            "the setting http.url is not an address without path",
            hint="for example https://srsign.example.org",
        )
    return HTTPRules(url=settings.url.rstrip("/"))
