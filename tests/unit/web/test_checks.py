"""``/checks`` over HTTP: files, sets of files, stored documents, and anything else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from sr.codes import SignaturePurpose
from sr.service.operation.job_kinds import HANDLERS
from sr.service.operation.jobs import run_next
from tests.support.api import VALUES, code_of, path_of, sign
from tests.support.service import Service, open_service

SCHEMA = Path(__file__).resolve().parents[3] / "docs" / "verdict.schema.json"
DICOM = {"Content-Type": "application/dicom"}
CHECKS = "/api/v1/checks"
NOWHERE = "2.25.404"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Service:
    """Return a service of this module."""
    return open_service(tmp_path_factory.mktemp("checks"))


@pytest.fixture(scope="module")
def ida(service: Service) -> TestClient:
    """Return the auditor's client."""
    return service.client("ida")


@pytest.fixture(scope="module")
def report(service: Service) -> tuple[str, bytes]:
    """Return UID and bytes of a signed report."""
    anna = service.client("anna")
    body = {"study_instance_uid": service.world.studies[0], **VALUES}
    draft = anna.post("/api/v1/reports", json=body).json()
    sign(service, anna, draft, SignaturePurpose.AUTHOR, "author")
    return draft["sop_instance_uid"], anna.get(path_of(draft, "/file")).content


@pytest.fixture(scope="module")
def images(service: Service) -> tuple[bytes, ...]:
    """Return the images that it cites."""
    return tuple(path.read_bytes() for path in sorted(service.world.evidence.rglob("*.dcm")))


def _form(*files: bytes) -> list[tuple[str, tuple[str, bytes, str]]]:
    return [("file", (f"f{n}.dcm", data, "application/dicom")) for n, data in enumerate(files)]


def _results(answer: Any) -> list[tuple[str | None, str]]:
    assert answer.status_code == 200, answer.text
    items = answer.json()["items"]
    return sorted(((each["file"], each["result"]) for each in items), key=lambda p: p[0] or "")


def test_a_file_gets_the_verdict_of_the_contract(
    ida: TestClient, report: tuple[str, bytes]
) -> None:
    """A signed report that is sent is PASSED, in the object of the schema."""
    answer = ida.post(CHECKS, content=report[1], headers=DICOM)
    assert answer.status_code == 200, answer.text
    Draft202012Validator(json.loads(SCHEMA.read_text("utf-8"))).validate(answer.json())
    assert answer.json()["indication"] == "PASSED"


def test_a_stored_report_is_checked_with_its_images(
    ida: TestClient, report: tuple[str, bytes]
) -> None:
    """A document of the service is compared with the evidence folders, unless nobody wants it."""
    body: dict[str, Any] = {"sop_instance_uid": report[0]}
    verdict = ida.post(CHECKS, json=body).json()
    assert (verdict["indication"], verdict["references"]["matched"]) == ("PASSED", 2)
    assert all("/" not in item["file"] for item in verdict["references"]["items"])
    verdict = ida.post(CHECKS, json={**body, "evidence": False}).json()
    assert verdict["references"]["items"] == []


def test_a_whole_set_is_intact(
    ida: TestClient, report: tuple[str, bytes], images: tuple[bytes, ...]
) -> None:
    """What a report cites, sent with it, is intact."""
    answer = ida.post(CHECKS, files=_form(report[1], *images))
    assert _results(answer) == [("f0.dcm", "document"), ("f1.dcm", "intact"), ("f2.dcm", "intact")]
    assert answer.json()["verdicts"][0]["indication"] == "PASSED"


def test_what_differs_in_a_set_is_named(
    ida: TestClient, report: tuple[str, bytes], images: tuple[bytes, ...]
) -> None:
    """Altered, missing, unexpected, damaged and foreign files are told apart."""
    altered = images[0][:-2] + b"\x01\x02"
    stranger = images[1].replace(b"2.25.", b"2.26.")
    answer = ida.post(CHECKS, files=_form(report[1], altered, stranger, b"no", images[1][:400]))
    assert _results(answer) == [
        (None, "missing"),
        ("f0.dcm", "document"),
        ("f1.dcm", "altered"),
        ("f2.dcm", "unexpected"),
        ("f3.dcm", "not-dicom"),
        ("f4.dcm", "damaged"),
    ]
    assert answer.json()["verdicts"][0]["sub_indication"] == "EVIDENCE_MISMATCH"
    assert answer.json()["counts"]["altered"] == 1


@pytest.mark.parametrize("name", ["../../etc/passwd", "a\x00b", "/abs", "\u202egnp.dcm", "x" * 999])
def test_a_name_reaches_no_folder(
    ida: TestClient, service: Service, report: tuple[str, bytes], name: str
) -> None:
    """What a caller calls a file is for the answer; the file lies under a number of ours."""
    before = sorted(service.world.folder.rglob("*"))
    answer = ida.post(CHECKS, files=[("file", (name, report[1], "application/dicom"))])
    assert answer.status_code == 200
    assert sorted(service.world.folder.rglob("*")) == before


@pytest.mark.parametrize(
    ("headers", "content", "status"),
    [
        ({}, b"x", 415),
        ({"Content-Type": "text/plain"}, b"x", 415),
        ({"Content-Type": "image/png"}, b"x", 415),
        (DICOM, b"", 422),
        (DICOM, b"no DICOM", 422),
        ({"Content-Type": "application/json"}, b"{", 400),
        ({"Content-Type": "application/json"}, b"\xff", 400),
        ({"Content-Type": "application/json"}, b'{"sop_instance_uid": "x"}', 422),
        ({"Content-Type": "application/json"}, b'{"sop_instance_uid": "2.25.404"}', 404),
        ({"Content-Type": "application/json"}, b" " * 5000, 422),
        ({"Content-Type": "multipart/form-data"}, b"x", 422),
        ({"Content-Type": "multipart/form-data; boundary=b"}, b"x", 422),
        ({"Content-Type": "multipart/form-data; boundary=b"}, b"--b--\r\n", 422),
        ({"Content-Type": "multipart/form-data; boundary=b; charset=none"}, b"--b\r\n\r\n", 422),
    ],
)
def test_what_is_no_file_is_a_problem(
    ida: TestClient, headers: dict[str, str], content: bytes, status: int
) -> None:
    """Other media types and bodies are refused, each with a problem."""
    answer = ida.post(CHECKS, content=content, headers=headers)
    assert answer.status_code == status, answer.text
    assert code_of(answer)


