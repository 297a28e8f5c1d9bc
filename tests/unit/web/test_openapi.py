"""The OpenAPI file says who may call what, and how it fails."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from sr.service.access import Permission
from sr.web.operations import AGENT, ANYBODY, EVERYBODY, PROBLEM_MEDIA_TYPE
from tests.support.service import Service, open_service


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Service:
    """Return a service of this module."""
    return open_service(tmp_path_factory.mktemp("openapi"), slices=1)


@pytest.fixture(scope="module")
def document(service: Service) -> dict[str, Any]:
    """Return the description of the API."""
    return service.client().get("/openapi.json").json()


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every operation of the API with its name."""
    for path, item in document["paths"].items():
        if path.startswith("/api/"):
            for method, operation in item.items():
                yield f"{method.upper()} {path}", operation


def test_every_operation_says_who_may_call_it(document: dict[str, Any]) -> None:
    """Each operation names a permission of the table, or that any role will do."""
    known = {*Permission, ANYBODY, AGENT, EVERYBODY}
    wrong = [name for name, each in operations(document) if each.get("x-permission") not in known]
    assert not wrong


def test_every_operation_explains_itself(document: dict[str, Any]) -> None:
    """Each operation has a description, and a name that no other has."""
    found = dict(operations(document))
    assert not [name for name, each in found.items() if not each.get("description")]
    assert len({each["operationId"] for each in found.values()}) == len(found)


def test_every_error_is_a_problem(document: dict[str, Any]) -> None:
    """Each response of 400 and above is declared as a problem, and as nothing else."""
    wrong = [
        f"{name} {status}"
        for name, each in operations(document)
        for status, response in each["responses"].items()
        if status >= "400" and list(response["content"]) != [PROBLEM_MEDIA_TYPE]
    ]
    assert not wrong


def test_an_operation_says_that_callers_may_be_refused(document: dict[str, Any]) -> None:
    """Each operation declares what unknown and unentitled callers are told."""
    wrong = [n for n, each in operations(document) if not {"401", "403"} <= set(each["responses"])]
    assert not wrong


def test_no_framework_error_is_left(document: dict[str, Any]) -> None:
    """The framework's own shape of an error is not part of the description."""
    assert "HTTPValidationError" not in document["components"]["schemas"]


def _misfits(document: dict[str, Any]) -> list[str]:
    """Return the schemas one of whose own examples does not fit."""
    wrong = []
    for name, schema in document["components"]["schemas"].items():
        whole = Draft202012Validator(
            {"$ref": f"#/components/schemas/{name}", "components": document["components"]}
        )
        if not all(whole.is_valid(each) for each in schema.get("examples", ())):
            wrong.append(name)
    return wrong


def test_every_example_fits_its_schema(document: dict[str, Any]) -> None:
    """What is shown as an example could be sent."""
    assert _misfits(document) == []
    broken = deepcopy(document)
    broken["components"]["schemas"]["NewReport"]["required"].append("nothing")
    broken["components"]["schemas"]["Problem"]["properties"]["status"]["maximum"] = 400
    assert _misfits(broken) == ["NewReport", "Problem"]


def test_a_report_is_written_as_the_example_says(
    service: Service, document: dict[str, Any]
) -> None:
    """The example of a report, about a study that is there, makes a draft."""
    (example,) = document["components"]["schemas"]["NewReport"]["examples"]
    client = service.client("anna")
    assert client.post("/api/v1/reports", json=example).status_code == 422
    body = {**example, "study_instance_uid": service.world.studies[0]}
    assert client.post("/api/v1/reports", json=body).status_code == 201


def test_no_name_is_one_of_the_code(document: dict[str, Any]) -> None:
    """Schemas have names of their own, none with a module in it because two are the same."""
    assert not [name for name in document["components"]["schemas"] if not name.isalnum()]


def test_every_answer_says_what_is_in_it(document: dict[str, Any]) -> None:
    """Each response has a content, but those that have none by their status."""
    wrong = [
        f"{name} {status}"
        for name, each in operations(document)
        for status, response in each["responses"].items()
        if ("content" in response) is (status in ("204", "304"))
    ]
    assert not wrong


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/api/v1/nowhere", 404), ("DELETE", "/api/v1/reports", 405)],
)
def test_what_the_framework_refuses_is_a_problem(
    service: Service, method: str, path: str, status: int
) -> None:
    """Unknown paths and methods are refused with a problem, and 405 names those there are."""
    answer = service.client().request(method, path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == PROBLEM_MEDIA_TYPE
    assert answer.json()["status"] == status
    assert ("allow" in answer.headers) == (status == 405)
