"""One approved version of a report at a time."""

from __future__ import annotations

import tomllib

import pytest

from sr.codes import SignaturePurpose
from sr.document.template import load_template
from sr.errors import ConflictError
from sr.service.authoring.reports import amend_report
from sr.service.operation.demonstration import principal_for
from sr.service.signing.server_signing import sign_with_server_key
from sr.store.documents import Document, DocumentState
from tests.support.service import Service, open_service
from tests.support.signing import draft, now, opened, sign

VERIFICATION = SignaturePurpose.VERIFICATION


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Service:
    """Return a service of this module."""
    return open_service(tmp_path_factory.mktemp("service"))


@pytest.fixture
def approved(service: Service) -> Document:
    """Return a report that was approved."""
    return sign(service, sign(service, draft(service)), "sam", VERIFICATION)


def _amended(service: Service, document: Document) -> Document:
    """Return the next version of a report, signed by its author."""
    return sign(
        service,
        amend_report(
            service.context,
            principal_for("anna"),
            document.sop_instance_uid,
            if_match=now(service, document).sha256,
            values=tomllib.loads(load_template("ct-chest").example),
            template="ct-chest",
        ),
    )


def test_an_approved_version_stands_until_the_next_is_approved(
    service: Service, approved: Document
) -> None:
    """The approval of the next version supersedes the one before, and nothing does sooner."""
    following = _amended(service, approved)
    assert now(service, approved).state is DocumentState.APPROVED
    sign(service, following, "sam", VERIFICATION)
    assert now(service, approved).state is DocumentState.SUPERSEDED


def test_of_two_next_versions_one_is_approved(service: Service, approved: Document) -> None:
    """Where another next version was approved meanwhile, the second is not."""
    first, second = _amended(service, approved), _amended(service, approved)
    sign(service, first, "sam", VERIFICATION)
    with pytest.raises(ConflictError):
        sign(service, second, "sam", VERIFICATION)
    assert now(service, second).state is DocumentState.SIGNED


def test_two_next_versions_in_one_session(service: Service, approved: Document) -> None:
    """Two next versions that one session would approve are both not."""
    both = _amended(service, approved), _amended(service, approved)
    session = opened(service, *both, login="sam", purpose=VERIFICATION)
    with pytest.raises(ConflictError):
        sign_with_server_key(service.context, principal_for("sam"), session.session.id)
    assert {now(service, each).state for each in both} == {DocumentState.SIGNED}
    assert now(service, approved).state is DocumentState.APPROVED


def test_one_changed_document_of_a_stack(service: Service) -> None:
    """Where one document of a session is signed elsewhere meanwhile, none of the others is."""
    changed, others = draft(service), [draft(service), draft(service)]
    session = opened(service, others[0], changed, others[1])
    sign(service, changed)
    with pytest.raises(ConflictError):
        sign_with_server_key(service.context, principal_for("anna"), session.session.id)
    assert {now(service, each).state for each in others} == {DocumentState.DRAFT}


def test_another_report_of_the_study_is_left_alone(service: Service, approved: Document) -> None:
    """Reports that do not go back to the same first one supersede nothing of each other."""
    sign(service, sign(service, draft(service)), "sam", VERIFICATION)
    assert now(service, approved).state is DocumentState.APPROVED
