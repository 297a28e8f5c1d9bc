"""What may stand under what: the content constraints of each SOP class as one table.

Cites: PS3.3 Tables A.35.1-2, A.35.2-2, A.35.3-2, A.35.4-2.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from sr.document.content import ContentItem, Relationship, ValueType, walk
from sr.errors import TemplateError

__all__ = ["DocumentClass", "check_content"]


class DocumentClass(StrEnum):
    """The SOP classes this package writes, by SOP Class UID."""

    BASIC_TEXT = "1.2.840.10008.5.1.4.1.1.88.11"
    ENHANCED = "1.2.840.10008.5.1.4.1.1.88.22"
    COMPREHENSIVE = "1.2.840.10008.5.1.4.1.1.88.33"
    KEY_OBJECT_SELECTION = "1.2.840.10008.5.1.4.1.1.88.59"

    @property
    def slug(self) -> str:
        """The name used in report input, e.g. ``basic-text``."""
        return self.name.lower().replace("_", "-")


@dataclass(frozen=True, slots=True)
class _Row:
    """One row of a constraints table, restricted to the value types we write."""

    sources: frozenset[ValueType]
    relationship: Relationship
    targets: frozenset[ValueType]


_V, _R = ValueType, Relationship
_BASIC = frozenset({_V.TEXT, _V.CODE, _V.DATETIME, _V.UIDREF, _V.PNAME})
_REFERENCES = frozenset({_V.IMAGE, _V.WAVEFORM, _V.COMPOSITE})
_NUM = frozenset({_V.NUM})
_CONTAINER = frozenset({_V.CONTAINER})
_CODED = frozenset({_V.TEXT, _V.CODE})
_ANY = frozenset(_V)

_BASIC_TEXT = (
    _Row(_CONTAINER, _R.CONTAINS, _BASIC | _REFERENCES | _CONTAINER),
    _Row(_CONTAINER, _R.HAS_OBS_CONTEXT, _BASIC | {_V.COMPOSITE}),
    _Row(_CONTAINER | _REFERENCES, _R.HAS_ACQ_CONTEXT, _BASIC),
    _Row(_ANY, _R.HAS_CONCEPT_MOD, _CODED),
    _Row(frozenset({_V.TEXT}), _R.HAS_PROPERTIES, _BASIC | _REFERENCES),
    _Row(frozenset({_V.TEXT}), _R.INFERRED_FROM, _BASIC | _REFERENCES),
    _Row(frozenset({_V.PNAME}), _R.HAS_PROPERTIES, _BASIC),
)

_ENHANCED = (
    _Row(_CONTAINER, _R.CONTAINS, _BASIC | _REFERENCES | _CONTAINER | _NUM),
    _Row(_CONTAINER, _R.HAS_OBS_CONTEXT, _BASIC | _NUM | {_V.COMPOSITE}),
    _Row(_CONTAINER | _REFERENCES | _NUM, _R.HAS_ACQ_CONTEXT, _BASIC | _NUM),
    _Row(_ANY, _R.HAS_CONCEPT_MOD, _CODED),
    _Row(_CODED | _NUM, _R.HAS_PROPERTIES, _BASIC | _REFERENCES | _NUM),
    _Row(_CODED | _NUM, _R.INFERRED_FROM, _BASIC | _REFERENCES | _NUM),
    _Row(frozenset({_V.PNAME}), _R.HAS_PROPERTIES, _BASIC),
)

_COMPREHENSIVE = (
    _Row(_CONTAINER, _R.CONTAINS, _BASIC | _REFERENCES | _CONTAINER | _NUM),
    _Row(_CONTAINER | _CODED | _NUM, _R.HAS_OBS_CONTEXT, _BASIC | _NUM | {_V.COMPOSITE}),
    _Row(_CONTAINER | _REFERENCES | _NUM, _R.HAS_ACQ_CONTEXT, _BASIC | _NUM | _CONTAINER),
    _Row(_ANY, _R.HAS_CONCEPT_MOD, _CODED),
    _Row(_CODED | _NUM, _R.HAS_PROPERTIES, _BASIC | _REFERENCES | _NUM | _CONTAINER),
    _Row(_CODED | _NUM, _R.INFERRED_FROM, _BASIC | _REFERENCES | _NUM | _CONTAINER),
    _Row(frozenset({_V.PNAME}), _R.HAS_PROPERTIES, _BASIC),
)

_KEY_OBJECT_SELECTION = (
    _Row(_CONTAINER, _R.CONTAINS, _REFERENCES | {_V.TEXT}),
    _Row(_CONTAINER, _R.HAS_OBS_CONTEXT, _CODED | {_V.UIDREF, _V.PNAME}),
    _Row(_CONTAINER, _R.HAS_CONCEPT_MOD, frozenset({_V.CODE})),
)

_TABLES = {
    DocumentClass.BASIC_TEXT: _BASIC_TEXT,
    DocumentClass.ENHANCED: _ENHANCED,
    DocumentClass.COMPREHENSIVE: _COMPREHENSIVE,
    DocumentClass.KEY_OBJECT_SELECTION: _KEY_OBJECT_SELECTION,
}

_MAXIMUM_DEPTH = 32


def check_content(document_class: DocumentClass, root: ContentItem) -> None:
    """Refuse a tree that the SOP class does not allow.

    Raises:
        TemplateError: With the path of the first item that does not fit.
    """
    if root.value_type is not ValueType.CONTAINER or root.relationship is not None:
        raise TemplateError("the root of a document is a container without relationship")
    for path, parent, item in walk(root):
        if path.count("/") >= _MAXIMUM_DEPTH:
            raise TemplateError(f"the content is nested deeper than {_MAXIMUM_DEPTH}", where=path)
        if not _allowed(document_class, parent, item):
            raise TemplateError(
                f"{document_class.slug} does not allow {parent.value_type} "
                f"{item.relationship or 'without relationship'} {item.value_type} at "
                f"{item.origin or path}",
                where=item.origin or path,
            )


def _allowed(document_class: DocumentClass, parent: ContentItem, item: ContentItem) -> bool:
    return any(
        item.relationship is row.relationship
        and parent.value_type in row.sources
        and item.value_type in row.targets
        for row in _TABLES[document_class]
    )
