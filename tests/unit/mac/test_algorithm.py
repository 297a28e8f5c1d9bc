"""Digests: every defined term, its length, and digests of joined extents."""

from __future__ import annotations

import hashlib

import pytest

from sr.dicomfile import BytesSource, Limits, read
from sr.errors import EncodingError
from sr.mac import MACAlgorithm, MACChunk, compute_mac, digest_chunks, mac_stream, signable_tags
from sr.mac.algorithm import new_digest
from sr.mac.segment import Extent
from sr.mac.stream import chunk_bytes
from tests.support.datasets import ct_files, report
from tests.support.dicom_bytes import (
    BIG_ENDIAN,
    EXPLICIT,
    IMPLICIT,
    CountingSource,
    part10,
    tree,
)

LENGTHS = {
    "RIPEMD160": 20, "MD5": 16, "SHA1": 20, "SHA224": 28, "SHA256": 32, "SHA384": 48,
    "SHA512": 64, "SHA512_224": 28, "SHA512_256": 32, "SHA3_224": 28, "SHA3_256": 32,
    "SHA3_384": 48, "SHA3_512": 64,
}  # fmt: skip

OF_NOTHING = {
    "RIPEMD160": "9c1185a5c5e9fc54612808977ee8f548b2258d31",
    "MD5": "d41d8cd98f00b204e9800998ecf8427e",
    "SHA1": "da39a3ee5e6b4b0d3255bfef95601890afd80709",
    "SHA256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
}


@pytest.mark.parametrize("name", LENGTHS)
def test_every_term_has_a_digest(name):
    """Every defined term is available and gives the length it promises."""
    algorithm = MACAlgorithm(name)
    digest = new_digest(algorithm).digest()
    assert len(digest) == algorithm.digest_bytes == LENGTHS[name]
    assert digest.hex().startswith(OF_NOTHING.get(name, ""))


def test_the_table_is_complete():
    """No defined term is missing from the tests."""
    assert {a.value for a in MACAlgorithm} == set(LENGTHS)


def test_weak_algorithms():
    """Three algorithms are verified and never created."""
    assert {a.value for a in MACAlgorithm if a.is_weak} == {"MD5", "SHA1", "RIPEMD160"}


def _same(data: bytes, *, odd: bool = False) -> None:
    dataset = read(BytesSource(data), allow_odd_lengths=odd).dataset
    chunks = list(mac_stream(dataset, signable_tags(dataset, private=True)))
    plain = b"".join(block for chunk in chunks for block in chunk_bytes(chunk))
    assert digest_chunks(chunks, MACAlgorithm.SHA256) == hashlib.sha256(plain).digest()


NODES = (
    (0x00080018, "UI", b"1.2.3\0"),
    (0x00100010, "PN", b"A^B "),
    (0x00280010, "US", b"\1\2"),
    (0x0040A730, "SQ", [[(0x0040A160, "UT", b"text")], [], [(0x0040A730, "SQ", [])]]),
    (0x0040DB00, "CS", b"2000"),
    (0x7FE00010, "OW", bytes(range(256)) * 5000),
)


@pytest.mark.parametrize("undefined", [False, True])
@pytest.mark.parametrize(
    ("e", "syntax"), [(EXPLICIT, "explicit"), (IMPLICIT, "implicit"), (BIG_ENDIAN, "big")]
)
def test_digest_equals_plain_concatenation(e, syntax, undefined):
    """Joining neighbouring extents into one read changes no byte, in any encoding."""
    _same(part10(tree(NODES, e, undefined=undefined), syntax))


def test_digest_of_what_skips_elements():
    """Uncovered elements between covered ones interrupt a run."""
    skipped = EXPLICIT.element(0x00100015, "UN", b"ab")
    body = EXPLICIT.element(0x00100010, "PN", b"A^B ") + skipped
    _same(part10(body + EXPLICIT.element(0x00100020, "LO", b"42")))


def test_digest_of_odd_lengths():
    """Pad bytes that are not in the file are in the digest."""
    body = EXPLICIT.element(0x00100010, "PN", b"A") + EXPLICIT.element(0x00100020, "LO", b"4")
    _same(part10(body), odd=True)


