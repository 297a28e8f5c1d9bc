"""The page of a report."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sr.app.checks.answers import AnswerState, answers
from sr.codes import SignaturePurpose
from sr.service.operation.demonstration import principal_for, sign_here, write_demo_report
from sr.service.reading.documents import open_document
from sr.store.documents import Document
from sr.verification import Verdict
from tests.support.html import Element, forbidden, parse
from tests.support.service import Service, open_service


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Service:
    """Return a service of this module."""
    return open_service(tmp_path_factory.mktemp("service"))


@pytest.fixture(scope="module")
def draft(service: Service) -> Document:
    """Return a draft of Anna's."""
    return write_demo_report(service.context, service.world, "anna", 0)


@pytest.fixture(scope="module")
def signed(service: Service) -> Document:
    """Return a report that Anna signed."""
    document = write_demo_report(service.context, service.world, "anna", 0)
    sign_here(service.context, service.world, "anna", document, SignaturePurpose.AUTHOR)
    found, _ = open_document(service.context, principal_for("anna"), document.sop_instance_uid)
    return found


def _page(service: Service, login: str, document: Document) -> Element:
    answer = service.client(login).get(f"/reports/{document.sop_instance_uid}")
    assert answer.status_code == 200, answer.text
    return parse(answer.text)


def _answers(page: Element) -> list[str]:
    return [dd.one("span", class_="mark").text for dd in page.one("dl", class_="answers").all("dd")]


def _ways(page: Element) -> set[str]:
    """Return what the page offers to do, as the last part of addresses."""
    found = [each.attributes.get("action", "") for each in page.all("form")]
    found += [each.attributes.get("href", "") for each in page.all("a")]
    ways = {address.rpartition("/")[2] for address in found if address.startswith("/reports/2")}
    return ways & {"sign", "return", "edit", "amend", "file"}


def test_the_four_questions_have_answers(service: Service, signed: Document) -> None:
    """A signed report: unchanged and signed yes, time only claimed, images not compared."""
    assert _answers(_page(service, "sam", signed)) == ["yes", "yes", "unknown", "not asked"]


def test_of_a_draft_nothing_is_known(service: Service, draft: Document) -> None:
    """What nobody signed answers no question."""
    assert set(_answers(_page(service, "anna", draft))) == {"not asked"}


def test_uncovered_content_is_marked(service: Service, signed: Document) -> None:
    """What no valid signature covers is marked where it stands, and only that."""
    marked = _page(service, "anna", signed).one("article").all("div", class_="uncovered")
    assert {each.one("dt").text for each in marked} == {"Stage", "Approval", "Instance"}
    assert all(each.one("span", class_="badge") for each in marked)


@pytest.mark.parametrize(
    ("login", "which", "ways"),
    [
        ("anna", "draft", {"sign", "edit", "file"}),
        ("sam", "draft", {"file"}),
        ("archive", "draft", {"file"}),
        ("anna", "signed", {"amend", "file"}),
        ("sam", "signed", {"sign", "return", "amend", "file"}),
        ("archive", "signed", {"file"}),
    ],
)
def test_only_allowed_actions_are_offered(
    service: Service,
    login: str,
    which: str,
    ways: set[str],
    request: pytest.FixtureRequest,
) -> None:
    """A person is offered what role, ownership and state allow, and nothing else."""
    assert _ways(_page(service, login, request.getfixturevalue(which))) == ways


def test_the_page_obeys_its_policy(service: Service, signed: Document) -> None:
    """No script, no style and no foreign address is in the page."""
    assert not forbidden(_page(service, "sam", signed))


def test_the_file_is_that_of_the_store(service: Service, signed: Document) -> None:
    """What is downloaded is what was signed, byte for byte."""
    answer = service.client("anna").get(f"/reports/{signed.sop_instance_uid}/file")
    _, version = open_document(service.context, principal_for("anna"), signed.sop_instance_uid)
    assert answer.content == version.content
    assert signed.sop_instance_uid in answer.headers["content-disposition"]


