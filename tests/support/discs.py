"""File-sets as on a disc: a DICOMDIR over the images of one series."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from pydicom.dataset import Dataset, FileDataset, FileMetaDataset

from sr.app.files import open_dicom
from tests.support.datasets import opened

__all__ = ["RECORDS", "respelt", "set_offset", "write_disc"]

RECORDS = 0x00041220
_DIRECTORY = "1.2.840.10008.1.3.10"
_EXPLICIT_LITTLE = "1.2.840.10008.1.2.1"
_NEXT, _LOWER, _ROOT = 0x00041400, 0x00041420, 0x00041200


def write_disc(folder: Path, files: Iterable[bytes]) -> Path:
    """Write a file-set with these instances of one series; return its DICOMDIR."""
    series = folder / "PT000000" / "ST000000" / "SE000000"
    series.mkdir(parents=True)
    records = [_record(kind) for kind in ("PATIENT", "STUDY", "SERIES")]
    for number, data in enumerate(files):
        image = _record("IMAGE")
        file, path = opened(data), series / f"IM{number:06}"
        path.write_bytes(data)
        image.ReferencedFileID = list(path.relative_to(folder).parts)
        image.ReferencedSOPClassUIDInFile = file.sop_class_uid
        image.ReferencedSOPInstanceUIDInFile = file.sop_instance_uid
        records.append(image)
    path = folder / "DICOMDIR"
    _write(path, records)
    starts = [item.start - 8 for item in open_dicom(path).dataset.items(RECORDS)]
    set_offset(path, None, _ROOT, starts[0])
    for number in range(len(records) - 1):
        set_offset(path, number, _LOWER if number < 3 else _NEXT, starts[number + 1])
    return path


def _record(kind: str) -> Dataset:
    record = Dataset()
    record.OffsetOfTheNextDirectoryRecord = 0
    record.RecordInUseFlag = 0xFFFF
    record.OffsetOfReferencedLowerLevelDirectoryEntity = 0
    record.DirectoryRecordType = kind
    return record


def _write(path: Path, records: list[Dataset]) -> None:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = _DIRECTORY
    meta.MediaStorageSOPInstanceUID = "2.25.4713.1"
    meta.TransferSyntaxUID = _EXPLICIT_LITTLE
    meta.ImplementationClassUID = "2.25.4713.2"
    directory = FileDataset(path, {}, file_meta=meta, preamble=b"\0" * 128)
    directory.FileSetID = "DISC"
    directory.OffsetOfTheFirstDirectoryRecordOfTheRootDirectoryEntity = 0
    directory.OffsetOfTheLastDirectoryRecordOfTheRootDirectoryEntity = 0
    directory.FileSetConsistencyFlag = 0
    directory.DirectoryRecordSequence = records
    directory.save_as(path, enforce_file_format=True)


def set_offset(directory: Path, number: int | None, tag: int, to: int) -> None:
    """Overwrite a number in the nth record of a DICOMDIR, or beside its records, in place."""
    dataset = open_dicom(directory).dataset
    found = (dataset if number is None else dataset.items(RECORDS)[number]).get(tag)
    assert found is not None
    data = bytearray(directory.read_bytes())
    data[found.value : found.end] = to.to_bytes(found.end - found.value, "little")
    directory.write_bytes(data)


def respelt(directory: Path, old: bytes, new: bytes) -> None:
    """Replace bytes of a DICOMDIR by as many others."""
    data = directory.read_bytes()
    assert len(old) == len(new)
    assert old in data
    directory.write_bytes(data.replace(old, new))
