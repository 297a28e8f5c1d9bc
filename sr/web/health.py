"""``/livez``, ``/readyz``, ``/metrics``: for those who run the service."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest

from sr.service.access import Permission
from sr.service.operation.condition import inventory, is_ready, readiness
from sr.web.guard.authentication import Caller, Wired
from sr.web.guard.bodies import View
from sr.web.observation import Figures
from sr.web.operations import protected

__all__ = ["router"]

router = APIRouter(tags=["operations"])


@router.get("/livez", response_class=PlainTextResponse)
def live() -> str:
    """Say that the process answers."""
    return "ok\n"


class Readiness(View):
    """Whether what the service needs is there."""

    database: bool
    evidence: bool
    """The evidence folders."""
    trust: bool
    """Trust anchors."""


@router.get(
    "/readyz",
    response_model=Readiness,
    responses={503: {"model": Readiness, "description": "Something is missing."}},
)
def ready(context: Wired) -> JSONResponse:
    """Say whether the service can do its work."""
    found = readiness(context)
    return JSONResponse(found, status_code=200 if is_ready(found) else 503)


@router.get("/metrics", response_class=PlainTextResponse, **protected(Permission.READ_METRICS))
def metrics(context: Wired, caller: Caller, request: Request) -> Response:
    """Return figures in the format of Prometheus."""
    figures: Figures = request.app.state.figures
    counted = CollectorRegistry()
    for kind, states in inventory(context, caller).items():
        gauge = Gauge(f"srsign_{kind}", f"How many {kind} there are.", ("state",), registry=counted)
        for state, count in states.items():
            gauge.labels(state).set(count)
    text = generate_latest(figures.registry) + generate_latest(counted)
    return Response(text, media_type=CONTENT_TYPE_LATEST)