def test_too_many_files_are_refused(ida: TestClient) -> None:
    """A form has a limit of files."""
    answer = ida.post(CHECKS, files=_form(*[b""] * 1001))
    assert (answer.status_code, code_of(answer)) == (413, "too-large")


@pytest.mark.parametrize("parts", [{"data": {"policy": "demo"}}, {}])
def test_a_form_has_a_file_to_judge(
    ida: TestClient, report: tuple[str, bytes], parts: dict[str, Any]
) -> None:
    """Neither a field beside the files nor a form with nothing but evidence is taken."""
    evidence = ("evidence", ("e.dcm", report[1], "application/dicom"))
    files = [*(_form(report[1]) if parts else ()), evidence]
    answer = ida.post(CHECKS, files=files, **parts)
    assert (answer.status_code, code_of(answer)) == (422, "configuration")


@pytest.mark.parametrize("kind", ["form", "application/dicom", "application/octet-stream"])
def test_one_file_gets_one_verdict(ida: TestClient, report: tuple[str, bytes], kind: str) -> None:
    """One file is answered with one verdict however it is sent, its references left unchecked."""
    if kind == "form":
        answer = ida.post(CHECKS, files=_form(report[1]))
    else:
        answer = ida.post(CHECKS, content=report[1], headers={"Content-Type": kind})
    verdict = answer.json()
    assert (verdict["indication"], verdict["references"]["items"]) == ("PASSED", [])


@pytest.mark.parametrize(
    ("keep", "sub_indication"),
    [(slice(None), None), (slice(1), "EVIDENCE_MISSING"), (slice(-1, None), "EVIDENCE_MISSING")],
)
def test_a_file_is_compared_with_the_evidence_beside_it(
    ida: TestClient,
    report: tuple[str, bytes],
    images: tuple[bytes, ...],
    keep: slice,
    sub_indication: str | None,
) -> None:
    """Parts called evidence are what the file cites, or are ignored."""
    strangers = [images[1].replace(b"2.25.", b"2.26."), b"no DICOM"]
    evidence = [
        ("evidence", ("e.dcm", data, "application/dicom")) for data in [*images[keep], *strangers]
    ]
    verdict = ida.post(CHECKS, files=[*_form(report[1]), *evidence]).json()
    assert verdict["sub_indication"] == sub_indication
    assert verdict["references"]["unexpected"] == 0


def test_a_stored_report_is_checked_by_a_job(
    service: Service, ida: TestClient, report: tuple[str, bytes]
) -> None:
    """Whoever prefers not to wait is told where the verdict will be."""
    body = {"sop_instance_uid": report[0]}
    answer = ida.post(CHECKS, json=body, headers={"Prefer": "respond-async"})
    assert (answer.status_code, answer.headers["preference-applied"]) == (202, "respond-async")
    run_next(service.context, HANDLERS)
    job = service.client("olga").get(answer.headers["location"]).json()
    assert job["state"] == "done"
    assert job["result"]["verdict"]["references"]["matched"] == 2


@pytest.mark.parametrize(
    ("login", "body", "prefer", "status"),
    [
        ("ida", {"sop_instance_uid": NOWHERE}, "respond-async", 404),
        ("olga", {"sop_instance_uid": NOWHERE}, "respond-async", 403),
        ("ida", {}, "respond-async", 422),
        ("ida", None, "respond-async", 200),
        ("ida", None, "wait=1", 200),
    ],
)
def test_not_everything_becomes_a_job(
    service: Service,
    ida: TestClient,
    report: tuple[str, bytes],
    login: str,
    body: dict[str, str] | None,
    prefer: str,
    status: int,
) -> None:
    """Refusals and files that are sent are answered at once, whatever is preferred."""
    client = ida if login == "ida" else service.client(login)
    if body is None:
        answer = client.post(CHECKS, content=report[1], headers={**DICOM, "Prefer": prefer})
    else:
        answer = client.post(CHECKS, json=body, headers={"Prefer": prefer})
    assert answer.status_code == status
    assert "preference-applied" not in answer.headers


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_any_bytes_get_a_verdict_or_a_problem(
    ida: TestClient, report: tuple[str, bytes], data: st.DataObject
) -> None:
    """Whatever is sent, whole or changed anywhere, gets an answer, and never a fault."""
    content = bytearray(report[1])
    start = data.draw(st.integers(0, len(content) - 1))
    content[start : start + data.draw(st.integers(0, 64))] = data.draw(st.binary(max_size=64))
    body = data.draw(
        st.sampled_from((bytes(content), bytes(content[:start]), bytes(content[start:])))
    )
    answer = ida.post(CHECKS, content=body, headers=DICOM)
    assert answer.status_code in (200, 422)
    assert ida.post(CHECKS, files=_form(body, report[1])).status_code == 200
    kind = data.draw(st.sampled_from(("application/json", "multipart/form-data; boundary=x")))
    junk = data.draw(st.binary(max_size=200))
    assert ida.post(CHECKS, content=junk, headers={"Content-Type": kind}).status_code in (
        400,
        413,
        422,
    )
