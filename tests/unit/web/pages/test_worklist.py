"""The worklist page."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from urllib.parse import parse_qs, urlsplit

import pytest

from sr.codes import SignaturePurpose
from sr.service.operation.demonstration import sign_here, write_demo_report
from sr.store.documents import DocumentState, add_document
from tests.support.html import Element, forbidden, parse
from tests.support.service import Service, open_service

HOSTILE = "<script>alert(1)</script>^\"Ann'"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Service:
    """Return a service with a draft, a signed report and one that failed its check."""
    made = open_service(tmp_path_factory.mktemp("service"))
    draft = write_demo_report(made.context, made.world, "anna", 0)
    signed = write_demo_report(made.context, made.world, "anna", 0)
    sign_here(made.context, made.world, "anna", signed, SignaturePurpose.AUTHOR)
    content = HOSTILE.encode()
    bad = replace(
        draft,
        sop_instance_uid="1.2.3",
        lineage="1.2.3",
        state=DocumentState.SIGNED,
        patient_name=HOSTILE,
        patient_id="<i>",
        title="<b>Report</b>",
        indication="FAILED",
        sha256=sha256(content).hexdigest(),
    )
    with made.context.database.write() as connection:
        add_document(connection, bad, content, signed=True, by="anna")
    return made


def _page(service: Service, login: str, path: str) -> Element:
    answer = service.client(login).get(path)
    assert answer.status_code == 200, answer.text
    return parse(answer.text)


def _titles(page: Element) -> list[str]:
    return [row.text for row in page.all("a") if "data-row" in row.attributes]


def test_four_lists_are_counted(service: Service) -> None:
    """Each tab says how long its list is; the chosen one is marked."""
    page = _page(service, "anna", "/")
    tabs = page.one("nav", class_="tabs").all("a")
    assert [tab.one(class_="count").text for tab in tabs] == ["3", "0", "2", "1"]
    assert [tab.attributes.get("aria-current") for tab in tabs] == ["page", None, None, None]


def test_a_supervisor_is_shown_what_others_signed(service: Service) -> None:
    """What waits for approval is what somebody else signed."""
    assert len(_titles(_page(service, "sam", "/?list=to-approve"))) == 2
    assert not _titles(_page(service, "anna", "/?list=to-approve"))


def test_each_state_has_word_icon_and_tone(service: Service) -> None:
    """No state is told by its colour alone."""
    marks = _page(service, "anna", "/").one("table").all("span", class_="mark")
    assert len(marks) == 6
    for mark in marks:
        assert mark.text
        assert mark.one("use").attributes["href"].startswith("/static/icons.svg#")
        assert len(mark.attributes["class"].split()) == 2


def test_hostile_names_stay_text(service: Service) -> None:
    """Markup in names and titles is shown as it is written, and nothing of it acts."""
    page = _page(service, "anna", "/?list=problems")
    assert _titles(page) == ["<b>Report</b>"]
    assert "<script>alert(1)</script>" in page.one("th", class_="patient", scope="row").text
    assert not page.one("main").all("b")
    assert not forbidden(page)


def test_a_planted_script_is_found() -> None:
    """What looks for forbidden parts finds scripts, styles, handlers and other sites."""
    bad = '<p style="x" onclick="y"><script>1</script><a href="https://x.test">a</a></p>'
    assert len(forbidden(parse(bad))) == 4


@pytest.mark.parametrize(
    ("asked", "count"),
    [
        ("state=draft", 1),
        ("title=chest", 2),
        ("title=%25", 0),
        ("since=2999-01-01", 0),
        ("until=2001-01-01", 0),
        ("until=9999-12-31", 3),
        ("since=2001-01-01&until=2999-01-01", 3),
        ("state=approved", 0),
        ("page=99", 3),
    ],
)
def test_filters_are_in_the_address(service: Service, asked: str, count: int) -> None:
    """State, title and days of the address restrict the list."""
    assert len(_titles(_page(service, "anna", f"/?list=mine&{asked}"))) == count


@pytest.mark.parametrize("asked", ["list=all", "page=0", "since=yesterday", "order=secret"])
def test_other_addresses_are_refused(service: Service, asked: str) -> None:
    """An address that makes no sense is a page that says so."""
    answer = service.client("anna").get(f"/?{asked}")
    assert answer.status_code == 422
    assert parse(answer.text).one("section", role="alert")


def test_a_patient_is_asked_for_in_the_body(service: Service) -> None:
    """Whom a filter is about is found, and is in no address of the answer."""
    client = service.client("anna")
    answer = client.post("/", data={"list": "mine", "patient": "script"})
    page = parse(answer.text)
    assert _titles(page) == ["<b>Report</b>"]
    assert "script" not in answer.headers["hx-push-url"]
    addresses = [each.attributes.get("href", "") for each in page.one("main").walk()]
    assert not any("patient" in address for address in addresses)


def test_a_filter_without_a_patient_gets_an_address(service: Service) -> None:
    """Without script a filter that names nobody leads to an address that can be kept."""
    answer = service.client("anna").post(
        "/", data={"list": "mine", "title": "chest", "patient": ""}, follow_redirects=False
    )
    assert answer.status_code == 303
    assert parse_qs(urlsplit(answer.headers["location"]).query) == {
        "list": ["mine"],
        "title": ["chest"],
    }


def test_nobody_is_sent_to_log_in(service: Service) -> None:
    """Who is not known sees the log-in page, and a script is told to go there."""
    client = service.client()
    answer = client.get("/", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/login?next=/")
    answer = client.get("/", headers={"HX-Request": "true"}, follow_redirects=False)
    assert answer.headers["hx-redirect"].startswith("/login")


@pytest.mark.parametrize(
    ("asked", "after"),
    [
        ("/reports/1.2.3", "/reports/1.2.3"),
        ("//elsewhere.test", "/"),
        ("https://elsewhere.test", "/"),
    ],
)
def test_a_log_in_leads_back(service: Service, asked: str, after: str) -> None:
    """The form leads to the page that was asked for, and never to another site."""
    page = parse(service.client().get("/login", params={"next": asked}).text)
    assert page.one("input", name="next").attributes["value"] == after


@pytest.mark.parametrize("login", ["olga", "root"])
def test_others_get_no_list(service: Service, login: str) -> None:
    """Who reads no documents gets no worklist, with a filter or without."""
    client = service.client(login)
    assert not _titles(parse(client.get("/").text))
    assert client.post("/", data={"patient": "x"}).status_code == 403


def test_an_empty_list_says_so(service: Service) -> None:
    """An empty list is not an empty table."""
    page = _page(service, "anna", "/?list=to-approve")
    assert page.one("section", class_="empty")
    assert not page.all("table")


def test_the_policy_forbids_scripts_of_others(service: Service) -> None:
    """Only files of this service are scripts and styles, and nothing keeps the page."""
    headers = service.client("anna").get("/").headers
    policy = dict(
        part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";")
    )
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == "'self'"
    assert headers["cache-control"] == "no-store"


@pytest.mark.parametrize("back", ["//evil.test/", "https://evil.test", "/\\evil.test"])
def test_the_theme_leads_to_no_other_site(service: Service, back: str) -> None:
    """After choosing a theme one is on a page of this service."""
    answer = service.client().post(
        "/theme", data={"theme": "dark", "back": back}, follow_redirects=False
    )
    assert answer.headers["location"] == "/"


def test_the_theme_is_kept(service: Service) -> None:
    """The theme that was chosen is that of the next page."""
    client = service.client("anna")
    client.post("/theme", data={"theme": "dark"})
    assert parse(client.get("/").text).one("html").attributes["data-theme"] == "dark"
    client.post("/theme", data={"theme": "auto"})
    assert "data-theme" not in parse(client.get("/").text).one("html").attributes


def test_limitations_are_said_in_the_list(service: Service) -> None:
    """A check that passed with limitations says so; one that did not pass has no such words."""
    rows = _page(service, "anna", "/").one("tbody").all("tr")
    said = [row.one("td", class_="check").text for row in rows]
    assert sorted(said) == ["failed", "not signed", "passed, with limitations"]
