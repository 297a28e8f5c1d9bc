"""Evidence of every kind, from discs, over several studies, in large numbers, as peers see it."""

from __future__ import annotations

import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest
from pydicom.dataset import Dataset

from sr.app.documents.evidence_folder import survey
from sr.dicomfile import canonicalise
from tests.support.console import srsign
from tests.support.datasets import ct_files, instance, report, write_all
from tests.support.forge import edited, set_value
from tests.support.office import Office, open_office
from tests.support.peers import dciodvfy, dcmsign_verify, dsrdump, pixelmed, require_peer
from tests.support.signed import sign, signed_image

pytestmark = pytest.mark.peer

MR, ECG, PDF = (f"1.2.840.10008.5.1.4.1.1.{n}" for n in ("4", "9.1.1", "104.1"))
DCMMKDIR = Path("/usr/bin/dcmmkdir")
KINDS = ("mr", "sr", "ecg", "pdf", "signed-ct")
PIXELS = {
    "Rows": 4, "Columns": 4, "BitsAllocated": 16, "BitsStored": 12, "HighBit": 11,
    "PixelRepresentation": 0, "SamplesPerPixel": 1, "PhotometricInterpretation": "MONOCHROME2",
    "PixelData": bytes(range(32)),
}  # fmt: skip
REPORT = """
class = "comprehensive"
title = "CTReport"
language = "en"
[observer]
name = "Meier^Anna"
[[section]]
heading = "Findings"
[[section.item]]
text = "MR, earlier report, ECG and referral letter agree."
images = ["mr.dcm", "sr.dcm", "ecg.dcm", "pdf.dcm", "signed-ct.dcm"]
"""


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Office:
    """Return images, a PKI and a seal."""
    return open_office(tmp_path_factory.mktemp("office"))


@cache
def _kinds() -> dict[str, bytes]:
    """Return an image, a report, a waveform and a document of one study, and a signed image."""
    channel = Dataset()
    channel.WaveformBitsStored = 16
    wave = Dataset()
    wave.WaveformOriginality = "ORIGINAL"
    wave.NumberOfWaveformChannels = 1
    wave.NumberOfWaveformSamples = 4
    wave.SamplingFrequency = "500"
    wave.ChannelDefinitionSequence = [channel]
    wave.WaveformBitsAllocated = 16
    wave.WaveformSampleInterpretation = "SS"
    wave.WaveformData = b"\1\0\2\0\3\0\4\0"
    letter = {"MIMETypeOfEncapsulatedDocument": "application/pdf", "DocumentTitle": "Referral"}
    return {
        "mr": instance(MR, SOPInstanceUID="2.25.78.1", **PIXELS),
        "sr": sign(canonicalise(report(number=7))),
        "ecg": instance(ECG, SOPInstanceUID="2.25.78.2", WaveformSequence=[wave]),
        "pdf": instance(
            PDF, SOPInstanceUID="2.25.78.3", EncapsulatedDocument=b"%PDF-1.4 none ", **letter
        ),
        "signed-ct": signed_image(),
    }


