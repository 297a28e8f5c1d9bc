"""What may stand under what: the content constraints of each SOP class, row by row.

Rows are numbered as they are printed. The row that lets a container be observation context was
added by CP-2084, after the row that it extends. One thing is stricter than printed: SCOORD and
TCOORD have no HAS CONCEPT MOD, which "any type" may have, because validators call it an error.

Cites: PS3.3 Tables A.35.1-2, A.35.2-2, A.35.3-2, A.35.4-2, A.35.13-2; CP-2084.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from sr.document.content import Relationship, ValueType

__all__ = ["RELATIONSHIP_TABLES", "DocumentClass", "RelationshipRow", "RelationshipTable"]


class DocumentClass(StrEnum):
    """The SOP classes this package writes, by SOP Class UID."""

    BASIC_TEXT = "1.2.840.10008.5.1.4.1.1.88.11"
    ENHANCED = "1.2.840.10008.5.1.4.1.1.88.22"
    COMPREHENSIVE = "1.2.840.10008.5.1.4.1.1.88.33"
    COMPREHENSIVE_3D = "1.2.840.10008.5.1.4.1.1.88.34"
    KEY_OBJECT_SELECTION = "1.2.840.10008.5.1.4.1.1.88.59"

    @property
    def slug(self) -> str:
        """The name used in report input, e.g. ``basic-text``."""
        return self.name.lower().replace("_", "-")


@dataclass(frozen=True, slots=True)
class RelationshipRow:
    """One row: every source may have this relationship to every target."""

    sources: frozenset[ValueType]
    relationship: Relationship
    targets: frozenset[ValueType]


@dataclass(frozen=True, slots=True)
class RelationshipTable:
    """The content constraints of one information object definition."""

    number: str
    """As in ``Table A.35.1-2``."""
    clause: str
    """That holds the table; its first part lists the value types, its second the relationships."""
    value_types: frozenset[ValueType]
    by_reference: bool
    """Whether relationships may be by reference; HAS CONCEPT MOD and CONTAINS never are."""
    rows: tuple[RelationshipRow, ...]

    def cite_row(self, row: RelationshipRow) -> str:
        """Return how a row is cited, e.g. ``PS3.3 Table A.35.1-2 row 7``."""
        return f"{self.cites} row {self.rows.index(row) + 1}"

    @property
    def cites(self) -> str:
        """How the table is cited."""
        return f"PS3.3 Table {self.number}"


_V, _R, _Row = ValueType, Relationship, RelationshipRow
_BASIC = frozenset({_V.TEXT, _V.CODE, _V.DATETIME, _V.DATE, _V.TIME, _V.UIDREF, _V.PNAME})
_CITED = frozenset({_V.IMAGE, _V.WAVEFORM, _V.COMPOSITE})
_CONTAINER = frozenset({_V.CONTAINER})
_COMPOSITE = frozenset({_V.COMPOSITE})
_IMAGE = frozenset({_V.IMAGE})
_TEXT, _PNAME, _NUM = frozenset({_V.TEXT}), frozenset({_V.PNAME}), frozenset({_V.NUM})
_SCOORD, _TCOORD = frozenset({_V.SCOORD}), frozenset({_V.TCOORD})
_TEXT_OR_CODE = frozenset({_V.TEXT, _V.CODE})
_STATED = _TEXT_OR_CODE | _NUM
_UNMODIFIED = _SCOORD | _TCOORD

_TYPES_BASIC_TEXT = _BASIC | _CITED | _CONTAINER
_TYPES_ENHANCED = _TYPES_BASIC_TEXT | _NUM | _SCOORD | _TCOORD
_TYPES_3D = _TYPES_ENHANCED | {_V.SCOORD3D}
_TYPES_KEY_OBJECT = _TEXT_OR_CODE | {_V.UIDREF} | _PNAME | _CITED | _CONTAINER

_BASIC_TEXT = RelationshipTable(
    "A.35.1-2",
    "A.35.1.3.1",
    _TYPES_BASIC_TEXT,
    False,
    (
        _Row(_CONTAINER, _R.CONTAINS, _TYPES_BASIC_TEXT),
        _Row(_CONTAINER, _R.HAS_OBS_CONTEXT, _BASIC | _COMPOSITE),
        _Row(_CONTAINER, _R.HAS_OBS_CONTEXT, _CONTAINER),
        _Row(_CONTAINER | _CITED, _R.HAS_ACQ_CONTEXT, _BASIC),
        _Row(_TYPES_BASIC_TEXT, _R.HAS_CONCEPT_MOD, _TEXT_OR_CODE),
        _Row(_TEXT, _R.HAS_PROPERTIES, _BASIC | _CITED),
        _Row(_PNAME, _R.HAS_PROPERTIES, _BASIC),
        _Row(_TEXT, _R.INFERRED_FROM, _BASIC | _CITED),
    ),
)

_ENHANCED = RelationshipTable(
    "A.35.2-2",
    "A.35.2.3.1",
    _TYPES_ENHANCED,
    False,
    (
        _Row(_CONTAINER, _R.CONTAINS, _TYPES_ENHANCED),
        _Row(_CONTAINER, _R.HAS_OBS_CONTEXT, _BASIC | _NUM | _COMPOSITE),
        _Row(_CONTAINER, _R.HAS_OBS_CONTEXT, _CONTAINER),
        _Row(_CONTAINER | _CITED | _NUM, _R.HAS_ACQ_CONTEXT, _BASIC | _NUM),
        _Row(_TYPES_ENHANCED - _UNMODIFIED, _R.HAS_CONCEPT_MOD, _TEXT_OR_CODE),
        _Row(_STATED, _R.HAS_PROPERTIES, _TYPES_ENHANCED - _CONTAINER),
        _Row(_PNAME, _R.HAS_PROPERTIES, _BASIC),
        _Row(_STATED, _R.INFERRED_FROM, _TYPES_ENHANCED - _CONTAINER),
        _Row(_SCOORD, _R.SELECTED_FROM, _IMAGE),
        _Row(_TCOORD, _R.SELECTED_FROM, _SCOORD | {_V.IMAGE, _V.WAVEFORM}),
    ),
)


def _comprehensive(types: frozenset[ValueType]) -> tuple[RelationshipRow, ...]:
    """Return the rows that Comprehensive and Comprehensive 3D share but for SCOORD3D."""
    return (
        _Row(_CONTAINER, _R.CONTAINS, types),
        _Row(_CONTAINER | _STATED, _R.HAS_OBS_CONTEXT, _BASIC | _NUM | _COMPOSITE),
        _Row(_CONTAINER, _R.HAS_OBS_CONTEXT, _CONTAINER),
        _Row(_CONTAINER | _CITED | _NUM, _R.HAS_ACQ_CONTEXT, _BASIC | _NUM | _CONTAINER),
        _Row(types - _UNMODIFIED, _R.HAS_CONCEPT_MOD, _TEXT_OR_CODE),
        _Row(_STATED, _R.HAS_PROPERTIES, types),
        _Row(_PNAME, _R.HAS_PROPERTIES, _BASIC),
        _Row(_STATED, _R.INFERRED_FROM, types),
        _Row(_SCOORD, _R.SELECTED_FROM, _IMAGE),
        _Row(
            _TCOORD,
            _R.SELECTED_FROM,
            types & {_V.SCOORD, _V.SCOORD3D, _V.IMAGE, _V.WAVEFORM},
        ),
    )


_COMPREHENSIVE = RelationshipTable(
    "A.35.3-2", "A.35.3.3.1", _TYPES_ENHANCED, True, _comprehensive(_TYPES_ENHANCED)
)

_COMPREHENSIVE_3D = RelationshipTable(
    "A.35.13-2", "A.35.13.3.1", _TYPES_3D, True, _comprehensive(_TYPES_3D)
)

_KEY_OBJECT_SELECTION = RelationshipTable(
    "A.35.4-2",
    "A.35.4.3.1",
    _TYPES_KEY_OBJECT,
    False,
    (
        _Row(_CONTAINER, _R.CONTAINS, _TEXT | _CITED),
        _Row(_CONTAINER, _R.HAS_OBS_CONTEXT, _TEXT_OR_CODE | {_V.UIDREF} | _PNAME),
        _Row(_CONTAINER, _R.HAS_OBS_CONTEXT, _CONTAINER),
        _Row(_CONTAINER, _R.HAS_CONCEPT_MOD, frozenset({_V.CODE})),
    ),
)

RELATIONSHIP_TABLES = {
    DocumentClass.BASIC_TEXT: _BASIC_TEXT,
    DocumentClass.ENHANCED: _ENHANCED,
    DocumentClass.COMPREHENSIVE: _COMPREHENSIVE,
    DocumentClass.COMPREHENSIVE_3D: _COMPREHENSIVE_3D,
    DocumentClass.KEY_OBJECT_SELECTION: _KEY_OBJECT_SELECTION,
}
"""The content constraints by SOP class."""
