"""The content tree of a document as the nodes that a page shows, read from its bytes.

Every content item becomes a node, also one of a kind this version does not know: what is signed
must not disappear from the page.

Cites: PS3.3 C.17.3.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby

from sr.app.views.content_values import Value, value_of
from sr.app.views.wording import class_name, meaning, visible
from sr.dicomfile import DataSet

__all__ = ["Cited", "Node", "Run", "content_root", "language_of", "targets_of"]

_CONTENT, _CONCEPT, _VALUE_TYPE, _RELATIONSHIP = 0x0040A730, 0x0040A043, 0x0040A040, 0x0040A010
_TARGET, _CITED = 0x0040DB73, 0x00081199
_LANGUAGE = ("121049", "DCM")
_LANGUAGE_TAG = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}")

Position = tuple[int, ...]
"""From the root, which is 1; the children of an item count from 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cited:
    """One instance that a content item cites."""

    sop_class: str
    sop_instance_uid: str
    parts: tuple[str, ...]
    """Which frames, segments or channels of it, and what it is to be shown with."""
    result: str
    """How it compares with its proof, ``""`` where it was not compared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One content item."""

    position: str
    """Such as ``1.2.1``, as items by reference name it."""
    kind: str
    """Value type in lower case, ``link`` for an item by reference."""
    relationship: str
    """In words, ``contains`` for what stands in its place."""
    name: str
    """Meaning of the concept name, may be empty."""
    value: Value
    target: str
    """Position of the item that a link leads to, ``""`` where there is none."""
    cited: tuple[Cited, ...]
    children: tuple[Node, ...]

    def related(self, relationship: str) -> tuple[Node, ...]:
        """Return the children that relate in one way."""
        return tuple(child for child in self.children if child.relationship == relationship)

    @property
    def other_relationships(self) -> tuple[str, ...]:
        """The ways other than ``contains`` in which children relate, in order."""
        return tuple(
            dict.fromkeys(c.relationship for c in self.children if c.relationship != "contains")
        )

    @property
    def runs(self) -> tuple[Run, ...]:
        """What the item contains, in order; measurements and references that follow each other."""
        return _runs(self.related("contains"))

    def runs_of(self, relationship: str) -> tuple[Run, ...]:
        """Return the same of another relationship."""
        return _runs(self.related(relationship))

    @property
    def is_bare_reference(self) -> bool:
        """Whether nothing is said but which instances it cites."""
        return bool(self.cited) and not (self.children or self.name or self.value.notes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Items that a page shows together."""

    form: str
    """``measurements``, ``references`` or ``item`` for one alone."""
    nodes: tuple[Node, ...]


def _runs(nodes: tuple[Node, ...]) -> tuple[Run, ...]:
    found = []
    for form, same in groupby(nodes, key=_form):
        run = tuple(same)
        together = form == "references" or (form == "measurements" and len(run) > 1)
        found += (
            [Run(form=form, nodes=run)]
            if together
            else [Run(form="item", nodes=(node,)) for node in run]
        )
    return tuple(found)


def _form(node: Node) -> str:
    if node.is_bare_reference:
        return "references"
    return "measurements" if node.kind == "num" else "item"


def content_root(dataset: DataSet, results: Mapping[str, str]) -> Node:
    """Return the tree of a document.

    Args:
        dataset: The document.
        results: How instances compare with their proof, by SOP Instance UID.

    Cites: PS3.3 C.17.3.
    """
    return _node(dataset, (1,), results, dict(_names(dataset, (1,))))


def targets_of(node: Node) -> frozenset[str]:
    """Return the positions that items by reference lead to.

    Cites: PS3.3 C.17.3.2.5.
    """
    below = (targets_of(child) for child in node.children)
    return frozenset({node.target} - {""}).union(*below)


def language_of(dataset: DataSet) -> str:
    """Return the language of the content (RFC 5646), ``""`` where the document does not say.

    Cites: PS3.16 TID 1204.
    """
    for item in dataset.items(_CONTENT):
        for concept in item.items(_CONCEPT):
            if (concept.text(0x00080100), concept.text(0x00080102)) == _LANGUAGE:
                said = next((code.text(0x00080100) for code in item.items(0x0040A168)), "")
                return said if _LANGUAGE_TAG.fullmatch(said) else ""
    return ""


def _names(item: DataSet, position: Position) -> Iterator[tuple[Position, str]]:
    yield position, _name(item) or visible(item.text(_VALUE_TYPE).lower())
    for number, child in enumerate(item.items(_CONTENT), 1):
        yield from _names(child, (*position, number))


def _name(item: DataSet) -> str:
    return next((meaning(concept) for concept in item.items(_CONCEPT)), "")


def _node(
    item: DataSet, position: Position, results: Mapping[str, str], names: Mapping[Position, str]
) -> Node:
    relationship = item.text(_RELATIONSHIP)
    target = _positions(item)
    kind = "link" if target and not item.text(_VALUE_TYPE) else item.text(_VALUE_TYPE)
    return Node(
        position=_dotted(position),
        kind=visible(kind.lower()),
        relationship=_WORDS.get(relationship, visible(relationship.lower())),
        name=_name(item),
        value=_link(target, names) if kind == "link" else value_of(item),
        target=_dotted(target) if target in names else "",
        cited=tuple(_cited(reference, results) for reference in item.items(_CITED)),
        children=tuple(
            _node(child, (*position, number), results, names)
            for number, child in enumerate(item.items(_CONTENT), 1)
        ),
    )


_WORDS = {
    "": "contains",
    "HAS CONCEPT MOD": "specified by",
    "HAS OBS CONTEXT": "observed by",
    "HAS ACQ CONTEXT": "acquired under",
    "HAS PROPERTIES": "has properties",
}


def _dotted(position: Position) -> str:
    return ".".join(map(str, position))


def _link(target: Position, names: Mapping[Position, str]) -> Value:
    said = names.get(target, "an item that is not in this document")
    return Value(text=f"{said} ({_dotted(target)})")


def _positions(item: DataSet) -> Position:
    value = item.bytes(_TARGET) or b""
    order = "little" if item.encoding.little else "big"
    return tuple(
        int.from_bytes(value[i : i + 4], order)  # type: ignore[arg-type]
        for i in range(0, len(value) - 3, 4)
    )


def _cited(reference: DataSet, results: Mapping[str, str]) -> Cited:
    uid = reference.text(0x00081155)
    return Cited(
        sop_class=class_name(reference.text(0x00081150)),
        sop_instance_uid=visible(uid),
        parts=tuple(_parts(reference)),
        result=results.get(uid, ""),
    )


def _parts(reference: DataSet) -> Iterator[str]:
    for word, numbers in (
        ("frames", reference.texts(0x00081160)),
        ("segments", reference.numbers(0x0062000B)),
        ("channels", _pairs(reference.numbers(0x0040A0B0))),
    ):
        if numbers:
            yield f"{word} {visible(', '.join(map(str, numbers)))}"
    for shown_with in reference.items(_CITED):
        uid = visible(shown_with.text(0x00081155))
        yield f"shown with {class_name(shown_with.text(0x00081150))} {uid}"


def _pairs(numbers: tuple[int, ...]) -> tuple[str, ...]:
    """Return multiplex group and channel of each waveform channel."""
    return tuple(f"{m}/{c}" for m, c in zip(numbers[::2], numbers[1::2], strict=False))
