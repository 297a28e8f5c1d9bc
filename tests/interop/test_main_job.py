"""The products of the demonstration, as other implementations see them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from sr.app.checks.check import check_file, exit_code
from sr.app.demonstration.demo import run_demo
from sr.app.demonstration.synthetic import synthetic_ct_series
from sr.app.files import open_dicom
from sr.mac.stream import chunk_length, mac_stream
from sr.signature import examine
from tests.support.peers import (
    SOFTHSM_MODULE,
    dciodvfy,
    dcmsign_verify,
    dsrdump,
    pixelmed,
    require_peer,
)
from tests.support.story import PRODUCTS, Story, real_ports

PEER_BUFFER_BYTES = 16_384


def test_demonstration_comes_out_as_it_should(story: Story) -> None:
    """Every check and every interference of the demonstration ends as its exit code says."""
    assert story.good, "\n".join(story.lines)


@pytest.mark.parametrize("name", PRODUCTS)
def test_every_product_passes_with_all_references_matched(story: Story, name: str) -> None:
    """A product of the demonstration passes against the evidence it cites."""
    verdict = check_file(story.out / name, story.options(story.out / "evidence", story.out))
    references = verdict.references.as_dict()
    assert (exit_code(verdict), references["matched"]) == (0, references["total"])
    assert references["total"] > 0


@pytest.mark.peer
@pytest.mark.parametrize("name", PRODUCTS)
def test_dcmsign_accepts_every_product(story: Story, name: str) -> None:
    """DCMTK verifies the signatures and finds PS3.15 C.4 fulfilled."""
    result = dcmsign_verify(
        story.out / name, anchor=story.pki / "root.pem", intermediate=story.pki / "issuing.pem"
    )
    assert result.returncode == 0, result.output


@pytest.mark.peer
@pytest.mark.parametrize("name", PRODUCTS)
def test_dciodvfy_finds_no_error(story: Story, name: str) -> None:
    """dicom3tools finds no error in a product."""
    assert dciodvfy(story.out / name).errors == ()


@pytest.mark.peer
@pytest.mark.parametrize("name", PRODUCTS)
def test_dsrdump_reads_every_product(story: Story, name: str) -> None:
    """DCMTK's structured report reader accepts a product without complaint."""
    result = dsrdump(story.out / name)
    assert result.returncode == 0, result.output


@pytest.mark.peer
@pytest.mark.parametrize("name", PRODUCTS)
def test_pixelmed_finds_no_error(story: Story, name: str) -> None:
    """PixelMed's template validator finds no error in a product."""
    result = pixelmed(story.out / name)
    assert [line for line in result.output.splitlines() if line.startswith("Error")] == []


@pytest.mark.parametrize("name", PRODUCTS)
def test_mac_streams_fit_the_peers_buffer(story: Story, name: str) -> None:
    """No MAC stream of the default demonstration reaches the size where dcmsign truncates."""
    file = open_dicom(story.out / name)
    for located in examine(file).signatures:
        assert located.parameters is not None
        chunks = mac_stream(
            file.dataset, located.parameters.data_elements_signed, signature_item=located.item
        )
        assert sum(chunk_length(chunk) for chunk in chunks) < PEER_BUFFER_BYTES


def test_demonstration_on_real_images_names_what_cannot_be_cited(tmp_path: Path) -> None:
    """On pydicom's CT and MR files the story holds; a disc without its images is named."""
    data = pytest.importorskip("pydicom.data")
    images = tmp_path / "images"
    images.mkdir()
    for name in ("CT_small.dcm", "MR_small.dcm", "MR_truncated.dcm"):
        source = Path(data.get_testdata_file(name))
        (images / name).write_bytes(source.read_bytes())
    (images / "disc").mkdir()
    directory = Path(data.get_testdata_file("DICOMDIR"))
    (images / "disc" / "DICOMDIR").write_bytes(directory.read_bytes())
    lines: list[str] = []
    good = run_demo(
        tmp_path / "demo", images=images, token=None, tell=lines.append, ports=real_ports()
    )
    left_out = "\n".join(line for line in lines if "cited" in line)
    assert good
    assert "DICOMDIR" in left_out
    assert "MR_truncated.dcm" in left_out


def test_demonstration_without_dcmsign_says_so(tmp_path: Path) -> None:
    """Where dcmsign is not installed the demonstration says so and still comes out well."""
    lines: list[str] = []
    good = run_demo(
        tmp_path / "demo", images=None, token=None, tell=lines.append, ports=real_ports(),
        find_peer=lambda: None,
    )  # fmt: skip
    assert good
    assert [line for line in lines if "dcmsign" in line and "not installed" in line]


def test_large_demonstration_leaves_dcmsign_out(tmp_path: Path) -> None:
    """Above the peer's buffer dcmsign is not asked, and the reason is given."""
    images = tmp_path / "images"
    images.mkdir()
    ports = real_ports()
    for number, data in enumerate(
        synthetic_ct_series(40, new_uid=ports.new_uid, now=ports.now()), start=1
    ):
        (images / f"{number}.dcm").write_bytes(data)
    lines: list[str] = []
    good = run_demo(tmp_path / "demo", images=images, token=None, tell=lines.append, ports=ports)
    assert good
    assert [line for line in lines if "PEER_WILL_TRUNCATE" in line]


@pytest.mark.peer
def test_demonstration_with_a_token(tmp_path: Path) -> None:
    """With keys on a SoftHSM token the story comes out the same."""
    require_peer(SOFTHSM_MODULE)
    lines: list[str] = []
    good = run_demo(
        tmp_path / "demo", images=None, token="softhsm", tell=lines.append, ports=real_ports()
    )
    assert good, "\n".join(lines)


def test_acceptance_of_the_main_job(repository: Path) -> None:
    """The owner's acceptance script, where it is at hand, finds nothing wanting."""
    script = repository.parent / "shared" / "accept" / "main-job"
    srsign = Path(sys.executable).with_name("srsign")
    if not script.is_file():
        pytest.skip("the acceptance script is not part of a checkout")
    done = subprocess.run(
        [sys.executable, script, srsign], capture_output=True, text=True, timeout=300, check=False
    )
    assert (done.returncode, done.stdout.strip()) == (0, "main job holds"), done.stderr
