"""``/keyobjects``, ``/seals``, ``/manifests``: selections of instances, each cited with proof.

Cites: PS3.16 TID 2010, CID 7010; PS3.17 Annex W.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import Response
from pydantic import Field

from sr.app.audit import AuditAction
from sr.service.access import Permission
from sr.service.authoring.key_objects import ask_for_sealed, select_key_objects
from sr.store.documents import DocumentKind
from sr.web.api.documents import reading_routes
from sr.web.api.jobs import JobView, job_view
from sr.web.api.views import DocumentView, document_headers, document_view
from sr.web.guard.authentication import Caller, Wired
from sr.web.guard.bodies import Body
from sr.web.guard.once import Once
from sr.web.operations import protected
from sr.web.parameters import UID

__all__ = ["key_objects", "manifests", "seals"]

key_objects = reading_routes("keyobjects", DocumentKind.KEY_OBJECT)
seals = reading_routes("seals", DocumentKind.SEAL)
manifests = reading_routes("manifests", DocumentKind.MANIFEST)


class NewKeyObjects(Body):
    """A selection to write; it is signed, if at all, in a signing session."""

    study_instance_uid: UID
    title: Annotated[str, Field(max_length=64, examples=["of-interest", "113000"])]
    """Code or name of CID 7010; none that promises a signature."""
    description: Annotated[str, Field(max_length=1024)] = ""
    modifiers: Annotated[
        list[Annotated[str, Field(max_length=64)]], Field(default_factory=list, max_length=16)
    ]
    """Codes or names of what the title says more precisely."""
    instances: Annotated[list[UID], Field(default_factory=list, max_length=10_000)]
    """SOP Instance UIDs; all of the study where empty."""


class WantedStudy(Body):
    """What to seal or to list."""

    study_instance_uid: UID
    """Of evidence in the folders of the service."""


@key_objects.post(
    "",
    status_code=201,
    response_model=DocumentView,
    **protected(Permission.WRITE_REPORTS, audit=AuditAction.KEY_OBJECT_CREATED, errors=(400, 409)),
)
def select(context: Wired, caller: Caller, body: NewKeyObjects, once: Once) -> Response:
    """Write a key object selection as a draft."""

    def work() -> tuple[DocumentView, dict[str, str]]:
        document = select_key_objects(
            context,
            caller,
            study_instance_uid=body.study_instance_uid,
            title=body.title,
            description=body.description,
            modifiers=tuple(body.modifiers),
            instances=tuple(body.instances),
        )
        return document_view(document), document_headers(document, "keyobjects")

    return once.answer(work, status=201)


@seals.post(
    "",
    status_code=202,
    response_model=JobView,
    **protected(Permission.SEAL, audit=AuditAction.SEALED, errors=(400, 409)),
)
def seal(context: Wired, caller: Caller, body: WantedStudy, once: Once) -> Response:
    """Ask for a seal: Signed Complete Acquisition Content over a study, signed by a job."""
    return _asked(context, caller, DocumentKind.SEAL, body, once)


@manifests.post(
    "",
    status_code=202,
    response_model=JobView,
    **protected(Permission.SEAL, audit=AuditAction.MANIFEST_MADE, errors=(400, 409)),
)
def list_shipment(context: Wired, caller: Caller, body: WantedStudy, once: Once) -> Response:
    """Ask for a manifest over a study and its signed reports, signed by a job."""
    return _asked(context, caller, DocumentKind.MANIFEST, body, once)


def _asked(
    context: Wired, caller: Caller, kind: DocumentKind, body: WantedStudy, once: Once
) -> Response:
    def work() -> tuple[JobView, dict[str, str]]:
        job = ask_for_sealed(context, caller, kind, body.study_instance_uid)
        return job_view(job), {"Location": f"/api/v1/jobs/{job.id}"}

    return once.answer(work, status=202)
