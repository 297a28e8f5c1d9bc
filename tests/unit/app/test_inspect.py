"""What is in a file, said without judging it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sr.app.checks.inspect import inspect_file
from sr.app.files import open_dicom
from sr.errors import ConfigurationError, DatasetError, NotDICOMError
from sr.mac import compute_mac
from tests.support.office import Office
from tests.support.signed import author_report
from tests.support.tokens import STAMPED_AT, stamped, token

JUDGEMENTS = ("indication", "sub_indication", "status", "trusted", "valid", "policy")


def _keys(value: object) -> set[str]:
    if isinstance(value, dict):
        return set(value).union(*(_keys(inner) for inner in value.values()))
    return set().union(*map(_keys, value)) if isinstance(value, list) else set()


@pytest.fixture
def found(office: Office) -> dict[str, object]:
    """Return what is in the approved report."""
    return inspect_file(office.report)


def test_what_was_found_is_json(found: dict[str, object]) -> None:
    """Everything can be written as JSON, and nothing in it is a judgement."""
    assert json.loads(json.dumps(found)) == found
    assert not _keys(found) & set(JUDGEMENTS)


def test_signatures(office: Office, found: dict[str, list[dict[str, object]]]) -> None:
    """Each signature has its number, purpose, reach and certificate."""
    author, approval = found["signatures"]
    assert (author["number"], approval["number"]) == (1, 2)
    assert [s["purpose"]["code"] for s in (author, approval)] == ["1", "5"]
    assert len(approval["covers"]) > len(author["covers"])
    assert "Weber" in approval["certificate"]["subject"]
    assert approval["certificate"]["key"] == {"kind": "RSA", "bits": 3072}


def test_the_document(found: dict[str, dict[str, object]]) -> None:
    """Title, flags and observers are those of the document."""
    document = found["document"]
    flags = (document["completion_flag"], document["verification_flag"])
    assert flags == ("COMPLETE", "VERIFIED")
    assert document["observers"] == {"author": ["Meier^Anna"], "verifying": ["Weber^Sam"]}
    assert document["title"]["scheme"] == "LN"


def test_references_carry_their_proofs(
    office: Office, found: dict[str, list[dict[str, object]]]
) -> None:
    """Each cited instance is listed with the MAC that the document holds about it."""
    macs = {open_dicom(path).sop_instance_uid: path for path in office.images.iterdir()}
    assert len(found["references"]) == 3
    for reference in found["references"]:
        computed = compute_mac(open_dicom(macs[reference["sop_instance_uid"]])).mac.hex()
        assert reference["macs"][0]["mac"] == computed


def test_what_nobody_signed(office: Office) -> None:
    """An author's signature leaves open what approval may touch; without one all is open."""
    authored = inspect_file(office.authored)["uncovered"]
    assert "(0040,A493) VerificationFlag" in authored
    assert "(0010,0010) PatientName" not in authored
    assert "(0010,0010) PatientName" in inspect_file(office.draft)["uncovered"]
    assert inspect_file(office.report)["uncovered"] == []


def test_an_image_is_no_document(office: Office) -> None:
    """An image has neither document nor references, and is inspected all the same."""
    found = inspect_file(office.images / "ct-1.dcm")
    assert (found["document"], found["references"], found["signatures"]) == (None, [], [])


def test_an_altered_file_looks_like_any_other(office: Office, tmp_path: Path) -> None:
    """Inspecting computes no MAC: a changed letter changes nothing but the letter."""
    data = bytearray(office.report.read_bytes())
    data[data.index("Jördis".encode())] ^= 1
    path = tmp_path / "report.dcm"
    path.write_bytes(data)
    found, original = inspect_file(path), inspect_file(office.report)
    assert found["patient"].pop("name") != original["patient"].pop("name")
    assert found == original


def test_a_certificate_that_cannot_be_read_is_told(office: Office, tmp_path: Path) -> None:
    """A broken certificate is no reason to say nothing about the rest."""
    data = bytearray(office.report.read_bytes())
    at = data.index(b"\x00\x04\x15\x01OB\0\0")
    data[at + 12] ^= 0xFF
    path = tmp_path / "report.dcm"
    path.write_bytes(data)
    first, second = inspect_file(path)["signatures"]
    assert set(first["certificate"]) == {"unreadable", "bytes"}
    assert "subject" in second["certificate"]


def test_odd_structure_is_stated(office: Office, tmp_path: Path) -> None:
    """A structural rule that is broken is stated by its id, without saying how grave it is."""
    data = office.report.read_bytes()
    parameters = b"\x00\x04\x05\x00US\x02\x00"
    at = data.index(parameters) + len(parameters)
    path = tmp_path / "report.dcm"
    path.write_bytes(data[:at] + b"\x63\x00" + data[at + 2 :])
    rules = {
        s["rule"] for signature in inspect_file(path)["signatures"] for s in signature["structure"]
    }
    assert "MACID" in rules


@pytest.mark.parametrize(
    ("content", "error"),
    [(b"not DICOM at all", NotDICOMError), (b"", NotDICOMError), (None, ConfigurationError)],
)
def test_what_cannot_be_inspected(
    tmp_path: Path, content: bytes | None, error: type[Exception]
) -> None:
    """Other bytes, and a path that is not there, are errors."""
    path = tmp_path / "x"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(error):
        inspect_file(path)


def test_a_broken_file_is_not_inspected(office: Office, tmp_path: Path) -> None:
    """A file cut in the middle is refused: what follows the cut is unknown."""
    path = tmp_path / "half.dcm"
    path.write_bytes(office.report.read_bytes()[:5000])
    with pytest.raises(DatasetError):
        inspect_file(path)


def _stamped(tmp_path: Path, token: bytes) -> dict[str, object]:
    path = tmp_path / "stamped.dcm"
    path.write_bytes(stamped(author_report(), lambda _value: token))
    return inspect_file(path)["signatures"][0]["timestamp"]


def test_a_time_stamp_is_shown_as_it_stands(tmp_path: Path) -> None:
    """Time, accuracy and authority are shown, of another signature's time-stamp just the same."""
    shown = _stamped(tmp_path, token(b"another value", accuracy={"seconds": 1, "millis": 500}))
    assert shown["generated_at"] == STAMPED_AT.isoformat()
    assert shown["accuracy_seconds"] == 1.5
    assert "Test TSA" in shown["authority"]["subject"]
    assert not _keys(shown) & set(JUDGEMENTS)


@pytest.mark.parametrize("token", [b"junk", b"\x30\x00"])
def test_an_unreadable_time_stamp_is_said_to_be(tmp_path: Path, token: bytes) -> None:
    """What cannot be read is shown as such."""
    assert "unreadable" in _stamped(tmp_path, token)
