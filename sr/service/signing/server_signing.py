"""Use case: sign with a key that the server itself may use, over a signing session.

A service holds keys of its own for seals; of people it holds none, except in demonstrations. The
session was opened before, so the intent is in the audit when the key is asked, and the values are
kept before anything else is done with them.

Cites: PS3.15 A.4, C.4.
"""

from __future__ import annotations

from typing import Any

from cryptography import x509

from sr.codes import SignaturePurpose
from sr.errors import AccessError
from sr.mac import MACAlgorithm
from sr.service.access import PURPOSES, Principal, require_purpose
from sr.service.context import Context
from sr.service.signing.session_states import failure_recorded, get_own_session, require_live
from sr.service.signing.signing_sessions import complete_session
from sr.store.people import credentials_of
from sr.store.signing_sessions import SessionState, SigningSession

__all__ = ["server_chains", "sign_with_server_key"]


def sign_with_server_key(
    context: Context, principal: Principal, session_id: str
) -> tuple[dict[str, Any], ...]:
    """Sign every document of a session, and return the verdict on each that came of it.

    Args:
        context: The service.
        principal: Who opened the session, with a certificate whose key the server may use.
        session_id: The session.

    Raises:
        AccessError: The server has no such key, or may not use it for that.
        NotFoundError: The principal has no such session.
        ExpiredError: Its time is over.
        SigningError: The key does not sign, or not now.
        TimestampError: There is no time-stamp now; the values are kept, ask again.
        ConflictError: A document changed since; the session is void.

    Cites: PS3.15 A.4, C.4.
    """
    session, items = get_own_session(context, principal, session_id)
    if session.state is not SessionState.OPEN:
        return complete_session(context, principal, session_id, {})
    require_live(context, principal, session)
    uri = _key_uri(context, principal, session)
    certificates = tuple(x509.load_pem_x509_certificates(session.chain))
    algorithm = MACAlgorithm(session.mac_algorithm)
    with failure_recorded(context, principal, session):
        signer = context.server_keys.signer(uri, certificates)
        values = {item.n: signer.sign_digest(item.digest, algorithm) for item in items}
    return complete_session(context, principal, session_id, values)


def server_chains(
    context: Context, principal: Principal, purpose: SignaturePurpose
) -> tuple[bytes, ...]:
    """Return the certificate chains, PEM, with which the server may sign for somebody.

    Args:
        context: The service.
        principal: For whom.
        purpose: Of the signature.
    """
    if not _may_use(context, principal, purpose):
        return ()
    with context.database.read() as connection:
        found = credentials_of(connection, principal.user_id)
    return tuple(each.chain for each in found if each.key_uri is not None)


def _key_uri(context: Context, principal: Principal, session: SigningSession) -> str:
    purpose = SignaturePurpose(session.purpose)
    require_purpose(principal, purpose)
    if not _may_use(context, principal, purpose):
        raise AccessError(
            f"the server signs nothing with the purpose {purpose.slug} for you",
            where="(0400,0401)",
            hint="sign with your own key",
        )
    with context.database.read() as connection:
        for credential in credentials_of(connection, principal.user_id):
            if credential.sha256 == session.certificate_sha256 and credential.key_uri:
                return credential.key_uri
    raise AccessError(
        "the server has no key for that certificate (CertificateOfSigner (0400,0115))",
        where="(0400,0115)",
        hint="sign with your own key",
    )


def _may_use(context: Context, principal: Principal, purpose: SignaturePurpose) -> bool:
    roles = context.server_signers & principal.roles
    return any(purpose in PURPOSES.get(role, frozenset()) for role in roles)
