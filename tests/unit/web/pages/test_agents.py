"""The page on which a signing agent is paired and revoked."""

from __future__ import annotations

import pytest

from sr.net.agent_client import ask_code, take_token
from tests.support.agents import InProcess
from tests.support.html import forbidden, parse
from tests.support.service import Service, open_service


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Service:
    """Return a service of this module."""
    return open_service(tmp_path_factory.mktemp("service"), slices=1)


def test_a_code_is_entered_and_the_agent_revoked(service: Service) -> None:
    """Whoever enters the code finds the agent in the list, with a button that takes it off."""
    there = InProcess(service.client())
    asked = ask_code(there, "<b>reading room</b>")
    browser = service.browser("anna")
    answer = browser.post("/agents", data={"user_code": asked.user_code}, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/agents")
    page = parse(browser.get("/agents").text)
    assert "<b>reading room</b>" in page.one("tbody").text
    pairing = take_token(there, asked, "http://srsign.test")
    assert pairing is not None
    button = page.one("tbody").one("form")
    browser.post(button.attributes["action"])
    assert there.exchange("GET", "/agent", token=pairing.token)[0] == 401
    assert not parse(browser.get("/agents").text).all("tbody")


def test_a_code_that_nobody_shows(service: Service) -> None:
    """A wrong code is said at the field it was typed into."""
    answer = service.browser("sam").post("/agents", data={"user_code": "BBBB-BBBB"})
    assert answer.status_code == 404
    page = parse(answer.text)
    field = page.one("input", id="code")
    assert field.attributes["aria-invalid"] == "true"
    assert not forbidden(page)


def test_an_agent_of_somebody_else(service: Service) -> None:
    """The agents of others are neither listed nor revoked."""
    there = InProcess(service.client())
    asked = ask_code(there, "of sam")
    service.browser("sam").post("/agents", data={"user_code": asked.user_code})
    pairing = take_token(there, asked, "http://srsign.test")
    assert pairing is not None
    anna = service.browser("anna")
    assert "of sam" not in anna.get("/agents").text
    assert anna.post(f"/agents/{pairing.agent_id}/revoke").status_code == 404
    assert there.exchange("GET", "/agent", token=pairing.token)[0] == 200


@pytest.mark.parametrize(("login", "status"), [(None, 303), ("olga", 403), ("archive", 403)])
def test_who_has_no_such_page(service: Service, login: str | None, status: int) -> None:
    """Strangers are sent to log in, and who signs with no card has no agents."""
    browser = service.browser(login)
    assert browser.get("/agents", follow_redirects=False).status_code == status
    about = {"user_code": "BBBB-BBBB"}
    assert browser.post("/agents", data=about, follow_redirects=False).status_code == status


def test_a_form_of_another_site(service: Service) -> None:
    """A page elsewhere cannot pair an agent with who is logged in here."""
    asked = ask_code(InProcess(service.client()), "of an attacker")
    browser = service.browser("anna")
    browser.headers["Origin"] = "https://attacker.example"
    answer = browser.post("/agents", data={"user_code": asked.user_code})
    assert answer.status_code == 403
