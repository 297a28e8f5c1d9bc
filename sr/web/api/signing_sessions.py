"""``/signing-sessions``: signatures in two steps, with the key wherever it is."""

from __future__ import annotations

from base64 import b64encode
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Response
from pydantic import Base64Bytes, BaseModel, ConfigDict, Field

from sr.app.document_view import title_of
from sr.codes import SignaturePurpose
from sr.dicomfile.tags import format_tag
from sr.errors import ConfigurationError
from sr.mac import MACAlgorithm
from sr.service.access import Permission
from sr.service.session_view import OpenedSession
from sr.service.signing_sessions import (
    WantedSignature,
    complete_session,
    open_session,
)
from sr.signature import PreparedSignature
from sr.signature.digest_info import digest_info
from sr.store.signing_sessions import SessionItem
from sr.web.api.reports import UID
from sr.web.authentication import Caller, Wired
from sr.web.operations import protected

__all__ = ["router"]

router = APIRouter(prefix="/signing-sessions", tags=["signing"])


class WantedItem(BaseModel):
    """A document to sign, as it was seen."""

    model_config = ConfigDict(extra="forbid")

    sop_instance_uid: UID
    if_match: Annotated[str, Field(max_length=80)]


class NewSession(BaseModel):
    """What to sign, what for, with which certificate."""

    model_config = ConfigDict(extra="forbid")

    items: Annotated[list[WantedItem], Field(min_length=1, max_length=200)]
    purpose: Annotated[str, Field(max_length=32)]
    certificate_chain: Annotated[str, Field(max_length=65536)]
    """PEM, the signer's certificate first."""
    profile: Annotated[str, Field(max_length=64)] | None = None
    mac_algorithm: MACAlgorithm = MACAlgorithm.SHA256


class ItemView(BaseModel):
    """What one signature is over."""

    n: int
    sop_instance_uid: str
    digital_signature_uid: str
    tbs_url: str
    digest: str
    value: str
    algorithm: str
    display: dict[str, str]
    covers: list[str]


class SessionView(BaseModel):
    """A session that waits for its values."""

    id: str
    match_code: str
    expires_at: datetime
    items: list[ItemView]


class SignedItem(BaseModel):
    """A signature value."""

    model_config = ConfigDict(extra="forbid")

    n: int
    signature: Base64Bytes


class Values(BaseModel):
    """The signature values of a session; none to try again with those that were kept."""

    model_config = ConfigDict(extra="forbid")

    items: Annotated[list[SignedItem], Field(max_length=200)] = []


class Results(BaseModel):
    """The verdict on each document that came of a session."""

    results: list[dict[str, Any]]


@router.post(
    "",
    status_code=201,
    **protected(Permission.SIGN, audit="intend", errors=(404, 409), purposes=True),
)
def prepare(context: Wired, caller: Caller, body: NewSession, response: Response) -> SessionView:
    """Prepare signatures; what they are over is fixed from now on."""
    opened = open_session(
        context,
        caller,
        tuple(
            WantedSignature(
                sop_instance_uid=each.sop_instance_uid, if_match=each.if_match.strip('"')
            )
            for each in body.items
        ),
        purpose=_purpose(body.purpose),
        chain=body.certificate_chain.encode(),
        profile=body.profile,
        mac_algorithm=body.mac_algorithm,
    )
    response.headers["Location"] = f"/api/v1/signing-sessions/{opened.session.id}"
    return _view(opened)


@router.post(
    "/{session_id}/complete",
    **protected(Permission.SIGN, audit="value", errors=(404, 409, 410), purposes=True),
)
def complete(context: Wired, caller: Caller, session_id: str, body: Values) -> Results:
    """Take the signature values and store what came of them."""
    verdicts = complete_session(
        context, caller, session_id, {each.n: each.signature for each in body.items}
    )
    return Results(results=list(verdicts))


def _purpose(text: str) -> SignaturePurpose:
    try:
        return SignaturePurpose.parse(text)
    except ValueError as error:
        raise ConfigurationError(
            "there is no such signature purpose", where="(0400,0401)"
        ) from error


def _view(opened: OpenedSession) -> SessionView:
    session = opened.session
    return SessionView(
        id=session.id,
        match_code=session.match_code,
        expires_at=session.expires_at,
        items=[_item(*pair) for pair in zip(opened.items, opened.prepared, strict=True)],
    )


def _item(item: SessionItem, ready: PreparedSignature) -> ItemView:
    dataset = ready.file.dataset
    algorithm = ready.request.mac_algorithm
    return ItemView(
        n=item.n,
        sop_instance_uid=item.sop_instance_uid,
        digital_signature_uid=item.digital_signature_uid,
        tbs_url=f"/api/v1/signing-sessions/{item.session_id}/items/{item.n}/stream",
        digest=item.digest.hex(),
        value=b64encode(digest_info(algorithm, item.digest)).decode(),
        algorithm=algorithm.value,
        display={
            "title": title_of(dataset),
            "patient_name": dataset.text(0x00100010),
            "patient_id": dataset.text(0x00100020),
            "purpose": ready.request.purpose.code.meaning if ready.request.purpose else "",
        },
        covers=[format_tag(tag) for tag in ready.covers],
    )
