"""Use cases: one's own certificates, each added with a proof that its key is at hand.

The proof is a signature over a challenge of the service, together with words that no MAC stream
begins with, so that such a signature is good for nothing else.

Cites: PS3.15 A.4; RFC 4211 4.
"""

from __future__ import annotations

from datetime import timedelta
from hashlib import sha256

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from sr.app.audit import AuditAction
from sr.app.signatures.possession import possession_digest
from sr.errors import AccessError, ConflictError, SignerRefusedError
from sr.mac import MACAlgorithm
from sr.service.access import Permission, Principal, require
from sr.service.context import Context
from sr.service.events import record
from sr.service.signing.vouching import require_vouched
from sr.signature.integrity import SignatureMatch, match_signature
from sr.store.agents import give_credential
from sr.store.challenges import Challenge, put_challenge, take_challenge
from sr.store.people import (
    Credential,
    add_credential,
    credentials_of,
    holders_of,
    withdraw_credential,
)
from sr.trust import parse_certificates, same_person
from sr.verification.identity import is_holder

__all__ = [
    "add_certificate",
    "draw_challenge",
    "keep_certificate",
    "own_credentials",
    "withdraw_certificate",
]

_LIFETIME = timedelta(minutes=10)


def own_credentials(context: Context, principal: Principal) -> tuple[Credential, ...]:
    """Return the principal's certificates that were not withdrawn.

    Raises:
        AccessError: The principal has none and may have none.
    """
    require(principal, Permission.OWN_CREDENTIALS)
    with context.database.read() as connection:
        return credentials_of(connection, principal.user_id)


def draw_challenge(context: Context, principal: Principal) -> tuple[Challenge, bytes]:
    """Return a challenge, good once, and the SHA-256 digest that the key has to sign.

    Raises:
        AccessError: The principal may have no certificate.
    """
    require(principal, Permission.OWN_CREDENTIALS)
    challenge = Challenge(
        user_id=principal.user_id,
        challenge=context.new_token(),
        expires_at=context.ports.now() + _LIFETIME,
    )
    with context.database.write() as connection:
        put_challenge(connection, challenge)
    return challenge, possession_digest(principal.user_id, challenge.challenge)


def add_certificate(
    context: Context,
    principal: Principal,
    *,
    chain: bytes,
    challenge: str,
    signature: bytes,
    label: str,
) -> Credential:
    """Keep a certificate as the principal's.

    Args:
        context: The service.
        principal: Whose it is.
        chain: Certificates, PEM or DER, the principal's first.
        challenge: From ``draw_challenge``.
        signature: Over its digest, by the key of the certificate.
        label: A name for the certificate.

    Raises:
        TrustEvidenceError: The chain does not parse.
        ConflictError: The challenge is not the last one, too old, or was used.
        SignerRefusedError: The signature is not by the certificate's key.
        AccessError: The certificate is not this person's.

    Cites: PS3.15 A.4.
    """
    require(principal, Permission.OWN_CREDENTIALS)
    certificates = parse_certificates(chain)
    with context.database.write() as connection:
        at = context.ports.now()
        fits = take_challenge(connection, principal.user_id, challenge, at=at)
    if not fits:
        raise ConflictError("the challenge is not the last one", hint="ask for another one")
    return keep_certificate(
        context,
        principal,
        certificates,
        digest=possession_digest(principal.user_id, challenge),
        signature=signature,
        label=label,
    )


def withdraw_certificate(context: Context, principal: Principal, credential_id: str) -> None:
    """Sign with a certificate no longer; what it signed stays as good as it was.

    Raises:
        AccessError: The principal may have no certificate.
        NotFoundError: The principal has no such certificate.
    """
    require(principal, Permission.OWN_CREDENTIALS)
    with context.database.write() as connection:
        withdrawn = withdraw_credential(
            connection, credential_id, user_id=principal.user_id, at=context.ports.now()
        )
        record(
            context,
            connection,
            principal,
            AuditAction.CREDENTIAL_REMOVED,
            certificate_sha256=withdrawn.sha256,
            subject=credential_id,
        )


def keep_certificate(
    context: Context,
    principal: Principal,
    certificates: tuple[bytes, ...],
    *,
    digest: bytes,
    signature: bytes,
    label: str,
    agent_id: str | None = None,
) -> Credential:
    """Keep a certificate as the principal's whose key signed a digest that nobody knew before.

    Args:
        context: The service.
        principal: Whose it is.
        certificates: DER, the principal's first.
        digest: What was to be signed, SHA-256.
        signature: By the key of the first certificate.
        label: A name for the certificate.
        agent_id: The agent that has the key.

    Raises:
        SignerRefusedError: The signature is not by the certificate's key, or checks here would not
            accept the certificate.
        AccessError: The certificate is not this person's.

    Cites: PS3.15 A.4.
    """
    leaf = certificates[0]
    now = context.ports.now()
    if match_signature(leaf, signature, MACAlgorithm.SHA256, digest) is not SignatureMatch.MATCHES:
        raise SignerRefusedError(
            "the signature is not by the key of the certificate", where="(0400,0115)"
        )
    require_vouched(context, leaf)
    parsed = x509.load_der_x509_certificate(leaf)
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
                agent_id=agent_id,
                not_after=parsed.not_valid_after_utc,
                created_at=now,
            )
            add_credential(connection, credential)
        elif agent_id is not None:
            give_credential(connection, credential.id, agent_id)
        record(
            context,
            connection,
            principal,
            AuditAction.CREDENTIAL_ADDED,
            certificate_sha256=fingerprint,
            subject=f"agent {agent_id}" if agent_id else credential.id,
        )
    return credential
