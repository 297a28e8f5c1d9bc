"""Signing with keys that the server holds."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography import x509
from sqlalchemy import select, update

from sr.codes import SignaturePurpose
from sr.errors import (
    AccessError,
    ConfigurationError,
    ConflictError,
    ExpiredError,
    NotFoundError,
    SignerRefusedError,
)
from sr.keys.kept import KeptSigners
from sr.keys.secrets import no_secrets
from sr.service.access import Role
from sr.service.operation.demonstration import chain_of, principal_for, sign_here, write_demo_report
from sr.service.signing.server_signing import server_chains, sign_with_server_key
from sr.service.signing.session_view import OpenedSession
from sr.service.signing.signing_sessions import WantedSignature, open_session
from sr.service.signing.signing_ways import way_to_sign
from sr.store.documents import Document, get_document
from sr.store.people import Credential, add_credential
from sr.store.schema import audit_events, credentials, signatures
from tests.support.agents import paired
from tests.support.service import Service, open_service


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Service:
    """Return a service of this module."""
    return open_service(tmp_path_factory.mktemp("service"))


@pytest.fixture
def draft(service: Service) -> Document:
    """Return a draft of Anna's."""
    return write_demo_report(service.context, service.world, "anna", 0)


def _open(service: Service, document: Document, login: str = "anna") -> OpenedSession:
    certificate = {"anna": "author", "sam": "supervisor"}[login]
    return open_session(
        service.context,
        principal_for(login),
        (WantedSignature(sop_instance_uid=document.sop_instance_uid, if_match=document.sha256),),
        purpose=SignaturePurpose.AUTHOR,
        chain=chain_of(service.world.pki, certificate),
    )


def _signatures(service: Service, document: Document) -> int:
    with service.context.database.read() as connection:
        found = connection.execute(
            select(signatures).where(signatures.c.sop_instance_uid == document.sop_instance_uid)
        )
        return len(found.all())


def test_author_signs_and_supervisor_approves(service: Service, draft: Document) -> None:
    """The server signs for people where the setting says so, and both verdicts are PASSED."""
    context, world = service.context, service.world
    assert sign_here(context, world, "anna", draft, SignaturePurpose.AUTHOR) == "PASSED"
    with context.database.read() as connection:
        signed = get_document(connection, draft.sop_instance_uid)
    assert sign_here(context, world, "sam", signed, SignaturePurpose.VERIFICATION) == "PASSED"


def test_intent_is_recorded_before_the_value(service: Service, draft: Document) -> None:
    """The audit names the session before a key was asked, then value and signature."""
    opened = _open(service, draft)
    sign_with_server_key(service.context, principal_for("anna"), opened.session.id)
    with service.context.database.read() as connection:
        query = select(audit_events.c.action, audit_events.c.encoded)
        rows = connection.execute(query.order_by(audit_events.c.sequence)).all()
    actions = [action for action, encoded in rows if opened.session.id.encode() in encoded]
    assert actions == ["signing-session-opened", "signature-value-kept", "signed"]


def test_again_answers_the_same(service: Service, draft: Document) -> None:
    """A session that was completed is answered again and not signed again."""
    opened = _open(service, draft)
    anna = principal_for("anna")
    first = sign_with_server_key(service.context, anna, opened.session.id)
    assert sign_with_server_key(service.context, anna, opened.session.id) == first
    assert _signatures(service, draft) == 1


def test_no_role_no_signature(service: Service, draft: Document) -> None:
    """Where the server signs for sealers only, an author's session is refused and stays open."""
    context = replace(service.context, server_signers=frozenset({Role.SEALER}))
    opened = _open(service, draft)
    with pytest.raises(AccessError):
        sign_with_server_key(context, principal_for("anna"), opened.session.id)
    assert _signatures(service, draft) == 0
    assert server_chains(context, principal_for("anna"), SignaturePurpose.AUTHOR) == ()
    assert server_chains(service.context, principal_for("anna"), SignaturePurpose.AUTHOR)


def test_session_of_another_is_not_there(service: Service, draft: Document) -> None:
    """Nobody signs in a session that somebody else opened, whatever roles he has."""
    opened = _open(service, draft)
    with pytest.raises(NotFoundError):
        sign_with_server_key(service.context, principal_for("sam"), opened.session.id)
    assert _signatures(service, draft) == 0


