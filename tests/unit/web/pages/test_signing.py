"""Signing and approving on pages."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response

from sr.service.access import Role
from sr.service.operation.demonstration import principal_for, write_demo_report
from sr.service.reading.documents import open_document
from sr.store.documents import Document, DocumentState
from sr.web.application import create_application
from tests.support.html import Element, forbidden, parse
from tests.support.service import Service, open_service

AUTHOR, APPROVAL = "1", "5"
SCRIPTED = {"HX-Request": "true"}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Service:
    """Return a service of this module."""
    return open_service(tmp_path_factory.mktemp("service"))


def _draft(service: Service) -> Document:
    return write_demo_report(service.context, service.world, "anna", 0)


def _now(service: Service, document: Document) -> Document:
    return open_document(service.context, principal_for("anna"), document.sop_instance_uid)[0]


def _begin(client: TestClient, document: Document, purpose: str, **more: object) -> Response:
    return client.post(
        f"/reports/{document.sop_instance_uid}/sign",
        data={"if_match": document.sha256, "purpose": purpose},
        **more,
    )


def _signed(service: Service) -> Document:
    client, draft = service.client("anna"), _draft(service)
    assert client.post(f"{_begin(client, draft, AUTHOR).url}/sign").status_code == 200
    return _now(service, draft)


def _facts(page: Element) -> dict[str, str]:
    rows = page.one("dl", class_="facts").children
    return {row.one("dt").text: row.one("dd").text for row in rows}


def test_author_signs_and_supervisor_approves_without_script(service: Service) -> None:
    """By forms alone a draft becomes signed, and the signed report approved."""
    signed = _signed(service)
    assert signed.state is DocumentState.SIGNED
    client = service.client("sam")
    answer = client.post(f"{_begin(client, signed, APPROVAL).url}/sign")
    uid = str(answer.url).rpartition("/")[2]
    approved = open_document(service.context, principal_for("sam"), uid)[0]
    assert (approved.state, approved.indication) == (DocumentState.APPROVED, "PASSED")


def test_what_is_signed_is_said(service: Service) -> None:
    """Patient, title, purpose, signer, coverage, digest and match code are on the page."""
    client = service.client("anna")
    answer = _begin(client, _draft(service), AUTHOR)
    page = parse(answer.text)
    session = client.get(f"/api/v1/signing-sessions/{str(answer.url).rpartition('/')[2]}")
    facts = _facts(page)
    assert facts.keys() == {"Patient", "Document", "As", "Signer", "Covered", "Digest"}
    assert "(0040,A493) VerificationFlag" in facts["Covered"].partition("Not covered")[2]
    assert page.one("p", class_="code-box").one("strong").text
    if session.status_code == 200:
        assert session.json()["match_code"] == page.one("p", class_="code-box").one("strong").text
    assert not forbidden(page)


def test_the_focus_is_on_cancel(service: Service) -> None:
    """What a hasty Enter presses is Cancel, on the page and in the dialog."""
    client, draft = service.client("anna"), _draft(service)
    for headers in ({}, SCRIPTED):
        page = parse(_begin(client, draft, AUTHOR, headers=headers).text).one(id="signing")
        focused = [each for each in page.walk() if "autofocus" in each.attributes]
        assert [each.text for each in focused] == ["Cancel"]
        assert page.tag == ("dialog" if headers else "section")


def test_cancel_signs_nothing(service: Service) -> None:
    """After Cancel the draft is a draft, and the session signs no more."""
    client, draft = service.client("anna"), _draft(service)
    session = _begin(client, draft, AUTHOR).url
    assert client.post(f"{session}/cancel").status_code == 200
    assert client.post(f"{session}/sign").status_code == 410
    assert _now(service, draft).state is DocumentState.DRAFT
    assert "Nothing was signed" in client.get(session).text


def test_an_approval_says_what_it_changes(service: Service) -> None:
    """The table of changes has what approving changes, and nothing of the content."""
    client = service.client("sam")
    page = parse(_begin(client, _signed(service), APPROVAL).text)
    changed = {row.words[0] for row in page.one("table", class_="changes").all("th", scope="row")}
    assert {"SOPInstanceUID", "VerificationFlag", "VerifyingObserverSequence"} <= changed
    assert not changed & {"ContentSequence", "PatientName", "PatientID", "ConceptNameCodeSequence"}


@pytest.mark.parametrize(
    ("login", "purpose", "status"),
    [
        ("anna", APPROVAL, 403),
        ("archive", AUTHOR, 403),
        ("olga", AUTHOR, 403),
        ("anna", "99", 422),
        ("anna", "author", 422),
    ],
)
def test_others_do_not_sign(service: Service, login: str, purpose: str, status: int) -> None:
    """Who has not the role, or names no purpose of the list, opens no session."""
    assert _begin(service.client(login), _draft(service), purpose).status_code == status


def test_nobody_approves_his_own(service: Service) -> None:
    """Sam, who may write and approve, does not approve what he wrote and signed himself."""
    client = service.client("sam")
    draft = write_demo_report(service.context, service.world, "sam", 0)
    client.post(f"{_begin(client, draft, AUTHOR).url}/sign")
    signed = _now(service, draft)
    assert _begin(client, signed, APPROVAL).status_code == 409


def test_what_changed_meanwhile_is_not_signed(service: Service) -> None:
    """A page that shows an older state of the report leads to a conflict."""
    draft = _draft(service)
    stale = replace(draft, sha256="0" * 64)
    assert _begin(service.client("anna"), stale, AUTHOR).status_code == 409


def test_the_session_of_another_is_unknown(service: Service) -> None:
    """Nobody sees, signs, cancels or watches the session of somebody else."""
    session = _begin(service.client("anna"), _draft(service), AUTHOR).url
    other = service.client("sam")
    assert other.get(session).status_code == 404
    assert other.get(f"{session}/progress").status_code == 404
    for way in ("sign", "cancel"):
        assert other.post(f"{session}/{way}").status_code == 404


def test_a_page_that_waits_is_told_when_to_go(service: Service) -> None:
    """While a session is open there is nothing to tell; afterwards, where the result is."""
    client, draft = service.client("anna"), _draft(service)
    session = _begin(client, draft, AUTHOR).url
    assert "hx-redirect" not in client.get(f"{session}/progress").headers
    client.post(f"{session}/sign")
    there = client.get(f"{session}/progress").headers["hx-redirect"]
    assert there == f"/reports/{draft.sop_instance_uid}"


def test_without_a_key_here_one_continues_elsewhere(service: Service) -> None:
    """Where the server has no key, the page shows the match code and waits, and offers no key."""
    context = replace(service.context, server_signers=frozenset({Role.SEALER}))
    client = TestClient(create_application(context), base_url="http://srsign.test")
    client.headers = service.client("anna").headers
    answer = _begin(client, _draft(service), AUTHOR)
    page = parse(answer.text)
    assert page.one(id="waiting").attributes["hx-trigger"] == "every 2s"
    assert not page.all("form", action=f"{answer.url.path}/sign")
    assert client.post(f"{answer.url}/sign").status_code == 403


def test_a_session_that_is_over_says_so(service: Service) -> None:
    """After its time a session signs nothing, and its page says it."""
    client, draft = service.client("anna"), _draft(service)
    session = _begin(client, draft, AUTHOR).url
    service.clock.forward(timedelta(hours=1))
    assert client.post(f"{session}/sign").status_code == 410
    assert "Nothing was signed" in client.get(session).text


def test_a_session_that_was_completed_says_what_came_of_it(service: Service) -> None:
    """Who looks again at what was signed is told of the verdict, and led to the report."""
    client, draft = service.client("anna"), _draft(service)
    session = _begin(client, draft, AUTHOR).url
    assert client.post(f"{session}/sign").status_code == 200
    answer = client.get(session)
    outcome = parse(answer.text).one("div", id="outcome")
    assert answer.status_code == 200
    assert "PASSED" in outcome.text
    assert outcome.one("a").attributes["href"] == f"/reports/{draft.sop_instance_uid}"


def test_a_report_is_returned_with_a_comment(service: Service) -> None:
    """The author sees what a supervisor wants changed, as it was written."""
    signed = _signed(service)
    words = "<b>Which lobe?</b>\nPlease say."
    answer = service.client("sam").post(
        f"/reports/{signed.sop_instance_uid}/return",
        data={"if_match": signed.sha256, "comment": words},
    )
    assert answer.status_code == 200
    page = parse(service.client("anna").get(f"/reports/{signed.sop_instance_uid}").text)
    assert page.one("ul", class_="remarks").one("bdi").words == [words]
    assert _now(service, signed).state is DocumentState.RETURNED


@pytest.mark.parametrize(
    ("login", "comment", "status"),
    [("anna", "no", 403), ("sam", "", 422), ("sam", "x" * 4001, 422)],
)
def test_other_returns_are_refused(service: Service, login: str, comment: str, status: int) -> None:
    """An author returns nothing, and nobody without saying why."""
    signed = _signed(service)
    answer = service.client(login).post(
        f"/reports/{signed.sop_instance_uid}/return",
        data={"if_match": signed.sha256, "comment": comment},
    )
    assert answer.status_code == status
    assert _now(service, signed).state is DocumentState.SIGNED
