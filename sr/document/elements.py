"""Setting checked values in a pydicom data set.

Every value is checked by us first, so pydicom's own validation, which only warns, is switched off
element by element: a UID of a careless device has to be cited as it is, without noise.

Cites: PS3.5 6.2.
"""

from __future__ import annotations

from pydicom.config import IGNORE
from pydicom.datadict import tag_for_keyword
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset

from sr.document.values import checked
from sr.errors import DocumentError

__all__ = ["put", "put_required"]


def put(
    dataset: Dataset,
    keyword: str,
    vr: str,
    value: str,
    *,
    error: type[DocumentError] = DocumentError,
) -> None:
    """Set an attribute, empty where the value is.

    Raises:
        DocumentError: Or the class given: the value does not fit its representation.
    """
    tag = tag_for_keyword(keyword) or 0
    what = f"{keyword} ({tag >> 16:04X},{tag & 0xFFFF:04X})"
    text = checked(vr, value, what, error=error)
    dataset.add(DataElement(tag, vr, text, validation_mode=IGNORE))


def put_required(
    dataset: Dataset,
    keyword: str,
    vr: str,
    value: str,
    *,
    error: type[DocumentError] = DocumentError,
) -> None:
    """Set an attribute that must not be empty.

    Raises:
        DocumentError: Or the class given: the value is empty or does not fit.
    """
    put(dataset, keyword, vr, value, error=error)
    element = dataset[keyword]
    if not str(element.value):
        what = f"{keyword} ({element.tag >> 16:04X},{element.tag & 0xFFFF:04X})"
        raise error(f"{what} is empty", where=what)
