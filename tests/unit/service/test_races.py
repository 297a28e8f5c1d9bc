"""Many who sign the same at once: there is one signature, and never one by the wrong person."""

from __future__ import annotations

import pytest

from tests.support.races import DONE, approvals, completions, same_signature, signatures_on
from tests.support.service import Service, open_service

SIGNED, APPROVED = ("1", "anna"), ("5", "sam")


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Service:
    """Return a service of this module."""
    return open_service(tmp_path_factory.mktemp("service"))


def test_same_signature_wanted_twenty_times(service: Service) -> None:
    """Twenty at once who sign one draft make one signature; the others are told of a conflict."""
    document, outcomes = same_signature(service, 20)
    assert signatures_on(service, document) == [SIGNED]
    assert outcomes[DONE] == 1
    assert set(outcomes) <= {DONE, "conflict"}


def test_session_completed_twenty_times(service: Service) -> None:
    """Twenty at once who complete one session get one answer, and there is one signature."""
    document, answers, outcomes = completions(service, 20)
    assert signatures_on(service, document) == [SIGNED]
    assert outcomes == {DONE: 20}
    assert len(answers) == 1


def test_author_and_supervisor_approve_at_once(service: Service) -> None:
    """Of fifty approvals by author and supervisor one succeeds, the supervisor's."""
    document, outcomes = approvals(service, 50)
    assert sorted(signatures_on(service, document)) == [SIGNED, APPROVED]
    assert outcomes[DONE] == 1
    assert set(outcomes) <= {DONE, "conflict", "lifecycle"}
