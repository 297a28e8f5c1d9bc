"""What a route declares beside its path: who may call it, what the audit says, how it fails.

The OpenAPI file carries it as ``x-permission``, ``x-purposes`` and ``x-audit``; the tests of
authorisation and audit are generated from there.
"""

from __future__ import annotations

from typing import Any

from sr.app.audit import AuditAction
from sr.service.access import Permission

__all__ = ["AGENT", "ANYBODY", "EVERYBODY", "PROBLEM_MEDIA_TYPE", "problems", "protected"]

PROBLEM_MEDIA_TYPE = "application/problem+json"
ANYBODY = "anybody"
"""As ``x-permission``: every caller who is known, whatever the roles."""

AGENT = "agent"
"""As ``x-permission``: a signing agent with its token, and nobody else."""
EVERYBODY = "everybody"
"""As ``x-permission``: also callers whom nobody knows."""

_ALWAYS = (401, 403, 422, 429, 503)
_REASONS = {
    304: "What the caller has is current.",
    400: "The body cannot be parsed.",
    401: "Nobody knows the caller.",
    403: "The caller may not do that.",
    404: "There is none, or none that the caller may know of.",
    405: "The resource does not offer the method.",
    409: "It changed meanwhile, or its state does not allow it.",
    410: "The time for it is over.",
    412: "It is not what If-Match names.",
    413: "More than the limits allow.",
    415: "The service does not read that media type.",
    422: "What was sent does not make sense.",
    428: "If-Match is missing.",
    429: "Too many requests; see Retry-After.",
    503: "Something that it needs does not answer; try again.",
}


def protected(
    permission: Permission | str | None,
    *,
    audit: AuditAction | None = None,
    errors: tuple[int, ...] = (),
    purposes: bool = False,
    content: dict[int, dict[str, Any]] | None = None,
) -> dict[str, Any]:
    """Return the arguments of a route for callers who are known.

    Args:
        permission: What the use case requires first; ``None`` where any role will do; ``AGENT`` or
            ``EVERYBODY``.
        audit: Action of the event that it writes when it succeeds; ``None`` where it neither
            changes anything nor shows patient data.
        errors: Statuses beside those that every route may answer with.
        purposes: Whether the purpose of a signature, in the body, decides too.
        content: Responses that are no JSON, or have headers: as in OpenAPI, by status.
    """
    described: dict[str, Any] = {"x-permission": str(permission or ANYBODY)}
    if audit is not None:
        described["x-audit"] = audit.value
    if purposes:
        described["x-purposes"] = True
    return {
        "responses": {**problems(*_ALWAYS, *errors), **(content or {})},
        "openapi_extra": described,
    }


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the responses of a route that are problems, for any route, protected or not."""
    return {status: _response(status) for status in sorted(set(statuses))}


def _response(status: int) -> dict[str, Any]:
    if status < 400:
        return {"description": _REASONS[status]}
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        "description": _REASONS[status],
        "content": {PROBLEM_MEDIA_TYPE: {"schema": schema}},
    }
