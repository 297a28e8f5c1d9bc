"""Exchanges with a service of ours at one address: HTTPS, or plain HTTP on this machine only."""

from __future__ import annotations

import urllib.request
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit, urlunsplit

from sr.errors import ConfigurationError, ExternalServiceError
from sr.net.http import Exchange, http_url

__all__ = ["HTTPService", "service_url"]

_LARGEST = 64 * 2**20
_EXAMPLE = "https://srsign.example.org"


def service_url(text: str) -> str:
    """Return the address of a service, without a slash at the end.

    Raises:
        ConfigurationError: It is not an HTTP address, has a query or a password, or would send what
            nobody else may read in the clear.
    """
    parts = urlsplit(http_url(text, "the service", _EXAMPLE))
    if parts.query:
        raise ConfigurationError("the address of the service has a query", hint=_EXAMPLE)
    if parts.scheme != "https" and not _is_here(parts.hostname or ""):
        raise ConfigurationError(
            "the service is on another machine and its address is not https", hint=_EXAMPLE
        )
    return urlunsplit(parts).rstrip("/")


def _is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@dataclass(frozen=True, slots=True, kw_only=True)
class HTTPService:
    """A service at an address; the certificate of an HTTPS server is checked by the system's."""

    url: str
    """From ``service_url``."""
    timeout: float = 30.0
    """Seconds for each step of an exchange, and for the answer as a whole."""

    def exchange(
        self,
        method: str,
        path: str,
        *,
        body: bytes | None = None,
        token: str | None = None,
        patience: float = 0.0,
    ) -> tuple[int, bytes]:
        """Return status and body of an answer; see ``Exchanges``.

        Raises:
            ExternalServiceError: There is none.
        """
        headers = {"Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        request = urllib.request.Request(  # noqa: S310 - http and https only, see service_url
            f"{self.url}/api/v1{path}", data=body, headers=headers, method=method
        )
        exchange = Exchange(
            timeout=self.timeout + patience, largest=_LARGEST, failure=self._failure
        )
        return exchange.answer(request)

    def _failure(self, what: str) -> ExternalServiceError:
        return ExternalServiceError(f"the service at {self.url} {what}")
