"""What a client of the service sends and gets: requests, and problems as errors of ours.

Cites: RFC 9457.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import uuid4

from sr import errors
from sr.errors import ConfigurationError, ConflictError, ExternalServiceError, SRError

__all__ = ["HTTP", "Answer", "Requests", "open_http"]

_API = "/api/v1"
_PROBLEM = "urn:srsign:problem:"
_TRIES = 5


class Answer(Protocol):
    """What an HTTP library gives back."""

    @property
    def status_code(self) -> int:
        """The status."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers, whatever the case of their names."""
        ...

    @property
    def content(self) -> bytes:
        """The body."""
        ...

    def json(self) -> Any:  # noqa: ANN401 - JSON
        """Return the body as JSON."""
        ...


class HTTP(Protocol):
    """An HTTP library with an address and credentials; ``httpx2.Client`` is one."""

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Any = ...,  # noqa: ANN401 - each library's own types
        params: Any = ...,  # noqa: ANN401
        json: Any = ...,  # noqa: ANN401
        content: Any = ...,  # noqa: ANN401
        files: Any = ...,  # noqa: ANN401
    ) -> Answer:
        """Send a request and return the answer."""
        ...

    def close(self) -> None:
        """Let go of connections."""
        ...


@dataclass(frozen=True, slots=True)
class Requests:
    """Requests to the API of a service."""

    http: HTTP
    wait: Callable[[float], None]
    """Waits some seconds before a request is sent again."""

    def once(self, path: str, body: Any, headers: Mapping[str, str] | None = None) -> Any:  # noqa: ANN401
        """Send a request that is done once, however often it has to be sent.

        Raises:
            SRError: What the service says.
        """
        sent = {**(headers or {}), "Idempotency-Key": str(uuid4())}
        for left in reversed(range(_TRIES)):
            try:
                return self.json("POST", path, json=body, headers=sent)
            except ConflictError as error:
                if error.retry_after is None or not left:
                    raise
                self.wait(error.retry_after)
        raise AssertionError  # the last try returned or raised

    def json(self, method: str, path: str, **more: Any) -> Any:  # noqa: ANN401
        """Send a request and return the body of its answer.

        Raises:
            SRError: What the service says.
        """
        return self.send(method, path, **more).json()

    def send(self, method: str, path: str, **more: Any) -> Answer:  # noqa: ANN401
        """Send a request and return its answer.

        Raises:
            SRError: What the service says.
            ExternalServiceError: It does not answer.
        """
        answer = self.http.request(method, f"{_API}{path}", **more)
        if answer.status_code >= 400:
            raise _error(answer)
        return answer


_ERRORS = {
    kind.code: kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, SRError)
}
"""Error class by the slug of a problem."""


def _error(answer: Answer) -> SRError:
    """Return the error that a problem stands for."""
    try:
        problem = answer.json()
        code = str(problem["type"]).removeprefix(_PROBLEM)
        detail, where, hint = problem["detail"], problem.get("where"), problem.get("hint")
    except (ValueError, KeyError, TypeError, AttributeError):
        return ExternalServiceError(f"the service answers {answer.status_code}")
    error = _ERRORS.get(code, ExternalServiceError)(detail, where=where, hint=hint)
    wait = answer.headers.get("retry-after", "")
    if isinstance(error, ConflictError) and wait.isdigit():
        error.retry_after = int(wait)
    return error


def open_http(url: str, token: str, timeout: float) -> HTTP:
    """Return what speaks HTTP with a service.

    Args:
        url: Of the service.
        token: Of whoever asks; empty for nobody.
        timeout: Seconds for each step of an exchange.

    Raises:
        ConfigurationError: The extra ``http`` is not installed.
    """
    try:
        import httpx2  # noqa: PLC0415 - the extra
    except ImportError as error:
        raise ConfigurationError(
            "the client is not installed", hint="pip install 'srsign[http]'"
        ) from error

    class Reached(httpx2.Client):
        """Says in our words that the other side does not answer."""

        def request(self, method: str, url: Any, **more: Any) -> httpx2.Response:  # noqa: ANN401
            """Send a request and return the answer.

            Raises:
                ExternalServiceError: There is none.
            """
            try:
                return super().request(method, url, **more)
            except httpx2.TransportError as error:
                name = type(error).__name__
                raise ExternalServiceError(f"the service does not answer: {name}") from error

    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return Reached(base_url=url, headers=headers, timeout=timeout)
