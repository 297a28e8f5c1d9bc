"""Signatures, trust anchors, credentials, jobs and the audit over HTTP."""

from __future__ import annotations

import csv
import json
from base64 import b64encode
from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from fastapi.testclient import TestClient

from sr.codes import SignaturePurpose
from sr.mac import MACAlgorithm
from sr.service.operation.demonstration import chain_of
from sr.service.operation.job_kinds import HANDLERS
from sr.service.operation.jobs import run_next
from sr.web.api.signatures import spreadsheet
from tests.support.api import VALUES, code_of, path_of, sign, tag_of
from tests.support.service import Service, open_service


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Service:
    """Return a service with one report, signed and approved."""
    service = open_service(tmp_path_factory.mktemp("inventory"))
    anna, sam = service.client("anna"), service.client("sam")
    body = {"study_instance_uid": service.world.studies[0], **VALUES}
    draft = anna.post("/api/v1/reports", json=body).json()
    sign(service, anna, draft, SignaturePurpose.AUTHOR, "author")
    signed = anna.get(path_of(draft)).json()
    sign(service, sam, signed, SignaturePurpose.VERIFICATION, "supervisor")
    return service


@pytest.fixture(scope="module")
def client(service: Service) -> Callable[[str], TestClient]:
    """Return clients by login."""
    made = {
        login: service.client(login) for login in ("anna", "sam", "archive", "ida", "root", "olga")
    }
    return made.__getitem__


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({}, ["5", "1"]),
        ({"purpose": "5"}, ["5"]),
        ({"purpose": "verification"}, ["5"]),
        ({"purpose": "14"}, []),
        ({"signer": "MEIER"}, ["1"]),
        ({"signer": "%"}, []),
        ({"indication": "FAILED"}, []),
        ({"state": "approved"}, ["5"]),
        ({"mac_algorithm": "SHA512"}, []),
        ({"expires_before": "2000-01-01T00:00:00Z"}, []),
        ({"expires_before": "2999-01-01T00:00:00Z"}, ["5", "1"]),
        ({"until": "2000-01-01T00:00:00Z"}, []),
        ({"since": "2000-01-01T00:00:00Z", "limit": 1}, ["5"]),
        ({"since": "2000-01-01", "until": "2999-01-01"}, ["5", "1"]),
        ({"offset": 1}, ["1"]),
    ],
)
def test_signatures_are_found(
    client: Callable[[str], TestClient], asked: dict[str, Any], found: list[str]
) -> None:
    """Each filter gives what fits it and nothing else."""
    answer = client("ida").get("/api/v1/signatures", params=asked)
    assert [each["purpose"] for each in answer.json()["items"]] == found


def test_a_signer_has_one_name(client: Callable[[str], TestClient]) -> None:
    """Inventory, credential and verdict spell the subject of a certificate the same."""
    (found,) = client("ida").get("/api/v1/signatures", params={"purpose": "author"}).json()["items"]
    (own,) = client("anna").get("/api/v1/credentials").json()["items"]
    place = f"/api/v1/reports/{found['sop_instance_uid']}/verdict"
    made = client("anna").get(place).json()["signatures"][0]
    assert found["signer_subject"] == own["subject"] == made["signer"]["subject"]
    assert found["signer_issuer"] == made["signer"]["issuer"]


