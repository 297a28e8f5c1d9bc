"""What operators see: health, figures, log lines."""

from __future__ import annotations

import json
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families

from sr.service.authoring.evidence import EvidenceRoots
from sr.service.operation.demonstration import write_demo_report
from sr.trust import TrustMaterial
from sr.web.application import create_application
from tests.support.service import Service, open_service


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Service:
    """Return a service of this module with one draft."""
    service = open_service(tmp_path_factory.mktemp("service"))
    write_demo_report(service.context, service.world, "anna", 0)
    return service


def test_a_process_that_answers_is_live(service: Service) -> None:
    """Nobody has to log in to learn that the process answers."""
    assert service.client().get("/livez").status_code == 200


def test_a_whole_service_is_ready(service: Service) -> None:
    """Database, evidence folders and trust anchors make a service ready."""
    answer = service.client().get("/readyz")
    assert (answer.status_code, set(answer.json().values())) == (200, {True})


@pytest.mark.parametrize(
    ("missing", "change"),
    [
        ("evidence", {"evidence": EvidenceRoots((Path("/nonexistent/evidence"),))}),
        ("trust", {"material": TrustMaterial}),
    ],
)
def test_what_is_missing_is_named(
    service: Service, missing: str, change: dict[str, object]
) -> None:
    """A service without folders or anchors is not ready, and says which."""
    context = replace(service.context, **change)
    answer = TestClient(create_application(context)).get("/readyz")
    assert answer.status_code == 503
    assert [name for name, there in answer.json().items() if not there] == [missing]


def test_figures_count_documents_and_requests(service: Service) -> None:
    """An operator's scrape tells documents by state and requests by route."""
    client = service.client("olga")
    client.get("/livez")
    families = {f.name: f for f in text_string_to_metric_families(client.get("/metrics").text)}
    drafts = [
        s.value for s in families["srsign_documents"].samples if s.labels == {"state": "draft"}
    ]
    routes = {s.labels["route"] for s in families["srsign_http_requests"].samples}
    assert drafts == [1]
    assert "/livez" in routes


def test_strangers_make_no_figures(service: Service) -> None:
    """Methods and addresses that callers make up are not counted one by one."""
    client = service.client("olga")
    for n in range(3):
        client.request(f"MADE-UP-{n}", f"/nowhere/{n}")
        client.request(f"MADE-UP-{n}", "/livez")
        client.get(f"/static/nothing-{n}")
    families = {f.name: f for f in text_string_to_metric_families(client.get("/metrics").text)}
    labels = [s.labels for s in families["srsign_http_requests"].samples]
    assert {each["method"] for each in labels} == {"GET", "other"}
    assert not any("nothing" in each["route"] or "nowhere" in each["route"] for each in labels)


@pytest.mark.parametrize(("login", "status"), [(None, 401), ("anna", 403), ("root", 403)])
def test_figures_are_for_operators(service: Service, login: str | None, status: int) -> None:
    """Strangers, authors and administrators do not read figures."""
    assert service.client(login).get("/metrics").status_code == status


def test_a_log_line_has_no_identifier_in_it(
    service: Service,
) -> None:
    """A line names route and caller, neither the document nor the patient."""
    document = write_demo_report(service.context, service.world, "anna", 0)
    log = StringIO()
    service.client("anna", log=log).get(f"/api/v1/reports/{document.sop_instance_uid}")
    text = log.getvalue()
    line = json.loads(text)
    assert (line["route"], line["caller"]) == ("/api/v1/reports/{sop_instance_uid}", "anna")
    assert document.sop_instance_uid not in text
    assert document.patient_name not in text


def test_a_fault_leaves_no_text(service: Service) -> None:
    """An error that nobody foresaw is a problem with type and place in the log, not its text."""

    def broken() -> TrustMaterial:
        raise ZeroDivisionError("Müller^Jördis")

    log = StringIO()
    application = create_application(replace(service.context, material=broken), log=log)
    answer = TestClient(application).get("/readyz")
    logged = json.loads(log.getvalue())
    assert answer.status_code == 500
    assert answer.json()["type"] == "urn:srsign:problem:unexpected"
    assert logged["fault"] == "ZeroDivisionError"
    assert "Jördis" not in answer.text + json.dumps(logged, ensure_ascii=False)
