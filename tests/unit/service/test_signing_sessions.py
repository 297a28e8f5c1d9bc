"""Signing sessions: who may what with them, how they end, and what is never stored."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from datetime import timedelta
from functools import partial
from hashlib import sha256

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from sqlalchemy import delete, insert, select, update

from sr.app.ports import Timestamping
from sr.codes import SignaturePurpose
from sr.document.template import load_template
from sr.errors import (
    AccessError,
    ConfigurationError,
    ConflictError,
    ExpiredError,
    LifecycleError,
    NotFoundError,
    SignerRefusedError,
    TimestampError,
)
from sr.service.access import Role
from sr.service.authoring.reports import return_report, write_report
from sr.service.context import Context
from sr.service.operation.demonstration import chain_of, principal_for
from sr.service.signing.prepared import PreparedSignatures
from sr.service.signing.session_results import state_after
from sr.service.signing.session_states import cancel_session, expire_sessions
from sr.service.signing.session_view import session_stream, show_session
from sr.service.signing.signing_sessions import complete_session, open_session
from sr.store.documents import Document, DocumentKind, DocumentState
from sr.store.schema import audit_events, credentials, documents, signatures, versions
from sr.store.signing_sessions import SessionState, get_session
from tests.support.pki import Entity, make_crl
from tests.support.service import Service, open_service
from tests.support.signing import draft, now, opened, sign, values_of, wanted
from tests.support.tokens import MemoryAuthority, refusal

ANNA, SAM = principal_for("anna"), principal_for("sam")
AUTHOR, COAUTHOR = SignaturePurpose.AUTHOR, SignaturePurpose.COAUTHOR
VERIFICATION, VALIDATION = SignaturePurpose.VERIFICATION, SignaturePurpose.VALIDATION


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Service:
    """Return a service of this module."""
    return open_service(tmp_path_factory.mktemp("service"))


@pytest.fixture(scope="module")
def some_report(service: Service) -> Document:
    """Return a report in whatever state."""
    return draft(service)


def _state(service: Service, session_id: str) -> SessionState:
    with service.context.database.read() as connection:
        return get_session(connection, session_id).state


def _signatures(service: Service, document: Document) -> int:
    query = select(signatures).where(signatures.c.sop_instance_uid == document.sop_instance_uid)
    with service.context.database.read() as connection:
        return len(connection.execute(query).all())


def _stamping(service: Service, authority: MemoryAuthority) -> Context:
    stamping = Timestamping(authority=authority, new_nonce=lambda: 1 << 63)
    return replace(service.context, ports=replace(service.context.ports, timestamping=stamping))


# What the signer sees


def test_stream_is_what_is_signed(service: Service) -> None:
    """Whoever hashes the stream of an item gets the digest that is signed."""
    session = opened(service, draft(service), draft(service))
    for item in session.items:
        stream = session_stream(service.context, ANNA, session.session.id, item.n)
        assert sha256(stream).digest() == item.digest


def test_forgotten_preparation_is_made_again(service: Service) -> None:
    """A process that did not prepare the signature shows, streams and completes the same."""
    session = opened(service, draft(service))
    other = replace(service.context, prepared=PreparedSignatures())
    shown = show_session(other, ANNA, session.session.id)
    assert shown.prepared[0].digest == session.items[0].digest
    (verdict,) = complete_session(other, ANNA, session.session.id, values_of(service, session))
    assert verdict["indication"] == "PASSED"


_USES = {
    "show": show_session,
    "stream": partial(session_stream, n=1),
    "cancel": cancel_session,
    "complete": partial(complete_session, values={}),
}


@pytest.mark.parametrize("use", _USES)
def test_session_of_another_is_not_there(service: Service, use: str) -> None:
    """Nobody sees, cancels or completes a session that somebody else opened."""
    session = opened(service, draft(service))
    with pytest.raises(NotFoundError):
        _USES[use](service.context, SAM, session.session.id)
    assert _state(service, session.session.id) is SessionState.OPEN


def test_stream_of_no_item(service: Service) -> None:
    """A number that the session does not have has no stream."""
    session = opened(service, draft(service))
    for n in (0, 2, -1):
        with pytest.raises(NotFoundError):
            session_stream(service.context, ANNA, session.session.id, n)


def test_agent_of_the_owner_completes(service: Service) -> None:
    """A session that a page opened is completed by the agent of the same person."""
    session = opened(service, draft(service))
    agent = replace(ANNA, agent_id="agent")
    values = values_of(service, session)
    assert complete_session(service.context, agent, session.session.id, values)


# What is opened


def test_same_document_twice(service: Service) -> None:
    """A session names each document once, and at least one."""
    document = draft(service)
    for many in ((), (document, document)):
        with pytest.raises(ConfigurationError):
            opened(service, *many)


def test_too_many_documents(service: Service) -> None:
    """A session has no more documents than the service allows."""
    few = replace(service, context=replace(service.context, items_per_session=1))
    with pytest.raises(ConfigurationError):
        opened(few, draft(service), draft(service))


def test_document_that_changed(service: Service) -> None:
    """A document is signed as it was seen, or not at all."""
    document = replace(draft(service), sha256="0" * 64)
    with pytest.raises(ConflictError):
        opened(service, document)


@pytest.mark.parametrize("purpose", [VERIFICATION, VALIDATION, SignaturePurpose.REVIEW])
def test_draft_is_not_approved(service: Service, purpose: SignaturePurpose) -> None:
    """Nobody approves or reviews what no author has signed."""
    with pytest.raises(LifecycleError):
        opened(service, draft(service), login="sam", purpose=purpose)


def test_returned_report_is_not_signed(service: Service) -> None:
    """A report that was returned is amended; nobody signs it."""
    signed = sign(service, draft(service))
    return_report(
        service.context, SAM, signed.sop_instance_uid, if_match=signed.sha256, comment="no"
    )
    with pytest.raises(LifecycleError):
        opened(service, now(service, signed))


def test_superseded_report_is_not_signed(service: Service) -> None:
    """A report that was issued anew when it was approved is signed no more."""
    signed = sign(service, draft(service))
    approved = sign(service, signed, "sam", VERIFICATION)
    assert (approved.state, approved.lineage) == (DocumentState.APPROVED, signed.sop_instance_uid)
    old = now(service, signed)
    assert old.state is DocumentState.SUPERSEDED
    for login, purpose in (("anna", COAUTHOR), ("sam", VERIFICATION)):
        with pytest.raises(LifecycleError):
            opened(service, old, login=login, purpose=purpose)


_EXPECTED = {
    (DocumentState.DRAFT, AUTHOR): DocumentState.SIGNED,
    (DocumentState.DRAFT, SignaturePurpose.SOURCE): None,
    (DocumentState.DRAFT, COAUTHOR): None,
    (DocumentState.DRAFT, SignaturePurpose.TRANSCRIPTIONIST): None,
    (DocumentState.SIGNED, SignaturePurpose.SOURCE): DocumentState.SIGNED,
    (DocumentState.SIGNED, COAUTHOR): DocumentState.SIGNED,
    (DocumentState.SIGNED, VERIFICATION): DocumentState.APPROVED,
    (DocumentState.SIGNED, VALIDATION): DocumentState.SIGNED,
    (DocumentState.APPROVED, VALIDATION): DocumentState.APPROVED,
    (DocumentState.APPROVED, COAUTHOR): DocumentState.APPROVED,
    (DocumentState.APPROVED, VERIFICATION): None,
    (DocumentState.DRAFT, VERIFICATION): None,
    (DocumentState.DRAFT, VALIDATION): None,
    (DocumentState.RETURNED, AUTHOR): None,
    (DocumentState.RETURNED, VERIFICATION): None,
    (DocumentState.RETURNED, VALIDATION): None,
    (DocumentState.SUPERSEDED, AUTHOR): None,
    (DocumentState.SUPERSEDED, VERIFICATION): None,
    (DocumentState.SUPERSEDED, VALIDATION): None,
    (DocumentState.SUPERSEDED, SignaturePurpose.SOURCE): None,
}


@pytest.mark.parametrize(("state", "purpose"), _EXPECTED)
def test_states(some_report: Document, state: DocumentState, purpose: SignaturePurpose) -> None:
    """Each signature leads from a state to a state, or is refused in it."""
    document = replace(some_report, state=state)
    expected = _EXPECTED[state, purpose]
    if expected is not None:
        assert state_after(document, purpose) is expected
        return
    with pytest.raises(LifecycleError):
        state_after(document, purpose)


@pytest.mark.parametrize(
    ("kind", "state"),
    [
        (DocumentKind.REPORT, None),
        (DocumentKind.KEY_OBJECT, DocumentState.SIGNED),
        (DocumentKind.SEAL, DocumentState.SIGNED),
    ],
)
def test_source_of_a_report_does_not_sign_first(
    some_report: Document, kind: DocumentKind, state: DocumentState | None
) -> None:
    """Who seals makes no draft of somebody's report a signed one."""
    document = replace(some_report, kind=kind, state=DocumentState.DRAFT)
    if state is not None:
        assert state_after(document, SignaturePurpose.SOURCE) is state
        return
    with pytest.raises(LifecycleError):
        state_after(document, SignaturePurpose.SOURCE)


