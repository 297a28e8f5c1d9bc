"""The MAC stream against vectors written out by hand from PS3.3 C.12.1.1.3.1.1."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from sr.dicomfile import BytesSource, DataSet, read
from sr.errors import EncodingError
from sr.mac import Padding, mac_stream, signable_tags
from sr.mac.stream import chunk_bytes, chunk_length
from tests.support.dicom_bytes import (
    BIG_ENDIAN,
    EXPLICIT,
    IMPLICIT,
    UNDEFINED,
    deflated,
    part10,
    tree,
)

LE, IM, BE = EXPLICIT, IMPLICIT, BIG_ENDIAN
SQ = 0x0040A730


def opened(body: bytes, syntax: str = "explicit", *, odd: bool = False) -> DataSet:
    return read(BytesSource(part10(body, syntax)), allow_odd_lengths=odd).dataset


def stream(
    dataset: DataSet,
    tags: Iterable[int] | None = None,
    *,
    item: DataSet | None = None,
    padding: Padding = Padding.AS_STORED,
) -> str:
    """Return the stream over these tags, by default all, as hexadecimal digits."""
    selection = signable_tags(dataset, private=True) if tags is None else tags
    chunks = list(mac_stream(dataset, selection, signature_item=item, padding=padding))
    data = b"".join(block for chunk in chunks for block in chunk_bytes(chunk))
    assert len(data) == sum(map(chunk_length, chunks))
    return data.hex(" ").upper()


def spelt(*parts: str) -> str:
    return " ".join(" ".join(parts).split())


VECTORS = {
    "short form": (
        LE.element(0x00100010, "PN", b"A^B "),
        "10 00 10 00  50 4E  04 00  41 5E 42 20",
    ),
    "long form": (
        LE.element(0x00420011, "OB", b"\1\2"),
        "42 00 11 00  4F 42 00 00  02 00 00 00  01 02",
    ),
    "empty value": (
        LE.element(0x00100010, "PN"),
        "10 00 10 00  50 4E  00 00",
    ),
    "empty sequence": (
        LE.sequence(SQ),
        "40 00 30 A7  53 51 00 00  FE FF DD E0",
    ),
    "empty sequence of undefined length": (
        LE.sequence(SQ, undefined=True),
        "40 00 30 A7  53 51 00 00  FE FF DD E0",
    ),
    "empty items": (
        LE.sequence(SQ, LE.item(), LE.item(undefined=True)),
        "40 00 30 A7  53 51 00 00  FE FF 00 E0  FE FF 00 E0  FE FF DD E0",
    ),
    "nested sequence": (
        LE.sequence(
            SQ,
            LE.item(LE.sequence(0x0040A043, LE.item(LE.element(0x00080100, "SH", b"1 ")))),
            undefined=True,
        ),
        """40 00 30 A7  53 51 00 00
             FE FF 00 E0
               40 00 43 A0  53 51 00 00
                 FE FF 00 E0
                   08 00 00 01  53 48  02 00  31 20
                 FE FF DD E0
             FE FF DD E0""",
    ),
    "encapsulated, empty offset table": (
        LE.encapsulated(0x7FE00010, b"", b"\xff\xd8", b"\xff\xd9"),
        """E0 7F 10 00  4F 42 00 00
             FE FF 00 E0
             FE FF 00 E0  FF D8
             FE FF 00 E0  FF D9
             FE FF DD E0""",
    ),
    "encapsulated, offset table": (
        LE.encapsulated(0x7FE00010, b"\0\0\0\0", b"\xff\xd8\xff\xd9"),
        """E0 7F 10 00  4F 42 00 00
             FE FF 00 E0  00 00 00 00
             FE FF 00 E0  FF D8 FF D9
             FE FF DD E0""",
    ),
    "encapsulated OW is OB": (
        LE.encapsulated(0x7FE00010, b"", b"\1\2", vr="OW"),
        "E0 7F 10 00  4F 42 00 00  FE FF 00 E0  FE FF 00 E0  01 02  FE FF DD E0",
    ),
    "no fragments": (
        LE.encapsulated(0x7FE00010),
        "E0 7F 10 00  4F 42 00 00  FE FF DD E0",
    ),
    "encapsulated in an item": (
        LE.sequence(0x00880200, LE.item(LE.encapsulated(0x7FE00010, b"", b"\1\2"))),
        """88 00 00 02  53 51 00 00
             FE FF 00 E0
               E0 7F 10 00  4F 42 00 00  FE FF 00 E0  FE FF 00 E0  01 02  FE FF DD E0
             FE FF DD E0""",
    ),
}


@pytest.mark.parametrize("name", VECTORS)
def test_explicit_vectors(name):
    """Lengths of sequences and items are absent, delimiters are always there."""
    body, expected = VECTORS[name]
    assert stream(opened(body, "jpeg")) == spelt(expected)


IMPLICIT_VECTORS = {
    "text": (IM.element(0x00100010, "PN", b"A^B "), "10 00 10 00  50 4E  04 00  41 5E 42 20"),
    "pixel data": (
        IM.element(0x7FE00010, "OW", b"\1\2"),
        "E0 7F 10 00  4F 57 00 00  02 00 00 00  01 02",
    ),
    "unlimited text": (
        IM.element(0x0040A160, "UT", b"ab"),
        "40 00 60 A1  55 54 00 00  02 00 00 00  61 62",
    ),
    "sequence": (
        IM.sequence(SQ, IM.item(IM.element(0x0040A160, "UT", b"ab"), undefined=True)),
        """40 00 30 A7  53 51 00 00
             FE FF 00 E0  40 00 60 A1  55 54 00 00  02 00 00 00  61 62
             FE FF DD E0""",
    ),
    "signed number": (
        IM.element(0x00280103, "US", b"\1\0") + IM.element(0x00280106, "SS", b"\xff\xff"),
        "28 00 03 01  55 53  02 00  01 00   28 00 06 01  53 53  02 00  FF FF",
    ),
    "private creator": (
        IM.element(0x00090010, "LO", b"ACME"),
        "09 00 10 00  4C 4F  04 00  41 43 4D 45",
    ),
}


@pytest.mark.parametrize("name", IMPLICIT_VECTORS)
def test_implicit_vectors(name):
    """Implicit VR gets the header that explicit VR would have."""
    body, expected = IMPLICIT_VECTORS[name]
    assert stream(opened(body, "implicit")) == spelt(expected)


def test_value_too_long_for_its_vr():
    """A value of implicit VR beyond 16 bits of length stands as UN, as explicit VR writes it."""
    dataset = opened(IM.element(0x00181050, "DS", b"1." * 32768), "implicit")
    assert stream(dataset).startswith(spelt("18 00 50 10  55 4E 00 00  00 00 01 00  31 2E"))


BIG_ENDIAN_VECTORS = {
    "US": (b"\1\2", "28 00 10 00  55 53  02 00  02 01"),
    "AT": (b"\0\x10\0\x20", "28 00 10 00  41 54  04 00  10 00 20 00"),
    "UL": (b"\1\2\3\4", "28 00 10 00  55 4C  04 00  04 03 02 01"),
    "FL": (b"\1\2\3\4", "28 00 10 00  46 4C  04 00  04 03 02 01"),
    "FD": (b"\1\2\3\4\5\6\7\x08", "28 00 10 00  46 44  08 00  08 07 06 05 04 03 02 01"),
    "SL": (b"\1\2\3\4" * 2, "28 00 10 00  53 4C  08 00  04 03 02 01 04 03 02 01"),
    "SS": (b"\1\2", "28 00 10 00  53 53  02 00  02 01"),
    "OW": (b"\1\2\3\4", "28 00 10 00  4F 57 00 00  04 00 00 00  02 01 04 03"),
    "OF": (b"\1\2\3\4", "28 00 10 00  4F 46 00 00  04 00 00 00  04 03 02 01"),
    "OL": (b"\1\2\3\4", "28 00 10 00  4F 4C 00 00  04 00 00 00  04 03 02 01"),
    "OD": (b"\1\2\3\4\5\6\7\x08", "28 00 10 00  4F 44 00 00  08 00 00 00  08 07 06 05 04 03 02 01"),
    "OV": (b"\1\2\3\4\5\6\7\x08", "28 00 10 00  4F 56 00 00  08 00 00 00  08 07 06 05 04 03 02 01"),
    "SV": (b"\1\2\3\4\5\6\7\x08", "28 00 10 00  53 56 00 00  08 00 00 00  08 07 06 05 04 03 02 01"),
    "UV": (b"\1\2\3\4\5\6\7\x08", "28 00 10 00  55 56 00 00  08 00 00 00  08 07 06 05 04 03 02 01"),
    "OB": (b"\1\2\3\4", "28 00 10 00  4F 42 00 00  04 00 00 00  01 02 03 04"),
    "LO": (b"\1\2\3\4", "28 00 10 00  4C 4F  04 00  01 02 03 04"),
}


@pytest.mark.parametrize("vr", BIG_ENDIAN_VECTORS)
def test_big_endian_vectors(vr):
    """Numbers of a big endian file enter little endian, each VR in its width."""
    value, expected = BIG_ENDIAN_VECTORS[vr]
    assert stream(opened(BE.element(0x00280010, vr, value), "big")) == spelt(expected)


def test_big_endian_sequence():
    """Tags and delimiters of a big endian file enter little endian at every depth."""
    body = BE.sequence(SQ, BE.item(BE.element(0x00280010, "US", b"\1\2"), undefined=True))
    assert stream(opened(body, "big")) == spelt(
        "40 00 30 A7  53 51 00 00  FE FF 00 E0  28 00 10 00  55 53 02 00 02 01  FE FF DD E0"
    )


def test_big_endian_words_across_blocks():
    """A large value is swapped alike on both sides of a block border."""
    value = bytes(range(256)) * 8192 + b"\1\2"
    dataset = opened(BE.element(0x7FE00010, "OW", value), "big")
    (chunk,) = mac_stream(dataset, [0x7FE00010])
    _header, *blocks = chunk_bytes(chunk)
    assert len(blocks) > 2
    swapped = bytearray(len(value))
    swapped[0::2], swapped[1::2] = value[1::2], value[0::2]
    assert b"".join(blocks) == bytes(swapped)


ODD_VECTORS = {
    "OB": (LE.element(0x00420011, "OB", b"\1"), "42 00 11 00 4F 42 00 00 02 00 00 00 01 00"),
    "LO": (LE.element(0x00100020, "LO", b"4"), "10 00 20 00 4C 4F 02 00 34 20"),
    "UI": (LE.element(0x00080018, "UI", b"1.2"), "08 00 18 00 55 49 04 00 31 2E 32 00"),
    "fragment": (
        LE.encapsulated(0x7FE00010, b"", b"\1"),
        "E0 7F 10 00 4F 42 00 00 FE FF 00 E0 FE FF 00 E0 01 00 FE FF DD E0",
    ),
}


@pytest.mark.parametrize("name", ODD_VECTORS)
def test_odd_lengths(name):
    """A value of odd length enters with the pad byte of its VR, and the even length."""
    body, expected = ODD_VECTORS[name]
    assert stream(opened(body, "jpeg", odd=True)) == spelt(expected)


NEVER = {
    "group length": LE.element(0x00080000, "UL", b"\1\0\0\0"),
    "length to end": LE.element(0x00080001, "UL", b"\1\0\0\0"),
    "MAC parameters": LE.sequence(0x4FFE0001, LE.item(LE.element(0x04000005, "US", b"\0\0"))),
    "signatures": LE.sequence(0xFFFAFFFA, LE.item(LE.element(0x04000005, "US", b"\0\0"))),
    "group FFFA": LE.element(0xFFFA0010, "LO", b"ab"),
    "trailing padding": LE.element(0xFFFCFFFC, "OB", b"\0\0"),
}
NAME = LE.element(0x00100010, "PN", b"A^B ")
SHOWN = "10 00 10 00 50 4E 04 00 41 5E 42 20"


@pytest.mark.parametrize("depth", range(4))
@pytest.mark.parametrize("name", NEVER)
def test_never_covered_at_any_depth(name, depth):
    """What a MAC never covers is left out, wherever it stands."""
    elements = sorted([NEVER[name], NAME], key=lambda e: (e[1], e[0], e[3], e[2]))
    body, expected = b"".join(elements), SHOWN
    for _ in range(depth):
        body = LE.sequence(SQ, LE.item(body))
        expected = f"40 00 30 A7 53 51 00 00 FE FF 00 E0 {expected} FE FF DD E0"
    assert stream(opened(body)) == expected


@pytest.mark.parametrize("depth", range(1, 4))
def test_low_groups_inside_items(depth):
    """Groups below 0008 inside an item are left out."""
    body, expected = LE.element(0x00020010, "UI", b"1.2\0") + NAME, SHOWN
    for _ in range(depth):
        body = LE.sequence(SQ, LE.item(body))
        expected = f"40 00 30 A7 53 51 00 00 FE FF 00 E0 {expected} FE FF DD E0"
    assert stream(opened(body)) == expected


@pytest.mark.parametrize("name", NEVER)
def test_selecting_what_is_never_covered(name):
    """A selection that names it at the top level is refused."""
    dataset = opened(NEVER[name])
    with pytest.raises(EncodingError) as caught:
        stream(dataset, [dataset.elements[0].tag])
    assert caught.value.rule == "DES_FORBIDDEN"


@pytest.mark.parametrize(
    "body",
    [
        LE.element(0x00091001, "UN", b"ab"),
        LE.element(0x00091001, "UN", IM.delimiter(0xFFFEE0DD), length=UNDEFINED),
        LE.sequence(SQ, LE.item(LE.element(0x00091001, "UN", b"ab"))),
        LE.sequence(SQ, LE.item(LE.sequence(SQ, LE.item(LE.element(0x00091001, "UN"))))),
    ],
    ids=["leaf", "sequence", "nested", "deep"],
)
def test_selecting_what_has_no_vr(body):
    """An element that is, or holds, UN has no bytes in the stream; selecting it is refused."""
    dataset = opened(body)
    with pytest.raises(EncodingError) as caught:
        stream(dataset, [dataset.elements[0].tag])
    assert caught.value.rule == "VR_UN"


def test_selection_order_and_absent_tags():
    """The data set gives the order; a tag that is absent adds nothing."""
    dataset = opened(NAME + LE.element(0x00100020, "LO", b"42"))
    both = stream(dataset, [0x00100010, 0x00100020])
    assert stream(dataset, [0x00100020, 0x00100099, 0x00100010]) == both
    assert stream(dataset, frozenset({0x00100010, 0x00100020})) == both
    assert stream(dataset, []) == ""


def test_private_elements_are_selected_on_request():
    """Private elements are left out unless they are asked for."""
    body = LE.element(0x00090010, "LO", b"ACME") + NAME
    assert signable_tags(opened(body)) == (0x00100010,)
    assert signable_tags(opened(body), private=True) == (0x00090010, 0x00100010)


def test_private_elements_inside_a_covered_sequence_enter():
    """Inside a covered sequence private elements are covered; they cannot be left out there."""
    body = LE.sequence(SQ, LE.item(LE.element(0x00091001, "LO", b"ab")))
    assert stream(opened(body), signable_tags(opened(body))) == spelt(
        "40 00 30 A7 53 51 00 00 FE FF 00 E0  09 00 01 10 4C 4F 02 00 61 62  FE FF DD E0"
    )


SIGNATURE = (
    (0x04000000, "UL", b"\0\0\0\0"),
    (0x04000005, "US", b"\2\1"),
    (0x04000100, "UI", b"1.2\0"),
    (0x04000105, "DT", b"2026"),
    (0x04000110, "CS", b"X "),
    (0x04000115, "OB", b"certificate "),
    (0x04000120, "OB", b"signature "),
    (0x04000305, "CS", b"CMS_TSP "),
    (0x04000310, "OB", b"token "),
    (0x04000401, "SQ", [[(0x00080100, "SH", b"1 ")]]),
)


@pytest.mark.parametrize(("e", "syntax"), [(LE, "explicit"), (IM, "implicit"), (BE, "big")])
def test_signature_item_ends_the_stream(e, syntax):
    """The signature's own attributes follow without item tag; four of them stay out."""
    body = tree([(0x00100010, "PN", b"A^B "), (0xFFFAFFFA, "SQ", [SIGNATURE])], e)
    dataset = opened(body, syntax)
    (item,) = dataset.items(0xFFFAFFFA)
    assert stream(dataset, [0x00100010], item=item) == spelt(
        SHOWN,
        """00 04 05 00  55 53  02 00  02 01
           00 04 00 01  55 49  04 00  31 2E 32 00
           00 04 05 01  44 54  04 00  32 30 32 36
           00 04 10 01  43 53  02 00  58 20
           00 04 01 04  53 51 00 00
             FE FF 00 E0  08 00 00 01  53 48  02 00  31 20
             FE FF DD E0""",
    )


