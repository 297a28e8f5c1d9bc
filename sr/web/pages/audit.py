"""``/audit``: what happened here, for auditors; looking at it is an event too."""

from __future__ import annotations

from datetime import date
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from sr.app.audit import AuditAction, Outcome
from sr.app.audit.event_encoding import decode_event
from sr.service.operation.audit_search import find_events
from sr.store.audit import EventQuery
from sr.web.guard.authentication import Caller, Wired
from sr.web.pages.filters import EMPTY, api_address, begin_of, end_of
from sr.web.pages.frame import PageRoute, show
from sr.web.pages.looks import OUTCOMES
from sr.web.parameters import UID

__all__ = ["router"]

router = APIRouter(route_class=PageRoute, include_in_schema=False)

_PAGE_SIZE = 100


class _Filter(BaseModel):
    """What the address says."""

    model_config = ConfigDict(extra="ignore")

    action: Annotated[AuditAction | None, EMPTY] = None
    outcome: Annotated[Outcome | None, EMPTY] = None
    user: Annotated[str, Field(max_length=64)] = ""
    document: Annotated[UID | None, EMPTY] = None
    since: Annotated[date | None, EMPTY] = None
    until: Annotated[date | None, EMPTY] = None
    before: Annotated[Annotated[int, Field(ge=1)] | None, EMPTY] = None

    def address(self, **changes: object) -> str:
        """Return the address of the same search with some things changed, from its first page."""
        values = self.model_copy(update={"before": None, **changes})
        said = values.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
        return f"/audit?{urlencode(said)}"

    @property
    def download(self) -> str:
        """Return the address of the same search as JSON lines."""
        wanted = {
            "format": "jsonl",
            "limit": "1000",
            "action": self.action,
            "outcome": self.outcome,
            "user_id": self.user,
            "sop_instance_uid": self.document,
            "since": begin_of(self.since),
            "until": end_of(self.until),
        }
        return api_address("audit-events", wanted)


@router.get("/audit")
def look(
    request: Request, context: Wired, caller: Caller, asked: Annotated[_Filter, Query()]
) -> Response:
    """Show events, the newest first."""
    query = EventQuery(
        actions=(asked.action,) if asked.action else (),
        outcomes=(asked.outcome,) if asked.outcome else (),
        user_id=asked.user or None,
        sop_instance_uid=asked.document,
        since=begin_of(asked.since),
        until=end_of(asked.until),
        before=asked.before,
    )
    rows = find_events(context, caller, query, limit=_PAGE_SIZE + 1)
    shown = rows[:_PAGE_SIZE]
    return show(
        request,
        caller,
        "audit.html.j2",
        asked=asked,
        events=[(row.sequence, decode_event(row.encoded)) for row in shown],
        more=shown[-1].sequence if len(rows) > _PAGE_SIZE else None,
        actions=tuple(AuditAction),
        looks=OUTCOMES,
    )