# Four eyes


def test_owner_does_not_approve(service: Service) -> None:
    """Who wrote a report does not approve it, though somebody else signed it as author."""
    written = write_report(
        service.context,
        SAM,
        study_instance_uid=service.world.studies[0],
        values=tomllib.loads(load_template("ct-chest").example)
        | {"observer_name": ANNA.person_name},
        template="ct-chest",
    )
    report = sign(service, written, "anna")
    with pytest.raises(LifecycleError):
        opened(service, report, login="sam", purpose=VERIFICATION)


def test_who_changed_a_draft_does_not_approve(service: Service) -> None:
    """Who wrote one version of a draft is an author of it, whoever began and signed it."""
    document = draft(service)
    with service.context.database.write() as connection:
        connection.execute(
            update(versions)
            .where(versions.c.sop_instance_uid == document.sop_instance_uid)
            .values(created_by="sam")
        )
    signed = sign(service, document)
    with pytest.raises(LifecycleError):
        opened(service, signed, login="sam", purpose=VERIFICATION)


def test_author_with_another_certificate_does_not_approve(tmp_path) -> None:
    """Another certificate does not make another person of an account."""
    service = open_service(tmp_path)
    signed = sign(service, sign(service, draft(service)), "sam", COAUTHOR)
    other = chain_of(service.world.pki, "archive")
    leaf = x509.load_pem_x509_certificates(other)[0]
    with service.context.database.write() as connection:
        connection.execute(delete(credentials).where(credentials.c.user_id == "archive"))
        connection.execute(
            insert(credentials).values(
                id="other", user_id="sam", sha256=leaf.fingerprint(SHA256()).hex(), chain=other,
                label="", not_after=leaf.not_valid_after_utc, created_at=service.clock(),
            )
        )  # fmt: skip
    with pytest.raises(LifecycleError):
        open_session(service.context, SAM, wanted(signed), purpose=VERIFICATION, chain=other)


