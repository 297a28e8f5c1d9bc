"""How a file format of ours is declared: tables, their keys, and what may stand at a key.

A declaration is data. From the same one a file is read (`declared`), a JSON Schema is made
(`report_schema`) and people are told what to write (`report_explanation`).

Cites: nothing of DICOM; this is our own file format.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

__all__ = ["Form", "Key", "Kind"]


class Kind(StrEnum):
    """What may stand at a key; the values are the words of the explanation."""

    TEXT = "text"
    PERSON_NAME = "person name"
    FLAG = "true or false"
    TERM = "one of the terms"
    NUMBER = "number"
    WHOLE_NUMBERS = "array of whole numbers"
    CODE = "code"
    UNIT = "unit"
    LANGUAGE = "language"
    CITATIONS = "instances"
    POINTS = "array of arrays of numbers"
    OF_STUDY = "value or study"
    TABLE = "table"
    TABLES = "array of tables"


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One key of a table."""

    name: str
    kind: Kind = Kind.TEXT
    about: str
    """A sentence for people, without capital and full stop."""
    example: str = ""
    """A value as TOML."""
    required: bool = False
    vr: str = ""
    """Value representation a text has to fit; empty where it never becomes a value."""
    group: int | None = None
    """Context group in which the keyword of a code is looked up first."""
    terms: Mapping[str, StrEnum] = field(default_factory=dict, hash=False)
    default: str = ""
    """What an absent term or language is."""
    filled: bool = False
    """Whether an array of tables needs at least one where it is given."""
    forms: tuple[Form, ...] = ()
    """What a table inside looks like; one of several is told by its first key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """The keys of one kind of table."""

    name: str
    about: str
    keys: tuple[Key, ...]
    together: tuple[tuple[str, str], ...] = ()
    """Pairs of keys, the first of which needs the second."""
    apart: tuple[str, ...] = ()
    """Keys of which at most one is given."""
    one_of: tuple[str, ...] = ()
    """Keys of which exactly one is given."""
    some_of: tuple[str, ...] = ()
    """Keys of which at least one is given."""
    schema_name: str = ""
    """What the JSON Schema calls it, where another table has the same name."""

    def key(self, name: str) -> Key:
        """Return the declaration of a key.

        Raises:
            KeyError: It has no such key, which is a fault in our own modules.
        """
        return next(key for key in self.keys if key.name == name)
