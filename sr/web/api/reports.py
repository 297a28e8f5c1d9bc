"""``/reports``: drafts from templates, changed, amended, returned with a comment."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Response
from pydantic import ConfigDict, Field, JsonValue

from sr.app.audit import AuditAction
from sr.service.access import Permission
from sr.service.authoring.reports import amend_report, change_report, return_report, write_report
from sr.store.documents import Document, DocumentKind
from sr.web.api.documents import reading_routes
from sr.web.api.views import DocumentView, document_headers, document_view
from sr.web.guard.authentication import Caller, Wired
from sr.web.guard.bodies import Body
from sr.web.guard.once import Once
from sr.web.operations import protected
from sr.web.parameters import UID, IfMatch, seen

__all__ = ["router"]

_PLACE = "reports"
_EXAMPLE: dict[str, JsonValue] = {
    "template": "ct-chest",
    "values": {
        "observer_name": "Meier^Anna",
        "organization": "General Hospital",
        "clinical_information": "Cough for six weeks.",
        "contrast": False,
        "effusion": "none",
        "lymph_nodes": False,
        "impression": "No abnormality.",
    },
}
_STUDY: dict[str, JsonValue] = {"study_instance_uid": "2.25.1"}
_CHANGES = (404, 409, 412, 428)

router = reading_routes(_PLACE, DocumentKind.REPORT)


class Content(Body):
    """What a report says."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    template: Annotated[str, Field(max_length=64)] | None = None
    """Id of a template; `null` for a whole report as `srsign create` takes it. Left out where a
    report is changed or amended, it stays what it was."""
    values: dict[str, Any]
    """What the template asks for (see `/templates/{id}`), or the whole report."""

    @property
    def same_template(self) -> bool:
        """Whether nothing was said about the template."""
        return "template" not in self.model_fields_set


class NewReport(Content):
    """A report to write."""

    model_config = ConfigDict(json_schema_extra={"examples": [{**_EXAMPLE, **_STUDY}]})

    study_instance_uid: UID
    """Of evidence in the folders of the service; every instance is cited with proof."""


class Amendment(Content):
    """The next version of a report."""

    addendum: bool = False
    """Keep the content and add sections, instead of new content."""


class Comment(Body):
    """Why a report is returned."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"comment": "The impression is missing."}]},
    )

    comment: Annotated[str, Field(min_length=1, max_length=4000)]


def _written(document: Document) -> tuple[DocumentView, dict[str, str]]:
    return document_view(document), document_headers(document, _PLACE)


@router.post(
    "",
    status_code=201,
    response_model=DocumentView,
    **protected(Permission.WRITE_REPORTS, audit=AuditAction.REPORT_CREATED, errors=(400, 409)),
)
def write(context: Wired, caller: Caller, body: NewReport, once: Once) -> Response:
    """Write a draft from values for a template, or from a whole report."""
    return once.answer(
        lambda: _written(
            write_report(
                context,
                caller,
                study_instance_uid=body.study_instance_uid,
                values=body.values,
                template=body.template,
            )
        ),
        status=201,
    )


@router.put(
    "/{sop_instance_uid}",
    **protected(
        Permission.WRITE_REPORTS, audit=AuditAction.REPORT_CHANGED, errors=(400, *_CHANGES)
    ),
)
def change(
    context: Wired,
    caller: Caller,
    sop_instance_uid: UID,
    body: Content,
    response: Response,
    if_match: IfMatch,
) -> DocumentView:
    """Write one's own draft anew, under the same SOP Instance UID."""
    with seen():
        document = change_report(
            context,
            caller,
            sop_instance_uid,
            if_match=if_match,
            values=body.values,
            template=body.template,
            same_template=body.same_template,
        )
    response.headers.update(document_headers(document))
    return document_view(document)


@router.post(
    "/{sop_instance_uid}/amend",
    status_code=201,
    response_model=DocumentView,
    **protected(Permission.WRITE_REPORTS, audit=AuditAction.AMENDED, errors=(400, *_CHANGES)),
)
def amend(
    context: Wired,
    caller: Caller,
    sop_instance_uid: UID,
    body: Amendment,
    if_match: IfMatch,
    once: Once,
) -> Response:
    """Write the next version of a report as a draft that names it as its predecessor."""

    def work() -> tuple[DocumentView, dict[str, str]]:
        with seen():
            document = amend_report(
                context,
                caller,
                sop_instance_uid,
                if_match=if_match,
                values=body.values,
                template=body.template,
                same_template=body.same_template,
                addendum=body.addendum,
            )
        return _written(document)

    return once.answer(work, status=201)


@router.post(
    "/{sop_instance_uid}/return",
    **protected(Permission.RETURN_REPORTS, audit=AuditAction.RETURNED, errors=(400, *_CHANGES)),
)
def send_back(
    context: Wired,
    caller: Caller,
    sop_instance_uid: UID,
    body: Comment,
    response: Response,
    if_match: IfMatch,
) -> DocumentView:
    """Return a signed report to its author with a comment."""
    with seen():
        document = return_report(
            context, caller, sop_instance_uid, if_match=if_match, comment=body.comment
        )
    response.headers.update(document_headers(document))
    return document_view(document)
