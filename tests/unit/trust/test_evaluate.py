"""The table of the room: one fault a case, under every shipped policy."""

from __future__ import annotations

import asyncio
from base64 import b64decode
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID
from hypothesis import given as generated
from hypothesis import settings
from hypothesis import strategies as st

from sr.errors import SRError
from sr.findings import LimitationCode, Status, SubIndication
from sr.trust import SignerTrust, TrustMaterial
from tests.support.pki import NOW, Entity, Unknown, demo_pki, issue, make_crl
from tests.unit.trust.scene import DAY, POLICIES, failures, judge, limits, material, statuses


def _sequence(content: bytes) -> bytes:
    return bytes([0x30, len(content)]) + content


S = SubIndication
PKI = demo_pki()
TIME_NEEDED = {"TIME_PROVEN": S.SIG_CONSTRAINTS_FAILURE}
HOUR = timedelta(hours=1)


def _issue(**options: Any) -> Entity:
    return issue(PKI.issuing, "Case", slot="case", **options)


def _crls(*, root: Any = (), issuing: Any = (), **dates: Any) -> TrustMaterial:
    return material(
        crls=[make_crl(PKI.root, revoked=root, **dates), make_crl(PKI.issuing, revoked=issuing)]
    )


RSA_512 = b64decode(
    "MIIBbzCCARmgAwIBAgIUZ0FyTFsIVOzfZB0AuIY6J5rPMd8wDQYJKoZIhvcNAQELBQAwDDEKMAgG"
    "A1UEAwwBeDAeFw0yNjExMjAxMDUxNTNaFw0yNjExMjkxMDUxNTNaMAwxCjAIBgNVBAMMAXgwXDAN"
    "BgkqhkiG9w0BAQEFAANLADBIAkEAkZ9s9PC7tH5OR9wH+L1tByoTRch6tYhCYf+Y47PtmW2kbKzv"
    "5noMbyd8cywkL4CaRTJYpBIYg5pLjNH54z3ZlwIDAQABo1MwUTAdBgNVHQ4EFgQUHZBMJIJRSNFL"
    "FBVn3xLChLjJ/o4wHwYDVR0jBBgwFoAUHZBMJIJRSNFLFBVn3xLChLjJ/o4wDwYDVR0TAQH/BAUw"
    "AwEB/zANBgkqhkiG9w0BAQsFAANBADZgvH5OpEliExDVP4Xr/nLA/1K+K1jQG9ttjih5dVQAXXsM"
    "bpgDsB5VRJPXEPosVPXMDc1IQI0KZqXY8wnyevw="
)
"""A self-signed certificate with a key so short that the library no longer makes one."""


def _with_exponent(exponent: int) -> bytes:
    """Return a pinned signer's certificate whose key has that exponent; its signature is void."""
    changed = asn1_x509.Certificate.load(issue(None, "Pinned", slot="case").der)
    info = changed["tbs_certificate"]["subject_public_key_info"]
    key = info["public_key"].parsed
    key["public_exponent"] = exponent
    info["public_key"] = key
    return bytes(changed.dump(force=True))


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize(
    "der", [RSA_512, *map(_with_exponent, (0, 1, 2, 65536))], ids=["512", "0", "1", "2", "65536"]
)
def test_no_policy_accepts_a_key_that_anyone_can_use(der: bytes, policy: str) -> None:
    """A key that can be factored, or that signs by itself, is refused even when pinned."""
    trust = judge(der, given=TrustMaterial(anchors=(der,)), policy=policy)
    assert failures(trust)["CERT_KEY_TYPE"] is S.CRYPTO_CONSTRAINTS_FAILURE


@dataclass(frozen=True, kw_only=True)
class Case:
    """A fault and what it means; ``under`` holds where a policy sees it differently."""

    run: Callable[..., SignerTrust]
    fails: dict[str, SubIndication] = field(default_factory=dict)
    limits: set[LimitationCode] = field(default_factory=set)
    under: dict[str, tuple[dict[str, SubIndication], set[LimitationCode]]] = field(
        default_factory=dict
    )
    proven: bool = False


WEAK = {LimitationCode.WEAK_ALGORITHM}
UNKNOWN = {LimitationCode.REVOCATION_UNKNOWN}
TRY_LATER: dict[str, SubIndication] = {"CERT_REVOCATION_KNOWN": S.TRY_LATER}
SHORT = {"not_before": NOW - 30 * DAY, "not_after": NOW - 5 * DAY}
OLD_CRLS = {"this_update": NOW - 8 * DAY, "next_update": NOW + DAY}


