"""``/trust``: whom checks trust, for everybody to see and for administrators to change."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, File, Form, Path, Request, Response, UploadFile

from sr.errors import TrustEvidenceError
from sr.service.access import Permission, may, require
from sr.service.checking.trust import add_anchors, anchors, remove_anchor
from sr.store.trust_anchors import AnchorUse
from sr.verification.render import short_name
from sr.web.guard.authentication import Caller, Wired
from sr.web.pages.frame import PageRoute, see_other, show

__all__ = ["router"]

router = APIRouter(route_class=PageRoute, include_in_schema=False)

_LARGEST = 1 << 20


@router.get("/trust")
def look(request: Request, context: Wired, caller: Caller) -> Response:
    """Show the certificates that are trusted."""
    return show(
        request,
        caller,
        "trust.html.j2",
        anchors=anchors(context, caller),
        changes=may(caller, Permission.CHANGE_TRUST),
        uses=tuple(AnchorUse),
        short=short_name,
    )


@router.post("/trust")
def add(
    context: Wired,
    caller: Caller,
    certificate: Annotated[UploadFile, File()],
    use: Annotated[AnchorUse, Form()],
    label: Annotated[str, Form(max_length=256)] = "",
) -> Response:
    """Trust the certificates of a file."""
    require(caller, Permission.CHANGE_TRUST)
    content = certificate.file.read(_LARGEST + 1)
    if len(content) > _LARGEST:
        raise TrustEvidenceError("the file is too large for certificates")
    add_anchors(context, caller, content, use=use, label=label)
    return see_other("/trust")


@router.post("/trust/{fingerprint}/remove")
def remove(
    context: Wired,
    caller: Caller,
    fingerprint: Annotated[str, Path(pattern=r"^[0-9a-f]{64}$")],
    use: Annotated[AnchorUse, Form()],
) -> Response:
    """Trust a certificate no longer."""
    remove_anchor(context, caller, fingerprint, use=use)
    return see_other("/trust")
