"""Certified time-stamps: sound, about something else, or none at all."""

from __future__ import annotations

import hashlib

from cryptography.hazmat.primitives.asymmetric import ec

from tests.support.forge import (
    Node,
    apart,
    at,
    edited,
    forge_signature,
    insert,
    leaf,
    signature_item,
)
from tests.support.pki import demo_pki, issue
from tests.support.signed import author_report, plain_report
from tests.support.tokens import response, token

__all__ = [
    "about_another_value",
    "about_padded_value",
    "content_changed",
    "followed_by_bytes",
    "garbage",
    "of_elliptic_curve_signature",
    "response_instead_of_token",
    "signed_document_instead_of_token",
    "sound",
    "token_without_type",
    "type_unknown",
    "type_without_token",
]


def _stamped(make: object, kind: str | None = "CMS_TSP", data: bytes = b"") -> bytes:
    def edit(nodes: list[Node]) -> None:
        item = signature_item(nodes)
        made = make(at(item, 0x04000120).value)
        if kind is not None:
            insert(item, leaf(0x04000305, "CS", kind))
        if made is not None:
            insert(item, leaf(0x04000310, "OB", made + b"\0" * (len(made) % 2)))

    return edited(data or author_report(), edit)


def sound() -> bytes:
    return _stamped(token)


def _elliptic() -> bytes:
    """Return a report signed with an EC key, the value of odd length and so padded."""
    signer = issue(demo_pki().issuing, "Anna Meier", key_kind="p256", slot="author")
    while True:
        data = edited(plain_report(), lambda n: forge_signature(n, signer))
        value = at(signature_item(apart(data).nodes), 0x04000120).value
        if value[1] + 2 < len(value):
            assert isinstance(signer.key, ec.EllipticCurvePrivateKey)
            return data


def of_elliptic_curve_signature() -> bytes:
    return _stamped(lambda value: token(value[:-1]), data=_elliptic())


def about_padded_value() -> bytes:
    return _stamped(token, data=_elliptic())


def about_another_value() -> bytes:
    return _stamped(lambda _value: token(b"another signature"))


def content_changed() -> bytes:
    """The imprint fits, but the authority signed another one."""
    other = token(b"another signature")

    def make(value: bytes) -> bytes:
        return other.replace(
            hashlib.sha256(b"another signature").digest(), hashlib.sha256(value).digest()
        )

    return _stamped(make)


def garbage() -> bytes:
    return _stamped(lambda _value: b"\x30\x03\x02\x01\x05\x00")


def followed_by_bytes() -> bytes:
    return _stamped(lambda value: token(value) + b"covert")


def response_instead_of_token() -> bytes:
    return _stamped(lambda value: response(token(value)))


def signed_document_instead_of_token() -> bytes:
    return _stamped(lambda value: token(value, content_type="data"))


def type_unknown() -> bytes:
    return _stamped(token, "CMS_TS")


def type_without_token() -> bytes:
    return _stamped(lambda _value: None)


def token_without_type() -> bytes:
    return _stamped(token, None)
