"""``/reports/{uid}``: a report, rendered from its bytes, with the check beside it."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from sr.app.answers import answers
from sr.app.render import document_values
from sr.dicomfile import BytesSource, read
from sr.service.documents import open_document
from sr.service.dossier import Action, open_dossier
from sr.web.api.reports import UID
from sr.web.authentication import Caller, Wired
from sr.web.pages.frame import PageRoute, show

__all__ = ["router"]

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.get("/reports/{sop_instance_uid}")
def look(request: Request, context: Wired, caller: Caller, sop_instance_uid: UID) -> Response:
    """Show a report."""
    dossier = open_dossier(context, caller, sop_instance_uid)
    file = read(BytesSource(dossier.version.content), limits=context.limits)
    return show(
        request,
        caller,
        "report.html.j2",
        dossier=dossier,
        document=dossier.document,
        verdict=dossier.verdict,
        answers=answers(dossier.verdict),
        actions=dossier.actions,
        Action=Action,
        paged=False,
        **document_values(file, dossier.verdict),
    )


@router.get("/reports/{sop_instance_uid}/file")
def download(context: Wired, caller: Caller, sop_instance_uid: UID) -> Response:
    """Return a report as it stands, as a DICOM file."""
    document, version = open_document(context, caller, sop_instance_uid)
    return Response(
        version.content,
        media_type="application/dicom",
        headers={
            "Content-Disposition": f'attachment; filename="{document.sop_instance_uid}.dcm"',
        },
    )
