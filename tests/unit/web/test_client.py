"""The Python client, over the application itself and over a real server."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from typing import Any

import pytest

from sr.codes import SignaturePurpose
from sr.errors import (
    AuthenticationError,
    ExternalServiceError,
    LifecycleError,
    NotDICOMError,
    NotFoundError,
    PreconditionError,
    SignerRefusedError,
    TemplateError,
)
from sr.net.client import Client, Session
from sr.net.service_requests import HTTP, Answer
from sr.service.operation.job_kinds import HANDLERS
from sr.service.operation.jobs import run_next
from tests.support.api import VALUES, served
from tests.support.service import Service, open_service


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Service:
    """Return a service of this module."""
    return open_service(tmp_path_factory.mktemp("client"))


def _client(service: Service, login: str) -> Client:
    return Client("", http=service.client(login), wait=lambda _seconds: None)


def _story(service: Service, anna: Client, sam: Client) -> None:
    """Write, sign, approve."""
    draft = anna.write_report(service.world.studies[0], **VALUES)
    changed = anna.change_report(draft, **VALUES)
    with service.signer("author") as signer:
        (verdict,) = anna.sign([changed.sop_instance_uid], SignaturePurpose.AUTHOR, signer)
    assert verdict["indication"] == "PASSED"
    with service.signer("supervisor") as signer:
        uids = [changed.sop_instance_uid]
        (verdict,) = sam.sign(uids, SignaturePurpose.VERIFICATION, signer)
    assert verdict["indication"] == "PASSED"
    approved = sam.report(verdict["sop_instance_uid"])
    assert approved.state == "approved"
    assert anna.check(anna.file(approved.sop_instance_uid))["indication"] == "PASSED"


def test_a_report_is_written_signed_and_approved(service: Service) -> None:
    """The whole story through the client, with keys that are here."""
    _story(service, _client(service, "anna"), _client(service, "sam"))


def test_it_works_over_a_real_server(service: Service) -> None:
    """The same over TCP, as programs do it."""
    keys = {
        login: service.client(login).headers["authorization"].partition(" ")[2]
        for login in ("anna", "sam")
    }
    with (
        served(service) as url,
        Client(url, token=keys["anna"]) as anna,
        Client(url, token=keys["sam"]) as sam,
        Client(url) as nobody,
    ):
        _story(service, anna, sam)
        with pytest.raises(AuthenticationError):
            nobody.studies()


def test_who_does_not_answer_is_an_external_service() -> None:
    """No server is an error of ours."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with Client(f"http://127.0.0.1:{port}") as client, pytest.raises(ExternalServiceError):
        client.studies()


def test_seals_lists_and_sets(service: Service) -> None:
    """A seal is asked for, waited for, and checked with what it cites."""
    archive = _client(service, "archive")
    job = archive.seal(service.world.studies[0])
    run_next(service.context, HANDLERS)
    done = archive.wait_for(job)
    assert (done.state, done.done) == ("done", 2)
    assert any(each["purpose"] == "14" for each in archive.signatures(limit=1))
    assert len(list(archive.reports(limit=1))) > 0
    images = [(p.name, p.read_bytes()) for p in service.world.evidence.rglob("*.dcm")]
    assert archive.check_set(images)["counts"]["not-dicom"] == 0


@dataclass(frozen=True)
class _Lying:
    """A service whose streams are others than what it wants signed."""

    http: HTTP
    what: str

    def request(self, method: str, url: str, **more: Any) -> Answer:
        """Return another stream, or another code."""
        answer = self.http.request(method, url, **more)
        if self.what == "stream" and url.endswith("/stream"):
            return _Changed(answer, content=answer.content + b"x")
        if self.what in ("match_code", "digest") and url.endswith("/signing-sessions"):
            body = answer.json()
            if self.what == "match_code":
                body["match_code"] = "AAAA-AAAA"
            else:
                body["items"][0]["digest"] = "00" * 32
            return _Changed(answer, body=body)
        return answer

    def close(self) -> None:
        """Do nothing."""


class _Changed:
    def __init__(self, answer: Answer, *, content: bytes = b"", body: Any = None) -> None:
        self.status_code, self.headers = answer.status_code, answer.headers
        self.content, self._body = content, body

    def json(self) -> Any:
        """Return the changed body."""
        return self._body


@pytest.mark.parametrize("what", ["stream", "match_code", "digest"])
def test_nothing_is_signed_that_was_not_hashed_here(service: Service, what: str) -> None:
    """Another stream, digest or code than the bytes have stops before the key."""
    anna = _client(service, "anna")
    draft = anna.write_report(service.world.studies[0], **VALUES)
    liar = Client("", http=_Lying(service.client("anna"), what))
    with service.signer("author") as signer, pytest.raises(SignerRefusedError):
        liar.sign([draft.sop_instance_uid], SignaturePurpose.AUTHOR, signer)
    assert anna.report(draft.sop_instance_uid).state == "draft"


def test_nothing_is_signed_that_nobody_confirms(service: Service) -> None:
    """Whoever is shown the session may give it up; it is void then."""
    anna = _client(service, "anna")
    draft = anna.write_report(service.world.studies[0], **VALUES)
    shown: list[Session] = []

    def refuse(session: Session) -> bool:
        shown.append(session)
        return False

    with service.signer("author") as signer, pytest.raises(SignerRefusedError):
        anna.sign([draft.sop_instance_uid], SignaturePurpose.AUTHOR, signer, confirm=refuse)
    assert shown[0].items[0].display["patient_name"] == draft.patient_name
    assert anna.report(draft.sop_instance_uid).state == "draft"


def test_problems_are_errors_of_ours(service: Service) -> None:
    """Each problem comes out as the class that the service raised."""
    anna, sam = _client(service, "anna"), _client(service, "sam")
    draft = anna.write_report(service.world.studies[0], **VALUES)
    anna.change_report(draft, **VALUES)
    with pytest.raises(PreconditionError):
        anna.change_report(draft, **VALUES)
    with pytest.raises(NotFoundError):
        anna.report("2.25.404")
    with pytest.raises(TemplateError):
        anna.write_report(service.world.studies[0], template="no-such", values={})
    with pytest.raises(NotDICOMError):
        anna.check(b"no")
    with pytest.raises(LifecycleError):
        sam.return_report(anna.report(draft.sop_instance_uid), "why")
    with pytest.raises(LifecycleError):
        anna.amend_report(anna.report(draft.sop_instance_uid), **VALUES)
