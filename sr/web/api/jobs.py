"""``/jobs``: how far long work is, told as it goes on.

Cites: HTML, server-sent events.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated, Any

import anyio
from fastapi import APIRouter, Path, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse

from sr.errors import SRError
from sr.service.access import Permission, Principal
from sr.service.context import Context
from sr.service.operation.jobs import job_of, jobs_of
from sr.store.jobs import Job, JobState
from sr.web.guard.authentication import Caller, Wired
from sr.web.guard.bodies import View
from sr.web.operations import protected
from sr.web.parameters import Paging, cached, next_page

__all__ = ["JobView", "job_view", "router"]

router = APIRouter(prefix="/jobs", tags=["jobs"])

JobID = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$", description="Id of a job.")]
_LOOK_SECONDS = 0.25
_LONGEST_LOOK_SECONDS = 2.0
"""Between two looks, where nothing happens; each look is a query, for everybody who waits."""
_LONGEST_SECONDS = 300.0
"""After so long the stream ends; the caller asks again."""
_EVENTS = "text/event-stream"
_ENDED = (JobState.DONE, JobState.FAILED)


class JobView(View):
    """Long work that somebody asked for."""

    id: str
    kind: str
    state: JobState
    done: int
    total: int
    result: dict[str, Any] | None
    """What came of it, e.g. the SOP Instance UID of a seal."""
    error: dict[str, Any] | None
    """Why it failed: ``code`` and ``message``."""
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


class JobList(View):
    """Some jobs, the newest first."""

    items: list[JobView]
    next_offset: int | None


@router.get("", response_model=JobList, **protected(Permission.READ_JOBS, errors=(304,)))
def search(request: Request, context: Wired, caller: Caller, page: Paging) -> Response:
    """Return the caller's jobs, or all for who operates the service, the newest first."""
    found = jobs_of(context, caller, limit=page.asked, offset=page.offset)
    shown = [job_view(each) for each in found[: page.limit]]
    following = page.next_of(len(found))
    shown_list = JobList(items=shown, next_offset=following)
    return cached(request, shown_list, next_page(request, "offset", following))


@router.get("/{job_id}", **protected(Permission.READ_JOBS, errors=(404,)))
def show(context: Wired, caller: Caller, job_id: JobID) -> JobView:
    """Return how far a job is, and what came of it."""
    return job_view(job_of(context, caller, job_id))


@router.get(
    "/{job_id}/events",
    response_class=Response,
    **protected(
        Permission.READ_JOBS,
        errors=(404,),
        content={
            200: {
                "description": "An event `progress` at each change, `done` or `failed` at the end.",
                "content": {_EVENTS: {"schema": {"type": "string"}}},
            }
        },
    ),
)
def follow(context: Wired, caller: Caller, job_id: JobID) -> Response:
    """Tell how far a job is, until it ended; each event is a job as JSON."""
    job = job_of(context, caller, job_id)
    return StreamingResponse(
        _told(context, caller, job),
        media_type=_EVENTS,
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


async def _told(context: Context, caller: Principal, job: Job) -> AsyncIterator[str]:
    """Yield an event for each state of a job that is another than the last one."""
    said, pause = "", _LOOK_SECONDS
    with anyio.move_on_after(_LONGEST_SECONDS):
        while True:
            now = job_view(job).model_dump_json()
            if now != said:
                name = job.state.value if job.state in _ENDED else "progress"
                yield f"event: {name}\ndata: {now}\n\n"
                said, pause = now, _LOOK_SECONDS
            if job.state in _ENDED:
                return
            await anyio.sleep(pause)
            pause = min(2 * pause, _LONGEST_LOOK_SECONDS)
            try:
                job = await run_in_threadpool(job_of, context, caller, job.id)
            except SRError:
                return


def job_view(job: Job) -> JobView:
    """Return a job as a JSON object."""
    return JobView(
        id=job.id,
        kind=job.kind,
        state=job.state,
        done=job.done,
        total=job.total,
        result=job.result,
        error=job.error,
        created_at=job.created_at,
        started_at=job.started_at,
        finished_at=job.finished_at,
    )
