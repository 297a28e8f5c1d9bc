"""After a process ended in the middle of its work: sessions are finished or void, never signed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select, update

from sr.app.audit import decode_event
from sr.app.ports import Timestamping
from sr.keys.kept import KeptSigners
from sr.service.context import Context
from sr.service.operation.demonstration import principal_for
from sr.service.operation.recovery import Recovered, recover
from sr.service.signing.prepared import PreparedSignatures
from sr.service.signing.session_view import OpenedSession
from sr.service.signing.signing_sessions import complete_session
from sr.store.documents import DocumentState
from sr.store.idempotency import StoredAnswer, claim_key, keep_answer
from sr.store.schema import audit_events, jobs, users
from sr.store.signing_sessions import SessionState, get_session, keep_values, move_session
from sr.web.application import create_application
from sr.web.background import background
from tests.support.races import signatures_on
from tests.support.service import Service, open_service
from tests.support.signing import draft, now, opened, sign, values_of
from tests.support.tokens import MemoryAuthority, refusal

ANNA = principal_for("anna")


@pytest.fixture
def service(tmp_path) -> Service:
    """Return a service of its own."""
    return open_service(tmp_path)


class _NoKeys(KeptSigners):
    """A recovery that asks for a key has gone wrong."""

    def signer(self, *_: object):
        raise AssertionError


def _restarted(service: Service) -> Context:
    return replace(service.context, prepared=PreparedSignatures(), server_keys=_NoKeys())


def _values_kept(service: Service, session: OpenedSession) -> None:
    """Leave a session as a process leaves it that ends right after it kept the values."""
    values = values_of(service, session)
    with service.context.database.write() as connection:
        move_session(connection, session.session, SessionState.VALUED)
        keep_values(connection, session.session.id, values)


def _state(service: Service, session: OpenedSession) -> SessionState:
    with service.context.database.read() as connection:
        return get_session(connection, session.session.id).state


def test_values_that_were_kept_are_used(service: Service) -> None:
    """A session whose values were kept is finished at the start, without a key, and once."""
    document = draft(service)
    session = opened(service, document)
    _values_kept(service, session)
    assert recover(_restarted(service)) == Recovered(finished=1)
    assert recover(_restarted(service)) == Recovered()
    signed = now(service, document)
    assert (signed.state, signed.indication) == (DocumentState.SIGNED, "PASSED")
    assert signatures_on(service, document) == [("1", "anna")]
    assert complete_session(service.context, ANNA, session.session.id, {})


def test_document_that_changed(service: Service) -> None:
    """Values for a document that was signed otherwise meanwhile are void, and it stays as it is."""
    document = draft(service)
    session = opened(service, document)
    _values_kept(service, session)
    signed = sign(service, document)
    assert recover(_restarted(service)) == Recovered(voided=1)
    assert now(service, document) == signed
    assert _state(service, session) is SessionState.VOIDED


def test_no_timestamp_at_the_start(service: Service) -> None:
    """Without a time-stamp the session waits on, and a later start finishes it."""

    def stamping(authority: MemoryAuthority) -> Context:
        stamps = Timestamping(authority=authority, new_nonce=lambda: 1 << 63)
        context = _restarted(service)
        return replace(context, ports=replace(context.ports, timestamping=stamps))

    down = stamping(MemoryAuthority(clock=service.clock, answer=lambda _: refusal()))
    document = draft(service)
    session = opened(replace(service, context=down), document)
    _values_kept(service, session)
    for _ in range(2):
        assert recover(down) == Recovered(waiting=1)
    assert now(service, document).state is DocumentState.DRAFT
    assert recover(stamping(MemoryAuthority(clock=service.clock))) == Recovered(finished=1)
    assert now(service, document).state is DocumentState.SIGNED


def test_signer_who_was_disabled(service: Service) -> None:
    """Nothing is signed for somebody who was disabled since."""
    document = draft(service)
    session = opened(service, document)
    _values_kept(service, session)
    with service.context.database.write() as connection:
        connection.execute(update(users).values(disabled_at=service.clock()))
    assert recover(_restarted(service)) == Recovered(voided=1)
    assert _state(service, session) is SessionState.VOIDED
    assert now(service, document).state is DocumentState.DRAFT


def test_open_sessions(service: Service) -> None:
    """An open session stays open as long as it has time, and its owner still completes it."""
    over = opened(service, draft(service))
    service.clock.forward(service.context.session_lifetime)
    session = opened(service, draft(service))
    assert recover(_restarted(service)) == Recovered(expired=1)
    assert _state(service, over) is SessionState.EXPIRED
    values = values_of(service, session)
    assert complete_session(_restarted(service), ANNA, session.session.id, values)


def test_start_and_stop_are_in_the_audit(service: Service) -> None:
    """A serving process writes that it started, with what it found, and that it stopped."""
    document = draft(service)
    _values_kept(service, opened(service, document))
    app = create_application(service.context, life=background(service.context))
    with TestClient(app):
        pass
    with service.context.database.read() as connection:
        rows = connection.execute(select(audit_events.c.encoded).order_by(audit_events.c.sequence))
        events = [decode_event(encoded) for encoded in rows.scalars()]
    said = [(str(event.action), event.actor.is_service) for event in events][-3:]
    assert said == [("signed", False), ("service-started", True), ("service-stopped", True)]
    assert now(service, document).state is DocumentState.SIGNED


def test_lost_job(service: Service) -> None:
    """A job that a process left at work is queued again at the start, once it is silent."""
    moment = service.clock()
    with service.context.database.write() as connection:
        connection.execute(
            jobs.insert().values(
                id="job", kind="x", state="running", user_id="anna", arguments={}, done=0, total=0,
                notes={}, attempts=1, created_at=moment, seen_at=moment,
            )
        )  # fmt: skip
    assert recover(service.context) == Recovered()
    service.clock.forward(timedelta(minutes=1))
    assert recover(service.context) == Recovered(jobs=1)


def test_request_that_nobody_works_on(service: Service) -> None:
    """A key of a request that died with its process is free again at the start, an answer stays."""
    who = {"user_id": "anna", "request_digest": "x", "at": service.clock()}
    with service.context.database.write() as connection:
        for key in ("died", "answered"):
            assert claim_key(connection, key=key, **who).is_ours
        answer = StoredAnswer(status=200, headers={}, body=b"{}")
        keep_answer(connection, user_id="anna", key="answered", answer=answer)
    recover(service.context)
    with service.context.database.write() as connection:
        assert claim_key(connection, key="died", **who).is_ours
        assert claim_key(connection, key="answered", **who).answer == answer
