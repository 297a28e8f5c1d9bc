"""What the records of a DICOMDIR say, before anybody looks at a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from sr.app.files import open_dicom
from sr.document.file_set import FileSet, read_file_set
from tests.support.datasets import ct_files
from tests.support.discs import respelt, write_disc

FILE_ID = b"PT000000\\ST000000\\SE000000\\IM000000"


@pytest.fixture
def disc(tmp_path: Path) -> Path:
    """Return the DICOMDIR of a disc with two images."""
    return write_disc(tmp_path / "disc", ct_files(2))


def _read(disc: Path, old: bytes = b"", new: bytes = b"") -> FileSet:
    if old:
        respelt(disc, old, new.ljust(len(old)))
    return read_file_set(open_dicom(disc))


def test_records_name_file_class_and_instance(disc: Path) -> None:
    """Patient, study and series name nothing."""
    found = _read(disc)
    assert [record.file_id[-1] for record in found.records] == ["IM000000", "IM000001"]
    assert [record.where for record in found.records] == ["(0004,1220)[3]", "(0004,1220)[4]"]
    assert {len(record.file_id) for record in found.records} == {4}
    assert found.faults == ()


@pytest.mark.parametrize("file_id", [b"img\\ct-1.dcm", b"A\\B\\C\\D\\E\\F\\G\\H", b"IM_000000000"])
def test_names_on_real_discs_are_taken(disc: Path, file_id: bytes) -> None:
    """Lower case, dots, hyphens and long names lead nowhere but into the folder."""
    assert _read(disc, FILE_ID, file_id).faults == ()


@pytest.mark.parametrize(
    "file_id",
    [
        b"PT000000\\..\\PT000000\\IM000000",
        b"..\\disc\\PT000000",
        b".\\PT000000\\IM000000",
        b"/etc/passwd",
        b"PT000000/IM000000",
        b"PT000000\\\\IM000000",
        b".hidden",
        b"IM\x00000000",
        b"IM 00000",
        b"C:\\IM000000",
        b"A\\B\\C\\D\\E\\F\\G\\H\\I",
    ],
)
def test_what_is_no_file_id(disc: Path, file_id: bytes) -> None:
    """Nothing that could lead upwards, or mean something to a file system, is followed."""
    found = _read(disc, FILE_ID, file_id)
    assert [record.file_id[-1] for record in found.records] == ["IM000001"]
    assert [fault.where for fault in found.faults] == ["(0004,1220)[3]"]


@pytest.mark.parametrize(
    ("old", "new"),
    [(b"2.25.1.4", b"nonsense"), (b"1.2.840.10008.5.1.4.1.1.2\0", b"1.2.840.10008.5.1.4.1.1.x\0")],
)
def test_what_is_no_uid(disc: Path, old: bytes, new: bytes) -> None:
    """A record that names no instance is no record of one."""
    found = _read(disc, old, new)
    assert "(0004,1220)[3]" in [fault.where for fault in found.faults]
