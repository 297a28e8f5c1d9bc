"""What browsers are told when something is refused: a page with the same status."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from httpx2 import Response

from sr.service.operation.demonstration import write_demo_report
from sr.web.application import create_application
from sr.web.guard.rules import HTTPRules
from sr.web.operations import PROBLEM_MEDIA_TYPE
from tests.support.html import forbidden, parse
from tests.support.service import Service, open_service

PAGE = {"Accept": "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"}
SCRIPT = {"Accept": "*/*", "HX-Request": "true"}
OTHER_SITE = {"Origin": "https://elsewhere.test"}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Service:
    """Return a service of this module with a report in it."""
    service = open_service(tmp_path_factory.mktemp("service"), slices=1)
    write_demo_report(service.context, service.world, "anna", 0)
    return service


def _unknown_login(service: Service, headers: dict[str, str]) -> Response:
    return service.browser().post("/login", data={"login": "nobody"}, headers=headers)


def _callback(service: Service, headers: dict[str, str]) -> Response:
    return service.browser().get("/login/callback?state=x&code=y", headers=headers)


def _other_site(service: Service, headers: dict[str, str]) -> Response:
    said = {**headers, **OTHER_SITE}
    return service.browser().post("/login", data={"login": "anna"}, headers=said)


def _no_field(service: Service, headers: dict[str, str]) -> Response:
    return service.browser().post("/login", headers=headers)


def _unknown_address(service: Service, headers: dict[str, str]) -> Response:
    return service.browser("anna").get("/nothing-here", headers=headers)


def _ruled(rules: HTTPRules, times: int) -> Callable[[Service, dict[str, str]], Response]:
    def call(service: Service, headers: dict[str, str]) -> Response:
        browser = service.browser()
        browser.app = create_application(service.context, rules)
        browser._transport.app = browser.app
        answers = [browser.get("/login", headers=headers) for _ in range(times)]
        return answers[-1]

    return call


def _fault(service: Service, headers: dict[str, str]) -> Response:
    browser = service.browser("anna")
    broken = replace(service.context, material=None)  # type: ignore[arg-type]
    browser.app = create_application(broken)
    browser._transport.app = browser.app
    return browser.get("/trust", headers=headers)


REFUSED: dict[str, tuple[int, Callable[[Service, dict[str, str]], Response]]] = {
    "a login of nobody": (401, _unknown_login),
    "a login from another site": (403, _other_site),
    "a login without a name": (422, _no_field),
    "a provider that was not asked": (422, _callback),
    "an unknown address": (404, _unknown_address),
    "a fault of ours": (500, _fault),
    "too many requests": (429, _ruled(HTTPRules(requests_per_minute=1), 3)),
}


@pytest.mark.parametrize("what", REFUSED)
def test_a_browser_gets_a_page(service: Service, what: str) -> None:
    """A browser is told in words, with the status that a program gets, and loads nothing else."""
    status, call = REFUSED[what]
    answer = call(service, PAGE)
    assert answer.status_code == status
    assert answer.headers["content-type"].startswith("text/html")
    page = parse(answer.text)
    assert page.one("section", role="alert").one("h1").text
    assert not forbidden(page)
    assert "Müller" not in answer.text
    assert answer.headers["content-length"] == str(len(answer.content))
    assert ("retry-after" in answer.headers) == (status == 429)


@pytest.mark.parametrize("what", REFUSED)
def test_a_script_of_a_page_gets_a_dialog(service: Service, what: str) -> None:
    """What a page shows in itself leaves the page as it is: a dialog that can be closed."""
    status, call = REFUSED[what]
    answer = call(service, SCRIPT)
    assert answer.status_code == status
    dialog = parse(answer.text).one("dialog", id="failed")
    assert dialog.one("form", method="dialog").one("button").text
    assert not forbidden(dialog)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_end_of_a_session(service: Service, method: str) -> None:
    """Who only looks is sent to log in and back; who wrote is told, and loses nothing."""
    page = "/reports/new?study=1.2.3&template=ct-chest"
    headers = {**SCRIPT, "HX-Current-URL": f"http://srsign.test{page}"}
    answer = service.browser().request(method, page, headers=headers, follow_redirects=False)
    if method == "GET":
        assert answer.headers["hx-redirect"] == "/login?next=/reports/new"
    else:
        assert answer.status_code == 401
        assert "hx-redirect" not in answer.headers
        dialog = parse(answer.text).one("dialog", id="failed")
        assert dialog.one("a", href="/login").attributes["target"] == "_blank"


def test_the_end_of_a_session_without_script(service: Service) -> None:
    """A form leads back to the page that it stood on, for its own address only takes forms."""
    headers = {"Referer": "http://srsign.test/reports/1.2.3"}
    sent = service.browser().post("/reports/1.2.3/sign", headers=headers, follow_redirects=False)
    assert (sent.status_code, sent.headers["location"]) == (303, "/login?next=/reports/1.2.3")
    sent = service.browser().post("/reports/1.2.3/sign", follow_redirects=False)
    assert sent.headers["location"] == "/login?next=/"


def test_a_refusal_on_a_report_leads_back_to_it(service: Service) -> None:
    """Who is refused below a report finds the way back to it, and no other way."""
    answer = service.browser("anna").get("/reports/1.2.3/edit", headers=PAGE)
    assert parse(answer.text).one("section", role="alert").one("a", href="/reports/1.2.3")
    answer = service.browser("anna").get("/reports/1.2.3", headers=PAGE)
    assert parse(answer.text).one("section", role="alert").one("a", href="/")


@pytest.mark.parametrize("what", REFUSED)
def test_a_program_gets_a_problem(service: Service, what: str) -> None:
    """Whoever does not ask for a page gets the problem."""
    status, call = REFUSED[what]
    answer = call(service, {"Accept": "*/*"})
    assert (answer.status_code, answer.headers["content-type"]) == (status, PROBLEM_MEDIA_TYPE)


def test_the_api_has_no_pages(service: Service) -> None:
    """Under the address of the API a browser too gets a problem."""
    answer = service.browser("anna").get("/api/v1/reports/1.2.3", headers=PAGE)
    assert answer.headers["content-type"] == PROBLEM_MEDIA_TYPE


@pytest.mark.parametrize(
    ("login", "method", "path", "data", "status"),
    [
        ("anna", "GET", "/audit", None, 403),
        ("anna", "GET", "/reports/1.2.3", None, 404),
        ("anna", "POST", "/reports/{uid}/sign", {"if_match": "0" * 64, "purpose": "1"}, 409),
    ],
)
def test_a_refusal_on_a_page_names_no_patient(
    service: Service, login: str, method: str, path: str, data: dict[str, str] | None, status: int
) -> None:
    """Pages that refuse have the status, and nobody's name."""
    draft = write_demo_report(service.context, service.world, "anna", 0)
    address = path.format(uid=draft.sop_instance_uid)
    answer = service.browser(login).request(method, address, data=data, headers=PAGE)
    assert answer.status_code == status
    assert parse(answer.text).one("section", role="alert")
    for part in (*draft.patient_name.split("^"), draft.patient_id):
        assert part not in answer.text
