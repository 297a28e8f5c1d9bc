"""Client of a time-stamp authority over HTTP.

One POST to the one address that was configured. A redirect is not followed, the answer is bounded
in size and in time, and what it is worth is judged by the caller. Proxies are those of the
environment (``http_proxy``, ``https_proxy``, ``no_proxy``), certificates of HTTPS servers are held
against the system's authorities (``SSL_CERT_FILE``).

Cites: RFC 3161 3.4.
"""

from __future__ import annotations

import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from typing import IO
from urllib.parse import urlsplit, urlunsplit

from sr.errors import ConfigurationError, TimestampError

__all__ = ["HTTPTimestampAuthority", "timestamp_url"]

_LARGEST_RESPONSE = 256 * 1024
_CHUNK = 16 * 1024
_QUERY, _REPLY = "application/timestamp-query", "application/timestamp-reply"


def timestamp_url(text: str) -> str:
    """Return the address of a time-stamp authority.

    Raises:
        ConfigurationError: It is not an HTTP address, or carries a password.
    """
    try:
        parts = urlsplit(text)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable or not text.isascii() or not text.isprintable() or " " in text:
        raise ConfigurationError(
            "the address of the time-stamp authority is not an http or https URL",
            hint="for example http://tsa.example.org/rfc3161",
        )
    if parts.username is not None or parts.password is not None:
        raise ConfigurationError(
            "the address of the time-stamp authority carries a user name or password",
            hint="arguments and settings are no place for secrets",
        )
    return urlunsplit(parts._replace(fragment=""))


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
        return urlunsplit(urlsplit(self.url)._replace(query=""))

    def respond(self, request: bytes) -> bytes:
        """Return the body of the answer to a request.

        Raises:
            TimestampError: No answer in time, not one of a time-stamp authority, or too large.

        Cites: RFC 3161 3.4.
        """
        post = urllib.request.Request(  # noqa: S310 - http and https only, see timestamp_url
            self.url, data=request, headers={"Content-Type": _QUERY, "Accept": _REPLY}
        )
        opener = urllib.request.build_opener(_NoRedirect())
        deadline = time.monotonic() + self.timeout
        try:
            with opener.open(post, timeout=self.timeout) as response:
                return self._body(response, deadline)
        except urllib.error.HTTPError as error:
            with error:
                raise self._failure(f"answers {error.code}") from error
        except urllib.error.URLError as error:
            raise self._failure(f"cannot be reached: {error.reason}") from error
        except (OSError, HTTPException) as error:
            raise self._failure(f"broke off: {error or type(error).__name__}") from error

    def _body(self, response: HTTPResponse, deadline: float) -> bytes:
        kind = response.headers.get_content_type()
        if kind != _REPLY:
            raise self._failure(f"answers with {kind}, not {_REPLY}")
        body = bytearray()
        while chunk := response.read1(_CHUNK):
            body += chunk
            if len(body) > _LARGEST_RESPONSE:
                raise self._failure(f"answers with more than {_LARGEST_RESPONSE} bytes")
            if time.monotonic() > deadline:
                raise self._failure(f"takes longer than {self.timeout:g} s")
        return bytes(body)

    def _failure(self, what: str) -> TimestampError:
        return TimestampError(
            f"the time-stamp authority {self.name} {what}",
            hint="nothing was written; try again, or sign without --timestamp",
        )


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Takes a redirect for what it is here: not an answer."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: object,
        newurl: str,
    ) -> None:
        """Follow nothing; the answer then counts as an error."""
