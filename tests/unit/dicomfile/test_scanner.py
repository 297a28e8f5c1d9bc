"""The strict scanner: one crafted fault a rule, at the top level and inside items."""

from __future__ import annotations

from struct import pack

import pytest

from sr.dicomfile import BytesSource, DICOMFile, read
from sr.errors import DatasetError
from tests.support.dicom_bytes import BIG_ENDIAN, EXPLICIT, IMPLICIT, UNDEFINED, Encoder, part10

LE = EXPLICIT
SQ = 0x0040A730
NAME = LE.element(0x00100010, "PN", b"A^B ")
ID = LE.element(0x00100020, "LO", b"42")


def opened(body: bytes, syntax: str = "explicit", **options: bool) -> DICOMFile:
    return read(BytesSource(part10(body, syntax)), **options)


def rule_of(body: bytes, syntax: str = "explicit") -> str:
    with pytest.raises(DatasetError) as caught:
        opened(body, syntax)
    return caught.value.rule


def nested(*elements: bytes) -> bytes:
    """Return a sequence whose only item holds these elements."""
    return LE.sequence(SQ, LE.item(*elements))


def loose(*elements: bytes) -> bytes:
    """Return the same with undefined lengths."""
    return LE.sequence(SQ, LE.item(*elements, undefined=True), undefined=True)


FAULTS = {
    "DUPLICATE_TAG": NAME + NAME,
    "TAG_ORDER": ID + NAME,
    "ODD_LENGTH": LE.element(0x00100010, "PN", b"A^B"),
    "RESERVED_BYTES": LE.element(0x00420011, "OB", b"xy", reserved=b"\0\1"),
    "VR_INVALID": LE.element(0x00100010, "ZZ", b"xy"),
}


@pytest.mark.parametrize("level", [lambda *e: b"".join(e), nested, loose], ids=["top", "in", "un"])
@pytest.mark.parametrize("rule", FAULTS)
def test_fault_is_refused_at_every_level(rule, level):
    """Each fault of a single element breaks the same rule wherever it stands."""
    assert rule_of(level(FAULTS[rule])) == rule


@pytest.mark.parametrize("vr", [b"\0\0", b"  ", b"lo", b"??", b"\xff\xff", b"L\0"])
def test_vr_that_is_none(vr):
    """Two bytes that are no value representation are refused, not guessed."""
    head = LE.tag(0x00100010) + vr
    assert rule_of(head + pack("<H", 2) + b"xy") == "VR_INVALID"


LENGTHS = {
    "element beyond the file": (LE.element(0x00100010, "PN", b"AB", length=400), "TRUNCATED"),
    "element beyond its item": (
        nested(LE.element(0x00100010, "PN", b"AB", length=4)) + ID * 2,
        "LENGTH_INCONSISTENT",
    ),
    "sequence beyond the file": (LE.sequence(SQ, length=8), "TRUNCATED"),
    "item beyond its sequence": (
        LE.sequence(SQ, LE.item(NAME, length=len(NAME) + 2)) + LE.element(0x00420010, "ST", b"ab"),
        "LENGTH_INCONSISTENT",
    ),
    "item beyond the file": (LE.sequence(SQ, LE.item(length=2)), "TRUNCATED"),
    "sequence cut inside an item header": (
        LE.sequence(SQ, LE.item(), length=4) + NAME,
        "LENGTH_INCONSISTENT",
    ),
    "item cut inside an element header": (
        LE.sequence(SQ, LE.item(NAME[:6]), LE.item()),
        "LENGTH_INCONSISTENT",
    ),
    "something else instead of an item": (LE.sequence(SQ, NAME), "LENGTH_INCONSISTENT"),
    "item without sequence": (LE.item(), "LENGTH_INCONSISTENT"),
    "stray item delimiter": (NAME + LE.delimiter(0xFFFEE00D), "LENGTH_INCONSISTENT"),
    "stray sequence delimiter": (NAME + LE.delimiter(0xFFFEE0DD), "LENGTH_INCONSISTENT"),
    "item delimiter in an item of defined length": (
        nested(NAME, LE.delimiter(0xFFFEE00D)),
        "LENGTH_INCONSISTENT",
    ),
    "sequence delimiter in a sequence of defined length": (
        LE.sequence(SQ, LE.item(), LE.delimiter(0xFFFEE0DD)),
        "LENGTH_INCONSISTENT",
    ),
    "item delimiter with a value": (
        LE.sequence(SQ, LE.delimiter(0xFFFEE000, UNDEFINED), LE.delimiter(0xFFFEE00D, 2), b"xy"),
        "LENGTH_INCONSISTENT",
    ),
    "sequence delimiter with a value": (
        LE.element(SQ, "SQ", LE.delimiter(0xFFFEE0DD, 2) + b"xy", length=UNDEFINED),
        "LENGTH_INCONSISTENT",
    ),
    "sequence without its delimiter": (
        LE.element(SQ, "SQ", LE.item(), length=UNDEFINED),
        "TRUNCATED",
    ),
    "item without its delimiter": (
        LE.sequence(SQ, LE.delimiter(0xFFFEE000, UNDEFINED) + NAME),
        "TRUNCATED",
    ),
    "undefined sequence whose end lies behind its item": (
        LE.sequence(SQ, LE.item(LE.element(SQ, "SQ", b"", length=UNDEFINED)), LE.item()),
        "LENGTH_INCONSISTENT",
    ),
    "text of undefined length": (
        LE.element(0x00081197, "UT", b"", length=UNDEFINED),
        "LENGTH_INCONSISTENT",
    ),
    "fragment of undefined length": (
        LE.element(0x7FE00010, "OB", LE.delimiter(0xFFFEE000, UNDEFINED) + b"ab", length=UNDEFINED),
        "LENGTH_INCONSISTENT",
    ),
    "something else instead of a fragment": (
        LE.element(0x7FE00010, "OB", NAME, length=UNDEFINED),
        "LENGTH_INCONSISTENT",
    ),
    "fragment beyond the file": (
        LE.element(0x7FE00010, "OB", LE.delimiter(0xFFFEE000, 4) + b"ab", length=UNDEFINED),
        "TRUNCATED",
    ),
    "fragments without delimiter": (
        LE.element(0x7FE00010, "OB", LE.delimiter(0xFFFEE000, 2) + b"ab", length=UNDEFINED),
        "TRUNCATED",
    ),
    "fragment of odd length": (
        LE.encapsulated(0x7FE00010, b"", b"abc"),
        "ODD_LENGTH",
    ),
}


