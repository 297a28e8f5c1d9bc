"""Use cases: pair a signing agent with a person, list agents, revoke one.

An agent asks for a code, its person enters the code where they are logged in, and the agent then
takes its token, once. The token is good for the agent's own resources and nothing else.

Cites: RFC 8628; PS3.15 A.4.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from sr.app.audit import AuditAction, Outcome
from sr.errors import AuthenticationError, ExpiredError, NotFoundError, TooManyError
from sr.service.access import Permission, Principal, require
from sr.service.accounts.login import digest_of, principal_of_user
from sr.service.context import Context
from sr.service.events import record
from sr.store.agents import (
    Agent,
    add_agent,
    agent_by,
    agents_of,
    change_agent,
    count_pairing_failures,
    forget_unpaired,
    note_pairing_failure,
    take_credentials,
    unpaired_agents,
)
from sr.store.people import get_user

__all__ = [
    "ALPHABET",
    "POLL_SECONDS",
    "AskedCode",
    "HandedToken",
    "ask_code",
    "own_agents",
    "pair_agent",
    "principal_of_agent",
    "revoke_agent",
    "take_token",
]

ALPHABET = "BCDFGHJKLMNPQRSTVWXZ"
"""Letters of user codes: no vowels, so that no word comes of them, and none that looks like 0 or 1.

