"""The writer of our own small items, against bytes spelt out from PS3.5 7.1."""

from __future__ import annotations

from struct import pack

import pytest

from sr.dicomfile import BytesSource, read, writer
from sr.dicomfile.dataset import Encoding
from sr.errors import EncodingError
from tests.support.dicom_bytes import BIG_ENDIAN, EXPLICIT, IMPLICIT, Encoder, part10, tree

NICKNAME = {EXPLICIT: "explicit", IMPLICIT: "implicit", BIG_ENDIAN: "big"}
ENCODERS = pytest.mark.parametrize("e", NICKNAME, ids=NICKNAME.values())


def _encoding(e: Encoder) -> Encoding:
    return Encoding(e.explicit, e.little)


@ENCODERS
@pytest.mark.parametrize("vr", ["PN", "US", "OB", "UN", "UT", "SQ", "OV"])
def test_element(e, vr):
    """Header and value stand as PS3.5 7.1 has them."""
    assert writer.element(0x00100010, vr, b"abcd", _encoding(e)) == e.element(
        0x00100010, vr, b"abcd"
    )


@ENCODERS
def test_sequence_and_tags(e):
    """Sequences have defined lengths, tags are numbers in the byte order."""
    content = writer.tags(0x04000020, [0x00100010, 0x7FE00010], _encoding(e))
    assert content == e.element(0x04000020, "AT", pack(e.order + "HHHH", 0x10, 0x10, 0x7FE0, 0x10))
    assert writer.sequence(0x4FFE0001, [content, b""], _encoding(e)) == e.sequence(
        0x4FFE0001, e.item(content), e.item()
    )


@pytest.mark.parametrize(
    ("vr", "value", "padded"),
    [
        ("UI", b"1", b"1\0"),
        ("OB", b"1", b"1\0"),
        ("LO", b"1", b"1 "),
        ("LO", b"", b""),
        ("DT", b"12", b"12"),
    ],
)
def test_padding(vr, value, padded):
    """Odd values get the pad byte of their VR."""
    assert writer.padded(vr, value) == padded


def test_a_value_too_long_for_its_vr():
    """A value of 64 KiB has no place in a 16-bit length; it is refused, not truncated."""
    assert len(writer.element(0x00100010, "LO", b"x" * 65534)) == 65542
    with pytest.raises(EncodingError) as caught:
        writer.element(0x00100010, "LO", b"x" * 65536)
    assert caught.value.rule == "VALUE_TOO_LONG"
    assert len(writer.element(0x00100010, "LO", b"x" * 65536, Encoding(False, True))) == 65544


NODES = (
    (0x04000005, "US", b"\1\0"),
    (0x04000020, "AT", b"\x10\0\x10\0\xe0\x7f\x10\0"),
    (0x04000105, "DT", b"20261120120000+0000 "),
    (0x04000115, "OB", b"\1\2\3\4"),
    (0x04000401, "SQ", [[(0x00080100, "SH", b"5 "), (0x00189073, "FD", b"\1\2\3\4\5\6\7\x08")]]),
)


@ENCODERS
@pytest.mark.parametrize("source", NICKNAME, ids=NICKNAME.values())
def test_transcode(source, e):
    """A data set written in any encoding comes out as if spelt out in the other."""
    file = read(BytesSource(part10(tree(NODES, source), NICKNAME[source])))
    assert writer.transcode(file.dataset, _encoding(e)) == tree(NODES, e)


def test_transcode_gives_defined_lengths():
    """Undefined lengths come out defined."""
    file = read(BytesSource(part10(tree(NODES, EXPLICIT, undefined=True))))
    assert writer.transcode(file.dataset, Encoding(True, True)) == tree(NODES, EXPLICIT)
