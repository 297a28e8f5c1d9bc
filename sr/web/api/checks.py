"""``/checks``: the verdict on a file that is sent, on a set of files, or on a stored document.

Cites: ETSI EN 319 102-1 5; PS3.17 Annex W.
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, ConfigDict, ValidationError

from sr.app.audit import AuditAction
from sr.errors import ConfigurationError, UnsupportedMediaError
from sr.service.access import Permission
from sr.service.checks import CheckedSet, SetResult, check_set, check_stored, check_upload
from sr.web.api.views import VerdictView, verdict_view
from sr.web.authentication import Caller, Wired
from sr.web.operations import protected
from sr.web.parameters import UID
from sr.web.uploads import uploaded

__all__ = ["router"]

router = APIRouter(prefix="/checks", tags=["checks"])

_DICOM, _FORM, _JSON = "application/dicom", "multipart/form-data", "application/json"
_BINARY = {"type": "string", "format": "binary"}
_LARGEST_QUESTION = 4096


class StoredDocument(BaseModel):
    """A document of the service."""

    model_config = ConfigDict(extra="forbid")

    sop_instance_uid: UID
    evidence: bool = True
    """Whether to compare its references with the evidence folders."""


class SetItemView(BaseModel):
    """One instance of a set."""

    model_config = ConfigDict(from_attributes=True)

    sop_instance_uid: str | None
    file: str | None
    """As the caller called it; nothing where it is missing."""
    result: SetResult


class SetView(BaseModel):
    """A set of files, checked against each other."""

    verdicts: list[VerdictView]
    """One for each document; for each file, where there is no document."""
    items: list[SetItemView]
    counts: dict[SetResult, int]


_BODY: dict[str, Any] = {
    "required": True,
    "content": {
        _DICOM: {"schema": _BINARY},
        _FORM: {
            "schema": {
                "type": "object",
                "required": ["file"],
                "properties": {"file": {"type": "array", "items": _BINARY, "minItems": 1}},
            }
        },
        _JSON: {"schema": StoredDocument.model_json_schema()},
    },
}
_ROUTE = protected(
    Permission.CHECK,
    audit=AuditAction.CHECKED,
    errors=(400, 404, 413, 415),
)
_ROUTE["openapi_extra"]["requestBody"] = _BODY


def _media_type(request: Request) -> str:
    """Return what kind of body it is, before any of it is read.

    Raises:
        UnsupportedMediaError: It is none of those that are checked.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in (_DICOM, _FORM, _JSON):
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
) -> Response:
    """Return a verdict: on a DICOM file, on a stored document, or on each of a set of files.

    Files of a form are checked against each other: what its reports, seals and manifests cite is
    intact, altered or missing; what none of them cites is unexpected.
    """
    answer: VerdictView | SetView
    if kind == _JSON:
        wanted = await _stored(request)
        answer = verdict_view(
            await run_in_threadpool(
                check_stored, context, caller, wanted.sop_instance_uid, evidence=wanted.evidence
            )
        )
    else:
        async with uploaded(request) as files:
            if kind == _DICOM:
                answer = verdict_view(
                    await run_in_threadpool(check_upload, context, caller, files[0])
                )
            else:
                answer = _set_view(await run_in_threadpool(check_set, context, caller, files))
    return Response(answer.model_dump_json(), media_type=_JSON)


async def _stored(request: Request) -> StoredDocument:
    body = await request.body()
    try:
        if len(body) > _LARGEST_QUESTION:
            raise ConfigurationError("the body does not fit")
        return StoredDocument.model_validate_json(body)
    except ValidationError as error:
        kinds = ", ".join(f"{'/'.join(map(str, e['loc']))}: {e['type']}" for e in error.errors())
        raise ConfigurationError(f"the request does not fit: {kinds}") from error


def _set_view(checked: CheckedSet) -> SetView:
    return SetView(
        verdicts=[verdict_view(each) for each in checked.verdicts],
        items=[SetItemView.model_validate(each) for each in checked.items],
        counts=checked.counts,
    )
