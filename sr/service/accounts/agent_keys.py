"""Use case: an agent shows that it holds the key of a certificate, which is then its person's.

The agent signs a challenge that the service drew, together with words that no MAC stream begins
with, so that such a signature is good for nothing else.

Cites: PS3.15 A.4; RFC 4211 4.
"""

from __future__ import annotations

from sr.app.signatures.possession import possession_digest
from sr.errors import ConflictError, NotFoundError
from sr.service.access import Principal
from sr.service.accounts.credentials import keep_certificate
from sr.service.context import Context
from sr.store.agents import agent_by, change_agent
from sr.store.people import Credential, credentials_of
from sr.trust import parse_certificates

__all__ = ["announce_certificate", "challenge_of", "keys_of_agent"]


def keys_of_agent(context: Context, principal: Principal) -> tuple[Credential, ...]:
    """Return the certificates whose keys an agent has shown to hold."""
    with context.database.read() as connection:
        found = credentials_of(connection, principal.user_id)
    return tuple(each for each in found if each.agent_id == principal.agent_id)


def challenge_of(context: Context, principal: Principal) -> str:
    """Return what an agent has to sign next, good once.

    Raises:
        NotFoundError: The agent was revoked.
    """
    challenge = context.new_token()
    with context.database.write() as connection:
        agent = agent_by(connection, id=principal.agent_id or "")
        if agent is None or not change_agent(connection, agent, {"challenge": challenge}):
            raise NotFoundError("there is no such agent")
    return challenge


def announce_certificate(
    context: Context,
    principal: Principal,
    *,
    chain: bytes,
    challenge: str,
    signature: bytes,
    label: str,
) -> Credential:
    """Keep a certificate as the person's, its key with this agent.

    Args:
        context: The service.
        principal: The agent.
        chain: Certificates, PEM or DER, the person's first.
        challenge: From ``challenge_of``.
        signature: Over ``possession_digest`` of agent and challenge, SHA-256.
        label: A name for the certificate.

    Raises:
        TrustEvidenceError: The chain does not parse.
        ConflictError: The challenge is not the agent's, or was used.
        SignerRefusedError: The signature is not by the certificate's key.
        AccessError: The certificate is not this person's.

    Cites: PS3.15 A.4.
    """
    certificates = parse_certificates(chain)
    with context.database.write() as connection:
        agent = agent_by(connection, id=principal.agent_id or "")
        fits = agent is not None and agent.challenge is not None and agent.challenge == challenge
        if agent is None or not fits or not change_agent(connection, agent, {"challenge": None}):
            raise ConflictError("the challenge is not the last one", hint="ask for another one")
    return keep_certificate(
        context,
        principal,
        certificates,
        digest=possession_digest(agent.id, challenge),
        signature=signature,
        label=label,
        agent_id=agent.id,
    )
