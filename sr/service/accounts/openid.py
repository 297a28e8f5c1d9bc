"""Use cases: log in through an OpenID provider, and tell who sends its access token.

The browser keeps one random value until it comes back. State, nonce and the verifier of the code
are digests of it, so that they belong together and to this browser; the store holds another digest,
once, so that no answer of the provider is taken twice.

Cites: OpenID Connect Core 1.0 3.1; RFC 7636; RFC 9207; RFC 9700 2.1.
"""

from __future__ import annotations

from datetime import timedelta
from hashlib import sha256
from hmac import compare_digest
from typing import Any

from sqlalchemy import Connection

from sr.app.audit import AuditAction
from sr.errors import AuthenticationError, ConfigurationError
from sr.service.access import Role
from sr.service.accounts.login import digest_of, principal_of_user, start_session
from sr.service.context import Context, OpenIDRules
from sr.service.events import record
from sr.store.people import User, add_user, change_user, user_by_subject
from sr.store.web_sessions import add_login_attempt, take_login_attempt

__all__ = ["begin_login", "finish_login", "user_of_token"]

_ATTEMPT = timedelta(minutes=10)
_LONGEST_SUBJECT = 255
"""Cites: OpenID Connect Core 1.0 2."""


def begin_login(context: Context, *, redirect_uri: str) -> tuple[str, str]:
    """Return where to send a browser, and what it keeps until it is back.

    Raises:
        ConfigurationError: No provider is configured.
        ExternalServiceError: The provider does not answer.
    """
    rules = _rules(context)
    kept = context.new_token() + context.new_token()
    url = rules.provider.authorization_url(
        redirect_uri=redirect_uri,
        state=_part(kept, "state"),
        nonce=_part(kept, "nonce"),
        verifier=_part(kept, "verifier"),
        scope=rules.scope,
    )
    now = context.ports.now()
    with context.database.write() as connection:
        add_login_attempt(connection, digest_of(kept), at=now, expires_at=now + _ATTEMPT)
    return url, kept


def finish_login(
    context: Context,
    kept: str,
    *,
    state: str,
    code: str,
    issuer: str,
    redirect_uri: str,
    address: str,
) -> str:
    """Log in whom the provider vouches for; return the value of the cookie.

    Args:
        context: The service.
        kept: What the browser kept.
        state: That came back with the code.
        code: Of the provider.
        issuer: Who says that it sends the answer; empty where nobody is named.
        redirect_uri: As at the beginning.
        address: Where the request comes from.

    Raises:
        AuthenticationError: The answer belongs to no login of this browser, is taken already, is
            not the provider's, or nobody here is meant.
        ExternalServiceError: The provider does not answer.
    """
    rules = _rules(context)
    if issuer not in ("", rules.provider.issuer):  # RFC 9207 2.4
        raise AuthenticationError("the answer is another provider's")
    if not compare_digest(state.encode(), _part(kept, "state").encode()):
        raise AuthenticationError("the answer belongs to no login of this browser")
    with context.database.write() as connection:
        in_time = take_login_attempt(connection, digest_of(kept), at=context.ports.now())
    if not in_time:
        raise AuthenticationError("the login was finished already, or took too long")
    token = rules.provider.redeem(code, redirect_uri=redirect_uri, verifier=_part(kept, "verifier"))
    claims = rules.provider.claims(
        token, audience=rules.provider.client_id, now=_now(context), nonce=_part(kept, "nonce")
    )
    user = _user_of_claims(context, rules, claims)
    return start_session(context, user, address=address, by="openid")


def user_of_token(context: Context, token: str) -> User | None:
    """Return whose access token it is.

    Raises:
        AuthenticationError: It proves nothing here, or nobody here is meant.
        ExternalServiceError: The provider does not answer.

    Cites: RFC 9068 4.
    """
    rules = context.openid
    if rules is None or not rules.audience:
        return None
    claims = rules.provider.claims(token, audience=rules.audience, now=_now(context))
    return _user_of_claims(context, rules, claims)


def _user_of_claims(context: Context, rules: OpenIDRules, claims: dict[str, Any]) -> User:
    """Return the user of a subject, with the roles that the provider gives where it does."""
    issuer, subject = rules.provider.issuer, str(claims["sub"])
    if len(subject) > _LONGEST_SUBJECT:
        raise AuthenticationError("the OpenID provider sends a subject that is none")
    with context.database.read() as connection:
        user = user_by_subject(connection, issuer, subject)
    if user is None:
        if not rules.provision:
            raise AuthenticationError("the OpenID provider vouches for somebody unknown here")
        user = _new(context, rules, claims)
        with context.database.write() as connection:
            if user_by_subject(connection, issuer, subject) is None:
                add_user(connection, user)
                _record_roles(context, connection, user)
    roles = _roles(rules, claims)
    if roles is None or set(roles) == set(user.roles):
        return user
    with context.database.write() as connection:
        found = user_by_subject(connection, issuer, subject)
        assert found is not None  # noqa: S101 - users are never removed
        change_user(connection, found.id, {"roles": list(roles)})
        changed = user_by_subject(connection, issuer, subject)
        assert changed is not None  # noqa: S101
        _record_roles(context, connection, changed)
    return changed


def _new(context: Context, rules: OpenIDRules, claims: dict[str, Any]) -> User:
    """Return an account for somebody who is new: without roles, under a login that is free."""
    subject = str(claims["sub"])
    said = {name: str(claims.get(name, ""))[:64] for name in ("name", "family_name", "given_name")}
    mark = sha256(f"{rules.provider.issuer}\0{subject}".encode()).hexdigest()[:32]
    parts = (said["family_name"] or said["name"] or subject[:64], said["given_name"])
    return User(
        id=mark,
        login=f"openid:{mark}",
        display_name=said["name"] or subject[:64],
        person_name="^".join(filter(None, (each.translate(_NOT_IN_NAMES) for each in parts))),
        organization=rules.organization,
        roles=(),
        issuer=rules.provider.issuer,
        subject=subject,
        created_at=context.ports.now(),
    )


_NOT_IN_NAMES = {ord(each): " " for each in "\\^="}
"""Cites: PS3.5 6.2.1."""


def _roles(rules: OpenIDRules, claims: dict[str, Any]) -> tuple[str, ...] | None:
    if not rules.roles_claim:
        return None
    said = claims.get(rules.roles_claim, ())
    listed = said if isinstance(said, list) else [said]
    values = {each for each in listed if isinstance(each, str)}
    given = {role for value, role in rules.roles if value in values}
    return tuple(role.value for role in Role if role in given)


def _record_roles(context: Context, connection: Connection, user: User) -> None:
    record(
        context,
        connection,
        principal_of_user(user),
        AuditAction.ROLES_CHANGED,
        subject=user.id,
        detail=" ".join(user.roles),
    )


def _rules(context: Context) -> OpenIDRules:
    if context.openid is None:
        raise ConfigurationError("no OpenID provider is configured (openid.issuer)")
    return context.openid


def _part(kept: str, name: str) -> str:
    return sha256(f"srsign login {name}\0{kept}".encode()).hexdigest()


def _now(context: Context) -> int:
    return int(context.ports.now().timestamp())
