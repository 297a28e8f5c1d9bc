"""A disk that is full or fails: refused cleanly, nothing half done, and it goes on afterwards."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, text

from sr.errors import ExternalServiceError
from sr.service.operation.demonstration import principal_for
from sr.service.operation.recovery import recover
from sr.service.signing.signing_sessions import complete_session
from sr.store.documents import DocumentState
from tests.support.peers import STRACE, require_peer, run_peer
from tests.support.races import at_once, signatures_on
from tests.support.service import Service, open_service
from tests.support.signing import draft, now, opened, sign, values_of
from tests.support.soundness import faults

_FAULTS = {
    "every seventh sync fails": "fsync,fdatasync:error=EIO:when=9+7",
    "every sync fails for a while": "fsync,fdatasync:error=EIO:when=9..30",
    "every twentieth write fails": "pwrite64:error=EIO:when=50+20",
    "the disk is full for a while": "pwrite64:error=ENOSPC:when=60..140",
}
_QUICK = ("every seventh sync fails", "the disk is full for a while")


@pytest.mark.peer
@pytest.mark.parametrize("fault", _QUICK)
def test_disk_that_fails(tmp_path: Path, fault: str) -> None:
    """Whatever write or sync fails, steps are done or refused as a whole."""
    _sign_with(tmp_path, fault, documents=5)


@pytest.mark.peer
@pytest.mark.prove
@pytest.mark.parametrize("fault", _FAULTS)
def test_disk_that_fails_for_long(tmp_path: Path, fault: str) -> None:
    """So they are over many documents, however the disk fails."""
    _sign_with(tmp_path, fault, documents=25)


def _sign_with(tmp_path: Path, fault: str, *, documents: int) -> None:
    require_peer(STRACE)
    folder = tmp_path / "service"
    open_service(folder).context.database.close()
    load = (sys.executable, "-m", "tests.support.fault_load", folder, documents)
    calls = _FAULTS[fault].partition(":")[0]
    inject = ("-f", "-e", f"trace={calls}", "-e", f"inject={_FAULTS[fault]}")
    said = run_peer(STRACE, "-qq", "-o", tmp_path / "calls", *inject, *load).output
    outcomes = Counter(said.split())
    assert set(outcomes) == {"done", "external-service"}, said
    service = open_service(folder)
    recover(service.context)
    assert faults(service) == []
    assert sign(service, draft(service)).state is DocumentState.SIGNED


def _limit(service: Service, pages: int) -> None:
    """Let the database take no more than some pages, for connections from now on."""

    def limited(connection: Any, _record: object) -> None:
        connection.execute(f"PRAGMA max_page_count = {pages}")

    service.context.database.engine.dispose()
    event.listen(service.context.database.engine, "connect", limited)


def _pages(service: Service) -> int:
    with service.context.database.read() as connection:
        return int(connection.execute(text("PRAGMA page_count")).scalar_one())


def test_database_that_is_full(tmp_path: Path) -> None:
    """Where there is no room a signature is refused as a whole, and made when there is room."""
    service = open_service(tmp_path)
    document = draft(service)
    session = opened(service, document)
    values = values_of(service, session)
    anna = principal_for("anna")
    _limit(service, _pages(service))
    assert at_once(1, lambda _: [opened(service, document) for _ in range(50)]) == {
        "external-service": 1
    }
    with pytest.raises(ExternalServiceError):
        complete_session(service.context, anna, session.session.id, values)
    assert now(service, document).state is DocumentState.DRAFT
    assert faults(service) == []
    _limit(service, 1 << 30)
    assert complete_session(service.context, anna, session.session.id, values)
    assert signatures_on(service, document) == [("1", "anna")]
    assert faults(service) == []


def test_full_over_http(tmp_path: Path) -> None:
    """A caller is told 503 and nothing of what the database said."""
    service = open_service(tmp_path)
    client = service.client("anna")
    uid = draft(service).sop_instance_uid
    _limit(service, _pages(service))
    statuses = {client.get(f"/api/v1/reports/{uid}").status_code for _ in range(30)}
    assert statuses == {200, 503}
    answer = client.get(f"/api/v1/reports/{uid}")
    assert answer.json()["type"].endswith(":external-service")
    assert "sqlite" not in answer.text.lower()
    _limit(service, 1 << 30)
    assert client.get(f"/api/v1/reports/{uid}").status_code == 200