Cites: RFC 8628 6.1.
"""
POLL_SECONDS = 5
_CODE_LETTERS = 8
_CODE_LIFETIME = timedelta(minutes=10)
_TOKEN_LIFETIME = timedelta(days=90)
_MOST_UNPAIRED = 200
_MOST_UNPAIRED_AT_ONE_ADDRESS = 20
_MOST_FAILURES = 5
_SEEN = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedCode:
    """What an agent that wants to be paired is told.

    Cites: RFC 8628 3.2.
    """

    device_code: str
    user_code: str
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class HandedToken:
    """What a paired agent is told, once."""

    token: str
    agent: Agent
    principal: Principal


def ask_code(context: Context, *, label: str, address: str) -> AskedCode:
    """Begin to pair an agent that nobody knows yet.

    Args:
        context: The service.
        label: What the agent calls itself, e.g. the name of its machine.
        address: Where it asks from.

    Raises:
        TooManyError: Too many wait for their code to be entered.

    Cites: RFC 8628 3.1.
    """
    now = context.ports.now()
    device_code, user_code = context.new_token(), _letters(int(context.new_token(), 16))
    agent = Agent(
        id=context.new_token(),
        label=label,
        address=address,
        user_code=user_code,
        device_digest=digest_of(device_code),
        created_at=now,
        expires_at=now + _CODE_LIFETIME,
    )
    with context.database.write() as connection:
        forget_unpaired(connection, until=now)
        waiting = unpaired_agents(connection)
        if (
            len(waiting) >= _MOST_UNPAIRED
            or waiting.count(address) >= _MOST_UNPAIRED_AT_ONE_ADDRESS
        ):
            raise TooManyError("too many agents wait to be paired", retry_after=60)
        add_agent(connection, agent)
    return AskedCode(device_code=device_code, user_code=user_code, expires_at=agent.expires_at)


def pair_agent(
    context: Context, principal: Principal, user_code: str, *, label: str | None = None
) -> Agent:
    """Pair the agent that shows a code with the person who enters it.

    Args:
        context: The service.
        principal: The person.
        user_code: As shown; hyphens, blanks and letter case do not matter.
        label: A name for the agent; its own where left out.

    Raises:
        AccessError: The principal pairs no agents.
        NotFoundError: No agent shows that code, or not any more.
        TooManyError: The principal has entered too many codes that there are not.

    Cites: RFC 8628 3.3, 5.1.
    """
    require(principal, Permission.PAIR_AGENTS)
    now = context.ports.now()
    with context.database.write() as connection:
        since = now - _CODE_LIFETIME
        failures = count_pairing_failures(connection, principal.user_id, since=since)
        if failures >= _MOST_FAILURES:
            raise TooManyError(
                "too many codes that there are not", retry_after=int(_CODE_LIFETIME.total_seconds())
            )
        agent = agent_by(connection, user_code=_plain(user_code))
        changes = {"user_id": principal.user_id, "user_code": None}
        if label:
            changes["label"] = label
        if (
            agent is not None
            and agent.expires_at > now
            and change_agent(connection, agent, changes)
        ):
            _record(context, connection, principal, AuditAction.CREDENTIAL_ADDED, agent.id)
            paired = agent_by(connection, id=agent.id)
            assert paired is not None  # noqa: S101 - it was changed just now
            return paired
        note_pairing_failure(connection, principal.user_id, at=now)
        record(
            context,
            connection,
            principal,
            AuditAction.CREDENTIAL_ADDED,
            outcome=Outcome.MINOR_FAILURE,
            subject="agent",
            detail="no agent shows that code",
        )
    raise NotFoundError("no agent shows that code", hint="codes are good for ten minutes")


def take_token(context: Context, device_code: str) -> HandedToken | None:
    """Return the token of an agent whose code was entered, ``None`` while it was not.

    Raises:
        NotFoundError: There is no such device code.
        ExpiredError: Its time is over, or its token was taken already.

    Cites: RFC 8628 3.4, 3.5.
    """
    now = context.ports.now()
    with context.database.write() as connection:
        agent = agent_by(connection, device_digest=digest_of(device_code))
        if agent is None:
            raise NotFoundError("there is no such device code", hint="pair again")
        over = agent.token_digest is not None or agent.revoked_at is not None
        if over or agent.expires_at <= now:
            raise ExpiredError("the device code is used up or too old", hint="pair again")
        if agent.user_id is None:
            return None
        token = context.new_token() + context.new_token()
        paired = replace(agent, token_digest=digest_of(token), expires_at=now + _TOKEN_LIFETIME)
        changes = {"token_digest": paired.token_digest, "expires_at": paired.expires_at}
        if not change_agent(connection, agent, changes):
            raise ExpiredError("the device code is used up or too old", hint="pair again")
        principal = _principal(connection, paired, agent.address)
        _record(context, connection, principal, AuditAction.LOGIN, agent.id)
    return HandedToken(token=token, agent=paired, principal=principal)


def principal_of_agent(context: Context, token: str, *, address: str = "") -> Principal:
    """Return the person behind an agent's token, as that agent.

    Raises:
        AuthenticationError: There is no such token, it was revoked or is too old, or the person
            was disabled.
    """
    now = context.ports.now()
    with context.database.read() as connection:
        agent = agent_by(connection, token_digest=digest_of(token))
        if agent is None or agent.revoked_at is not None or agent.expires_at <= now:
            raise AuthenticationError("nobody knows the agent", hint="pair it again")
        principal = _principal(connection, agent, address)
    if agent.seen_at is None or agent.seen_at + _SEEN <= now:
        with context.database.write() as connection:
            change_agent(connection, agent, {"seen_at": now})
    return principal


def own_agents(context: Context, principal: Principal) -> tuple[Agent, ...]:
    """Return the principal's agents that have not been revoked and are not too old.

    Raises:
        AccessError: The principal pairs no agents.
    """
    require(principal, Permission.PAIR_AGENTS)
    now = context.ports.now()
    with context.database.read() as connection:
        found = agents_of(connection, principal.user_id)
    return tuple(agent for agent in found if agent.expires_at > now)


def revoke_agent(context: Context, principal: Principal, agent_id: str) -> None:
    """Take an agent's token away; what it has not signed by now it never will.

    Args:
        context: The service.
        principal: The person it is paired with, or the agent itself.
        agent_id: The agent.

    Raises:
        AccessError: The principal pairs no agents.
        NotFoundError: The principal has no such agent.
    """
    if principal.agent_id != agent_id:
        require(principal, Permission.PAIR_AGENTS)
    with context.database.write() as connection:
        agent = agent_by(connection, id=agent_id)
        if agent is None or agent.user_id != principal.user_id:
            raise NotFoundError("there is no such agent")
        if change_agent(connection, agent, {"revoked_at": context.ports.now()}):
            take_credentials(connection, agent_id)
            _record(context, connection, principal, AuditAction.CREDENTIAL_REMOVED, agent_id)


def _principal(connection: Connection, agent: Agent, address: str) -> Principal:
    assert agent.user_id is not None  # noqa: S101 - a token is handed out after pairing
    person = principal_of_user(get_user(connection, agent.user_id), address)
    return replace(person, agent_id=agent.id)


def _record(
    context: Context,
    connection: Connection,
    principal: Principal,
    action: AuditAction,
    agent_id: str,
) -> None:
    record(context, connection, principal, action, subject=f"agent {agent_id}")


def _letters(number: int) -> str:
    letters = []
    for _ in range(_CODE_LETTERS):
        number, index = divmod(number, len(ALPHABET))
        letters.append(ALPHABET[index])
    half = _CODE_LETTERS // 2
    return "".join(letters[:half]) + "-" + "".join(letters[half:])


def _plain(code: str) -> str:
    letters = "".join(letter for letter in code.upper() if letter.isalpha())
    half = _CODE_LETTERS // 2
    return f"{letters[:half]}-{letters[half:]}"
