"""Which error is which status, and errors as problem details.

What is said about an error names attributes, never their values: a problem leaves the house.

Cites: RFC 9457.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
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
    PreconditionError,
    PreconditionMissingError,
    ProfileError,
    ProfileViolationError,
    SignerUnavailableError,
    SigningError,
    SRError,
    TemplateError,
    TooLargeError,
    TooManyError,
    TrustEvidenceError,
    UnsupportedMediaError,
)
from sr.web.guard.authorisation import authorise, declared_permission
from sr.web.guard.refusals import keep_refusal
from sr.web.methods import allowed
from sr.web.operations import PROBLEM_MEDIA_TYPE

__all__ = ["STATUSES", "install", "problem", "problem_of", "status_of"]

STATUSES: dict[type[SRError], int] = {
    SRError: 500,
    AuthenticationError: 401,
    AccessError: 403,
    NotFoundError: 404,
    ConflictError: 409,
    LifecycleError: 409,
    ExpiredError: 410,
    PreconditionError: 412,
    TooLargeError: 413,
    UnsupportedMediaError: 415,
    TooManyError: 429,
    PreconditionMissingError: 428,
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

_OF_THE_FRAMEWORK = {
    400: ("syntax", "the body cannot be parsed"),
    404: ("not-found", "there is nothing at that address"),
}
"""Slug and words by status, for what no route of ours said."""
_OURS = "Value error, "
"""What the library puts before words of ours."""
_TYPE = "urn:srsign:problem:"
_NAME = re.compile(r"[A-Za-z0-9_\-]{1,64}")


def status_of(error: SRError) -> int:
    """Return the status of an error."""
    return next(STATUSES[kind] for kind in type(error).__mro__ if kind in STATUSES)


def problem(
    status: int,
    code: str,
    detail: str,
    *,
    headers: Mapping[str, str] | None = None,
    **more: object,
) -> JSONResponse:
    """Return a problem as a response; members that are ``None`` are left out.

    Cites: RFC 9457 3.
    """
    members = {
        "type": f"{_TYPE}{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        **{name: value for name, value in more.items() if value is not None},
    }
    said = dict(headers or {})
    if status == HTTPStatus.UNAUTHORIZED:
        said["WWW-Authenticate"] = "Bearer"
    return JSONResponse(members, status_code=status, media_type=PROBLEM_MEDIA_TYPE, headers=said)


def problem_of(error: SRError) -> JSONResponse:
    """Return an error of ours as a response."""
    wait = error.retry_after if isinstance(error, ConflictError) else None
    return problem(
        status_of(error),
        error.code,
        str(error),
        headers={"Retry-After": str(wait)} if wait is not None else None,
        where=error.where,
        hint=error.hint,
        rule=error.rule or None if isinstance(error, DatasetError | TemplateError) else None,
        findings=_findings(error) if isinstance(error, ProfileViolationError) else None,
    )


def _findings(error: ProfileViolationError) -> list[dict[str, str | None]]:
    return [{"rule": f.rule, "where": f.where, "cites": f.cites} for f in error.findings]


def install(app: FastAPI) -> None:
    """Let an application answer every error with a problem."""

    @app.exception_handler(SRError)
    def _ours(request: Request, error: SRError) -> JSONResponse:
        try:
            keep_refusal(request, error)
        except ExternalServiceError as failure:
            return problem_of(failure)
        return problem_of(error)

    @app.exception_handler(RequestValidationError)
    def _invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        if declared_permission(request) is not None:
            try:  # a body is parsed before anything else; what it lacks is told to no stranger
                authorise(request)
            except SRError as refused:
                return _ours(request, refused)
        return _misfit(error.errors())

    @app.exception_handler(HTTPException)
    def _http(request: Request, error: HTTPException) -> Response:
        if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
            return _other_method(request)
        code, detail = _OF_THE_FRAMEWORK.get(error.status_code, ("http", str(error.detail)))
        return problem(error.status_code, code, detail, headers=error.headers)

    @app.exception_handler(Exception)
    def _fault(_request: Request, _error: Exception) -> JSONResponse:
        return problem(500, "fault", "the service failed; its log says why")


def _other_method(request: Request) -> Response:
    headers = {"Allow": allowed(request)}
    if request.method == "OPTIONS":
        return Response(status_code=HTTPStatus.NO_CONTENT, headers=headers)
    return problem(
        HTTPStatus.METHOD_NOT_ALLOWED,
        "method",
        "the resource does not offer that method",
        headers=headers,
        hint=f"it offers {headers['Allow']}",
    )


def _misfit(errors: Sequence[Mapping[str, Any]]) -> JSONResponse:
    """Return what is wrong with a request: its syntax, its media type, or what it says."""
    if any(each["type"] == "json_invalid" for each in errors):
        return problem(400, "syntax", "the body is not JSON")
    if any(each["loc"] == ("body",) and isinstance(each.get("input"), bytes) for each in errors):
        hint = "say so in Content-Type"
        return problem(415, "unsupported-media", "the operation takes application/json", hint=hint)
    said = {_place_of(each): str(each["msg"]).removeprefix(_OURS) for each in errors}
    listed = "; ".join(f"{place}: {text[:1].lower()}{text[1:]}" for place, text in said.items())
    return problem(422, "request", f"the request does not fit: {listed}")


def _place_of(error: Mapping[str, Any]) -> str:
    """Return where a request does not fit; a member that nobody asked for may be named anything."""
    parts = [str(part) for part in error["loc"]]
    if error["type"] == "extra_forbidden":
        parts[-1] = "?"
    return "/".join(part if _NAME.fullmatch(part) else "?" for part in parts)
