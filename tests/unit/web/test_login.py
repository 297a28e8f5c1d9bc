"""Logging in with a browser, and what keeps a login from being used by others."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from hashlib import sha256

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select, update

from sr.store.schema import audit_events, users, web_sessions
from sr.web.application import create_application
from sr.web.guard.rules import HTTPRules
from sr.web.login import local_path
from tests.support.service import Service, open_service

HERE = "http://srsign.test"
COMMENT = "/api/v1/reports/1.2.3/return"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Service:
    """Return a service of this module."""
    return open_service(tmp_path_factory.mktemp("service"))


def _post(browser: TestClient, **headers: str) -> int:
    """Ask for something that changes a report, and return the status."""
    return browser.post(
        COMMENT, json={"comment": "no"}, headers={"If-Match": "x", **headers}
    ).status_code


def test_a_login_is_known_by_its_cookie(service: Service) -> None:
    """Whoever chose a person of the demonstration is that person from then on."""
    assert service.browser("anna").get("/api/v1/reports").status_code == 200


def test_without_a_login_nobody_is_known(service: Service) -> None:
    """A browser without cookie is refused."""
    assert service.browser().get("/api/v1/reports").status_code == 401


def test_the_cookie_is_out_of_reach(service: Service) -> None:
    """Scripts, other sites and subdomains get no hold of the cookie."""
    browser = service.browser()
    answer = browser.post("/login", data={"login": "anna"}, follow_redirects=False)
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert "domain=" not in cookie


def test_behind_https_the_cookie_is_bound_to_host_and_encryption(service: Service) -> None:
    """With an https address the cookie is Secure and its name says so."""
    rules = HTTPRules(url="https://sr.example.org")
    browser = TestClient(
        create_application(service.context, rules),
        base_url="https://sr.example.org",
        client=("127.0.0.1", 1),
    )
    browser.headers["Origin"] = "https://sr.example.org"
    answer = browser.post("/login", data={"login": "anna"}, follow_redirects=False)
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-")
    assert "; Secure" in cookie
    assert "Path=/;" in cookie
    assert browser.get("/api/v1/reports").status_code == 200


def test_the_store_does_not_hold_the_cookie(service: Service) -> None:
    """Only the digest of a cookie's value is kept."""
    browser = service.browser("anna")
    token = browser.cookies["srsign"]
    with service.context.database.read() as connection:
        kept = set(connection.execute(select(web_sessions.c.digest)).scalars())
    assert sha256(token.encode()).hexdigest() in kept
    assert token not in kept


def test_each_login_has_another_cookie(service: Service) -> None:
    """A value that was planted before a login is not the one after it."""
    browser = service.browser("anna")
    first = browser.cookies["srsign"]
    browser.post("/login", data={"login": "anna"}, follow_redirects=False)
    assert browser.cookies["srsign"] != first


def test_a_cookie_of_ones_own_making_is_nothing(service: Service) -> None:
    """A value that nobody was given is refused."""
    browser = service.browser()
    browser.cookies.set("srsign", "f" * 64)
    assert browser.get("/api/v1/reports").status_code == 401


def test_after_the_way_out_the_cookie_is_nothing(service: Service) -> None:
    """Logging out ends the session itself, not only the browser's memory of it."""
    browser = service.browser("anna")
    token = browser.cookies["srsign"]
    assert browser.post("/logout", follow_redirects=False).status_code == 303
    browser.cookies.set("srsign", token)
    assert browser.get("/api/v1/reports").status_code == 401


@pytest.mark.parametrize(
    ("step", "requests"), [(timedelta(minutes=29), 30), (timedelta(minutes=31), 1)]
)
def test_a_login_ends(tmp_path, step: timedelta, requests: int) -> None:
    """An idle browser is forgotten, and a busy one too in the end."""
    service = open_service(tmp_path)
    browser = service.browser("anna")
    seen = []
    for _ in range(requests):
        service.clock.forward(step)
        seen.append(browser.get("/api/v1/reports").status_code)
    assert seen[-1] == 401
    assert all(status == 200 for status in seen[: 20 if requests > 1 else 0])


