"""Who was refused what goes to the audit: unknown callers, and known ones who may not.

Cites: PS3.15 A.5.3.
"""

from __future__ import annotations

from fastapi import Request

from sr.errors import AccessError, AuthenticationError, SRError
from sr.service.access import Principal
from sr.service.accounts.login import record_refusal
from sr.web.guard.authentication import address_of, context_of
from sr.web.routes import method_of, route_of

__all__ = ["LOGINS", "keep_refusal"]

LOGINS = frozenset({"/login", "/login/callback"})
"""Paths whose refusal is a login that failed."""


def keep_refusal(request: Request, error: SRError) -> None:
    """Write a refusal to the audit; any other error is not its matter.

    Raises:
        ExternalServiceError: The audit cannot be written.
    """
    if not isinstance(error, AuthenticationError | AccessError):
        return
    path = route_of(request.scope)
    caller: Principal | None = getattr(request.state, "principal", None)
    record_refusal(
        context_of(request),
        caller,
        error,
        address=address_of(request),
        request=f"{method_of(request.scope)} {path}",
        logs_in=path in LOGINS,
    )
