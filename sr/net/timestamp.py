"""Client of a time-stamp authority over HTTP: one POST to the one address that was configured.

Cites: RFC 3161 3.4.
"""

from __future__ import annotations

import urllib.request
from dataclasses import dataclass

from sr.errors import TimestampError
from sr.net.http import Exchange, http_url, shown_url

__all__ = ["HTTPTimestampAuthority", "timestamp_url"]

_LARGEST_RESPONSE = 256 * 1024
_QUERY, _REPLY = "application/timestamp-query", "application/timestamp-reply"


def timestamp_url(text: str) -> str:
    """Return the address of a time-stamp authority.

    Raises:
        ConfigurationError: It is not an HTTP address, or carries a password.
    """
    return http_url(text, "the time-stamp authority", "http://tsa.example.org/rfc3161")


@dataclass(frozen=True, slots=True, kw_only=True)
class HTTPTimestampAuthority:
    """A time-stamp authority at an address.

    Cites: RFC 3161 3.4.
    """

    url: str
    """From ``timestamp_url``."""
    timeout: float
    """Seconds for each step of the exchange, and for the answer as a whole."""

    @property
    def name(self) -> str:
        """Where it is, without a query, which may be an access key."""
        return shown_url(self.url)

    def respond(self, request: bytes) -> bytes:
        """Return the body of the answer to a request.

        Raises:
            TimestampError: No answer in time, not one of a time-stamp authority, or too large.

        Cites: RFC 3161 3.4.
        """
        post = urllib.request.Request(  # noqa: S310 - http and https only, see timestamp_url
            self.url, data=request, headers={"Content-Type": _QUERY, "Accept": _REPLY}
        )
        exchange = Exchange(
            timeout=self.timeout, largest=_LARGEST_RESPONSE, failure=self._failure, kind=_REPLY
        )
        return exchange.run(post)

    def _failure(self, what: str) -> TimestampError:
        return TimestampError(
            f"the time-stamp authority {self.name} {what}",
            hint="nothing was written; try again, or sign without --timestamp",
        )
