"""A certificate is a person's; a person is one, however many names, accounts and certificates."""

from __future__ import annotations

import tomllib

import pytest
from sqlalchemy import update

from sr.codes import SignaturePurpose
from sr.document.template import load_template
from sr.errors import AccessError, LifecycleError
from sr.service.access import Principal
from sr.service.accounts.identity import identity_here
from sr.service.accounts.login import principal_of_user
from sr.service.authoring.reports import write_report
from sr.service.operation.demonstration import chain_of, principal_for, sign_here, write_demo_report
from sr.service.reading.documents import open_document
from sr.service.signing.four_eyes import require_four_eyes
from sr.service.signing.signing_sessions import OpenedSession, WantedSignature, open_session
from sr.store.documents import Document
from sr.store.people import (
    Credential,
    User,
    add_credential,
    add_user,
    change_user,
    credentials_of,
    get_user,
)
from sr.store.schema import credentials
from tests.support.service import Service, open_service

AUTHOR, APPROVER = SignaturePurpose.AUTHOR, SignaturePurpose.VERIFICATION


@pytest.fixture
def service(tmp_path) -> Service:
    """Return a service of one test."""
    return open_service(tmp_path)


def _open(
    service: Service, principal: Principal, document: Document, purpose: SignaturePurpose, key: str
) -> OpenedSession:
    return open_session(
        service.context,
        principal,
        (WantedSignature(sop_instance_uid=document.sop_instance_uid, if_match=document.sha256),),
        purpose=purpose,
        chain=chain_of(service.world.pki, key),
    )


def _signed(service: Service) -> Document:
    """Return a report that Anna signed."""
    draft = write_demo_report(service.context, service.world, "anna", 0)
    assert sign_here(service.context, service.world, "anna", draft, AUTHOR) == "PASSED"
    return open_document(service.context, principal_for("sam"), draft.sop_instance_uid)[0]


def _give(service: Service, login: str, of: str) -> None:
    """Register the certificate of one user as another's too."""
    with service.context.database.write() as connection:
        credential = credentials_of(connection, of)[0]
        add_credential(
            connection,
            Credential(
                id=f"{login}-too", user_id=login, sha256=credential.sha256, chain=credential.chain,
                label="", not_after=credential.not_after, created_at=service.clock(),
            ),
        )  # fmt: skip


def _account(service: Service, login: str, **more: str) -> Principal:
    user = User(
        id=login, login=login, display_name=login, organization="Ward",
        roles=("author", "approver"), created_at=service.clock(),
        **{"person_name": "Weber^Sam", **more},
    )  # fmt: skip
    with service.context.database.write() as connection:
        add_user(connection, user)
    return principal_of_user(user)


def test_somebody_elses_certificate_signs_nothing(service: Service) -> None:
    """Anna does not sign with the certificate of Sam, whatever she may sign for."""
    draft = write_demo_report(service.context, service.world, "anna", 0)
    with pytest.raises(AccessError):
        _open(service, principal_for("anna"), draft, AUTHOR, "supervisor")


def test_a_certificate_that_nobody_registered_signs_nothing(service: Service) -> None:
    """A certificate of the same authority does not suffice."""
    draft = write_demo_report(service.context, service.world, "anna", 0)
    with pytest.raises(AccessError):
        _open(service, principal_for("anna"), draft, AUTHOR, "archive")


def test_a_second_account_does_not_approve(service: Service) -> None:
    """Two accounts of one person are one person, whatever certificate the second has."""
    signed = _signed(service)
    second = _account(service, "anna-2", person="anna")
    _give(service, "anna-2", "sam")
    with pytest.raises(LifecycleError):
        _open(service, second, signed, APPROVER, "supervisor")


def test_a_second_account_with_a_certificate_of_its_own_does_not_approve(service: Service) -> None:
    """Accounts are compared too, where certificates say nothing."""
    signed = _signed(service)
    second, third = _account(service, "anna-2", person="anna"), _account(service, "new")
    with service.context.database.read() as connection:
        require_four_eyes(connection, third, (signed,), APPROVER)
        with pytest.raises(LifecycleError):
            require_four_eyes(connection, second, (signed,), APPROVER)


