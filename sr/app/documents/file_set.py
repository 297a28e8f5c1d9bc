"""The files of a file-set on disk: where the records of a DICOMDIR lead.

A record leads to a file in the folder of the DICOMDIR or below it, symbolic links followed. Media
are mounted with names in another case, so a name that is not there may be found in one.

Cites: PS3.10 8; PS3.3 F.3.2.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from sr.dicomfile import DICOMFile
from sr.document.file_set import FileSetFault, FileSetRecord, read_file_set

__all__ = ["ListedFile", "list_file_set"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedFile:
    """A file that a record names and that is there."""

    path: Path
    record: FileSetRecord


def list_file_set(
    path: Path, directory: DICOMFile
) -> tuple[tuple[ListedFile, ...], tuple[FileSetFault, ...]]:
    """Return the files that a DICOMDIR lists, and what is wrong with its records.

    Args:
        path: Where the DICOMDIR is.
        directory: Its content.

    Cites: PS3.3 F.3.2.
    """
    found = read_file_set(directory)
    files: list[ListedFile] = []
    faults = list(found.faults)
    names: dict[Path, dict[str, list[str]]] = {}
    root = path.parent
    for record in found.records:
        file = _locate(root, record.file_id, names)
        if file is None:
            reason = f"{'/'.join(record.file_id)} is not there"
        elif root.resolve() not in file.resolve().parents:
            reason = f"{'/'.join(record.file_id)} leads out of the folder"
        else:
            files.append(ListedFile(path=file, record=record))
            continue
        faults.append(FileSetFault(where=record.where, reason=reason))
    return tuple(files), tuple(faults)


def _locate(
    root: Path, file_id: tuple[str, ...], names: dict[Path, dict[str, list[str]]]
) -> Path | None:
    """Return the file that a file id names, in another case if it has to be.

    Args:
        root: Folder of the DICOMDIR.
        file_id: Folders and name.
        names: What is known of each folder; added to.
    """
    exact = root.joinpath(*file_id)
    if exact.is_file():
        return exact
    place = root
    for component in file_id:
        if place not in names:
            names[place] = _names_in(place)
        alike = names[place].get(component.lower(), [])
        if len(alike) != 1:
            return None
        place /= alike[0]
    return place if place.is_file() else None


def _names_in(folder: Path) -> dict[str, list[str]]:
    """Return what is in a folder by name in lower case; nothing where it cannot be read."""
    known: dict[str, list[str]] = {}
    with suppress(OSError):
        for entry in folder.iterdir():
            known.setdefault(entry.name.lower(), []).append(entry.name)
    return known
