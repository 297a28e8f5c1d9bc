"""The reader: what is DICOM, how a data set without labels is recognised, what is noticed."""

from __future__ import annotations

import random
import zlib
from struct import pack

import pytest

from sr.dicomfile import BytesSource, read
from sr.errors import DatasetError, NotDICOMError, SRError
from sr.findings import Status
from tests.support.canary import VICTIM
from tests.support.dicom_bytes import (
    BIG_ENDIAN,
    EXPLICIT,
    IMPLICIT,
    SYNTAX,
    deflated,
    part10,
)

LE = EXPLICIT
UID = b"1.2.3\0"


def _body(encoder=EXPLICIT) -> bytes:
    return encoder.element(0x00080018, "UI", UID) + encoder.element(0x00100010, "PN", b"A^B ")


def _rules(data: bytes) -> dict[str, Status]:
    return {n.rule: n.status for n in read(BytesSource(data)).notices}


@pytest.mark.parametrize(
    ("syntax", "body"),
    [
        ("explicit", _body()),
        ("implicit", _body(IMPLICIT)),
        ("big", _body(BIG_ENDIAN)),
        ("deflated", deflated(_body())),
        ("jpeg", _body()),
        ("rle", _body()),
        ("1.2.840.10008.1.2.1.98", _body()),
    ],
)
def test_transfer_syntaxes(syntax, body):
    """The same content is read from every encoding, without a notice."""
    file = read(BytesSource(part10(body, syntax)))
    assert file.transfer_syntax.uid == SYNTAX.get(syntax, syntax)
    assert file.sop_instance_uid == "1.2.3"
    assert file.dataset.text(0x00100010) == "A^B"
    assert file.notices == ()


@pytest.mark.parametrize(
    "uid",
    [
        "1.2.840.10008.1.2.4.94",
        "1.2.840.10008.1.2.4.95",
        "1.2.840.10008.1.2.4.205",
        "1.2.840.10008.1.2.55",
        "1.2.840.113619.5.2",
        "1.2.3",
        "nonsense",
        f"1.2.840.10008.1.2.1\0{VICTIM}",  # of a wrong length, so that it holds what follows
        f"1.2.840.10008.1.2.4.50\0{VICTIM}",
    ],
)
def test_unknown_transfer_syntax(uid):
    """A transfer syntax whose encoding is not known is refused, not guessed."""
    with pytest.raises(DatasetError) as caught:
        read(BytesSource(part10(_body(), uid)))
    assert caught.value.rule == "TRANSFER_SYNTAX_UNKNOWN"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0",
        b"%PDF-1.7\n" + b"x" * 300,
        b"\x89PNG\r\n\x1a\n" + bytes(300),
        b"DICM" + _body(),
        b"\2\0\0\0",
        b"\2\0\0\0XX\0\0" + bytes(40),
        bytes(400),
        b"\x08\0\5\0\xff\xff\xff\x7f" + bytes(20),
    ],
    ids=["empty", "one", "pdf", "png", "late", "short", "meta", "zeros", "huge"],
)
def test_not_dicom(data):
    """Bytes that are not DICOM are told apart from DICOM that breaks a rule."""
    with pytest.raises(NotDICOMError):
        read(BytesSource(data))


def test_random_bytes():
    """Random bytes give nothing but errors of ours."""
    draw = random.Random(86)
    for _ in range(2000):
        data = draw.randbytes(draw.randrange(400))
        with pytest.raises(SRError):
            read(BytesSource(data))


def test_random_bytes_after_the_prefix():
    """Random bytes behind a sound header give a data set or an error of ours."""
    draw = random.Random(87)
    for _ in range(2000):
        data = part10(draw.randbytes(draw.randrange(2, 200)), draw.choice(list(SYNTAX)))
        with pytest.raises(DatasetError):
            read(BytesSource(data))


@pytest.mark.parametrize("encoder", [EXPLICIT, IMPLICIT, BIG_ENDIAN])
def test_bare_data_set(encoder):
    """A data set without any label is recognised by its first element, with a warning."""
    file = read(BytesSource(_body(encoder)))
    assert file.meta is None
    assert file.preamble is None
    assert file.sop_instance_uid == "1.2.3"
    assert {n.rule: n.status for n in file.notices} == {"META_ABSENT": Status.WARN}


def test_no_preamble():
    """File Meta Information without preamble and prefix is read as such."""
    file = read(BytesSource(part10(_body(), preamble=b"")[4:]))
    assert file.meta is not None
    assert file.sop_instance_uid == "1.2.3"


