"""Use cases: the signing sessions that wait for an agent, what they are over, and how they end.

An agent sees the sessions of its person that were opened with a certificate whose key it holds, and
no others; of documents it sees what it is asked to sign.

Cites: PS3.15 A.4, C.4.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sr.app.signatures.remote_signing import Refusal
from sr.errors import ConflictError, ExpiredError, NotFoundError
from sr.service.access import Principal
from sr.service.context import Context
from sr.service.signing.session_states import get_own_session, require_live, void_session
from sr.service.signing.session_view import OpenedSession, session_stream, show_session
from sr.service.signing.signing_sessions import complete_session
from sr.store.agents import sessions_of_agent
from sr.store.signing_sessions import SessionState

__all__ = ["agent_complete", "agent_stream", "has_open_session", "refuse_session", "waiting_for"]


def has_open_session(context: Context, principal: Principal, certificate_sha256: str) -> bool:
    """Return whether there is a session that an agent should show to its person."""
    assert principal.agent_id is not None  # noqa: S101 - see principal_of_agent
    now = context.ports.now()
    with context.database.read() as connection:
        found = sessions_of_agent(connection, principal.agent_id, certificate_sha256)
    return any(each.state is SessionState.OPEN and each.expires_at > now for each in found)


def waiting_for(
    context: Context, principal: Principal, certificate_sha256: str
) -> tuple[OpenedSession, ...]:
    """Return the sessions that wait for an agent, those with kept values too, oldest first.

    Args:
        context: The service.
        principal: The agent.
        certificate_sha256: The certificate whose key it has at hand, hexadecimal.
    """
    assert principal.agent_id is not None  # noqa: S101 - see principal_of_agent
    with context.database.read() as connection:
        found = sessions_of_agent(connection, principal.agent_id, certificate_sha256)
    opened = []
    for session in found:
        try:
            require_live(context, principal, session)
            opened.append(show_session(context, principal, session.id))
        except (ExpiredError, ConflictError):
            continue
    return tuple(opened)


def agent_stream(context: Context, principal: Principal, session_id: str, n: int) -> bytes:
    """Return the bytes that one signature is over.

    Raises:
        NotFoundError: No such session waits for the agent, or it has no such document.
        ExpiredError: The session is over.

    Cites: PS3.3 C.12.1.1.3.1.1.
    """
    _require_meant(context, principal, session_id, live=True)
    return session_stream(context, principal, session_id, n)


def agent_complete(
    context: Context, principal: Principal, session_id: str, values: Mapping[int, bytes]
) -> tuple[dict[str, Any], ...]:
    """Take signature values from an agent; see ``complete_session``.

    Raises:
        NotFoundError: No such session waits for the agent.
        ExpiredError: The session is over.
        SignerRefusedError: A value does not fit; nothing was kept.
        TimestampError: There is no time-stamp now; the values are kept, try again without any.
        ConflictError: A document changed since; the session is void.

    Cites: PS3.15 A.4.
    """
    _require_meant(context, principal, session_id, live=False)
    return complete_session(context, principal, session_id, values)


def refuse_session(context: Context, principal: Principal, session_id: str, why: Refusal) -> None:
    """End a session that will not be signed.

    Raises:
        NotFoundError: No such session waits for the agent.
        ConflictError: It was completed already.
    """
    _require_meant(context, principal, session_id, live=False)
    ended = void_session(context, principal, session_id, why=f"agent: {why.value}")
    if ended.state is SessionState.COMPLETED:
        raise ConflictError("the signing session was completed already")


def _require_meant(context: Context, principal: Principal, session_id: str, *, live: bool) -> None:
    session, _ = get_own_session(context, principal, session_id)
    if principal.agent_id is None or session.agent_id != principal.agent_id:
        raise NotFoundError("there is no such signing session")
    if live:
        require_live(context, principal, session)
