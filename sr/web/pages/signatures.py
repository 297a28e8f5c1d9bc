"""``/signatures``: which signatures there are, whose, when, how good, and which run out."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from sr.app.views.wording import purpose_words
from sr.codes import SignaturePurpose
from sr.findings import Indication
from sr.mac import MACAlgorithm
from sr.service.access import Permission, may
from sr.service.reading.inventory import find_signatures
from sr.store.documents import DocumentState
from sr.store.signature_search import SignatureQuery
from sr.verification.render import short_name
from sr.web.guard.authentication import Caller, Wired
from sr.web.pages.filters import EMPTY, api_address, begin_of, end_of
from sr.web.pages.frame import PageRoute, show

__all__ = ["router"]

router = APIRouter(route_class=PageRoute, include_in_schema=False)

_PAGE_SIZE = 50


class _Filter(BaseModel):
    """What the address says."""

    model_config = ConfigDict(extra="ignore")

    signer: Annotated[str, Field(max_length=256)] = ""
    purpose: Annotated[SignaturePurpose | None, EMPTY] = None
    indication: Annotated[Indication | None, EMPTY] = None
    state: Annotated[DocumentState | None, EMPTY] = None
    algorithm: Annotated[MACAlgorithm | None, EMPTY] = None
    since: Annotated[date | None, EMPTY] = None
    until: Annotated[date | None, EMPTY] = None
    expires_before: Annotated[date | None, EMPTY] = None
    page: Annotated[int, Field(ge=1, le=100_000)] = 1

    def address(self, **changes: object) -> str:
        """Return the address of the same search with some things changed."""
        values = self.model_copy(update=changes).model_dump(mode="json", exclude_defaults=True)
        return f"/signatures?{urlencode(values)}"

    @property
    def spreadsheet(self) -> str:
        """Return the address of the same search as CSV."""
        wanted = {
            "format": "csv",
            "limit": "500",
            "signer": self.signer,
            "purpose": self.purpose,
            "indication": self.indication,
            "state": self.state,
            "mac_algorithm": self.algorithm,
            "since": begin_of(self.since),
            "until": end_of(self.until),
            "expires_before": begin_of(self.expires_before),
        }
        return api_address("signatures", wanted)


@router.get("/signatures")
def look(
    request: Request, context: Wired, caller: Caller, asked: Annotated[_Filter, Query()]
) -> Response:
    """Show signatures, the latest first."""
    query = SignatureQuery(
        signer=asked.signer,
        purposes=(asked.purpose,) if asked.purpose else (),
        since=begin_of(asked.since),
        until=end_of(asked.until),
        indications=(asked.indication,) if asked.indication else (),
        states=(asked.state,) if asked.state else (),
        mac_algorithm=asked.algorithm,
        expires_before=begin_of(asked.expires_before),
    )
    found = find_signatures(
        context, caller, query, limit=_PAGE_SIZE + 1, offset=(asked.page - 1) * _PAGE_SIZE
    )
    return show(
        request,
        caller,
        "signatures.html.j2",
        asked=asked,
        found=found[:_PAGE_SIZE],
        more=len(found) > _PAGE_SIZE,
        purposes=tuple(SignaturePurpose),
        choices={
            "indication": tuple(Indication),
            "state": tuple(DocumentState),
            "algorithm": tuple(MACAlgorithm),
        },
        meaning={each.value: purpose_words(each) for each in SignaturePurpose},
        short=short_name,
        soon=context.ports.now() + timedelta(days=90),
        reads=may(caller, Permission.READ_DOCUMENTS),
        audits=may(caller, Permission.READ_AUDIT),
    )