def test_approver_does_not_become_author(service: Service) -> None:
    """Who approved a report signs its successor as nobody's author."""
    approved = sign(service, sign(service, draft(service)), "sam", VERIFICATION)
    with pytest.raises(LifecycleError):
        opened(service, approved, login="sam", purpose=COAUTHOR)


def test_four_eyes_are_asked_again_at_the_end(service: Service) -> None:
    """Who became the author while a session was open does not approve with it."""
    signed = sign(service, draft(service))
    session = opened(service, signed, login="sam", purpose=VERIFICATION)
    with service.context.database.write() as connection:
        connection.execute(
            update(documents)
            .where(documents.c.sop_instance_uid == signed.sop_instance_uid)
            .values(owner="sam")
        )
    with pytest.raises(LifecycleError):
        complete_session(service.context, SAM, session.session.id, values_of(service, session))
    assert now(service, signed).state is DocumentState.SIGNED
    assert _state(service, session.session.id) is SessionState.VOIDED


# Values


def test_wrong_value_keeps_the_session_open(service: Service) -> None:
    """A value that does not fit is refused, nothing is kept, and the right one still serves."""
    session = opened(service, draft(service), draft(service))
    right = values_of(service, session)
    for wrong in ({}, {1: right[1]}, {**right, 3: right[1]}, {1: right[2], 2: right[1]}):
        with pytest.raises(SignerRefusedError):
            complete_session(service.context, ANNA, session.session.id, wrong)
        assert _state(service, session.session.id) is SessionState.OPEN
    assert len(complete_session(service.context, ANNA, session.session.id, right)) == 2


