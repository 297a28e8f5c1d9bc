"""Value representations that the file does not say: implicit VR and sequences stored as UN."""

from __future__ import annotations

from struct import pack

import pytest

from sr.dicomfile import BytesSource, DataSet, read
from sr.dicomfile.vr import implicit_vr
from sr.errors import DatasetError
from sr.mac import signable_tags
from tests.support.dicom_bytes import BIG_ENDIAN, EXPLICIT, IMPLICIT, UNDEFINED, part10

IM = IMPLICIT
ONE, ZERO, FIVE = pack("<H", 1), pack("<H", 0), pack("<H", 5)
SIGNED = IM.element(0x00280103, "US", ONE)
UNSIGNED = IM.element(0x00280103, "US", ZERO)
SMALLEST = IM.element(0x00280106, "US", FIVE)


def _implicit(body: bytes) -> DataSet:
    return read(BytesSource(part10(body, "implicit"))).dataset


def _vr(dataset: DataSet, tag: int) -> str:
    element = dataset.get(tag)
    assert element is not None
    return element.vr


@pytest.mark.parametrize(
    ("tag", "vr"),
    [
        (0x00080005, "CS"),
        (0x00100010, "PN"),
        (0x00080001, "UL"),  # retired, in the table all the same
        (0x00100000, "UL"),  # a group length
        (0x00090010, "LO"),  # a private creator
        (0x00091001, "UN"),  # private
        (0x0009000F, "UN"),
        (0x0018FFF0, "UN"),  # unknown
        (0x0040A730, "SQ"),
        (0x60003000, "OW"),  # overlays, of any repeating group
        (0x601E3000, "OW"),
        (0x60200010, "US"),
        (0x50003000, "OB"),  # curves
        (0x5000200C, "OB"),
        (0x7FE00010, "OW"),
        (0x7FE00008, "OF"),
        (0x00283006, "OW"),  # look-up tables
        (0x00281201, "OW"),
        (0x00143050, "OB"),
        (0x54001010, "OB"),  # waveforms of 8 bits
        (0x00280107, "US"),
    ],
)
def test_implicit_vr(tag, vr):
    """Where PS3.6 leaves a choice, it is the one DCMTK makes."""
    assert implicit_vr(tag, signed_pixels=False) == vr


def test_signed_pixels_change_numbers_only():
    """Two's complement makes SS of US, and leaves look-up table data alone."""
    assert implicit_vr(0x00280107, signed_pixels=True) == "SS"
    assert implicit_vr(0x00283002, signed_pixels=True) == "SS"
    assert implicit_vr(0x00283006, signed_pixels=True) == "OW"
    assert implicit_vr(0x00280010, signed_pixels=True) == "US"


@pytest.mark.parametrize("tag", [0x00281101, 0x00281113, 0x00280104, 0x00280111])
def test_descriptors_that_are_never_signed(tag):
    """Palette descriptors and some retired attributes are US whatever the pixels are."""
    assert implicit_vr(tag, signed_pixels=True) == "US"


@pytest.mark.parametrize(("representation", "vr"), [(SIGNED, "SS"), (UNSIGNED, "US")])
def test_pixel_representation_decides(representation, vr):
    """Pixel Representation decides about the elements after it."""
    assert _vr(_implicit(representation + SMALLEST), 0x00280106) == vr


def test_pixel_representation_comes_too_late():
    """An element before Pixel Representation is US, as DCMTK reads it."""
    dataset = _implicit(IM.element(0x00280071, "US", FIVE) + SIGNED)
    assert _vr(dataset, 0x00280071) == "US"


@pytest.mark.parametrize(
    ("outer", "inner", "vr"), [(SIGNED, UNSIGNED, "US"), (UNSIGNED, SIGNED, "SS")]
)
def test_an_item_has_its_own_pixel_representation(outer, inner, vr):
    """The Pixel Representation of an item, e.g. an icon, holds in that item and only there."""
    after = IM.element(0x00409211, "US", FIVE)
    body = outer + SMALLEST
    body += IM.sequence(0x00283000, IM.item(inner + SMALLEST)) + after
    dataset = _implicit(body)
    (icon,) = dataset.items(0x00283000)
    assert _vr(icon, 0x00280106) == vr
    assert _vr(dataset, 0x00280106) == _vr(dataset, 0x00409211) != vr


