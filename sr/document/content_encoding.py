"""A content tree becomes the data set of its root content item.

highdicom frames a document and writes its codes. The items below the root are written here: it
names references that TID 2010 wants nameless, writes a number as it formats a float, and knows no
relationship by reference. Digits go out as they were entered, every text is checked before, and
lines end in CR LF.

Cites: PS3.3 C.17.3, C.18; PS3.5 6.1.3; PS3.16 TID 2010.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from highdicom.sr import CodedConcept, ContainerContentItem, ContentSequence
from highdicom.sr.value_types import ContentItem as EncodedItem
from pydicom.config import IGNORE
from pydicom.datadict import tag_for_keyword
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.valuerep import DSdecimal

from sr.codes import Code
from sr.document.by_reference import Anchored, find_anchored
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
    Reference,
    Text,
    Time,
    UIDReference,
    ValueType,
)
from sr.document.elements import put, put_required
from sr.document.regions import SpatialCoordinates, SpatialCoordinates3D, TemporalCoordinates
from sr.document.values import checked
from sr.errors import TemplateError

__all__ = ["coded_concept", "encode_title", "write_content"]

_LINE_END = re.compile(r"\r\n|\r|\n")

_NAMELESS = frozenset(
    {
        ValueType.IMAGE,
        ValueType.WAVEFORM,
        ValueType.COMPOSITE,
        ValueType.SCOORD,
        ValueType.SCOORD3D,
        ValueType.TCOORD,
    }
)
"""What may go without concept name."""

_MAPPING_RESOURCE = "DCMR"


def coded_concept(code: Code) -> CodedConcept:
    """Return the code sequence item for a code.

    Raises:
        TemplateError: The code cannot be written.

    Cites: PS3.3 Table 8.8-1.
    """
    _checked("UC", code.value, "CodeValue (0008,0100)")
    _checked("SH", code.scheme, "CodingSchemeDesignator (0008,0102)")
    _checked("LO", code.meaning, "CodeMeaning (0008,0104)")
    return CodedConcept(value=code.value, scheme_designator=code.scheme, meaning=code.meaning)


def encode_title(root: Container) -> EncodedItem:
    """Return the root without what stands below it: enough for highdicom to frame a document.

    Raises:
        TemplateError: A value cannot be written.
    """
    if root.concept is None:
        raise _nameless(root)
    encoded = ContainerContentItem(
        name=coded_concept(root.concept),
        is_content_continuous=root.continuous,
        template_id=root.template_id or None,
    )
    encoded.ContentSequence = ContentSequence()
    return encoded


def write_content(dataset: Dataset, root: Container) -> None:
    """Write everything below the root into a document framed with its title.

    Raises:
        TemplateError: A value cannot be written.
    """
    anchored = find_anchored(root)
    dataset.ContentSequence = [_encode(child, anchored) for child in root.children]


def _encode(node: Node, anchored: Mapping[str, Anchored]) -> Dataset:
    encoded = Dataset()
    if node.relationship is not None:
        encoded.RelationshipType = node.relationship.value
    if isinstance(node, ByReference):
        encoded.ReferencedContentItemIdentifier = list(anchored[node.target].position)
        return encoded
    encoded.ValueType = node.value_type.value
    if node.concept is not None:
        encoded.ConceptNameCodeSequence = [coded_concept(node.concept)]
    elif node.value_type not in _NAMELESS:
        raise _nameless(node)
    _ENCODERS[node.value_type](node, encoded)
    if node.children:
        encoded.ContentSequence = [_encode(child, anchored) for child in node.children]
    return encoded


def _nameless(item: ContentItem) -> TemplateError:
    return TemplateError(
        f"a content item of type {item.value_type} needs ConceptNameCodeSequence (0040,A043)",
        where=item.origin or None,
    )


def _container(item: Container, encoded: Dataset) -> None:
    encoded.ContinuityOfContent = "CONTINUOUS" if item.continuous else "SEPARATE"
    if item.template_id:
        template = Dataset()
        template.MappingResource = _MAPPING_RESOURCE
        put_required(template, "TemplateIdentifier", "CS", item.template_id, error=TemplateError)
        encoded.ContentTemplateSequence = [template]


def _text(item: Text, encoded: Dataset) -> None:
    _put(encoded, "TextValue", "UT", _LINE_END.sub("\r\n", item.value))


def _coded(item: Coded, encoded: Dataset) -> None:
    encoded.ConceptCodeSequence = [coded_concept(item.value)]


def _number(item: Number, encoded: Dataset) -> None:
    measured = Dataset()
    measured.NumericValue = DSdecimal(_required("DS", item.value, "NumericValue (0040,A30A)"))
    measured.MeasurementUnitsCodeSequence = [coded_concept(item.unit)]
    encoded.MeasuredValueSequence = [measured]
    if item.qualifier:
        encoded.NumericValueQualifierCodeSequence = [coded_concept(item.qualifier)]


def _person_name(item: PersonName, encoded: Dataset) -> None:
    _put(encoded, "PersonName", "PN", item.value)


def _date_time(item: DateTime, encoded: Dataset) -> None:
    _put(encoded, "DateTime", "DT", item.value)


def _date(item: Date, encoded: Dataset) -> None:
    _put(encoded, "Date", "DA", item.value)


def _time(item: Time, encoded: Dataset) -> None:
    _put(encoded, "Time", "TM", item.value)


def _uid_reference(item: UIDReference, encoded: Dataset) -> None:
    _put(encoded, "UID", "UI", item.value)


def _reference(item: Reference, encoded: Dataset) -> None:
    cited = Dataset()
    put(cited, "ReferencedSOPClassUID", "UI", item.sop_class_uid, error=TemplateError)
    put(cited, "ReferencedSOPInstanceUID", "UI", item.sop_instance_uid, error=TemplateError)
    if item.frames:
        cited.ReferencedFrameNumber = list(item.frames)
    if item.segments:
        cited.ReferencedSegmentNumber = list(item.segments)
    if item.channels:
        cited.ReferencedWaveformChannels = [number for pair in item.channels for number in pair]
    encoded.ReferencedSOPSequence = [cited]


def _spatial(item: SpatialCoordinates, encoded: Dataset) -> None:
    encoded.GraphicType = item.graphic_type.value
    encoded.GraphicData = [float(value) for point in item.points for value in point]
    if item.pixel_origin is not None:
        encoded.PixelOriginInterpretation = item.pixel_origin.value


def _spatial_3d(item: SpatialCoordinates3D, encoded: Dataset) -> None:
    encoded.GraphicType = item.graphic_type.value
    encoded.GraphicData = [float(value) for point in item.points for value in point]
    _put(encoded, "ReferencedFrameOfReferenceUID", "UI", item.frame_of_reference_uid)


def _temporal(item: TemporalCoordinates, encoded: Dataset) -> None:
    encoded.TemporalRangeType = item.range_type.value
    if item.sample_positions:
        encoded.ReferencedSamplePositions = list(item.sample_positions)
    _put_all(encoded, "ReferencedTimeOffsets", "DS", item.time_offsets)
    _put_all(encoded, "ReferencedDateTime", "DT", item.date_times)


_ENCODERS: dict[ValueType, Callable[[Any, Dataset], None]] = {
    ValueType.CONTAINER: _container,
    ValueType.TEXT: _text,
    ValueType.CODE: _coded,
    ValueType.NUM: _number,
    ValueType.PNAME: _person_name,
    ValueType.DATETIME: _date_time,
    ValueType.DATE: _date,
    ValueType.TIME: _time,
    ValueType.UIDREF: _uid_reference,
    ValueType.IMAGE: _reference,
    ValueType.WAVEFORM: _reference,
    ValueType.COMPOSITE: _reference,
    ValueType.SCOORD: _spatial,
    ValueType.SCOORD3D: _spatial_3d,
    ValueType.TCOORD: _temporal,
}


def _put(encoded: Dataset, keyword: str, vr: str, value: str) -> None:
    put_required(encoded, keyword, vr, value, error=TemplateError)


def _put_all(encoded: Dataset, keyword: str, vr: str, values: tuple[str, ...]) -> None:
    if not values:
        return
    tag = tag_for_keyword(keyword) or 0
    what = f"{keyword} ({tag >> 16:04X},{tag & 0xFFFF:04X})"
    texts = [_required(vr, value, what) for value in values]
    encoded.add(DataElement(tag, vr, texts, validation_mode=IGNORE))


def _checked(vr: str, value: str, what: str) -> str:
    return checked(vr, value, what, error=TemplateError)


def _required(vr: str, value: str, what: str) -> str:
    value = _checked(vr, value, what)
    if not value:
        raise TemplateError(f"{what} is empty", where=what)
    return value
