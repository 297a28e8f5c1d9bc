"""Whether a tree fits its SOP class; what fits is in `relationship_tables`.

Cites: PS3.3 A.35.1.3.1, A.35.2.3.1, A.35.3.3.1, A.35.4.3.1, A.35.13.3.1, C.18.6, C.18.7.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sr.document.by_reference import Anchored, find_anchored, refuse_loops
from sr.document.content import ByReference, ContentItem, Node, Relationship, ValueType, walk
from sr.document.regions import region_fault
from sr.document.relationship_tables import RELATIONSHIP_TABLES, DocumentClass, RelationshipTable
from sr.errors import TemplateError

__all__ = ["DocumentClass", "check_content"]

_MAXIMUM_DEPTH = 32

_NEVER_BY_REFERENCE = frozenset({Relationship.CONTAINS, Relationship.HAS_CONCEPT_MOD})

_SELECTED = {ValueType.SCOORD: "PS3.3 C.18.6", ValueType.TCOORD: "PS3.3 C.18.7"}
"""Coordinates that mean nothing without what they were selected from, and the clause."""

_REGIONS = {
    ValueType.SCOORD: "PS3.3 C.18.6.1.2",
    ValueType.SCOORD3D: "PS3.3 C.18.9.1.2",
    ValueType.TCOORD: "PS3.3 C.18.7.1.1",
}


def check_content(document_class: DocumentClass, root: ContentItem) -> None:
    """Refuse a tree that the SOP class does not allow.

    Raises:
        TemplateError: With the path of the first item that does not fit, and the row that it
            breaks.

    Cites: PS3.3 Tables A.35.1-2, A.35.2-2, A.35.3-2, A.35.4-2, A.35.13-2.
    """
    if root.value_type is not ValueType.CONTAINER or root.relationship is not None:
        raise TemplateError(
            "the root of a document is a container without relationship", rule="PS3.3 C.17.3"
        )
    anchored = find_anchored(root)
    check = _Check(document_class, RELATIONSHIP_TABLES[document_class], anchored)
    for path, parent, node in walk(root):
        check.node(path, parent, node)
    refuse_loops(root, anchored)


@dataclass(frozen=True, slots=True)
class _Check:
    """The checks of one tree."""

    document_class: DocumentClass
    table: RelationshipTable
    anchored: Mapping[str, Anchored]

    def node(self, path: str, parent: ContentItem, node: Node) -> None:
        """Check what stands at a path."""
        place = node.origin or path
        if path.count("/") >= _MAXIMUM_DEPTH:
            raise TemplateError(f"the content is nested deeper than {_MAXIMUM_DEPTH}", where=place)
        if isinstance(node, ByReference):
            self._by_reference(place, node)
            target = self.anchored[node.target].item.value_type
        else:
            target = node.value_type
            self._value(place, node)
        self._relationship(place, parent.value_type, node.relationship, target)

    def _by_reference(self, place: str, node: ByReference) -> None:
        rule = f"PS3.3 {self.table.clause}.2"
        if not self.table.by_reference:
            raise TemplateError(
                f"{place}: {self.document_class.slug} has no relationships by reference "
                f"(ReferencedContentItemIdentifier (0040,DB73)): {rule}",
                where=place,
                rule=rule,
            )
        if node.relationship in _NEVER_BY_REFERENCE:
            raise TemplateError(
                f"{place}: {node.relationship} is never by reference: {rule}",
                where=place,
                rule=rule,
            )
        if node.target not in self.anchored:
            raise TemplateError(
                f"{place}: no content item has the anchor {node.target!r}",
                where=place,
                rule="PS3.3 C.17.3.2.5",
            )

    def _value(self, place: str, item: ContentItem) -> None:
        kind = item.value_type
        if kind not in self.table.value_types:
            rule = f"PS3.3 {self.table.clause}.1"
            raise TemplateError(
                f"{place}: {self.document_class.slug} has no value type {kind}: {rule}",
                where=place,
                rule=rule,
            )
        fault = region_fault(item)
        if fault:
            rule = _REGIONS[kind]
            raise TemplateError(f"{place}: {fault}: {rule}", where=place, rule=rule)
        if kind in _SELECTED and not _is_selected(item):
            raise TemplateError(
                f"{place}: {kind} needs a SELECTED FROM relationship: {_SELECTED[kind]}",
                where=place,
                rule=_SELECTED[kind],
            )

    def _relationship(
        self,
        place: str,
        source: ValueType,
        relationship: Relationship | None,
        target: ValueType,
    ) -> None:
        rows = [
            row
            for row in self.table.rows
            if row.relationship is relationship and source in row.sources
        ]
        if any(target in row.targets for row in rows):
            return
        said = f"{place}: {self.document_class.slug} does not allow {source} " + (
            f"{relationship} {target}" if relationship else f"above {target} without relationship"
        )
        if not rows:
            rule = self.table.cites
            raise TemplateError(f"{said}: no row of {rule}", where=place, rule=rule)
        rule = self.table.cite_row(rows[0])
        allowed = ", ".join(sorted(t for row in rows for t in row.targets))
        raise TemplateError(f"{said}: {rule}", where=place, rule=rule, hint=f"allowed: {allowed}")


def _is_selected(item: ContentItem) -> bool:
    return any(child.relationship is Relationship.SELECTED_FROM for child in item.children)
