"""A memory of the MACs of unchanged files, for sites that ask for one.

A file counts as unchanged while path, size, time of modification and inode are the same. Whoever
can set all four can deceive the memory, so it is off unless a setting names its file, serves only
authoring, and is never read by a check.

Cites: PS3.3 Table C.17-3a.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from struct import iter_unpack, pack

from sr.dicomfile import DICOMFile
from sr.errors import ConfigurationError
from sr.mac import MACAlgorithm, ReferencedSOPInstanceMAC, compute_mac

__all__ = ["remembered_mac"]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS mac (
    path TEXT NOT NULL, size INTEGER NOT NULL, modified_ns INTEGER NOT NULL,
    inode INTEGER NOT NULL, transfer_syntax TEXT NOT NULL, tags BLOB NOT NULL, mac BLOB NOT NULL,
    PRIMARY KEY (path)
)
"""
_ALGORITHM = MACAlgorithm.SHA256
_BUSY_SECONDS = 30


def remembered_mac(memory: Path, path: Path, file: DICOMFile) -> ReferencedSOPInstanceMAC:
    """Return the MAC of a file, from memory where it has not changed since.

    Args:
        memory: File of the memory, made if absent.
        path: Where ``file`` was read from.
        file: The instance.

    Raises:
        ConfigurationError: The memory cannot be used.
        EncodingError: Nothing in the instance can be covered by a MAC.

    Cites: PS3.3 Table C.17-3a.
    """
    found = path.stat()
    identity = (str(path.resolve()), found.st_size, found.st_mtime_ns, found.st_ino)
    with _opened(memory) as database:
        row = database.execute(
            "SELECT transfer_syntax, tags, mac FROM mac"
            " WHERE path = ? AND size = ? AND modified_ns = ? AND inode = ?",
            identity,
        ).fetchone()
        if row is not None:
            return ReferencedSOPInstanceMAC(
                transfer_syntax_uid=row[0],
                algorithm=_ALGORITHM,
                data_elements_signed=tuple(tag for (tag,) in iter_unpack(">I", row[1])),
                mac=row[2],
            )
        computed = compute_mac(file, algorithm=_ALGORITHM)
        tags = pack(f">{len(computed.data_elements_signed)}I", *computed.data_elements_signed)
        database.execute(
            "INSERT OR REPLACE INTO mac VALUES (?, ?, ?, ?, ?, ?, ?)",
            (*identity, computed.transfer_syntax_uid, tags, computed.mac),
        )
    return computed


@contextmanager
def _opened(memory: Path) -> Iterator[sqlite3.Connection]:
    try:
        database = sqlite3.connect(memory, timeout=_BUSY_SECONDS)
        try:
            with database:
                database.execute(_SCHEMA)
                yield database
        finally:
            database.close()
    except sqlite3.Error as error:
        raise ConfigurationError(f"the memory of MACs {memory} cannot be used: {error}") from error