def test_digest_of_whole_documents():
    """Documents and images as we make them."""
    _same(report())
    _same(ct_files()[0])


def test_extents_of_two_sources_are_not_joined():
    """Offsets that meet by accident in different sources do not make one run."""
    one, other = BytesSource(b"abcd"), BytesSource(b"efgh")
    chunks = [MACChunk(0, (Extent(one, 0, 2), Extent(other, 2, 4)))]
    assert digest_chunks(chunks, MACAlgorithm.SHA256) == hashlib.sha256(b"abgh").digest()


def test_swapped_extents_are_not_joined():
    """A swapped run beside a plain one keeps its own width."""
    source = BytesSource(b"abcdefgh")
    chunks = [MACChunk(0, (Extent(source, 0, 2), Extent(source, 2, 4, 2), Extent(source, 4, 8, 4)))]
    assert digest_chunks(chunks, MACAlgorithm.SHA256) == hashlib.sha256(b"abdchgfe").digest()


def test_neighbours_are_read_at_once():
    """A data set without sequences is hashed in one read."""
    elements = [EXPLICIT.element(0x00100010 + n, "LO", b"ab") for n in range(200)]
    source = CountingSource(part10(b"".join(elements)))
    file = read(source)
    source.reads.clear()
    compute_mac(file)
    assert len(source.reads) == 1


def test_large_values_are_hashed_in_blocks():
    """Hashing does not load a value whole, and needs no leave from the limit on values."""
    source = CountingSource(part10(EXPLICIT.element(0x7FE00010, "OW", bytes(5 << 20))))
    compute_mac(read(source, limits=Limits(value_bytes=1000)))
    assert max(length for _, length in source.reads) <= 1 << 20


def test_a_file_that_shrinks_while_it_is_hashed():
    """A MAC over less than the file held is never returned."""
    source = CountingSource(part10(EXPLICIT.element(0x00104000, "LT", bytes(3000))))
    file = read(source)
    source.data = source.data[:-10]
    with pytest.raises(EncodingError) as caught:
        compute_mac(file)
    assert caught.value.rule == "TRUNCATED"


@pytest.mark.parametrize(
    ("body", "syntax", "uid"),
    [
        (tree(NODES, EXPLICIT), "explicit", "1.2.840.10008.1.2.1"),
        (tree(NODES, IMPLICIT), "implicit", "1.2.840.10008.1.2.1"),
        (tree(NODES, BIG_ENDIAN), "big", "1.2.840.10008.1.2.1"),
        (EXPLICIT.encapsulated(0x7FE00010, b"", b"ab"), "jpeg", "1.2.840.10008.1.2.4.50"),
        (EXPLICIT.encapsulated(0x7FE00010, b"", b"ab"), "rle", "1.2.840.10008.1.2.5"),
    ],
)
def test_mac_transfer_syntax(body, syntax, uid):
    """What is not compressed is hashed as explicit VR little endian, the rest as it is."""
    assert compute_mac(read(BytesSource(part10(body, syntax)))).transfer_syntax_uid == uid


def test_mac_lists_what_it_covers():
    """A MAC names the covered tags in ascending order, private ones on request only."""
    body = EXPLICIT.element(0x00090010, "LO", b"ACME") + tree(NODES[:2], EXPLICIT)[14:]
    file = read(BytesSource(part10(body)))
    assert compute_mac(file).data_elements_signed == (0x00100010,)
    assert compute_mac(file, private=True).data_elements_signed == (0x00090010, 0x00100010)
    assert compute_mac(file).mac != compute_mac(file, private=True).mac


@pytest.mark.parametrize("body", [b"", EXPLICIT.element(0x00090010, "LO", b"ACME")])
def test_nothing_to_cover(body):
    """An instance in which nothing can be covered has no MAC."""
    with pytest.raises(EncodingError) as caught:
        compute_mac(read(BytesSource(part10(body))))
    assert caught.value.rule == "NOTHING_SIGNABLE"
