"""The bytes that a MAC or signature covers, written out."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest

from sr.app.checks.mac import dump, write_dump
from sr.app.files import open_dicom
from sr.dicomfile import tag_for_keyword
from sr.errors import ConfigurationError, EncodingError
from sr.mac import MACAlgorithm, compute_mac
from sr.signature import examine
from sr.signature.coverage import APPROVAL_MAY_TOUCH
from sr.signature.integrity import SignatureMatch, match_signature
from tests.support.office import Office
from tests.support.peers import dcmsign_sign


def _stream(path: Path, **options: str) -> bytes:
    return b"".join(block for chunk in dump(path, **options) for block in chunk.blocks())


def _tags(path: Path, **options: str) -> list[int]:
    return [chunk.chunk.tag for chunk in dump(path, **options)]


@pytest.mark.parametrize("number", [1, 2])
def test_the_stream_of_a_signature_is_what_was_signed(office: Office, number: int) -> None:
    """The digest of the dumped stream is the one that the signature value fits."""
    located = examine(open_dicom(office.report)).signatures[number - 1]
    digest = sha256(_stream(office.report, signature=str(number))).digest()
    item = located.signature
    found = match_signature(item.certificate, item.signature, MACAlgorithm.SHA256, digest)
    assert found is SignatureMatch.MATCHES


def test_a_signature_may_be_named_by_its_uid(office: Office) -> None:
    """Number and UID name the same stream."""
    uid = examine(open_dicom(office.report)).signatures[1].signature.digital_signature_uid
    assert _stream(office.report, signature=uid) == _stream(office.report, signature="2")


def test_the_signature_item_ends_the_stream(office: Office) -> None:
    """MAC ID, UID, time, certificate type and purpose are hashed, certificate and value are not."""
    tail = [tag for tag in _tags(office.report, signature="1") if tag >> 16 == 0x0400]
    assert tail == [0x04000005, 0x04000100, 0x04000105, 0x04000110, 0x04000401]


def test_everything_signable_is_the_default(office: Office) -> None:
    """Without a selection the stream is that of a secure reference."""
    found = tuple(_tags(office.report))
    assert found == compute_mac(open_dicom(office.report)).data_elements_signed
    assert _stream(office.report) == _stream(office.report, tags="signable")


def test_an_author_leaves_room_for_approval(office: Office) -> None:
    """``author`` is everything but what approval may touch."""
    everything, author = set(_tags(office.report)), set(_tags(office.report, tags="author"))
    assert everything - author == everything & APPROVAL_MAY_TOUCH


@pytest.mark.parametrize(
    "text",
    [
        "0010,0010 0010,0020",
        "(0010,0020),(0010,0010)",
        "00100010;00100020",
        "0010,0010,0010,0020",
        "PatientName, PatientID",
        "PatientName 0010,0020 PatientName",
    ],
)
def test_a_list_of_tags(office: Office, text: str) -> None:
    """Tags are understood in every usual notation, in any order, once each."""
    expected = [tag_for_keyword("PatientName"), tag_for_keyword("PatientID")]
    assert _tags(office.report, tags=text) == expected


def test_a_tag_that_is_absent_adds_nothing(office: Office) -> None:
    """A selected element that is not there has no bytes in the stream."""
    assert _tags(office.report, tags="0010,0010 7FE0,0010") == [0x00100010]


WRONG: dict[str, tuple[dict[str, str], type[Exception]]] = {
    "nonsense": ({"tags": "nonsense"}, ConfigurationError),
    "three digits": ({"tags": "010,0010"}, ConfigurationError),
    "unknown keyword": ({"tags": "NoSuchKeyword"}, ConfigurationError),
    "nothing": ({"tags": " , "}, ConfigurationError),
    "no such number": ({"signature": "3"}, ConfigurationError),
    "no such UID": ({"signature": "2.25.1"}, ConfigurationError),
    "number with a sign": ({"signature": "+1"}, ConfigurationError),
    "both": ({"signature": "1", "tags": "author"}, ConfigurationError),
    "never covered": ({"tags": "FFFA,FFFA"}, EncodingError),
    "file meta": ({"tags": "PatientName (4FFE,0001)"}, EncodingError),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_selection_that_makes_no_sense(office: Office, name: str) -> None:
    """A selection that cannot be covered is refused."""
    options, error = WRONG[name]
    with pytest.raises(error):
        _stream(office.report, **options)


def test_an_unsigned_file_has_no_signature_to_dump(office: Office) -> None:
    """Signature 1 of an unsigned file is an error, not an empty stream."""
    with pytest.raises(ConfigurationError):
        _stream(office.draft, signature="1")


def test_a_stream_that_breaks_off_leaves_no_file(office: Office, tmp_path: Path) -> None:
    """An error in the middle of the stream leaves nothing behind."""
    out = tmp_path / "stream.bin"
    with pytest.raises(EncodingError):
        write_dump(out, dump(office.report, tags="PatientName (4FFE,0001)"), source=office.report)
    assert not list(tmp_path.iterdir())


def test_a_stream_is_not_written_over_its_source(office: Office) -> None:
    """The file that is dumped is no place for the dump."""
    with pytest.raises(ConfigurationError):
        write_dump(office.draft, dump(office.draft), source=office.draft)


def test_the_offsets_of_the_parts(office: Office) -> None:
    """Each part begins where the one before it ended."""
    chunks = list(dump(office.report))
    ends = [chunk.offset + chunk.length for chunk in chunks]
    assert [chunk.offset for chunk in chunks] == [0, *ends[:-1]]
    assert ends[-1] == len(_stream(office.report))


@pytest.mark.peer
def test_the_stream_is_that_of_dcmsign(
    office: Office, tmp_path: Path, require: Callable[[str], Path]
) -> None:
    """Our stream is byte-identical with the beginning of what ``dcmsign +d`` hashes."""
    require("/usr/bin/dcmsign")
    source, out, dumped = office.images / "ct-1.dcm", tmp_path / "out.dcm", tmp_path / "dump.bin"
    key, certificate = office.pki.key("author"), office.pki.certificate("author")
    signed = dcmsign_sign(source, out, key=key, certificate=certificate, profile="-pf", dump=dumped)
    assert signed.returncode == 0, signed.output
    assert dumped.read_bytes().startswith(_stream(source))
    assert dumped.read_bytes() == _stream(out, signature="1")
