"""Use case: an agent shows that it holds the key of a certificate, which is then its person's.

The agent signs a challenge that the service drew, together with words that no MAC stream begins
with, so that such a signature is good for nothing else.

Cites: PS3.15 A.4; RFC 4211 4.
"""

from __future__ import annotations

from hashlib import sha256

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from sr.app.audit import AuditAction
from sr.app.possession import possession_digest
from sr.errors import AccessError, ConflictError, NotFoundError, SignerRefusedError
from sr.mac import MACAlgorithm
from sr.service.access import Principal
from sr.service.context import Context
from sr.service.events import record
from sr.signature.integrity import SignatureMatch, match_signature
from sr.store.agents import agent_by, change_agent, give_credential
from sr.store.people import Credential, add_credential, credentials_of, holders_of
from sr.trust import parse_certificates, same_person
from sr.verification.identity import is_holder

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
    leaf = certificates[0]
    now = context.ports.now()
    with context.database.write() as connection:
        agent = agent_by(connection, id=principal.agent_id or "")
        fits = agent is not None and agent.challenge is not None and agent.challenge == challenge
        if agent is None or not fits or not change_agent(connection, agent, {"challenge": None}):
            raise ConflictError("the challenge is not the last one", hint="ask for another one")
    digest = possession_digest(agent.id, challenge)
    if match_signature(leaf, signature, MACAlgorithm.SHA256, digest) is not SignatureMatch.MATCHES:
        raise SignerRefusedError(
            "the signature is not by the key of the certificate", where="(0400,0115)"
        )
    parsed = x509.load_der_x509_certificate(leaf)
    if parsed.not_valid_after_utc <= now:
        raise AccessError("the certificate is too old", where="(0400,0115)")
    identity = context.policy.identity
    if not is_holder(leaf, principal.person_name, (principal.login,), identity):
        raise AccessError(
            "the certificate (CertificateOfSigner (0400,0115)) does not name you",
            where="(0400,0115)",
        )
    fingerprint = sha256(leaf).hexdigest()
    with context.database.write() as connection:
        for other in holders_of(connection, but=principal.user_id):
            if same_person(parse_certificates(other.chain)[0], leaf, identity):
                raise AccessError(
                    "the certificate (CertificateOfSigner (0400,0115)) is somebody else's",
                    where="(0400,0115)",
                )
        known = credentials_of(connection, principal.user_id)
        credential = next((each for each in known if each.sha256 == fingerprint), None)
        if credential is None:
            credential = Credential(
                id=context.new_token(),
                user_id=principal.user_id,
                sha256=fingerprint,
                chain=b"".join(
                    x509.load_der_x509_certificate(der).public_bytes(Encoding.PEM)
                    for der in certificates
                ),
                label=label,
                agent_id=agent.id,
                not_after=parsed.not_valid_after_utc,
                created_at=now,
            )
            add_credential(connection, credential)
        else:
            give_credential(connection, credential.id, agent.id)
        record(
            context,
            connection,
            principal,
            AuditAction.CREDENTIAL_ADDED,
            certificate_sha256=fingerprint,
            subject=f"agent {agent.id}",
        )
    return credential
