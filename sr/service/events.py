"""Writing the audit: one call in every use case, inside its transaction."""

from __future__ import annotations

from typing import Any, TypedDict, Unpack

from sqlalchemy import Connection

from sr.app.audit import Actor, AuditAction, AuditedInstance, AuditEvent, Outcome
from sr.codes import SignaturePurpose
from sr.service.access import THE_SERVICE, Principal
from sr.service.context import Context
from sr.store.audit import append_rows, event_row
from sr.store.documents import Document

__all__ = ["About", "actor_of", "event", "record"]


class About(TypedDict, total=False):
    """What is known of an event beside who did what."""

    outcome: Outcome
    document: Document | None
    """What it is about, as it stands afterwards."""
    evidence_of: Document | None
    """Whose cited study it is about instead."""
    purpose: SignaturePurpose | None
    certificate_sha256: str
    """Of the signer's certificate, hexadecimal."""
    digital_signature_uid: str
    subject: str
    """What else it is about, e.g. the id of a signing session."""
    detail: str
    """Why it failed; free of secrets."""


def record(
    context: Context,
    connection: Connection,
    principal: Principal,
    action: AuditAction,
    **about: Unpack[About],
) -> None:
    """Write what somebody did, or tried, to the audit.

    Args:
        context: For the time.
        connection: The transaction that does it.
        principal: Who.
        action: What.
        about: See ``About``.

    Cites: PS3.15 A.5.
    """
    append_rows(connection, (event(context, principal, action, **about),))


def event(
    context: Context, principal: Principal, action: AuditAction, **about: Unpack[About]
) -> dict[str, Any]:
    """Return what ``record`` writes, for ``append_rows``: made before the turn to write.

    Cites: PS3.15 A.5.
    """
    document = about.get("document")
    whose = document or about.get("evidence_of")
    return event_row(
        AuditEvent(
            action=action,
            at=context.ports.now(),
            actor=actor_of(principal),
            outcome=about.get("outcome", Outcome.SUCCESS),
            instances=() if document is None else (_instance(document),),
            study_instance_uid="" if whose is None else whose.study_instance_uid,
            patient_id="" if whose is None else whose.patient_id,
            patient_name="" if whose is None else whose.patient_name,
            purpose=about.get("purpose"),
            certificate_sha256=about.get("certificate_sha256", ""),
            digital_signature_uid=about.get("digital_signature_uid", ""),
            subject=about.get("subject", ""),
            detail=about.get("detail", ""),
        )
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
