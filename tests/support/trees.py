"""Content trees for tests: one node of any value type, and random trees for a SOP class.

Random trees follow the constraint tables most of the time and break them now and then; every value
in them can be written, so that a tree is refused for its shape only.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from functools import cache
from io import BytesIO
from typing import Any

from hypothesis import strategies as st
from pydicom import dcmread
from pydicom.dataset import Dataset

from sr.codes import Code
from sr.document.citations import require_cited
from sr.document.constraints import DocumentClass, check_content
from sr.document.content import (
    ByReference,
    Coded,
    Container,
    ContentItem,
    Date,
    DateTime,
    Node,
    Number,
    PersonName,
    Relationship,
    Text,
    Time,
    UIDReference,
    ValueType,
    reference_to,
)
from sr.document.content_encoding import write_content
from sr.document.evidence import Evidence
from sr.document.part10 import write_part10
from sr.document.regions import (
    GraphicType,
    GraphicType3D,
    SpatialCoordinates,
    SpatialCoordinates3D,
    TemporalCoordinates,
    TemporalRangeType,
)
from sr.document.relationship_tables import RELATIONSHIP_TABLES
from tests.support.datasets import ct_evidence, evidence_of, instance, key_object, report

__all__ = ["CONCEPT", "EVIDENCE", "document", "node", "root", "trees", "unchecked"]

CONCEPT = Code("121071", "DCM", "Finding")
_MM = Code("mm", "UCUM", "mm")
_R, _V = Relationship, ValueType


def _evidence() -> tuple[Evidence, ...]:
    ecg = evidence_of(instance("1.2.840.10008.5.1.4.1.1.9.1.1", SOPInstanceUID="2.25.77.8"))
    other = evidence_of(instance(DocumentClass.BASIC_TEXT.value, SOPInstanceUID="2.25.77.9"))
    return (*ct_evidence(), ecg, other)


EVIDENCE = _evidence()
"""Three images, an ECG and a report: everything that the trees cite."""

_CITED = {item.kind.value: item for item in reversed(EVIDENCE)}

_CLASSES: dict[ValueType, tuple[type[ContentItem], dict[str, Any]]] = {
    _V.TEXT: (Text, {"value": "x"}),
    _V.CODE: (Coded, {"value": CONCEPT}),
    _V.NUM: (Number, {"value": "1", "unit": _MM}),
    _V.PNAME: (PersonName, {"value": "A^B"}),
    _V.DATETIME: (DateTime, {"value": "20261120"}),
    _V.DATE: (Date, {"value": "20261120"}),
    _V.TIME: (Time, {"value": "0930"}),
    _V.UIDREF: (UIDReference, {"value": "2.25.3"}),
    _V.CONTAINER: (Container, {}),
    _V.SCOORD: (SpatialCoordinates, {"graphic_type": GraphicType.POINT, "points": ((1.0, 2.5),)}),
    _V.SCOORD3D: (
        SpatialCoordinates3D,
        {
            "graphic_type": GraphicType3D.POINT,
            "points": ((1.0, -2.5, 3.0),),
            "frame_of_reference_uid": "2.25.5",
        },
    ),
    _V.TCOORD: (
        TemporalCoordinates,
        {"range_type": TemporalRangeType.POINT, "time_offsets": ("1.5",)},
    ),
}

_SELECTED = frozenset({_V.SCOORD, _V.TCOORD})


def node(
    kind: ValueType, relationship: Relationship | None, *children: Node, **values: object
) -> ContentItem:
    """Return a content item of any value type; a region selects from the first image."""
    common: dict[str, Any] = {"relationship": relationship, "children": children} | values
    if kind.value in _CITED:
        cited = reference_to(_CITED[kind.value], relationship or _R.CONTAINS)
        return replace(cited, **common)
    if kind in _SELECTED and not any(c.relationship is _R.SELECTED_FROM for c in children):
        common["children"] = (node(_V.IMAGE, _R.SELECTED_FROM), *children)
    made, defaults = _CLASSES[kind]
    return made(**({"concept": CONCEPT} | defaults | common))


def root(*children: Node) -> Container:
    """Return a root of no template."""
    return Container(concept=CONCEPT, children=children)


def document(document_class: DocumentClass, tree: Container) -> bytes:
    """Return a document with this tree, checked as any other."""
    if document_class is not DocumentClass.KEY_OBJECT_SELECTION:
        return report(document_class=document_class, content=tree, evidence=EVIDENCE)
    check_content(document_class, tree)
    require_cited(tree, EVIDENCE)
    return unchecked(document_class, tree)


def unchecked(document_class: DocumentClass, tree: Container) -> bytes:
    """Return a document with this tree, whether or not its SOP class allows that."""
    dataset = _framed(document_class)
    write_content(dataset, tree)
    return write_part10(dataset)


@cache
def _framed(document_class: DocumentClass) -> Dataset:
    key = document_class is DocumentClass.KEY_OBJECT_SELECTION
    data = (
        key_object(evidence=EVIDENCE)
        if key
        else report(document_class=document_class, evidence=EVIDENCE)
    )
    dataset: Dataset = dcmread(BytesIO(data))
    if not key:
        del dataset.ContentTemplateSequence
    return dataset


_TEXTS = st.text(st.characters(codec="utf-8", categories=["L", "N", "P"]), min_size=1, max_size=12)

_VALUES: dict[ValueType, st.SearchStrategy[dict[str, Any]]] = {
    _V.TEXT: _TEXTS.map(lambda text: {"value": text}),
    _V.NUM: st.decimals(-999, 999, places=3).map(lambda number: {"value": str(number)}),
    _V.DATE: st.dates(date(1900, 1, 1), date(2999, 12, 31)).map(
        lambda day: {"value": day.isoformat().replace("-", "")}
    ),
    _V.TIME: st.times().map(lambda time: {"value": f"{time:%H%M%S.%f}"}),
    _V.SCOORD: st.tuples(
        st.sampled_from([GraphicType.MULTIPOINT, GraphicType.POLYLINE]),
        st.lists(st.tuples(*[st.floats(0, 8, width=32)] * 2), min_size=2, max_size=5).map(tuple),
    ).map(lambda drawn: {"graphic_type": drawn[0], "points": drawn[1]}),
    _V.SCOORD3D: st.tuples(
        st.sampled_from([GraphicType3D.MULTIPOINT, GraphicType3D.POLYLINE]),
        st.lists(st.tuples(*[st.floats(-999, 999, width=32)] * 3), min_size=2).map(tuple),
    ).map(lambda drawn: {"graphic_type": drawn[0], "points": drawn[1]}),
    _V.TCOORD: st.lists(st.integers(1, 2**32 - 1), min_size=2, max_size=2).map(
        lambda drawn: {
            "range_type": TemporalRangeType.SEGMENT,
            "time_offsets": (),
            "sample_positions": tuple(drawn),
        }
    ),
}

_ANCHORS = ("a0", "a1", "a2")


@st.composite
def trees(draw: st.DrawFn, document_class: DocumentClass, *, breaks: int = 15) -> Container:
    """Draw a tree; one relationship in about ``breaks`` is drawn without looking at the table."""
    table = RELATIONSHIP_TABLES[document_class]
    free = list(_ANCHORS)

    def relationship_from(source: ValueType) -> tuple[Relationship, ValueType] | None:
        if draw(st.integers(1, breaks)) == breaks:
            return draw(st.sampled_from(_R)), draw(st.sampled_from(_V))
        rows = [row for row in table.rows if source in row.sources]
        if not rows:
            return None
        row = draw(st.sampled_from(rows))
        return row.relationship, draw(st.sampled_from(sorted(row.targets)))

    def child_of(source: ValueType, depth: int) -> Node | None:
        drawn = relationship_from(source)
        if drawn is None:
            return None
        relationship, kind = drawn
        if relationship is _R.SELECTED_FROM and source in _SELECTED and kind in _SELECTED:
            depth = 0
        may = table.by_reference and relationship not in (_R.CONTAINS, _R.HAS_CONCEPT_MOD)
        if draw(st.integers(1, 3 if may else 60)) == 3:
            return ByReference(relationship=relationship, target=draw(st.sampled_from(_ANCHORS)))
        return item(kind, relationship, depth)

    def item(kind: ValueType, relationship: Relationship, depth: int) -> ContentItem:
        number = draw(st.integers(0, 3)) if depth else 0
        drawn = (child_of(kind, depth - 1) for _ in range(number))
        children = [child for child in drawn if child is not None]
        values = draw(_VALUES[kind]) if kind in _VALUES else {}
        if free and draw(st.booleans()):
            values["anchor"] = free.pop(0)
        return node(kind, relationship, *children, **values)

    drawn = (child_of(_V.CONTAINER, 3) for _ in range(draw(st.integers(1, 4))))
    return root(*(child for child in drawn if child is not None))
