"""Client of OCSP responders over HTTP: one POST to the one address that was configured.

Cites: RFC 6960 A.1.
"""

from __future__ import annotations

import urllib.request
from dataclasses import dataclass

from sr.errors import ExternalServiceError
from sr.net.http import Exchange, http_url, shown_url

__all__ = ["HTTPResponders"]

_LARGEST_RESPONSE = 256 * 1024
_REQUEST, _RESPONSE = "application/ocsp-request", "application/ocsp-response"


@dataclass(frozen=True, slots=True, kw_only=True)
class HTTPResponders:
    """OCSP responders at addresses."""

    timeout: float
    """Seconds for each step of an exchange, and for the answer as a whole."""

    def ask(self, url: str, request: bytes) -> bytes:
        """Return the body of the answer to a request.

        Raises:
            ConfigurationError: It is not an HTTP address, or carries a password.
            ExternalServiceError: No answer in time, not one of a responder, or too large a one.

        Cites: RFC 6960 A.1.
        """
        address = http_url(url, "an OCSP responder", "http://ocsp.example.org")

        def failure(what: str) -> ExternalServiceError:
            return ExternalServiceError(f"the OCSP responder {shown_url(address)} {what}")

        post = urllib.request.Request(  # noqa: S310 - http and https only
            address, data=request, headers={"Content-Type": _REQUEST, "Accept": _RESPONSE}
        )
        exchange = Exchange(
            timeout=self.timeout, largest=_LARGEST_RESPONSE, failure=failure, kind=_RESPONSE
        )
        return exchange.run(post)
