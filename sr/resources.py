"""Where the data folders ``profiles/`` and ``templates/`` are, installed or in a checkout."""

from __future__ import annotations

from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from sr.errors import ConfigurationError

__all__ = ["resource_root"]


def resource_root(kind: str) -> Traversable:
    """Return the folder ``profiles`` or ``templates``.

    An installed wheel keeps them in ``sr/_resources``; a checkout keeps them beside
    ``pyproject.toml``.

    Raises:
        ConfigurationError: The folder is in neither place.
    """
    package = files("sr")
    installed = package / "_resources" / kind
    if installed.is_dir():
        return installed
    if isinstance(package, Path):
        checkout = package.parent
        if (checkout / "pyproject.toml").is_file() and (checkout / kind).is_dir():
            return checkout / kind
    raise ConfigurationError(f"the data folder {kind!r} is missing from this installation")