@pytest.mark.parametrize("path", ["/api/v1/signatures", "/api/v1/audit-events"])
@pytest.mark.parametrize("name", ["since", "until"])
@pytest.mark.parametrize("at", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_times_at_the_end_of_the_calendar_are_times(
    client: Callable[[str], TestClient], path: str, name: str, at: str
) -> None:
    """A time that has no place in UTC is before, or after, all others."""
    found = client("ida").get(path, params={name: at, "limit": 1}).json()["items"]
    assert bool(found) is ((name == "since") == at.startswith("0001"))


@pytest.mark.parametrize("blanks", [0, 1, 60_000])
def test_what_the_caller_has_is_not_sent_again(
    client: Callable[[str], TestClient], blanks: int
) -> None:
    """One of several tags counts, however many blanks are around it, and part of one does not."""
    first = client("ida").get("/api/v1/signatures")
    many = " " * blanks
    for tag, status in ((first.headers["etag"], 304), ('"a', 200)):
        headers = {"If-None-Match": f'"x"{many},{many}{tag}{many},"y{many}"'}
        assert client("ida").get("/api/v1/signatures", headers=headers).status_code == status


@pytest.mark.parametrize(
    "asked",
    [
        {"purpose": "99"},
        {"since": "2026-02-30"},
        {"since": "20260101"},
        {"since": "yesterday"},
        {"since": "2026-01-01T00:00:00"},
        {"limit": 0},
    ],
)
def test_filters_that_make_no_sense_are_refused(
    client: Callable[[str], TestClient], asked: dict[str, Any]
) -> None:
    """Unknown codes, and times without an offset, are refused."""
    assert client("ida").get("/api/v1/signatures", params=asked).status_code == 422


def test_signatures_are_a_table_for_spreadsheets(client: Callable[[str], TestClient]) -> None:
    """By Accept or by format the same rows come as CSV."""
    by_format = client("ida").get("/api/v1/signatures", params={"format": "csv"})
    by_accept = client("ida").get("/api/v1/signatures", headers={"Accept": "text/csv"})
    assert by_format.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(StringIO(by_format.text)))
    assert [row["purpose"] for row in rows] == ["5", "1"]
    assert by_accept.text == by_format.text


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\t=1", "\r=1", "\n=1"])
def test_no_cell_is_a_formula(text: str) -> None:
    """What a spreadsheet would compute is text."""
    (row,) = csv.DictReader(StringIO(spreadsheet(("a",), [{"a": text}]), newline=""))
    assert row["a"] == f"'{text}"


def test_trust_is_changed_and_checks_follow(
    service: Service, client: Callable[[str], TestClient]
) -> None:
    """An anchor that is added counts for checks, is listed, and can be removed."""
    pem = service.world.pki.certificate("tsa").read_bytes()
    der = x509.load_pem_x509_certificate(pem).public_bytes(Encoding.DER)
    body = {"certificates": b64encode(der).decode(), "use": "timestamp", "label": "clock"}
    for _ in range(2):
        added = client("root").post("/api/v1/trust-anchors", json=body)
        assert added.status_code == 201, added.text
    (anchor,) = added.json()["items"]
    listed = client("anna").get("/api/v1/trust-anchors").json()["items"]
    assert [e["added_by"] for e in listed if e["sha256"] == anchor["sha256"]] == ["root"]
    assert "folder" in {each["added_by"] for each in listed}
    assert der in service.context.material().timestamp_anchors
    path = f"/api/v1/trust-anchors/{anchor['sha256']}"
    assert client("root").delete(path).status_code == 404
    assert client("root").delete(path, params={"use": "timestamp"}).status_code == 204
    assert der not in service.context.material().timestamp_anchors
    assert client("root").delete(path, params={"use": "timestamp"}).status_code == 404


@pytest.mark.parametrize("text", ["x", "====", "-----BEGIN CERTIFICATE-----", "AAAA", "ä"])
def test_what_is_no_certificate_is_not_trusted(
    client: Callable[[str], TestClient], text: str
) -> None:
    """Text that holds no certificate changes nothing."""
    answer = client("root").post("/api/v1/trust-anchors", json={"certificates": text})
    assert answer.status_code == 422
    assert code_of(answer) in ("request", "trust-evidence")


def test_only_an_administrator_changes_trust(client: Callable[[str], TestClient]) -> None:
    """Neither author nor operator decides whom the service trusts."""
    for login in ("anna", "olga"):
        answer = client(login).post("/api/v1/trust-anchors", json={"certificates": "x"})
        assert answer.status_code == 403


def _proof(
    service: Service, client: TestClient, *, key: str, certificate: str, **changes: str
) -> Any:
    drawn = client.post("/api/v1/credentials/challenges").json()
    with service.signer(key) as signer:
        value = signer.sign_digest(bytes.fromhex(drawn["digest"]), MACAlgorithm.SHA256)
    body = {
        "certificate_chain": chain_of(service.world.pki, certificate).decode(),
        "challenge": drawn["challenge"],
        "signature": b64encode(value).decode(),
        "label": "card",
    }
    return client.post("/api/v1/credentials", json=body | changes)


