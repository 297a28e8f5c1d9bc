"""Use case: all about one document, as the page of a report shows it.

Cites: PS3.17 Annex W.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Connection

from sr.app.audit import AuditAction
from sr.codes import SignaturePurpose
from sr.service.access import PURPOSES, Permission, Principal, may, require
from sr.service.checking.verdicts import verdict_on
from sr.service.context import Context
from sr.service.events import record
from sr.store.document_search import Remark, display_names, lineage_of, remarks_of
from sr.store.documents import (
    Document,
    DocumentKind,
    DocumentState,
    Version,
    content_of,
    get_document,
)
from sr.verification import Verdict

__all__ = ["Action", "Dossier", "actions_for", "open_dossier"]


class Action(StrEnum):
    """What a person may do with a document now."""

    EDIT = "edit"
    SIGN = "sign"
    APPROVE = "approve"
    RETURN = "return"
    AMEND = "amend"


@dataclass(frozen=True, slots=True, kw_only=True)
class Dossier:
    """A document with its bytes, its verdict and its history."""

    document: Document
    version: Version
    verdict: Verdict
    before: Version | None
    """Of the document that this one took the place of, as it stood last."""
    lineage: tuple[Document, ...]
    """Newest first."""
    remarks: tuple[Remark, ...]
    """On any document of the lineage, oldest first."""
    names: dict[str, str]
    """Display name by user id."""
    actions: frozenset[Action]


def open_dossier(context: Context, principal: Principal, sop_instance_uid: str) -> Dossier:
    """Return all about a document, judged now.

    Raises:
        AccessError: The principal may not read documents.
        NotFoundError: There is none.

    Cites: PS3.17 Annex W.
    """
    require(principal, Permission.READ_DOCUMENTS)
    with context.database.write() as connection:
        document = get_document(connection, sop_instance_uid)
        version = content_of(connection, sop_instance_uid, document.revision)
        lineage = lineage_of(connection, document)
        before = _before(connection, document, lineage)
        remarks = remarks_of(connection, (each.sop_instance_uid for each in lineage))
        people = {user for each in lineage for user in (each.owner, each.approver)}
        names = display_names(connection, people | {remark.user_id for remark in remarks})
        record(context, connection, principal, AuditAction.REPORT_READ, document=document)
    return Dossier(
        document=document,
        version=version,
        verdict=verdict_on(context, version.content, sop_instance_uid),
        before=before,
        lineage=lineage,
        remarks=remarks,
        names=names,
        actions=actions_for(principal, document),
    )


def _before(
    connection: Connection, document: Document, lineage: tuple[Document, ...]
) -> Version | None:
    here = {each.sop_instance_uid for each in lineage}
    if document.predecessor is None or document.predecessor not in here:
        return None
    return content_of(connection, document.predecessor)


def actions_for(principal: Principal, document: Document) -> frozenset[Action]:
    """Return what the principal may do with a document in its state; the use cases decide again.

    Cites: PS3.15 C.4.
    """
    own = document.owner == principal.user_id
    report = document.kind is DocumentKind.REPORT
    state = document.state
    allowed = {
        Action.EDIT: state is DocumentState.DRAFT
        and own
        and report
        and may(principal, Permission.WRITE_REPORTS),
        Action.SIGN: state is DocumentState.DRAFT
        and own
        and _signs(principal, SignaturePurpose.AUTHOR),
        Action.APPROVE: state is DocumentState.SIGNED
        and not own
        and report
        and _signs(principal, SignaturePurpose.VERIFICATION),
        Action.RETURN: state is DocumentState.SIGNED
        and not own
        and report
        and may(principal, Permission.RETURN_REPORTS),
        Action.AMEND: state
        in (DocumentState.SIGNED, DocumentState.RETURNED, DocumentState.APPROVED)
        and report
        and may(principal, Permission.WRITE_REPORTS),
    }
    return frozenset(action for action, yes in allowed.items() if yes)


def _signs(principal: Principal, purpose: SignaturePurpose) -> bool:
    return may(principal, Permission.SIGN) and any(
        purpose in PURPOSES.get(role, ()) for role in principal.roles
    )
