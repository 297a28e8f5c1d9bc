"""No single changed byte of a signed file passes without being named.

The samples run always, every byte under the marker ``prove``. What PS3.3 leaves outside the MAC is
outside here too: certificate, MAC parameters, and what stands before the data set.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from sr.dicomfile import BytesSource, DataSet, format_tag, read
from sr.errors import SRError
from sr.findings import Indication, LimitationCode
from sr.verification import Verdict
from tests.support.signed import approved_report, author_report, check, seal
from tests.vectors.generators.sound import big_endian_hop, implicit_hop

MASKS = (0x01, 0x20)
OUTSIDE_THE_MAC = frozenset({0x04000115, 0x04000010})
"""Certificate of Signer; MAC Calculation Transfer Syntax UID, for its pad byte."""
FILES = {
    "approved report": approved_report,
    "author's report": author_report,
    "selection": seal,
    "implicit": implicit_hop,
    "big endian": big_endian_hop,
}


def verdict_on(data: bytes) -> Verdict | None:
    """Return the verdict, ``None`` where the bytes are refused; no other error gets out."""
    try:
        return check(data)
    except SRError:
        return None


def flipped(data: bytes, offset: int, mask: int) -> bytes:
    changed = bytearray(data)
    changed[offset] ^= mask
    return bytes(changed)


def outside(dataset: DataSet) -> Iterator[range]:
    """Yield the stretches of a file that no signature is meant to cover."""
    for sequence in (0x4FFE0001, 0xFFFAFFFA):
        for item in dataset.items(sequence):
            for e in item:
                if e.tag in OUTSIDE_THE_MAC:
                    yield range(e.value, e.end)


def unnamed(data: bytes, offsets: range) -> list[tuple[int, int]]:
    """Return the flips that pass as if nothing had happened.

    A flip is named where the verdict has a limitation about the element it is in, whatever tag the
    flip has given it, or says that padding was normalised.
    """
    assert check(data).indication is Indication.PASSED
    skipped = {o for stretch in outside(read(BytesSource(data)).dataset) for o in stretch}
    found = []
    for offset in offsets:
        for mask in MASKS if offset not in skipped else ():
            changed = flipped(data, offset, mask)
            verdict = verdict_on(changed)
            if verdict is None or verdict.indication is not Indication.PASSED:
                continue
            normalised = LimitationCode.PADDING_NORMALISED in {x.code for x in verdict.limitations}
            if not normalised and place(changed, offset) not in {
                x.where for x in verdict.limitations
            }:
                found.append((offset, mask))
    return found


def place(data: bytes, offset: int) -> str:
    elements = read(BytesSource(data)).dataset
    return next(format_tag(e.tag) for e in elements if e.start <= offset < e.end)


def body(data: bytes) -> int:
    return read(BytesSource(data)).dataset.start


@pytest.mark.parametrize(("name", "start"), [("approved report", 0), ("selection", 11)])
def test_no_sampled_flip_passes_unnamed(name: str, start: int) -> None:
    """Every 31st byte of a signed file, flipped twice."""
    data = FILES[name]()
    assert unnamed(data, range(body(data) + start, len(data), 31)) == []


def test_no_flip_in_a_signature_item_passes_unnamed() -> None:
    """The items of the signatures, but for what is outside the MAC, byte by byte."""
    data = author_report()
    (item,) = read(BytesSource(data)).dataset.items(0xFFFAFFFA)
    stretches = (
        range(e.start, e.end if e.tag != 0x04000120 else e.value + 8)
        for e in item
        if e.tag not in OUTSIDE_THE_MAC
    )
    assert [flip for stretch in stretches for flip in unnamed(data, stretch)] == []


def test_nothing_but_our_errors_leaves_for_bytes_before_the_data_set() -> None:
    """Preamble and File Meta Information are unsigned: any verdict, but no accident."""
    data = author_report()
    for offset in range(126, body(data)):
        verdict_on(flipped(data, offset, 0x01))


@pytest.mark.parametrize("cut", [1, 2, 7, 8, 100, 1500, 3000, 4800])
def test_a_file_cut_short_does_not_pass(cut: int) -> None:
    """What is missing at the end is missed."""
    verdict = verdict_on(author_report()[:-cut])
    assert verdict is None or verdict.indication is not Indication.PASSED


@pytest.mark.parametrize("more", [b"\0", b"\0" * 8, b"x" * 12, b"\xfc\xff\xfc\xff", b"\xff" * 64])
def test_a_file_with_more_at_the_end_does_not_pass(more: bytes) -> None:
    """Nothing follows the data set."""
    verdict = verdict_on(author_report() + more)
    assert verdict is None or verdict.indication is Indication.FAILED


@pytest.mark.prove
@pytest.mark.parametrize("part", range(8))
@pytest.mark.parametrize("name", FILES)
def test_no_flip_passes_unnamed(name: str, part: int) -> None:
    """Every byte of the data set, flipped twice."""
    data = FILES[name]()
    assert unnamed(data, range(body(data) + part, len(data), 8)) == []


@pytest.mark.prove
@pytest.mark.parametrize("made", [approved_report, seal])
def test_no_cut_passes(made: Callable[[], bytes]) -> None:
    """A file ends where it ends."""
    data = made()
    for length in range(len(data)):
        verdict = verdict_on(data[:length])
        assert verdict is None or verdict.indication is not Indication.PASSED, length


@pytest.mark.prove
def test_no_byte_can_be_left_out_or_doubled() -> None:
    """Removing or repeating one byte shifts all that follows, and never passes."""
    data = approved_report()
    skipped = {o for stretch in outside(read(BytesSource(data)).dataset) for o in stretch}
    for offset in range(body(data), len(data)):
        for changed in (data[:offset] + data[offset + 1 :], data[: offset + 1] + data[offset:]):
            if offset in skipped:
                continue
            verdict = verdict_on(changed)
            assert verdict is None or verdict.indication is not Indication.PASSED, offset
