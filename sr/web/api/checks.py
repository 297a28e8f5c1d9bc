"""``/checks``: the verdict on a file that is sent, on a set of files, or on a stored document.

Cites: ETSI EN 319 102-1 5; PS3.17 Annex W.
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError

from sr.app.audit import AuditAction
from sr.errors import ConfigurationError, UnsupportedMediaError
from sr.service.access import Permission, Principal
from sr.service.checking.check_jobs import ask_for_check
from sr.service.checking.checks import (
    CheckedSet,
    SetResult,
    UploadedFile,
    check_set,
    check_stored,
    check_upload,
)
from sr.service.context import Context
from sr.web.api.jobs import JobView, job_view
from sr.web.api.views import VerdictView, verdict_view
from sr.web.guard.authentication import Caller, Wired
from sr.web.guard.bodies import Body, View
from sr.web.guard.uploads import uploaded
from sr.web.operations import protected
from sr.web.parameters import UID

__all__ = ["router"]

router = APIRouter(prefix="/checks", tags=["checks"])

_DICOM, _FORM, _JSON = "application/dicom", "multipart/form-data", "application/json"
_BYTES, _ASYNC = "application/octet-stream", "respond-async"
_BINARY = {"type": "string", "format": "binary"}
_LARGEST_QUESTION = 4096


class StoredDocument(Body):
    """A document of the service."""

    sop_instance_uid: UID
    evidence: bool = True
    """Whether to compare its references with the evidence folders."""


class SetItemView(View):
    """One instance of a set."""

    sop_instance_uid: str | None
    file: str | None
    """As the caller called it; nothing where it is missing."""
    result: SetResult


class SetView(View):
    """A set of files, checked against each other."""

    verdicts: list[VerdictView]
    """One for each document; for each file, where there is no document."""
    items: list[SetItemView]
    counts: dict[SetResult, int]


_BODY: dict[str, Any] = {
    "required": True,
    "content": {
        _DICOM: {"schema": _BINARY},
        _BYTES: {"schema": _BINARY},
        _FORM: {
            "schema": {
                "type": "object",
                "required": ["file"],
                "properties": {
                    "file": {"type": "array", "items": _BINARY, "minItems": 1},
                    "evidence": {"type": "array", "items": _BINARY},
                },
            }
        },
        _JSON: {"schema": StoredDocument.model_json_schema()},
    },
}
_ROUTE = protected(
    Permission.CHECK,
    audit=AuditAction.CHECKED,
    errors=(400, 404, 413, 415),
    content={
        202: {
            "description": "Asked for; Location names the job, whose result holds the verdict.",
            "model": JobView,
        }
    },
)
_ROUTE["openapi_extra"]["requestBody"] = _BODY


async def _media_type(request: Request) -> str:
    """Return what kind of body it is, before any of it is read; at once, in no thread.

    Raises:
        UnsupportedMediaError: It is none of those that are checked.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in (_DICOM, _BYTES, _FORM, _JSON):
        raise UnsupportedMediaError(
            f"a check takes {_DICOM}, {_FORM} or {_JSON}", hint="say so in Content-Type"
        )
    return kind


@router.post("", response_model=VerdictView | SetView, **_ROUTE)
async def check(
    request: Request,
    context: Wired,
    caller: Caller,
    kind: Annotated[str, Depends(_media_type)],
    prefer: Annotated[
        str,
        Header(max_length=256, description="`respond-async`: check a stored document as a job."),
    ] = "",
) -> Response:
    """Return a verdict: on a DICOM file, on a stored document, or on each of a set of files.

    A form with one part `file` gets the verdict on it, its references compared with the parts
    `evidence`, if there are any. Several parts `file` are a set, checked against each other: what
    its reports, seals and manifests cite is intact, altered or missing; what none of them cites is
    unexpected. How much a form holds is limited, so that it is answered at once; a stored document
    with many images is checked by a job where the caller prefers that (RFC 7240).
    """
    answer: VerdictView | SetView
    if kind == _JSON:
        wanted = await _stored(request)
        if _ASYNC in prefer.lower():
            return await run_in_threadpool(_asked, context, caller, wanted)
        answer = verdict_view(
            await run_in_threadpool(
                check_stored, context, caller, wanted.sop_instance_uid, evidence=wanted.evidence
            )
        )
    else:
        async with uploaded(request) as files:
            answer = await run_in_threadpool(_checked, context, caller, files)
    return Response(answer.model_dump_json(), media_type=_JSON)


def _checked(
    context: Context, caller: Principal, files: tuple[UploadedFile, ...]
) -> VerdictView | SetView:
    judged = tuple(each for each in files if not each.is_evidence)
    if not judged:
        raise ConfigurationError("the form has no part called file")
    if len(judged) == 1:
        evidence = tuple(each for each in files if each.is_evidence)
        return verdict_view(check_upload(context, caller, judged[0], evidence))
    return _set_view(check_set(context, caller, files))


def _asked(context: Context, caller: Principal, wanted: StoredDocument) -> Response:
    uid, evidence = wanted.sop_instance_uid, wanted.evidence
    job = ask_for_check(context, caller, uid, evidence=evidence)
    headers = {"Location": f"/api/v1/jobs/{job.id}", "Preference-Applied": _ASYNC}
    body = job_view(job).model_dump_json()
    return Response(body, status_code=202, media_type=_JSON, headers=headers)


async def _stored(request: Request) -> StoredDocument:
    body = await request.body()
    if len(body) > _LARGEST_QUESTION:
        raise ConfigurationError("the body does not fit")
    try:
        return StoredDocument.model_validate_json(body)
    except ValidationError as error:
        places = [{**each, "loc": ("body", *each["loc"])} for each in error.errors()]
        raise RequestValidationError(places) from error


def _set_view(checked: CheckedSet) -> SetView:
    return SetView(
        verdicts=[verdict_view(each) for each in checked.verdicts],
        items=[SetItemView.model_validate(each) for each in checked.items],
        counts=checked.counts,
    )
