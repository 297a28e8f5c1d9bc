"""Use cases: write a report, change a draft, write the next version, return it for changes.

Cites: PS3.16 TID 2000; PS3.15 A.4; PS3.3 C.17.2.
"""

from __future__ import annotations

from typing import Any

from sr.app.audit import AuditAction
from sr.dicomfile import BytesSource, read
from sr.document.identity import DocumentIdentity
from sr.errors import AccessError, ConflictError, LifecycleError
from sr.service.access import Permission, Principal, require
from sr.service.authoring.drafting import DraftSource, written
from sr.service.context import Context
from sr.service.events import record
from sr.service.reading.documents import described
from sr.store.documents import (
    Document,
    DocumentKind,
    DocumentState,
    add_document,
    add_remark,
    add_version,
    change_document,
    content_of,
    get_document,
)

__all__ = ["amend_report", "change_report", "require_current", "return_report", "write_report"]

_EVIDENCE = AuditAction.EVIDENCE_READ
_AMENDABLE = (DocumentState.SIGNED, DocumentState.RETURNED, DocumentState.APPROVED)


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
    source = DraftSource(study_instance_uid=study_instance_uid, values=values, template=template)
    content = written(context, source)
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
            connection,
            document,
            content,
            signed=False,
            by=principal.user_id,
            source=source.as_dict(),
        )
        record(context, connection, principal, _EVIDENCE, evidence_of=document)
        record(context, connection, principal, AuditAction.REPORT_CREATED, document=document)
    return document


def change_report(
    context: Context,
    principal: Principal,
    sop_instance_uid: str,
    *,
    if_match: str,
    values: dict[str, Any],
    template: str | None,
    same_template: bool = False,
) -> Document:
    """Write one's own draft anew, under the same SOP Instance UID.

    Args:
        context: The service.
        principal: Its author.
        sop_instance_uid: The draft.
        if_match: SHA-256 of what the author saw, hexadecimal.
        values: The report, or the values for a template.
        template: Id of the template, ``None`` for a report as it stands.
        same_template: Whether to stay with that of the draft instead.

    Raises:
        AccessError: It is somebody else's.
        LifecycleError: It is no draft any more.
        ConflictError: It was changed meanwhile.
        EvidenceError: The evidence is gone, or damaged.
        TemplateError: The values do not fit; names the key path.

    Cites: PS3.16 TID 2000; PS3.15 A.4.
    """
    require(principal, Permission.WRITE_REPORTS)
    with context.database.read() as connection:
        document = get_document(connection, sop_instance_uid)
        version = content_of(connection, sop_instance_uid, document.revision)
    _require_own_draft(principal, document)
    template = document.template if same_template else template
    require_current(document, if_match)
    source = DraftSource.of(version.source or {}, document).with_values(values, template)
    now = context.ports.now()
    identity = DocumentIdentity(
        sop_instance_uid=sop_instance_uid,
        series_instance_uid=document.series_instance_uid,
        created_at=now,
    )
    content = written(context, source, identity=identity)
    new = described(
        read(BytesSource(content)),
        kind=document.kind,
        state=document.state,
        owner=document.owner,
        at=now,
        template=template,
    )
    with context.database.write() as connection:
        changed = add_version(
            connection,
            document,
            content,
            signed=False,
            by=principal.user_id,
            at=now,
            source=source.as_dict(),
            changes={
                "sop_class_uid": new.sop_class_uid,
                "title": new.title,
                "template": template,
            },
        )
        record(context, connection, principal, _EVIDENCE, evidence_of=changed)
        record(context, connection, principal, AuditAction.REPORT_CHANGED, document=changed)
    return changed


def amend_report(
    context: Context,
    principal: Principal,
    sop_instance_uid: str,
    *,
    if_match: str,
    values: dict[str, Any],
    template: str | None,
    same_template: bool = False,
    addendum: bool = False,
) -> Document:
    """Write the next version of a report as a draft that names it as its predecessor.

    One that waits for approval, or was returned, is superseded by its draft; one that was approved
    stands until the next version is approved.

    Args:
        context: The service.
        principal: Author of the next version.
        sop_instance_uid: The report.
        if_match: SHA-256 of what the author saw, hexadecimal.
        values: The new content, or the values for a template.
        template: Id of the template, ``None`` for a report as it stands.
        same_template: Whether to stay with that of the report instead; an addendum has none.
        addendum: Keep the content and add sections.

    Raises:
        AccessError: The principal writes no reports.
        LifecycleError: The report is not amended as it stands.
        ConflictError: It was changed meanwhile.
        EvidenceError: Evidence is damaged, altered or gone.
        TemplateError: The values do not fit; names the key path.

    Cites: PS3.3 C.17.2; PS3.15 A.4.
    """
    require(principal, Permission.WRITE_REPORTS)
    with context.database.read() as connection:
        before = get_document(connection, sop_instance_uid)
    require_current(before, if_match)
    if before.kind is not DocumentKind.REPORT or before.state not in _AMENDABLE:
        raise LifecycleError(
            f"a {before.kind.value} that is {before.state.value} is not amended",
            hint="a draft is changed as it stands",
        )
    template = before.template if same_template and not addendum else template
    source = DraftSource(
        study_instance_uid=before.study_instance_uid,
        values=values,
        template=template,
        amends=sop_instance_uid,
        addendum=addendum,
    )
    content = written(context, source)
    now = context.ports.now()
    document = described(
        read(BytesSource(content)),
        kind=DocumentKind.REPORT,
        state=DocumentState.DRAFT,
        owner=principal.user_id,
        at=now,
        lineage=before.lineage,
        predecessor=sop_instance_uid,
        template=template,
    )
    with context.database.write() as connection:
        require_current(get_document(connection, sop_instance_uid), if_match)
        if before.state is not DocumentState.APPROVED:
            superseded = {"state": DocumentState.SUPERSEDED, "changed_at": now}
            change_document(connection, before, superseded)
        add_document(
            connection,
            document,
            content,
            signed=False,
            by=principal.user_id,
            source=source.as_dict(),
        )
        record(context, connection, principal, _EVIDENCE, evidence_of=document)
        record(
            context,
            connection,
            principal,
            AuditAction.AMENDED,
            document=document,
            subject=sop_instance_uid,
        )
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
        LifecycleError: It is not waiting for approval, or is no report.
        ConflictError: It was changed meanwhile.
    """
    require(principal, Permission.RETURN_REPORTS)
    with context.database.write() as connection:
        document = get_document(connection, sop_instance_uid)
        require_current(document, if_match)
        report = document.kind is DocumentKind.REPORT
        if not report or document.state is not DocumentState.SIGNED:
            raise LifecycleError(
                f"the {document.kind.value} is {document.state.value}, not waiting for approval"
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


def _require_own_draft(principal: Principal, document: Document) -> None:
    if document.owner != principal.user_id:
        raise AccessError("a draft is changed by its author only")
    if document.kind is not DocumentKind.REPORT or document.state is not DocumentState.DRAFT:
        raise LifecycleError(
            f"a {document.kind.value} that is {document.state.value} is not changed any more",
            hint="amend it: that writes the next version",
        )
