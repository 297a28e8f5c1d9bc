"""``/trust-anchors``: whom the checks of the service trust.

Cites: RFC 5280 6.1.1 d; RFC 7468.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query, Response
from pydantic import Field

from sr.app.audit import AuditAction
from sr.service.access import Permission
from sr.service.checking.trust import Anchor, add_anchors, anchors, remove_anchor
from sr.store.trust_anchors import AnchorUse
from sr.web.guard.authentication import Caller, Wired
from sr.web.guard.bodies import Body, Certificates, View
from sr.web.operations import protected

__all__ = ["router"]

router = APIRouter(prefix="/trust-anchors", tags=["trust-anchors"])


class NewAnchors(Body):
    """Certificates to trust."""

    certificates: Certificates
    """PEM, or a list of PEM or Base64 of DER."""
    use: AnchorUse = AnchorUse.ANCHOR
    label: Annotated[str, Field(max_length=256)] = ""


class AnchorView(View):
    """A certificate that is trusted."""

    use: AnchorUse
    sha256: str
    subject: str
    issuer: str
    serial: str
    not_after: datetime
    label: str
    added_by: str
    """Id of a user, or ``folder`` for those that the operator keeps on disk."""
    added_at: datetime | None


class AnchorList(View):
    """Every certificate that is trusted."""

    items: list[AnchorView]


@router.get("", **protected(Permission.READ_TRUST))
def search(context: Wired, caller: Caller) -> AnchorList:
    """Return every certificate that is trusted."""
    return AnchorList(items=[_view(each) for each in anchors(context, caller)])


@router.post(
    "",
    status_code=201,
    **protected(Permission.CHANGE_TRUST, audit=AuditAction.TRUST_ANCHOR_ADDED, errors=(400,)),
)
def add(context: Wired, caller: Caller, body: NewAnchors) -> AnchorList:
    """Trust certificates from now on; once more makes no difference."""
    added = add_anchors(context, caller, body.certificates, use=body.use, label=body.label)
    return AnchorList(items=[_view(each) for each in added])


@router.delete(
    "/{sha256}",
    status_code=204,
    response_class=Response,
    **protected(Permission.CHANGE_TRUST, audit=AuditAction.TRUST_ANCHOR_REMOVED, errors=(404,)),
)
def remove(
    context: Wired,
    caller: Caller,
    sha256: Annotated[str, Path(pattern=r"^[0-9a-f]{64}$", description="Its fingerprint.")],
    use: Annotated[AnchorUse, Query(description="What it was trusted for.")] = AnchorUse.ANCHOR,
) -> None:
    """Trust a certificate no longer that was added here."""
    remove_anchor(context, caller, sha256, use=use)


def _view(anchor: Anchor) -> AnchorView:
    certificate = anchor.certificate
    return AnchorView(
        use=anchor.use,
        sha256=certificate.sha256,
        subject=certificate.subject,
        issuer=certificate.issuer,
        serial=certificate.serial,
        not_after=anchor.not_after,
        label=anchor.label,
        added_by=anchor.added_by,
        added_at=anchor.added_at,
    )
