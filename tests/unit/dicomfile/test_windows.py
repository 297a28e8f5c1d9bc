"""The 64 KiB window: headers that straddle its border, and values that are never read."""

from __future__ import annotations

import pytest

from sr.dicomfile import read
from sr.errors import DatasetError
from tests.support.dicom_bytes import EXPLICIT, IMPLICIT, CountingSource, part10

WINDOW = 64 * 1024
SQ = 0x0040A730


@pytest.mark.parametrize("offset", range(-14, 4))
@pytest.mark.parametrize("nested", [False, True], ids=["top", "nested"])
def test_header_straddles_a_window(offset, nested):
    """An element is read alike wherever the border of a window cuts its header."""
    tail = EXPLICIT.element(0x00420011, "OB", b"abcd") + EXPLICIT.element(
        0x00420012, "LO", b"application/pdf "
    )
    if nested:
        tail = EXPLICIT.sequence(SQ, EXPLICIT.item(tail, undefined=True), undefined=True)
    empty = part10(b"")
    body = EXPLICIT.element(0x00080005, "CS", b"ISO_IR 192")
    end = WINDOW + offset + (offset & 1) - (len(empty) & 1)
    filler = EXPLICIT.element(0x00081197, "UT", b"x" * (end - len(empty) - len(body) - 12))
    dataset = read(CountingSource(part10(body + filler + tail))).dataset
    level = dataset.items(SQ)[0] if nested else dataset
    assert level.bytes(0x00420011) == b"abcd"
    assert level.text(0x00420012) == "application/pdf"


@pytest.mark.parametrize("padding", range(0, 40, 2))
def test_many_items_across_windows(padding):
    """A long run of small items is read whole wherever the borders of windows fall."""
    name = IMPLICIT.element(0x00100010, "PN", b"x" * padding)
    items = [
        IMPLICIT.item(IMPLICIT.element(0x00080100, "SH", b"%06d" % n), undefined=n % 2 == 0)
        for n in range(6000)
    ]
    file = read(CountingSource(part10(name + IMPLICIT.sequence(SQ, *items), "implicit")))
    codes = [int(item.text(0x00080100)) for item in file.dataset.items(SQ)]
    assert codes == list(range(6000))


def test_large_values_are_skipped():
    """Reading a file with 32 MiB of pixels looks at a few windows only."""
    body = EXPLICIT.element(0x00100010, "PN", b"A^B ")
    body += EXPLICIT.element(0x7FE00010, "OW", bytes(32 << 20))
    body += EXPLICIT.element(0xFFFCFFFC, "OB", b"\0\0")
    source = CountingSource(part10(body))
    dataset = read(source).dataset
    assert [e.tag for e in dataset] == [0x00100010, 0x7FE00010, 0xFFFCFFFC]
    assert source.bytes_read < 4 * WINDOW


def test_fragments_are_skipped():
    """Fragments of encapsulated pixels are stepped over, not read."""
    body = EXPLICIT.encapsulated(0x7FE00010, b"", *[bytes(1 << 20)] * 16)
    source = CountingSource(part10(body, "jpeg"))
    element = read(source).dataset.get(0x7FE00010)
    assert element is not None
    assert len(element.fragments or ()) == 17
    assert source.bytes_read < 20 * WINDOW


@pytest.mark.parametrize("encoder", [EXPLICIT, IMPLICIT], ids=["explicit", "implicit"])
def test_pixel_representation_is_not_read_whole(encoder):
    """An oversized Pixel Representation costs no memory."""
    syntax = "explicit" if encoder is EXPLICIT else "implicit"
    body = encoder.element(0x00280103, "OB", bytes(8 << 20))
    source = CountingSource(part10(body, syntax))
    read(source)
    assert max(length for _, length in source.reads) <= WINDOW


def test_a_file_that_shrinks_while_it_is_read():
    """A source that ends earlier than it said is a refusal."""
    source = CountingSource(part10(EXPLICIT.element(0x00100010, "PN", b"A^B ") * 1))
    source.size += 100
    with pytest.raises(DatasetError):
        read(source)
