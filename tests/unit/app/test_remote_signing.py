"""Signing what a service elsewhere has prepared, and services that lie about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from sr.app.signatures.offer import Offer, ShownDocument, examine_offer
from sr.app.signatures.remote_signing import Ended, Refusal, sign_offers
from sr.app.signatures.signing_span import SigningSpan
from sr.codes import SignaturePurpose
from sr.errors import (
    ConflictError,
    DatasetError,
    ExpiredError,
    MismatchError,
    PINError,
    SignerRefusedError,
    SignerUnavailableError,
    TimestampError,
)
from sr.mac import MACAlgorithm
from sr.mac.segment import blocks
from sr.mac.stream import mac_segments
from sr.mac.stream_reader import read_stream
from sr.signature import PreparedSignature
from sr.signature.prepare import require_value, signed_stream
from sr.signature.signing_policy import load_signing_policy
from tests.support.datasets import ct_evidence, key_object
from tests.support.offers import FakeService, KeyHere, offer_for, prepared, signatory
from tests.support.pki import NOW, demo_pki
from tests.support.signed import approved_report, plain_report

_AUTHOR = SignaturePurpose.AUTHOR


def key() -> KeyHere:
    return KeyHere(entity=demo_pki().author)


def run(service: FakeService, offer: Offer, who: KeyHere, **changes: object) -> Ended:
    (ended,) = sign_offers((offer,), service, signatory(who, **changes))  # type: ignore[arg-type]
    return ended


def examined(offer: Offer, streams: dict[int, bytes], **changes: object) -> ShownDocument:
    given = {"certificate": demo_pki().author.der, "now": NOW, "clock_skew": timedelta(minutes=5)}
    return examine_offer(offer, streams, **given | changes)[0]  # type: ignore[arg-type]


def test_what_was_confirmed_is_signed() -> None:
    """A confirmed document is signed with one opening of the key, and the value fits."""
    service, offer = FakeService.of()
    who, shown = key(), []
    ended = run(service, offer, who, confirm=lambda _, document: shown.append(document) or True)
    assert ended.error is None
    assert who.opened == 1
    require_value(prepared(plain_report()), service.values[1])
    (document,) = shown
    dataset = prepared(plain_report()).file.dataset
    assert document.patient_id == dataset.text(0x00100020)
    assert document.signed_at == NOW
    assert document.evidence == len(ct_evidence())
    assert "    Finding: Rundherd im linken Oberlappen, Größe 20 mm." in document.lines


@pytest.mark.parametrize(
    ("data", "purpose", "signer"),
    [
        (key_object, SignaturePurpose.SOURCE, "author"),
        (approved_report, SignaturePurpose.VALIDATION, "supervisor"),
    ],
)
def test_other_documents_are_shown(
    data: Callable[[], bytes], purpose: SignaturePurpose, signer: str
) -> None:
    """Key objects and approved reports can be signed as well."""
    entity = getattr(demo_pki(), signer)
    ready = prepared(data(), purpose, signer=entity)
    streams = {1: signed_stream(ready)}
    shown = examined(
        offer_for(streams, {1: ready}, purpose=purpose), streams, certificate=entity.der
    )
    assert shown.covers == ready.covers


# What a service gets wrong about a document whose stream is sound.

_NAME = "Other^Patient"
SAYS: dict[str, tuple[str, Callable[[Offer], Offer]]] = {
    "another patient name": ("OFFER_DISPLAY", lambda o: _display(o, patient_name=_NAME)),
    "another patient id": ("OFFER_DISPLAY", lambda o: _display(o, patient_id="4711")),
    "another title": ("OFFER_DISPLAY", lambda o: _display(o, title="Nothing of note")),
    "another purpose to show": ("OFFER_DISPLAY", lambda o: _display(o, purpose="Witness")),
    "another match code": ("OFFER_MATCH_CODE", lambda o: replace(o, match_code="AAAA-AAAA")),
    "another session": ("OFFER_MATCH_CODE", lambda o: replace(o, id="6" * 32)),
    "another digest": ("OFFER_DIGEST", lambda o: _document(o, digest=bytes(32))),
    "another algorithm": ("OFFER_DIGEST", lambda o: replace(o, mac_algorithm=MACAlgorithm.SHA384)),
    "another signature": (
        "OFFER_SIGNATURE", lambda o: _document(o, digital_signature_uid="2.25.99")
    ),
    "fewer elements than it hashes": (
        "OFFER_COVERS", lambda o: _document(o, covers=o.documents[0].covers[1:])
    ),
    "more elements than it hashes": (
        "OFFER_COVERS", lambda o: _document(o, covers=(*o.documents[0].covers, 0x00880200))
    ),
    "another purpose": (
        "OFFER_PURPOSE", lambda o: replace(o, purpose=SignaturePurpose.TRANSCRIPTIONIST)
    ),
    "another certificate": (
        "OFFER_CERTIFICATE", lambda o: replace(o, certificate_sha256="0" * 64)
    ),
    "no document": ("OFFER_DOCUMENTS", lambda o: replace(o, documents=())),
    "one document twice": (
        "OFFER_DOCUMENTS", lambda o: replace(o, documents=o.documents * 2)
    ),
}  # fmt: skip


def _document(offer: Offer, **changes: object) -> Offer:
    return replace(offer, documents=(replace(offer.documents[0], **changes),))  # type: ignore[arg-type]


def _display(offer: Offer, **changes: str) -> Offer:
    return _document(offer, display=replace(offer.documents[0].display, **changes))


@pytest.mark.parametrize("name", SAYS)
def test_a_service_that_says_something_else(name: str) -> None:
    """What a service says must be what it asks to sign; else nobody is asked, nothing is signed."""
    rule, lie = SAYS[name]
    service, offer = FakeService.of()
    who, asked = key(), []
    ended = run(service, lie(offer), who, confirm=lambda *about: asked.append(about) or True)
    assert isinstance(ended.error, MismatchError)
    assert ended.error.rule == rule
    assert (asked, who.opened, service.values) == ([], 0, {})
    assert service.refused == [Refusal.MISMATCH]


# What a service gets wrong in the stream, and says so consistently.


def without(stream: bytes, *tags: int) -> bytes:
    """Return the stream of the same document with some elements left out."""
    content = read_stream(stream)
    covered = {e.tag for e in content.dataset} - set(tags)
    segments = mac_segments(content.dataset, covered, signature_item=content.signature_item)
    return b"".join(block for segment in segments for block in blocks(segment))


def consistent(stream: bytes, ready: PreparedSignature) -> tuple[Offer, dict[int, bytes]]:
    """Return an offer that says of a stream whatever is in it."""
    offer = offer_for({1: stream}, {1: ready})
    try:
        dataset = read_stream(stream).dataset
    except DatasetError:
        return offer, {1: stream}
    offer = _document(offer, covers=tuple(e.tag for e in dataset))
    changes = {"patient_name": dataset.text(0x00100010), "patient_id": dataset.text(0x00100020)}
    return _display(offer, **changes), {1: stream}


def _year_ago(stream: bytes) -> bytes:
    at = stream.rindex(b"DT") + 4
    return stream[:at] + b"2025" + stream[at + 4 :]


STREAMS: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "no patient name": ("OFFER_COVERS", lambda s: without(s, 0x00100010)),
    "no patient id": ("OFFER_COVERS", lambda s: without(s, 0x00100020)),
    "no content": ("OFFER_COVERS", lambda s: without(s, 0x0040A730)),
    "no title": ("OFFER_COVERS", lambda s: without(s, 0x0040A043)),
    "no class": ("OFFER_COVERS", lambda s: without(s, 0x00080016)),
    "no character set": ("OFFER_CHARSET", lambda s: without(s, 0x00080005)),
    "no study": ("SR_MIN", lambda s: without(s, 0x0020000D)),
    "no series": ("SR_MIN", lambda s: without(s, 0x0020000E)),
    "no evidence": ("OFFER_EVIDENCE", lambda s: without(s, 0x0040A375)),
    "evidence without proof": (
        "EVIDENCE_UNSECURED",
        lambda s: s.replace(b"\x00\x04\x03\x04SQ", b"\x00\x04\x04\x04SQ", 1),
    ),
    "an image": ("OFFER_CLASS", lambda s: s.replace(
        b"1.2.840.10008.5.1.4.1.1.88.33", b"1.2.840.10008.5.1.4.1.1.77.33")
    ),
    "long ago": ("OFFER_TIME", _year_ago),
    "not a stream": ("MAC_STREAM", lambda s: s[:-1]),
}  # fmt: skip


@pytest.mark.parametrize("name", STREAMS)
def test_a_stream_that_nobody_should_sign(name: str) -> None:
    """A stream that leaves something out, or that is of nothing to be signed, is refused."""
    ready = prepared(plain_report())
    rule, change = STREAMS[name]
    stream = change(signed_stream(ready))
    offer, streams = consistent(stream, ready)
    who, service = key(), FakeService(streams=streams)
    ended = run(service, offer, who)
    assert isinstance(ended.error, MismatchError | DatasetError)
    assert ended.error.rule == rule
    assert (who.opened, service.values, service.refused) == (0, {}, [Refusal.MISMATCH])


def test_another_patient_is_shown_as_they_are() -> None:
    """A service that swaps the whole document consistently shows the person the other patient."""
    ready = prepared(plain_report())
    name = ready.file.dataset.text(0x00100010)
    other = "Other^Patient"
    stored = name.encode()
    padded = other.encode().ljust(len(stored))
    stream = signed_stream(ready).replace(stored, padded)
    offer, streams = consistent(stream, ready)
    shown = examined(offer, streams)
    assert shown.patient_name.startswith("Other")


@pytest.mark.parametrize("ahead", [timedelta(minutes=6), timedelta(hours=-2)])
def test_a_clock_that_is_wrong(ahead: timedelta) -> None:
    """A signature dated away from the time here is refused, whoever's clock is wrong."""
    service, offer = FakeService.of()
    with pytest.raises(MismatchError) as refused:
        examined(offer, service.streams, now=NOW - ahead)
    assert refused.value.rule == "OFFER_TIME"


