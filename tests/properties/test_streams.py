"""What a MAC covers does not depend on how the data set happens to be stored."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sr.dicomfile import BytesSource, canonicalise, read
from sr.dicomfile.padding import normalise_value
from sr.dicomfile.vr import PADDED_VRS
from sr.mac import MACAlgorithm, Padding, digest_chunks, mac_stream, signable_tags
from sr.mac.stream import chunk_bytes, chunk_length
from tests.support.dicom_bytes import EXPLICIT, Node, part10, tree
from tests.support.strategies import ENCODINGS, data_sets, encodings, stored


def _file(nodes: list[Node], nickname: str, *, undefined: bool = False) -> bytes:
    body = tree(nodes, ENCODINGS[nickname], undefined=undefined)
    return part10(stored(body, nickname), nickname)


def _stream(data: bytes, padding: Padding = Padding.AS_STORED) -> bytes:
    dataset = read(BytesSource(data)).dataset
    chunks = list(mac_stream(dataset, signable_tags(dataset), padding=padding))
    whole = b"".join(block for chunk in chunks for block in chunk_bytes(chunk))
    assert len(whole) == sum(map(chunk_length, chunks))
    return whole


@given(data_sets(min_size=1), encodings(), st.booleans())
def test_the_stream_is_independent_of_the_transfer_syntax(nodes, nickname, undefined):
    """Explicit, implicit, big endian, deflated, with and without lengths: one stream."""
    expected = _stream(_file(nodes, "explicit"))
    assert _stream(_file(nodes, nickname, undefined=undefined)) == expected


@given(data_sets(min_size=1), encodings())
def test_the_digest_is_that_of_the_stream(nodes, nickname):
    """Joining runs into single reads changes nothing."""
    from hashlib import sha256

    data = _file(nodes, nickname)
    dataset = read(BytesSource(data)).dataset
    digest = digest_chunks(mac_stream(dataset, signable_tags(dataset)), MACAlgorithm.SHA256)
    assert digest == sha256(_stream(data)).digest()


@given(data_sets(min_size=1), st.booleans())
def test_canonical_padding_commutes_with_the_stream(nodes, undefined):
    """A canonicalised file has, as stored, the stream its original has in canonical padding."""
    data = _file(nodes, "explicit", undefined=undefined)
    canonical = canonicalise(data)
    assert canonicalise(canonical) == canonical
    assert _stream(canonical) == _stream(data, Padding.CANONICAL)
    assert _stream(canonical) == _stream(canonical, Padding.CANONICAL)


@given(st.sampled_from(sorted(PADDED_VRS)), st.binary(max_size=12))
def test_normalising_is_stable(vr, value):
    """A normalised value is even, no longer than its original padded, and stays as it is."""
    once = normalise_value(vr, value)
    assert len(once) % 2 == 0
    assert len(once) <= len(value) + 1
    assert normalise_value(vr, once) == once


@given(data_sets(min_size=1), data_sets(min_size=1))
def test_different_contents_have_different_streams(one, other):
    """Two data sets with equal streams have equal content: nothing is ambiguous."""
    if _stream(_file(one, "explicit")) == _stream(_file(other, "explicit")):
        assert tree(one, EXPLICIT) == tree(other, EXPLICIT)