def test_an_item_inherits_pixel_representation():
    """An item without its own, e.g. a real world value mapping, follows what encloses it."""
    mapping = IM.item(IM.element(0x00409211, "US", FIVE) + IM.element(0x00409216, "US", ONE))
    dataset = _implicit(SIGNED + IM.sequence(0x00409096, mapping))
    assert _vr(dataset.items(0x00409096)[0], 0x00409211) == "SS"


@pytest.mark.parametrize(("bits", "vr"), [(8, "OB"), (16, "OW"), (32, "OW")])
def test_waveform_bits_decide(bits, vr):
    """Waveform Data is OW when its samples are wider than a byte."""
    group = IM.item(
        IM.element(0x54001004, "US", pack("<H", bits)) + IM.element(0x54001010, "OW", FIVE)
    )
    narrow = IM.item(IM.element(0x54001010, "OW", FIVE))
    first, second = _implicit(IM.sequence(0x54000100, group, narrow)).items(0x54000100)
    assert _vr(first, 0x54001010) == vr
    assert _vr(second, 0x54001010) == "OB"


@pytest.mark.parametrize("encoder", [EXPLICIT, BIG_ENDIAN])
def test_un_of_undefined_length_is_a_sequence(encoder):
    """UN of undefined length is read as implicit VR little endian, and named (CP-246)."""
    items = IM.item(IM.element(0x00100010, "PN", b"A^B "), undefined=True)
    content = items + IM.delimiter(0xFFFEE0DD)
    unknown = encoder.element(0x00091001, "UN", content, length=UNDEFINED)
    name = encoder.element(0x00100010, "PN", b"C^D ")
    file = read(BytesSource(part10(unknown + name, "explicit" if encoder is EXPLICIT else "big")))
    (item,) = file.dataset.items(0x00091001)
    assert item.text(0x00100010) == "A^B"
    assert file.dataset.text(0x00100010) == "C^D"
    assert [(n.rule, n.where) for n in file.notices] == [("VR_INFERRED", "(0009,1001)")]


def test_un_of_undefined_length_keeps_the_rules():
    """Inside a UN sequence tags ascend and lengths add up as anywhere."""
    twice = IM.element(0x00100010, "PN", b"A^B ") * 2
    content = IM.item(twice) + IM.delimiter(0xFFFEE0DD)
    with pytest.raises(DatasetError) as caught:
        read(BytesSource(part10(EXPLICIT.element(0x00091001, "UN", content, length=UNDEFINED))))
    assert caught.value.rule == "DUPLICATE_TAG"
    assert caught.value.where == "(0009,1001)[0].(0010,0010)"


UNKNOWN = EXPLICIT.element(0x00091001, "UN", b"ab")
KNOWN = EXPLICIT.element(0x00100010, "PN", b"A^B ")


@pytest.mark.parametrize(
    ("body", "signable"),
    [
        (UNKNOWN + KNOWN, (0x00100010,)),
        (KNOWN + EXPLICIT.sequence(0x0040A730, EXPLICIT.item(KNOWN)), (0x00100010, 0x0040A730)),
        (KNOWN + EXPLICIT.sequence(0x0040A730, EXPLICIT.item(UNKNOWN)), (0x00100010,)),
        (
            EXPLICIT.sequence(
                0x00081115, EXPLICIT.item(EXPLICIT.sequence(0x00081199, EXPLICIT.item(UNKNOWN)))
            )
            + EXPLICIT.sequence(0x0040A730, EXPLICIT.item(KNOWN)),
            (0x0040A730,),
        ),
        (
            EXPLICIT.element(0x00091001, "UN", IM.delimiter(0xFFFEE0DD), length=UNDEFINED) + KNOWN,
            (0x00100010,),
        ),
    ],
    ids=["leaf", "none", "nested", "deep", "sequence"],
)
def test_unknown_spoils_the_whole_sequence(body, signable):
    """A top-level sequence that holds UN at any depth cannot be covered; its neighbours can."""
    dataset = read(BytesSource(part10(body))).dataset
    assert signable_tags(dataset, private=True) == signable