@pytest.mark.parametrize("name", LENGTHS)
def test_lengths_must_add_up(name):
    """Every length agrees with what encloses it, or the file is refused."""
    body, rule = LENGTHS[name]
    assert rule_of(body) == rule


@pytest.mark.parametrize("rest", range(1, 8))
def test_bytes_after_the_last_element(rest):
    """One to seven bytes after the last element are no element and are refused."""
    assert rule_of(NAME + b"\x10\0 \0LO\2"[:rest]) == "TRUNCATED"


def test_long_header_cut_off():
    """A header of twelve bytes is refused where only eight are left."""
    assert rule_of(NAME + LE.element(0x00420011, "OB")[:8]) == "TRUNCATED"


DELIMITED = LE.sequence(
    SQ, LE.item(LE.sequence(SQ, LE.item(NAME), undefined=True), undefined=True), undefined=True
)


@pytest.mark.parametrize("cut", range(1, len(DELIMITED)))
def test_every_cut_of_a_file_is_noticed(cut):
    """A data set of undefined lengths that is cut anywhere is refused."""
    assert rule_of(DELIMITED[:-cut]) in {"TRUNCATED", "LENGTH_INCONSISTENT"}


def test_undefined_and_defined_lengths_show_the_same():
    """A reader sees the same elements whichever way lengths are written."""
    defined = opened(nested(NAME, ID)).dataset.items(SQ)[0]
    undefined = opened(loose(NAME, ID)).dataset.items(SQ)[0]
    assert [e.tag for e in defined] == [e.tag for e in undefined] == [0x00100010, 0x00100020]
    assert undefined.text(0x00100010) == "A^B"


@pytest.mark.parametrize("encoder", [EXPLICIT, IMPLICIT, BIG_ENDIAN])
def test_undefined_lengths_everywhere(encoder: Encoder):
    """Sequences in sequences of undefined length are read in every encoding."""
    syntax = {EXPLICIT: "explicit", IMPLICIT: "implicit", BIG_ENDIAN: "big"}[encoder]
    inner = encoder.sequence(SQ, encoder.item(undefined=True), undefined=True)
    outer = encoder.sequence(
        SQ, encoder.item(inner, undefined=True), encoder.item(undefined=True), undefined=True
    )
    items = opened(outer, syntax).dataset.items(SQ)
    assert [len(i.items(SQ)) for i in items] == [1, 0]


def test_fragments_are_listed_with_their_offsets():
    """An encapsulated value gives the place of each fragment, the offset table first."""
    file = opened(LE.encapsulated(0x7FE00010, b"", b"abcd", b"ef"), "jpeg")
    element = file.dataset.get(0x7FE00010)
    assert element is not None
    assert element.fragments is not None
    values = [file.source.read_at(start, length) for start, length in element.fragments]
    assert values == [b"", b"abcd", b"ef"]


def test_encapsulated_value_is_no_leaf():
    """Asking for the bytes of an encapsulated value gives nothing rather than its framing."""
    dataset = opened(LE.encapsulated(0x7FE00010, b"", b"ab"), "jpeg").dataset
    assert dataset.bytes(0x7FE00010) is None


def test_error_names_the_path_and_the_offset():
    """A refusal says where in the tree and where in the file."""
    body = LE.sequence(SQ, LE.item(), LE.item(ID, NAME))
    data = part10(body)
    with pytest.raises(DatasetError) as caught:
        read(BytesSource(data))
    assert caught.value.where == "(0040,A730)[1].(0010,0010)"
    assert caught.value.offset == data.index(NAME)


def test_odd_lengths_are_tolerated_on_request():
    """Evidence made by others may have odd lengths; each is named in a notice."""
    body = (
        LE.element(0x00100010, "PN", b"A^B")
        + LE.sequence(SQ, LE.item(LE.element(0x00100020, "LO", b"4")))
        + LE.encapsulated(0x7FE00010, b"", b"abc")
    )
    file = opened(body, "jpeg", allow_odd_lengths=True)
    assert [n.where for n in file.notices if n.rule == "ODD_LENGTH"] == [
        "(0010,0010)", "(0040,A730)[0].(0010,0020)", "(7FE0,0010)",
    ]  # fmt: skip


def test_notices_are_bounded():
    """A file with very many odd lengths gives few notices, the last of which counts the rest."""
    items = [LE.item(LE.element(0x00100020, "LO", b"4")) for _ in range(1000)]
    file = opened(LE.sequence(SQ, *items), allow_odd_lengths=True)
    assert len([n for n in file.notices if n.rule == "ODD_LENGTH"]) == 21
