"""``/seals``: studies are sealed and listed for shipping; the work is done as a job."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Form, Request, Response

from sr.app.views.wording import person_name
from sr.service.access import Permission
from sr.service.authoring.key_objects import ask_for_sealed
from sr.service.authoring.studies import list_studies
from sr.service.operation.jobs import jobs_of
from sr.store.documents import DocumentKind
from sr.store.jobs import JobState
from sr.web.guard.authentication import Caller, Wired
from sr.web.pages.frame import PageRoute, see_other, show
from sr.web.pages.looks import JOBS
from sr.web.parameters import UID

__all__ = ["router"]

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.get("/seals")
def look(request: Request, context: Wired, caller: Caller) -> Response:
    """Show the studies that can be sealed, and what was asked for."""
    studies = list_studies(context, caller, Permission.SEAL)
    jobs = jobs_of(context, caller, limit=20)
    names = {study.study_instance_uid: person_name(study.patient_name) for study in studies}
    return show(
        request,
        caller,
        "seals.html.j2",
        studies=studies,
        jobs=jobs,
        waiting=any(job.state in (JobState.QUEUED, JobState.RUNNING) for job in jobs),
        looks=JOBS,
        names={job.id: names.get(str(job.arguments.get("study_instance_uid")), "") for job in jobs},
    )


@router.post("/seals")
def ask(
    context: Wired,
    caller: Caller,
    study: Annotated[UID, Form()],
    kind: Annotated[Literal["seal", "manifest"], Form()],
) -> Response:
    """Ask for a seal over a study, or for a manifest of it and its signed reports."""
    ask_for_sealed(context, caller, DocumentKind(kind), study)
    return see_other("/seals")
