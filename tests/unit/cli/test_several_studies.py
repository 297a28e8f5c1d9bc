"""``srsign keyobject``, ``seal`` and ``manifest`` over images of several studies."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

import pytest

from sr.app.files import open_dicom
from sr.dicomfile.splice import SetElement, assemble, splice
from sr.dicomfile.writer import element
from sr.signature.references import IDENTICAL
from tests.support.console import Ended, srsign
from tests.support.datasets import ct_files, write_all
from tests.support.forge import Node, at, edited, remove, set_value
from tests.support.office import Office


@pytest.fixture
def studies(tmp_path: Path) -> Path:
    """Return a folder with two images of each of three studies."""
    folder = tmp_path / "studies"
    folder.mkdir()
    for number in (1, 2, 3):
        write_all(folder, ct_files(2, arc=number), stem=f"study{number}")
    return folder


def _seal(office: Office, images: Path, output: Path) -> Ended:
    return srsign("seal", images, *office.signer("archive"), "-o", output, "--json")


def _check(office: Office, manifest: Path, *folders: Path) -> Ended:
    return srsign("manifest", "check", manifest, *folders, *office.trust, "--json")


def test_a_seal_in_each_study(office: Office, studies: Path, tmp_path: Path) -> None:
    """Three studies give three sealed documents, each of which passes with all the evidence."""
    ended = _seal(office, studies, tmp_path / "seal.dcm")
    outputs = [tmp_path / f"{name}.dcm" for name in ("seal", "seal-2", "seal-3")]
    named = [ended.json["output"], *(d["output"] for d in ended.json["identical_documents"])]
    assert (ended.code, named) == (0, [str(path) for path in outputs])
    signatures = {ended.json["digital_signature_uid"]}
    signatures |= {d["digital_signature_uid"] for d in ended.json["identical_documents"]}
    assert len(signatures) == 3
    assert len({open_dicom(path).dataset.text(0x0020000D) for path in outputs}) == 3
    for path in outputs:
        checked = srsign("check", path, *office.trust, "--evidence", studies, "--json")
        assert (checked.code, checked.json["references"]["matched"]) == (0, 6)


def test_an_unsigned_selection_in_each_study(office: Office, studies: Path, tmp_path: Path) -> None:
    """Without a key nothing is signed, and the copies are written all the same."""
    ended = srsign(
        *("keyobject", "--title", "of-interest", "--evidence", studies),
        *("-o", tmp_path / "kos.dcm", "--json"),
    )
    assert ended.json["digital_signature_uid"] is None
    assert [d["digital_signature_uid"] for d in ended.json["identical_documents"]] == [None, None]
    assert (tmp_path / "kos-3.dcm").is_file()


def test_one_study_has_one_document(office: Office, tmp_path: Path) -> None:
    """Nothing is numbered where there is nothing to number."""
    ended = _seal(office, office.images, tmp_path / "seal.dcm")
    assert ended.json["identical_documents"] == []
    assert [path.name for path in tmp_path.iterdir()] == ["seal.dcm"]


def test_an_earlier_set_is_replaced(office: Office, studies: Path) -> None:
    """Sealing again, into the folder that is sealed, neither cites nor spares the old seals."""
    output = studies / "seal.dcm"
    first, second = _seal(office, studies, output), _seal(office, studies, output)
    assert (first.json["cited"], second.json["cited"]) == (6, 6)
    assert len(list(studies.iterdir())) == 9
    assert _check(office, output, studies).code == 0


def test_another_file_is_not_overwritten(office: Office, studies: Path, tmp_path: Path) -> None:
    """A name that nobody asked for is only taken where it is free."""
    other = Path(shutil.copy(office.report, tmp_path / "seal-2.dcm"))
    ended = _seal(office, studies, tmp_path / "seal.dcm")
    assert ended.code == 2
    assert other.read_bytes() == office.report.read_bytes()
    assert not (tmp_path / "seal.dcm").exists()


def test_evidence_is_not_overwritten(office: Office, studies: Path) -> None:
    """An image that happens to have the second name stays what it is."""
    image = studies / "study1-2.dcm"
    before = image.read_bytes()
    (studies / "study1-1.dcm").rename(studies / "first.dcm")
    ended = _seal(office, studies, studies / "study1.dcm")
    assert (ended.code, image.read_bytes()) == (2, before)


def test_a_shipment_of_several_studies(office: Office, studies: Path, tmp_path: Path) -> None:
    """Any of the manifests checks the whole; the others are expected, packed or not."""
    package = tmp_path / "package.zip"
    create = ("manifest", "create", studies, *office.signer("archive"))
    written = srsign(*create, "-o", studies / "m.dcm", "--package", package)
    assert written.code == 0
    received = tmp_path / "received"
    with zipfile.ZipFile(package) as archive:
        archive.extractall(received)
    names = sorted(str(p.relative_to(received)) for p in received.rglob("*.dcm"))
    assert names == [
        *(f"DICOM/{number:05d}.dcm" for number in range(1, 7)),
        *("MANIFEST-2.dcm", "MANIFEST-3.dcm", "MANIFEST.dcm"),
    ]
    for manifest in (*received.glob("MANIFEST*.dcm"), studies / "m-2.dcm"):
        for folder in (received, studies):
            if (manifest.parent == received) == (folder == received):
                ended = _check(office, manifest, folder)
                assert (ended.code, ended.json["references"]["unexpected"]) == (0, 0)


def _shipped(office: Office, studies: Path) -> tuple[Path, Path]:
    srsign("manifest", "create", studies, *office.signer("archive"), "-o", studies / "m.dcm")
    return studies / "m.dcm", studies / "m-2.dcm"


def test_a_copy_that_is_not_there_is_not_missed(office: Office, studies: Path) -> None:
    """A receiver of one study alone has no use for the copy in another."""
    manifest, copy = _shipped(office, studies)
    copy.unlink()
    assert _check(office, manifest, studies).code == 0


def test_an_altered_copy_is_unexpected(office: Office, studies: Path) -> None:
    """A file that claims to be a copy and says something else came from elsewhere."""
    manifest, copy = _shipped(office, studies)
    edit = SetElement(tag=0x00081030, encoded=element(0x00081030, "LO", b"Another exam"))
    copy.write_bytes(assemble(splice(open_dicom(copy), [edit])))
    ended = _check(office, manifest, studies)
    assert (ended.code, ended.json["references"]["unexpected"]) == (13, 1)


def test_another_document_under_the_uid_of_a_copy_is_unexpected(
    office: Office, studies: Path
) -> None:
    """The UID alone makes no copy."""
    manifest, copy = _shipped(office, studies)
    image = open_dicom(studies / "study1-1.dcm")
    uid = open_dicom(copy).sop_instance_uid.encode()
    edit = SetElement(
        tag=0x00080018, encoded=element(0x00080018, "UI", uid + b"\0" * (len(uid) % 2))
    )
    copy.write_bytes(assemble(splice(image, [edit])))
    assert _check(office, manifest, studies).code == 13


@pytest.mark.parametrize(
    ("title", "unexpected"), [(b"113000", 0), (b"113030", 1)], ids=["same", "other"]
)
def test_copies_without_proof_must_say_the_same(
    office: Office, studies: Path, title: bytes, unexpected: int
) -> None:
    """Other systems list identical documents without MAC; class, title and content decide."""
    select = ("keyobject", "--title", "113000", "--evidence", studies)
    srsign(*select, "-o", studies / "kos.dcm")
    (studies / "kos-3.dcm").unlink()
    for name in ("kos.dcm", "kos-2.dcm"):
        path = studies / name
        path.write_bytes(edited(path.read_bytes(), _without_proof))
    copy = studies / "kos-2.dcm"
    titled = set_value(0x0040A043, 0, 0x00080100, to=title)
    copy.write_bytes(edited(copy.read_bytes(), titled))
    ended = _check(office, studies / "kos.dcm", studies)
    assert ended.json["references"]["unexpected"] == unexpected


def _without_proof(nodes: list[Node]) -> None:
    for study in at(nodes, IDENTICAL).items or ():
        for series in at(study, 0x00081115).items or ():
            for item in at(series, 0x00081199).items or ():
                assert remove(item, 0x04000403)