def test_role_withdrawn_since(service: Service) -> None:
    """Who lost the role while the session was open signs nothing."""
    session = opened(service, draft(service))
    without = replace(ANNA, roles=frozenset({Role.SEALER}))
    with pytest.raises(AccessError):
        complete_session(service.context, without, session.session.id, values_of(service, session))
    assert _state(service, session.session.id) is SessionState.OPEN


def test_report_returned_since(service: Service) -> None:
    """A report that was returned while its approval was open is not approved."""
    signed = sign(service, draft(service))
    session = opened(service, signed, login="sam", purpose=VERIFICATION)
    return_report(
        service.context, SAM, signed.sop_instance_uid, if_match=signed.sha256, comment="no"
    )
    with pytest.raises(LifecycleError):
        complete_session(service.context, SAM, session.session.id, values_of(service, session))
    assert now(service, signed).state is DocumentState.RETURNED
    assert _state(service, session.session.id) is SessionState.VOIDED


def test_report_signed_since(service: Service) -> None:
    """A value over a document that changed is not kept, and the session is void."""
    document = draft(service)
    first, second = opened(service, document), opened(service, document)
    complete_session(service.context, ANNA, first.session.id, values_of(service, first))
    with pytest.raises(ConflictError):
        complete_session(service.context, ANNA, second.session.id, values_of(service, second))
    assert _state(service, second.session.id) is SessionState.VOIDED
    assert _signatures(service, document) == 1


def test_report_signed_by_a_coauthor_since(service: Service) -> None:
    """A signature that somebody else added while a session was open is not overwritten."""
    document = sign(service, draft(service))
    session = opened(service, document, purpose=SignaturePurpose.ADDENDUM)
    signed = sign(service, document, "sam", COAUTHOR)
    with pytest.raises(ConflictError):
        complete_session(service.context, ANNA, session.session.id, values_of(service, session))
    assert now(service, document) == signed


def test_one_document_of_many_changed(service: Service) -> None:
    """Where one document of a session changed, none of them is signed."""
    one, other = draft(service), draft(service)
    session = opened(service, one, other)
    sign(service, other)
    with pytest.raises(ConflictError):
        complete_session(service.context, ANNA, session.session.id, values_of(service, session))
    assert now(service, one).state is DocumentState.DRAFT
    assert _signatures(service, one) == 0


# Time-stamps


def test_no_timestamp_now(service: Service) -> None:
    """Without a time-stamp the value is kept, nothing is stored, and a second try needs no key."""
    document = draft(service)
    down = _stamping(service, MemoryAuthority(clock=service.clock, answer=lambda _: refusal()))
    stamped = replace(service, context=down)
    session = opened(stamped, document)
    with pytest.raises(TimestampError):
        complete_session(down, ANNA, session.session.id, values_of(service, session))
    assert _state(service, session.session.id) is SessionState.VALUED
    assert now(service, document).state is DocumentState.DRAFT
    service.clock.forward(timedelta(hours=1))
    up = _stamping(service, MemoryAuthority(clock=service.clock))
    complete_session(up, ANNA, session.session.id, {})
    assert now(service, document).state is DocumentState.SIGNED


def test_role_taken_away_since(service: Service) -> None:
    """A value that was kept is not used once its signer may not sign for that any more."""
    down = _stamping(service, MemoryAuthority(clock=service.clock, answer=lambda _: refusal()))
    stamped = replace(service, context=down)
    report = sign(service, draft(service))
    session = opened(stamped, report, login="sam", purpose=VERIFICATION)
    with pytest.raises(TimestampError):
        complete_session(down, SAM, session.session.id, values_of(service, session))
    up = _stamping(service, MemoryAuthority(clock=service.clock))
    author_only = replace(SAM, roles=frozenset({Role.AUTHOR}))
    with pytest.raises(AccessError):
        complete_session(up, author_only, session.session.id, {})
    assert _state(service, session.session.id) is SessionState.VOIDED
    assert now(service, report).state is DocumentState.SIGNED


