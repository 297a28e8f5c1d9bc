"""Where signatures are in an instance: at the top level or inside sequence items.

Cites: PS3.3 C.12.1.1.3 (the macro may be in any item); PS3.5 7.5.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from sr.dicomfile.dataset import DataSet
from sr.dicomfile.small_sequence import SmallSequence
from sr.dicomfile.tags import format_tag, tag_for_keyword
from sr.errors import ConfigurationError
from sr.mac.selection import DIGITAL_SIGNATURES_SEQUENCE, MAC_PARAMETERS_SEQUENCE

__all__ = [
    "ORIGINAL_ATTRIBUTES",
    "Level",
    "item_at",
    "parse_item_path",
    "signed_levels",
]

ORIGINAL_ATTRIBUTES = 0x04000561
_SIGNATURE_SEQUENCES = frozenset({MAC_PARAMETERS_SEQUENCE, DIGITAL_SIGNATURES_SEQUENCE})
_OPAQUE = _SIGNATURE_SEQUENCES | {ORIGINAL_ATTRIBUTES}
_STEP = re.compile(
    r"(?P<name>[A-Za-z]\w*|\(?[0-9A-Fa-f]{4},?[0-9A-Fa-f]{4}\)?)\[(?P<index>\d{1,9})\]"
)


@dataclass(frozen=True, slots=True)
class Level:
    """A data set that may hold signatures: the top level, or one sequence item.

    Cites: PS3.3 C.12.1.1.3.
    """

    dataset: DataSet
    path: tuple[tuple[int, int], ...] = ()
    """Sequence tag and item index, outermost first; empty at the top level."""

    @property
    def location(self) -> str:
        """``""`` at the top level, else e.g. ``(0040,A730)[4]``."""
        return ".".join(f"{format_tag(tag)}[{index}]" for tag, index in self.path)

    def at(self, tag: int, index: int | None = None) -> str:
        """Return the path of an element, or of an item, at this level.

        Cites: PS3.5 7.5.
        """
        step = format_tag(tag) + ("" if index is None else f"[{index}]")
        return f"{self.location}.{step}" if self.path else step


def signed_levels(dataset: DataSet) -> tuple[Level, ...]:
    """Return the levels that hold either of the two signature sequences, outermost first.

    Signature items themselves, and Original Attributes Sequence (0400,0561), whose signatures are
    historic, are not entered.

    Cites: PS3.3 C.12.1.1.3, C.12.1.1.9.
    """
    if not dataset.answer(_is_signed_anywhere):
        return ()
    found: list[Level] = []
    _find_signed(dataset, (), found)
    return tuple(found)


def _is_signed_anywhere(dataset: DataSet) -> bool:
    found: list[Level] = []
    if not _is_signed(dataset):
        _find_signed(dataset, (), found)
        return bool(found)
    return True


def _find_signed(dataset: DataSet, path: tuple[tuple[int, int], ...], found: list[Level]) -> None:
    if _is_signed(dataset):
        found.append(Level(dataset, path))
    for tag, _, _, _, _, items, _, _ in dataset.elements:
        if items is None or tag in _OPAQUE:
            continue
        if type(items) is SmallSequence and not items.answer(_any_signed):
            continue
        for index, item in enumerate(items):
            _find_signed(item, (*path, (tag, index)), found)


def _any_signed(items: Sequence[DataSet]) -> bool:
    return any(map(_is_signed, items))


def _is_signed(dataset: DataSet) -> bool:
    """Look at the few elements that are last in tag order, since a document has many items."""
    for element in reversed(dataset.elements):
        if element.tag in _SIGNATURE_SEQUENCES:
            return True
        if element.tag < MAC_PARAMETERS_SEQUENCE:
            return False
    return False


def parse_item_path(text: str) -> tuple[tuple[int, int], ...]:
    """Return the path written as ``ContentSequence[4].ContentSequence[0]``; items count from 0.

    Raises:
        ConfigurationError: The text is no such path.

    Cites: PS3.5 7.5.
    """
    path: list[tuple[int, int]] = []
    for step in text.split(".") if text else ():
        match = _STEP.fullmatch(step.strip())
        if match is None:
            raise ConfigurationError(f"{text!r} is no item path; expected e.g. ContentSequence[4]")
        name = match["name"].strip("()").replace(",", "")
        try:
            tag = int(name, 16) if re.fullmatch("[0-9A-Fa-f]{8}", name) else tag_for_keyword(name)
        except KeyError as error:
            raise ConfigurationError(f"{name!r} is no attribute of PS3.6") from error
        path.append((tag, int(match["index"])))
    return tuple(path)


def item_at(dataset: DataSet, path: tuple[tuple[int, int], ...]) -> Level:
    """Return the level a path leads to.

    Raises:
        ConfigurationError: The data set has no such item.

    Cites: PS3.5 7.5.
    """
    level = dataset
    for tag, index in path:
        items = level.items(tag)
        if index >= len(items):
            raise ConfigurationError(
                f"{format_tag(tag)} has {len(items)} items, there is no item {index}",
                where=format_tag(tag),
            )
        level = items[index]
    return Level(level, path)
