"""Time-stamp tokens: what they say, and what is not one."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

import pytest

from sr.errors import TrustEvidenceError
from sr.trust.timestamp import read_timestamp
from tests.support.pki import demo_pki
from tests.support.signed import SIGNED_AT
from tests.support.tokens import response, token

VALUE = b"a signature value"
MESSAGE_DIGEST, SIGNING_TIME = (bytes.fromhex(f"2a864886f70d0109{n}") for n in ("04", "05"))


def test_what_a_token_says() -> None:
    """Time and imprint are read, and belong to one value only."""
    read = read_timestamp(token(VALUE))
    assert read.generated_at == SIGNED_AT + timedelta(minutes=1)
    assert read.imprint_hash == "sha256"
    assert read.stamps(VALUE)
    assert not read.stamps(VALUE + b"\0")
    assert not read.stamps(b"")


def test_one_pad_byte_is_allowed() -> None:
    """A value of odd length is padded in a file."""
    assert read_timestamp(token(VALUE) + b"\0").stamps(VALUE)


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"\0",
        b"\x30",
        b"\x30\0",
        b"not DER",
        demo_pki().tsa.der,
        response(token(VALUE)),
        token(VALUE) + b"\0\0",
        token(VALUE) + b"\1",
        token(VALUE)[:-1],
        token(VALUE, content_type="data"),
        token(VALUE).replace(MESSAGE_DIGEST, SIGNING_TIME),
    ],
    ids=[
        "empty", "one byte", "half a header", "empty sequence", "text", "certificate", "response",
        "two pad bytes", "covert byte", "cut short", "signed data", "no message digest",
    ],
)  # fmt: skip
def test_what_is_not_a_token(value: bytes) -> None:
    """Everything but one sound token is refused with one error."""
    with pytest.raises(TrustEvidenceError):
        read_timestamp(value)


@pytest.mark.parametrize("offset", range(0, 1000, 37))
def test_a_flipped_byte_is_refused_or_harmless(offset: int) -> None:
    """Nothing but the one error leaves the parser, whatever the bytes."""
    flipped = bytearray(token(VALUE))
    flipped[offset % len(flipped)] ^= 0x41
    with suppress(TrustEvidenceError):
        read_timestamp(bytes(flipped)).stamps(VALUE)
