"""Use case: a signing agent shows a service that it holds a key, so that its person can choose it.

Cites: RFC 4211 4.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Protocol

from sr.mac import MACAlgorithm

if TYPE_CHECKING:
    from sr.keys import Signer

__all__ = ["KeyRegister", "possession_digest", "possession_statement", "show_possession"]


class KeyRegister(Protocol):
    """The service, as far as it keeps whose key is where. Every method may raise ``SRError``."""

    def certificates(self) -> frozenset[str]:
        """Return the SHA-256 fingerprints of the certificates whose keys were shown."""

    def challenge(self) -> str:
        """Return what to sign next."""

    def announce(self, chain: bytes, challenge: str, signature: bytes, label: str) -> None:
        """Hand over certificates, PEM, and the proof."""


def show_possession(
    register: KeyRegister, signer: Signer, *, chain: bytes, agent_id: str, label: str
) -> None:
    """Sign a challenge of the service.

    Args:
        register: The service.
        signer: The key.
        chain: Certificates, PEM, the signer's first.
        agent_id: Of this agent.
        label: A name for the certificate.

    Raises:
        AccessError: The certificate is not that of the agent's person.
        SigningError: The key does not sign.
    """
    challenge = register.challenge()
    digest = possession_digest(agent_id, challenge)
    register.announce(chain, challenge, signer.sign_digest(digest, MACAlgorithm.SHA256), label)


def possession_digest(holder: str, challenge: str) -> bytes:
    """Return the SHA-256 digest to sign; it is computed by whoever signs.

    Args:
        holder: Id of the agent, or of the person.
        challenge: Drawn by the service.
    """
    return sha256(possession_statement(holder, challenge)).digest()


def possession_statement(holder: str, challenge: str) -> bytes:
    """Return the bytes whose SHA-256 is signed.

    The first ones are no data element, so that no challenge can make it a MAC stream.

    Args:
        holder: Id of the agent, or of the person.
        challenge: Drawn by the service.
    """
    return b"srsign proof of possession\0" + holder.encode() + b"\0" + challenge.encode()
