"""Names of people and authorities: how they read, and when two are the same.

Cites: RFC 4514; RFC 5280 7.1; RFC 4518 2.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

from cryptography import x509

__all__ = ["name_text", "plain_text", "same_name"]

_ATTRIBUTE_NAMES = {
    x509.NameOID.SERIAL_NUMBER: "serialNumber",
    x509.NameOID.EMAIL_ADDRESS: "emailAddress",
    x509.NameOID.GIVEN_NAME: "givenName",
    x509.NameOID.SURNAME: "sn",
    x509.NameOID.TITLE: "title",
}
"""Attributes people know by name, which RFC 4514 would print as object identifiers."""


def name_text(name: x509.Name) -> str:
    """Return RFC 4514 text in which nothing can steer a terminal or turn the writing around."""
    text = name.rfc4514_string(_ATTRIBUTE_NAMES)
    return "".join(c if c.isprintable() else _escaped(c) for c in text)


def _escaped(character: str) -> str:
    return "".join(f"\\{byte:02X}" for byte in character.encode("utf-8", "replace"))


@lru_cache(maxsize=4096)
def plain_text(text: str) -> str:
    """Return text with letter case, accents and runs of spaces taken out, for comparison."""
    decomposed = unicodedata.normalize("NFKD", text).casefold()
    without_accents = (c for c in decomposed if not unicodedata.combining(c))
    return " ".join("".join(without_accents).split())


def same_name(one: x509.Name, other: x509.Name) -> bool:
    """Return whether two names are the same: letter case, spaces and string type do not count.

    Cites: RFC 5280 7.1.
    """
    return one == other or _prepared(one) == _prepared(other)


_Prepared = tuple[frozenset[tuple[str, str | bytes]], ...]


@lru_cache(maxsize=512)
def _prepared(name: x509.Name) -> _Prepared:
    return tuple(
        frozenset((each.oid.dotted_string, _plain(each.value)) for each in part)
        for part in name.rdns
    )


def _plain(value: str | bytes) -> str | bytes:
    if isinstance(value, bytes):
        return value
    folded = unicodedata.normalize("NFKC", value).casefold()
    return " ".join(unicodedata.normalize("NFKC", folded).split())
