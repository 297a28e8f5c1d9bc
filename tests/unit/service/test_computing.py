"""Few compute at a time; who only looks something up is answered meanwhile."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from threading import Semaphore

import pytest

from sr.errors import NotDICOMError
from sr.service.checking.verdicts import verdict_on
from sr.service.context import Context
from tests.support.service import Service, open_service
from tests.support.signing import draft


@pytest.fixture
def service(tmp_path: Path) -> Service:
    """Return a service with a draft."""
    service = open_service(tmp_path)
    draft(service)
    return service


class _Places(Semaphore):
    """Places for which nobody waits."""

    def __enter__(self) -> bool:  # type: ignore[override]
        """Take one, or fail."""
        if not self.acquire(blocking=False):
            raise BlockingIOError
        return True


def _places(context: Context) -> int:
    """Return how many may compute now."""
    taken = 0
    while context.computing.acquire(blocking=False):
        taken += 1
    for _ in range(taken):
        context.computing.release()
    return taken


def _content(service: Service) -> bytes:
    client = service.client("anna")
    uid = client.get("/api/v1/reports").json()["items"][0]["sop_instance_uid"]
    content: bytes = client.get(f"/api/v1/reports/{uid}/file").content
    return content


def test_a_list_needs_no_place(service: Service) -> None:
    """Lists are answered while others compute in every place there is."""
    for _ in range(_places(service.context)):
        service.context.computing.acquire()
    assert service.client("anna").get("/api/v1/reports").status_code == 200


@pytest.mark.parametrize("places", [0, 1])
def test_a_verdict_needs_a_place(service: Service, places: int) -> None:
    """A verdict is computed in a place; where there is none it is not computed."""
    content = _content(service)
    context = replace(service.context, computing=_Places(places))
    with nullcontext() if places else pytest.raises(BlockingIOError):
        assert verdict_on(context, content, "file").indication.value == "NOT_SIGNED"


def test_a_place_is_left(service: Service) -> None:
    """Who fails leaves the place to the next, as does who succeeds."""
    before = _places(service.context)
    with pytest.raises(NotDICOMError):
        verdict_on(service.context, b"nothing", "file")
    verdict_on(service.context, _content(service), "file")
    assert _places(service.context) == before > 0
