"""A content tree becomes the data set of its root content item, written by highdicom.

Two corrections are made. highdicom gives every reference a concept name, TID 2010 forbids one: a
reference without concept goes out without. highdicom writes a number as it formats a float: the
digits go out as they were entered. Every text is checked before the library sees it, and its lines
end in CR LF.

Cites: PS3.3 C.17.3; PS3.5 6.1.3; PS3.16 TID 2010.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from highdicom.sr import (
    CodeContentItem,
    CodedConcept,
    CompositeContentItem,
    ContainerContentItem,
    ContentSequence,
    DateTimeContentItem,
    ImageContentItem,
    NumContentItem,
    PnameContentItem,
    TextContentItem,
    UIDRefContentItem,
    WaveformContentItem,
)
from highdicom.sr.value_types import ContentItem as EncodedItem
from pydicom.dataset import Dataset
from pydicom.valuerep import DSdecimal

from sr.codes import Code
from sr.document.content import (
    Coded,
    Container,
    ContentItem,
    DateTime,
    Number,
    PersonName,
    Reference,
    Text,
    UIDReference,
    ValueType,
)
from sr.document.elements import put, put_required
from sr.document.values import checked
from sr.errors import TemplateError

__all__ = ["coded_concept", "encode_title", "write_content"]

_LINE_END = re.compile(r"\r\n|\r|\n")

_UNNAMED = Code("260753009", "SCT", "Source")
"""What highdicom calls a reference without a name."""


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
    encoded = _container(root, _common(root))
    encoded.ContentSequence = ContentSequence()
    return encoded


def write_content(dataset: Dataset, root: Container) -> None:
    """Write everything below the root into a document framed with its title.

    Raises:
        TemplateError: A value cannot be written.
    """
    dataset.ContentSequence = [_encode(child) for child in root.children]
    _remove_invented_names(root, dataset)


def _encode(item: ContentItem) -> EncodedItem:
    encoded = _ENCODERS[item.value_type](item, _common(item))
    if item.children:
        encoded.ContentSequence = ContentSequence([_encode(child) for child in item.children])
    return encoded


def _remove_invented_names(item: ContentItem, dataset: Dataset) -> None:
    """Take the names away that references without concept were given while the tree was built."""
    if item.concept is None:
        del dataset.ConceptNameCodeSequence
    for child, encoded in zip(item.children, dataset.get("ContentSequence", []), strict=True):
        _remove_invented_names(child, encoded)


def _common(item: ContentItem) -> dict[str, Any]:
    if item.concept is None and not isinstance(item, Reference):
        raise TemplateError(
            f"a content item of type {item.value_type} needs ConceptNameCodeSequence (0040,A043)"
        )
    relationship = item.relationship.value if item.relationship else None
    return {
        "name": coded_concept(item.concept or _UNNAMED),
        "relationship_type": relationship,
    }


def _container(item: Container, common: dict[str, Any]) -> EncodedItem:
    return ContainerContentItem(
        **common, is_content_continuous=item.continuous, template_id=item.template_id or None
    )


def _text(item: Text, common: dict[str, Any]) -> EncodedItem:
    value = _LINE_END.sub("\r\n", item.value)
    return TextContentItem(**common, value=_required("UT", value, "TextValue (0040,A160)"))


def _coded(item: Coded, common: dict[str, Any]) -> EncodedItem:
    return CodeContentItem(**common, value=coded_concept(item.value))


def _number(item: Number, common: dict[str, Any]) -> EncodedItem:
    value = _required("DS", item.value, "NumericValue (0040,A30A)")
    qualifier = coded_concept(item.qualifier) if item.qualifier else None
    encoded = NumContentItem(**common, value=0, unit=coded_concept(item.unit), qualifier=qualifier)
    encoded.MeasuredValueSequence[0].NumericValue = DSdecimal(value)
    return encoded


def _person_name(item: PersonName, common: dict[str, Any]) -> EncodedItem:
    encoded = PnameContentItem(**common, value="^")
    put_required(encoded, "PersonName", "PN", item.value, error=TemplateError)
    return encoded


def _date_time(item: DateTime, common: dict[str, Any]) -> EncodedItem:
    return DateTimeContentItem(**common, value=_required("DT", item.value, "DateTime (0040,A120)"))


def _uid_reference(item: UIDReference, common: dict[str, Any]) -> EncodedItem:
    encoded = UIDRefContentItem(**common, value="")
    put_required(encoded, "UID", "UI", item.value, error=TemplateError)
    return encoded


def _reference(item: Reference, common: dict[str, Any]) -> EncodedItem:
    common |= {"referenced_sop_class_uid": "", "referenced_sop_instance_uid": ""}
    encoded = _reference_item(item, common)
    (cited,) = encoded.ReferencedSOPSequence
    put(cited, "ReferencedSOPClassUID", "UI", item.sop_class_uid, error=TemplateError)
    put(cited, "ReferencedSOPInstanceUID", "UI", item.sop_instance_uid, error=TemplateError)
    return encoded


def _reference_item(item: Reference, common: dict[str, Any]) -> EncodedItem:
    if item.value_type is ValueType.IMAGE:
        return ImageContentItem(**common, referenced_frame_numbers=list(item.frames) or None)
    if item.value_type is ValueType.WAVEFORM:
        return WaveformContentItem(**common)
    return CompositeContentItem(**common)


_ENCODERS: dict[ValueType, Callable[[Any, dict[str, Any]], EncodedItem]] = {
    ValueType.CONTAINER: _container,
    ValueType.TEXT: _text,
    ValueType.CODE: _coded,
    ValueType.NUM: _number,
    ValueType.PNAME: _person_name,
    ValueType.DATETIME: _date_time,
    ValueType.UIDREF: _uid_reference,
    ValueType.IMAGE: _reference,
    ValueType.WAVEFORM: _reference,
    ValueType.COMPOSITE: _reference,
}


def _checked(vr: str, value: str, what: str) -> str:
    return checked(vr, value, what, error=TemplateError)


def _required(vr: str, value: str, what: str) -> str:
    value = _checked(vr, value, what)
    if not value:
        raise TemplateError(f"{what} is empty", where=what)
    return value
