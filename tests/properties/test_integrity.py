"""One changed bit of what is covered is always seen."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sr.dicomfile import BytesSource, Element, read
from sr.errors import DatasetError
from sr.mac.stream import NOT_IN_SIGNATURE_TAIL
from sr.signature import examine
from sr.verification import gather
from sr.verification.facts import Integrity
from tests.support.signed import author_report, seal, signed_image

DOCUMENTS = {"report": author_report, "seal": seal, "image": signed_image}


@cache
def _covered(name: str) -> tuple[tuple[int, int], ...]:
    """Return where the covered elements without items are in the file, header included."""
    file = read(BytesSource(DOCUMENTS[name]()))
    (located,) = examine(file).signatures
    assert located.parameters is not None
    listed = frozenset(located.parameters.data_elements_signed)
    signed = [e for e in located.item if e.tag not in NOT_IN_SIGNATURE_TAIL]
    return tuple(_leaves([*(e for e in file.dataset if e.tag in listed), *signed]))


def _leaves(elements: Iterable[Element]) -> Iterator[tuple[int, int]]:
    for element in elements:
        if element.items is None:
            yield element.start, element.end
        for item in element.items or ():
            yield from _leaves(item)


def _flipped(data: bytes, offset: int, bit: int) -> bytes:
    return data[:offset] + bytes([data[offset] ^ 1 << bit]) + data[offset + 1 :]


def _integrity(data: bytes) -> Integrity | None:
    """Return what became of the signature; ``None`` where the file or the signature is refused."""
    try:
        found = gather(read(BytesSource(data))).signatures
    except DatasetError:
        return None
    return found[0].integrity if found else None


@pytest.mark.parametrize("name", DOCUMENTS)
@given(st.data())
def test_a_covered_bit_changes_the_answer(name, data):
    """A flipped bit of a covered value or header is never intact; of a pad byte, at most padded."""
    document = DOCUMENTS[name]()
    start, end = data.draw(st.sampled_from(_covered(name)))
    offset = data.draw(st.integers(start, end - 1))
    found = _integrity(_flipped(document, offset, data.draw(st.integers(0, 7))))
    assert found is not Integrity.INTACT
    if found is Integrity.INTACT_PADDING_NORMALISED:
        assert document[offset] in b"\0 "


@pytest.mark.parametrize("name", DOCUMENTS)
@given(st.data())
def test_a_signature_value_bit_changes_the_answer(name, data):
    """A flipped bit of the signature value is never intact."""
    document = DOCUMENTS[name]()
    item = read(BytesSource(document)).dataset.items(0xFFFAFFFA)[0]
    element = item.get(0x04000120)
    assert element is not None
    offset = data.draw(st.integers(element.value, element.end - 1))
    found = _integrity(_flipped(document, offset, data.draw(st.integers(0, 7))))
    assert found is not None
    assert not found.is_intact


@pytest.mark.parametrize("name", DOCUMENTS)
@given(st.data())
def test_a_changed_list_is_seen(name, data):
    """A flipped bit of the list of signed elements, or of the algorithm, is never intact."""
    document = DOCUMENTS[name]()
    item = read(BytesSource(document)).dataset.items(0x4FFE0001)[0]
    element = item.get(data.draw(st.sampled_from([0x04000020, 0x04000015])))
    assert element is not None
    offset = data.draw(st.integers(element.value, element.end - 1))
    found = _integrity(_flipped(document, offset, data.draw(st.integers(0, 7))))
    assert found is None or not found.is_intact
