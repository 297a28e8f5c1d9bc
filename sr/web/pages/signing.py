"""Signing: what exactly is signed is shown before it is, and the key is here or at an agent."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from cryptography import x509
from fastapi import APIRouter, Form, Request, Response

from sr.app.views.differences import (
    AttributeChange,
    ContentLine,
    attribute_changes,
    content_changes,
    keyword_of,
)
from sr.app.views.document_view import title_of
from sr.app.views.wording import person_name, purpose_words, visible
from sr.codes import SignaturePurpose
from sr.dicomfile import BytesSource, DataSet, format_tag, read
from sr.mac.selection import DIGITAL_SIGNATURES_SEQUENCE, MAC_PARAMETERS_SEQUENCE
from sr.service.context import Context
from sr.service.reading.dossier import Dossier, open_dossier
from sr.service.signing.server_signing import server_chains, sign_with_server_key
from sr.service.signing.session_states import cancel_session, get_own_session
from sr.service.signing.session_view import OpenedSession, session_results, show_session
from sr.service.signing.signing_sessions import WantedSignature, open_session
from sr.service.signing.signing_ways import way_to_sign
from sr.signature import PreparedSignature
from sr.store.signing_sessions import LIVE, SessionState, SigningSession
from sr.trust import parse_certificates
from sr.verification.render import short_name
from sr.web.guard.authentication import Caller, Wired
from sr.web.pages.frame import PageRoute, is_scripted, see_other, show
from sr.web.parameters import UID

__all__ = ["router"]

router = APIRouter(route_class=PageRoute, include_in_schema=False)

_NEVER_SIGNED = frozenset({DIGITAL_SIGNATURES_SEQUENCE, MAC_PARAMETERS_SEQUENCE})
_NAME, _ID, _BORN = 0x00100010, 0x00100020, 0x00100030

Digest = Annotated[str, Form(pattern=r"^[0-9a-f]{64}$")]
SessionId = str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shown:
    """One document of a session, as its signer sees it."""

    sop_instance_uid: str
    """Under which it is in the store."""
    title: str
    patient: str
    patient_id: str
    born: str
    covers: tuple[str, ...]
    leaves: tuple[str, ...]
    """What the signature does not cover."""
    digest: str
    algorithm: str
    stream_bytes: int
    changes: tuple[AttributeChange, ...]
    """What signing changes before it signs; of an approval only."""
    since: tuple[ContentLine, ...]
    """What the content says otherwise than the version before."""


@router.post("/reports/{sop_instance_uid}/sign")
def begin(
    context: Wired,
    caller: Caller,
    sop_instance_uid: UID,
    if_match: Digest,
    purpose: Annotated[SignaturePurpose, Form()],
) -> Response:
    """Open a signing session on a report."""
    opened = open_session(
        context,
        caller,
        (WantedSignature(sop_instance_uid=sop_instance_uid, if_match=if_match),),
        purpose=purpose,
        chain=way_to_sign(context, caller, purpose).chain,
    )
    return see_other(f"/signing/{opened.session.id}")


@router.get("/signing/{session_id}")
def look(request: Request, context: Wired, caller: Caller, session_id: SessionId) -> Response:
    """Show what a session signs, or what came of it."""
    opened = show_session(context, caller, session_id)
    session = opened.session
    purpose = SignaturePurpose(session.purpose)
    leaf = x509.load_der_x509_certificate(parse_certificates(session.chain)[0])
    return show(
        request,
        caller,
        "signing.html.j2",
        session=session,
        dialog=is_scripted(request),
        purpose=purpose_words(purpose),
        approves=purpose is SignaturePurpose.VERIFICATION,
        signer=short_name(leaf.subject.rfc4514_string()),
        issuer=short_name(leaf.issuer.rfc4514_string()),
        not_after=leaf.not_valid_after_utc,
        by_server=session.chain in server_chains(context, caller, purpose),
        waits=session.state in LIVE and context.ports.now() < session.expires_at,
        completed=session.state is SessionState.COMPLETED,
        documents=tuple(_documents(context, caller, opened)),
        results=session_results(context, opened),
    )


@router.get("/signing/{session_id}/progress")
def progress(context: Wired, caller: Caller, session_id: SessionId) -> Response:
    """Tell a page that waits where to go when there is nothing to wait for any more."""
    session, items = get_own_session(context, caller, session_id)
    if session.state in LIVE and context.ports.now() < session.expires_at:
        return Response(status_code=204)
    done = items[0].result
    where = f"/reports/{done}" if done else f"/signing/{session_id}"
    return Response(status_code=204, headers={"HX-Redirect": where})


@router.post("/signing/{session_id}/sign")
def sign(context: Wired, caller: Caller, session_id: SessionId) -> Response:
    """Sign with a key that the server may use."""
    sign_with_server_key(context, caller, session_id)
    return see_other(_outcome(context, caller, session_id))


@router.post("/signing/{session_id}/cancel")
def cancel(context: Wired, caller: Caller, session_id: SessionId) -> Response:
    """Give a session up."""
    where = _outcome(context, caller, session_id)
    cancel_session(context, caller, session_id)
    return see_other(where)


def _outcome(context: Context, caller: Caller, session_id: str) -> str:
    """Return the address of the first document that came of a session, or is in it."""
    _, items = get_own_session(context, caller, session_id)
    return f"/reports/{items[0].result or items[0].sop_instance_uid}"


def _documents(context: Context, caller: Caller, opened: OpenedSession) -> Iterator[_Shown]:
    for item, ready in zip(opened.items, opened.prepared, strict=True):
        dossier = open_dossier(context, caller, item.sop_instance_uid)
        yield _shown(context, opened.session, dossier, ready)


def _shown(
    context: Context, session: SigningSession, dossier: Dossier, ready: PreparedSignature
) -> _Shown:
    dataset = ready.file.dataset
    covers = frozenset(ready.covers)
    now = _read(context, dossier.version.content)
    approves = session.purpose == SignaturePurpose.VERIFICATION
    before = dossier.before
    return _Shown(
        sop_instance_uid=dossier.document.sop_instance_uid,
        title=title_of(dataset),
        patient=person_name(dataset.text(_NAME)),
        patient_id=visible(dataset.text(_ID)),
        born=visible(dataset.text(_BORN)),
        covers=tuple(_words(tag) for tag in ready.covers),
        leaves=tuple(
            _words(element.tag)
            for element in dataset
            if element.tag not in covers and element.tag not in _NEVER_SIGNED
        ),
        digest=ready.digest.hex(),
        algorithm=ready.request.mac_algorithm.value,
        stream_bytes=ready.stream_bytes,
        changes=attribute_changes(now, dataset) if approves else (),
        since=content_changes(_read(context, before.content), now) if before else (),
    )


def _read(context: Context, content: bytes) -> DataSet:
    return read(BytesSource(content), limits=context.limits).dataset


def _words(tag: int) -> str:
    return f"{format_tag(tag)} {keyword_of(tag)}"
