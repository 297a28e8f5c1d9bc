"""The page of one's own certificates and signing agents."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

from sr.net.agent_client import ask_code, take_token
from sr.service.operation.demonstration import chain_of
from tests.support.agents import InProcess
from tests.support.html import Element, forbidden, parse
from tests.support.keys_page import first_removal, hand_in
from tests.support.service import Service, open_service


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Service:
    """Return a service of this module."""
    return open_service(tmp_path_factory.mktemp("service"), slices=1)


def _rows(page: Element, section: str) -> list[Element]:
    """Return what one of the two tables lists."""
    found = page.one("section", aria_labelledby=f"{section}-title")
    return [row for body in found.all("tbody") for row in body.all("tr")]


def test_a_code_is_entered_and_the_agent_revoked(service: Service) -> None:
    """Whoever enters the code finds the agent in the list, with a button that takes it off."""
    there = InProcess(service.client())
    asked = ask_code(there, "<b>reading room</b>")
    browser = service.browser("anna")
    answer = browser.post("/agents", data={"user_code": asked.user_code}, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/keys")
    page = parse(browser.get("/agents").text)
    (row,) = _rows(page, "agents")
    assert "<b>reading room</b>" in row.text
    pairing = take_token(there, asked, "http://srsign.test")
    assert pairing is not None
    browser.post(row.one("form").attributes["action"])
    assert there.exchange("GET", "/agent", token=pairing.token)[0] == 401
    assert not _rows(parse(browser.get("/agents").text), "agents")


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
    assert "of sam" not in anna.get("/keys").text
    assert anna.post(f"/agents/{pairing.agent_id}/revoke").status_code == 404
    assert there.exchange("GET", "/agent", token=pairing.token)[0] == 200


@pytest.mark.parametrize(("login", "status"), [(None, 303), ("olga", 403), ("archive", 403)])
def test_who_has_no_agents(service: Service, login: str | None, status: int) -> None:
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


def test_certificates_are_shown(service: Service) -> None:
    """Who signs sees each certificate, its issuer, until when it is good, and where its key is."""
    page = parse(service.browser("archive").get("/keys").text)
    (row,) = _rows(page, "certificates")
    assert row.one("span", class_="mark").text == "valid"
    (leaf, issuer) = x509.load_pem_x509_certificates(chain_of(service.world.pki, "archive"))
    for name in (leaf.subject, issuer.subject):
        (common,) = name.get_attributes_for_oid(NameOID.COMMON_NAME)
        assert str(common.value) in row.text
    assert f"{leaf.not_valid_after_utc:%Y-%m-%d}" in row.text
    assert "this service" in row.text
    assert not page.all("form", action="/agents")


def test_a_certificate_that_ran_out(tmp_path: Path) -> None:
    """A certificate that cannot be signed with any more says so in a word, not by colour alone."""
    service = open_service(tmp_path, slices=1)
    for days, word in ((1000, "expires soon"), (100, "expired")):
        service.clock.forward(timedelta(days=days))
        page = parse(service.browser("archive").get("/keys").text)
        assert page.one("tbody").one("span", class_="mark").text == word


def test_a_certificate_is_added_with_a_proof_and_removed(service: Service) -> None:
    """Who signs the challenge that the page offers has the certificate, until it is removed."""
    browser = service.browser("sam")
    browser.post(first_removal(browser))
    assert not _rows(parse(browser.get("/keys").text), "certificates")
    answer = hand_in(browser, service, key="supervisor", certificate="supervisor")
    assert (answer.status_code, answer.headers["location"]) == (303, "/keys")
    page = parse(browser.get("/keys").text)
    assert "card 2026" in _rows(page, "certificates")[0].text
    assert not forbidden(page)
    browser.post(first_removal(browser))
    assert not _rows(parse(browser.get("/keys").text), "certificates")


@pytest.mark.parametrize(
    ("key", "certificate", "changes", "status"),
    [
        ("archive", "author", {}, 422),
        ("supervisor", "supervisor", {}, 403),
        ("author", "author", {"challenge": "0" * 32}, 409),
        ("author", "author", {"challenge": "none"}, 422),
        ("author", "author", {"label": ""}, 422),
        ("author", b"no certificate", {}, 422),
        ("author", b"0" * 100_000, {}, 422),
    ],
)
def test_a_certificate_without_proof(
    service: Service, key: str, certificate: str | bytes, changes: dict[str, str], status: int
) -> None:
    """Another key, another person, another challenge or another file: nothing is kept, in words."""
    browser = service.browser("anna")
    before = len(_rows(parse(browser.get("/keys").text), "certificates"))
    answer = hand_in(browser, service, key=key, certificate=certificate, **changes)
    assert answer.status_code == status
    assert parse(answer.text).one("section", role="alert")
    assert len(_rows(parse(browser.get("/keys").text), "certificates")) == before


def test_a_certificate_of_somebody_else(service: Service) -> None:
    """Nobody takes off the certificate of another person."""
    there = first_removal(service.browser("anna"))
    assert service.browser("archive").post(there).status_code == 404
    assert first_removal(service.browser("anna")) == there


@pytest.mark.parametrize(("login", "status"), [(None, 303), ("olga", 403), ("ida", 403)])
@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/keys"), ("POST", "/keys/challenge"), ("POST", f"/keys/{'0' * 32}/remove")],
)
def test_who_has_no_keys(
    service: Service, login: str | None, status: int, method: str, path: str
) -> None:
    """Strangers are sent to log in, and who never signs has no keys."""
    answer = service.browser(login).request(method, path, follow_redirects=False)
    assert answer.status_code == status
