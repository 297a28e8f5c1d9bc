"""Use cases: write a report, return it for changes.

Cites: PS3.16 TID 2000; PS3.15 A.4.
"""

from __future__ import annotations

import json
from typing import Any

from sr.app.audit import AuditAction
from sr.app.authoring import author_report
from sr.app.check import CheckOptions
from sr.app.evidence import load_evidence
from sr.app.securing import Securing
from sr.dicomfile import BytesSource, read
from sr.document.input_table import InputFormat
from sr.errors import ConflictError, EvidenceError, LifecycleError
from sr.service.access import Permission, Principal, require
from sr.service.context import Context
from sr.service.documents import described
from sr.service.events import record
from sr.store.documents import (
    Document,
    DocumentKind,
    DocumentState,
    add_document,
    add_remark,
    change_document,
    get_document,
)

__all__ = ["require_current", "return_report", "write_report"]


def write_report(
    context: Context,
    principal: Principal,
    *,
    study_instance_uid: str,
    values: dict[str, Any],
    template: str | None,
) -> Document:
    """Write a draft about a study, every instance of it cited with proof.

    Args:
        context: The service.
        principal: Its author.
        study_instance_uid: Of evidence in the configured folders.
        values: The report, or the values for a template.
        template: Id of the template, ``None`` for a report as it stands.

    Raises:
        AccessError: The principal writes no reports.
        EvidenceError: There is no such evidence, or it is damaged.
        TemplateError: The values do not fit; names the key path.

    Cites: PS3.16 TID 2000; PS3.15 A.4.
    """
    require(principal, Permission.WRITE_REPORTS)
    source = {"study_instance_uid": study_instance_uid, "values": values, "template": template}
    content = _author(context, source)
    document = described(
        read(BytesSource(content)),
        kind=DocumentKind.REPORT,
        state=DocumentState.DRAFT,
        owner=principal.user_id,
        at=context.ports.now(),
        template=template,
    )
    with context.database.write() as connection:
        add_document(
            connection, document, content, signed=False, by=principal.user_id, source=source
        )
        record(context, connection, principal, AuditAction.REPORT_CREATED, document=document)
    return document


def require_current(document: Document, if_match: str) -> None:
    """Refuse to act on a document that is not what the caller saw.

    Args:
        document: As it is now.
        if_match: SHA-256 of what the caller saw, hexadecimal.

    Raises:
        ConflictError: It was changed meanwhile.
    """
    if if_match != document.sha256:
        raise ConflictError("the document was changed meanwhile", hint="load it again")


def return_report(
    context: Context, principal: Principal, sop_instance_uid: str, *, if_match: str, comment: str
) -> Document:
    """Return a signed report to its author with a comment.

    Raises:
        AccessError: The principal returns no reports.
        LifecycleError: It is not waiting for approval.
        ConflictError: It was changed meanwhile.
    """
    require(principal, Permission.RETURN_REPORTS)
    with context.database.write() as connection:
        document = get_document(connection, sop_instance_uid)
        require_current(document, if_match)
        if document.state is not DocumentState.SIGNED:
            raise LifecycleError(
                f"the document is {document.state.value}, not waiting for approval"
            )
        changed = change_document(
            connection,
            document,
            {"state": DocumentState.RETURNED, "changed_at": context.ports.now()},
        )
        add_remark(
            connection,
            sop_instance_uid,
            by=principal.user_id,
            at=context.ports.now(),
            text=comment,
        )
        record(context, connection, principal, AuditAction.RETURNED, document=changed)
    return changed


def _author(context: Context, source: dict[str, Any]) -> bytes:
    paths = context.evidence.study(source["study_instance_uid"])
    if not paths:
        raise EvidenceError("no evidence folder holds that study", where="(0020,000D)")
    loaded = load_evidence(paths, securing=Securing(check=CheckOptions(at=context.ports.now())))
    return author_report(
        json.dumps(source["values"], ensure_ascii=False),
        InputFormat.JSON,
        evidence=loaded.evidence,
        anchors=loaded.anchors,
        template=source["template"],
        name="values",
        ports=context.ports,
    )
