"""Writing the audit: one call in every use case, inside its transaction."""

from __future__ import annotations

from sqlalchemy import Connection

from sr.app.audit import Actor, AuditAction, AuditedInstance, AuditEvent, Outcome
from sr.codes import SignaturePurpose
from sr.service.access import THE_SERVICE, Principal
from sr.service.context import Context
from sr.store.audit import append_event
from sr.store.documents import Document

__all__ = ["actor_of", "record"]


def record(
    context: Context,
    connection: Connection,
    principal: Principal,
    action: AuditAction,
    *,
    outcome: Outcome = Outcome.SUCCESS,
    document: Document | None = None,
    purpose: SignaturePurpose | None = None,
    certificate_sha256: str = "",
    digital_signature_uid: str = "",
    subject: str = "",
    detail: str = "",
) -> None:
    """Write what somebody did, or tried, to the audit.

    Args:
        context: For the time.
        connection: The transaction that does it.
        principal: Who.
        action: What.
        outcome: How it went.
        document: What it is about, as it stands afterwards.
        purpose: Of a signature.
        certificate_sha256: Of the signer's certificate, hexadecimal.
        digital_signature_uid: Of a signature.
        subject: What else it is about, e.g. the id of a signing session.
        detail: Why it failed; free of secrets.

    Cites: PS3.15 A.5.
    """
    append_event(
        connection,
        AuditEvent(
            action=action,
            at=context.ports.now(),
            actor=actor_of(principal),
            outcome=outcome,
            instances=() if document is None else (_instance(document),),
            study_instance_uid="" if document is None else document.study_instance_uid,
            patient_id="" if document is None else document.patient_id,
            patient_name="" if document is None else document.patient_name,
            purpose=purpose,
            certificate_sha256=certificate_sha256,
            digital_signature_uid=digital_signature_uid,
            subject=subject,
            detail=detail,
        ),
    )


def actor_of(principal: Principal) -> Actor:
    """Return somebody as the audit names them."""
    return Actor(
        user_id=principal.user_id,
        name=principal.display_name,
        roles=tuple(sorted(principal.roles)),
        address=principal.address,
        is_service=principal == THE_SERVICE,
    )


def _instance(document: Document) -> AuditedInstance:
    return AuditedInstance(
        sop_class_uid=document.sop_class_uid,
        sop_instance_uid=document.sop_instance_uid,
        sha256=document.sha256,
    )
