"""Names of documents that come in several copies: ``KOS.dcm``, ``KOS-2.dcm`` and so on.

Only the first name was asked for. The others are taken where they are free, or where an earlier run
wrote the copies of the document that is about to be replaced.

Cites: PS3.3 C.17.2.2.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from sr.app.files import open_dicom
from sr.errors import ConfigurationError, SRError
from sr.signature.references import IDENTICAL, document_references

__all__ = ["names_for", "written_before"]


def names_for(output: Path, count: int, *, earlier: tuple[Path, ...]) -> tuple[Path, ...]:
    """Return the names under which a document and its copies are written.

    Args:
        output: The name that was asked for.
        count: How many documents there are.
        earlier: What an earlier run left there, from `written_before`.

    Raises:
        ConfigurationError: One of the other names is that of something else.
    """
    others = tuple(_numbered(output, count))
    for path in others:
        if path.exists() and path not in earlier:
            raise ConfigurationError(
                f"{path} exists and is no copy of {output.name}; it would be overwritten",
                hint=f"{count} studies give {count} documents; name another output",
            )
    return (output, *others)


def written_before(output: Path) -> tuple[Path, ...]:
    """Return what an earlier run wrote under the name of an output, its copies included.

    Raises:
        ConfigurationError: The file cannot be opened.

    Cites: PS3.3 C.17.2.2.
    """
    if not output.is_file():
        return ()
    try:
        references = document_references(open_dicom(output).dataset)
    except SRError:
        return (output,)
    listed = {r.sop_instance_uid for r in references if r.sequence == IDENTICAL}
    names = _numbered(output, len(listed) + 1)
    return (output, *(path for path in names if path.is_file() and _uid_of(path) in listed))


def _numbered(output: Path, count: int) -> Iterator[Path]:
    for number in range(2, count + 1):
        yield output.with_name(f"{output.stem}-{number}{output.suffix}")


def _uid_of(path: Path) -> str:
    try:
        return open_dicom(path).sop_instance_uid
    except SRError:
        return ""
