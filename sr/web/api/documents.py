"""What can be read of a document of any kind: the list, one, its bytes, page, verdict, versions."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response

from sr.app.audit import AuditAction
from sr.service.access import Permission
from sr.service.checking.checks import check_stored, rendered_document
from sr.service.reading.documents import (
    document_remarks,
    document_versions,
    find_documents,
    open_document,
)
from sr.store.document_search import DocumentQuery
from sr.store.documents import DocumentKind, DocumentState
from sr.web.api.views import (
    DocumentList,
    DocumentView,
    VerdictView,
    document_headers,
    document_view,
    verdict_view,
)
from sr.web.guard.authentication import Caller, Wired
from sr.web.guard.bodies import View
from sr.web.operations import protected
from sr.web.parameters import UID, Paging, cached, entity_tag, next_page

__all__ = ["reading_routes"]

_DICOM = {"content": {"application/dicom": {"schema": {"type": "string", "format": "binary"}}}}
_PAGE = {"content": {"text/html": {"schema": {"type": "string"}}}}
_PAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox"


class VersionView(View):
    """The bytes of a document at one point of its life."""

    revision: int
    sha256: str
    signed: bool
    created_at: datetime
    created_by: str


class VersionList(View):
    """Every version of a document, oldest first."""

    items: list[VersionView]


class DocumentSource(View):
    """What a draft was made from; empty where nobody kept it."""

    values: dict[str, Any] | None
    template: str | None


class RemarkView(View):
    """What somebody said about a document."""

    user_id: str
    at: datetime
    text: str


class RemarkList(View):
    """What was said about a document, oldest first."""

    items: list[RemarkView]


def _read(audit: AuditAction, content: dict[str, Any] | None = None) -> dict[str, Any]:
    return protected(
        Permission.READ_DOCUMENTS,
        audit=audit,
        errors=(404,),
        content={200: {"description": "As it stands.", **content}} if content else None,
    )


def reading_routes(place: str, kind: DocumentKind) -> APIRouter:
    """Return the routes that read documents of a kind.

    Args:
        place: The resource, e.g. ``reports``.
        kind: Of the documents.
    """
    router = APIRouter(prefix=f"/{place}", tags=[place])

    @router.get(
        "",
        response_model=DocumentList,
        **protected(Permission.READ_DOCUMENTS, audit=AuditAction.SEARCHED, errors=(304,)),
    )
    def search(
        request: Request,
        context: Wired,
        caller: Caller,
        page: Paging,
        state: Annotated[list[DocumentState] | None, Query(description="Only these.")] = None,
        mine: Annotated[bool | None, Query(description="Whether the caller wrote them.")] = None,
        study_instance_uid: Annotated[UID | None, Query(description="Only this study.")] = None,
        lineage: Annotated[UID | None, Query(description="Only versions of this one.")] = None,
    ) -> Response:
        """Return documents, those that changed last first."""
        query = DocumentQuery(
            states=tuple(state or ()),
            kinds=(kind,),
            owner=caller.user_id if mine else None,
            not_owner=caller.user_id if mine is False else None,
            study_instance_uid=study_instance_uid,
            lineage=lineage,
        )
        found = find_documents(context, caller, query, limit=page.asked, offset=page.offset)
        shown = [document_view(each) for each in found[: page.limit]]
        following = page.next_of(len(found))
        shown_list = DocumentList(items=shown, next_offset=following)
        return cached(request, shown_list, next_page(request, "offset", following))

    @router.get("/{sop_instance_uid}", **_read(AuditAction.REPORT_READ))
    def show(
        context: Wired, caller: Caller, sop_instance_uid: UID, response: Response
    ) -> DocumentView:
        """Return what the worklist knows of a document."""
        document, _ = open_document(context, caller, sop_instance_uid, kind=kind)
        response.headers.update(document_headers(document))
        return document_view(document)

    @router.get(
        "/{sop_instance_uid}/file",
        response_class=Response,
        **_read(AuditAction.EXPORTED, _DICOM),
    )
    def download(context: Wired, caller: Caller, sop_instance_uid: UID) -> Response:
        """Return a document as it stands, as a DICOM file."""
        _, version = open_document(
            context, caller, sop_instance_uid, kind=kind, action=AuditAction.EXPORTED
        )
        return _file(version.content, version.sha256)

    @router.get("/{sop_instance_uid}/source", **_read(AuditAction.REPORT_READ))
    def source(context: Wired, caller: Caller, sop_instance_uid: UID) -> DocumentSource:
        """Return the values and the template that a draft was made from."""
        _, version = open_document(context, caller, sop_instance_uid, kind=kind)
        kept = version.source or {}
        return DocumentSource(values=kept.get("values"), template=kept.get("template"))

    @router.get("/{sop_instance_uid}/versions", **_read(AuditAction.REPORT_READ))
    def versions(context: Wired, caller: Caller, sop_instance_uid: UID) -> VersionList:
        """Return every version of a document, oldest first."""
        found = document_versions(context, caller, sop_instance_uid, kind=kind)
        return VersionList(items=[VersionView.model_validate(each) for each in found])

    @router.get(
        "/{sop_instance_uid}/versions/{revision}/file",
        response_class=Response,
        **_read(AuditAction.EXPORTED, _DICOM),
    )
    def download_version(
        context: Wired,
        caller: Caller,
        sop_instance_uid: UID,
        revision: Annotated[int, Path(ge=1, le=1_000_000)],
    ) -> Response:
        """Return one version of a document, as a DICOM file."""
        _, version = open_document(
            context,
            caller,
            sop_instance_uid,
            kind=kind,
            revision=revision,
            action=AuditAction.EXPORTED,
        )
        return _file(version.content, version.sha256)

    @router.get("/{sop_instance_uid}/remarks", **_read(AuditAction.REPORT_READ))
    def remarks(context: Wired, caller: Caller, sop_instance_uid: UID) -> RemarkList:
        """Return what was said about a document, oldest first."""
        found = document_remarks(context, caller, sop_instance_uid, kind=kind)
        return RemarkList(items=[RemarkView.model_validate(each) for each in found])

    @router.get(
        "/{sop_instance_uid}/rendered",
        response_class=Response,
        **_read(AuditAction.REPORT_RENDERED, _PAGE),
    )
    def rendered(context: Wired, caller: Caller, sop_instance_uid: UID) -> Response:
        """Return a page of a document with the verdict on it, made from the stored bytes."""
        page = rendered_document(context, caller, sop_instance_uid, kind=kind)
        return Response(
            page,
            media_type="text/html",
            headers={"Content-Security-Policy": _PAGE_POLICY, "Cache-Control": "no-store"},
        )

    @router.get(
        "/{sop_instance_uid}/verdict",
        **protected(Permission.CHECK, audit=AuditAction.CHECKED, errors=(404,)),
    )
    def verdict(
        context: Wired,
        caller: Caller,
        sop_instance_uid: UID,
        evidence: Annotated[
            bool | None, Query(description="Whether to compare references with evidence; true.")
        ] = None,
    ) -> VerdictView:
        """Return the verdict on a document as it stands, judged now."""
        compared = evidence is not False
        return verdict_view(
            check_stored(context, caller, sop_instance_uid, kind=kind, evidence=compared)
        )

    return router


def _file(content: bytes, digest: str) -> Response:
    headers = {"ETag": entity_tag(digest)}
    return Response(content, media_type="application/dicom", headers=headers)
