"""Canonical padding: the one form of a string that a hop through DCMTK does not change."""

from __future__ import annotations

from struct import pack

import pytest

from sr.dicomfile import BytesSource, canonicalise, read
from sr.dicomfile.padding import noncanonical_elements, normalise_value
from sr.errors import DatasetError, EncodingError
from tests.support.dicom_bytes import BIG_ENDIAN, EXPLICIT, IMPLICIT, deflated, part10

LE = EXPLICIT
SPACED = "AE AS CS DA DS DT IS LO LT PN SH ST TM UC UR UT"


@pytest.mark.parametrize("vr", SPACED.split())
@pytest.mark.parametrize(
    ("value", "canonical"),
    [
        (b"", b""),
        (b"AB", b"AB"),
        (b"ABC ", b"ABC "),
        (b"AB  ", b"AB"),
        (b"ABC   ", b"ABC "),
        (b"    ", b""),
        (b" AB ", b" AB "),
        (b"  AB", b"  AB"),
        (b"A \\B ", b"A \\B"),
        (b"A\\   ", b"A\\"),
        (b"AB\0\0", b"AB\0\0"),
        (b"AB \0", b"AB \0"),
        (b"A\0  ", b"A\0"),
        (b"AB\n ", b"AB\n "),
    ],
)
def test_strings(vr, value, canonical):
    """Every string loses its trailing spaces and gets one back where its length is odd."""
    assert normalise_value(vr, value) == canonical


@pytest.mark.parametrize(
    ("value", "canonical"),
    [
        (b"1.2\0", b"1.2\0"),
        (b"1.2\0\0\0", b"1.2\0"),
        (b"1.2 ", b"1.2\0"),
        (b" 1.2", b"1.2\0"),
        (b"1. 2", b"1.2\0"),
        (b"1.2\n", b"1.2\0"),
        (b"1.2\\3\0", b"1.2\\3\0"),
        (b"1.2\0 \0", b"1.2\0"),
        (b"\0\0", b""),
        (b"    ", b""),
        (b"1\0.2", b"1\0.2"),
    ],
)
def test_uids(value, canonical):
    """A UID loses all white space and trailing NULs and gets one NUL where its length is odd."""
    assert normalise_value("UI", value) == canonical


@pytest.mark.parametrize("vr", ["OB", "OW", "UN", "US", "AT", "FD"])
def test_other_values_keep_every_byte(vr):
    """What is no string is never shortened."""
    assert normalise_value(vr, b"ab  \0\0  ") == b"ab  \0\0  "


def _loose(undefined: bool = False) -> bytes:
    inner = LE.item(LE.element(0x00080104, "LO", b"Finding   "), undefined=undefined)
    return (
        LE.element(0x00080000, "UL", pack("<I", 99))
        + LE.element(0x00080018, "UI", b"1.2.3\0\0\0")
        + LE.element(0x00100010, "PN", b"A^B   ")
        + LE.sequence(0x0040A730, inner, LE.item(undefined=undefined), undefined=undefined)
        + LE.element(0x7FE00010, "OW", b"\0\0  ")
    )


CANONICAL = (
    LE.element(0x00080018, "UI", b"1.2.3\0")
    + LE.element(0x00100010, "PN", b"A^B ")
    + LE.sequence(0x0040A730, LE.item(LE.element(0x00080104, "LO", b"Finding ")), LE.item())
    + LE.element(0x7FE00010, "OW", b"\0\0  ")
)


@pytest.mark.parametrize("undefined", [False, True])
def test_document_becomes_canonical(undefined):
    """Padding, lengths and group lengths come out in one form, whatever they were."""
    assert canonicalise(part10(_loose(undefined))) == part10(CANONICAL)


def test_canonical_form_is_stable():
    """Applying it twice changes nothing."""
    once = canonicalise(part10(_loose()))
    assert canonicalise(once) == once
    assert noncanonical_elements(read(BytesSource(once)).dataset) == ()


def test_meta_becomes_canonical():
    """File Meta Information gets canonical padding, a true length and an empty preamble."""
    meta = LE.element(0x00020000, "UL", pack("<I", 7))
    meta += LE.element(0x00020001, "OB", b"\0\1")
    meta += LE.element(0x00020010, "UI", b"1.2.840.10008.1.2.1\0\0\0")
    data = part10(CANONICAL, meta=meta, preamble=b"x" * 128)
    assert canonicalise(data) == part10(CANONICAL)


@pytest.mark.parametrize(
    "data",
    [
        part10(IMPLICIT.element(0x00080018, "UI", b"1.2.3\0"), "implicit"),
        part10(BIG_ENDIAN.element(0x00080018, "UI", b"1.2.3\0"), "big"),
        part10(deflated(CANONICAL), "deflated"),
        part10(LE.encapsulated(0x7FE00010, b"", b"ab"), "jpeg"),
        part10(LE.encapsulated(0x7FE00010, b"", b"ab")),
        CANONICAL,
    ],
    ids=["implicit", "big", "deflated", "jpeg", "encapsulated", "bare"],
)
def test_only_our_own_form_is_canonicalised(data):
    """Foreign files are never rewritten."""
    with pytest.raises(EncodingError) as caught:
        canonicalise(data)
    assert caught.value.rule == "NOT_CANONICALISABLE"


def test_faults_stay_faults():
    """A broken document is refused, not mended."""
    with pytest.raises(DatasetError):
        canonicalise(part10(LE.element(0x00100010, "PN", b"A")))


def test_loose_padding_is_found_at_every_depth():
    """The top-level tags that hold loose padding are named, also where it is deep inside."""
    assert noncanonical_elements(read(BytesSource(part10(_loose()))).dataset) == (
        0x00080018, 0x00100010, 0x0040A730,
    )  # fmt: skip