@pytest.mark.parametrize("tail", ["1.2.3", "1.2.3/file", "none", "1..2"])
def test_what_is_not_there_is_a_page(service: Service, tail: str) -> None:
    """An unknown report is a page that says so, with nothing of the address in it."""
    answer = service.client("anna").get(f"/reports/{tail}")
    assert answer.status_code in (404, 422)
    assert tail not in parse(answer.text).one("main").text.split()


@pytest.mark.parametrize("login", ["olga", "ida", "root"])
def test_others_see_no_report(service: Service, signed: Document, login: str) -> None:
    """Who reads no documents is refused, on a page."""
    answer = service.client(login).get(f"/reports/{signed.sop_instance_uid}")
    assert answer.status_code == 403
    assert signed.title not in answer.text


def test_an_altered_report_says_no(service: Service, signed: Document) -> None:
    """One byte of the content changed: the first question is answered with no."""
    from sr.service.checking.verdicts import verdict_on

    _, version = open_document(service.context, principal_for("anna"), signed.sop_instance_uid)
    altered = version.content.replace(b"granuloma", b"carcinoma")
    verdict = verdict_on(service.context, altered, "x")
    assert [a.state for a in answers(verdict)][:2] == [AnswerState.NO, AnswerState.NO]


def test_unproven_signers_are_unknown(service: Service, signed: Document) -> None:
    """A signer whom no trust anchor vouches for is not a yes."""
    from sr.service.checking.verdicts import verdict_on
    from sr.trust import TrustMaterial

    context = replace(service.context, material=TrustMaterial)
    _, version = open_document(service.context, principal_for("anna"), signed.sop_instance_uid)
    verdict: Verdict = verdict_on(context, version.content, "x")
    assert [a.state for a in answers(verdict)][:2] == [AnswerState.YES, AnswerState.UNKNOWN]


def test_a_printable_page_is_led_to(service: Service, signed: Document) -> None:
    """The page leads to the rendition of the same document."""
    page = _page(service, "sam", signed)
    link = next(a for a in page.all("a") if a.attributes["href"].endswith("/rendered"))
    answer = service.client("sam").get(link.attributes["href"])
    assert answer.status_code == 200
    assert signed.title in answer.text


def test_cited_images_are_compared_on_demand(service: Service, signed: Document) -> None:
    """Asked to, the page compares the images of the evidence folders, and can answer then."""
    answer = service.client("sam").get(f"/reports/{signed.sop_instance_uid}?images=yes")
    page = parse(answer.text)
    assert _answers(page)[-1] == "yes"
    assert not [a for a in page.all("a") if "images=" in a.attributes["href"]]


@pytest.mark.parametrize(
    ("login", "back"), [("anna", "mine"), ("sam", "to-approve"), ("archive", "signed")]
)
def test_a_report_leads_back_to_the_list(
    service: Service, signed: Document, login: str, back: str
) -> None:
    """Who works through a stack goes on with the list that the report was in for them."""
    page = _page(service, login, signed)
    assert page.one("nav", aria_label="Back").one("a").attributes["href"] == f"/?list={back}"


def test_nobody_seems_to_have_approved(service: Service, signed: Document) -> None:
    """Beside the state stands who wrote the report, which nobody can read as who approved it."""
    approval = SignaturePurpose.VERIFICATION
    sign_here(service.context, service.world, "sam", signed, approval)
    client = service.client("sam")
    row = parse(client.get("/?list=signed").text).one("tbody").all("a")[0]
    page = parse(client.get(row.attributes["href"]).text)
    assert page.one("p", class_="stand").one("span", class_="faint").text.startswith("written by")
    purposes = [each.text for each in page.one("ol", class_="signatures").all("strong")]
    assert [each.partition(" ")[0] for each in purposes] == ["Author's", "Approval"]
