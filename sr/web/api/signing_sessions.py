"""``/signing-sessions``: signatures in two steps, with the key wherever it is.

Cites: PS3.15 A.4, C.1.
"""

from __future__ import annotations

from base64 import b64encode
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Response
from pydantic import ConfigDict, Field
from pydantic.config import JsonDict

from sr.app.audit import AuditAction
from sr.app.views.document_view import title_of
from sr.dicomfile.tags import format_tag
from sr.errors import ConfigurationError
from sr.mac import MACAlgorithm
from sr.service.access import Permission
from sr.service.signing.server_signing import sign_with_server_key
from sr.service.signing.session_states import cancel_session
from sr.service.signing.session_view import (
    OpenedSession,
    live_sessions,
    session_stream,
    show_session,
)
from sr.service.signing.signing_sessions import WantedSignature, complete_session, open_session
from sr.service.signing.signing_ways import chosen_chain
from sr.signature import PreparedSignature
from sr.signature.digest_info import digest_info
from sr.store.signing_sessions import SessionItem, SessionState, SigningSession
from sr.web.api.views import VerdictView
from sr.web.guard.authentication import Caller, Wired
from sr.web.guard.bodies import Base64Value, Body, Certificates, Purpose, View
from sr.web.guard.once import Once
from sr.web.operations import protected
from sr.web.parameters import UID

__all__ = ["router"]

router = APIRouter(prefix="/signing-sessions", tags=["signing-sessions"])

SessionID = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$", description="Id of a session.")]
_SESSION: JsonDict = {
    "items": [{"sop_instance_uid": "2.25.1", "if_match": '"2c26b46b68ffc68f…"'}],
    "purpose": "author",
    "certificate_chain": "-----BEGIN CERTIFICATE-----\nMIIE…\n-----END CERTIFICATE-----\n",
}
_STREAM = {
    "description": "The bytes that are hashed.",
    "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
}


class WantedItem(Body):
    """A document to sign, as it was seen."""

    sop_instance_uid: UID
    if_match: Annotated[str, Field(max_length=80)]
    """What was seen of it: its ETag, with or without the quotes, which is its `sha256`."""


class NewSession(Body):
    """What to sign, what for, with which certificate."""

    model_config = ConfigDict(json_schema_extra={"examples": [_SESSION]})

    items: Annotated[list[WantedItem], Field(min_length=1, max_length=200)]
    purpose: Purpose
    """Name or code of CID 7007; with `verification` (5) an approved copy is made and signed."""
    certificate_chain: Annotated[Certificates, Field(max_length=65536)] | None = None
    """The signer's certificate first: PEM, or a list of PEM or Base64 of DER."""
    credential: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")] | None = None
    """Instead of it: the id of a certificate that the caller registered."""
    profile: Annotated[str, Field(max_length=64)] | None = None
    """Id of a profile that the signature has to fulfil beside those that the document demands."""
    mac_algorithm: MACAlgorithm = MACAlgorithm.SHA256
    """SHA256, SHA384 or SHA512; others are refused for new signatures."""


class ItemView(View):
    """What one signature is over."""

    n: int
    """Number of the item in the session, from 1."""
    sop_instance_uid: str
    digital_signature_uid: str
    tbs_url: str
    """Path of the bytes to be signed: hashed with `algorithm` they give `digest`."""
    digest: str
    """Digest of those bytes, lower-case hexadecimal."""
    value: str
    """Base64 of the DigestInfo (RFC 8017 9.2) around `digest`: for a token or `openssl pkeyutl`
    that pads (PKCS #1 v1.5, block type 1) but does not hash."""
    algorithm: MACAlgorithm
    """Digest algorithm; the signature is RSASSA-PKCS1-v1_5 with it, or ECDSA over `digest`."""
    display: dict[str, str]
    """What to show to who signs: `title`, `patient_name`, `patient_id`, `purpose`."""
    covers: list[str]
    """Tags of the data elements that the signature covers."""
    result: str | None
    """SOP Instance UID of the document that came of it."""


class SessionSummary(View):
    """A session, without what is signed."""

    id: str
    state: SessionState
    purpose: str
    certificate_sha256: str
    match_code: str
    """Both sides show it; whoever signs computes it from the digests."""
    created_at: datetime
    expires_at: datetime


class SessionView(SessionSummary):
    """A session with what is signed."""

    items: list[ItemView]


class SessionList(View):
    """The caller's sessions that wait for something, oldest first."""

    items: list[SessionSummary]


class SignedItem(Body):
    """A signature value."""

    n: Annotated[int, Field(ge=1, le=200)]
    """Number of the item in the session."""
    signature: Base64Value
    """Base64 of the bytes that the key gave: RSASSA-PKCS1-v1_5 (as long as the modulus), or ECDSA
    as DER."""


