"""The content tree of a document as the nodes that a page shows, read from its bytes.

Every content item becomes a node, also one of a kind this version does not know: what is signed
must not disappear from the page.

Cites: PS3.3 C.17.3.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sr.app.wording import class_name, date_time, meaning, person_name, visible
from sr.dicomfile import DataSet

__all__ = ["Cited", "Node", "content_root", "language_of"]

_CONTENT, _CONCEPT, _VALUE_TYPE, _RELATIONSHIP = 0x0040A730, 0x0040A043, 0x0040A040, 0x0040A010
_LANGUAGE = ("121049", "DCM")
_NO_UNIT = ("1", "UCUM")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cited:
    """One instance that a content item cites."""

    sop_class: str
    sop_instance_uid: str
    frames: str
    result: str
    """How it compares with its proof, ``""`` where it was not compared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One content item."""

    kind: str
    """Value type in lower case, ``link`` for an item by reference."""
    relationship: str
    """In words, ``contains`` for what stands in its place."""
    name: str
    """Meaning of the concept name, may be empty."""
    value: str
    unit: str
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


def content_root(dataset: DataSet, results: Mapping[str, str]) -> Node:
    """Return the tree of a document.

    Args:
        dataset: The document.
        results: How instances compare with their proof, by SOP Instance UID.

    Cites: PS3.3 C.17.3.
    """
    return _node(dataset, results)


def language_of(dataset: DataSet) -> str:
    """Return the language of the content (RFC 5646), ``""`` where the document does not say.

    Cites: PS3.16 TID 1204.
    """
    for item in dataset.items(_CONTENT):
        for concept in item.items(_CONCEPT):
            if (concept.text(0x00080100), concept.text(0x00080102)) == _LANGUAGE:
                return next((code.text(0x00080100) for code in item.items(0x0040A168)), "")
    return ""


def _node(item: DataSet, results: Mapping[str, str]) -> Node:
    kind, relationship = item.text(_VALUE_TYPE), item.text(_RELATIONSHIP)
    value, unit = _VALUES.get(kind, _unknown)(item)
    if not kind and 0x0040DB73 in item:
        kind, value = "link", ".".join(str(n) for n in _positions(item))
    return Node(
        kind=visible(kind.lower()),
        relationship=_WORDS.get(relationship, visible(relationship.lower())),
        name=next((meaning(concept) for concept in item.items(_CONCEPT)), ""),
        value=value,
        unit=unit,
        cited=tuple(_cited(reference, results) for reference in item.items(0x00081199)),
        children=tuple(_node(child, results) for child in item.items(_CONTENT)),
    )


_WORDS = {
    "": "contains",
    "HAS CONCEPT MOD": "specified by",
    "HAS OBS CONTEXT": "observed by",
    "HAS ACQ CONTEXT": "acquired under",
    "HAS PROPERTIES": "has properties",
}


def _cited(reference: DataSet, results: Mapping[str, str]) -> Cited:
    uid = reference.text(0x00081155)
    return Cited(
        sop_class=class_name(reference.text(0x00081150)),
        sop_instance_uid=visible(uid),
        frames=visible(", ".join(reference.texts(0x00081160))),
        result=results.get(uid, ""),
    )


def _positions(item: DataSet) -> tuple[int, ...]:
    value = item.bytes(0x0040DB73) or b""
    order = "little" if item.encoding.little else "big"
    return tuple(
        int.from_bytes(value[i : i + 4], order)  # type: ignore[arg-type]
        for i in range(0, len(value) - 3, 4)
    )


_Value = tuple[str, str]


def _text_at(tag: int, word: Callable[[str], str] = visible) -> Callable[[DataSet], _Value]:
    return lambda item: (word(item.text(tag)), "")


def _coded(item: DataSet) -> _Value:
    return "; ".join(meaning(code) for code in item.items(0x0040A168)), ""


def _number(item: DataSet) -> _Value:
    """Return the digits as they are stored, and the unit."""
    for measured in item.items(0x0040A300):
        for unit in measured.items(0x004008EA):
            code = unit.text(0x00080100), unit.text(0x00080102)
            symbol = "" if code == _NO_UNIT else code[0] if code[1] == "UCUM" else meaning(unit)
            return visible(measured.text(0x0040A30A)), visible(symbol)
        return visible(measured.text(0x0040A30A)), ""
    qualifiers = (meaning(code) for code in item.items(0x0040A301))
    return next(qualifiers, "no value"), ""


def _coordinates(item: DataSet) -> _Value:
    data = item.get(0x00700022)
    count = (data.end - data.value) // 4 if data is not None else 0
    return visible(f"{item.text(0x00700023)} of {count} coordinates".strip()), ""


def _time_coordinates(item: DataSet) -> _Value:
    return visible(item.text(0x0040A130)), ""


def _nothing(_item: DataSet) -> _Value:
    return "", ""


def _unknown(item: DataSet) -> _Value:
    return f"a content item of type {visible(item.text(_VALUE_TYPE)) or 'none'}, not shown here", ""


_VALUES: dict[str, Callable[[DataSet], _Value]] = {
    "TEXT": _text_at(0x0040A160),
    "CODE": _coded,
    "NUM": _number,
    "PNAME": _text_at(0x0040A123, person_name),
    "DATE": _text_at(0x0040A121, date_time),
    "TIME": _text_at(0x0040A122, date_time),
    "DATETIME": _text_at(0x0040A120, date_time),
    "UIDREF": _text_at(0x0040A124),
    "IMAGE": _nothing,
    "COMPOSITE": _nothing,
    "WAVEFORM": _nothing,
    "CONTAINER": _nothing,
    "SCOORD": _coordinates,
    "SCOORD3D": _coordinates,
    "TCOORD": _time_coordinates,
}
