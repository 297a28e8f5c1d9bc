"""Rows from dataclasses."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

__all__ = ["row_of"]


def row_of(value: DataclassInstance) -> dict[str, Any]:
    """Return the fields of a frozen value by name; what they hold is shared, not copied."""
    return {field.name: getattr(value, field.name) for field in fields(value)}
