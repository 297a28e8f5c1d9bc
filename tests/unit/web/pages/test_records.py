"""Signatures, seals, audit and trust on pages."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from sr.codes import SignaturePurpose
from sr.service.operation.demonstration import principal_for, sign_here, write_demo_report
from sr.service.operation.job_kinds import HANDLERS
from sr.service.operation.jobs import run_next
from sr.service.reading.inventory import find_signatures
from sr.store.documents import get_document
from sr.store.signature_search import SignatureQuery
from tests.support.html import Element, forbidden, parse
from tests.support.service import Service, open_service


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Service:
    """Return a service with a signed report."""
    made = open_service(tmp_path_factory.mktemp("service"))
    draft = write_demo_report(made.context, made.world, "anna", 0)
    sign_here(made.context, made.world, "anna", draft, SignaturePurpose.AUTHOR)
    return made


def _page(service: Service, login: str, path: str) -> Element:
    answer = service.client(login).get(path)
    assert answer.status_code == 200, answer.text
    page = parse(answer.text)
    assert not forbidden(page)
    return page


def _rows(page: Element) -> int:
    return sum(len(body.all("tr")) for body in page.all("tbody"))


@pytest.mark.parametrize(
    ("asked", "count"),
    [
        ("", 1),
        ("signer=anna", 1),
        ("signer=nobody", 0),
        ("purpose=1&indication=PASSED&state=signed&algorithm=SHA256", 1),
        ("purpose=5", 0),
        ("until=2001-01-01", 0),
        ("expires_before=2001-01-01", 0),
        ("expires_before=2999-01-01&purpose=&state=", 1),
        ("page=2", 0),
    ],
)
def test_signatures_are_searched(service: Service, asked: str, count: int) -> None:
    """Signer, purpose, state, algorithm, days and expiry restrict the inventory."""
    assert _rows(_page(service, "ida", f"/signatures?{asked}")) == count


@pytest.mark.parametrize(
    ("asked", "lines"),
    [
        ("/signatures?signer=anna&since=2001-01-01", 2),
        ("/signatures?purpose=5", 1),
        ("/audit?action=signed&since=2001-01-01&user=anna", 1),
        ("/audit?user=nobody", 0),
    ],
)
def test_the_same_search_is_a_file(service: Service, asked: str, lines: int) -> None:
    """The link to CSV, or to JSON lines, asks the API for what the page shows."""
    page = _page(service, "ida", asked)
    link = next(a for a in page.all("a") if "download" in a.attributes)
    answer = service.client("ida").get(link.attributes["href"])
    assert answer.status_code == 200, answer.text
    assert len(answer.text.splitlines()) == lines
    assert urlsplit(link.attributes["href"]).path.startswith("/api/v1/")


def test_limitations_are_said_in_the_inventory(service: Service) -> None:
    """A check that passed with limitations says so in the list too."""
    row = _page(service, "ida", "/signatures?indication=PASSED").one("tbody")
    assert "with limitations" in row.all("span", class_="mark")[0].text


def test_an_auditor_follows_a_signature_to_its_events(service: Service) -> None:
    """Who reads no reports is led to what happened to one, and to who did it."""
    row = _page(service, "ida", "/signatures").one("tbody")
    (events,) = (a.attributes["href"] for a in row.all("a"))
    page = _page(service, "ida", events)
    found = _rows(page)
    assert 0 < found < _rows(_page(service, "ida", "/audit"))
    (signed, *_) = (r for r in page.one("tbody").all("tr") if "signed" in r.text)
    who = next(a.attributes["href"] for a in signed.all("a") if "user=" in a.attributes["href"])
    assert {"user=anna", *urlsplit(events).query.split("&")} == {*urlsplit(who).query.split("&")}
    assert 0 < _rows(_page(service, "ida", who)) <= found


def test_earlier_events_keep_the_filter(service: Service) -> None:
    """The next page asks for what this one does."""
    for _ in range(101):
        find_signatures(service.context, principal_for("ida"), SignatureQuery(), limit=1)
    page = _page(service, "ida", "/audit?action=searched")
    earlier = page.one("nav", aria_label="Pages").one("a").attributes["href"]
    assert "action=searched" in earlier
    assert _rows(_page(service, "ida", earlier))


def test_events_are_shown_to_auditors(service: Service) -> None:
    """Who signed is in the audit, with an outcome in a word; a look at it is the next event."""
    first = _page(service, "ida", "/audit?action=signed")
    assert _rows(first) == 1
    assert first.one("tbody").one("span", class_="mark").text == "done"
    assert "Dr. Anna Meier" in first.one("tbody").text
    before = _rows(_page(service, "ida", "/audit?action=audit-read"))
    assert _rows(_page(service, "ida", "/audit?action=audit-read")) == before + 1


def test_a_study_is_sealed_as_a_job(service: Service) -> None:
    """The archive asks for a seal, and the page says that it waits."""
    client = service.client("archive")
    study = service.world.studies[0]
    assert client.post("/seals", data={"study": study, "kind": "seal"}).status_code == 200
    jobs = _page(service, "archive", "/seals").one(id="jobs")
    assert jobs.one("span", class_="mark").text in ("waits", "runs", "done")


def test_a_seal_waits_for_nobody(service: Service) -> None:
    """A seal is neither in the list to approve, nor approved, nor returned to who made it."""
    archive, sam = service.client("archive"), service.client("sam")
    archive.post("/seals", data={"study": service.world.studies[0], "kind": "seal"})
    while run_next(service.context, HANDLERS):
        pass
    links = _page(service, "archive", "/seals").one(id="jobs").all("a")
    there = links[0].attributes["href"]
    with service.context.database.read() as connection:
        seal = get_document(connection, there.rpartition("/")[2])
    assert there not in sam.get("/?list=to-approve").text
    page = parse(sam.get(there).text)
    assert {f"{there}/sign", f"{there}/return"}.isdisjoint(
        form.attributes.get("action") for form in page.all("form")
    )
    for way, more in (("sign", {"purpose": "5"}), ("return", {"comment": "no"})):
        answer = sam.post(f"{there}/{way}", data={"if_match": seal.sha256, **more})
        assert answer.status_code in (409, 422), way
    with service.context.database.read() as connection:
        assert get_document(connection, seal.sop_instance_uid) == seal


def test_an_anchor_is_added_and_removed(service: Service) -> None:
    """An administrator trusts a certificate, sees it, and trusts it no longer."""
    client = service.client("root")
    pem = service.world.pki.certificate("tsa").read_bytes()
    before = _rows(_page(service, "root", "/trust"))
    added = client.post(
        "/trust", data={"use": "timestamp", "label": "<b>TSA</b>"}, files={"certificate": pem}
    )
    assert added.status_code == 200
    page = _page(service, "root", "/trust")
    assert _rows(page) == before + 1
    form = next(f for f in page.all("form") if f.attributes["action"].endswith("/remove"))
    client.post(form.attributes["action"], data={"use": "timestamp"})
    assert _rows(_page(service, "root", "/trust")) == before


def test_what_is_no_certificate_is_not_trusted(service: Service) -> None:
    """A file without a certificate changes nothing."""
    client = service.client("root")
    answer = client.post("/trust", data={"use": "anchor"}, files={"certificate": b"hello"})
    assert answer.status_code == 422
    answer = client.post("/trust", data={"use": "all"}, files={"certificate": b"hello"})
    assert answer.status_code == 422


@pytest.mark.parametrize(
    ("login", "path", "status"),
    [
        ("olga", "/signatures", 403),
        ("root", "/signatures", 403),
        ("anna", "/audit", 403),
        ("sam", "/audit", 403),
        ("root", "/audit", 403),
        ("anna", "/seals", 403),
        ("ida", "/seals", 403),
        ("ida", "/audit?action=none", 422),
        ("ida", "/signatures?purpose=99", 422),
        ("ida", "/signatures?page=0", 422),
    ],
)
def test_others_see_nothing(service: Service, login: str, path: str, status: int) -> None:
    """Who has not the role, or asks for nonsense, gets a page that says so."""
    answer = service.client(login).get(path)
    assert answer.status_code == status
    assert parse(answer.text).one("section", role="alert")


@pytest.mark.parametrize("login", ["anna", "sam", "archive", "ida", "olga"])
def test_only_administrators_change_trust(service: Service, login: str) -> None:
    """Everybody may see whom the service trusts; nobody else changes it."""
    assert not _page(service, login, "/trust").all("form", action="/trust")
    pem = service.world.pki.certificate("tsa").read_bytes()
    client = service.client(login)
    added = client.post("/trust", data={"use": "anchor"}, files={"certificate": pem})
    assert added.status_code == 403


@pytest.mark.parametrize(("login", "first"), [("ida", "/check"), ("root", "/trust")])
def test_everybody_has_a_first_page(service: Service, login: str, first: str) -> None:
    """Who reads no documents is led to the first page of his own."""
    answer = service.client(login).get("/", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, first)