def test_timestamps_switched_off_since(service: Service) -> None:
    """A session that was opened with time-stamps is void where there are none any more."""
    stamped = replace(service, context=_stamping(service, MemoryAuthority(clock=service.clock)))
    document = draft(service)
    session = opened(stamped, document)
    with pytest.raises(ConflictError):
        complete_session(service.context, ANNA, session.session.id, values_of(service, session))
    assert _state(service, session.session.id) is SessionState.VOIDED
    assert now(service, document).state is DocumentState.DRAFT


def test_what_fails_here_is_not_stored(service: Service) -> None:
    """A signature with a certificate that is revoked meanwhile is refused, and nothing stored."""
    pki = service.world.pki
    document = draft(service)
    session = opened(service, document)
    issuing = Entity(
        certificate=x509.load_pem_x509_certificate(pki.certificate("issuing").read_bytes()),
        key=load_pem_private_key(pki.key("issuing").read_bytes(), None),
    )
    signer = x509.load_pem_x509_certificates(session.session.chain)[0]
    at = service.clock()
    crl = make_crl(
        issuing, revoked=[signer.serial_number], this_update=at - timedelta(hours=1),
        next_update=at + timedelta(days=1),
    )  # fmt: skip
    der = crl.public_bytes(Encoding.DER)
    known = service.context.material()
    revoked = replace(service.context, material=lambda: replace(known, crls=(*known.crls, der)))
    with pytest.raises(SignerRefusedError):
        complete_session(revoked, ANNA, session.session.id, values_of(service, session))
    assert now(service, document).state is DocumentState.DRAFT
    assert _state(service, session.session.id) is SessionState.VOIDED
    assert _signatures(service, document) == 0


# Endings


def test_cancelled(service: Service) -> None:
    """A session that its owner gave up takes no value any more."""
    session = opened(service, draft(service))
    values = values_of(service, session)
    ended = cancel_session(service.context, ANNA, session.session.id)
    assert ended.state is SessionState.VOIDED
    assert cancel_session(service.context, ANNA, session.session.id).state is SessionState.VOIDED
    with pytest.raises(ExpiredError):
        complete_session(service.context, ANNA, session.session.id, values)


def test_completed_is_not_cancelled(service: Service) -> None:
    """What was signed is not given up."""
    session = opened(service, draft(service))
    complete_session(service.context, ANNA, session.session.id, values_of(service, session))
    with pytest.raises(ConflictError):
        cancel_session(service.context, ANNA, session.session.id)
    assert _state(service, session.session.id) is SessionState.COMPLETED


def test_sweep_ends_what_is_over(service: Service) -> None:
    """The sweep ends open sessions whose time is over, no others, and says so in the audit."""
    over = opened(service, draft(service))
    service.clock.forward(service.context.session_lifetime)
    fresh = opened(service, draft(service))
    assert expire_sessions(service.context, ANNA) >= 1
    assert expire_sessions(service.context, ANNA) == 0
    assert _state(service, over.session.id) is SessionState.EXPIRED
    assert _state(service, fresh.session.id) is SessionState.OPEN
    with service.context.database.read() as connection:
        rows = connection.execute(select(audit_events.c.action, audit_events.c.encoded))
        said = [action for action, encoded in rows if over.session.id.encode() in encoded]
    assert said == ["signing-session-opened", "signing-voided"]


def test_expired_takes_no_value(service: Service) -> None:
    """After its time a session takes no value, swept or not."""
    for sweep in (False, True):
        session = opened(service, draft(service))
        values = values_of(service, session)
        service.clock.forward(service.context.session_lifetime)
        if sweep:
            expire_sessions(service.context, ANNA)
        with pytest.raises(ExpiredError):
            complete_session(service.context, ANNA, session.session.id, values)
        assert _state(service, session.session.id) is SessionState.EXPIRED