def test_a_certificate_is_withdrawn_and_added_again(
    service: Service, client: Callable[[str], TestClient]
) -> None:
    """Whoever shows the key has the certificate; one that was withdrawn signs no longer."""
    sam = client("sam")
    (mine,) = sam.get("/api/v1/credentials").json()["items"]
    assert sam.delete(f"/api/v1/credentials/{mine['id']}").status_code == 204
    assert sam.get("/api/v1/credentials").json()["items"] == []
    assert sam.delete(f"/api/v1/credentials/{mine['id']}").status_code == 404
    answer = _proof(service, sam, key="supervisor", certificate="supervisor")
    assert answer.status_code == 201, answer.text
    (again,) = sam.get("/api/v1/credentials").json()["items"]
    assert (again["sha256"], again["key"]) == (mine["sha256"], "caller")


@pytest.mark.parametrize(
    ("key", "certificate", "changes", "code"),
    [
        ("archive", "author", {}, "signer-refused"),
        ("author", "author", {"challenge": "0" * 32}, "conflict"),
        ("author", "author", {"signature": "AAAA"}, "signer-refused"),
        ("author", "author", {"certificate_chain": "x"}, "request"),
        ("author", "author", {"certificate_chain": "AAAA"}, "trust-evidence"),
        ("supervisor", "supervisor", {}, "access"),
    ],
)
def test_a_certificate_without_proof_is_not_kept(
    service: Service,
    client: Callable[[str], TestClient],
    key: str,
    certificate: str,
    changes: dict[str, str],
    code: str,
) -> None:
    """Neither another key, nor another challenge, nor another person's certificate will do."""
    answer = _proof(service, client("anna"), key=key, certificate=certificate, **changes)
    assert code_of(answer) == code


def test_a_challenge_is_good_once(service: Service, client: Callable[[str], TestClient]) -> None:
    """The proof of yesterday is none."""
    anna = client("anna")
    first = _proof(service, anna, key="author", certificate="author")
    assert first.status_code == 201
    body = json.loads(first.request.content)
    assert code_of(anna.post("/api/v1/credentials", json=body)) == "conflict"


def test_a_seal_is_made_by_a_job_that_tells_how_far_it_is(
    service: Service, client: Callable[[str], TestClient]
) -> None:
    """The stream of a job ends with its result, and the seal is PASSED with all images matched."""
    archive = client("archive")
    asked = archive.post("/api/v1/seals", json={"study_instance_uid": service.world.studies[0]})
    assert (asked.status_code, asked.json()["state"]) == (202, "queued")
    run_next(service.context, HANDLERS)
    place = asked.headers["location"]
    events = archive.get(f"{place}/events")
    assert events.headers["content-type"].startswith("text/event-stream")
    name, data = events.text.strip().split("\n")[-2:]
    assert name == "event: done"
    uid = json.loads(data.removeprefix("data: "))["result"]["sop_instance_uid"]
    assert archive.get(f"/api/v1/seals/{uid}").json()["state"] == "signed"
    verdict = archive.get(f"/api/v1/seals/{uid}/verdict").json()
    assert (verdict["indication"], verdict["references"]["matched"]) == ("PASSED", 2)
    assert archive.get(f"/api/v1/reports/{uid}").status_code == 404
    assert client("anna").get(place).status_code == 404
    assert client("olga").get(place).status_code == 200


def test_a_manifest_lists_the_reports_too(
    service: Service, client: Callable[[str], TestClient]
) -> None:
    """What is shipped is checked against the manifest: images and report are intact."""
    archive = client("archive")
    asked = archive.post("/api/v1/manifests", json={"study_instance_uid": service.world.studies[0]})
    run_next(service.context, HANDLERS)
    job = archive.get(asked.headers["location"]).json()
    uid = job["result"]["sop_instance_uid"]
    manifest = archive.get(f"/api/v1/manifests/{uid}/file").content
    (report,) = archive.get("/api/v1/reports", params={"state": "approved"}).json()["items"]
    parts = [
        manifest,
        archive.get(path_of(report, "/file")).content,
        *(path.read_bytes() for path in service.world.evidence.rglob("*.dcm")),
    ]
    files = [("file", (f"{n}", data, "application/dicom")) for n, data in enumerate(parts)]
    counts = archive.post("/api/v1/checks", files=files).json()["counts"]
    assert counts["intact"] == 3
    assert counts["missing"] == counts["altered"] == counts["unexpected"] == 0


