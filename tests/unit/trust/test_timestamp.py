"""Time-stamp tokens: what they say, and what is not one."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from asn1crypto import cms

from sr.errors import TrustEvidenceError
from sr.trust import TrustMaterial, evaluate_timestamp, load_policy
from sr.trust.certificate import read_certificate
from sr.trust.timestamp import read_timestamp
from tests.support.pki import NOW, demo_pki
from tests.support.signed import SIGNED_AT
from tests.support.tokens import STAMPED_AT, response, token

VALUE = b"a signature value"
CRITICAL = {"extn_id": "1.2.3.4", "critical": True, "extn_value": b"\x05\x00"}
LAST = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
SHA256_RSA, MD2_RSA = (bytes.fromhex(f"2a864886f70d0101{n}") for n in ("01", "02"))
MESSAGE_DIGEST, SIGNING_TIME = (bytes.fromhex(f"2a864886f70d0109{n}") for n in ("04", "05"))


def test_what_a_token_says() -> None:
    """Time and imprint are read, and belong to one value only."""
    read = read_timestamp(token(VALUE))
    assert read.generated_at == read.latest == SIGNED_AT + timedelta(minutes=1)
    assert read.imprint_hash == "sha256"
    assert read.stamps(VALUE)
    assert not read.stamps(VALUE + b"\0")
    assert not read.stamps(b"")


def test_accuracy_widens_the_time() -> None:
    """A value existed by the stated time and what the authority may be off."""
    read = read_timestamp(token(VALUE, accuracy={"seconds": 2, "millis": 3, "micros": 4}))
    assert read.accuracy == timedelta(seconds=2, milliseconds=3, microseconds=4)
    assert read.latest == read.generated_at + read.accuracy


def test_fractions_of_a_second_are_read() -> None:
    """An authority may know its time to the microsecond."""
    at = STAMPED_AT + timedelta(microseconds=250000)
    assert read_timestamp(token(VALUE, at=at)).generated_at == at


@pytest.mark.parametrize(
    ("changes", "terms"),
    [
        ({}, {"SHA256"}),
        ({"imprint_hash": "sha1"}, {"SHA1", "SHA256"}),
        ({"digest_hash": "sha512"}, {"SHA256", "SHA512"}),
        ({"signature_algorithm": "rsassa_pss", "digest_hash": "sha384"}, {"SHA256", "SHA384"}),
    ],
)
def test_every_hash_that_a_token_rests_on(changes: dict[str, Any], terms: set[str]) -> None:
    """Hashes of imprint, content and signature are all known to the policy."""
    read = read_timestamp(token(VALUE, **changes))
    assert read.hash_terms == terms
    assert read.is_signed_by(read_certificate(demo_pki().tsa.der))


@pytest.mark.parametrize("other", ["author", "archive", "root"])
def test_only_one_key_and_one_certificate_fit(other: str) -> None:
    """A token fits neither the key nor the certificate of anybody else."""
    read, der = read_timestamp(token(VALUE)), getattr(demo_pki(), other).der
    assert not read.is_signed_by(read_certificate(der))
    assert not read.names(der)


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
        token(VALUE, signed_type="data"),
        token(VALUE, naming=""),
        token(VALUE, info={"version": 2}),
        token(VALUE, info={"extensions": [CRITICAL]}),
        token(VALUE, accuracy={"seconds": -1}),
        token(VALUE, accuracy={"seconds": 2**60}),
        token(VALUE, at=LAST, accuracy={"seconds": 1}),
        token(VALUE, imprint_hash="shake256", imprint=bytes(32)),
        token(VALUE, imprint_hash="sha512_224", imprint=bytes(28)),
        token(VALUE).replace(SHA256_RSA, MD2_RSA),
        token(VALUE, signature_algorithm="sha256_dsa"),
    ],
    ids=[
        "empty", "one byte", "half a header", "empty sequence", "text", "certificate", "response",
        "two pad bytes", "covert byte", "cut short", "signed data", "no message digest",
        "signed as data", "no certificate named", "version 2", "critical extension",
        "negative accuracy", "accuracy beyond time", "end of the calendar", "hash without length",
        "hash unknown", "signature hash unknown", "signature kind unknown",
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


def test_no_changed_byte_gives_another_time() -> None:
    """Whatever byte of a token is changed, it proves its own time or none."""
    pki, sound = demo_pki(), token(VALUE)
    material = TrustMaterial(anchors=(pki.root.der,), intermediates=(pki.issuing.der,))
    policy = load_policy("standard")

    def proven(value: bytes) -> datetime | None:
        try:
            read = read_timestamp(value)
        except TrustEvidenceError:
            return None
        if not read.stamps(VALUE):
            return None
        return evaluate_timestamp(read, judged_at=NOW, material=material, policy=policy).proven_at

    assert proven(sound) == STAMPED_AT
    found = set()
    for position in range(0, len(sound), 7):
        changed = bytearray(sound)
        changed[position] ^= 1 << position % 8
        found.add(proven(bytes(changed)))
    assert None in found
    assert found <= {None, STAMPED_AT}


@pytest.mark.parametrize("size", [256 * 1024 + 1, 10 * 1024 * 1024])
def test_a_token_of_any_size_is_not_read(size: int) -> None:
    """A token larger than any authority makes is refused before it is parsed."""
    content = bytes(size - 5)
    with pytest.raises(TrustEvidenceError):
        read_timestamp(b"\x30\x83" + len(content).to_bytes(3) + content)


def _der(tag: int, *parts: bytes) -> bytes:
    body = b"".join(parts)
    assert len(body) < 128
    return bytes((tag, len(body))) + body


def test_attributes_are_verified_as_received() -> None:
    """An unusual encoding that the authority signed is verified as such, not encoded anew."""
    sha256 = _der(0x30, bytes.fromhex("0609608648016503040201"))  # the default, without NULL
    named = _der(0x30, sha256, _der(0x04, hashlib.sha256(demo_pki().tsa.der).digest()))
    kind = bytes.fromhex("060b2a864886f70d010910022f")
    raw = _der(0x30, kind, _der(0x31, _der(0x30, _der(0x30, named))))
    made = token(VALUE, naming=cms.CMSAttribute.load(raw))
    assert raw in made
    assert read_timestamp(made).is_signed_by(read_certificate(demo_pki().tsa.der))
