"""``/``: the worklist.

Filters are in the address, so that a list can be kept and shared; only what was asked about a
patient is not, because addresses end up in histories and logs: it is sent in the body.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from sr.service.access import Permission, may
from sr.service.reading.worklist import WorkList, Worklist, show_worklist
from sr.store.document_search import DocumentOrder, DocumentQuery
from sr.store.documents import DocumentState
from sr.web.guard.authentication import Caller, Wired
from sr.web.pages.filters import EMPTY, begin_of, end_of
from sr.web.pages.frame import PageRoute, is_scripted, see_other, show
from sr.web.pages.looks import LISTS, NAVIGATION

__all__ = ["router"]

router = APIRouter(route_class=PageRoute, include_in_schema=False)

_EMPTY = {
    WorkList.MINE: "You have no reports at work.",
    WorkList.TO_APPROVE: "Nothing waits for your approval.",
    WorkList.SIGNED: "No report is signed yet.",
    WorkList.PROBLEMS: "No problems: every check of a signed report passed.",
}


class _Filter(BaseModel):
    """What the address says."""

    model_config = ConfigDict(extra="ignore")

    list: Annotated[WorkList | None, EMPTY] = None
    state: Annotated[DocumentState | None, EMPTY] = None
    title: Annotated[str, Field(max_length=64)] = ""
    since: Annotated[date | None, EMPTY] = None
    until: Annotated[date | None, EMPTY] = None
    order: DocumentOrder = DocumentOrder.CHANGED
    rising: bool = False
    page: Annotated[int, Field(ge=1, le=100_000)] = 1

    def address(self, **changes: object) -> str:
        """Return the address of this list with some things changed; the first page again."""
        values = self.model_copy(update={"page": 1, **changes}).model_dump(
            mode="json", exclude_defaults=True
        )
        return f"/?{urlencode(values)}" if values else "/"


class _Form(_Filter):
    """What the form says: what the address does, and about whom."""

    patient: Annotated[str, Field(max_length=64)] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Column:
    order: DocumentOrder
    label: str


_COLUMNS = (
    _Column(order=DocumentOrder.PATIENT, label="Patient"),
    _Column(order=DocumentOrder.TITLE, label="Report"),
    _Column(order=DocumentOrder.STATE, label="State"),
    _Column(order=DocumentOrder.CHANGED, label="Changed"),
)


@router.get("/")
def look(
    request: Request, context: Wired, caller: Caller, asked: Annotated[_Filter, Query()]
) -> Response:
    """Show a list."""
    if not may(caller, Permission.READ_DOCUMENTS):
        return _elsewhere(request, caller)
    return _page(request, caller, asked, "", _found(context, caller, asked, ""))


@router.post("/")
def search(
    request: Request, context: Wired, caller: Caller, asked: Annotated[_Form, Form()]
) -> Response:
    """Show what a filter finds; without a patient in it, under an address of its own."""
    scripted = is_scripted(request)
    address = _Filter(**asked.model_dump(exclude={"patient"}))
    if not asked.patient and not scripted:
        return see_other(address.address(page=asked.page))
    found = _found(context, caller, address, asked.patient)
    return _page(request, caller, address, asked.patient, found)


def _found(context: Wired, caller: Caller, asked: _Filter, patient: str) -> Worklist:
    query = DocumentQuery(
        states=(asked.state,) if asked.state else (),
        patient=patient,
        title=asked.title,
        since=begin_of(asked.since),
        until=end_of(asked.until),
        order=asked.order,
        descending=not asked.rising,
    )
    return show_worklist(context, caller, _chosen(caller, asked), query, page=asked.page)


def _chosen(caller: Caller, asked: _Filter) -> WorkList:
    if asked.list is not None:
        return asked.list
    return WorkList.MINE if may(caller, Permission.WRITE_REPORTS) else WorkList.SIGNED


def _page(
    request: Request, caller: Caller, asked: _Filter, patient: str, found: Worklist
) -> Response:
    asked = replace_list(asked, found)
    filtered = bool(patient or asked.title or asked.state or asked.since or asked.until)
    return show(
        request,
        caller,
        "worklist.html.j2",
        headers={"HX-Push-Url": asked.address(page=found.page)},
        asked=asked,
        patient=patient,
        filtered=filtered,
        found=found,
        titles=LISTS,
        empty=_EMPTY[found.chosen],
        columns=_COLUMNS,
        filter_states=tuple(s for s in DocumentState if s is not DocumentState.SUPERSEDED),
    )


def replace_list(asked: _Filter, found: Worklist) -> _Filter:
    """Return the filter with the list that was chosen."""
    return asked.model_copy(update={"list": found.chosen, "page": found.page})


def _elsewhere(request: Request, caller: Caller) -> Response:
    """Send those who read no documents to the first page that is theirs."""
    for entry in NAVIGATION:
        if may(caller, entry.permission):
            return see_other(entry.path)
    return show(request, caller, "nothing.html.j2")