@pytest.mark.parametrize("encoder", [EXPLICIT, IMPLICIT, BIG_ENDIAN])
def test_no_transfer_syntax(encoder):
    """Without Transfer Syntax UID the encoding is inferred, with a warning."""
    meta = LE.element(0x00020001, "OB", b"\0\1")
    data = part10(_body(encoder), meta=meta)
    assert read(BytesSource(data)).sop_instance_uid == "1.2.3"
    assert _rules(data) == {"META_ABSENT": Status.WARN}


def test_prefix_without_meta():
    """After the prefix the data set may not begin at once."""
    with pytest.raises(DatasetError) as caught:
        read(BytesSource(part10(_body(), meta=b"")))
    assert caught.value.rule == "META_ABSENT"


def test_nothing_after_the_meta():
    """A file that ends after File Meta Information is an empty data set."""
    assert read(BytesSource(part10(b""))).dataset.elements == ()


@pytest.mark.parametrize("said", [0, 30, 40, 2**32 - 1])
def test_wrong_group_length(said):
    """A File Meta Information Group Length that other readers would trust is named."""
    meta = LE.element(0x00020000, "UL", pack("<I", said))
    meta += LE.element(0x00020010, "UI", b"1.2.840.10008.1.2.1\0")
    assert _rules(part10(_body(), meta=meta)) == {"META_LENGTH": Status.WARN}


def test_missing_group_length():
    """File Meta Information without its length is read without ado."""
    meta = LE.element(0x00020010, "UI", b"1.2.840.10008.1.2.1\0")
    assert _rules(part10(_body(), meta=meta)) == {}


@pytest.mark.parametrize(
    ("meta", "rule"),
    [
        (LE.element(0x00020010, "UI", b"1.2.840.10008.1.2.1\0") * 2, "DUPLICATE_TAG"),
        (
            LE.element(0x00020012, "UI", b"1.2\0") + LE.element(0x00020010, "UI", b"1.2\0"),
            "TAG_ORDER",
        ),
        (LE.element(0x00020010, "UI", b"1.2"), "ODD_LENGTH"),
        (LE.element(0x00020010, "UI", b"1.2\0", length=4000), "TRUNCATED"),
    ],
)
def test_faults_of_the_meta(meta, rule):
    """File Meta Information keeps the same rules as a data set."""
    with pytest.raises(DatasetError) as caught:
        read(BytesSource(part10(_body(), meta=meta)))
    assert caught.value.rule == rule


def test_preamble_in_use():
    """A preamble that is not empty is named: the file may be two kinds of file."""
    assert _rules(part10(_body(), preamble=b"II*\0" + bytes(124))) == {"PREAMBLE": Status.WARN}


def test_trailing_padding():
    """Data Set Trailing Padding is read and named, because nothing ever signs it."""
    data = part10(_body() + LE.element(0xFFFCFFFC, "OB", b"hidden"))
    assert _rules(data) == {"TRAILING_PADDING": Status.NOTICE}


def test_group_2_inside_the_data_set():
    """In a deflated data set group 2 stays in the data set, where signature rules find it."""
    stray = LE.element(0x00020010, "UI", b"1.2.840.10008.1.2\0")
    file = read(BytesSource(part10(deflated(stray + _body()), "deflated")))
    assert file.dataset.text(0x00020010) == "1.2.840.10008.1.2"
    assert file.transfer_syntax.uid == SYNTAX["deflated"]


def test_group_2_in_an_implicit_data_set():
    """Group 2 behind File Meta Information in another encoding is refused."""
    stray = IMPLICIT.element(0x00020100, "UI", b"1.2\0")
    with pytest.raises(DatasetError) as caught:
        read(BytesSource(part10(stray + _body(IMPLICIT), "implicit")))
    assert caught.value.rule == "VR_INVALID"


def test_empty_deflated_data_set():
    """A deflated data set may be shorter than the header of an element."""
    assert read(BytesSource(part10(deflated(b""), "deflated"))).dataset.elements == ()


def test_the_source_is_kept():
    """Offsets of a deflated data set refer to the inflated bytes, the file stays available."""
    data = part10(deflated(_body()), "deflated")
    source = BytesSource(data)
    file = read(source)
    assert file.source is source
    assert file.dataset.source is not source
    assert file.dataset.source.read_at(0, 100) == _body()


def test_gzip_trailer_after_a_deflated_data_set():
    """Checksum and length of the gzip format behind the data set are tolerated if they fit."""
    body = _body()
    trailer = pack("<II", zlib.crc32(body), len(body))
    raw = zlib.compressobj(wbits=-15)
    packed = raw.compress(body) + raw.flush()
    assert read(BytesSource(part10(packed + trailer, "deflated"))).sop_instance_uid == "1.2.3"
    with pytest.raises(DatasetError) as caught:
        read(BytesSource(part10(packed + bytes(8), "deflated")))
    assert caught.value.rule == "TRAILING_BYTES"
