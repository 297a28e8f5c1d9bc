"""The page on which receivers check files."""

from __future__ import annotations

import json
from base64 import b64decode

import pytest

from sr.codes import SignaturePurpose
from sr.service.operation.demonstration import principal_for, sign_here, write_demo_report
from sr.service.reading.documents import open_document
from tests.support.html import Element, forbidden, parse
from tests.support.service import Service, open_service

Files = dict[str, bytes]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Service:
    """Return a service of this module."""
    return open_service(tmp_path_factory.mktemp("service"))


@pytest.fixture(scope="module")
def received(service: Service) -> Files:
    """Return a signed report and the images that it cites."""
    draft = write_demo_report(service.context, service.world, "anna", 0)
    sign_here(service.context, service.world, "anna", draft, SignaturePurpose.AUTHOR)
    _, version = open_document(service.context, principal_for("anna"), draft.sop_instance_uid)
    images = sorted(service.world.evidence.rglob("*.dcm"))
    return {"report.dcm": version.content} | {path.name: path.read_bytes() for path in images}


def _check(service: Service, files: Files) -> Element:
    answer = service.client("anna").post(
        "/check", files=[("files", (name, data)) for name, data in files.items()]
    )
    assert answer.status_code == 200
    return parse(answer.text)


def _results(page: Element) -> dict[str, str]:
    rows = page.one("table").one("tbody").all("tr")
    return {row.one("bdi").text: row.one("span", class_="mark").text for row in rows}


def _tone(page: Element) -> str:
    return page.one("div", class_="statement").attributes["class"].split()[-1]


def test_what_was_signed_is_intact(service: Service, received: Files) -> None:
    """A report with all its images: a good word, and every image is intact."""
    page = _check(service, received)
    assert _tone(page) == "good"
    assert _results(page) == {"report.dcm": "see above", "001.dcm": "intact", "002.dcm": "intact"}
    assert page.one(id="verdicts").one("h2").attributes["tabindex"] == "-1"


def test_each_interference_is_told(service: Service, received: Files) -> None:
    """One image altered, one missing, one that nobody cites: each is named for what it is."""
    image = received["001.dcm"]
    altered = image[:-2] + bytes([image[-2] ^ 1]) + image[-1:]
    stranger = image.replace(b"2.25.", b"1.25.")
    page = _check(
        service,
        {"report.dcm": received["report.dcm"], "001.dcm": altered, "x.dcm": stranger},
    )
    results = _results(page)
    assert _tone(page) == "bad"
    assert (results["001.dcm"], results["x.dcm"]) == ("altered", "unexpected")
    assert "missing" in results.values()


def test_a_set_that_is_not_whole_is_not_good(service: Service, received: Files) -> None:
    """Without one of its images a report is undecided, never good."""
    files = {name: data for name, data in received.items() if name != "002.dcm"}
    assert _tone(_check(service, files)) == "open"


def test_an_altered_report_is_bad(service: Service, received: Files) -> None:
    """A report of which one letter was changed must not be relied on."""
    altered = received["report.dcm"].replace(b"granuloma", b"carcinoma")
    page = _check(service, {**received, "report.dcm": altered})
    assert _tone(page) == "bad"


def test_what_is_not_signed_is_not_good(service: Service, received: Files) -> None:
    """Images alone, or no DICOM at all: nothing is signed, and the page says so."""
    images = {name: data for name, data in received.items() if name != "report.dcm"}
    assert _tone(_check(service, images)) == "none"
    assert _tone(_check(service, {"note.txt": b"hello"})) == "none"


def test_a_hostile_name_stays_text(service: Service) -> None:
    """The name of a file is shown as it is, and its path leads nowhere."""
    page = _check(service, {"../../<img src=x>.dcm": b"hello"})
    assert "<img src=x>.dcm" in page.one("table").text
    assert not [each for each in forbidden(page) if "data:application/json" not in each]


def test_the_verdict_can_be_kept(service: Service, received: Files) -> None:
    """The page holds the verdict as the command line writes it."""
    page = _check(service, received)
    link = next(a for a in page.all("a") if a.attributes.get("download") == "verdict.json")
    verdict = json.loads(b64decode(link.attributes["href"].partition(",")[2]))
    assert (verdict["schema_version"], verdict["indication"]) == (1, "PASSED")


@pytest.mark.parametrize("login", ["olga", "root"])
def test_others_check_nothing(service: Service, login: str) -> None:
    """Who may not check sees no form and gets no verdict."""
    client = service.client(login)
    assert client.get("/check").status_code == 403
    assert client.post("/check", files=[("files", ("a", b"b"))]).status_code == 403


def test_nobody_checks_nothing(service: Service) -> None:
    """Who is not known is sent to log in; a form without files is refused."""
    client = service.client()
    assert client.get("/check", follow_redirects=False).status_code == 303
    assert service.client("anna").post("/check").status_code == 422
