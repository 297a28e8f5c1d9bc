"""The model of dcmsign's writer: where its buffer of 16,384 bytes fills, and what that costs.

Its agreement with dcmsign itself is in ``tests/interop/test_peer_truncation.py``.
"""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from sr.dicomfile import BytesSource, DataSet, read
from sr.mac import MACChunk, Padding, mac_stream, signable_tags
from sr.mac.peer import PEER_BUFFER_BYTES, PeerStream, PeerTruncation, nests_deeply, peer_stream
from sr.mac.stream import chunk_bytes
from tests.support.dicom_bytes import BIG_ENDIAN, EXPLICIT, IMPLICIT, Encoder, part10

LE = EXPLICIT
FILLER, CONTENT, REFERENCES, AFTER = 0x00281201, 0x0040A730, 0x00081199, 0x52009229
FILLER_HEADER = 12
SEQUENCE_END = 4


def opened(body: bytes, syntax: str = "explicit") -> DataSet:
    return read(BytesSource(part10(body, syntax))).dataset


def joined(chunks: Iterable[MACChunk]) -> bytes:
    return b"".join(block for chunk in chunks for block in chunk_bytes(chunk))


def standard(dataset: DataSet, **options: object) -> bytes:
    return joined(mac_stream(dataset, signable_tags(dataset, private=True), **options))  # type: ignore[arg-type]


def peer(dataset: DataSet, **options: object) -> PeerStream:
    return peer_stream(dataset, signable_tags(dataset, private=True), **options)  # type: ignore[arg-type]


def filler(stream_bytes: int, encoder: Encoder = LE) -> bytes:
    """Return an element that takes so many bytes of the stream."""
    return encoder.element(FILLER, "OW", b"\1" * (stream_bytes - FILLER_HEADER))


def nested(*items: bytes, encoder: Encoder = LE) -> bytes:
    """Return a sequence with one item that holds a sequence of these items."""
    return encoder.sequence(CONTENT, encoder.item(encoder.sequence(REFERENCES, *items)))


BEFORE_ITEMS = 8 + 4 + 8
"""Bytes of the stream from the outer sequence's header to the first inner item."""
INNER = (
    LE.item(
        LE.element(0x00080104, "LO", b"ABCD"),
        LE.element(0x0040A160, "UT", b"abcd"),
        LE.sequence(CONTENT, LE.item()),
    ),
    LE.item(),
)
INNER_BYTES = 52
AT = "(0040,A730)[0].(0008,1199)"

# From this many free bytes at the first inner item on: how many are kept, where the loss begins.
BORDERS = (
    (0, INNER_BYTES, None),  # the nested sequence itself was not begun: it needs twelve, too
    (4, 4, f"{AT}[0].(0008,0104)"),  # a short header needs eight
    (12, 12, f"{AT}[0].(0008,0104)"),  # a value is split
    (14, 14, f"{AT}[0].(0008,0104)"),
    (16, 16, f"{AT}[0].(0040,A160)"),  # a long header needs twelve
    (28, 28, f"{AT}[0].(0040,A160)"),
    (30, 30, f"{AT}[0].(0040,A160)"),
    (32, 32, f"{AT}[0].(0040,A730)"),  # a sequence has eight bytes and needs twelve
    (44, 44, f"{AT}[0].(0040,A730)"),  # its delimiter needs four
    (48, 48, f"{AT}[1]"),  # an item tag needs four
    (52, 52, None),  # only the closing delimiter is left, and that is never lost
)


@pytest.mark.parametrize("free", range(0, 60, 2))
def test_what_a_full_buffer_costs(free: int) -> None:
    """What does not fit any more is lost to the end of the nested sequence, whatever it is."""
    kept, first = next((k, f) for at, k, f in reversed(BORDERS) if at <= free)
    start = PEER_BUFFER_BYTES - free
    dataset = opened(
        filler(start - BEFORE_ITEMS) + nested(*INNER) + LE.element(AFTER, "LO", b"after ")
    )
    whole, modelled = standard(dataset), peer(dataset)
    assert joined(modelled.chunks) == whole[: start + kept] + whole[start + INNER_BYTES :]
    assert modelled.truncation == (
        PeerTruncation(first_uncovered=first, bytes_missing=INNER_BYTES - kept) if first else None
    )