def test_session_over_signs_nothing(service: Service, draft: Document) -> None:
    """After its time a session asks no key."""
    opened = _open(service, draft)
    service.clock.forward(service.context.session_lifetime)
    with pytest.raises(ExpiredError):
        sign_with_server_key(service.context, principal_for("anna"), opened.session.id)
    assert _signatures(service, draft) == 0


def test_certificate_without_key_is_refused(tmp_path: Path) -> None:
    """A certificate whose key the server does not hold signs nothing here."""
    service = open_service(tmp_path)
    opened = _open(service, write_demo_report(service.context, service.world, "anna", 0))
    with service.context.database.write() as connection:
        connection.execute(update(credentials).values(key_uri=None))
    with pytest.raises(AccessError):
        sign_with_server_key(service.context, principal_for("anna"), opened.session.id)
    anna = principal_for("anna")
    assert server_chains(service.context, anna, SignaturePurpose.AUTHOR) == ()


def test_key_of_another_certificate_is_refused(tmp_path: Path) -> None:
    """A key that does not belong to the certificate is refused before it signs."""
    service = open_service(tmp_path)
    opened = _open(service, write_demo_report(service.context, service.world, "anna", 0))
    with service.context.database.write() as connection:
        other = service.world.pki.key_uri("supervisor")
        connection.execute(update(credentials).values(key_uri=other))
    with pytest.raises(SignerRefusedError):
        sign_with_server_key(service.context, principal_for("anna"), opened.session.id)


def test_withdrawn_certificate_is_refused(tmp_path: Path) -> None:
    """A certificate withdrawn since the session was opened signs no more."""
    service = open_service(tmp_path)
    opened = _open(service, write_demo_report(service.context, service.world, "anna", 0))
    with service.context.database.write() as connection:
        connection.execute(update(credentials).values(revoked_at=service.clock()))
    with pytest.raises(AccessError):
        sign_with_server_key(service.context, principal_for("anna"), opened.session.id)


def test_document_changed_since_voids_the_session(service: Service, draft: Document) -> None:
    """Of two sessions over one draft the second is void, and there is one signature."""
    first, second = _open(service, draft), _open(service, draft)
    anna = principal_for("anna")
    sign_with_server_key(service.context, anna, first.session.id)
    with pytest.raises(ConflictError):
        sign_with_server_key(service.context, anna, second.session.id)
    with pytest.raises(ExpiredError):
        sign_with_server_key(service.context, anna, second.session.id)
    assert _signatures(service, draft) == 1


def test_signers_are_opened_once(service: Service) -> None:
    """The same key with the same certificate is the same signer until the keys are closed."""
    keys = KeptSigners(no_secrets)
    uri = service.world.pki.key_uri("author")
    chain = tuple(x509.load_pem_x509_certificates(chain_of(service.world.pki, "author")))
    first = keys.signer(uri, chain)
    assert keys.signer(uri, chain) is first
    keys.close()
    assert keys.signer(uri, chain) is not first


def test_missing_key_file_is_said(tmp_path: Path, service: Service) -> None:
    """A key that is not there is an error of the configuration, each time it is asked for."""
    keys = KeptSigners(no_secrets)
    chain = tuple(x509.load_pem_x509_certificates(chain_of(service.world.pki, "author")))
    for _ in range(2):
        with pytest.raises(ConfigurationError):
            keys.signer(f"file:{tmp_path / 'none.key'}", chain)


def test_a_key_that_an_agent_has_goes_first(tmp_path: Path) -> None:
    """A page waits for a key that somebody can be asked for, also where another was added later."""
    service = open_service(tmp_path, slices=1)
    _, agent = paired(service, "anna")
    context = replace(service.context, server_signers=frozenset())
    chains = {}
    with context.database.write() as connection:
        for name, holder in (("supervisor", agent), ("archive", None)):
            chains[name] = chain_of(service.world.pki, name)
            credential = Credential(
                id=context.new_token(), user_id="anna", sha256=sha256(name.encode()).hexdigest(),
                chain=chains[name], label=name, agent_id=holder, not_after=context.ports.now(),
                created_at=context.ports.now(),
            )  # fmt: skip
            add_credential(connection, credential)
    way = way_to_sign(context, principal_for("anna"), SignaturePurpose.AUTHOR)
    assert (way.by_server, way.chain) == (False, chains["supervisor"])
