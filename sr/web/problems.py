"""Which error is which status, and errors as problem details.

What is said about an error names attributes, never their values: a problem leaves the house.

Cites: RFC 9457.
"""

from __future__ import annotations

from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from sr.errors import (
    AccessError,
    AuthenticationError,
    ConfigurationError,
    ConflictError,
    DatasetError,
    DocumentError,
    ExpiredError,
    ExternalServiceError,
    LifecycleError,
    NotFoundError,
    ProfileError,
    SignerUnavailableError,
    SigningError,
    SRError,
    TrustEvidenceError,
)

__all__ = ["STATUSES", "install", "problem", "status_of"]

STATUSES: dict[type[SRError], int] = {
    SRError: 500,
    AuthenticationError: 401,
    AccessError: 403,
    NotFoundError: 404,
    ConflictError: 409,
    LifecycleError: 409,
    ExpiredError: 410,
    ConfigurationError: 422,
    DatasetError: 422,
    DocumentError: 422,
    ProfileError: 422,
    SigningError: 422,
    TrustEvidenceError: 422,
    ExternalServiceError: 503,
    SignerUnavailableError: 503,
}
"""Status by error class; a class that is not named has that of its nearest named ancestor."""

_MEDIA_TYPE = "application/problem+json"
_TYPE = "urn:srsign:problem:"


def status_of(error: SRError) -> int:
    """Return the status of an error."""
    return next(STATUSES[kind] for kind in type(error).__mro__ if kind in STATUSES)


def problem(
    status: int, code: str, detail: str, *, where: str | None = None, hint: str | None = None
) -> JSONResponse:
    """Return a problem as a response.

    Cites: RFC 9457 3.
    """
    content: dict[str, object] = {
        "type": f"{_TYPE}{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
    }
    if where is not None:
        content["where"] = where
    if hint is not None:
        content["hint"] = hint
    headers = {"WWW-Authenticate": "Bearer"} if status == HTTPStatus.UNAUTHORIZED else None
    return JSONResponse(content, status_code=status, media_type=_MEDIA_TYPE, headers=headers)


def install(app: FastAPI) -> None:
    """Let an application answer every error with a problem."""

    @app.exception_handler(SRError)
    def _ours(_request: Request, error: SRError) -> JSONResponse:
        return problem(status_of(error), error.code, str(error), where=error.where, hint=error.hint)

    @app.exception_handler(RequestValidationError)
    def _invalid(_request: Request, error: RequestValidationError) -> JSONResponse:
        places = {"/".join(map(str, each["loc"])): str(each["type"]) for each in error.errors()}
        said = "; ".join(f"{place}: {kind}" for place, kind in places.items())
        return problem(422, "request", f"the request does not fit: {said}")

    @app.exception_handler(HTTPException)
    def _http(_request: Request, error: HTTPException) -> JSONResponse:
        return problem(error.status_code, "http", str(error.detail))