def test_a_manifest_is_compared_with_the_reports_that_are_kept_here(
    service: Service, client: Callable[[str], TestClient]
) -> None:
    """By its UID a manifest is compared with images and with what became of its reports."""
    anna, archive = client("anna"), client("archive")
    study = {"study_instance_uid": service.world.studies[0]}
    draft = anna.post("/api/v1/reports", json={**study, **VALUES}).json()
    sign(service, anna, draft, SignaturePurpose.AUTHOR, "author")
    asked = archive.post("/api/v1/manifests", json=study)
    run_next(service.context, HANDLERS)
    uid = archive.get(asked.headers["location"]).json()["result"]["sop_instance_uid"]
    place = f"/api/v1/manifests/{uid}/verdict"
    before = archive.get(place).json()
    assert (before["indication"], before["references"]["matched"]) == ("PASSED", 4)
    alone = archive.get(place, params={"evidence": False}).json()
    assert alone["references"]["items"] == []
    signed = anna.get(path_of(draft)).json()
    sign(service, anna, signed, SignaturePurpose.AUTHOR, "author")
    after = archive.get(place).json()
    assert after["sub_indication"] == before["sub_indication"]


def test_a_seal_over_nothing_fails_as_a_job(
    service: Service, client: Callable[[str], TestClient]
) -> None:
    """A study that is not there leaves no document, and the job says why."""
    archive = client("archive")
    asked = archive.post("/api/v1/seals", json={"study_instance_uid": "2.25.404"})
    run_next(service.context, HANDLERS)
    job = archive.get(asked.headers["location"]).json()
    assert (job["state"], job["error"]["code"]) == ("failed", "evidence")


@pytest.mark.parametrize("title", ["113031", "113033", "113035", "no-such"])
def test_a_title_that_promises_a_signature_is_no_draft(
    service: Service, client: Callable[[str], TestClient], title: str
) -> None:
    """What says that it is signed is never kept unsigned."""
    body = {"study_instance_uid": service.world.studies[0], "title": title}
    answer = client("anna").post("/api/v1/keyobjects", json=body)
    assert (answer.status_code, code_of(answer)) == (422, "configuration")


def test_a_selection_of_unknown_instances_is_refused(
    service: Service, client: Callable[[str], TestClient]
) -> None:
    """An instance that is not in the study is not cited."""
    body = {
        "study_instance_uid": service.world.studies[0],
        "title": "of-interest",
        "instances": ["2.25.404"],
    }
    answer = client("anna").post("/api/v1/keyobjects", json=body)
    assert (answer.status_code, code_of(answer)) == (422, "evidence")


def test_the_audit_is_searched_in_pages(client: Callable[[str], TestClient]) -> None:
    """Filters give what fits them; pages lead back to the first event; lines are JSON."""
    ida = client("ida")
    found = ida.get("/api/v1/audit-events", params={"action": "approved"}).json()["items"]
    assert [each["event"]["action"] for each in found] == ["approved"]
    assert ida.get("/api/v1/audit-events", params={"user_id": "nobody"}).json()["items"] == []
    sequences: list[int] = []
    before: int | None = None
    while True:
        asked = {"limit": 7, **({"before": before} if before else {})}
        page = ida.get("/api/v1/audit-events", params=asked).json()
        sequences += [each["sequence"] for each in page["items"]]
        before = page["next_before"]
        if before is None:
            break
    assert sequences == sorted(set(sequences), reverse=True)
    assert sequences[-1] == 1
    lines = ida.get("/api/v1/audit-events", headers={"Accept": "application/jsonl"})
    assert all("event" in json.loads(line) for line in lines.text.splitlines())


@pytest.mark.parametrize("login", ["anna", "sam", "archive", "olga", "root"])
def test_the_audit_is_the_auditors(client: Callable[[str], TestClient], login: str) -> None:
    """Nobody else reads the audit."""
    assert client(login).get("/api/v1/audit-events").status_code == 403


def test_an_etag_of_another_report_does_not_return_it(
    client: Callable[[str], TestClient],
) -> None:
    """An approved report is not returned, whatever the header says."""
    (report,) = client("sam").get("/api/v1/reports", params={"state": "approved"}).json()["items"]
    answer = client("sam").post(
        path_of(report, "/return"), json={"comment": "?"}, headers=tag_of(report)
    )
    assert (answer.status_code, code_of(answer)) == (409, "lifecycle")
