"""What cannot be written is refused before a byte of it is."""

from __future__ import annotations

import pytest
from pydicom.config import IGNORE
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset

from sr.document.content import Container
from sr.document.content_encoding import encode_title
from sr.document.header import ReferencedRequest, request_item
from sr.document.part10 import write_part10
from sr.errors import DocumentError, TemplateError


def _dataset() -> Dataset:
    dataset = Dataset()
    dataset.SOPClassUID = "1.2.840.10008.5.1.4.1.1.88.11"
    dataset.SOPInstanceUID = "2.25.1"
    return dataset


def test_a_document_without_title_is_refused() -> None:
    """The concept name of the root is the title, and every document has one."""
    with pytest.raises(TemplateError):
        encode_title(Container())


@pytest.mark.parametrize("uid", ["", "x", "1..2", "1." * 32 + "10"])
def test_a_request_names_a_study(uid: str) -> None:
    """Study Instance UID is type 1 in the item and has the form of a UID."""
    with pytest.raises(DocumentError):
        request_item(ReferencedRequest(study_instance_uid=uid))


@pytest.mark.parametrize("nested", [False, True])
def test_private_elements_are_not_written(nested: bool) -> None:
    """No document of ours has one, at any level."""
    dataset, inner = _dataset(), Dataset()
    dataset.ReferencedStudySequence = [inner]
    write_part10(dataset)
    block = (inner if nested else dataset).private_block(0x0011, "SOMEBODY", create=True)
    block.add_new(0x01, "LO", "x")
    with pytest.raises(DocumentError):
        write_part10(dataset)


def test_a_value_that_has_no_bytes_is_refused() -> None:
    """What the encoder cannot write is an error of ours, not of a library."""
    dataset = _dataset()
    dataset.SeriesNumber = None
    write_part10(dataset)
    dataset.add(DataElement(0x00280010, "US", ["x"], validation_mode=IGNORE))
    with pytest.raises(DocumentError):
        write_part10(dataset)
