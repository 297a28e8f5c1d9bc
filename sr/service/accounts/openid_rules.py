"""Settings of an OpenID provider, held against what would weaken it."""

from __future__ import annotations

from pathlib import Path

from sr.app.files import read_bytes
from sr.app.settings import OpenIDSettings
from sr.errors import ConfigurationError
from sr.net.openid import ALGORITHMS, OpenIDProvider, issuer_url
from sr.service.access import Role
from sr.service.context import OpenIDRules

__all__ = ["openid_rules"]


def openid_rules(settings: OpenIDSettings) -> OpenIDRules:
    """Return the provider that settings describe, and what its word is worth here.

    Raises:
        ConfigurationError: A setting does not make sense, or would make tokens prove nothing.

    Cites: RFC 8725 3.1; RFC 9700.
    """
    algorithms = frozenset(settings.algorithms.split())
    if not algorithms or not algorithms <= ALGORITHMS:
        raise ConfigurationError(
            "the setting openid.algorithms names what is no public-key algorithm",
            hint="known: " + ", ".join(sorted(ALGORITHMS)),
        )
    if not settings.client_id or settings.audience == settings.client_id:
        raise ConfigurationError(
            "openid.client_id must be there, and openid.audience another: a token that says who "
            "logged in is none that opens the API"
        )
    parts = (each.rpartition("=") for each in settings.roles.split())
    pairs = tuple((value, role) for value, _, role in parts)
    if any(not value or role not in set(Role) for value, role in pairs):
        raise ConfigurationError(
            "the setting openid.roles does not map values to roles",
            hint="for example radiologists=author; roles: " + ", ".join(Role),
        )
    secret = settings.client_secret_file
    return OpenIDRules(
        provider=OpenIDProvider(
            issuer=issuer_url(settings.issuer),
            client_id=settings.client_id,
            client_secret=read_bytes(Path(secret)).decode().strip() if secret else "",
            algorithms=algorithms,
            timeout=settings.timeout_seconds or 1,
        ),
        audience=settings.audience,
        scope=settings.scope,
        roles_claim=settings.roles_claim,
        roles=pairs,
        provision=settings.provision,
        organization=settings.organization,
    )
