"""The files that pages load."""

from __future__ import annotations

import re
from hashlib import sha256
from pathlib import Path

import pytest

from tests.support.service import Service, open_service

STATIC = Path("sr/web/static")
ROW = re.compile(r"^\| ([\w.-]+) \|.*`([0-9a-f]{64})` \|$", re.MULTILINE)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Service:
    """Return a service of this module."""
    return open_service(tmp_path_factory.mktemp("service"))


def test_files_of_others_are_as_published(repository: Path) -> None:
    """Each vendored file has a licence beside it and the digest that the list gives."""
    folder = repository / STATIC / "vendor"
    listed = dict(ROW.findall((folder / "README.md").read_text("utf-8")))
    code = {path.name for path in folder.iterdir() if path.suffix in (".css", ".js")}
    assert listed.keys() == code
    for name, digest in listed.items():
        assert sha256((folder / name).read_bytes()).hexdigest() == digest
        assert list(folder.glob(f"{name.split('-')[0]}-LICENSE*"))


def test_files_load_nothing_from_elsewhere(repository: Path) -> None:
    """Our own style and script name no other site."""
    for name in ("srsign.css", "srsign.js"):
        text = (repository / STATIC / name).read_text("utf-8")
        assert not re.search(r"https?:|//[a-z]+\.|eval\(|innerHTML", text), name


@pytest.mark.parametrize(
    "path", ["/static/../login.py", "/static/%2e%2e/login.py", "/static/", "/static/none.css"]
)
def test_nothing_else_is_served(service: Service, path: str) -> None:
    """A path that leads out of the folder, or to a folder, finds nothing."""
    assert service.client().get(path).status_code == 404


def test_style_and_script_are_served(service: Service) -> None:
    """The files that a page names are there, for anybody."""
    client = service.client()
    for name in re.findall(r'(?:href|src)="(/static/[\w./-]+)"', client.get("/login").text):
        assert client.get(name).status_code == 200, name
