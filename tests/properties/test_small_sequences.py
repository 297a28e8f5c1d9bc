"""What is remembered of short sequences changes nothing: not what is read, not what is refused."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from struct import pack

import pytest
from hypothesis import given

from sr.dicomfile import BytesSource, DataSet, Limits, read
from sr.dicomfile.small_sequence import SMALL_SEQUENCE, SmallSequence, remembered
from sr.errors import DatasetError, LimitError, SRError
from sr.mac import compute_mac
from tests.properties.test_mutations import mutants
from tests.support.dicom_bytes import EXPLICIT, Node, part10, tree
from tests.support.signed import approved_report, seal
from tests.support.strategies import ENCODINGS, data_sets, encodings, stored

CODES, CONTENT, MEANING, CHARSET = 0x0040A043, 0x0040A730, 0x00080104, 0x00080005
LEAVES: list[Node] = [(0x00080100, "SH", b"T-1 "), (MEANING, "LO", b"Gr\xf6\xdfe ")]
CODE: Node = (CODES, "SQ", [LEAVES])
LIMITS = Limits()


@pytest.fixture(autouse=True)
def cold() -> Iterator[None]:
    """Begin and end with nothing remembered."""
    remembered.clear()
    yield
    remembered.clear()


def outline(dataset: DataSet) -> tuple[object, ...]:
    """Return everything that reading found, depth first."""
    return tuple(
        (*element[:5], element.fragments, element.has_unknown, item.charset, outline(item))
        if item is not None
        else (*element[:5], element.fragments, element.has_unknown)
        for element in dataset.elements
        for item in (element.items or (None,))
    )


def outcome(data: bytes, limits: Limits = LIMITS) -> tuple[object, ...]:
    """Return what reading and hashing some bytes come to, a refusal in all its parts included."""
    try:
        file = read(BytesSource(data), limits=limits, allow_odd_lengths=True)
        found = outline(file.dataset), file.notices
        return (*found, compute_mac(file))
    except LimitError as error:
        return (error.rule,)
    except SRError as error:
        return error.rule, error.offset, error.where, str(error)


def told(nodes: list[Node], limits: Limits = LIMITS) -> tuple[object, ...]:
    """Return the outcome with nothing remembered, having seen that it is the same afterwards."""
    data = part10(tree(nodes, EXPLICIT), "explicit")
    remembered.clear()
    first = outcome(data, limits)
    outcome(data)
    assert outcome(data, limits) == first
    return first


@given(data_sets(min_size=1), encodings())
def test_the_same_is_read_again(nodes, nickname):
    """A file that was read before gives the same elements, notices and MAC."""
    remembered.clear()
    data = part10(stored(tree(nodes, ENCODINGS[nickname]), nickname), nickname)
    assert outcome(data) == outcome(data)


def compare_mutants(count: int) -> tuple[int, int]:
    """Compare fresh with remembering reads of mutants; return how many were read and refused."""
    seeds = [approved_report(), seal()]
    read_, refused = 0, 0
    for data in mutants(seeds, count):
        remembered.clear()
        fresh = outcome(data)
        for seed in random.Random(len(data)).sample(seeds, 2):
            outcome(seed)
        assert outcome(data) == fresh
        read_, refused = (read_ + 1, refused) if len(fresh) == 3 else (read_, refused + 1)
    return read_, refused


def test_mutants_end_alike() -> None:
    """Of 200 mutants each is read or refused alike, whatever was read before; some of both."""
    read_, refused = compare_mutants(200)
    assert read_ > 20
    assert refused > 20


@pytest.mark.prove
def test_ten_thousand_mutants_end_alike() -> None:
    """Of 10,000 mutants each is read or refused alike, whatever was read before."""
    read_, refused = compare_mutants(10_000)
    assert read_ > 1_000
    assert refused > 1_000


def test_short_sequences_are_remembered() -> None:
    """The second reading of a code makes its items only when they are looked at."""
    data = part10(tree([CODE], EXPLICIT), "explicit")
    assert not isinstance(read(BytesSource(data)).dataset.elements[0].items, SmallSequence)
    again = read(BytesSource(data)).dataset.elements[0].items
    assert isinstance(again, SmallSequence)
    assert again[0].text(0x00080100) == "T-1"
    assert len(again[:]) == len(again) == 1


@pytest.mark.parametrize(
    "sequence",
    [
        (CODES, "SQ", [[(0x00080100, "UN", b"T-1 ")]]),
        (CODES, "SQ", [[(0x00080100, "SH", b"T-1")]]),
        (CODES, "SQ", [[(0x00080100, "SH", b"T" * SMALL_SEQUENCE)]]),
        (CONTENT, "SQ", [[CODE]]),
    ],
    ids=["unknown VR", "odd length", "long", "a sequence inside"],
)
def test_others_are_not(sequence: Node) -> None:
    """What is unusual, long or nested is looked at every time."""
    data = part10(tree([sequence], EXPLICIT), "explicit")
    for _ in range(3):
        items = read(BytesSource(data), allow_odd_lengths=True).dataset.elements[0].items
        assert not isinstance(items, SmallSequence)


def _code_sequence(value: bytes, nickname: str) -> bytes:
    """Return a file whose one sequence has that value, under a header in that encoding."""
    head = {
        "explicit": pack("<HH2s2xI", 0x0040, 0xA043, b"SQ", len(value)),
        "implicit": pack("<HHI", 0x0040, 0xA043, len(value)),
        "big": pack(">HH2s2xI", 0x0040, 0xA043, b"SQ", len(value)),
    }[nickname]
    return part10(head + value, nickname)


@pytest.mark.parametrize("other", ["implicit", "big"])
@pytest.mark.parametrize("explicit_first", [True, False])
def test_other_encodings_are_read_for_themselves(other: str, explicit_first: bool) -> None:
    """The value of a sequence in one encoding is refused in another, whichever was read first."""
    first, second = ("explicit", other) if explicit_first else (other, "explicit")
    value = tree([CODE], ENCODINGS[first])[8 if first == "implicit" else 12 :]
    assert read(BytesSource(_code_sequence(value, first))).dataset.items(CODES)
    with pytest.raises(DatasetError):
        read(BytesSource(_code_sequence(value, second)))


def test_the_character_set_is_the_enclosing_one() -> None:
    """The same bytes are other letters under another Specific Character Set."""
    meanings = []
    for charset in (b"ISO_IR 100", b"ISO_IR 101"):
        data = part10(tree([(CHARSET, "CS", charset), CODE], EXPLICIT), "explicit")
        for _ in range(2):
            (item,) = read(BytesSource(data)).dataset.items(CODES)
            meanings.append(item.charset)
    assert meanings == ["ISO_IR 100", "ISO_IR 100", "ISO_IR 101", "ISO_IR 101"]


def _codes(count: int) -> list[Node]:
    return [(CONTENT, "SQ", [[CODE] for _ in range(count)])]


@pytest.mark.parametrize(
    ("limits", "rule"),
    [
        (replace(LIMITS, elements=30), "LIMIT_ELEMENTS"),
        (replace(LIMITS, items=19), "LIMIT_ITEMS"),
        (replace(LIMITS, nesting=1), "LIMIT_NESTING"),
    ],
)
def test_limits_count_what_is_remembered(limits: Limits, rule: str) -> None:
    """A limit is reached at the same number, remembered or not; the sound sibling passes."""
    assert told(_codes(10), limits) == (rule,)
    assert len(told(_codes(10), replace(LIMITS, elements=41, items=20, nesting=2))) == 3


def test_a_source_that_changed_is_refused() -> None:
    """Items that are looked at after the bytes became others are an error of ours."""

    class Fickle(BytesSource):
        def read_at(self, offset: int, length: int) -> bytes:
            data = super().read_at(offset, length)
            return data if self.steady else data.replace(b"SH", b"?!")

        steady = True

    data = part10(tree([CODE], EXPLICIT), "explicit")
    read(BytesSource(data))
    source = Fickle(data)
    items = read(source).dataset.elements[0].items
    assert items is not None
    source.steady = False
    with pytest.raises(DatasetError):
        len(items)
