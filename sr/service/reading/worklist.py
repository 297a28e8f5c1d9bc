"""Use case: the worklist of a person, in four lists, with how long each is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from sr.app.audit import AuditAction
from sr.findings import Indication
from sr.service.access import Permission, Principal, require
from sr.service.context import Context
from sr.service.events import record
from sr.store.document_search import (
    DocumentQuery,
    count_documents,
    display_names,
    search_documents,
)
from sr.store.documents import Document, DocumentKind, DocumentState
from sr.store.signature_search import limited_documents

__all__ = ["PAGE_SIZE", "WorkList", "Worklist", "show_worklist"]

PAGE_SIZE = 25

_S = DocumentState
_LIVE = (_S.DRAFT, _S.RETURNED, _S.SIGNED, _S.APPROVED)


class WorkList(StrEnum):
    """One of the lists."""

    MINE = "mine"
    TO_APPROVE = "to-approve"
    SIGNED = "signed"
    PROBLEMS = "problems"


@dataclass(frozen=True, slots=True, kw_only=True)
class Worklist:
    """One page of a list."""

    chosen: WorkList
    counts: dict[WorkList, int]
    """How long each list is without a filter."""
    documents: tuple[Document, ...]
    total: int
    """How many documents of the chosen list fit the filter."""
    page: int
    """From 1."""
    names: dict[str, str]
    """Display name by user id."""
    limited: frozenset[str]
    """Documents whose last check passed with limitations."""

    @property
    def pages(self) -> int:
        """How many pages there are, at least one."""
        return max(1, -(-self.total // PAGE_SIZE))


def show_worklist(
    context: Context,
    principal: Principal,
    chosen: WorkList,
    wanted: DocumentQuery,
    *,
    page: int = 1,
) -> Worklist:
    """Return a page of one of the lists.

    Args:
        context: The service.
        principal: Who asks.
        chosen: Which list.
        wanted: Filter and order; states of other lists find nothing.
        page: From 1; the last one where there are fewer.

    Raises:
        AccessError: The principal may not read documents.
    """
    require(principal, Permission.READ_DOCUMENTS)
    lists = {each: _query(each, principal, DocumentQuery()) for each in WorkList}
    query = _query(chosen, principal, wanted)
    with context.database.read() as connection:
        counts = {each: count_documents(connection, lists[each]) for each in WorkList}
        total = count_documents(connection, query) if query.states else 0
        page = min(page, max(1, -(-total // PAGE_SIZE)))
        found = (
            search_documents(connection, query, limit=PAGE_SIZE, offset=(page - 1) * PAGE_SIZE)
            if total
            else ()
        )
        people = (user for each in found for user in (each.owner, each.approver))
        names = display_names(connection, people)
        limited = limited_documents(
            connection,
            (each.sop_instance_uid for each in found if each.indication == Indication.PASSED),
        )
    with context.database.write(brief=True) as connection:
        record(context, connection, principal, AuditAction.SEARCHED)
    return Worklist(
        chosen=chosen,
        counts=counts,
        documents=found,
        total=total,
        page=page,
        names=names,
        limited=limited,
    )


def _query(chosen: WorkList, principal: Principal, wanted: DocumentQuery) -> DocumentQuery:
    me = principal.user_id
    states: tuple[DocumentState, ...] = _LIVE
    if chosen is WorkList.MINE:
        wanted = replace(wanted, owner=me)
    elif chosen is WorkList.TO_APPROVE:
        wanted = replace(wanted, not_owner=me, kinds=(DocumentKind.REPORT,))
        states = (_S.SIGNED,)
    elif chosen is WorkList.SIGNED:
        states = (_S.SIGNED, _S.APPROVED)
    else:
        wanted = replace(wanted, not_passed=True)
    asked = wanted.states or states
    return replace(wanted, states=tuple(each for each in states if each in asked))
