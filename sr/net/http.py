"""One exchange over HTTP with the one address that was configured.

A redirect is not followed, and the answer is bounded in size and in time; what it is worth is
judged by the caller. Proxies are those of the environment (``http_proxy``, ``https_proxy``,
``no_proxy``), certificates of HTTPS servers are held against the system's authorities
(``SSL_CERT_FILE``).
"""

from __future__ import annotations

import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from typing import IO
from urllib.parse import urlsplit, urlunsplit

from sr.errors import ConfigurationError, ExternalServiceError

__all__ = ["Exchange", "http_url", "shown_url"]

_CHUNK = 16 * 1024


def http_url(text: str, whose: str, example: str) -> str:
    """Return an address.

    Args:
        text: As configured.
        whose: What is there, for messages, e.g. ``the time-stamp authority``.
        example: A good address, for the hint.

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
            f"the address of {whose} is not an http or https URL", hint=f"for example {example}"
        )
    if parts.username is not None or parts.password is not None:
        raise ConfigurationError(
            f"the address of {whose} carries a user name or password",
            hint="arguments and settings are no place for secrets",
        )
    return urlunsplit(parts._replace(fragment=""))


def shown_url(url: str) -> str:
    """Return an address without its query, which may be an access key."""
    return urlunsplit(urlsplit(url)._replace(query=""))


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """How an exchange is bounded, and what its failure is called."""

    timeout: float
    """Seconds for each step, and for the answer as a whole."""
    largest: int
    """Bytes of an answer."""
    failure: Callable[[str], ExternalServiceError]
    """Makes the error from what the other side did, e.g. ``answers 404``."""
    kind: str | None = None
    """Content type that an answer must have; ``None`` for any."""

    def run(self, request: urllib.request.Request) -> bytes:
        """Return the body of the answer to a request.

        Raises:
            ExternalServiceError: There is none in time, it is another one, or too large.
        """
        with self._failures():
            opener = urllib.request.build_opener(_NoRedirect())
            deadline = time.monotonic() + self.timeout
            try:
                with opener.open(request, timeout=self.timeout) as response:
                    return self._body(response, deadline)
            except urllib.error.HTTPError as error:
                with error:
                    raise self.failure(f"answers {error.code}") from error

    def answer(self, request: urllib.request.Request) -> tuple[int, bytes]:
        """Return status and body of the answer to a request, also where it says no.

        Raises:
            ExternalServiceError: There is none in time, or it is too large.
        """
        with self._failures():
            opener = urllib.request.build_opener(_NoRedirect())
            deadline = time.monotonic() + self.timeout
            try:
                response = opener.open(request, timeout=self.timeout)
            except urllib.error.HTTPError as error:
                response = error
            with response:
                return response.status, self._body(response, deadline)

    @contextmanager
    def _failures(self) -> Iterator[None]:
        try:
            yield
        except urllib.error.URLError as error:
            raise self.failure(f"cannot be reached: {error.reason}") from error
        except (OSError, HTTPException) as error:
            raise self.failure(f"broke off: {error or type(error).__name__}") from error

    def _body(self, response: HTTPResponse, deadline: float) -> bytes:
        kind = response.headers.get_content_type()
        if self.kind is not None and kind != self.kind:
            raise self.failure(f"answers with {kind}, not {self.kind}")
        body = bytearray()
        while chunk := response.read1(_CHUNK):
            body += chunk
            if len(body) > self.largest:
                raise self.failure(f"answers with more than {self.largest} bytes")
            if time.monotonic() > deadline:
                raise self.failure(f"takes longer than {self.timeout:g} s")
        return bytes(body)


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
