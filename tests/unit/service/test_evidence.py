"""Evidence folders: what is in them now, and nothing that only a link in them leads to."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from sr.errors import ConfigurationError
from sr.service.authoring.evidence import EvidenceRoots
from tests.support.service import Service, open_service


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Service:
    """Return a service whose images are copied from."""
    return open_service(tmp_path_factory.mktemp("images"))


@pytest.fixture
def folder(service: Service, tmp_path: Path) -> Path:
    """Return an evidence folder with one study of two images."""
    return Path(shutil.copytree(service.world.evidence, tmp_path / "evidence"))


def _names(roots: EvidenceRoots) -> list[str]:
    return sorted(path.name for paths in roots.studies().values() for path in paths)


def test_what_is_added_changed_and_gone_is_seen(service: Service, folder: Path) -> None:
    """A folder is as it is at each question."""
    roots = EvidenceRoots((folder,))
    (image, other) = sorted(next(folder.iterdir()).iterdir())
    before = _names(roots)
    shutil.copy(image, folder / "new.dcm")
    assert _names(roots) == sorted([*before, "new.dcm"])
    (folder / "new.dcm").write_bytes(b"no image any more")
    assert _names(roots) == before
    other.unlink()
    assert _names(roots) == [image.name]
    assert list(roots.studies()) == [service.world.studies[0]]


def test_headers_are_read_once(folder: Path) -> None:
    """While names, times and sizes of the files stay the same they are not opened again."""
    roots = EvidenceRoots((folder,))
    found = roots.studies()
    image = next(next(folder.iterdir()).iterdir())
    state = image.stat()
    image.write_bytes(bytes(state.st_size))
    os.utime(image, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert roots.studies() == found
    assert EvidenceRoots((folder,)).studies() != found


@pytest.mark.parametrize("kind", ["file", "folder", "nothing", "pipe"])
def test_links_do_not_lead_out(folder: Path, tmp_path: Path, kind: str) -> None:
    """What lies outside of the folders is no evidence, nor is what never ends."""
    roots = EvidenceRoots((folder,))
    before = _names(roots)
    outside = tmp_path / "outside"
    shutil.copytree(folder, outside)
    image = next(next(outside.iterdir()).iterdir())
    if kind == "pipe":
        os.mkfifo(folder / "link.dcm")
    else:
        target = {"file": image, "folder": outside, "nothing": tmp_path / "gone"}[kind]
        (folder / "link.dcm").symlink_to(target)
    assert _names(roots) == before


def test_folder_behind_a_link_is_a_folder(folder: Path, tmp_path: Path) -> None:
    """The operator may name a link: what it leads to is inside."""
    (tmp_path / "named").symlink_to(folder)
    assert _names(EvidenceRoots((tmp_path / "named",))) == _names(EvidenceRoots((folder,)))


def test_folder_that_is_gone_is_missed(folder: Path) -> None:
    """A folder that there was, and is not, is no empty folder."""
    roots = EvidenceRoots((folder,))
    for path in next(folder.iterdir()).iterdir():
        path.unlink()
    assert roots.studies() == {}
    shutil.rmtree(folder)
    with pytest.raises(ConfigurationError):
        roots.studies()
