"""With which certificates somebody may sign here, and where their keys are.

Cites: PS3.15 A.4.
"""

from __future__ import annotations

from dataclasses import dataclass

from sr.codes import SignaturePurpose
from sr.errors import NotFoundError
from sr.service.access import Principal, require_purpose
from sr.service.context import Context
from sr.service.server_signing import server_chains
from sr.store.people import credentials_of

__all__ = ["SigningWay", "way_to_sign"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningWay:
    """A certificate of somebody."""

    chain: bytes
    """PEM, leaf first."""
    by_server: bool
    """Whether the server has the key; else a signing agent has."""


def way_to_sign(context: Context, principal: Principal, purpose: SignaturePurpose) -> SigningWay:
    """Return the certificate to sign with: one whose key is here, else the newest of one's own.

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
    newest = max(own, key=lambda each: each.created_at)
    return SigningWay(chain=newest.chain, by_server=False)
