"""Writing the audit: one call in every use case, inside its transaction."""

from __future__ import annotations

import json

from sqlalchemy import Connection

from sr.service.access import Principal
from sr.service.context import Context
from sr.store.audit import append_event

__all__ = ["record"]


def record(
    context: Context,
    connection: Connection,
    principal: Principal,
    action: str,
    *,
    outcome: str = "success",
    sop_instance_uid: str | None = None,
    **details: str,
) -> None:
    """Write what somebody did, or tried, to the audit.

    Args:
        context: For the time.
        connection: The transaction that does it.
        principal: Who.
        action: What, e.g. ``sign``.
        outcome: ``success`` or why not.
        sop_instance_uid: The document it is about.
        details: More, free of patient data and secrets.

    Cites: PS3.15 A.5.
    """
    at = context.ports.now()
    event = {
        "action": action,
        "at": at.isoformat(),
        "user_id": principal.user_id,
        "roles": sorted(principal.roles),
        "address": principal.address,
        "outcome": outcome,
        "sop_instance_uid": sop_instance_uid,
        "details": details,
    }
    append_event(
        connection,
        json.dumps(event, sort_keys=True, ensure_ascii=False).encode(),
        at=at,
        action=action,
        outcome=outcome,
        user_id=principal.user_id,
        sop_instance_uid=sop_instance_uid,
    )
