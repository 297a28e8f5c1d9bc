"""Random data sets whose elements have the value representation that PS3.6 gives them.

So the same content can be written in every encoding: implicit VR loses nothing.
"""

from __future__ import annotations

from hypothesis import strategies as st
from pydicom.datadict import DicomDictionary

from tests.support.dicom_bytes import BIG_ENDIAN, EXPLICIT, IMPLICIT, Encoder, Node, deflated

__all__ = ["ENCODINGS", "data_sets", "encodings", "leaves", "stored"]

ENCODINGS: dict[str, Encoder] = {
    "explicit": EXPLICIT,
    "implicit": IMPLICIT,
    "big": BIG_ENDIAN,
    "deflated": EXPLICIT,
}

_LEAVES = {
    0x00080005: "CS", 0x00080016: "UI", 0x00080018: "UI", 0x00080020: "DA", 0x00080030: "TM",
    0x00080060: "CS", 0x00081030: "LO", 0x00100010: "PN", 0x00100020: "LO", 0x00104000: "LT",
    0x00186020: "SL", 0x00189073: "FD", 0x0020000D: "UI", 0x00200013: "IS", 0x00200032: "DS",
    0x00209157: "UL", 0x00280009: "AT", 0x00280010: "US", 0x00281201: "OW", 0x0040A160: "UT",
    0x00420011: "OB", 0x00720071: "UR", 0x00720076: "FL", 0x00720078: "UL", 0x0072007A: "US",
    0x00720081: "OV", 0x00720082: "SV", 0x00720083: "UV", 0x7FE00008: "OF", 0x7FE00009: "OD",
}  # fmt: skip
assert all(DicomDictionary[tag][0] == vr for tag, vr in _LEAVES.items())
_SEQUENCES = (0x00081115, 0x00081199, 0x00400555, 0x0040A043, 0x0040A730, 0x00720080)
_WIDTH = {"US": 2, "OW": 2, "AT": 4, "FL": 4, "SL": 4, "UL": 4, "OF": 4, "FD": 8, "OD": 8, "OV": 8}
_WIDTH |= {"SV": 8, "UV": 8, "OB": 2}
_TEXT = st.text(alphabet=" .0129AZa^\\\0\n\xe4", max_size=12)


def _value(vr: str) -> st.SearchStrategy[bytes]:
    width = _WIDTH.get(vr)
    if width is None:
        return _TEXT.map(lambda t: t.encode("latin_1")).map(lambda v: v + b" " * (len(v) & 1))
    return st.binary(max_size=24).map(lambda v: v[: len(v) // width * width])


@st.composite
def leaves(draw: st.DrawFn) -> Node:
    """Return one element without items."""
    tag = draw(st.sampled_from(sorted(_LEAVES)))
    return (tag, _LEAVES[tag], draw(_value(_LEAVES[tag])))


def _sorted(nodes: list[Node]) -> list[Node]:
    by_tag = {node[0]: node for node in nodes}
    return [by_tag[tag] for tag in sorted(by_tag)]


def data_sets(*, min_size: int = 0) -> st.SearchStrategy[list[Node]]:
    """Return data sets with sequences inside sequences."""

    def level(items: st.SearchStrategy[list[Node]]) -> st.SearchStrategy[list[Node]]:
        sequences = st.tuples(
            st.sampled_from(_SEQUENCES), st.just("SQ"), st.lists(items, max_size=3)
        )
        return st.lists(st.one_of(leaves(), sequences), min_size=min_size, max_size=6).map(_sorted)

    flat = st.lists(leaves(), min_size=min_size, max_size=6).map(_sorted)
    return st.recursive(flat, level, max_leaves=8)


def encodings() -> st.SearchStrategy[str]:
    """Return a nickname of a transfer syntax."""
    return st.sampled_from(sorted(ENCODINGS))


def stored(body: bytes, nickname: str) -> bytes:
    """Return a data set as the transfer syntax stores it."""
    return deflated(body) if nickname == "deflated" else body