@pytest.fixture(scope="module")
def mixed(office: Office, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with evidence of five kinds and, beside it, the signed report on it."""
    folder = tmp_path_factory.mktemp("mixed") / "evidence"
    folder.mkdir()
    for name, data in _kinds().items():
        (folder / f"{name}.dcm").write_bytes(data)
    source, draft = folder.parent / "report.toml", folder.parent / "draft.dcm"
    source.write_text(REPORT, encoding="utf-8")
    made = srsign("create", source, "--evidence", folder, "-o", draft, "--json")
    assert (made.code, made.err) == (0, "")
    assert made.json["cited"] == 5
    author = ("--purpose", "author", *office.signer("author"))
    assert srsign("sign", draft, *author, "-o", folder.parent / "report.dcm").code == 0
    return folder


def _check(office: Office, document: Path, evidence: Path) -> tuple[int, dict[str, object]]:
    ended = srsign("check", document, *office.trust, "--evidence", evidence, "--json")
    return ended.code, ended.json["references"]


def test_a_report_on_evidence_of_every_kind(office: Office, mixed: Path) -> None:
    """Image, report, waveform and document are cited, each with proof, and peers see no error."""
    document = mixed.parent / "report.dcm"
    code, references = _check(office, document, mixed)
    assert (code, references["matched"], references["unsecured"]) == (0, 5, 0)
    assert dciodvfy(document).errors == ()
    assert pixelmed(document).errors == ()
    assert dsrdump(document).returncode == 0
    pki = office.pki
    checked = dcmsign_verify(
        document, anchor=pki.certificate("root"), intermediate=pki.certificate("issuing")
    )
    assert checked.returncode == 0, checked.output


@pytest.mark.parametrize("kind", KINDS)
def test_evidence_of_any_kind_is_found_altered(
    office: Office, mixed: Path, tmp_path: Path, kind: str
) -> None:
    """One letter of the patient's name, in any kind of object."""
    folder = Path(shutil.copytree(mixed, tmp_path / "evidence"))
    path = folder / f"{kind}.dcm"
    path.write_bytes(edited(path.read_bytes(), set_value(0x00100010, to="Opfer^Otto")))
    code, references = _check(office, mixed.parent / "report.dcm", folder)
    assert (code, references["altered"], references["matched"]) == (13, 1, 4)


@pytest.mark.parametrize("count", [2, 3])
def test_a_seal_over_several_studies(office: Office, tmp_path: Path, count: int) -> None:
    """Each of its documents satisfies the validators, and each checks all the evidence."""
    folder = tmp_path / "studies"
    folder.mkdir()
    for number in range(1, count + 1):
        write_all(folder, ct_files(1, arc=number), stem=f"study{number}")
    output = tmp_path / "seal.dcm"
    assert srsign("seal", folder, *office.signer("archive"), "-o", output).code == 0
    documents = sorted(tmp_path.glob("seal*.dcm"))
    assert len(documents) == count
    for document in documents:
        assert _check(office, document, folder)[1]["matched"] == count
        assert dciodvfy(document).errors == ()
        assert dsrdump(document).returncode == 0


def test_a_disc_that_another_program_made(tmp_path: Path) -> None:
    """The records of DCMTK's dcmmkdir lead to every instance, and only to those."""
    (tmp_path / "IMAGES").mkdir()
    for number, data in enumerate(ct_files(), 1):
        (tmp_path / "IMAGES" / f"CT{number}").write_bytes(data)
    made = subprocess.run(
        [require_peer(DCMMKDIR), "-W", "+r", "+id", tmp_path, "IMAGES"],
        cwd=tmp_path,
        capture_output=True,
        check=False,
    )
    assert made.returncode == 0, made.stderr
    (tmp_path / "IMAGES" / "LATE").write_bytes(ct_files(1, arc=3)[0])
    folder = survey([tmp_path])
    assert (len(folder.paths), [s.broken for s in folder.skipped]) == (3, [False])


@pytest.mark.prove
def test_five_thousand_references_in_one_document(office: Office, tmp_path: Path) -> None:
    """Each of them is written, read and compared: one altered image among 5,000 is found."""
    folder = tmp_path / "images"
    folder.mkdir()
    image = instance(MR, SOPInstanceUID="2.25.780000", **PIXELS)
    for number in range(5000):
        uid = f"2.25.78{number:04}".encode()
        (folder / f"{number:04}.dcm").write_bytes(image.replace(b"2.25.780000", uid))
    output = tmp_path / "seal.dcm"
    assert srsign("seal", folder, *office.signer("archive"), "-o", output).code == 0
    assert _check(office, output, folder)[1]["matched"] == 5000
    assert dciodvfy(output).errors == ()
    assert dsrdump(output).returncode == 0
    last = folder / "4999.dcm"
    last.write_bytes(edited(last.read_bytes(), set_value(0x00100010, to="Opfer^Otto")))
    (folder / "2500.dcm").unlink()
    ended = srsign("manifest", "check", output, folder, *office.trust, "--json")
    references = ended.json["references"]
    assert (ended.code, references["matched"]) == (13, 4998)
    assert (references["altered"], references["missing"]) == (1, 1)
