"""Relationships by reference: anchors become positions, and nothing refers to itself.

Positions are ordinal, so whatever is put before the target would change what is said; here they
are counted once, when the tree is finished, and a signature then covers tree and positions.

The standard forbids references to ancestors "to prevent loops". Two references between siblings
make a loop without any ancestor; those are refused as well.

Cites: PS3.3 C.17.3.2.5, A.35.3.3.1.2, A.35.13.3.1.2.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

from sr.document.content import ContentItem
from sr.errors import TemplateError

__all__ = ["Anchored", "Position", "find_anchored", "refuse_loops"]

Position = tuple[int, ...]
"""Value of Referenced Content Item Identifier (0040,DB73): 1 for the root, then ordinals."""

_ROOT: Position = (1,)
_CITES = "PS3.3 C.17.3.2.5"


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchored:
    """An item that others may refer to."""

    position: Position
    item: ContentItem


def find_anchored(root: ContentItem) -> dict[str, Anchored]:
    """Return the items with an anchor, by anchor.

    Raises:
        TemplateError: Two items have the same anchor.

    Cites: PS3.3 C.17.3.2.5.
    """
    found: dict[str, Anchored] = {}
    for position, item in _items(root, _ROOT):
        if not item.anchor:
            continue
        if item.anchor in found:
            raise TemplateError(
                f"two content items have the anchor {item.anchor!r}",
                where=item.origin or None,
                rule=_CITES,
            )
        found[item.anchor] = Anchored(position=position, item=item)
    return found


def refuse_loops(root: ContentItem, anchored: Mapping[str, Anchored]) -> None:
    """Refuse a tree in which one can follow relationships in a circle.

    Args:
        root: The tree; every target is among the anchored.
        anchored: From `find_anchored`.

    Raises:
        TemplateError: An item refers to itself or an ancestor, or references go round in a loop.

    Cites: PS3.3 A.35.3.3.1.2.
    """
    graph: dict[Position, list[Position]] = {}
    origins: dict[Position, str] = {}
    for position, item in _items(root, _ROOT):
        edges = graph[position] = []
        for number, child in enumerate(item.children, start=1):
            if isinstance(child, ContentItem):
                edges.append((*position, number))
                continue
            target = anchored[child.target].position
            edges.append(target)
            origins[target] = child.origin
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as exc:
        looped = next((origins[p] for p in exc.args[1] if p in origins), "")
        raise TemplateError(
            "a relationship by reference, to an ancestor or among others, makes a loop",
            where=looped or None,
            rule=_CITES,
        ) from exc


def _items(item: ContentItem, position: Position) -> Iterator[tuple[Position, ContentItem]]:
    yield position, item
    for number, child in enumerate(item.children, start=1):
        if isinstance(child, ContentItem):
            yield from _items(child, (*position, number))
