"""The page about the HTTP API says what is true: its program runs, its addresses are there."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.support.api import VALUES, served
from tests.support.service import Service, open_service

PAGE = Path(__file__).resolve().parents[3] / "docs" / "howto" / "use-the-http-api.md"
_FILLED = {"UID": "2.25.1", "SESSION": "0" * 32, "JOB": "0" * 32}
_BODIES = ("-d", "-F", "--data-binary")


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Service:
    """Return a service of this module."""
    return open_service(tmp_path_factory.mktemp("page"), slices=1)


def _blocks(kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```", PAGE.read_text("utf-8"), re.M | re.S)


def _requests() -> list[tuple[str, str]]:
    """Return method and path of each request that the page shows."""
    found = []
    for line in "".join(_blocks("sh")).splitlines():
        words = shlex.split(line)
        if words[0] != "curl":
            continue
        method = "POST" if any(word in _BODIES for word in words) else "GET"
        if "-X" in words:
            method = words[words.index("-X") + 1]
        url = next(word for word in words if "/api/" in word)
        for name, value in _FILLED.items():
            url = url.replace(f"${name}", value)
        found.append((method, urlsplit(url.replace("$SRSIGN", "http://srsign")).path))
    return found


def test_the_program_of_the_page_runs(service: Service) -> None:
    """What the page shows in Python writes and signs a report over a real server."""
    (program,) = _blocks("python")
    key = service.client("anna").headers["authorization"].partition(" ")[2]
    with served(service) as url, service.signer("author") as signer:
        names = {"url": url, "token": key, "values": VALUES["values"], "signer": signer}
        exec(compile(program, str(PAGE), "exec"), names)  # noqa: S102 - our own page


@pytest.mark.parametrize(("method", "path"), _requests())
def test_the_addresses_of_the_page_are_there(service: Service, method: str, path: str) -> None:
    """Each request that the page shows is an operation of the description."""
    paths = service.client().get("/openapi.json").json()["paths"]
    known = {
        re.sub(r"\{\w+\}", "[^/]+", known): set(map(str.upper, item))
        for known, item in paths.items()
    }
    assert any(re.fullmatch(p, path) and method in methods for p, methods in known.items())
