"""The tracked files of the checkout, and what must not be in them."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

__all__ = ["has_private_key", "machine_paths", "tracked_files"]

_PEM = re.compile(rb"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----")
# SEQUENCE, version 0 (or 1), SEQUENCE, OBJECT IDENTIFIER: the head of PKCS#8.
_PKCS8 = re.compile(rb"\A\x30(?:[\x00-\x7f]|\x81.|\x82..)\x02\x01[\x00\x01]\x30.\x06", re.DOTALL)
_MACHINE = re.compile(
    rb"(?<![\w.~/-])/(?:home/\w|root/|Users/\w|work/\w|workspace/|tmp/\w+/)[\w./-]*"
)


def tracked_files(repository: Path) -> Iterator[tuple[str, bytes]]:
    """Yield path and content of every tracked file that is still there."""
    listing = subprocess.run(
        ["git", "ls-files", "-z"], cwd=repository, capture_output=True, text=True, check=True
    )
    for name in filter(None, listing.stdout.split("\0")):
        path = repository / name
        if path.is_file():
            yield name, path.read_bytes()


def has_private_key(data: bytes) -> bool:
    """Tell whether the bytes are, or contain, a private key in PEM or PKCS#8."""
    return bool(_PEM.search(data) or _PKCS8.match(data))


def machine_paths(data: bytes) -> tuple[str, ...]:
    """Return the folders of a particular machine that the text names; none for binary data."""
    if b"\0" in data:
        return ()
    return tuple(match.group().decode("ascii", "replace") for match in _MACHINE.finditer(data))
