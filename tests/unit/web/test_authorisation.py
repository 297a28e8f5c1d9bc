"""Every role at every operation for every purpose, from the description of the API."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from hashlib import sha256

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import update

from sr.codes import SignaturePurpose
from sr.service.access import ALLOWED, PURPOSES, Permission, Role
from sr.store.people import User, add_api_key, add_user
from sr.store.schema import api_keys, users, web_sessions
from sr.web.application import create_application
from sr.web.operations import AGENT, ANYBODY, EVERYBODY
from tests.support.operations import Operation, operations
from tests.support.page_routes import page_routes
from tests.support.service import Service, open_service

OPEN = {"GET /livez", "GET /readyz"}
"""Operations for everybody."""


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Service:
    """Return a service with a user for each role, who has no other."""
    service = open_service(tmp_path_factory.mktemp("service"))
    with service.context.database.write() as connection:
        for role in (*Role, None):
            name = f"only-{role}"
            user = User(
                id=name, login=name, display_name=name, person_name=name, organization="",
                roles=(role.value,) if role else (), created_at=service.clock(),
            )  # fmt: skip
            add_user(connection, user)
    return service


@pytest.fixture(scope="module")
def all_operations(service: Service) -> tuple[Operation, ...]:
    """Return every operation that the API describes."""
    return tuple(operations(service.client().get("/openapi.json").json()))


def _may(role: Role | None, operation: Operation) -> bool:
    if operation.permission in (ANYBODY, EVERYBODY):
        return True
    if operation.permission == AGENT:
        return False
    return role in ALLOWED[Permission(operation.permission)]


def _names_purpose(operation: Operation) -> bool:
    content = operation.declared.get("requestBody", {}).get("content", {})
    schema = content.get("application/json", {}).get("schema")
    return bool(schema) and "purpose" in operation.sample(schema)


def _is_right(status: int, operation: Operation, *, allowed: bool) -> bool:
    if operation.permission == AGENT:
        return status == 401  # whoever is no agent is a stranger there
    return (status not in (401, 403)) if allowed else status == 403


def test_every_operation_says_who_may(all_operations: tuple[Operation, ...]) -> None:
    """Only what tells machines that the service lives is for everybody."""
    assert {each.name for each in all_operations if each.permission is None} == OPEN


def test_every_role_at_every_operation(
    service: Service, all_operations: tuple[Operation, ...]
) -> None:
    """A role does what the table says it may, and nothing else."""
    cells: Counter[bool] = Counter()
    wrong = []
    for role in (*Role, None):
        client = service.client(f"only-{role}")
        for operation in all_operations:
            if operation.permission is None:
                continue
            status = operation.call(client).status_code
            right = _is_right(status, operation, allowed=_may(role, operation))
            cells[right] += 1
            if not right:
                wrong.append((role, operation.name, status))
    print(f"cells right {cells[True]} of {cells.total()}")  # noqa: T201
    assert not wrong
    assert cells.total() >= 7 * 6


def test_every_role_for_every_purpose(
    service: Service, all_operations: tuple[Operation, ...]
) -> None:
    """A role signs for the purposes of the table, and for no other, wherever a purpose is said."""
    said = [each for each in all_operations if _names_purpose(each)]
    cells: Counter[bool] = Counter()
    wrong = []
    for role in (*Role, None):
        client = service.client(f"only-{role}")
        for operation in said:
            for purpose in SignaturePurpose:
                allowed = _may(role, operation) and purpose in PURPOSES.get(role, ())
                status = operation.call(client, purpose=purpose.slug).status_code
                right = _is_right(status, operation, allowed=allowed)
                cells[right] += 1
                if not right:
                    wrong.append((role, purpose.slug, operation.name, status))
    print(f"cells right {cells[True]} of {cells.total()}")  # noqa: T201
    assert said
    assert not wrong


def test_purposes_are_declared_where_they_are_said(all_operations: tuple[Operation, ...]) -> None:
    """An operation whose body names a purpose declares that the purpose decides."""
    for operation in all_operations:
        if _names_purpose(operation):
            assert operation.declared.get("x-purposes"), operation.name


def _nobody(service: Service) -> TestClient:
    return service.client()


def _bad_key(service: Service) -> TestClient:
    client = service.client()
    client.headers["Authorization"] = "Bearer " + "0" * 32
    return client


def _key(service: Service, login: str) -> tuple[TestClient, str]:
    client = service.client()
    key = f"key of {login}"
    client.headers["Authorization"] = f"Bearer {key}"
    return client, sha256(key.encode()).hexdigest()


def _revoked_key(service: Service) -> TestClient:
    client, digest = _key(service, "sam")
    with service.context.database.write() as connection:
        add_api_key(
            connection, id="revoked", digest=digest, user_id="sam", label="", at=service.clock()
        )
        connection.execute(
            update(api_keys).where(api_keys.c.id == "revoked").values(revoked_at=service.clock())
        )
    return client


def _old_key(service: Service) -> TestClient:
    client, digest = _key(service, "anna")
    with service.context.database.write() as connection:
        add_api_key(
            connection, id="old", digest=digest, user_id="anna", label="", at=service.clock(),
            expires_at=service.clock(),
        )  # fmt: skip
    return client


def _old_cookie(service: Service) -> TestClient:
    browser = service.browser("sam")
    with service.context.database.write() as connection:
        connection.execute(
            update(web_sessions).values(expires_at=service.clock() - timedelta(hours=1))
        )
    return browser


def _disabled(service: Service) -> TestClient:
    client = service.client("only-admin")
    with service.context.database.write() as connection:
        connection.execute(
            update(users).where(users.c.id == "only-admin").values(disabled_at=service.clock())
        )
    return client


@pytest.mark.parametrize(
    "stranger", [_nobody, _bad_key, _revoked_key, _old_key, _old_cookie, _disabled]
)
def test_strangers_are_refused_everywhere(
    service: Service,
    all_operations: tuple[Operation, ...],
    stranger: Callable[[Service], TestClient],
) -> None:
    """Whom nobody knows gets nothing, whatever the body."""
    client = stranger(service)
    for operation in all_operations:
        if operation.name not in OPEN and operation.permission != EVERYBODY:
            assert operation.call(client).status_code == 401, operation.name
            if operation.declared.get("requestBody"):
                said = operation.call(client, body=b"{").status_code
                assert said == 401, operation.name


def test_what_declares_nothing_is_for_nobody(service: Service) -> None:
    """A route of the API that forgets its permission refuses everybody."""
    app = create_application(service.context)
    from fastapi import APIRouter

    from sr.web.guard.authorisation import GUARD

    router = APIRouter()
    router.add_api_route("/forgotten", lambda: "secret")
    app.include_router(router, dependencies=[GUARD])
    known = TestClient(app, headers=service.client("only-author").headers)
    assert known.get("/forgotten").status_code == 403
    assert TestClient(app).get("/forgotten").status_code == 401


def test_the_role_decides_and_not_the_use_case_alone(service: Service) -> None:
    """A caller without any role is refused before anything is looked up."""
    assert service.client("only-None").get("/api/v1/reports/1.2.3").status_code == 403


def test_strangers_see_no_page(service: Service) -> None:
    """Without a login every page but that of the login itself leads there."""
    browser, seen = service.browser(), []
    for method, route in page_routes():
        path = re.sub(r"\{[^}]+\}", "1.2.3", route)
        answer = browser.request(method, path, follow_redirects=False)
        seen.append((method, path, answer.status_code, answer.headers.get("location", "")))
    closed = [each for each in seen if not each[1].startswith(("/login", "/theme"))]
    assert len(closed) >= 5
    for method, path, status, location in closed:
        assert status == 401 or (status == 303 and location.startswith("/login")), (method, path)
