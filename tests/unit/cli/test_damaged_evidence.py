"""Damaged files and DICOMDIRs beside the evidence, on the command line."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.support.console import Ended, srsign
from tests.support.datasets import ct_files
from tests.support.discs import respelt, write_disc
from tests.support.office import Office


@pytest.fixture
def images(office: Office, tmp_path: Path) -> Path:
    """Return the images of the office, and a damaged copy of one."""
    folder = Path(shutil.copytree(office.images, tmp_path / "images"))
    (folder / "copy.dcm").write_bytes((folder / "ct-1.dcm").read_bytes()[:-100])
    return folder


def _check(office: Office, document: Path, evidence: Path, *options: str) -> Ended:
    return srsign("check", document, *office.trust, "--evidence", evidence, *options, "--json")


def _warned(ended: Ended) -> list[str]:
    return [f["rule"] for f in ended.json["findings"] if f["status"] == "WARN"]


def test_a_damaged_copy_beside_a_good_one_is_a_warning(office: Office, images: Path) -> None:
    """The good copy matches; what the other would have been, nobody knows."""
    ended = _check(office, office.report, images)
    assert (ended.code, ended.json["references"]["matched"]) == (0, 3)
    assert _warned(ended) == ["EVIDENCE_DAMAGED"]


def test_the_only_copy_damaged_is_missing(office: Office, images: Path) -> None:
    """A file that cannot be read is not there, and the warning says why."""
    (images / "ct-1.dcm").unlink()
    ended = _check(office, office.report, images)
    assert (ended.code, ended.json["references"]["missing"]) == (13, 1)
    assert _warned(ended) == ["EVIDENCE_DAMAGED"]


def test_what_is_not_dicom_is_no_warning(office: Office, tmp_path: Path) -> None:
    """Other files are none of our business."""
    folder = Path(shutil.copytree(office.images, tmp_path / "images"))
    (folder / "notes.txt").write_text("nothing", encoding="utf-8")
    assert _warned(_check(office, office.report, folder)) == []


def test_a_policy_may_refuse_damaged_files(office: Office, images: Path, tmp_path: Path) -> None:
    """How grave it is, the policy says."""
    policy = tmp_path / "site.toml"
    policy.write_text(
        'id = "site"\nextends = "standard"\ntitle = "Site"\ncites = "PS3.15 A.4"\n'
        '[[severity]]\nrules = ["EVIDENCE_DAMAGED"]\nlevel = "FAIL"\ncites = "PS3.15 A.4"\n',
        encoding="utf-8",
    )
    ended = _check(office, office.report, images, "--policy", str(policy))
    assert (ended.code, ended.json["sub_indication"]) == (11, "EVIDENCE_COVERAGE")


def test_a_manifest_check_warns_and_counts_it(office: Office, images: Path) -> None:
    """Beside a shipment, a damaged file is also one that nobody sent."""
    manifest = ("manifest", "check", office.seal, images, *office.trust, "--json")
    ended = srsign(*manifest)
    assert (ended.code, ended.json["references"]["unexpected"]) == (13, 1)
    assert _warned(ended) == ["EVIDENCE_DAMAGED"]


@pytest.mark.parametrize("named", ["DICOMDIR", "."])
def test_a_disc_is_sealed_and_checked(office: Office, tmp_path: Path, named: str) -> None:
    """Sealing a file-set cites its records; the seal checks the whole disc."""
    disc = write_disc(tmp_path / "disc", ct_files()).parent
    output = tmp_path / "seal.dcm"
    sealed = srsign("seal", disc / named, *office.signer("archive"), "-o", output, "--json")
    assert (sealed.code, sealed.json["cited"]) == (0, 3)
    checked = srsign("manifest", "check", output, disc, *office.trust, "--json")
    assert (checked.code, _warned(checked)) == (0, [])


def test_a_disc_with_a_missing_file_is_not_sealed(office: Office, tmp_path: Path) -> None:
    """What the records promise and the disc lacks is named, and nothing is written."""
    disc = write_disc(tmp_path / "disc", ct_files()).parent
    next(disc.rglob("IM000001")).unlink()
    output = tmp_path / "seal.dcm"
    ended = srsign("seal", disc, *office.signer("archive"), "-o", output, "--json")
    assert ended.code == 1
    assert not output.exists()


def test_a_disc_that_contradicts_itself_is_a_warning(office: Office, tmp_path: Path) -> None:
    """A check compares what is there and says what its DICOMDIR gets wrong."""
    disc = write_disc(tmp_path / "disc", ct_files())
    output = tmp_path / "seal.dcm"
    srsign("seal", disc, *office.signer("archive"), "-o", output)
    respelt(disc, b"IM000001", b"IM000007")
    ended = _check(office, output, disc.parent)
    assert (ended.code, ended.json["references"]["matched"]) == (0, 3)
    assert _warned(ended) == ["EVIDENCE_FILE_SET"]


def test_a_package_holds_what_the_manifest_lists(office: Office, tmp_path: Path) -> None:
    """An image that no record of the disc names is neither listed nor packed."""
    disc = write_disc(tmp_path / "disc", ct_files()).parent
    (disc / "late.dcm").write_bytes(ct_files(1, arc=3)[0])
    made = srsign(
        *("manifest", "create", disc, *office.signer("archive"), "-o", tmp_path / "m.dcm"),
        *("--package", tmp_path / "package", "--json"),
    )
    assert (made.code, made.json["cited"], len(made.json["skipped"])) == (0, 3, 1)
    package = tmp_path / "package"
    assert len(list(package.rglob("*.dcm"))) == 4
    checked = srsign("manifest", "check", package / "MANIFEST.dcm", package, *office.trust)
    assert checked.code == 0
