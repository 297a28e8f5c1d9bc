"""Signatures after a journey: storescu to storescp, C-STORE and STOW-RS to Orthanc and back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sr.app.checks.check import check_file, exit_code
from sr.app.files import open_dicom
from sr.findings import Indication
from tests.support.archive import Orthanc, orthanc, send, storescp
from tests.support.peers import dcmsign_verify
from tests.support.story import PRODUCTS, Story

pytestmark = pytest.mark.peer

EXPLICIT, IMPLICIT = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2"


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory, story: Story) -> Iterator[Orthanc]:
    """Return an Orthanc that received every product of the story."""
    with orthanc(tmp_path_factory.mktemp("orthanc")) as server:
        for name in ("seal.dcm", "report-author.dcm"):
            send(server.dicom, story.out / name, "-xe")
        for name in ("report.dcm", "manifest.dcm"):
            server.stow((story.out / name).read_bytes())
        yield server


def data_set(path: Path) -> bytes:
    """Return the bytes of a file after File Meta Information, which every archive writes anew."""
    return path.read_bytes()[open_dicom(path).dataset.start :]


def still_passes(story: Story, path: Path) -> bool:
    """Return whether a document passes here and with dcmsign."""
    verdict = check_file(path, story.options(story.out / "evidence", story.out))
    peer = dcmsign_verify(
        path, anchor=story.pki / "root.pem", intermediate=story.pki / "issuing.pem"
    )
    return (exit_code(verdict), peer.returncode) == (0, 0)


@pytest.mark.parametrize("name", PRODUCTS)
@pytest.mark.parametrize("options", [(), ("+xe",), ("+B",), ("+xi",)])
def test_document_passes_after_storescp(
    story: Story, tmp_path: Path, name: str, options: tuple[str, ...]
) -> None:
    """A document received by storescp, in explicit or implicit VR, still passes."""
    with storescp(tmp_path, *options) as port:
        send(port, story.out / name)
    (received,) = tmp_path.iterdir()
    assert still_passes(story, received)


@pytest.mark.parametrize("name", PRODUCTS)
def test_document_passes_after_orthanc(
    story: Story, archive: Orthanc, tmp_path: Path, name: str
) -> None:
    """A document stored in Orthanc by C-STORE or STOW-RS comes back with the same data set."""
    uid = open_dicom(story.out / name).sop_instance_uid
    received = tmp_path / name
    received.write_bytes(archive.file(uid))
    assert data_set(received) == data_set(story.out / name)
    assert still_passes(story, received)


@pytest.mark.parametrize("name", PRODUCTS)
@pytest.mark.parametrize("syntax", [EXPLICIT, IMPLICIT, "*"])
def test_document_passes_after_wado(
    story: Story, archive: Orthanc, tmp_path: Path, name: str, syntax: str
) -> None:
    """A document retrieved over WADO-RS, whatever the transfer syntax asked for, still passes."""
    dataset = open_dicom(story.out / name).dataset
    received = tmp_path / name
    received.write_bytes(
        archive.wado(
            dataset.text(0x0020000D), dataset.text(0x0020000E), dataset.text(0x00080018), syntax
        )
    )
    assert still_passes(story, received)


def test_what_an_archive_altered_does_not_pass(
    story: Story, archive: Orthanc, tmp_path: Path
) -> None:
    """A byte changed on the way back is noticed: the journey tests can fail."""
    data = bytearray(archive.file(open_dicom(story.out / "report.dcm").sop_instance_uid))
    data[data.index(b"Weber")] ^= 0x01
    received = tmp_path / "report.dcm"
    received.write_bytes(data)
    assert check_file(received, story.options()).indication is Indication.FAILED
