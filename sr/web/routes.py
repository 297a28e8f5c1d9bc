"""Which route answers a request, said without what the caller put into the address."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["method_of", "route_of"]

_UNKNOWN = "none"
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"})


def method_of(scope: Mapping[str, Any]) -> str:
    """Return the method; one that callers made up is no name for anything."""
    method = str(scope["method"])
    return method if method in _METHODS else "other"


def route_of(scope: Mapping[str, Any]) -> str:
    """Return the address with names in place of identifiers."""
    if "route" not in scope:
        return _UNKNOWN
    names = {str(value): f"{{{name}}}" for name, value in scope.get("path_params", {}).items()}
    return "/".join(names.get(part, part) for part in str(scope["path"]).split("/"))
