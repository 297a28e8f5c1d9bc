"""What bodies of requests and answers are made of, and the spellings that callers may choose.

Cites: OpenAPI 3.1; RFC 4648; RFC 7468.
"""

from __future__ import annotations

import re
from base64 import b64decode
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from sr.codes import SignaturePurpose

__all__ = ["Base64Value", "Body", "Certificates", "Purpose", "View"]

_SPACE = re.compile(r"\s+")
_STANDARD = str.maketrans("-_", "+/")
_PEM = "-----BEGIN CERTIFICATE-----"
_ARMOUR = _PEM + "\n{}\n-----END CERTIFICATE-----\n"


class Body(BaseModel):
    """What a caller sends: nothing beside what is described."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)


class View(BaseModel):
    """What a caller is shown."""

    model_config = ConfigDict(from_attributes=True, use_attribute_docstrings=True)


def _decoded(text: object) -> object:
    try:
        plain = _SPACE.sub("", text).translate(_STANDARD) if isinstance(text, str) else "?"
        return b64decode(plain, validate=True)
    except ValueError as error:
        raise ValueError("no Base64 (RFC 4648)") from error


Base64Value = Annotated[
    bytes,
    BeforeValidator(_decoded),
    Field(max_length=4096),
    WithJsonSchema({"type": "string", "contentEncoding": "base64"}),
]
"""Bytes in Base64, of either alphabet; lines may be folded, as ``openssl base64`` does."""


def _armoured(given: object) -> object:
    texts = given if isinstance(given, list) else [given]
    try:
        return "".join(map(_one_armoured, texts or [""])).encode()
    except ValueError as error:
        raise ValueError("no certificates: PEM, or a list of PEM or Base64 of DER") from error


def _one_armoured(text: object) -> str:
    if isinstance(text, str) and "-----BEGIN" in text:
        return f"{text}\n"
    if not _decoded(text):
        raise ValueError("nothing")
    return _ARMOUR.format(_SPACE.sub("", str(text)))


Certificates = Annotated[
    bytes,
    BeforeValidator(_armoured),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "minLength": 1},
                {"type": "array", "items": {"type": "string", "minLength": 1}, "minItems": 1},
            ],
            "examples": [f"{_PEM}\nMIIE…\n-----END CERTIFICATE-----\n"],
        }
    ),
]
"""Certificates as PEM: sent so, or as a list of texts, each PEM or the Base64 of DER."""


def _purpose(given: object) -> object:
    try:
        if isinstance(given, str | int) and not isinstance(given, bool):
            return SignaturePurpose.parse(str(given))
    except ValueError:
        pass
    known = ", ".join(f"{each.value} {each.slug}" for each in SignaturePurpose)
    raise ValueError(f"no signature purpose of CID 7007: {known}")


Purpose = Annotated[
    SignaturePurpose,
    BeforeValidator(_purpose),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "maxLength": 32},
                {"type": "integer", "minimum": 1, "maximum": len(SignaturePurpose)},
            ],
            "examples": ["author", "1", "verification"],
        }
    ),
]
"""A purpose by its name or its code."""