def test_canonical_padding():
    """In canonical padding strings enter as DCMTK writes them, at every depth; others do not."""
    inner = LE.item(LE.element(0x00080104, "LO", b"Finding   "))
    body = LE.element(0x00080018, "UI", b"1.2.3\0\0\0") + LE.sequence(SQ, inner)
    body += LE.element(0x7FE00010, "OB", b"    ")
    canonical = LE.element(0x00080018, "UI", b"1.2.3\0")
    canonical += LE.sequence(SQ, LE.item(LE.element(0x00080104, "LO", b"Finding ")))
    canonical += LE.element(0x7FE00010, "OB", b"    ")
    assert stream(opened(body), padding=Padding.CANONICAL) == stream(opened(canonical))
    assert stream(opened(body)) != stream(opened(canonical))


def test_deflated_stream():
    """A deflated data set has the stream of its inflated bytes."""
    body = VECTORS["nested sequence"][0]
    assert stream(opened(deflated(body), "deflated")) == stream(opened(body))


def test_chunks_are_labelled():
    """Each top-level element is one chunk with its tag, for people comparing two streams."""
    dataset = opened(NAME + LE.sequence(SQ))
    labels = [c.label for c in mac_stream(dataset, signable_tags(dataset))]
    assert labels == ["(0010,0010) PatientName", "(0040,A730) ContentSequence"]
