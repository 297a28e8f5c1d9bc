"""MAC streams read back."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sr.codes import SignaturePurpose
from sr.dicomfile import BytesSource, canonicalise, read
from sr.dicomfile.writer import element, text
from sr.errors import DatasetError, EncodingError
from sr.mac import MACAlgorithm
from sr.mac.algorithm import new_digest
from sr.mac.stream_reader import read_stream
from sr.signature import PreparedSignature, SigningRequest, prepare
from sr.signature.prepare import signed_stream
from tests.support.datasets import key_object
from tests.support.pki import NOW, demo_pki
from tests.support.signed import approved_report, plain_report

_NAME = 0x00100010


def prepared(data: bytes, purpose: SignaturePurpose) -> PreparedSignature:
    request = SigningRequest(
        purpose=purpose,
        certificate=demo_pki().author.der,
        signed_at=NOW,
        digital_signature_uid="2.25.1",
    )
    return prepare(read(BytesSource(canonicalise(data))), request)


@pytest.fixture(scope="module")
def ready() -> PreparedSignature:
    """Return a prepared signature of an author."""
    return prepared(plain_report(), SignaturePurpose.AUTHOR)


def test_a_stream_says_what_is_signed(ready: PreparedSignature) -> None:
    """A stream has the digest that is signed, and gives the covered elements and no others."""
    stream = signed_stream(ready)
    digest = new_digest(MACAlgorithm.SHA256)
    digest.update(stream)
    assert digest.digest() == ready.digest
    content = read_stream(stream)
    assert tuple(e.tag for e in content.dataset) == ready.covers
    assert content.dataset.text(_NAME) == ready.file.dataset.text(_NAME)
    assert content.signature_item.text(0x04000100) == "2.25.1"


def _put(at: int, what: bytes) -> Callable[[bytes], bytes]:
    return lambda stream: stream[:at] + what + stream[at:]


_PATIENT = text(_NAME, "PN", "Other^Patient")
_ITEM, _SEQUENCE_END = b"\xfe\xff\x00\xe0", b"\xfe\xff\xdd\xe0"
TAMPERED: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda _: b"",
    "no signature item": lambda s: s[: s.index(b"\x00\x04\x05\x00US")],
    "nothing but the signature item's end": lambda s: s[:-1],
    "a second patient in front": _put(0, _PATIENT),
    "a second patient behind": lambda s: s + _PATIENT,
    "a second signature item": lambda s: s + s[s.index(b"\x00\x04\x05\x00US") :],
    "a certificate that nothing covers": lambda s: s.replace(
        b"\x00\x04\x01\x04SQ", element(0x04000115, "OB", b"ab") + b"\x00\x04\x01\x04SQ"
    ),
    "an item at the top": _put(0, _ITEM),
    "a sequence end at the top": _put(0, _SEQUENCE_END),
    "a sequence end behind": lambda s: s + _SEQUENCE_END,
    "a value without representation": _put(0, b"\x08\x00\x01\x00\x00\x00\x00\x00"),
    "odd length": _put(0, b"\x08\x00\x01\x00SH\x01\x00a"),
    "a length beyond the end": _put(0, b"\x08\x00\x01\x00OB\0\0\xff\xff\xff\x7f"),
    "reserved bytes in use": lambda s: s.replace(b"SQ\0\0", b"SQ\0\1", 1),
    "a sequence without end": lambda s: s.replace(_SEQUENCE_END, b"", 1),
    "fragments": _put(0, b"\x08\x00\x01\x00OB\0\0" + _ITEM + b"ab" + _SEQUENCE_END),
    "an unknown value": _put(0, element(0x00080001, "UN", b"ab")),
    "nested too deep": _put(0, (b"\x08\x00\x06\x00SQ\0\0" + _ITEM) * 100_000),
}


@pytest.mark.parametrize("name", TAMPERED)
def test_what_is_no_stream_is_refused(ready: PreparedSignature, name: str) -> None:
    """Bytes that are no stream of one document, or of more than one, are refused."""
    with pytest.raises(DatasetError):
        read_stream(TAMPERED[name](signed_stream(ready)))


def test_the_rule_of_the_refusal(ready: PreparedSignature) -> None:
    """A stream that ends early breaks the rule of its own."""
    with pytest.raises(EncodingError) as refused:
        read_stream(signed_stream(ready)[:-1])
    assert refused.value.rule == "MAC_STREAM"


@pytest.mark.parametrize(
    ("data", "purpose"),
    [(key_object, SignaturePurpose.SOURCE), (approved_report, SignaturePurpose.VALIDATION)],
)
def test_other_documents(data: Callable[[], bytes], purpose: SignaturePurpose) -> None:
    """Streams of key objects and of approved reports are read as well."""
    stream = signed_stream(prepared(data(), purpose))
    assert read_stream(stream).dataset.text(_NAME)


@settings(max_examples=60, deadline=None)
@given(at=st.integers(min_value=0), to=st.integers(0, 255))
def test_what_is_read_is_what_is_hashed(ready: PreparedSignature, at: int, to: int) -> None:
    """With any byte changed, a stream is refused or read as what is in it, never as what was."""
    stream = bytearray(signed_stream(ready))
    at %= len(stream)
    changed = stream[at] != to
    stream[at] = to
    try:
        content = read_stream(bytes(stream))
    except DatasetError:
        return
    whole = [d.source.read_at(0, d.source.size) for d in content]
    sound = [d.source.read_at(0, d.source.size) for d in read_stream(signed_stream(ready))]
    assert (whole != sound) is changed
