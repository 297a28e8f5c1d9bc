"""The content tree of a document as values, before any library writes it.

A tree is made of frozen items; the root is a `Container` without relationship. What may stand
under what in which SOP class is in `constraints`; how it becomes a data set in `content_encoding`.

Cites: PS3.3 C.17.3.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar

from sr.codes import Code
from sr.document.evidence import Evidence, EvidenceKind
from sr.errors import EvidenceError

__all__ = [
    "Coded",
    "Container",
    "ContentItem",
    "DateTime",
    "Number",
    "PersonName",
    "Reference",
    "Relationship",
    "Text",
    "UIDReference",
    "ValueType",
    "reference_to",
    "require_cited",
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
    """What kind of value an item has; those this version writes.

    Cites: PS3.3 C.17.3.2.1.
    """

    TEXT = "TEXT"
    CODE = "CODE"
    NUM = "NUM"
    PNAME = "PNAME"
    DATETIME = "DATETIME"
    UIDREF = "UIDREF"
    IMAGE = "IMAGE"
    WAVEFORM = "WAVEFORM"
    COMPOSITE = "COMPOSITE"
    CONTAINER = "CONTAINER"


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentItem:
    """One item of the tree; never made itself."""

    TYPE: ClassVar[ValueType]

    concept: Code | None = None
    """Concept name; only a reference may go without."""
    relationship: Relationship | None = None
    children: tuple[ContentItem, ...] = ()
    origin: str = field(default="", compare=False)
    """Key path of the report input it comes from, for messages."""

    @property
    def value_type(self) -> ValueType:
        """Value Type (0040,A040)."""
        return self.TYPE


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
class UIDReference(ContentItem):
    """A UID as value, e.g. that of an observing device."""

    TYPE: ClassVar[ValueType] = ValueType.UIDREF

    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference(ContentItem):
    """A citation of an image, a waveform or another composite object."""

    kind: EvidenceKind
    sop_class_uid: str
    sop_instance_uid: str
    frames: tuple[int, ...] = ()
    """Frame numbers from 1; empty is all of them."""

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
    origin: str = "",
) -> Reference:
    """Return a content item that cites an instance."""
    return Reference(
        concept=concept,
        relationship=relationship,
        origin=origin,
        kind=evidence.kind,
        sop_class_uid=evidence.sop_class_uid,
        sop_instance_uid=evidence.sop_instance_uid,
        frames=frames,
    )


def walk(root: ContentItem, path: str = "") -> Iterator[tuple[str, ContentItem, ContentItem]]:
    """Yield path, parent and item for everything below the root, in document order.

    The path is that of the item in the data set, e.g. ``(0040,A730)[2]/(0040,A730)[1]``, counted
    from 1.
    """
    for number, child in enumerate(root.children, start=1):
        here = f"{path}/(0040,A730)[{number}]".lstrip("/")
        yield here, root, child
        yield from walk(child, here)


def require_cited(root: ContentItem, evidence: tuple[Evidence, ...]) -> frozenset[str]:
    """Check every citation in the tree against the evidence; return the UIDs cited.

    Raises:
        EvidenceError: An instance is cited that is not in the evidence, under another SOP class
            or value type, or by a frame it does not have.

    Cites: PS3.3 C.17.2.3.
    """
    known = {item.sop_instance_uid: item for item in evidence}
    cited = set()
    for path, _, item in walk(root):
        if isinstance(item, Reference):
            _check_citation(item.origin or path, item, known.get(item.sop_instance_uid))
            cited.add(item.sop_instance_uid)
    return frozenset(cited)


def _check_citation(path: str, item: Reference, found: Evidence | None) -> None:
    if found is None:
        raise EvidenceError(
            f"ReferencedSOPInstanceUID (0008,1155) {item.sop_instance_uid} is cited but not in the "
            "evidence",
            where=path,
            hint="add the folder that holds this instance to the evidence",
        )
    if found.sop_class_uid != item.sop_class_uid or found.kind != item.kind:
        raise EvidenceError(
            f"ReferencedSOPClassUID (0008,1150) of the citation of {found} is not that of the "
            "instance",
            where=path,
        )
    if any(not 1 <= frame <= found.number_of_frames for frame in item.frames):
        raise EvidenceError(
            f"ReferencedFrameNumber (0008,1160) cites a frame that {found} does not have: it has "
            f"{found.number_of_frames}",
            where=path,
        )
