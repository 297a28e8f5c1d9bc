"""Signing agents: programs beside a card, each paired with one user."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, func, insert, select, update

from sr.store.schema import agents, credentials, pairing_failures
from sr.store.signing_sessions import LIVE, SigningSession, sessions_in

__all__ = [
    "Agent",
    "add_agent",
    "agent_by",
    "agents_of",
    "change_agent",
    "count_pairing_failures",
    "forget_unpaired",
    "give_credential",
    "note_pairing_failure",
    "sessions_of_agent",
    "take_credentials",
    "unpaired_agents",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """A program that asked to be paired, or is."""

    id: str
    label: str
    address: str
    """That it asked from."""
    user_code: str | None = None
    """Until somebody entered it."""
    device_digest: str
    token_digest: str | None = None
    """Once it took its token."""
    challenge: str | None = None
    """What it has to sign to show that it holds a key; good once."""
    user_id: str | None = None
    created_at: datetime
    expires_at: datetime
    """Of the code, and then of the token."""
    seen_at: datetime | None = None
    revoked_at: datetime | None = None


def add_agent(connection: Connection, agent: Agent) -> None:
    """Write an agent that wants to be paired."""
    connection.execute(insert(agents).values(**asdict(agent)))


def agent_by(connection: Connection, **columns: str) -> Agent | None:
    """Return the agent with certain values, which are unique: id, user code or a digest."""
    query = select(agents)
    for name, value in columns.items():
        query = query.where(agents.c[name] == value)
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else Agent(**row)


def agents_of(connection: Connection, user_id: str) -> tuple[Agent, ...]:
    """Return the agents of a user that were not revoked, oldest first."""
    query = select(agents).where(agents.c.user_id == user_id).where(agents.c.revoked_at.is_(None))
    rows = connection.execute(query.order_by(agents.c.created_at)).mappings()
    return tuple(Agent(**row) for row in rows)


def change_agent(connection: Connection, agent: Agent, changes: Mapping[str, Any]) -> bool:
    """Change an agent as it was read; return whether nobody else was faster.

    What pairing hands out once is compared: user, token and challenge.
    """
    found = connection.execute(
        update(agents)
        .where(agents.c.id == agent.id)
        .where(_same(agents.c.user_id, agent.user_id))
        .where(_same(agents.c.token_digest, agent.token_digest))
        .where(_same(agents.c.challenge, agent.challenge))
        .where(agents.c.revoked_at.is_(None))
        .values(**changes)
    )
    return found.rowcount == 1


def unpaired_agents(connection: Connection) -> tuple[str, ...]:
    """Return the address of each that waits for somebody to enter its code."""
    query = select(agents.c.address).where(agents.c.user_id.is_(None))
    return tuple(connection.scalars(query))


def forget_unpaired(connection: Connection, *, until: datetime) -> None:
    """Remove agents whose code nobody entered in time, and failures that count no more."""
    connection.execute(
        delete(agents).where(agents.c.user_id.is_(None)).where(agents.c.expires_at <= until)
    )


def note_pairing_failure(connection: Connection, user_id: str, *, at: datetime) -> None:
    """Keep that a user entered a code that there is not."""
    connection.execute(insert(pairing_failures).values(user_id=user_id, at=at))


def count_pairing_failures(connection: Connection, user_id: str, *, since: datetime) -> int:
    """Return how many such codes a user entered since a time; older ones are forgotten."""
    own = pairing_failures.c.user_id == user_id
    connection.execute(delete(pairing_failures).where(own).where(pairing_failures.c.at <= since))
    query = select(func.count()).select_from(pairing_failures).where(own)
    return int(connection.execute(query).scalar_one())


def give_credential(connection: Connection, credential_id: str, agent_id: str) -> None:
    """Keep which agent holds the key of a certificate."""
    connection.execute(
        update(credentials).where(credentials.c.id == credential_id).values(agent_id=agent_id)
    )


def take_credentials(connection: Connection, agent_id: str) -> None:
    """Keep that an agent holds no key any more."""
    connection.execute(
        update(credentials).where(credentials.c.agent_id == agent_id).values(agent_id=None)
    )


def sessions_of_agent(
    connection: Connection, agent_id: str, certificate_sha256: str
) -> tuple[SigningSession, ...]:
    """Return the live sessions for an agent and one of its certificates, oldest first."""
    agent = agent_by(connection, id=agent_id)
    if agent is None or agent.revoked_at is not None:
        return ()
    return tuple(
        session
        for session in sessions_in(connection, *LIVE)
        if session.agent_id == agent_id and session.certificate_sha256 == certificate_sha256
    )


def _same(column: ColumnElement[Any], value: str | None) -> ColumnElement[bool]:
    return column.is_(None) if value is None else column == value
