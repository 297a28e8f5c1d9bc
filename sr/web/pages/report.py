"""``/reports/{uid}``: a report, rendered from its bytes, with the check beside it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response

from sr.app.audit import AuditAction
from sr.app.checks.answers import answers
from sr.app.views.differences import attribute_changes, content_changes
from sr.app.views.render import document_values
from sr.codes import SignaturePurpose
from sr.dicomfile import BytesSource, read
from sr.service.access import Permission, may
from sr.service.authoring.reports import return_report
from sr.service.checking.checks import check_stored
from sr.service.reading.documents import open_document
from sr.service.reading.dossier import Action, open_dossier
from sr.service.reading.worklist import WorkList
from sr.store.documents import Document, DocumentKind
from sr.web.guard.authentication import Caller, Wired
from sr.web.pages.frame import PageRoute, see_other, show
from sr.web.pages.looks import LISTS
from sr.web.parameters import UID

__all__ = ["router"]

router = APIRouter(route_class=PageRoute, include_in_schema=False)

_RESOURCES = {
    DocumentKind.REPORT: "reports",
    DocumentKind.KEY_OBJECT: "keyobjects",
    DocumentKind.SEAL: "seals",
    DocumentKind.MANIFEST: "manifests",
}
"""Of the API, where a rendition is."""
_PURPOSE, _APPROVAL = SignaturePurpose.AUTHOR, SignaturePurpose.VERIFICATION


@router.get("/reports/{sop_instance_uid}")
def look(
    request: Request,
    context: Wired,
    caller: Caller,
    sop_instance_uid: UID,
    images: bool = False,  # noqa: FBT001, FBT002 - a query parameter
) -> Response:
    """Show a report; with ``images`` what it cites is compared with the evidence folders."""
    dossier = open_dossier(context, caller, sop_instance_uid)
    chosen = _list_of(caller, dossier.document)
    verdict = check_stored(context, caller, sop_instance_uid) if images else dossier.verdict
    file = read(BytesSource(dossier.version.content), limits=context.limits)
    earlier = dossier.before
    before = read(BytesSource(earlier.content), limits=context.limits).dataset if earlier else None
    return show(
        request,
        caller,
        "report.html.j2",
        dossier=dossier,
        document=dossier.document,
        verdict=verdict,
        compared=images,
        answers=answers(verdict),
        actions=dossier.actions,
        resource=_RESOURCES[dossier.document.kind],
        purpose=_PURPOSE if Action.SIGN in dossier.actions else _APPROVAL,
        changes=attribute_changes(before, file.dataset) if before else (),
        since=content_changes(before, file.dataset) if before else (),
        Action=Action,
        signed=bool(verdict.signatures),
        list=chosen.value,
        back=LISTS[chosen],
        paged=False,
        **document_values(file, verdict),
    )


def _list_of(caller: Caller, document: Document) -> WorkList:
    """Return the list that whoever reads a report goes on with."""
    if document.kind is DocumentKind.REPORT:
        if document.owner == caller.user_id:
            return WorkList.MINE
        if may(caller, Permission.RETURN_REPORTS):
            return WorkList.TO_APPROVE
    return WorkList.SIGNED


@router.get("/reports/{sop_instance_uid}/file")
def download(context: Wired, caller: Caller, sop_instance_uid: UID) -> Response:
    """Return a report as it stands, as a DICOM file."""
    document, version = open_document(
        context, caller, sop_instance_uid, action=AuditAction.EXPORTED
    )
    return Response(
        version.content,
        media_type="application/dicom",
        headers={
            "Content-Disposition": f'attachment; filename="{document.sop_instance_uid}.dcm"',
        },
    )


@router.post("/reports/{sop_instance_uid}/return")
def send_back(
    context: Wired,
    caller: Caller,
    sop_instance_uid: UID,
    if_match: Annotated[str, Form(pattern=r"^[0-9a-f]{64}$")],
    comment: Annotated[str, Form(min_length=1, max_length=4000)],
) -> Response:
    """Return a signed report to its author with a comment."""
    return_report(context, caller, sop_instance_uid, if_match=if_match, comment=comment)
    return see_other(f"/reports/{sop_instance_uid}")
