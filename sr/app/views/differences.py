"""What is different between two versions of a document: attributes, and lines of the content.

Cites: PS3.3 C.17.2, C.17.3; PS3.15 C.4.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum

from sr.app.views.content_view import Node, content_root
from sr.app.views.wording import visible
from sr.dicomfile import DataSet, Element, format_tag, keyword_for_tag
from sr.dicomfile.vr import PADDED_VRS
from sr.mac.selection import DIGITAL_SIGNATURES_SEQUENCE, MAC_PARAMETERS_SEQUENCE

__all__ = [
    "AttributeChange",
    "Change",
    "ContentLine",
    "attribute_changes",
    "content_changes",
    "keyword_of",
]

_SIGNATURES = frozenset({DIGITAL_SIGNATURES_SEQUENCE, MAC_PARAMETERS_SEQUENCE})
_CONTENT_SEQUENCE = 0x0040A730
_LONGEST = 240


class Change(StrEnum):
    """What became of a line."""

    SAME = "same"
    REMOVED = "removed"
    ADDED = "added"


@dataclass(frozen=True, slots=True, kw_only=True)
class AttributeChange:
    """A top-level attribute whose bytes differ; ``None`` where a version does not have it."""

    tag: str
    keyword: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentLine:
    """One line of the content of either version."""

    change: Change
    depth: int
    text: str


def attribute_changes(before: DataSet, after: DataSet) -> tuple[AttributeChange, ...]:
    """Return the top-level attributes that differ in a byte; signatures are not among them.

    Cites: PS3.5 7.1; PS3.15 C.4.
    """
    tags = sorted({element.tag for dataset in (before, after) for element in dataset} - _SIGNATURES)
    return tuple(
        AttributeChange(
            tag=format_tag(tag),
            keyword=keyword_of(tag),
            before=_said(before, tag),
            after=_said(after, tag),
        )
        for tag in tags
        if _bytes(before, tag) != _bytes(after, tag)
    )


def content_changes(before: DataSet, after: DataSet) -> tuple[ContentLine, ...]:
    """Return the lines of either version that the other has not, each below what it stands under.

    Cites: PS3.3 C.17.3.
    """
    old = [line for child in content_root(before, {}).children for line in _lines(child, 0)]
    new = [line for child in content_root(after, {}).children for line in _lines(child, 0)]
    if old == new:
        return ()
    found: list[ContentLine] = []
    for operation, i, j, k, m in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if operation == "equal":
            found += [_line(Change.SAME, line) for line in old[i:j]]
            continue
        found += [_line(Change.REMOVED, line) for line in old[i:j]]
        found += [_line(Change.ADDED, line) for line in new[k:m]]
    return _in_context(found)


def _in_context(lines: list[ContentLine]) -> tuple[ContentLine, ...]:
    """Return the lines that changed, and the headings above them."""
    shown: set[int] = set()
    above: list[int] = []
    for n, line in enumerate(lines):
        above = [other for other in above if lines[other].depth < line.depth]
        if line.change is not Change.SAME:
            shown.update(above, (n,))
        above.append(n)
    return tuple(lines[n] for n in sorted(shown))


def keyword_of(tag: int) -> str:
    """Return the keyword of an attribute, ``private`` where PS3.6 has none.

    Cites: PS3.6 6.
    """
    return keyword_for_tag(tag) or "private"


def _bytes(dataset: DataSet, tag: int) -> bytes | None:
    element = dataset.get(tag)
    if element is None:
        return None
    return dataset.source.read_at(element.value, element.end - element.value)


def _said(dataset: DataSet, tag: int) -> str | None:
    element = dataset.get(tag)
    if element is None:
        return None
    if element.items is None:
        return _shorten(_value(dataset, element))
    if tag == _CONTENT_SEQUENCE:
        return f"{len(element.items)} items, shown below"
    return _shorten("; ".join(_item(item) for item in element.items)) or "no items"


def _item(item: DataSet) -> str:
    """Return what the plain values of a sequence item say."""
    return ", ".join(
        f"{keyword_of(element.tag)} {_value(item, element)}"
        for element in item
        if element.items is None and element.vr in PADDED_VRS
    )


def _value(dataset: DataSet, element: Element) -> str:
    if element.vr not in PADDED_VRS:
        return f"{element.end - element.value} bytes ({element.vr})"
    return visible(dataset.text(element.tag))


def _shorten(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _lines(node: Node, depth: int) -> Iterator[tuple[int, str]]:
    value = node.value
    cited = (
        f"{each.sop_class} {' '.join((each.sop_instance_uid, *each.parts))}" for each in node.cited
    )
    parts = (value.text, value.unit, value.code, *value.notes, *value.points, *cited)
    said = " ".join(part for part in parts if part)
    yield depth, ": ".join(part for part in (node.name or node.kind, said) if part)
    for child in node.children:
        yield from _lines(child, depth + 1)


def _line(change: Change, line: tuple[int, str]) -> ContentLine:
    return ContentLine(change=change, depth=min(line[0], 5), text=line[1])
