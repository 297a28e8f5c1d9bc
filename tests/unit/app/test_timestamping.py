"""Obtaining a time-stamp: what is sent, and which answers are not stored."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from asn1crypto import tsp

from sr.app.documents.authoring import seal
from sr.app.ports import Ports, Timestamping
from sr.app.shipping.manifest import create_manifest
from sr.app.signatures.signing import ApprovalMode, approve_file, sign_bytes, sign_file
from sr.codes import SignaturePurpose
from sr.dicomfile import BytesSource, read
from sr.errors import ConfigurationError, ProfileViolationError, TimestampError
from sr.findings import LimitationCode, SubIndication
from sr.keys import Signer
from sr.mac import MACAlgorithm
from sr.signature import PreparedSignature, SigningRequest, complete, examine, prepare
from sr.trust import TrustMaterial
from tests.support.forge import edited, forge_signature
from tests.support.office import Office
from tests.support.pki import NOW, Entity, demo_pki, issue
from tests.support.signed import author_report, check, plain_report, sign_digest
from tests.support.story import real_ports
from tests.support.tokens import MemoryAuthority, refusal, response, token, tsa

PKI = demo_pki()
NONCE = 0x1234567890ABCDEF
SKEW = timedelta(minutes=5)
SECOND = timedelta(seconds=1)


class _Signer:
    """A signer in memory."""

    def __init__(self, entity: Entity) -> None:
        self.entity = entity
        self.certificate_chain = entity.chain

    def sign_digest(self, digest: bytes, algorithm: MACAlgorithm) -> bytes:
        return sign_digest(self.entity.key, algorithm, digest)


AUTHOR: Signer = _Signer(PKI.author)  # type: ignore[assignment]


def authority(**changes: Any) -> MemoryAuthority:
    return MemoryAuthority(clock=lambda: NOW - SECOND, changes=changes)


def timestamping(asked: MemoryAuthority, **changes: Any) -> Timestamping:
    return replace(Timestamping(authority=asked, new_nonce=lambda: NONCE), **changes)


def ports(
    asked: MemoryAuthority,
    clock: Callable[[], datetime] = lambda: NOW - SECOND,
    **changes: Any,
) -> Ports:
    uids = iter(f"2.25.{n}" for n in range(1000, 2000))
    return Ports(
        now=clock,
        new_uid=lambda: next(uids),
        timestamping=timestamping(asked, **changes),
        clock_skew=SKEW,
    )


def stamped(
    asked: MemoryAuthority, signer: Signer = AUTHOR, profile: str | None = None, **changes: Any
) -> bytes:
    return sign_bytes(
        plain_report(),
        purpose=SignaturePurpose.AUTHOR,
        signer=signer,
        ports=ports(asked, **changes),
        profile=profile,
    )[0]


def test_a_signature_with_time_stamp_is_proven() -> None:
    """The token stands beside the signature and proves its time."""
    verdict = check(stamped(authority()))
    (signature,) = verdict.signatures
    assert verdict.sub_indication is None
    assert signature.proven_at == NOW - SECOND
    assert LimitationCode.TIME_CLAIMED_ONLY not in {each.code for each in verdict.limitations}


def test_only_digest_nonce_and_policy_leave() -> None:
    """The request asks for the certificate, carries the nonce, and nothing of the document."""
    asked = authority()
    stamped(asked, policy="1.2.3.4")
    (sent,) = asked.requests
    request = tsp.TimeStampReq.load(sent)
    assert request["nonce"].native == NONCE
    assert request["cert_req"].native is True
    assert request["req_policy"].native == "1.2.3.4"
    assert len(sent) < 120


def test_an_elliptic_curve_value_is_stamped_without_its_pad_byte() -> None:
    """Whatever length the value has, the token is about the value and not about its padding."""
    signer: Signer = _Signer(issue(PKI.issuing, "Eve", key_kind="p256", slot="eve"))  # type: ignore[assignment]
    padded = set()
    while len(padded) < 2:
        data = stamped(authority(), signer, profile="site-ec")
        (found,) = examine(read(BytesSource(data))).signatures
        value = found.signature.signature
        padded.add(len(value) > value[1] + 2)
        assert check(data).signatures[0].proven_at is not None


def _other(value: bytes = b"x", **changes: Any) -> Callable[[bytes], bytes]:
    return lambda _request: response(token(value, at=NOW - SECOND, nonce=NONCE, **changes))


@pytest.mark.parametrize(
    "answer",
    [
        lambda _: b"",
        lambda _: b"<html>",
        lambda _: refusal(),
        lambda _: refusal("waiting"),
        lambda _: refusal("granted"),
        _other(),
        lambda _: token(b"x"),
        bytes,
    ],
    ids=["empty", "page", "refusal", "waiting", "no token", "replay", "bare token", "echo"],
)
def test_what_is_no_answer_to_the_request(answer: Callable[[bytes], bytes]) -> None:
    """Junk, refusals and tokens over other values are not stored."""
    with pytest.raises(TimestampError):
        stamped(MemoryAuthority(clock=lambda: NOW, answer=answer))


@pytest.mark.parametrize(
    "changes",
    [
        {"nonce": NONCE + 1},
        {"nonce": None},
        {"imprint_hash": "sha512"},
        {"signing_key": PKI.archive},
        {"named": PKI.archive},
        {"naming": ""},
        {"authority": PKI.archive},
        {"authority": tsa(extended_usage_critical=False)},
        {"authority": tsa(not_after=NOW - 2 * SECOND)},
        {"digest_hash": "sha1"},
        {"accuracy": {"seconds": 301}},
        {"at": NOW - SECOND - SKEW - SECOND},
        {"at": NOW - SECOND + SKEW + SECOND},
    ],
    ids="-".join,
)
def test_an_unsound_token_is_not_stored(changes: dict[str, Any]) -> None:
    """Nonce, imprint, signature, certificate and clock are checked before a token is stored."""
    if "named" in changes:
        changes = changes | {"certificates": [PKI.tsa, PKI.archive]}
    with pytest.raises(TimestampError):
        stamped(authority(**changes))


@pytest.mark.parametrize(
    ("status", "good"),
    [
        ("granted", True),
        ("granted_with_mods", True),
        ("rejection", False),
        ("waiting", False),
        ("revocation_warning", False),
        ("revocation_notification", False),
    ],
)
def test_a_token_counts_where_it_was_granted(status: str, good: bool) -> None:
    """What comes with a refusal or a warning of revocation is not stored, sound or not."""
    asked = authority()
    asked.status = status
    if good:
        assert check(stamped(asked)).signatures[0].proven_at is not None
        return
    with pytest.raises(TimestampError):
        stamped(asked)


@pytest.mark.parametrize("at", [NOW - SECOND - SKEW, NOW - SECOND + SKEW])
def test_clocks_may_differ_by_the_skew(at: datetime) -> None:
    """An authority whose clock differs by no more than the skew is believed."""
    stamped(authority(at=at))


def test_another_policy_than_asked_for_is_refused() -> None:
    """An authority that answers under another policy did not do what was asked."""
    with pytest.raises(TimestampError):
        stamped(authority(policy="1.2.3.5"), policy="1.2.3.4")


@pytest.mark.parametrize(("anchor", "good"), [(PKI.root, True), (PKI.archive, False)])
def test_known_anchors_count_when_a_token_arrives(anchor: Entity, good: bool) -> None:
    """With anchors for time-stamps an authority must lead to one of them."""
    material = TrustMaterial(timestamp_anchors=(anchor.der,))
    asked = authority(certificates=[PKI.tsa, PKI.issuing])
    if good:
        assert stamped(asked, material=material)
        return
    with pytest.raises(TimestampError):
        stamped(asked, material=material)


def test_without_anchors_it_is_said_that_nobody_vouches() -> None:
    """Where no anchor is known the token is stored, and the signer is told."""
    _, result = sign_bytes(
        plain_report(), purpose=SignaturePurpose.AUTHOR, signer=AUTHOR, ports=ports(authority())
    )
    assert "TIMESTAMP_CHAIN" in {each.rule for each in result.notices}


WHO = {"sign": "author", "approve": "supervisor", "seal": "archive", "manifest": "archive"}
USES: dict[str, Callable[[Office, Path, dict[str, Any]], object]] = {
    "sign": lambda office, out, signed: sign_file(
        office.draft, out, purpose=SignaturePurpose.AUTHOR, **signed
    ),
    "approve": lambda office, out, signed: approve_file(
        office.authored, out, observer="Weber^Sam", organization="X",
        mode=ApprovalMode.REISSUE, **signed,
    ),
    "seal": lambda office, out, signed: seal(office.images, out, **signed),
    "manifest": lambda office, out, signed: create_manifest((office.images,), out, **signed),
}  # fmt: skip


@pytest.mark.parametrize("what", WHO)
def test_nothing_is_written_without_the_time_stamp(
    what: str, office: Office, tmp_path: Path
) -> None:
    """Where the authority refuses, no file appears, whatever was to be signed."""
    out = tmp_path / "out.dcm"
    real = real_ports()
    asked = MemoryAuthority(clock=real.now, answer=lambda _: refusal())
    given = replace(real, timestamping=timestamping(asked))
    signed = {"credentials": office.credentials(WHO[what]), "ports": given}
    with pytest.raises(TimestampError):
        USES[what](office, out, signed)
    assert asked.requests
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("clock", "expected"),
    [
        (PKI.author.certificate.not_valid_before_utc - SECOND, SubIndication.NOT_YET_VALID),
        (PKI.author.certificate.not_valid_after_utc + SECOND, SubIndication.EXPIRED),
    ],
)
def test_a_time_outside_the_certificate_is_refused(
    clock: datetime, expected: SubIndication
) -> None:
    """Nothing is signed, and nobody asked for a time-stamp, before or after the certificate."""
    asked = authority()
    with pytest.raises(ProfileViolationError) as caught:
        stamped(asked, clock=lambda: clock)
    assert {each.sub_indication for each in caught.value.findings} == {expected}
    assert not asked.requests


@pytest.mark.parametrize(
    ("behind", "good"), [(SKEW, True), (SKEW + SECOND, False), (10 * SKEW, False)]
)
def test_a_clock_behind_an_earlier_signature_is_refused(behind: timedelta, good: bool) -> None:
    """A signature cannot be made before one that is in the document already."""
    (earlier,) = check(author_report()).signatures
    assert earlier.claimed_at == "20261120090000+0000"
    clock = datetime.fromisoformat("2026-11-20T09:00:00+00:00") - behind
    asked = MemoryAuthority(clock=lambda: clock)

    def again() -> None:
        sign_bytes(
            author_report(),
            purpose=SignaturePurpose.AUTHOR,
            signer=AUTHOR,
            ports=ports(asked, clock=lambda: clock),
        )

    if good:
        again()
        return
    with pytest.raises(ProfileViolationError) as caught:
        again()
    assert {each.sub_indication for each in caught.value.findings} == {SubIndication.NOT_YET_VALID}


def test_an_earlier_signature_without_zone_holds_nobody_up() -> None:
    """Digits of today without offset may mean a moment that has passed, so they are no reason."""
    ahead = edited(plain_report(), lambda n: forge_signature(n, claimed="20261120200000"))
    sound = Ports(now=lambda: NOW, new_uid=lambda: "2.25.77")
    assert sign_bytes(ahead, purpose=SignaturePurpose.AUTHOR, signer=AUTHOR, ports=sound)
    known = edited(plain_report(), lambda n: forge_signature(n, claimed="20261120200000+0000"))
    with pytest.raises(ProfileViolationError):
        sign_bytes(known, purpose=SignaturePurpose.AUTHOR, signer=AUTHOR, ports=sound)


def _prepared(*, timestamped: bool) -> PreparedSignature:
    request = SigningRequest(
        purpose=SignaturePurpose.AUTHOR,
        certificate=PKI.author.der,
        signed_at=NOW,
        digital_signature_uid="2.25.1",
        timestamped=timestamped,
    )
    return prepare(read(BytesSource(plain_report())), request)


@pytest.mark.parametrize("timestamped", [True, False])
def test_a_time_stamp_that_was_said_to_come_must_come(timestamped: bool) -> None:
    """What a profile was told about the time-stamp is what gets written, or nothing is."""
    prepared = _prepared(timestamped=timestamped)
    value = sign_digest(PKI.author.key, MACAlgorithm.SHA256, prepared.digest)
    assert complete(prepared, value, timestamp=token(value) if timestamped else None)
    with pytest.raises(ConfigurationError):
        complete(prepared, value, timestamp=None if timestamped else token(value))
