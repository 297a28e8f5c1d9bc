"""``/reports``: drafts from templates, the worklist, one report, return with a comment."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from sr.service.access import Permission
from sr.service.documents import open_document, worklist
from sr.service.reports import return_report, write_report
from sr.store.documents import Document, DocumentState
from sr.web.authentication import Caller, Wired
from sr.web.operations import protected

__all__ = ["router"]

router = APIRouter(prefix="/reports", tags=["reports"])

UID = Annotated[str, Field(pattern=r"^(0|[1-9][0-9]*)(\.(0|[1-9][0-9]*))+$", max_length=64)]


class NewReport(BaseModel):
    """A report to write."""

    model_config = ConfigDict(extra="forbid")

    study_instance_uid: UID
    template: str | None = None
    values: dict[str, Any]


class Comment(BaseModel):
    """Why a report is returned."""

    model_config = ConfigDict(extra="forbid")

    comment: Annotated[str, Field(min_length=1, max_length=4000)]


class ReportView(BaseModel):
    """A document of the worklist."""

    model_config = ConfigDict(from_attributes=True)

    sop_instance_uid: str
    sop_class_uid: str
    study_instance_uid: str
    lineage: str
    predecessor: str | None
    kind: str
    state: str
    title: str
    patient_name: str
    patient_id: str
    template: str | None
    owner: str
    approver: str | None
    revision: int
    sha256: str
    indication: str | None
    sub_indication: str | None
    created_at: datetime
    changed_at: datetime


class Worklist(BaseModel):
    """Some documents."""

    items: list[ReportView]


def _view(document: Document, response: Response) -> ReportView:
    response.headers["ETag"] = f'"{document.sha256}"'
    return ReportView.model_validate(document)


@router.post("", status_code=201, **protected(Permission.WRITE_REPORTS, audit="create"))
def write(context: Wired, caller: Caller, body: NewReport, response: Response) -> ReportView:
    """Write a draft from values for a template, or from a whole report."""
    document = write_report(
        context,
        caller,
        study_instance_uid=body.study_instance_uid,
        values=body.values,
        template=body.template,
    )
    response.headers["Location"] = f"/api/v1/reports/{document.sop_instance_uid}"
    return _view(document, response)


@router.get("", **protected(Permission.READ_DOCUMENTS, audit="list"))
def search(
    context: Wired,
    caller: Caller,
    state: Annotated[list[DocumentState] | None, Query()] = None,
    mine: bool | None = None,  # noqa: FBT001 - a query parameter
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
) -> Worklist:
    """Return the worklist."""
    found = worklist(
        context, caller, states=tuple(state or ()), mine=mine, limit=limit, offset=offset
    )
    return Worklist(items=[ReportView.model_validate(each) for each in found])


@router.get(
    "/{sop_instance_uid}", **protected(Permission.READ_DOCUMENTS, audit="read", errors=(404,))
)
def show(context: Wired, caller: Caller, sop_instance_uid: UID, response: Response) -> ReportView:
    """Return what the worklist knows of a report."""
    document, _ = open_document(context, caller, sop_instance_uid)
    return _view(document, response)


@router.get(
    "/{sop_instance_uid}/file",
    **protected(Permission.READ_DOCUMENTS, audit="read", errors=(404,)),
)
def download(context: Wired, caller: Caller, sop_instance_uid: UID) -> Response:
    """Return a report as it stands, as a DICOM file."""
    document, version = open_document(context, caller, sop_instance_uid)
    return Response(
        version.content,
        media_type="application/dicom",
        headers={"ETag": f'"{document.sha256}"'},
    )


@router.post(
    "/{sop_instance_uid}/return",
    **protected(Permission.RETURN_REPORTS, audit="return", errors=(404, 409)),
)
def send_back(
    context: Wired,
    caller: Caller,
    sop_instance_uid: UID,
    body: Comment,
    response: Response,
    if_match: Annotated[str, Header()],
) -> ReportView:
    """Return a signed report to its author with a comment."""
    document = return_report(
        context, caller, sop_instance_uid, if_match=if_match.strip('"'), comment=body.comment
    )
    return _view(document, response)
