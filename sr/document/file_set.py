"""The records of a DICOMDIR: which files of a file-set hold which instances.

Strict where it protects: a file id cannot name anything outside the folder of the DICOMDIR, every
record has to be reachable from the root, and no offset may lead anywhere but to a record. Laxer
than the standard in one thing: components longer than eight characters, in lower case, with dots
or hyphens are taken, because real discs carry them.

Cites: PS3.3 F.3.2, F.5; PS3.10 8.2.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from sr.dicomfile import DataSet, DICOMFile, format_tag
from sr.document.values import is_uid

__all__ = ["MEDIA_STORAGE_DIRECTORY", "FileSet", "FileSetFault", "FileSetRecord", "read_file_set"]

MEDIA_STORAGE_DIRECTORY = "1.2.840.10008.1.3.10"
_ROOT, _NEXT, _LOWER = 0x00041200, 0x00041400, 0x00041420
_RECORDS, _IN_USE, _FILE_ID = 0x00041220, 0x00041410, 0x00041500
_CLASS, _INSTANCE = 0x00041510, 0x00041511
_ITEM_HEADER = 8
_COMPONENT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}")
_MOST_COMPONENTS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSetRecord:
    """A record that names an instance.

    Cites: PS3.3 Table F.3-3.
    """

    file_id: tuple[str, ...]
    """Folders and file name, from the folder of the DICOMDIR; none of them leads upwards."""
    sop_class_uid: str
    sop_instance_uid: str
    where: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSetFault:
    """A record that cannot be relied on, and why."""

    where: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSet:
    """What a DICOMDIR says."""

    records: tuple[FileSetRecord, ...]
    faults: tuple[FileSetFault, ...]


def read_file_set(directory: DICOMFile) -> FileSet:
    """Return the records of a DICOMDIR that name instances, and those that are not sound.

    Records that are not in use are passed over.

    Cites: PS3.3 F.3.2.
    """
    items = directory.dataset.items(_RECORDS)
    reached, dangling = _walk(directory.dataset, items)
    records: list[FileSetRecord] = []
    faults = list(dangling)
    for number, item in enumerate(items):
        if item.numbers(_IN_USE) == (0,) or not item.bytes(_FILE_ID):
            continue
        where = _where(number)
        reason = _refusal(item) if number in reached else "no other record leads to it"
        if reason is not None:
            faults.append(FileSetFault(where=where, reason=reason))
            continue
        records.append(
            FileSetRecord(
                file_id=item.texts(_FILE_ID),
                sop_class_uid=item.text(_CLASS),
                sop_instance_uid=item.text(_INSTANCE),
                where=where,
            )
        )
    return FileSet(records=tuple(records), faults=tuple(faults))


def _walk(
    dataset: DataSet, items: tuple[DataSet, ...]
) -> tuple[frozenset[int], tuple[FileSetFault, ...]]:
    """Return the numbers of the records that can be reached, and the offsets that lead nowhere."""
    number_at = {item.start - _ITEM_HEADER: number for number, item in enumerate(items)}
    reached: set[int] = set()
    faults: list[FileSetFault] = []
    ahead = [(format_tag(_ROOT), offset) for offset in _offset(dataset, _ROOT)]
    while ahead:
        where, offset = ahead.pop()
        number = number_at.get(offset)
        if number is None:
            reason = f"offset {offset} is not that of a record"
            faults.append(FileSetFault(where=where, reason=reason))
        elif number not in reached:
            reached.add(number)
            for tag in (_NEXT, _LOWER):
                at = f"{_where(number)}.{format_tag(tag)}"
                ahead += [(at, following) for following in _offset(items[number], tag)]
    return frozenset(reached), tuple(faults)


def _offset(dataset: DataSet, tag: int) -> Iterator[int]:
    """Yield the byte offset that an element holds, unless it is 0, which is none."""
    value = dataset.bytes(tag) or b""
    offset = int.from_bytes(value, "little" if dataset.encoding.little else "big")
    if offset:
        yield offset


def _refusal(item: DataSet) -> str | None:
    """Return why a record names no file and instance, or ``None``."""
    file_id = item.texts(_FILE_ID)
    if len(file_id) > _MOST_COMPONENTS or not all(map(_COMPONENT.fullmatch, file_id)):
        return f"ReferencedFileID {format_tag(_FILE_ID)} is no file id: {'/'.join(file_id)!r}"
    for tag, name in (
        (_CLASS, "ReferencedSOPClassUIDInFile"),
        (_INSTANCE, "ReferencedSOPInstanceUIDInFile"),
    ):
        if not is_uid(item.text(tag), in_use=True):
            return f"{name} {format_tag(tag)} is not a UID: {item.text(tag)!r}"
    return None


def _where(number: int) -> str:
    return f"{format_tag(_RECORDS)}[{number}]"