def test_an_account_of_somebody_else_approves(service: Service) -> None:
    """The same account of another person may."""
    signed = _signed(service)
    third = _account(service, "sam-2", person="sam")
    _give(service, "sam-2", "sam")
    assert _open(service, third, signed, APPROVER, "supervisor").items


def test_whoever_signed_as_author_under_another_account_does_not_approve(service: Service) -> None:
    """A person who signs as author first and approves under another account is caught."""
    signed = _signed(service)
    with service.context.database.write() as connection:
        change_user(connection, "sam", {"person": "anna"})
    with pytest.raises(LifecycleError):
        _open(service, principal_for("sam"), signed, APPROVER, "supervisor")


def test_a_report_is_signed_by_whom_it_names(service: Service) -> None:
    """An author signature of somebody whom the report does not name is refused."""
    draft = write_demo_report(service.context, service.world, "anna", 0)  # names Anna Meier
    with pytest.raises(LifecycleError):
        _open(service, principal_for("sam"), draft, AUTHOR, "supervisor")


def _draft_by(service: Service, name: str) -> Document:
    template = load_template("ct-chest")
    return write_report(
        service.context,
        principal_for("anna"),
        study_instance_uid=service.world.studies[0],
        values={**tomllib.loads(template.example), "observer_name": name},
        template="ct-chest",
    )


@pytest.mark.parametrize("alias", ["Meier-Schulz^Anna", "MEIER-SCHULZ^ANNA"])
def test_an_alias_is_the_person(service: Service, alias: str) -> None:
    """A name that a user also goes by in reports is hers."""
    with service.context.database.write() as connection:
        change_user(connection, "anna", {"aliases": [alias]})
    draft = _draft_by(service, "Meier-Schulz^Anna")
    assert _open(service, principal_for("anna"), draft, AUTHOR, "author").items


@pytest.mark.parametrize("alias", ["Meier*", "?eier-Schulz^Anna", "[M]eier-Schulz^Anna", ""])
def test_an_alias_is_no_pattern(service: Service, alias: str) -> None:
    """A name with a sign that stands for others elsewhere means itself."""
    with service.context.database.write() as connection:
        change_user(connection, "anna", {"aliases": [alias] if alias else []})
    draft = _draft_by(service, "Meier-Schulz^Anna")
    with pytest.raises(LifecycleError):
        _open(service, principal_for("anna"), draft, AUTHOR, "author")


def test_a_changed_person_is_seen_at_once(service: Service) -> None:
    """An alias that is taken off is nobody's from then on, whatever was asked before."""
    draft = _draft_by(service, "Meier-Schulz^Anna")
    with service.context.database.write() as connection:
        change_user(connection, "anna", {"aliases": ["Meier-Schulz^Anna"]})
    assert _open(service, principal_for("anna"), draft, AUTHOR, "author").items
    with service.context.database.write() as connection:
        change_user(connection, "anna", {"aliases": []})
    with pytest.raises(LifecycleError):
        _open(service, principal_for("anna"), draft, AUTHOR, "author")


def test_a_withdrawn_certificate_stays_its_persons(service: Service) -> None:
    """What was signed with a certificate that was withdrawn since is still by the same person."""
    before = {each.person: each.certificates for each in identity_here(service.context).persons}
    with service.context.database.write() as connection:
        connection.execute(update(credentials).values(revoked_at=service.clock()))
        user = get_user(connection, "anna")
    after = {each.person: each.certificates for each in identity_here(service.context).persons}
    assert after == before
    assert user.person == "anna"
    draft = write_demo_report(service.context, service.world, "anna", 0)
    with pytest.raises(AccessError):
        _open(service, principal_for("anna"), draft, AUTHOR, "author")