LEAF = LE.element(0x0040A160, "UT", b"x" * 40_000)
NOT_AFFECTED = {
    "value at the signed level": LEAF,
    "value in an item": LE.sequence(CONTENT, LE.item(LEAF), LE.item(LEAF)),
    "many small items": LE.sequence(
        CONTENT, *[LE.item(LE.element(0x00080104, "LO", b"AB"))] * 3000
    ),
    "many empty items": LE.sequence(CONTENT, *[LE.item()] * 9000),
    "many empty sequences": LE.sequence(CONTENT, *[LE.item(LE.sequence(REFERENCES))] * 3000),
    "nothing but a header": LE.element(AFTER, "LO"),
}


@pytest.mark.parametrize("shift", range(0, 16, 2))
@pytest.mark.parametrize("body", NOT_AFFECTED.values(), ids=NOT_AFFECTED)
def test_what_dcmsign_reads_rightly(body: bytes, shift: int) -> None:
    """Leaf elements, top-level sequences and their items are never shortened, however long."""
    dataset = opened(filler(2_000 + shift) + body)
    modelled = peer(dataset)
    assert joined(modelled.chunks) == standard(dataset)
    assert modelled.truncation is None


def test_a_stream_that_fits_is_safe() -> None:
    """Any nesting is covered whole while the stream has fewer bytes than the buffer."""
    dataset = opened(filler(16_300 - BEFORE_ITEMS - INNER_BYTES) + nested(*INNER))
    assert len(standard(dataset)) < PEER_BUFFER_BYTES
    assert peer(dataset).truncation is None


def test_each_nested_sequence_is_lost_for_itself() -> None:
    """After a loss the buffer is empty, and the next nested sequence loses only its own rest."""
    long = LE.item(LE.element(0x0040A160, "UT", b"x" * 20_000))
    body = LE.sequence(
        CONTENT,
        LE.item(LE.sequence(REFERENCES, long), LE.element(0x0040A160, "UT", b"kept")),
        LE.item(LE.sequence(REFERENCES, long)),
    )
    whole, modelled = standard(opened(body)), peer(opened(body))
    shorter = joined(modelled.chunks)
    assert modelled.truncation == PeerTruncation(
        first_uncovered=f"{AT}[0].(0040,A160)", bytes_missing=len(whole) - len(shorter)
    )
    assert b"kept" in shorter
    assert len(shorter) < 2 * PEER_BUFFER_BYTES + 100


def test_depth_does_not_matter_beyond_two() -> None:
    """A full buffer at depth six loses the rest of the sequence at depth two."""
    body = LE.element(0x0040A160, "UT", b"x" * 30_000)
    for _ in range(6):
        body = LE.sequence(CONTENT, LE.item(body))
    modelled = peer(opened(body))
    assert modelled.truncation is not None
    assert modelled.truncation.first_uncovered.count(".") == 6
    assert joined(modelled.chunks)[PEER_BUFFER_BYTES:].hex() == "feffdde0" * 2


def test_the_signature_item_starts_with_an_empty_buffer() -> None:
    """What the data set left in the buffer does not count for the elements of the signature."""
    dataset = opened(filler(PEER_BUFFER_BYTES - 10))
    item = opened(nested(*INNER))
    modelled = peer(dataset, signature_item=item)
    assert modelled.truncation is None
    assert joined(modelled.chunks) == standard(dataset, signature_item=item)


def test_certificate_and_value_of_the_signature_stay_out() -> None:
    """The signature item ends the stream without what the signature cannot cover."""
    item = opened(
        LE.element(0x04000005, "US", b"\0\0")
        + LE.element(0x04000115, "OB", b"certificate ")
        + LE.element(0x04000120, "OB", b"value ")
    )
    assert [
        c.tag for c in peer_stream(opened(filler(20)), (FILLER,), signature_item=item).chunks
    ] == [
        FILLER,
        0x04000005,
    ]


@pytest.mark.parametrize("free", range(0, 24, 2))
def test_numbers_of_any_byte_order_are_cut_alike(free: int) -> None:
    """A big endian value is swapped before it is cut, wherever in a number the border is."""
    numbers = bytes(range(40))
    kept = []
    for encoder, syntax in ((LE, "explicit"), (BIG_ENDIAN, "big")):
        item = encoder.item(encoder.element(0x00720074, "FD", encoder.value("FD", numbers)))
        size = PEER_BUFFER_BYTES - BEFORE_ITEMS - 4 - 8 - free
        body = filler(size, encoder) + nested(item, encoder=encoder)
        kept.append(peer(opened(body, syntax)))
    assert joined(kept[0].chunks) == joined(kept[1].chunks)
    assert kept[0].truncation == kept[1].truncation
    assert kept[0].truncation is not None


