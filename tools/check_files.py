"""Check files before they are committed; prints one line a fault and exits 1 when there is any.

Text ends with exactly one newline and has no trailing blanks; TOML, YAML and JSON parse; private
keys stay in ``certs-example/``; no file names a folder of somebody's machine.
"""

from __future__ import annotations

import json
import re
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import yaml

_PEM = re.compile(rb"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----")
# SEQUENCE, version 0 or 1, SEQUENCE, OBJECT IDENTIFIER: the head of a key in PKCS#8.
_PKCS8 = re.compile(rb"\A\x30(?:[\x00-\x7f]|\x81.|\x82..)\x02\x01[\x00\x01]\x30.\x06", re.DOTALL)
_MACHINE = re.compile(
    rb"(?<![\w.~/-])/(?:home/\w|root/|Users/\w|work/\w|workspace/|tmp/\w+/)[\w./-]*"
)
_PARSERS: dict[str, Callable[[str], object]] = {
    ".toml": tomllib.loads,
    ".json": json.loads,
    ".yaml": yaml.safe_load,
    ".yml": yaml.safe_load,
}
_VENDORED = "sr/web/static/vendor/"
_BINARY = frozenset({".dcm", ".der", ".p12", ".png", ".ico", ".woff2"})


def has_private_key(data: bytes) -> bool:
    """Tell whether the bytes are, or contain, a private key in PEM or PKCS#8."""
    return bool(_PEM.search(data) or _PKCS8.match(data))


def machine_paths(data: bytes) -> tuple[str, ...]:
    """Return the folders of a particular machine that the text names; none for binary data."""
    if b"\0" in data:
        return ()
    return tuple(match.group().decode("ascii", "replace") for match in _MACHINE.finditer(data))


def faults(name: str, data: bytes) -> Iterator[str]:
    """Yield what is wrong with a file of that name and content."""
    if has_private_key(data) and not name.startswith("certs-example/"):
        yield "holds a private key"
    for path in machine_paths(data):
        yield f"names {path}"
    suffix = Path(name).suffix
    if b"\0" in data or suffix in _BINARY or name.startswith(_VENDORED):
        return
    if data and (not data.endswith(b"\n") or data.endswith(b"\n\n")):
        yield "does not end with exactly one newline"
    if any(line != line.rstrip(b" \t") for line in data.split(b"\n")):
        yield "has trailing blanks"
    if parse := _PARSERS.get(suffix):
        try:
            parse(data.decode("utf-8"))
        except (ValueError, yaml.YAMLError) as exc:
            yield f"does not parse: {exc}"


def main(names: list[str]) -> int:
    """Check the named files and return the exit code."""
    found = [
        f"{name}: {fault}"
        for name in names
        if Path(name).is_file()
        for fault in faults(name, Path(name).read_bytes())
    ]
    print("\n".join(found), end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
