"""Which elements of a cited instance the MAC of a reference covers, and which it has to.

The standard sets no minimum. Ours is the floor: class, instance, character set, patient, content. A
reference may leave out what an archive may change in what it stores; of the floor these are the
identifiers of patient and study.

Cites: PS3.3 Table C.17-3a; PS3.4 B.4.1.3; PS3.15 A.4.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from sr.dicomfile.dataset import DataSet, Element
from sr.dicomfile.tags import is_private, tag_for_keyword
from sr.mac.selection import signable_elements
from sr.resources import resource_root
from sr.rulefile import read_rules
from sr.signature.coverage import coverage_class

__all__ = ["MACCoverage", "coercible_tags", "floor_left_out", "reference_tags"]

_CLASS, _INSTANCE = 0x00080016, 0x00080018
_CODE_VALUES = (0x00080100, 0x00080119, 0x00080120)


class MACCoverage(StrEnum):
    """How much of a cited instance the MAC of its reference covers.

    Cites: PS3.3 Table C.17-3a.
    """

    FULL = "full"
    """Every signable top-level element but private ones."""
    COERCION_TOLERANT = "coercion-tolerant"
    """All of these but what an archive may coerce."""


def reference_tags(dataset: DataSet, coverage: MACCoverage) -> tuple[int, ...]:
    """Return the top-level tags that the MAC of an instance covers, ascending.

    Cites: PS3.3 Table C.17-3a; PS3.4 B.4.1.3.
    """
    elements = signable_elements(dataset, private=False)
    if coverage is MACCoverage.FULL:
        return tuple(e.tag for e in elements)
    coercible = _coercible()
    return tuple(
        e.tag
        for e in elements
        if e.tag not in coercible.tags
        and not (coercible.code_sequences and not _in_floor(e.tag) and _is_coded(dataset, e))
    )


def coercible_tags() -> frozenset[int]:
    """Return what an archive may change by name; code sequences it may translate as well.

    Cites: PS3.4 Table B.4-1.
    """
    return _coercible().tags


def floor_left_out(dataset: DataSet, listed: tuple[int, ...]) -> tuple[int, ...]:
    """Return what a proof over these tags should cover of an instance and does not.

    Cites: PS3.15 A.4.
    """
    known = frozenset(listed)
    return tuple(e.tag for e in dataset if e.tag not in known and _in_floor(e.tag))


def _in_floor(tag: int) -> bool:
    """Whether a proof that leaves this out proves too little: identity, class, content."""
    if tag in (_CLASS, _INSTANCE):
        return True
    if is_private(tag) or tag & 0xFFFF == 0:
        return False
    return coverage_class(tag).name.startswith(("IDENTITY", "CONTENT", "CHARSET"))


def _is_coded(dataset: DataSet, element: Element) -> bool:
    """Whether every item is a coded entry."""
    items = dataset.items(element.tag) if element.vr == "SQ" else ()
    return bool(items) and all(any(tag in item for tag in _CODE_VALUES) for item in items)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Coercible:
    tags: frozenset[int]
    code_sequences: bool


@cache
def _coercible() -> _Coercible:
    name = f"{MACCoverage.COERCION_TOLERANT}.toml"
    text = (resource_root("profiles") / "coverage" / name).read_text(encoding="utf-8")
    rules = read_rules(text, name, lambda _: "")
    _ = rules.text("id"), rules.text("title")
    found = _Coercible(
        tags=frozenset(
            tag_for_keyword(keyword)
            for row in rules.tables("leave_out")
            for keyword in row.texts("keywords")
        ),
        code_sequences=rules.table("code_sequences").flag("leave_out"),
    )
    rules.done()
    return found
