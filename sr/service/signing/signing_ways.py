"""With which certificates somebody may sign here, and where their keys are.

Cites: PS3.15 A.4.
"""

from __future__ import annotations

from dataclasses import dataclass

from sr.codes import SignaturePurpose
from sr.errors import ConfigurationError, NotFoundError
from sr.service.access import Principal, require_purpose
from sr.service.context import Context
from sr.service.signing.server_signing import server_chains
from sr.store.people import credentials_of

__all__ = ["SigningWay", "chosen_chain", "way_to_sign"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningWay:
    """A certificate of somebody."""

    chain: bytes
    """PEM, leaf first."""
    by_server: bool
    """Whether the server has the key; else a signing agent has."""


def way_to_sign(context: Context, principal: Principal, purpose: SignaturePurpose) -> SigningWay:
    """Return the certificate to sign with: one whose key is here, else one's own.

    Of those the newest whose key is at an agent, which can be asked to sign, goes first.

    Raises:
        AccessError: The principal does not sign for that purpose.
        NotFoundError: No certificate is registered.
    """
    require_purpose(principal, purpose)
    for chain in server_chains(context, principal, purpose):
        return SigningWay(chain=chain, by_server=True)
    with context.database.read() as connection:
        own = credentials_of(connection, principal.user_id)
    if not own:
        raise NotFoundError("you have no certificate here", hint="pair a signing agent first")
    best = max(own, key=lambda each: (each.agent_id is not None, each.created_at))
    return SigningWay(chain=best.chain, by_server=False)


def chosen_chain(
    context: Context,
    principal: Principal,
    purpose: SignaturePurpose,
    *,
    chain: bytes | None,
    credential: str | None,
) -> bytes:
    """Return the certificates to sign with, PEM: those that were sent, or registered before.

    Args:
        context: The service.
        principal: Who signs.
        purpose: What for.
        chain: Certificates, PEM, the signer's first.
        credential: Id of one of the principal's own; exactly one of the two is given.

    Raises:
        AccessError: The principal does not sign for that purpose.
        ConfigurationError: Both are given, or none.
        NotFoundError: The principal has none of that id, or withdrew it.
    """
    require_purpose(principal, purpose)
    if (chain is None) == (credential is None):
        raise ConfigurationError(
            "either certificate_chain or credential says with what to sign", where="credential"
        )
    if chain is not None:
        return chain
    with context.database.read() as connection:
        own = credentials_of(connection, principal.user_id)
    for each in own:
        if each.id == credential:
            return each.chain
    raise NotFoundError("there is no such certificate", where="credential")
