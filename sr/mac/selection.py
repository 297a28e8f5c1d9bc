"""Which data elements a MAC covers.

A selection is a tuple of top-level tags in ascending order. What can never be covered, at any
depth, is decided here and nowhere else.

Cites: PS3.3 C.12.1.1.3.1.1 (Data Elements Signed).
"""

from __future__ import annotations

from collections.abc import Sequence

from sr.dicomfile.dataset import DataSet, Element
from sr.dicomfile.small_sequence import SmallSequence

__all__ = [
    "DIGITAL_SIGNATURES_SEQUENCE",
    "LENGTH_TO_END",
    "MAC_PARAMETERS_SEQUENCE",
    "TRAILING_PADDING",
    "is_signable",
    "reaches_all",
    "signable_elements",
    "signable_tag",
    "signable_tags",
]

MAC_PARAMETERS_SEQUENCE = 0x4FFE0001
DIGITAL_SIGNATURES_SEQUENCE = 0xFFFAFFFA
TRAILING_PADDING = 0xFFFCFFFC
LENGTH_TO_END = 0x00080001
_ODD_GROUP = 0x00010000
_NEVER = frozenset({LENGTH_TO_END, MAC_PARAMETERS_SEQUENCE, TRAILING_PADDING})


def signable_tag(tag: int) -> bool:
    """Return whether an element with that tag may be covered at all.

    Never: group lengths, (0008,0001), groups below 0008, group FFFA, MAC Parameters Sequence,
    Data Set Trailing Padding.

    Cites: PS3.3 C.12.1.1.3.1.1.
    """
    group = tag >> 16
    return group >= 0x0008 and group != 0xFFFA and tag & 0xFFFF != 0 and tag not in _NEVER


def is_signable(element: Element) -> bool:
    """Return whether this element can be covered: its tag may be, and no VR in it is unknown.

    Cites: PS3.3 C.12.1.1.3.1.1.
    """
    return not element.has_unknown and signable_tag(element.tag)


def signable_elements(dataset: DataSet, *, private: bool = True) -> list[Element]:
    """Return the elements of one level that a MAC can cover.

    The common case is decided without a call, because a large object has tens of thousands.

    Cites: PS3.3 C.12.1.1.3.1.1.
    """
    return [
        e
        for e in dataset.elements
        if (
            (LENGTH_TO_END < e[0] < MAC_PARAMETERS_SEQUENCE and e[0] & 0xFFFF and not e[7])
            or is_signable(e)
        )
        and (private or not e[0] & _ODD_GROUP)
    ]


def reaches_all(items: Sequence[DataSet]) -> bool:
    """Return whether the tag of every element in the items is one that a MAC may cover.

    Cites: PS3.3 C.12.1.1.3.1.1.
    """
    if type(items) is SmallSequence:
        return items.answer(_reaches)
    return _reaches(items)


def _reaches(items: Sequence[DataSet]) -> bool:
    for item in items:
        for element in item.elements:
            if not signable_tag(element.tag):
                return False
            if element.items is not None and not reaches_all(element.items):
                return False
    return True


def signable_tags(dataset: DataSet, *, private: bool = False) -> tuple[int, ...]:
    """Return every tag of the data set that a MAC can cover, ascending.

    Args:
        dataset: One level of a data set.
        private: Whether to include private elements. Their VR is lost when a file passes through
            implicit VR, and their blocks may move, so the default leaves them out.

    Cites: PS3.3 C.12.1.1.3.1.1.
    """
    return tuple(e.tag for e in signable_elements(dataset, private=private))
