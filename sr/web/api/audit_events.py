"""``/audit-events``: what happened, the newest first, as JSON or as JSON lines.

Cites: PS3.15 A.5.
"""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response

from sr.app.audit import AuditAction, Outcome
from sr.service.access import Permission
from sr.service.operation.audit_search import find_events
from sr.store.audit import EventQuery
from sr.web.guard.authentication import Caller, Wired
from sr.web.guard.bodies import View
from sr.web.operations import protected
from sr.web.parameters import UID, Moment, next_page

__all__ = ["router"]

router = APIRouter(prefix="/audit-events", tags=["audit-events"])

_LINES = "application/jsonl"


class EventView(View):
    """One event of the audit, as it is chained."""

    sequence: int
    digest: str
    """Of this event and the one before it, hexadecimal."""
    event: dict[str, Any]


class EventList(View):
    """Some events, the newest first."""

    items: list[EventView]
    next_before: int | None
    """To ask for the next page with; ``null`` where this is the last."""


@router.get(
    "",
    response_model=EventList,
    **protected(
        Permission.READ_AUDIT,
        audit=AuditAction.AUDIT_READ,
        content={
            200: {
                "description": "Some events.",
                "content": {_LINES: {"schema": {"type": "string"}}},
            }
        },
    ),
)
def search(
    request: Request,
    context: Wired,
    caller: Caller,
    action: Annotated[list[AuditAction] | None, Query(description="Only these.")] = None,
    outcome: Annotated[list[Outcome] | None, Query(description="Only these.")] = None,
    user_id: Annotated[str | None, Query(max_length=64, description="Who caused it.")] = None,
    sop_instance_uid: Annotated[UID | None, Query(description="About this document.")] = None,
    since: Annotated[Moment | None, Query(description="Then or later.")] = None,
    until: Annotated[Moment | None, Query(description="Before.")] = None,
    before: Annotated[
        int | None, Query(ge=1, le=2**63 - 1, description="Of an earlier page: `next_before`.")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=1000, description="At most so many.")] = 100,
    form: Annotated[
        Literal["json", "jsonl"] | None, Query(alias="format", description="Goes before Accept.")
    ] = None,
) -> Response:
    """Return events of the audit, the newest first, as JSON or as JSON lines."""
    query = EventQuery(
        actions=tuple(action or ()),
        outcomes=tuple(outcome or ()),
        user_id=user_id,
        sop_instance_uid=sop_instance_uid,
        since=since,
        until=until,
        before=before,
    )
    found = find_events(context, caller, query, limit=limit + 1)
    shown = [
        EventView(
            sequence=row.sequence, digest=row.digest.hex(), event=json.loads(row.encoded or b"{}")
        )
        for row in found[:limit]
    ]
    wants = form or ("jsonl" if _LINES in request.headers.get("accept", "") else "json")
    following = shown[-1].sequence if len(found) > limit else None
    more = next_page(request, "before", following)
    if wants == "jsonl":
        lines = "".join(f"{each.model_dump_json()}\n" for each in shown)
        return Response(lines, media_type=_LINES, headers=more)
    answer = EventList(items=shown, next_before=following)
    return Response(answer.model_dump_json(), media_type="application/json", headers=more)
