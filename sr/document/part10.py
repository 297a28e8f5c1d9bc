"""The bytes of a document this package has authored: a Part 10 file, explicit VR little endian.

Zero preamble, no group lengths but that of the file meta information, no private elements. This
writes a document once, before its first signature; nothing signed ever passes through here.

Cites: PS3.10 7.1.
"""

from __future__ import annotations

from io import BytesIO

from pydicom import dcmwrite
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID

from sr.errors import DocumentError

__all__ = ["IMPLEMENTATION_CLASS_UID", "IMPLEMENTATION_VERSION_NAME", "write_part10"]

IMPLEMENTATION_CLASS_UID = "2.25.334642083206796669626133524077772441165"
"""Made from a version 5 UUID (URL name space, ``srsign implementation class``), so that no
registered root is needed.

Cites: PS3.5 B.2; PS3.7 D.3.3.2.
"""

IMPLEMENTATION_VERSION_NAME = "SRSIGN_0_1"

_EXPLICIT_VR_LITTLE_ENDIAN = "1.2.840.10008.1.2.1"


def write_part10(dataset: Dataset) -> bytes:
    """Return a data set as a DICOM file.

    Raises:
        DocumentError: The data set has private elements, or a value that cannot be written.

    Cites: PS3.10 7.1.
    """
    private = next((e for e in dataset.iterall() if e.tag.is_private), None)
    if private is not None:
        raise DocumentError(f"a document of ours has a private element {private.tag}")
    meta = FileMetaDataset()
    meta.FileMetaInformationVersion = b"\x00\x01"
    meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    meta.TransferSyntaxUID = UID(_EXPLICIT_VR_LITTLE_ENDIAN)
    meta.ImplementationClassUID = UID(IMPLEMENTATION_CLASS_UID)
    meta.ImplementationVersionName = IMPLEMENTATION_VERSION_NAME
    dataset.file_meta = meta
    dataset.preamble = b"\0" * 128
    buffer = BytesIO()
    try:
        dcmwrite(buffer, dataset, enforce_file_format=True, implicit_vr=False, little_endian=True)
    except (ValueError, TypeError, AttributeError, KeyError, OverflowError, OSError) as exc:
        raise DocumentError(f"the document cannot be encoded: {exc}") from exc
    return buffer.getvalue()
