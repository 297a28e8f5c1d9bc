"""What HTTP itself promises of every resource: methods, media types, syntax, pages of a list."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.support.api import VALUES, code_of
from tests.support.service import Service, open_service

REPORTS = "/api/v1/reports"
JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Service:
    """Return a service of this module."""
    return open_service(tmp_path_factory.mktemp("methods"), slices=1)


@pytest.fixture(scope="module")
def anna(service: Service) -> TestClient:
    """Return a client of an author with three drafts."""
    client = service.client("anna")
    for _ in range(3):
        body = {"study_instance_uid": service.world.studies[0], **VALUES}
        assert client.post(REPORTS, json=body).status_code == 201
    return client


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/openapi.json", REPORTS, "/api/v1/jobs"])
def test_head_says_what_get_would(anna: TestClient, path: str) -> None:
    """HEAD has the status and headers of GET, and no content."""
    got, asked = anna.get(path), anna.head(path)
    assert (asked.status_code, asked.content) == (got.status_code, b"")
    for name in ("content-type", "content-length", "etag"):
        assert asked.headers.get(name) == got.headers.get(name)


@pytest.mark.parametrize(
    ("path", "status"), [(REPORTS, 401), ("/api/v1/nowhere", 404), ("/api/v1/checks", 405)]
)
def test_head_is_refused_as_get_is(service: Service, path: str, status: int) -> None:
    """HEAD opens nothing that GET does not."""
    answer = service.client().head(path)
    assert (answer.status_code, answer.content) == (status, b"")


def test_options_names_the_methods(service: Service) -> None:
    """OPTIONS tells anybody what a resource offers, and nothing else."""
    answer = service.client().options(REPORTS)
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["allow"] == "GET, HEAD, OPTIONS, POST"


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("DELETE", REPORTS, "GET, HEAD, OPTIONS, POST"),
        ("PATCH", f"{REPORTS}/2.25.1", "GET, HEAD, OPTIONS, PUT"),
        ("GET", "/api/v1/checks", "OPTIONS, POST"),
        ("POST", "/static/srsign.css", "GET, HEAD, OPTIONS"),
    ],
)
def test_another_method_is_told_all_there_are(
    anna: TestClient, method: str, path: str, allow: str
) -> None:
    """405 names every method of the resource, not only those of one route."""
    answer = anna.request(method, path)
    assert (answer.status_code, code_of(answer)) == (405, "method")
    assert answer.headers["allow"] == allow


@pytest.mark.parametrize("path", ["/api/v1/nowhere", "/nowhere"])
def test_nothing_has_no_options(service: Service, path: str) -> None:
    """OPTIONS of an address where nothing is finds nothing."""
    answer = service.client().options(path)
    assert (answer.status_code, code_of(answer)) == (404, "not-found")


@pytest.mark.parametrize(
    ("headers", "content", "status", "code"),
    [
        (JSON, b"{", 400, "syntax"),
        (JSON, b"\xff", 400, "syntax"),
        ({"Content-Type": "text/plain"}, b"{}", 415, "unsupported-media"),
        ({"Content-Type": "application/xml"}, b"<a/>", 415, "unsupported-media"),
        ({}, b"{}", 415, "unsupported-media"),
        (JSON, b"[]", 422, "request"),
        (JSON, b"", 422, "request"),
    ],
)
def test_a_body_that_is_none_is_told_apart(
    service: Service, headers: dict[str, str], content: bytes, status: int, code: str
) -> None:
    """Broken JSON, another media type and another shape each have a status of their own."""
    client = service.client("anna")
    answer = client.post(REPORTS, content=content, headers=headers)
    assert (answer.status_code, code_of(answer)) == (status, code)


@pytest.mark.parametrize("headers", [JSON, {"Content-Type": "text/plain"}])
def test_a_stranger_is_told_nothing_about_a_body(service: Service, headers: dict[str, str]) -> None:
    """Whoever is not known is told so, whatever is wrong with the body."""
    answer = service.client().post(REPORTS, content=b"{", headers=headers)
    assert (answer.status_code, code_of(answer)) == (401, "authentication")


def _walk(client: TestClient, path: str, key: str) -> list[Any]:
    found = []
    while path:
        answer = client.get(path)
        found += [each[key] for each in answer.json()["items"]]
        path = answer.links.get("next", {}).get("url", "")
    return found


@pytest.mark.parametrize(
    ("login", "path", "key"),
    [
        ("anna", f"{REPORTS}?state=draft&limit=1", "sop_instance_uid"),
        ("ida", "/api/v1/audit-events?action=report-created&limit=2", "sequence"),
    ],
)
def test_a_list_names_its_next_page(
    service: Service, anna: TestClient, login: str, path: str, key: str
) -> None:
    """Following the links gives every entry once, with the filters kept."""
    assert anna
    found = _walk(service.client(login), path, key)
    assert len(found) == len(set(found)) == 3


def test_a_last_page_names_none(anna: TestClient) -> None:
    """The last page has no link, nor has an empty one."""
    assert "link" not in anna.get(REPORTS).headers
    assert "link" not in anna.get(f"{REPORTS}?state=approved").headers
