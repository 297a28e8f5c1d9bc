"""Limits: what a file may cost, and that the refusal names the limit."""

from __future__ import annotations

import pytest

from sr.dicomfile import BytesSource, Limits, read
from sr.errors import DatasetError, LimitError
from tests.support.dicom_bytes import EXPLICIT, IMPLICIT, UNDEFINED, deflated, part10

SQ = 0x0040A730
LE = EXPLICIT


def _nested(depth: int, *, undefined: bool) -> bytes:
    body = b""
    for _ in range(depth):
        body = LE.sequence(SQ, LE.item(body, undefined=undefined), undefined=undefined)
    return body


def _refusal(data: bytes, limits: Limits | None = None) -> str:
    with pytest.raises(LimitError) as caught:
        read(BytesSource(data), limits=limits or Limits())
    return caught.value.rule


@pytest.mark.parametrize("undefined", [False, True])
def test_nesting_of_64_is_read(undefined):
    """Sixty-four sequences inside each other are within the default limit."""
    level = read(BytesSource(part10(_nested(64, undefined=undefined)))).dataset
    for _ in range(64):
        (level,) = level.items(SQ)
    assert level.elements == ()


@pytest.mark.parametrize("undefined", [False, True])
@pytest.mark.parametrize("depth", [65, 5000])
def test_deeper_nesting_is_refused(depth, undefined):
    """One sequence more is refused, and any number more does not exhaust the stack."""
    assert _refusal(part10(_nested(depth, undefined=undefined))) == "LIMIT_NESTING"


def test_unknown_sequences_nest_as_others():
    """Sequences read out of UN count towards the same limit."""
    body = b""
    for _ in range(65):
        body = IMPLICIT.sequence(0x00091001, IMPLICIT.item(body), undefined=True)
    outer = LE.element(0x00091001, "UN", body[8:], length=UNDEFINED)
    assert _refusal(part10(outer)) == "LIMIT_NESTING"


def test_elements_are_counted_over_the_whole_file():
    """The limit on elements holds for all levels together."""
    item = LE.item(LE.element(0x00080100, "SH", b"1 "))
    data = part10(LE.sequence(SQ, *[item] * 9))
    counted = 2 + 1 + 1 + 9  # two of File Meta Information and its length, one sequence
    read(BytesSource(data), limits=Limits(elements=counted))
    assert _refusal(data, Limits(elements=counted - 1)) == "LIMIT_ELEMENTS"


def test_items_are_counted_over_the_whole_file():
    """The limit on items holds for all sequences together."""
    body = LE.sequence(0x00081115, *[LE.item()] * 5) + LE.sequence(SQ, *[LE.item()] * 5)
    read(BytesSource(part10(body)), limits=Limits(items=10))
    assert _refusal(part10(body), Limits(items=9)) == "LIMIT_ITEMS"


def test_fragments_are_counted_over_the_whole_file():
    """The limit on fragments holds for all encapsulated values together."""
    icon = LE.sequence(0x00880200, LE.item(LE.encapsulated(0x7FE00010, b"", b"ab")))
    body = icon + LE.encapsulated(0x7FE00010, b"", b"ab")
    read(BytesSource(part10(body, "jpeg")), limits=Limits(fragments=4))
    assert _refusal(part10(body, "jpeg"), Limits(fragments=3)) == "LIMIT_FRAGMENTS"


def test_file_size():
    """A file larger than the limit is refused before it is read."""
    assert _refusal(part10(b""), Limits(file_bytes=100)) == "LIMIT_FILE_BYTES"


def test_value_size():
    """A value larger than the limit is not loaded, though the file is read."""
    data = part10(LE.element(0x00104000, "LT", b"x" * 50))
    dataset = read(BytesSource(data), limits=Limits(value_bytes=40)).dataset
    with pytest.raises(LimitError) as caught:
        dataset.text(0x00104000)
    assert caught.value.rule == "LIMIT_VALUE"


@pytest.mark.parametrize("limits", [Limits(inflated_bytes=2 << 20), Limits()])
def test_deflate_bomb(limits):
    """A deflated data set that grows beyond size or ratio stops being inflated."""
    bomb = deflated(LE.element(0x00420011, "OB", bytes(64 << 20)), level=9)
    assert len(bomb) < 100_000
    assert _refusal(part10(bomb, "deflated"), limits) == "LIMIT_INFLATED"


def test_limit_errors_offer_a_way_out():
    """A limit is a setting, so the refusal carries a hint."""
    with pytest.raises(LimitError) as caught:
        read(BytesSource(part10(_nested(65, undefined=False))))
    assert caught.value.hint


SOUND = deflated(LE.element(0x00100010, "PN", b"Meier^Anna"))


@pytest.mark.parametrize(
    ("body", "rule"),
    [
        (b"\xff" * 20, "DEFLATE"),
        (SOUND[:10], "TRUNCATED"),
        (b"", "TRUNCATED"),
        (SOUND + b"abcd", "TRAILING_BYTES"),
        (SOUND + b"\0\0\0\0", "TRAILING_BYTES"),
        (deflated(LE.element(0x00100010, "PN", b"A^B")), "ODD_LENGTH"),
    ],
    ids=["garbage", "cut", "nothing", "rest", "zeros", "inner"],
)
def test_deflated_faults(body, rule):
    """What is wrong with a deflated data set, or inside it, has its rule."""
    with pytest.raises(DatasetError) as caught:
        read(BytesSource(part10(body, "deflated")))
    assert caught.value.rule == rule


@pytest.mark.parametrize("size", range((1 << 20) - 4, (1 << 20) + 130, 2))
def test_deflated_sizes_near_a_block(size):
    """A data set whose last repetition straddles the block it is inflated by is read whole."""
    body = LE.element(0x00104000, "UT", bytes(size - 12))
    file = read(BytesSource(part10(deflated(body, level=9), "deflated")))
    assert file.dataset.end == size


class _Shrinking:
    """A source whose last bytes are gone when they are asked for."""

    def __init__(self, data: bytes, lost: int) -> None:
        self.size = len(data)
        self._data = data[: len(data) - lost]

    def read_at(self, offset: int, length: int) -> bytes:
        """Return what is still there."""
        return self._data[offset : offset + length]


def test_deflated_file_that_shrinks_ends_in_an_error():
    """Inflating a file that became shorter stops instead of waiting for the rest."""
    data = part10(deflated(LE.element(0x00104000, "UT", bytes(range(256)) * 4000)), "deflated")
    with pytest.raises(DatasetError) as caught:
        read(_Shrinking(data, 50))
    assert caught.value.rule == "TRUNCATED"
