"""What counts as evidence in folders and file-sets, and what is only reported."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from pydicom.data import get_testdata_file

from sr.app.checks.check import CheckOptions
from sr.app.documents.evidence import load_evidence
from sr.app.documents.evidence_folder import EvidenceFolder, survey
from sr.app.documents.securing import Securing
from sr.app.files import open_dicom
from sr.errors import ConfigurationError, EvidenceError
from tests.support.datasets import NOW, ct_files, write_all
from tests.support.discs import RECORDS, respelt, set_offset, write_disc
from tests.support.forge import edited, remove

BUNDLED = Path(get_testdata_file("dicomdirtests/DICOMDIR")).parent  # type: ignore[arg-type]
INSIDE = Path("PT000000", "ST000000", "SE000000")
SECURING = Securing(check=CheckOptions(at=NOW))
FILE_SET, DAMAGED = "EVIDENCE_FILE_SET", "EVIDENCE_DAMAGED"


@pytest.fixture
def disc(tmp_path: Path) -> Path:
    """Return the DICOMDIR of a disc with three images, a fourth image beside the disc."""
    write_all(tmp_path, ct_files(1, arc=2), stem="outside")
    return write_disc(tmp_path / "disc", ct_files())


def _rules(folder: EvidenceFolder) -> list[str]:
    return sorted(skipped.rule for skipped in folder.skipped)


def _add_unlisted(disc: Path) -> Path:
    (image,) = write_all(disc.parent, ct_files(1, arc=3), stem="late")
    return image


@pytest.mark.parametrize("named", ["DICOMDIR", "."])
def test_a_file_set_is_cited_by_its_records(disc: Path, named: str) -> None:
    """The DICOMDIR and the folder that holds it stand for the same instances."""
    folder = survey([disc.parent / named])
    assert (len(folder.paths), folder.skipped) == (3, ())


def test_a_named_dicomdir_leaves_other_files_alone(disc: Path) -> None:
    """What no record names is not even looked at."""
    _add_unlisted(disc).write_bytes(b"\0" * 128 + b"DICM damaged")
    assert (len(survey([disc]).paths), survey([disc]).skipped) == (3, ())


def test_an_instance_without_record_is_compared_and_not_cited(disc: Path) -> None:
    """It may be a copy of a cited one, so that a check has to see it."""
    image = _add_unlisted(disc)
    folder = survey([disc.parent])
    assert (len(folder.paths), folder.unlisted) == (3, {image})
    assert [c.label for c in folder.find(open_dicom(image).sop_instance_uid)] == [str(image)]
    assert [s.path for s in folder.skipped] == [image]
    assert not folder.findings


def test_an_instance_that_is_named_itself_is_cited(disc: Path) -> None:
    """Whoever names a file means that file."""
    assert survey([_add_unlisted(disc)]).unlisted == frozenset()
    assert len(survey([disc.parent, _add_unlisted(disc)]).paths) == 4


def test_a_dicomdir_of_another_name_decides_nothing(disc: Path) -> None:
    """A copy of an old DICOMDIR does not shrink the file-set."""
    disc.rename(disc.with_name("DICOMDIR.old"))
    folder = survey([disc.parent])
    assert (len(folder.paths), _rules(folder)) == (3, [""])


def test_names_in_another_case_are_found(disc: Path) -> None:
    """A disc may be mounted with names in lower case."""
    below = disc.parent / "PT000000"
    below.rename(disc.parent / "pt000000")
    assert len(survey([disc]).paths) == 3


def test_two_names_that_differ_in_case_only_are_not_guessed(disc: Path) -> None:
    """Which one the record means, nobody can say."""
    series = disc.parent / INSIDE
    shutil.copy(series / "IM000000", series / "im000000")
    (series / "IM000000").rename(series / "Im000000")
    assert _rules(survey([disc])) == [FILE_SET]


def _file_id(text: bytes) -> Callable[[Path], None]:
    """Respell the file id of the first image in as many bytes."""
    old = b"PT000000\\ST000000\\SE000000\\IM000000"
    return lambda directory: respelt(directory, old, text.ljust(len(old)))


def _link_out(directory: Path) -> None:
    image = directory.parent / INSIDE / "IM000000"
    image.unlink()
    image.symlink_to(directory.parent.parent / "outside-1.dcm")


def _unlink(directory: Path) -> None:
    (directory.parent / INSIDE / "IM000000").unlink()


def _no_dicom(directory: Path) -> None:
    (directory.parent / INSIDE / "IM000000").write_bytes(b"Autorun")


def _swap(directory: Path) -> None:
    series = directory.parent / INSIDE
    shutil.copy(series / "IM000001", series / "IM000000")


def _offsets(number: int, tag: int, to: int) -> Callable[[Path], None]:
    return lambda directory: set_offset(directory, number, tag, to)


@pytest.mark.parametrize(
    "fault",
    [
        _file_id(b"..\\outside-1.dcm"),
        _file_id(b"..\\disc\\PT000000\\ST000000\\SE000000"),
        _file_id(b"PT000000\\..\\..\\outside-1.dcm"),
        _file_id(b"/etc/passwd"),
        _file_id(b"PT000000/../../outside-1.dcm"),
        _file_id(b"PT000000\\\\SE000000\\IM000000"),
        _file_id(b".\\.\\.\\.\\.\\IM000000"),
        _file_id(b"A\\B\\C\\D\\E\\F\\G\\H\\I"),
        _file_id(b"IM\x00000000"),
        _file_id(b"NOWHERE\\IM000000"),
        _link_out,
        _unlink,
        _no_dicom,
        _swap,
        lambda directory: respelt(directory, b"2.25.1.4", b"2.25.1.9"),
        lambda directory: respelt(directory, b"2.25.1.4", b"nonsense"),
    ],
)
def test_a_record_that_does_not_lead_to_its_instance(
    disc: Path, fault: Callable[[Path], None]
) -> None:
    """It is named, nothing outside of the folder is looked at, and nothing is authored."""
    fault(disc)
    folder = survey([disc])
    assert _rules(folder) == [FILE_SET]
    assert {path.resolve() for path in folder.paths} <= set(disc.parent.rglob("*"))
    with pytest.raises(EvidenceError):
        load_evidence([disc], securing=SECURING)


@pytest.mark.parametrize(
    ("fault", "faults"),
    [
        (_offsets(3, 0x00041400, 4), 3),  # leads nowhere: two images are out of reach as well
        (_offsets(3, 0x00041400, 0), 2),  # two images are out of reach
        (_offsets(2, 0x00041420, 0), 3),
        (_offsets(0, 0x00041420, 1 << 31), 4),
    ],
)
def test_an_offset_that_leads_nowhere(
    disc: Path, fault: Callable[[Path], None], faults: int
) -> None:
    """A record that is out of reach has been taken out, or the DICOMDIR is damaged."""
    fault(disc)
    assert _rules(survey([disc])) == [FILE_SET] * faults


def test_offsets_in_a_circle_end(disc: Path) -> None:
    """A record that leads back to itself is visited once."""
    item = open_dicom(disc).dataset.items(RECORDS)[5]
    _offsets(5, 0x00041400, item.start - 8)(disc)
    assert (len(survey([disc]).paths), survey([disc]).skipped) == (3, ())


def test_a_record_that_is_not_in_use_is_passed_over(disc: Path) -> None:
    """Its file is no part of the file-set any more."""
    set_offset(disc, 3, 0x00041410, 0)
    assert (len(survey([disc]).paths), survey([disc]).skipped) == (2, ())


def test_a_damaged_instance_of_a_file_set_is_reported_once(disc: Path) -> None:
    """The file is to blame, not the record."""
    image = disc.parent / INSIDE / "IM000000"
    image.write_bytes(image.read_bytes()[:-9])
    assert _rules(survey([disc])) == [DAMAGED]


def test_a_file_without_uid_is_reported_and_not_broken(tmp_path: Path) -> None:
    """It is nothing to cite, and says nothing about the others."""
    nameless = edited(ct_files()[0], lambda nodes: remove(nodes, 0x00080018))
    write_all(tmp_path, [nameless], stem="nameless")
    write_all(tmp_path, ct_files())
    folder = survey([tmp_path])
    assert (len(folder.paths), _rules(folder), folder.findings) == (3, [""], ())


def test_a_path_that_does_not_exist(tmp_path: Path) -> None:
    """A misspelt folder is no empty one."""
    with pytest.raises(ConfigurationError):
        survey([tmp_path / "nowhere"])


@pytest.mark.parametrize("name", ["DICOMDIR", "DICOMDIR-bigEnd", "DICOMDIR-implicit"])
def test_file_sets_of_others(name: str) -> None:
    """A DICOMDIR is read in any encoding; each of its 31 instances is there."""
    folder = survey([BUNDLED / name])
    assert (len(folder.paths), _rules(folder)) == (31, [])


def test_a_large_file_set_of_others() -> None:
    """Below the inner DICOMDIR its own records count."""
    folder = survey([BUNDLED / "TINY_ALPHA"])
    assert (len(folder.paths), folder.unlisted) == (50, frozenset())


def test_two_objects_of_one_uid(tmp_path: Path) -> None:
    """Which one is meant is not guessed; the same object twice is one."""
    first, second = ct_files(2)
    write_all(tmp_path, (first, first))
    assert len(load_evidence([tmp_path], securing=SECURING).evidence) == 1
    altered = first.replace(b"2.25.1.3", b"2.25.1.8")
    assert altered != first
    write_all(tmp_path, (altered, second), stem="other")
    with pytest.raises(EvidenceError):
        load_evidence([tmp_path], securing=SECURING)


def test_a_directory_that_leads_nowhere_hides_nothing(disc: Path) -> None:
    """Where no record leads to a file, the folder is a folder; the records are reported."""
    image = _add_unlisted(disc)
    for file in disc.parent.rglob("*"):
        if file.is_file() and file not in (disc, image):
            file.unlink()
    folder = survey([disc.parent])
    assert folder.paths == (image,)
    assert {s.rule for s in folder.skipped} == {"EVIDENCE_FILE_SET"}