def test_whoever_is_disabled_is_nobody(tmp_path) -> None:
    """A login does not outlive its user."""
    service = open_service(tmp_path)
    browser, machine = service.browser("anna"), service.client("anna")
    with service.context.database.write() as connection:
        connection.execute(
            update(users).where(users.c.id == "anna").values(disabled_at=service.clock())
        )
    assert browser.get("/api/v1/reports").status_code == 401
    assert machine.get("/api/v1/reports").status_code == 401
    assert service.browser().post("/login", data={"login": "anna"}).status_code == 401


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Origin": "http://srsign.test.evil.example"},
        {"Origin": "https://srsign.test"},
        {"Origin": "http://srsign.test:8080"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Sec-Fetch-Site": "same-origin", "Origin": "https://evil.example"},
        {"Sec-Fetch-Site": ""},
    ],
)
def test_other_sites_change_nothing(service: Service, headers: dict[str, str]) -> None:
    """A request that another site made the browser send is refused, the login itself included."""
    browser = service.browser("sam")
    assert _post(browser, **headers) == 403
    assert browser.post("/login", data={"login": "anna"}, headers=headers).status_code == 403


def test_a_browser_that_says_nothing_changes_nothing(service: Service) -> None:
    """Without Origin and Sec-Fetch-Site a cookie does not suffice."""
    browser = service.browser("sam")
    del browser.headers["Origin"]
    assert _post(browser) == 403


@pytest.mark.parametrize("headers", [{}, {"Sec-Fetch-Site": "same-origin"}])
def test_pages_of_the_service_do(service: Service, headers: dict[str, str]) -> None:
    """What our own page sends is looked at: there is no such report."""
    assert _post(service.browser("sam"), **headers) == 404


def test_a_wrong_header_is_not_made_good_by_a_cookie(service: Service) -> None:
    """A request with credentials in its header is judged by them alone."""
    browser = service.browser("anna")
    for value in ("Bearer nobody", "Bearer", "Basic YW5uYTo=", "", "Bearer " + "x" * 5000):
        answer = browser.get("/api/v1/reports", headers={"Authorization": value})
        assert answer.status_code == 401, value


@pytest.mark.parametrize("login", ["nobody", "", "anna\x00", "ANNA", "' OR 1=1 --"])
def test_only_people_of_the_demonstration_log_in(service: Service, login: str) -> None:
    """A name that nobody has logs nobody in."""
    answer = service.browser().post("/login", data={"login": login}, follow_redirects=False)
    assert answer.status_code in (401, 422)
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    "address", ["192.0.2.1", "::2", "10.0.0.7", "testclient", "::ffff:192.0.2.1"]
)
def test_a_demonstration_is_for_its_own_machine(service: Service, address: str) -> None:
    """Nobody logs in without proof from another machine."""
    browser = TestClient(
        create_application(service.context), base_url=HERE, client=(address, 50000)
    )
    answer = browser.post("/login", data={"login": "anna"}, headers={"Origin": HERE})
    assert answer.status_code == 403


def test_outside_of_a_demonstration_nobody_logs_in_by_name(service: Service) -> None:
    """A service for patients has no such login."""
    app = create_application(replace(service.context, demo=False))
    browser = TestClient(app, base_url=HERE, client=("127.0.0.1", 50000))
    answer = browser.post("/login", data={"login": "anna"}, headers={"Origin": HERE})
    assert answer.status_code == 403


@pytest.mark.parametrize(
    ("login", "path", "action", "who"),
    [
        (None, "/api/v1/reports/1.2.3", "access-refused", ""),
        ("ida", "/api/v1/reports/1.2.3", "access-refused", "ida"),
        (None, "/login", "login-failed", ""),
    ],
)
def test_refusals_are_in_the_audit(
    service: Service, login: str | None, path: str, action: str, who: str
) -> None:
    """Who was refused is written down, with a caller where there is one."""
    browser = service.browser(login)
    if path == "/login":
        browser.post(path, data={"login": "nobody"})
    else:
        browser.get(path)
    with service.context.database.read() as connection:
        last = (
            connection.execute(
                select(audit_events).order_by(audit_events.c.sequence.desc()).limit(1)
            )
            .mappings()
            .one()
        )
    assert (last["action"], last["user_id"]) == (action, who)


@pytest.mark.parametrize(
    "text", ["//evil.example", "https://evil.example", "/\\evil.example", "evil", "", "/\n/evil"]
)
def test_a_login_leads_nowhere_else(text: str) -> None:
    """After a login only a path of the service follows."""
    assert local_path(text) == "/"
    assert local_path("/reports/1.2.3?state=signed") == "/reports/1.2.3?state=signed"
