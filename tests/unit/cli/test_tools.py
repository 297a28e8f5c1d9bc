"""``srsign mac``, ``inspect``, ``render``, ``template`` and ``certs`` on the command line."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from sr.app.files import open_dicom
from sr.mac import compute_mac
from tests.support.console import srsign
from tests.support.office import Office


def test_a_stream_in_a_file(office: Office, tmp_path: Path) -> None:
    """The dumped stream has the digest that a secure reference carries."""
    image, out = office.images / "ct-1.dcm", tmp_path / "stream.bin"
    ended = srsign("mac", "dump", image, "-o", out)
    assert (ended.code, ended.out) == (0, "")
    assert hashlib.sha256(out.read_bytes()).digest() == compute_mac(open_dicom(image)).mac


def test_a_stream_on_standard_output(office: Office, tmp_path: Path) -> None:
    """Without -o the same bytes go to standard output, and nothing else does."""
    out = tmp_path / "stream.bin"
    srsign("mac", "dump", office.report, "-o", out)
    assert srsign("mac", "dump", office.report, "-v").raw == out.read_bytes()


def test_the_parts_of_a_stream(office: Office) -> None:
    """With -v every element is listed, its offset being the sum of the lengths before it."""
    ended = srsign("mac", "dump", office.report, "-v")
    rows = [line.split()[1:3] for line in ended.err.splitlines() if "(" in line]
    assert len(rows) > 20
    assert sum(int(length) for _, length in rows) == len(ended.raw)
    assert [int(offset) for offset, _ in rows] == [
        sum(int(length) for _, length in rows[:n]) for n in range(len(rows))
    ]


MISUSES = {
    "no such signature": (["--signature", "3"], 2),
    "signature 0": (["--signature", "0"], 2),
    "both": (["--signature", "1", "--tags", "author"], 2),
    "no tag": (["--tags", "nonsense"], 2),
    "no such keyword": (["--tags", "NoSuchKeyword"], 2),
    "empty list": (["--tags", " "], 2),
    "never covered": (["--tags", "FFFA,FFFA"], 1),
}


@pytest.mark.parametrize("name", MISUSES)
def test_a_stream_that_cannot_be(office: Office, tmp_path: Path, name: str) -> None:
    """A selection that makes no sense writes nothing."""
    options, code = MISUSES[name]
    ended = srsign("mac", "dump", office.report, *options, "-o", tmp_path / "x.bin")
    assert (ended.code, list(tmp_path.iterdir())) == (code, [])


def test_the_mac_of_one_file(office: Office) -> None:
    """One file gives one object, or one line that begins with the digest."""
    image = office.images / "ct-1.dcm"
    found = srsign("mac", "compute", image, "--json").json
    assert found["mac"] == compute_mac(open_dicom(image)).mac.hex()
    assert (found["algorithm"], len(found["data_elements_signed"])) == ("SHA256", found["elements"])
    assert srsign("mac", "compute", image).out.split()[0] == found["mac"]


def test_the_macs_of_several_files(office: Office) -> None:
    """Several processes find what one finds, in the same order."""
    alone = srsign("mac", "compute", office.images, "--algorithm", "sha512", "--json")
    together = srsign(
        *("mac", "compute", office.images, "--algorithm", "SHA512", "--jobs", "2", "--json")
    )
    assert alone.lines == together.lines
    assert {line.get("algorithm", "SHA512") for line in alone.lines} == {"SHA512"}


@pytest.mark.parametrize(("names", "code"), [(["ct-1.dcm", "x"], 3), (["x"], 1), (["x", "y"], 1)])
def test_a_batch_that_failed(office: Office, tmp_path: Path, names: list[str], code: int) -> None:
    """Some files failed: 3. All failed: 1."""
    for name in names:
        (tmp_path / name).write_bytes(
            (office.images / name).read_bytes() if name.endswith(".dcm") else b"not DICOM at all"
        )
    ended = srsign("mac", "compute", *(tmp_path / name for name in names), "--json")
    assert ended.code == code


def test_what_is_in_a_file(office: Office) -> None:
    """Inspecting ends with 0 whatever there is, and says no word of judgement."""
    altered = srsign("inspect", office.report)
    assert altered.code == 0
    assert not {"PASSED", "FAILED", "INDETERMINATE", "valid signature"} & set(altered.out.split())
    found = srsign("inspect", office.report, "--json").json
    assert [s["purpose"]["code"] for s in found["signatures"]] == ["1", "5"]


def test_what_is_not_dicom_is_not_inspected(tmp_path: Path) -> None:
    """Bytes that are not DICOM are an error."""
    path = tmp_path / "x"
    path.write_bytes(b"not DICOM at all")
    assert srsign("inspect", path).code == 1


def test_a_page(office: Office, tmp_path: Path) -> None:
    """A page is written, and the verdict told."""
    out = tmp_path / "report.html"
    ended = srsign("render", office.report, *office.trust, "-o", out, "--json")
    assert (ended.code, ended.json["indication"]) == (0, "PASSED")
    assert "PASSED, with limitations" in out.read_text("utf-8")


@pytest.mark.parametrize("name", ["report.jpg", "report", "report.txt"])
def test_a_page_of_another_kind(office: Office, tmp_path: Path, name: str) -> None:
    """Other forms than HTML, PDF and PNG are refused before anything is read."""
    ended = srsign("render", office.report, "-o", tmp_path / name)
    assert (ended.code, list(tmp_path.iterdir())) == (2, [])


def test_templates() -> None:
    """Templates are listed, shown as text and as data, and an unknown one is an error."""
    assert "ct-chest" in {t["id"] for t in srsign("template", "list", "--json").json["templates"]}
    assert "ct-chest" in srsign("template", "list").out
    shown = srsign("template", "show", "ct-chest", "--json").json
    keys = [wanted["key"] for wanted in shown["inputs"]]
    text = srsign("template", "show", "ct-chest").out
    assert all(f"  {key} " in text for key in keys)
    assert srsign("template", "show", "nonsense").code == 1


def test_a_pki(tmp_path: Path) -> None:
    """A throw-away PKI is written once and not overwritten."""
    folder = tmp_path / "pki"
    written = srsign("certs", "demo", folder, "--json").json
    assert Path(written["entities"]["author"]["certificate"]).is_file()
    before = (folder / "root.pem").read_bytes()
    assert srsign("certs", "demo", folder).code == 2
    assert (folder / "root.pem").read_bytes() == before


def test_a_token_module_that_is_not_there(tmp_path: Path) -> None:
    """A PKCS #11 module that cannot be loaded is an error, never an empty list."""
    pytest.importorskip("pkcs11")
    ended = srsign("token", "list", "--module", tmp_path / "absent.so", "--json")
    assert ended.code in (2, 20)
    assert ended.out == ""