# What the person, the key and the service do.


def test_declined() -> None:
    """What the person does not confirm is refused at the service, and the key is not opened."""
    service, offer = FakeService.of()
    who = key()
    ended = run(service, offer, who, confirm=lambda *_: False)
    assert (ended.declined, who.opened, service.refused) == (True, 0, [Refusal.DECLINED])


def test_one_of_a_stack_declined() -> None:
    """A session of which one document is declined is not signed at all."""
    service, offer = FakeService.of(plain_report(), plain_report(2))
    who = key()
    ended = run(service, offer, who, confirm=lambda _, document: document.n == 1)
    assert (ended.declined, who.opened, service.values) == (True, 0, {})


@pytest.mark.parametrize(("policy", "opened"), [("standard", 1), ("single", 3)])
def test_a_stack_after_one_pin(policy: str, opened: int) -> None:
    """A stack is signed after one entry of the PIN, as far as the signing policy lets it reach."""
    service, offer = FakeService.of(*(plain_report(n) for n in (1, 2, 3)))
    who, asked = key(), []
    ended = run(
        service, offer, who, policy=policy, confirm=lambda _, each: asked.append(each.n) or True
    )
    assert ended.error is None
    assert (asked, sorted(service.values), who.opened) == ([1, 2, 3], [1, 2, 3], opened)


