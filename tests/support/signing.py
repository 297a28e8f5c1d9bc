"""What tests of signing sessions share: a draft, an open session, the values that belong to it."""

from __future__ import annotations

from cryptography import x509

from sr.codes import SignaturePurpose
from sr.mac import MACAlgorithm
from sr.service.operation.demonstration import (
    DEMO_PEOPLE,
    chain_of,
    principal_for,
    write_demo_report,
)
from sr.service.signing.server_signing import sign_with_server_key
from sr.service.signing.session_view import OpenedSession
from sr.service.signing.signing_sessions import WantedSignature, open_session
from sr.store.documents import Document, get_document
from tests.support.service import Service

__all__ = ["draft", "now", "opened", "sign", "values_of", "wanted"]

AUTHOR = SignaturePurpose.AUTHOR


def draft(service: Service, login: str = "anna") -> Document:
    """Return a new draft of somebody's."""
    return write_demo_report(service.context, service.world, login, 0)


def now(service: Service, document: Document) -> Document:
    """Return a document as it is now."""
    with service.context.database.read() as connection:
        return get_document(connection, document.sop_instance_uid)


def wanted(*documents: Document) -> tuple[WantedSignature, ...]:
    """Return what to ask for to sign documents as they were read."""
    return tuple(
        WantedSignature(sop_instance_uid=each.sop_instance_uid, if_match=each.sha256)
        for each in documents
    )


def opened(
    service: Service,
    *documents: Document,
    login: str = "anna",
    purpose: SignaturePurpose = AUTHOR,
) -> OpenedSession:
    """Return a session that waits for its values."""
    certificate = DEMO_PEOPLE[login].certificate
    assert certificate is not None
    return open_session(
        service.context,
        principal_for(login),
        wanted(*documents),
        purpose=purpose,
        chain=chain_of(service.world.pki, certificate),
    )


def values_of(service: Service, session: OpenedSession) -> dict[int, bytes]:
    """Return the signature values of a session, made with the key of its certificate."""
    login = session.session.user_id
    certificate = DEMO_PEOPLE[login].certificate
    assert certificate is not None
    signer = service.context.server_keys.signer(
        service.world.pki.key_uri(certificate),
        tuple(x509.load_pem_x509_certificates(session.session.chain)),
    )
    return {item.n: signer.sign_digest(item.digest, MACAlgorithm.SHA256) for item in session.items}


def sign(
    service: Service,
    document: Document,
    login: str = "anna",
    purpose: SignaturePurpose = AUTHOR,
) -> Document:
    """Sign a document, and return the one that came of it as it is now."""
    session = opened(service, document, login=login, purpose=purpose)
    principal = principal_for(login)
    (verdict,) = sign_with_server_key(service.context, principal, session.session.id)
    with service.context.database.read() as connection:
        return get_document(connection, verdict["sop_instance_uid"])