def _signer(**options: Any) -> Callable[..., SignerTrust]:
    return lambda **scene: judge(_issue(**options), **scene)


def _revoked(entity: Entity, ca: bool = False, **scene: Any) -> Callable[..., SignerTrust]:
    serial = [entity.certificate.serial_number]
    given = _crls(root=serial) if ca else _crls(issuing=serial)
    return lambda **more: judge(PKI.author, given=given, **scene, **more)


CASES: dict[str, Case] = {
    "sound": Case(run=lambda **s: judge(PKI.author, **s)),
    "sound, padded": Case(run=lambda **s: judge(PKI.author.der + b"\0", **s)),
    "proven": Case(run=lambda **s: judge(PKI.author, proven=NOW - HOUR, **s), proven=True),
    "claimed before validity": Case(
        run=_signer(not_before=NOW - HOUR), fails={"CERT_VALIDITY": S.NOT_YET_VALID}
    ),
    "claimed after validity": Case(
        run=lambda **s: judge(
            _issue(**SHORT),
            given=material(crls=[make_crl(PKI.root), make_crl(PKI.issuing, **OLD_CRLS)]),
            **s,
        ),
        fails={"CERT_VALIDITY": S.EXPIRED},
    ),
    "expired since, unproven": Case(
        run=lambda **s: judge(
            _issue(**SHORT),
            claimed=NOW - 6 * DAY,
            given=material(crls=[make_crl(PKI.root), make_crl(PKI.issuing, **OLD_CRLS)]),
            **s,
        ),
        fails={"CERT_VALIDITY_POE": S.OUT_OF_BOUNDS_NO_POE},
    ),
    "expired since, proven": Case(
        run=lambda **s: judge(
            _issue(**SHORT),
            claimed=NOW - 6 * DAY,
            proven=NOW - 6 * DAY,
            given=material(crls=[make_crl(PKI.root), make_crl(PKI.issuing, **OLD_CRLS)]),
            **s,
        ),
        proven=True,
    ),
    "proven after validity": Case(
        run=lambda **s: judge(
            _issue(**SHORT),
            claimed=NOW - 6 * DAY,
            proven=NOW - 2 * DAY,
            given=material(crls=[make_crl(PKI.root), make_crl(PKI.issuing, **OLD_CRLS)]),
            **s,
        ),
        fails={"CERT_VALIDITY_POE": S.OUT_OF_BOUNDS_NO_POE},
        proven=True,
    ),
    "from the future": Case(
        run=lambda **s: judge(PKI.author, claimed=NOW + HOUR, **s),
        fails={"TIME_FUTURE": S.NOT_YET_VALID},
    ),
    "revoked": Case(run=_revoked(PKI.author), fails={"CERT_REVOCATION": S.REVOKED}),
    "revoked later, unproven": Case(
        run=_revoked(PKI.author, claimed=NOW - 9 * DAY),
        fails={"CERT_REVOCATION": S.REVOKED_NO_POE},
    ),
    "revoked later, proven": Case(
        run=_revoked(PKI.author, claimed=NOW - 9 * DAY, proven=NOW - 9 * DAY), proven=True
    ),
    "CA revoked": Case(
        run=_revoked(PKI.issuing, ca=True), fails={"CERT_REVOCATION": S.REVOKED_CA_NO_POE}
    ),
    "CA revoked later, proven": Case(
        run=_revoked(PKI.issuing, ca=True, claimed=NOW - 9 * DAY, proven=NOW - 9 * DAY),
        proven=True,
    ),
    "no CRL": Case(
        run=lambda **s: judge(PKI.author, given=material(crls=[]), **s),
        limits=UNKNOWN,
        under={"strict": (TRY_LATER, set())},
    ),
    "no CRL for the CA": Case(
        run=lambda **s: judge(PKI.author, given=material(crls=[make_crl(PKI.issuing)]), **s),
        limits=UNKNOWN,
        under={"strict": (TRY_LATER, set())},
    ),
    "stale CRL": Case(
        run=lambda **s: judge(
            PKI.author,
            given=_crls(this_update=NOW - 9 * DAY, next_update=NOW - DAY),
            **s,
        ),
        limits=UNKNOWN,
        under={"strict": (TRY_LATER, set())},
    ),
    "TLS server": Case(
        run=_signer(
            extended_usage=[ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
        ),
        fails={"CERT_EXTENDED_KEY_USAGE": S.CHAIN_CONSTRAINTS_FAILURE},
    ),
    "time-stamp authority": Case(
        run=lambda **s: judge(PKI.tsa, **s),
        fails={"CERT_EXTENDED_KEY_USAGE": S.CHAIN_CONSTRAINTS_FAILURE},
    ),
    "client only": Case(
        run=_signer(extended_usage=[ExtendedKeyUsageOID.CLIENT_AUTH]),
        under={
            "strict": ({"CERT_EXTENDED_KEY_USAGE": S.CHAIN_CONSTRAINTS_FAILURE}, set()),
        },
    ),
    "mail and client": Case(
        run=_signer(
            extended_usage=[ExtendedKeyUsageOID.EMAIL_PROTECTION, ExtendedKeyUsageOID.CLIENT_AUTH]
        )
    ),
    "encipherment only": Case(
        run=_signer(usage=["key_encipherment"]),
        fails={"CERT_KEY_USAGE": S.CHAIN_CONSTRAINTS_FAILURE},
    ),
    "non-repudiation only": Case(run=_signer(usage=["content_commitment"])),
    "no key usage": Case(
        run=_signer(usage=None),
        under={"strict": ({"CERT_KEY_USAGE_ABSENT": S.CHAIN_CONSTRAINTS_FAILURE}, set())},
    ),
    "CA as signer": Case(
        run=lambda **s: judge(PKI.issuing, **s),
        fails={
            "CERT_IS_CA": S.CHAIN_CONSTRAINTS_FAILURE,
            "CERT_KEY_USAGE": S.CHAIN_CONSTRAINTS_FAILURE,
        },
    ),
    "CA flag only": Case(
        run=lambda **s: judge(
            issue(PKI.root, ca=True, slot="case", usage=["digital_signature"]), **s
        ),
        fails={"CERT_IS_CA": S.CHAIN_CONSTRAINTS_FAILURE},
    ),
    "RSA-1024": Case(
        run=lambda **s: judge(issue(PKI.issuing, key_kind="rsa1024"), **s),
        fails={"CERT_KEY_SIZE": S.CRYPTO_CONSTRAINTS_FAILURE},
        under={"interop": ({}, WEAK)},
    ),
    "e = 3": Case(
        run=lambda **s: judge(issue(PKI.issuing, key_kind="rsa2048e3"), **s),
        fails={"CERT_EXPONENT": S.CRYPTO_CONSTRAINTS_FAILURE},
        under={"interop": ({}, WEAK)},
    ),
    "SHA-1 certificate": Case(
        run=_signer(hash_algorithm=hashes.SHA1()),  # noqa: S303 - weak on purpose
        fails={"CERT_SIGNATURE_ALGORITHM": S.CRYPTO_CONSTRAINTS_FAILURE},
        under={"interop": ({}, WEAK)},
    ),
    "MD5 certificate": Case(
        run=_signer(hash_algorithm=hashes.MD5()),  # noqa: S303 - weak on purpose
        fails={"CERT_SIGNATURE_ALGORITHM": S.CRYPTO_CONSTRAINTS_FAILURE},
        under={"interop": ({}, WEAK)},
    ),
    "elliptic curve": Case(
        run=lambda **s: judge(issue(PKI.issuing, key_kind="p256"), **s),
        limits={LimitationCode.KEY_OUTSIDE_PROFILE},
    ),
    "Ed25519": Case(
        run=lambda **s: judge(issue(PKI.issuing, key_kind="ed25519"), **s),
        fails={"CERT_KEY_TYPE": S.CRYPTO_CONSTRAINTS_FAILURE},
    ),
    "unknown critical extension": Case(
        run=_signer(extensions=[(Unknown(), True)]),
        fails={"CERT_CRITICAL_EXTENSION": S.CHAIN_CONSTRAINTS_FAILURE},
    ),
    "unknown extension": Case(run=_signer(extensions=[(Unknown(), False)])),
    "self-signed": Case(
        run=lambda **s: judge(issue(None, "Nobody", slot="case"), **s),
        fails={"CERT_CHAIN": S.NO_CERTIFICATE_CHAIN_FOUND},
    ),
    "no anchor": Case(
        run=lambda **s: judge(PKI.author, given=TrustMaterial(), **s),
        fails={"CERT_CHAIN": S.NO_CERTIFICATE_CHAIN_FOUND},
    ),
    "no anchor, expired, future": Case(
        run=lambda **s: judge(_issue(**SHORT), claimed=NOW + DAY, given=TrustMaterial(), **s),
        fails={"CERT_CHAIN": S.NO_CERTIFICATE_CHAIN_FOUND},
    ),
    "intermediate missing": Case(
        run=lambda **s: judge(PKI.author, given=material(intermediates=[]), **s),
        fails={"CERT_CHAIN": S.NO_CERTIFICATE_CHAIN_FOUND},
    ),
    "forged issuer": Case(
        run=lambda **s: judge(
            issue(None, "Case", slot="case", issuer_name=PKI.issuing.certificate.subject), **s
        ),
        fails={"CERT_CHAIN": S.NO_CERTIFICATE_CHAIN_FOUND},
    ),
    "bytes after the certificate": Case(
        run=lambda **s: judge(PKI.author.der + b"\0\0", **s),
        fails={"CERT_DER": S.FORMAT_FAILURE},
        proven=True,
    ),
}


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("name", CASES)
def test_one_fault_means_one_thing(name: str, policy: str) -> None:
    """A signer with one fault fails exactly that rule, as the policy weighs it."""
    case = CASES[name]
    trust = case.run(policy=policy)
    fails, limitations = case.under.get(policy, (case.fails, case.limits))
    untimed = {} if case.proven or policy != "archive" else TIME_NEEDED
    claimed = set() if case.proven else {LimitationCode.TIME_CLAIMED_ONLY}
    assert failures(trust) == fails | untimed
    assert limits(trust) == limitations | claimed


@pytest.mark.parametrize("policy", POLICIES)
def test_without_a_chain_nothing_but_the_chain_decides(policy: str) -> None:
    """No policy and no other fault hides that nobody vouches for a certificate."""
    trust = judge(_issue(**SHORT), given=TrustMaterial(), policy=policy)
    first = next(each for each in trust.findings if each.status is Status.FAIL)
    assert first.rule == "CERT_CHAIN"
    assert "CERT_VALIDITY" not in statuses(trust)
    assert [each.sha256 for each in trust.chain] == [trust.chain[0].sha256]


def test_what_holds_is_said_too() -> None:
    """A sound signer yields PASS for each rule, once."""
    trust = judge(PKI.author, proven=NOW - HOUR)
    assert set(statuses(trust).values()) == {Status.PASS}
    assert len(trust.findings) == len(statuses(trust)) > 15
    assert all(each.cites for each in trust.findings)


def test_the_chain_is_told_from_the_signer_up() -> None:
    """The chain lists signer, issuing CA and root with their fingerprints."""
    expected = [each.fingerprint(hashes.SHA256()).hex() for each in PKI.author.chain]
    assert [each.sha256 for each in judge(PKI.author).chain] == expected


def test_a_signer_may_be_the_anchor() -> None:
    """A signer pinned as anchor needs neither issuer nor CRL."""
    pinned = issue(None, "Pinned", slot="case")
    trust = judge(pinned, given=TrustMaterial(anchors=(pinned.der,)), policy="strict")
    assert not failures(trust)
    assert len(trust.chain) == 1


def test_a_pinned_signer_still_expires() -> None:
    """Pinning trusts a certificate, not for ever."""
    pinned = issue(None, "Pinned", slot="case", **SHORT)
    trust = judge(pinned, given=TrustMaterial(anchors=(pinned.der,)))
    assert failures(trust) == {"CERT_VALIDITY": S.EXPIRED}


def test_a_pinned_signer_is_still_revoked() -> None:
    """A verified revocation counts even when the signer is pinned beside the CA."""
    given = _crls(issuing=[PKI.author.certificate.serial_number])
    pinned = TrustMaterial(
        anchors=(PKI.author.der,), intermediates=(PKI.issuing.der,), crls=given.crls
    )
    assert failures(judge(PKI.author, given=pinned)) == {"CERT_REVOCATION": S.REVOKED}


def test_a_pinned_signer_issues_nothing() -> None:
    """A pinned end entity does not become a certification authority."""
    pinned = issue(None, "Pinned", slot="pinned")
    forged = issue(pinned, "Forged", slot="case")
    trust = judge(forged, given=TrustMaterial(anchors=(pinned.der,)))
    assert failures(trust) == {"CERT_PATH": S.CHAIN_CONSTRAINTS_FAILURE}


def test_a_look_alike_of_a_pinned_signer_is_nobody() -> None:
    """The same name and key in another certificate is not the anchor."""
    pinned = issue(None, "Pinned", slot="pinned", serial=1)
    other = issue(None, "Pinned", slot="pinned", serial=2, usage=None)
    trust = judge(other, given=TrustMaterial(anchors=(pinned.der,)))
    assert failures(trust) == {"CERT_CHAIN": S.NO_CERTIFICATE_CHAIN_FOUND}


def test_an_event_loop_may_be_running() -> None:
    """Judging works from asynchronous code, and starts no loop of its own."""

    async def inside() -> SignerTrust:
        return judge(issue(PKI.issuing, "Async", slot="case"))

    assert not failures(asyncio.run(inside()))


def test_the_better_of_two_paths_counts() -> None:
    """A revoked intermediate does not hurt when another path avoids it."""
    other_root = issue(None, "Other Root", ca=True, slot="other-root")
    cross = issue(
        other_root, ca=True, subject=PKI.issuing.certificate.subject, slot="ca", path_length=0
    )
    given = material(
        anchors=[PKI.root, other_root],
        intermediates=[PKI.issuing, cross],
        crls=[
            make_crl(PKI.root, revoked=[PKI.issuing.certificate.serial_number]),
            make_crl(other_root),
            make_crl(PKI.issuing),
        ],
    )
    trust = judge(PKI.author, given=given)
    assert not failures(trust)
    assert trust.chain[-1].sha256 == other_root.certificate.fingerprint(hashes.SHA256()).hex()


@pytest.mark.parametrize(
    "given",
    [
        TrustMaterial(anchors=(b"\x30\x03abc",)),
        TrustMaterial(anchors=(PKI.root.der,), intermediates=(b"",)),
        TrustMaterial(
            anchors=material().anchors, intermediates=material().intermediates, crls=(b"x",)
        ),
        TrustMaterial(
            anchors=material().anchors, intermediates=material().intermediates, ocsps=(b"x",)
        ),
    ],
    ids=["anchor", "intermediate", "crl", "ocsp"],
)
def test_bad_material_is_the_operators_error(given: TrustMaterial) -> None:
    """Material that does not parse is an error of this program's kind, not a finding."""
    with pytest.raises(SRError):
        judge(PKI.author, given=given)


@generated(st.binary(max_size=300))
def test_any_bytes_are_judged(value: bytes) -> None:
    """Whatever is in the attribute, the answer is a finding."""
    assert failures(judge(value)) == {"CERT_DER": S.FORMAT_FAILURE}


@settings(max_examples=400, deadline=None)
@generated(st.integers(0, len(PKI.author.der) - 1), st.integers(1, 255))
def test_a_changed_certificate_is_nobodys(position: int, mask: int) -> None:
    """One changed byte anywhere in a certificate leaves no chain, or no certificate."""
    changed = bytearray(PKI.author.der)
    changed[position] ^= mask
    assert failures(judge(bytes(changed))).keys() & {"CERT_DER", "CERT_CHAIN"}


def test_unused_bits_are_no_certificate() -> None:
    """A count of unused bits, which nobody signed, is refused even where they are zero."""
    entity = next(e for e in iter(_issue, None) if e.der[-1] & 1 == 0)
    changed = bytearray(entity.der)
    changed[-len(entity.certificate.signature) - 1] = 1
    assert failures(judge(entity)) == {}
    assert "CERT_DER" in failures(judge(bytes(changed)))


KNOWN_EXTENSIONS = [
    value.dotted_string
    for value in vars(ExtensionOID).values()
    if isinstance(value, x509.ObjectIdentifier)
    and value not in (ExtensionOID.BASIC_CONSTRAINTS, ExtensionOID.KEY_USAGE)
]


@settings(max_examples=300, deadline=None)
@generated(
    st.sampled_from([*KNOWN_EXTENSIONS, "1.2.3"]),
    st.one_of(st.binary(max_size=20), st.binary(max_size=40).map(_sequence)),
    st.booleans(),
)
def test_whatever_an_authority_issues_is_judged(oid: str, value: bytes, critical: bool) -> None:
    """A certificate with nonsense in an extension, truly issued, raises nothing."""
    odd = _issue(extensions=[(Unknown(value, oid), critical)], key_identifiers=False)
    assert judge(odd).findings


@pytest.mark.parametrize("length", range(0, len(PKI.author.der), 37))
def test_a_cut_certificate_is_a_format_failure(length: int) -> None:
    """A certificate that ends early is not one."""
    assert failures(judge(PKI.author.der[:length])) == {"CERT_DER": S.FORMAT_FAILURE}


@pytest.mark.parametrize("moment", [datetime.min, datetime.max])  # noqa: DTZ901
@pytest.mark.parametrize("zone", [True, False])
def test_the_ends_of_the_calendar_are_moments_too(moment: datetime, zone: bool) -> None:
    """A claimed time at the very start or end of time overflows nothing."""
    trust = judge(PKI.author, claimed=moment.replace(tzinfo=UTC), zone=zone)
    assert "CERT_VALIDITY" in failures(trust)


def test_unused_extension_value_is_no_certificate_fault() -> None:
    """A non-critical extension that nobody knows is nobody's business."""
    odd = _issue(extensions=[(x509.OCSPNoCheck(), False), (Unknown(b"\x04\x00"), False)])
    assert not failures(judge(odd))