def test_time_runs_out_at_the_question() -> None:
    """When the session ends while the person reads, no PIN is asked."""
    service, offer = FakeService.of()
    who, now = key(), [NOW]

    def confirm(*_: object) -> bool:
        now[0] += timedelta(minutes=10)
        return True

    ended = run(service, offer, who, confirm=confirm, now=lambda: now[0])
    assert isinstance(ended.error, ExpiredError)
    assert (who.opened, service.values) == (0, {})


@pytest.mark.parametrize("error", [PINError("wrong"), SignerUnavailableError("pulled")])
def test_a_token_that_fails_ends_the_run(error: Exception) -> None:
    """After a wrong PIN, or without the token, nothing more is tried, and the session waits on."""
    service, offer = FakeService.of()
    who = key()
    who.fails = error  # type: ignore[assignment]
    asked: list[int] = []
    with pytest.raises(type(error)):
        list(
            sign_offers(
                (offer, offer),
                service,
                signatory(who, confirm=lambda _, each: asked.append(each.n) or True),
            )
        )
    assert (asked, service.values, service.refused) == ([1], {}, [])


def test_a_key_that_does_not_sign_that() -> None:
    """A key that refuses is said to the service, and the next session gets its turn."""
    service, offer = FakeService.of()
    who = key()
    who.fails = SignerRefusedError("not with this key")
    ended = list(sign_offers((offer, offer), service, signatory(who)))
    assert [type(each.error) for each in ended] == [SignerRefusedError] * 2
    assert service.refused == [Refusal.KEY] * 2


@pytest.mark.parametrize("error", [ConflictError("changed"), ExpiredError("over")])
def test_the_service_does_not_take_it(error: ConflictError | ExpiredError) -> None:
    """A draft that changed, or a session that is over, is said and nothing else is done."""
    service, offer = FakeService.of()
    service.fails.append(error)
    ended = run(service, offer, key())
    assert (ended.error, service.refused) == (error, [])


def test_without_a_time_stamp_the_values_are_kept() -> None:
    """After a time-stamp authority was away, the second try needs neither person nor key."""
    service, offer = FakeService.of()
    service.fails.append(TimestampError("away"))
    who = key()
    first = run(service, offer, who)
    assert first.is_kept
    kept = replace(offer, has_values=True)
    second = run(service, kept, who, confirm=lambda *_: pytest.fail("nobody is asked"))
    assert second.error is None
    assert [v["indication"] for v in second.verdicts] == ["PASSED"]
    assert who.opened == 1


def test_a_token_is_not_left_logged_in() -> None:
    """When the time of a signing policy is over, the key is closed without being asked again."""
    now = [NOW]
    who = key()
    span = SigningSpan(who.open, now=lambda: now[0], policy=load_signing_policy("standard"))
    with span:
        span.signer()
        span.end_if_over()
        assert who.closed == 0
        now[0] += timedelta(minutes=15)
        span.end_if_over()
        assert who.closed == 1
