"""The memory of MACs: when it answers, and when it must not."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sr.app.checks.mac_cache import remembered_mac
from sr.app.files import open_dicom
from sr.errors import ConfigurationError
from sr.mac import compute_mac
from tests.support.story import Story


@pytest.fixture
def image(story: Story, tmp_path: Path) -> Path:
    """Return a copy of an image that a test may change."""
    copy = tmp_path / "image.dcm"
    copy.write_bytes((story.out / "evidence" / "001.dcm").read_bytes())
    return copy


def alter(image: Path) -> None:
    """Change the last byte of an image, keeping its size."""
    data = bytearray(image.read_bytes())
    data[-1] ^= 1
    image.write_bytes(data)


def test_first_answer_is_computed(image: Path, tmp_path: Path) -> None:
    """A memory that knows nothing gives what computing gives."""
    file = open_dicom(image)
    assert remembered_mac(tmp_path / "memory", image, file) == compute_mac(file)


def test_unchanged_file_is_answered_from_memory(image: Path, tmp_path: Path) -> None:
    """The same file, by all four marks, is not computed again: even altered bytes go unnoticed."""
    memory, before = tmp_path / "memory", image.stat()
    known = remembered_mac(memory, image, open_dicom(image))
    alter(image)
    os.utime(image, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert remembered_mac(memory, image, open_dicom(image)) == known


@pytest.mark.parametrize("mark", ["time", "size", "inode", "path"])
def test_any_changed_mark_is_computed_anew(image: Path, tmp_path: Path, mark: str) -> None:
    """A file that differs in time, size, inode or path is computed again."""
    memory, before = tmp_path / "memory", image.stat()
    remembered_mac(memory, image, open_dicom(image))
    if mark == "path":
        moved = tmp_path / "other.dcm"
        image.rename(moved)
        image = moved
    if mark == "inode":
        other = tmp_path / "other.dcm"
        other.write_bytes(image.read_bytes())
        other.replace(image)
    alter(image)
    if mark == "size":
        image.write_bytes(image.read_bytes() + b"\xfc\xff\xfc\xffOB\0\0\0\0\0\0")
    if mark != "time":
        os.utime(image, ns=(before.st_atime_ns, before.st_mtime_ns))
    file = open_dicom(image)
    assert remembered_mac(memory, image, file) == compute_mac(file)


def test_a_memory_that_is_none_is_an_error(image: Path, tmp_path: Path) -> None:
    """A file that is no memory is refused, not overwritten."""
    memory = tmp_path / "memory"
    memory.write_bytes(b"something else entirely, and long enough to be no database" * 20)
    with pytest.raises(ConfigurationError):
        remembered_mac(memory, image, open_dicom(image))
    assert memory.read_bytes().startswith(b"something else")
