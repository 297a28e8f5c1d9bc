"""``/signatures``: the inventory, as JSON or as a table for spreadsheets.

Cites: RFC 4180; PS3.16 CID 7007.
"""

from __future__ import annotations

import csv
from datetime import datetime
from io import StringIO
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from sr.app.audit import AuditAction
from sr.findings import Indication
from sr.mac import MACAlgorithm
from sr.service.access import Permission
from sr.service.reading.inventory import find_signatures
from sr.store.documents import DocumentState
from sr.store.signature_search import SignatureQuery
from sr.web.guard.authentication import Caller, Wired
from sr.web.guard.bodies import Purpose, View
from sr.web.operations import protected
from sr.web.parameters import UID, Moment, Paging, cached, next_page

__all__ = ["router", "spreadsheet"]

router = APIRouter(prefix="/signatures", tags=["signatures"])

_CSV = "text/csv"
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
"""What a spreadsheet takes for the beginning of a formula."""


class SignatureView(View):
    """A signature, and the document that it is in."""

    digital_signature_uid: str
    sop_instance_uid: str
    purpose: str
    """Code of CID 7007."""
    user_id: str | None
    """Who signed here; nobody for what came with the document."""
    signer_subject: str
    signer_issuer: str
    signer_serial: str
    certificate_sha256: str
    certificate_not_after: datetime
    mac_algorithm: str
    claimed_at: datetime | None
    proven_at: datetime | None
    indication: str
    sub_indication: str | None
    document_kind: str
    document_state: str


class SignatureList(View):
    """Some signatures, the latest first."""

    items: list[SignatureView]
    next_offset: int | None


@router.get(
    "",
    response_model=SignatureList,
    **protected(
        Permission.SEARCH_SIGNATURES,
        audit=AuditAction.SEARCHED,
        errors=(304,),
        content={
            200: {
                "description": "Some signatures.",
                "content": {_CSV: {"schema": {"type": "string"}}},
            }
        },
    ),
)
def search(
    request: Request,
    context: Wired,
    caller: Caller,
    page: Paging,
    signer: Annotated[str, Query(max_length=256, description="Part of the subject.")] = "",
    purpose: Annotated[list[Purpose] | None, Query(description="Names or codes.")] = None,
    since: Annotated[Moment | None, Query(description="Made then or later.")] = None,
    until: Annotated[Moment | None, Query(description="Made before.")] = None,
    indication: Annotated[list[Indication] | None, Query(description="How good.")] = None,
    state: Annotated[list[DocumentState] | None, Query(description="Of the document.")] = None,
    mac_algorithm: Annotated[MACAlgorithm | None, Query(description="Digest.")] = None,
    expires_before: Annotated[
        Moment | None, Query(description="The certificate runs out before.")
    ] = None,
    sop_instance_uid: Annotated[UID | None, Query(description="In this document.")] = None,
    certificate_sha256: Annotated[
        Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None,
        Query(description="Made with this certificate."),
    ] = None,
    form: Annotated[
        Literal["json", "csv"] | None, Query(alias="format", description="Goes before Accept.")
    ] = None,
) -> Response:
    """Return signatures, the latest first, as JSON or as CSV."""
    query = SignatureQuery(
        signer=signer,
        purposes=tuple(purpose or ()),
        since=since,
        until=until,
        indications=tuple(indication or ()),
        states=tuple(state or ()),
        mac_algorithm=mac_algorithm,
        expires_before=expires_before,
        sop_instance_uid=sop_instance_uid,
        certificate_sha256=certificate_sha256,
    )
    found = find_signatures(context, caller, query, limit=page.asked, offset=page.offset)
    shown = [SignatureView.model_validate(each) for each in found[: page.limit]]
    following = page.next_of(len(found))
    more = next_page(request, "offset", following)
    wants = form or ("csv" if _CSV in request.headers.get("accept", "") else "json")
    if wants == "csv":
        rows = [each.model_dump(mode="json") for each in shown]
        headers = {"Content-Disposition": 'attachment; filename="signatures.csv"', **more}
        names = tuple(SignatureView.model_fields)
        return Response(spreadsheet(names, rows), media_type=_CSV, headers=headers)
    return cached(request, SignatureList(items=shown, next_offset=following), more)


def spreadsheet(names: tuple[str, ...], rows: list[dict[str, object]]) -> str:
    """Return a table as CSV in which no cell is a formula.

    Cites: RFC 4180.
    """
    written = StringIO()
    table = csv.writer(written)
    table.writerow(names)
    for row in rows:
        table.writerow([_cell(row[name]) for name in names])
    return written.getvalue()


def _cell(value: object) -> str:
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text
