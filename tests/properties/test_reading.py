"""Whatever the bytes, the reader and what follows it give a value or an error of ours."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sr.dicomfile import BytesSource, canonicalise, read
from sr.errors import SRError
from sr.mac import compute_mac
from sr.signature import examine
from sr.verification import gather
from tests.support.dicom_bytes import SYNTAX, part10, tree
from tests.support.signed import approved_report, author_report, seal, sign, signed_image
from tests.support.strategies import ENCODINGS, data_sets, encodings, stored

pytestmark = pytest.mark.filterwarnings("ignore::cryptography.utils.CryptographyDeprecationWarning")

VALID = (approved_report(), seal(), sign(author_report(), purpose=None, path=((0x0040A730, 1),),
                                         uid="2.25.86.9"), signed_image()[:4096])  # fmt: skip


def digest_everything(data: bytes) -> None:
    """Do with a file all that checking does; only errors of ours may come out."""
    for odd in (False, True):
        try:
            file = read(BytesSource(data), allow_odd_lengths=odd)
        except SRError:
            continue
        for step in (examine, gather, compute_mac, lambda _: canonicalise(data)):
            try:
                step(file)
            except SRError:
                continue


@given(st.binary(max_size=600))
def test_any_bytes(data):
    """Random bytes never raise anything foreign."""
    digest_everything(data)


@given(st.binary(max_size=300), st.sampled_from(sorted(SYNTAX)))
def test_any_bytes_behind_a_header(body, syntax):
    """Random data sets in every transfer syntax never raise anything foreign."""
    digest_everything(part10(body, syntax))


@given(st.binary(max_size=200))
def test_any_meta(meta):
    """Random File Meta Information never raises anything foreign."""
    digest_everything(part10(b"", meta=b"\2\0" + meta))


def _mutations(size: int) -> st.SearchStrategy[list[tuple[str, int, int, bytes]]]:
    place = st.integers(0, size - 1)
    kind = st.sampled_from(["set", "insert", "delete", "copy"])
    return st.lists(
        st.tuples(kind, place, place, st.binary(min_size=1, max_size=8)), min_size=1, max_size=4
    )


def _mutated(data: bytes, mutations: list[tuple[str, int, int, bytes]]) -> bytes:
    for kind, at, other, value in mutations:
        if kind == "set":
            data = data[:at] + value + data[at + len(value) :]
        elif kind == "insert":
            data = data[:at] + value + data[at:]
        elif kind == "delete":
            data = data[:at] + data[at + len(value) :]
        else:
            data = data[:at] + data[other : other + 40] + data[at:]
    return data


@pytest.mark.parametrize("number", range(len(VALID)))
@given(st.data())
def test_mutated_documents(number, data):
    """Signed documents with a few changes never raise anything foreign."""
    valid = VALID[number]
    digest_everything(_mutated(valid, data.draw(_mutations(len(valid)))))


SIGNATURE_ITEMS = VALID[0].rindex(b"\xfe\x4f\x01\x00")


@given(st.data())
def test_mutated_signature_items(data):
    """The same, with the changes where signatures, certificates and lists are."""
    valid = VALID[0]
    shifted = [
        (kind, SIGNATURE_ITEMS + at, SIGNATURE_ITEMS + other, value)
        for kind, at, other, value in data.draw(_mutations(len(valid) - SIGNATURE_ITEMS))
    ]
    digest_everything(_mutated(valid, shifted))


@given(data_sets(), encodings(), st.booleans())
def test_valid_data_sets_are_read(nodes, nickname, undefined):
    """Every sound data set is read, and every element found again."""
    body = tree(nodes, ENCODINGS[nickname], undefined=undefined)
    file = read(BytesSource(part10(stored(body, nickname), nickname)))
    assert [(e.tag, e.vr) for e in file.dataset] == [(tag, vr) for tag, vr, _ in nodes]
    assert file.notices == ()


@given(data_sets(min_size=1), encodings(), st.data())
def test_cut_files_are_refused_or_shorter(nodes, nickname, data):
    """A file that was cut is refused, or cut exactly between two elements."""
    body = tree(nodes, ENCODINGS[nickname])
    whole = part10(stored(body, nickname), nickname)
    header = len(whole) - len(stored(body, nickname))
    cut = whole[: data.draw(st.integers(header, len(whole) - 1))]
    try:
        file = read(BytesSource(cut))
    except SRError:
        return
    ends = {e.end for e in read(BytesSource(whole)).dataset} | {header}
    assert file.dataset.end in ends or nickname == "deflated"
