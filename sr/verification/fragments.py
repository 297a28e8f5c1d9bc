"""Whether a MAC fixes where the fragments of an encapsulated value begin and end.

Fragments enter the MAC stream with an item tag each but without their lengths. A fragment that
contains the bytes of an item tag may therefore be cut in two, and two fragments may be joined with
those bytes between them: two pictures, one MAC, whatever the digest. Nothing is judged here; what
cannot be excluded is named.

Cites: PS3.3 C.12.1.1.3.1.1; PS3.5 A.4.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from struct import iter_unpack

from sr.dicomfile.dataset import DataSet, Element
from sr.dicomfile.small_sequence import SmallSequence
from sr.dicomfile.source import Source
from sr.dicomfile.tags import format_tag
from sr.mac.selection import is_signable

__all__ = ["ambiguous_fragments"]

_MARKERS = (b"\xfe\xff\x00\xe0", b"\xfe\xff\xdd\xe0")
_BLOCK = 1 << 20
_WIDTH = {"<I": 4, "<Q": 8}
_PIXEL_DATA, _NUMBER_OF_FRAMES = 0x7FE00010, 0x00280008
_EXTENDED_OFFSETS, _EXTENDED_LENGTHS = 0x7FE00001, 0x7FE00002


def ambiguous_fragments(dataset: DataSet, tags: Iterable[int]) -> tuple[str, ...]:
    """Return the paths of covered encapsulated values that the MAC does not fix.

    A value is fixed where no fragment holds the bytes of an item or delimiter tag, there is one
    fragment, or exactly one for each frame, and the offset tables agree.

    Args:
        dataset: The level that the MAC covers.
        tags: Its covered elements; what is inside covered sequences is looked at as well.

    Cites: PS3.3 C.12.1.1.3.1.1; PS3.5 A.4.
    """
    wanted = frozenset(tags)
    covered = [e for e in dataset.elements if e.tag in wanted]
    if not _has_fragments(covered):
        return ()
    return tuple(_ambiguous(dataset, covered, ""))


def _has_fragments(elements: Iterable[Element]) -> bool:
    for element in elements:
        if element.fragments is not None:
            return True
        if element.items is not None and not isinstance(element.items, SmallSequence):
            for item in element.items:
                if _has_fragments(item.elements):
                    return True
    return False


def _ambiguous(dataset: DataSet, elements: Iterable[Element], path: str) -> Iterator[str]:
    for e in elements:
        if e.fragments is not None and not _fixed(dataset, e):
            yield path + format_tag(e.tag)
        for index, item in enumerate(e.items or ()):
            inner = (i for i in item if is_signable(i))
            yield from _ambiguous(item, inner, f"{path}{format_tag(e.tag)}[{index}].")


def _fixed(dataset: DataSet, element: Element) -> bool:
    fragments = element.fragments or ()
    if any(_holds_marker(dataset.source, *fragment) for fragment in fragments):
        return False
    frames = dataset.text(_NUMBER_OF_FRAMES).strip() or "1"
    one = len(fragments) == 2  # the offset table and all the rest
    if not one and frames != str(len(fragments) - 1):
        return False
    return element.tag != _PIXEL_DATA or _tables_agree(dataset, fragments)


def _tables_agree(dataset: DataSet, fragments: tuple[tuple[int, int], ...]) -> bool:
    """Return whether the tables that are there name exactly the fragments that are there."""
    (table, length), *data = fragments
    first = data[0][0]
    offsets = [start - first for start, _length in data]
    basic = _numbers(dataset.source.read_at(table, length), "<I")
    extended = _numbers(dataset.bytes(_EXTENDED_OFFSETS) or b"", "<Q")
    lengths = _numbers(dataset.bytes(_EXTENDED_LENGTHS) or b"", "<Q")
    return (
        basic in ([], offsets)
        and extended in ([], offsets)
        and lengths in ([], [length for _start, length in data])
    )


def _numbers(value: bytes, layout: str) -> list[int] | None:
    """Return the numbers of a table, ``None`` where its length is no multiple of theirs."""
    if len(value) % _WIDTH[layout]:
        return None
    return [number for (number,) in iter_unpack(layout, value)]


def _holds_marker(source: Source, start: int, length: int) -> bool:
    position, end = start, start + length
    while position < end:
        block = source.read_at(position, min(_BLOCK + 3, end - position))
        if any(marker in block for marker in _MARKERS):
            return True
        position += _BLOCK
    return False