class Values(Body):
    """The signature values of a session; none to try again with those that were kept."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"items": [{"n": 1, "signature": "oWp1…"}]}]}
    )

    items: Annotated[list[SignedItem], Field(default_factory=list, max_length=200)]


class Results(View):
    """The verdict on each document that came of a session."""

    results: list[VerdictView]


@router.post(
    "",
    status_code=201,
    response_model=SessionView,
    **protected(
        Permission.SIGN,
        audit=AuditAction.SIGNING_SESSION_OPENED,
        errors=(400, 404, 409),
        purposes=True,
    ),
)
def prepare(context: Wired, caller: Caller, body: NewSession, once: Once) -> Response:
    """Prepare signatures; what they are over is fixed from now on."""

    def work() -> tuple[SessionView, dict[str, str]]:
        chain = chosen_chain(
            context,
            caller,
            body.purpose,
            chain=body.certificate_chain,
            credential=body.credential,
        )
        opened = open_session(
            context,
            caller,
            tuple(
                WantedSignature(
                    sop_instance_uid=each.sop_instance_uid, if_match=each.if_match.strip('"')
                )
                for each in body.items
            ),
            purpose=body.purpose,
            chain=chain,
            profile=body.profile,
            mac_algorithm=body.mac_algorithm,
        )
        return _view(opened), {"Location": f"/api/v1/signing-sessions/{opened.session.id}"}

    return once.answer(work, status=201)


@router.get("", **protected(Permission.SIGN))
def waiting(context: Wired, caller: Caller) -> SessionList:
    """Return the caller's sessions that wait for something, oldest first."""
    return SessionList(items=[_summary(each) for each in live_sessions(context, caller)])


@router.get(
    "/{session_id}", **protected(Permission.SIGN, audit=AuditAction.REPORT_READ, errors=(404, 409))
)
def show(context: Wired, caller: Caller, session_id: SessionID) -> SessionView:
    """Return one of the caller's sessions with what is signed."""
    return _view(show_session(context, caller, session_id))


@router.get(
    "/{session_id}/items/{n}/stream",
    response_class=Response,
    **protected(
        Permission.SIGN,
        audit=AuditAction.REPORT_READ,
        errors=(404, 409),
        content={200: _STREAM},
    ),
)
def stream(
    context: Wired,
    caller: Caller,
    session_id: SessionID,
    n: Annotated[int, Path(ge=1, le=200)],
) -> Response:
    """Return the bytes that one signature is over."""
    return Response(
        session_stream(context, caller, session_id, n), media_type="application/octet-stream"
    )


@router.post(
    "/{session_id}/complete",
    response_model=Results,
    **protected(
        Permission.SIGN,
        audit=AuditAction.SIGNATURE_VALUE_KEPT,
        errors=(400, 404, 409, 410),
        purposes=True,
    ),
)
def complete(
    context: Wired, caller: Caller, session_id: SessionID, body: Values, once: Once
) -> Response:
    """Take the signature values and store what came of them."""
    values = {each.n: each.signature for each in body.items}
    if len(values) < len(body.items):
        raise ConfigurationError("a document of the session has two signature values")
    return once.answer(
        lambda: (_results(complete_session(context, caller, session_id, values)), {})
    )


@router.post(
    "/{session_id}/sign",
    response_model=Results,
    **protected(
        Permission.SIGN,
        audit=AuditAction.SIGNATURE_VALUE_KEPT,
        errors=(404, 409, 410),
        purposes=True,
    ),
)
def sign(context: Wired, caller: Caller, session_id: SessionID, once: Once) -> Response:
    """Sign with a key that the service itself may use for the caller, such as that of seals."""
    return once.answer(lambda: (_results(sign_with_server_key(context, caller, session_id)), {}))


@router.delete(
    "/{session_id}",
    **protected(Permission.SIGN, audit=AuditAction.SIGNING_VOIDED, errors=(404, 409)),
)
def cancel(context: Wired, caller: Caller, session_id: SessionID) -> SessionSummary:
    """Give a session up; nothing is signed any more."""
    return _summary(cancel_session(context, caller, session_id))


def _results(verdicts: tuple[dict[str, Any], ...]) -> Results:
    return Results(results=[VerdictView.model_validate(each) for each in verdicts])


def _summary(session: SigningSession) -> SessionSummary:
    return SessionSummary.model_validate(session)


def _view(opened: OpenedSession) -> SessionView:
    return SessionView(
        **_summary(opened.session).model_dump(),
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
        algorithm=algorithm,
        display={
            "title": title_of(dataset),
            "patient_name": dataset.text(0x00100010),
            "patient_id": dataset.text(0x00100020),
            "purpose": ready.request.purpose.code.meaning if ready.request.purpose else "",
        },
        covers=[format_tag(tag) for tag in ready.covers],
        result=item.result,
    )
