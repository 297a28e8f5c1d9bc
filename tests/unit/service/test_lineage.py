"""One approved version of a report at a time."""

from __future__ import annotations

import tomllib

import pytest

from sr.codes import SignaturePurpose
from sr.document.template import load_template
from sr.errors import ConflictError
from sr.service.demonstration import principal_for
from sr.service.reports import amend_report
from sr.store.documents import Document, DocumentState
from tests.support.service import Service, open_service
from tests.support.signing import draft, now, sign

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


def test_another_report_of_the_study_is_left_alone(service: Service, approved: Document) -> None:
    """Reports that do not go back to the same first one supersede nothing of each other."""
    sign(service, sign(service, draft(service)), "sam", VERIFICATION)
    assert now(service, approved).state is DocumentState.APPROVED
