"""The content tree of a document as values, before any library writes it.

A tree is made of frozen items; the root is a `Container` without relationship. An item elsewhere in
the tree is referred to by its anchor, a name that never leaves this package, because positions
move. Coordinates are in `regions`, what may stand under what in which SOP class in `constraints`,
how a tree becomes a data set in `content_encoding`.

Cites: PS3.3 C.17.3.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar

from sr.codes import Code
from sr.document.evidence import Evidence, EvidenceKind

__all__ = [
    "ByReference",
    "Coded",
    "Container",
    "ContentItem",
    "Date",
    "DateTime",
    "Node",
    "Number",
    "PersonName",
    "Reference",
    "Relationship",
    "Text",
    "Time",
    "UIDReference",
    "ValueType",
    "reference_to",
    "walk",
]


class Relationship(StrEnum):
    """How an item relates to the item above it.

    Cites: PS3.3 C.17.3.2.4.
    """

    CONTAINS = "CONTAINS"
    HAS_OBS_CONTEXT = "HAS OBS CONTEXT"
    HAS_ACQ_CONTEXT = "HAS ACQ CONTEXT"
    HAS_CONCEPT_MOD = "HAS CONCEPT MOD"
    HAS_PROPERTIES = "HAS PROPERTIES"
    INFERRED_FROM = "INFERRED FROM"
    SELECTED_FROM = "SELECTED FROM"


class ValueType(StrEnum):
    """What kind of value an item has.

    Cites: PS3.3 C.17.3.2.1, Table C.17.3-7.
    """

    TEXT = "TEXT"
    CODE = "CODE"
    NUM = "NUM"
    PNAME = "PNAME"
    DATETIME = "DATETIME"
    DATE = "DATE"
    TIME = "TIME"
    UIDREF = "UIDREF"
    SCOORD = "SCOORD"
    SCOORD3D = "SCOORD3D"
    TCOORD = "TCOORD"
    IMAGE = "IMAGE"
    WAVEFORM = "WAVEFORM"
    COMPOSITE = "COMPOSITE"
    CONTAINER = "CONTAINER"


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentItem:
    """One item of the tree; never made itself."""

    TYPE: ClassVar[ValueType]

    concept: Code | None = None
    """Concept name; only references and coordinates may go without."""
    relationship: Relationship | None = None
    children: tuple[Node, ...] = ()
    anchor: str = ""
    """Name by which `ByReference` items elsewhere in the tree refer to this one; not written."""
    origin: str = field(default="", compare=False)
    """Key path of the report input it comes from, for messages."""

    @property
    def value_type(self) -> ValueType:
        """Value Type (0040,A040)."""
        return self.TYPE


@dataclass(frozen=True, slots=True, kw_only=True)
class ByReference:
    """A relationship to an item that stands elsewhere in the same tree.

    Cites: PS3.3 C.17.3.2.5.
    """

    relationship: Relationship
    target: str
    """Anchor of that item."""
    origin: str = field(default="", compare=False)
    """Key path of the report input it comes from, for messages."""


Node = ContentItem | ByReference
"""What may stand below an item."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Container(ContentItem):
    """A heading, or the root."""

    TYPE: ClassVar[ValueType] = ValueType.CONTAINER

    template_id: str = ""
    """Template Identifier of PS3.16, e.g. ``2000``; only for the root."""
    continuous: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Text(ContentItem):
    """Plain text."""

    TYPE: ClassVar[ValueType] = ValueType.TEXT

    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Coded(ContentItem):
    """A coded concept as value."""

    TYPE: ClassVar[ValueType] = ValueType.CODE

    value: Code


@dataclass(frozen=True, slots=True, kw_only=True)
class Number(ContentItem):
    """A measured value with its unit."""

    TYPE: ClassVar[ValueType] = ValueType.NUM

    value: str
    """Decimal string, kept digit by digit as it was entered."""
    unit: Code
    """From UCUM."""
    qualifier: Code | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonName(ContentItem):
    """A person, with up to three groups: alphabetic, ideographic, phonetic."""

    TYPE: ClassVar[ValueType] = ValueType.PNAME

    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DateTime(ContentItem):
    """A point in time, as a DT value."""

    TYPE: ClassVar[ValueType] = ValueType.DATETIME

    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Date(ContentItem):
    """A day, as a DA value."""

    TYPE: ClassVar[ValueType] = ValueType.DATE

    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Time(ContentItem):
    """A time of day, as a TM value."""

    TYPE: ClassVar[ValueType] = ValueType.TIME

    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UIDReference(ContentItem):
    """A UID as value, e.g. that of an observing device."""

    TYPE: ClassVar[ValueType] = ValueType.UIDREF

    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference(ContentItem):
    """A citation of an image, a waveform or another composite object."""

    TYPE: ClassVar[ValueType] = ValueType.COMPOSITE
    """Of the most general kind; `value_type` is that of this one."""

    kind: EvidenceKind
    sop_class_uid: str
    sop_instance_uid: str
    frames: tuple[int, ...] = ()
    """Frame numbers from 1; empty is all of them."""
    segments: tuple[int, ...] = ()
    """Segment numbers of a segmentation; empty is all of them."""
    channels: tuple[tuple[int, int], ...] = ()
    """Multiplex group and channel numbers of a waveform, channel 0 for a whole group; empty is all
    of them."""

    @property
    def value_type(self) -> ValueType:
        """Value Type (0040,A040)."""
        return ValueType(self.kind.value)


def reference_to(
    evidence: Evidence,
    relationship: Relationship,
    *,
    concept: Code | None = None,
    frames: tuple[int, ...] = (),
    segments: tuple[int, ...] = (),
    channels: tuple[tuple[int, int], ...] = (),
    anchor: str = "",
    origin: str = "",
) -> Reference:
    """Return a content item that cites an instance."""
    return Reference(
        concept=concept,
        relationship=relationship,
        anchor=anchor,
        origin=origin,
        kind=evidence.kind,
        sop_class_uid=evidence.sop_class_uid,
        sop_instance_uid=evidence.sop_instance_uid,
        frames=frames,
        segments=segments,
        channels=channels,
    )


def walk(root: ContentItem, path: str = "") -> Iterator[tuple[str, ContentItem, Node]]:
    """Yield path, parent and item for everything below the root, in document order.

    The path is that of the item in the data set, e.g. ``(0040,A730)[2]/(0040,A730)[1]``, counted
    from 1. What an item by reference refers to is visited where it stands, not here.
    """
    for number, child in enumerate(root.children, start=1):
        here = f"{path}/(0040,A730)[{number}]".lstrip("/")
        yield here, root, child
        if isinstance(child, ContentItem):
            yield from walk(child, here)
