"""Names, secrets and paths in every place of every request: nothing leaks, nothing is opened."""

from __future__ import annotations

import sys
from io import StringIO
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from sr.service.access import Role
from sr.store.people import change_user
from sr.store.schema import audit_events
from tests.support.canary import PATIENT_CANARY, PIN_CANARY, TEXT_CANARY
from tests.support.operations import Operation, operations
from tests.support.service import Service, open_service

KEY, COOKIE, PASSWORD = "key-kanari-11", "cookie-kanari-22", "password-kanari-33"
JWT = "eyJhbGciOiJSUzI1NiJ9.a2FuYXJp.dG9rZW4ta2FuYXJp"
SECRETS = (KEY, COOKIE, PASSWORD, JWT, PIN_CANARY)
PATIENT = ("Kanarienvogel", TEXT_CANARY)
HERE = "http://srsign.test"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Service:
    """Return a service of this module, with a file beside its folder."""
    folder = tmp_path_factory.mktemp("house")
    (folder / "outside").write_text("what nobody may read")
    service = open_service(folder / "inside")
    with service.context.database.write() as connection:
        change_user(connection, "root", {"roles": list(Role)})
    return service


@pytest.fixture(scope="module")
def all_operations(service: Service) -> tuple[Operation, ...]:
    """Return every operation that the API describes."""
    return tuple(operations(service.client().get("/openapi.json").json()))


def _callers(service: Service, log: StringIO) -> list[TestClient]:
    """Return strangers with secrets, and somebody who may do everything."""
    clients = []
    for headers in (
        {"Authorization": f"Bearer {KEY}"},
        {"Authorization": f"Bearer {JWT}"},
        {"Authorization": f"Basic {PASSWORD}"},
        {"Cookie": f"srsign={COOKIE}"},
    ):
        client = service.client(log=log)
        client.headers.update(headers)
        clients.append(client)
    return [*clients, service.client("root", log=log)]


def _hits(text: str, canaries: tuple[str, ...]) -> list[str]:
    return [canary for canary in canaries if canary in text]


@pytest.mark.parametrize("whole", [False, pytest.param(True, marks=pytest.mark.prove)])
def test_errors_and_log_hold_no_name_and_no_secret(
    service: Service, all_operations: tuple[Operation, ...], whole: bool
) -> None:
    """Whatever is put into addresses, headers and bodies, no error and no log line repeats it.

    Strangers, who are refused whatever they send, send one thing to each operation, or everything.
    """
    log, found, size = StringIO(), [], 0
    sent: tuple[dict[str, Any], ...] = (
        {"text": PATIENT_CANARY},
        {"text": TEXT_CANARY, "pin": PIN_CANARY, PATIENT_CANARY: TEXT_CANARY},
        {"body": f'{{"{PATIENT_CANARY}": "{PIN_CANARY}'.encode()},
    )
    *strangers, known = _callers(service, log)
    for client in (*strangers, known):
        client.headers["X-Patient"] = TEXT_CANARY
        for n, operation in enumerate(all_operations):
            for fields in sent if whole or client is known else (sent[n % len(sent)],):
                answer = operation.call(client, **fields)
                said = answer.text if answer.status_code >= 400 else ""
                size += len(said)
                hits = _hits(said, (*SECRETS, *PATIENT))
                if hits:
                    found.append((operation.name, answer.status_code, hits, said[:200]))
    written = log.getvalue()
    assert not found
    assert not _hits(written, (*SECRETS, *PATIENT))
    assert size > 10_000
    assert written.count("\n") > len(all_operations)


def test_the_audit_holds_no_secret(service: Service, all_operations: tuple[Operation, ...]) -> None:
    """The audit names who was refused, never with what."""
    for client in _callers(service, StringIO()):
        for operation in all_operations[:5]:
            operation.call(client, text=PIN_CANARY)
    browser = service.browser()
    browser.post("/login", data={"login": PASSWORD, "password": PASSWORD})
    browser.get("/login/callback", params={"code": PASSWORD, "state": KEY})
    with service.context.database.read() as connection:
        rows = connection.execute(select(audit_events.c.encoded)).scalars()
        text = b"\n".join(rows).decode()
    assert len(text) > 10_000
    assert not _hits(text, SECRETS)


def test_a_search_finds_a_canary_that_is_there() -> None:
    """The search of these tests is one."""
    assert _hits(f"… {JWT} …", SECRETS) == [JWT]


PATHS = (
    "..%2foutside", "..%2f..%2foutside", "%2e%2e%2foutside", "..%5coutside", "%2foutside",
    "%252e%252e%252foutside", "..%00outside", "outside%00.dcm", "%ef%bc%8e%ef%bc%8e%2foutside",
    "%e2%80%a5%2foutside", "..%c0%afoutside", "file:%2f%2f%2foutside", "....%2f%2foutside",
    "1." * 40 + "1",
)  # fmt: skip
_OPENED: list[str] = []
_WATCH = [False]


def _watch(event: str, arguments: tuple[object, ...]) -> None:
    if _WATCH[0] and event in ("open", "os.listdir", "os.scandir", "os.mkdir", "os.rename"):
        _OPENED.append(str(arguments[0]))


@pytest.fixture
def opened():
    """Return what was opened since the test began, as Python itself reports it."""
    if not _OPENED:
        sys.addaudithook(_watch)  # stays for good, and is silent outside of these tests
        _OPENED.append("")
    _OPENED[1:] = []
    _WATCH[0] = True
    yield _OPENED
    _WATCH[0] = False


def _outside(opened: list[str]) -> list[str]:
    return [path for path in opened if "outside" in path]


def test_the_watch_sees_what_is_opened(service: Service, opened: list[str]) -> None:
    """A file that is read is noticed."""
    (service.world.folder.parent / "outside").read_text()
    assert _outside(opened)


def test_no_parameter_is_a_path(
    service: Service, all_operations: tuple[Operation, ...], opened: list[str]
) -> None:
    """A way out of the folder, in whatever spelling, opens nothing and is no fault."""
    client, tried = service.client("root"), 0
    for operation in all_operations:
        if "{" not in operation.path:
            continue
        for path in PATHS:
            answer = operation.call(client, raw=path)
            assert 400 <= answer.status_code < 500, (operation.name, path)
            assert "what nobody" not in answer.text
            tried += 1
    assert tried > 300
    assert not _outside(opened)


def test_no_file_outside_is_served(service: Service, opened: list[str]) -> None:
    """Static files are those of the package."""
    browser = service.browser("anna")
    for path in PATHS:
        for place in ("/static/", "/static/x/", "/"):
            assert browser.get(place + path).status_code in (307, 404, 422)
    assert not _outside(opened)


@pytest.mark.parametrize(
    "name",
    ["../outside", "/outside", "..\\outside", "a/../../outside", "outside\x00.dcm", "‥/outside"],
)
def test_no_upload_is_a_path(
    service: Service, all_operations: tuple[Operation, ...], opened: list[str], name: str
) -> None:
    """The name of an upload is no place in the file system."""
    around = service.world.folder.parent
    before = sorted(around.iterdir())
    uploads = [
        each
        for each in all_operations
        if "multipart/form-data" in each.declared.get("requestBody", {}).get("content", {})
    ]
    assert uploads
    for operation in uploads:
        answer = operation.call(service.client("root"), file_name=name)
        assert answer.status_code < 500
    assert sorted(around.iterdir()) == before
    assert not _outside(opened)
