"""Client that fetches a revocation list from the one address that was configured.

Cites: RFC 5280 4.2.1.13; RFC 2585 3.
"""

from __future__ import annotations

import urllib.request
from dataclasses import dataclass

from sr.errors import ExternalServiceError
from sr.net.http import Exchange, http_url, shown_url

__all__ = ["HTTPRevocationLists"]

_LARGEST_LIST = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class HTTPRevocationLists:
    """Revocation lists at addresses."""

    timeout: float
    """Seconds for each step of an exchange, and for the answer as a whole."""

    def fetch(self, url: str) -> bytes:
        """Return what is at an address.

        Raises:
            ConfigurationError: It is not an HTTP address, or carries a password.
            ExternalServiceError: No answer in time, a refusal, or too large a one.
        """
        address = http_url(url, "a revocation list", "http://crl.example.org/root.crl")

        def failure(what: str) -> ExternalServiceError:
            return ExternalServiceError(f"the revocation list at {shown_url(address)} {what}")

        request = urllib.request.Request(address)  # noqa: S310 - http and https only
        return Exchange(timeout=self.timeout, largest=_LARGEST_LIST, failure=failure).run(request)