def test_implicit_encoding_does_not_matter() -> None:
    """Headers count as explicit VR writes them, also where the file has none."""
    bodies = (
        (filler(16_330, encoder) + nested(_reference(encoder), encoder=encoder), syntax)
        for encoder, syntax in ((LE, "explicit"), (IMPLICIT, "implicit"))
    )
    explicit, implicit = (peer(opened(*body)) for body in bodies)
    assert joined(explicit.chunks) == joined(implicit.chunks)
    assert explicit.truncation == implicit.truncation


def _reference(encoder: Encoder) -> bytes:
    return encoder.item(
        encoder.element(0x00081150, "UI", b"1.2.840.10008.5.1.4.1.1.2\0"),
        encoder.element(0x00081155, "UI", b"1.2.3.4\0"),
    )


def test_nested_fragments_are_lost_from_the_border_on() -> None:
    """Fragments of an encapsulated value inside a nested item are lost like any other value."""
    icon = LE.encapsulated(0x7FE00010, b"", *[b"abcd"] * 3000)
    body = nested(LE.item(icon)) + LE.encapsulated(0x7FE00010, b"", *[b"abcd"] * 5000)
    dataset = read(BytesSource(part10(body, "jpeg"))).dataset
    modelled = peer(dataset)
    assert modelled.truncation is not None
    assert modelled.truncation.first_uncovered == f"{AT}[0].(7FE0,0010)"
    assert joined(modelled.chunks[1:]) == joined(mac_stream(dataset, (0x7FE00010,)))


@pytest.mark.parametrize("padding", list(Padding))
def test_padding_moves_the_border(padding: Padding) -> None:
    """String values enter as asked, and the border is counted in what entered."""
    loose = LE.element(0x00080104, "LO", b"A" + b" " * 59)
    tail = LE.item(LE.element(0x0040A160, "UT", b"B" * 100))
    dataset = opened(filler(16_300) + nested(LE.item(loose), tail))
    modelled = peer(dataset, padding=padding)
    assert modelled.truncation is not None
    entered = 60 if padding is Padding.AS_STORED else 2
    assert len(standard(dataset, padding=padding)) == 16_300 + BEFORE_ITEMS + 4 + 8 + entered + (
        4 + 12 + 100 + 2 * SEQUENCE_END
    )
    end = "(0008,0104)" if padding is Padding.AS_STORED else "(0040,A160)"
    assert modelled.truncation.first_uncovered.endswith(end)


def test_what_cannot_be_signed_takes_no_room() -> None:
    """Elements of unknown VR, and the signatures of items, are in neither stream."""
    item = LE.item(
        LE.element(0x00091001, "UN", b"x" * 30_000), LE.element(0x00100010, "PN", b"A^B ")
    )
    signatures = LE.sequence(0xFFFAFFFA, LE.item(LE.element(0x04000120, "OB", b"x" * 30_000)))
    dataset = opened(LE.sequence(CONTENT, LE.item(LE.sequence(REFERENCES), signatures), item))
    assert peer_stream(dataset, (CONTENT,)).chunks == ()
    clean = LE.sequence(CONTENT, LE.item(LE.sequence(REFERENCES), signatures))
    modelled = peer_stream(opened(clean), (CONTENT,))
    assert joined(modelled.chunks) == joined(mac_stream(opened(clean), (CONTENT,)))


def test_absent_tags_contribute_nothing() -> None:
    """A listed element that is absent is in neither stream."""
    assert peer_stream(opened(filler(20)), (AFTER,)).chunks == ()


DEEP = {
    "nested item with content": (nested(LE.item(LE.element(0x00080104, "LO", b"AB"))), True),
    "empty nested item": (nested(LE.item()), True),
    "nested sequence without items": (nested(), False),
    "items of leaf elements": (
        LE.sequence(CONTENT, LE.item(LE.element(0x00080104, "LO", b"AB"))),
        False,
    ),
    "leaf elements": (filler(20), False),
    "nested sequence of unknown parts": (
        nested(LE.item(LE.element(0x00091001, "UN", b"ab"))),
        False,
    ),
    "signatures of an item": (
        LE.sequence(CONTENT, LE.item(LE.sequence(0xFFFAFFFA, LE.item()))),
        False,
    ),
}


@pytest.mark.parametrize(("body", "expected"), DEEP.values(), ids=DEEP)
def test_what_could_be_lost_at_all(body: bytes, *, expected: bool) -> None:
    """Only a sequence with items, inside an item of a covered sequence, can be shortened."""
    dataset = opened(body)
    assert nests_deeply(dataset, [e.tag for e in dataset]) is expected
    assert not nests_deeply(dataset, ())
