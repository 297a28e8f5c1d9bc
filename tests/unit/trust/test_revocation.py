"""Revocation: which lists are believed, what they settle, and agreement with another validator."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import pytest
from asn1crypto import crl as asn1_crl
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import CRLEntryExtensionOID, ExtendedKeyUsageOID
from pyhanko_certvalidator.authority import CertTrustAnchor
from pyhanko_certvalidator.context import ValidationContext
from pyhanko_certvalidator.errors import InsufficientRevinfoError, RevokedError
from pyhanko_certvalidator.path import ValidationPath
from pyhanko_certvalidator.policy_decl import (
    CertRevTrustPolicy,
    RevocationCheckingPolicy,
    RevocationCheckingRule,
)
from pyhanko_certvalidator.validate import validate_path

from sr.findings import LimitationCode, SubIndication
from sr.trust import SignerTrust
from tests.support.pki import (
    NOW,
    Entity,
    Unknown,
    demo_pki,
    issue,
    make_crl,
    make_ocsp,
    revoked_entry,
)
from tests.unit.trust.scene import DAY, failures, judge, limits, material

S = SubIndication
PKI = demo_pki()
SERIAL = PKI.author.certificate.serial_number
HOLD = x509.ReasonFlags.certificate_hold
HOUR = timedelta(hours=1)
ROOT_CRL = make_crl(PKI.root)


def _with(
    *crls: x509.CertificateRevocationList,
    ocsps: Iterable[ocsp.OCSPResponse] = (),
    signer: Entity = PKI.author,
    **scene: Any,
) -> SignerTrust:
    return judge(signer, given=material(crls=[ROOT_CRL, *crls], ocsps=ocsps), **scene)


def _scope(**only: Any) -> tuple[x509.IssuingDistributionPoint, bool]:
    fields: dict[str, Any] = {
        "full_name": None,
        "relative_name": None,
        "only_contains_user_certs": False,
        "only_contains_ca_certs": False,
        "only_some_reasons": None,
        "indirect_crl": False,
        "only_contains_attribute_certs": False,
    }
    return x509.IssuingDistributionPoint(**(fields | only)), True


def _url(text: str) -> list[x509.GeneralName]:
    return [x509.UniformResourceIdentifier(text)]


def _state(trust: SignerTrust) -> str:
    failed = failures(trust)
    if "CERT_REVOCATION" in failed:
        return str(failed["CERT_REVOCATION"])
    return "unknown" if LimitationCode.REVOCATION_UNKNOWN in limits(trust) else "good"


@pytest.mark.parametrize(
    ("claimed", "proven", "expected"),
    [
        (-4, None, "REVOKED"),
        (-5, None, "REVOKED"),
        (-6, None, "REVOKED_NO_POE"),
        (-6, -6, "good"),
        (-6, -4, "REVOKED_NO_POE"),
        (-4, -4, "REVOKED"),
        (-6, -5, "REVOKED_NO_POE"),
        (None, None, "REVOKED_NO_POE"),
        (None, -6, "good"),
    ],
)
def test_what_a_revocation_makes_of_a_signature(
    claimed: int | None, proven: int | None, expected: str
) -> None:
    """A proof from before the revocation saves a signature; a claim does not."""
    trust = _with(
        make_crl(PKI.issuing, revoked=[SERIAL]),
        claimed=None if claimed is None else NOW + claimed * DAY,
        proven=None if proven is None else NOW + proven * DAY,
    )
    assert _state(trust) == expected


@pytest.mark.parametrize(
    ("claimed", "expected"),
    [
        (-5 * DAY + 14 * HOUR, "REVOKED"),
        (-5 * DAY + 13 * HOUR, "REVOKED_NO_POE"),
        (-5 * DAY - 14 * HOUR, "REVOKED_NO_POE"),
    ],
)
def test_without_offset_only_a_sure_claim_is_held_against_the_signer(
    claimed: timedelta, expected: str
) -> None:
    """A claimed time counts as after the revocation only if it is in every zone."""
    crl = make_crl(PKI.issuing, revoked=[SERIAL])
    assert _state(_with(crl, claimed=NOW + claimed, zone=False)) == expected


@pytest.mark.parametrize(
    ("dates", "scene", "expected"),
    [
        ({"next_update": NOW + HOUR}, {}, "good"),
        ({"next_update": NOW}, {}, "good"),
        ({"next_update": NOW - HOUR}, {}, "unknown"),
        # Newer than the time it is judged at: nothing was revoked by then.
        ({"this_update": NOW + DAY}, {}, "good"),
        # Stale, but issued after the signature is proven to have existed.
        (
            {"this_update": NOW - 2 * DAY, "next_update": NOW - DAY},
            {"claimed": NOW - 3 * DAY, "proven": NOW - 3 * DAY},
            "good",
        ),
        (
            {"this_update": NOW - 4 * DAY, "next_update": NOW - DAY},
            {"claimed": NOW - 3 * DAY, "proven": NOW - 3 * DAY},
            "unknown",
        ),
    ],
)
def test_how_current_a_list_must_be(
    dates: dict[str, Any], scene: dict[str, Any], expected: str
) -> None:
    """Silence counts in a current list, or in one issued after the proven time."""
    assert _state(_with(make_crl(PKI.issuing, **dates), **scene)) == expected


def test_a_stale_list_still_revokes() -> None:
    """Revocation does not go stale."""
    crl = make_crl(
        PKI.issuing, revoked=[SERIAL], this_update=NOW - 4 * DAY, next_update=NOW - 3 * DAY
    )
    assert _state(_with(crl)) == "REVOKED"


def test_revoked_after_the_judged_time_is_not_revoked_yet() -> None:
    """Judged at an earlier time, a later revocation has not happened."""
    crl = make_crl(PKI.issuing, revoked=[SERIAL])
    assert _state(_with(crl, claimed=NOW - 8 * DAY, at=NOW - 7 * DAY)) == "good"


def test_a_revoked_certificate_stays_so_in_a_newer_list() -> None:
    """One list that revokes outweighs a newer one that is silent."""
    old = make_crl(PKI.issuing, revoked=[SERIAL], this_update=NOW - 4 * DAY)
    assert _state(_with(make_crl(PKI.issuing), old)) == "REVOKED"


def test_the_earliest_revocation_counts() -> None:
    """Of two dates the earlier one is taken."""
    late = make_crl(PKI.issuing, revoked=[revoked_entry(SERIAL, at=NOW - HOUR)])
    early = make_crl(PKI.issuing, revoked=[revoked_entry(SERIAL, at=NOW - 9 * DAY)])
    scene = {"claimed": NOW - 5 * DAY, "proven": NOW - 5 * DAY}
    assert _state(_with(late, **scene)) == "good"
    assert _state(_with(late, early, **scene)) == "REVOKED"


def test_a_key_compromised_earlier_counts_from_then() -> None:
    """The invalidity date moves a revocation back."""
    entry = revoked_entry(SERIAL, at=NOW - 2 * DAY, invalidity=NOW - 9 * DAY)
    crl = make_crl(PKI.issuing, revoked=[entry])
    scene = {"claimed": NOW - 5 * DAY, "proven": NOW - 5 * DAY}
    assert _state(_with(crl, **scene)) == "REVOKED"


@pytest.mark.parametrize(
    ("release", "expected"),
    [(None, "TRY_LATER"), (NOW - HOUR, "good"), (NOW - 9 * DAY, "TRY_LATER")],
)
def test_a_hold_may_be_lifted(release: datetime | None, expected: str) -> None:
    """A certificate on hold is undecided until a newer list is silent about it."""
    held = make_crl(
        PKI.issuing, revoked=[revoked_entry(SERIAL, reason=HOLD)], this_update=NOW - 4 * DAY
    )
    lists = [held] if release is None else [held, make_crl(PKI.issuing, this_update=release)]
    assert _state(_with(*lists)) == expected


def test_silence_about_an_expired_certificate_says_nothing() -> None:
    """A list issued after expiry may have dropped the entry, unless it says it keeps them."""
    signer = issue(PKI.issuing, "Past", slot="case", not_after=NOW - 5 * DAY)
    scene: dict[str, Any] = {
        "signer": signer,
        "claimed": NOW - 6 * DAY,
        "proven": NOW - 6 * DAY,
    }
    keeps = x509.UnrecognizedExtension(
        x509.ObjectIdentifier("2.5.29.60"), b"\x18\x0f20200101000000Z"
    )
    assert _state(_with(make_crl(PKI.issuing), **scene)) == "unknown"
    assert _state(_with(make_crl(PKI.issuing, extensions=[(keeps, False)]), **scene)) == "good"


@pytest.mark.parametrize(
    ("extension", "silent", "listed"),
    [
        (_scope(only_contains_user_certs=True), "good", "REVOKED"),
        (_scope(only_contains_ca_certs=True), "unknown", "REVOKED"),
        (_scope(only_contains_attribute_certs=True), "unknown", "REVOKED"),
        (
            _scope(only_some_reasons=frozenset([x509.ReasonFlags.key_compromise])),
            "unknown",
            "REVOKED",
        ),
        (_scope(full_name=_url("http://crl.test/2")), "unknown", "REVOKED"),
        ((x509.DeltaCRLIndicator(1), True), "unknown", "REVOKED"),
        (_scope(indirect_crl=True), "good", "REVOKED"),
        ((Unknown(), True), "unknown", "unknown"),
        ((Unknown(), False), "good", "REVOKED"),
    ],
    ids=str,
)
def test_silence_counts_only_within_scope(
    extension: tuple[x509.ExtensionType, bool], silent: str, listed: str
) -> None:
    """A list that leaves the certificate out of its scope cannot clear it, yet can revoke it."""
    assert _state(_with(make_crl(PKI.issuing, extensions=[extension]))) == silent
    full = make_crl(PKI.issuing, revoked=[SERIAL], extensions=[extension])
    assert _state(_with(full)) == listed


def test_the_partition_named_in_the_certificate_counts() -> None:
    """A partitioned list clears the certificates that point at it."""
    signer = issue(PKI.issuing, "Pointed", slot="case", crl_url="http://crl.test/2")
    crl = make_crl(PKI.issuing, extensions=[_scope(full_name=_url("http://crl.test/2"))])
    assert _state(_with(crl, signer=signer)) == "good"


@pytest.mark.parametrize(
    "options",
    [
        {"signing_key": PKI.author.key},
        {"issuer_name": PKI.root.certificate.subject},
    ],
    ids=["wrong key", "other name"],
)
def test_a_list_by_somebody_else_is_not_believed(options: dict[str, Any]) -> None:
    """A list that the issuer did not sign neither clears nor revokes."""
    assert _state(_with(make_crl(PKI.issuing, **options))) == "unknown"
    assert _state(_with(make_crl(PKI.issuing, revoked=[SERIAL], **options))) == "unknown"


def test_an_authority_that_may_not_sign_lists_is_not_believed() -> None:
    """A CA certificate without cRLSign vouches for no list."""
    ca = issue(PKI.root, "Mute CA", ca=True, slot="mute", usage=["key_cert_sign"])
    signer = issue(ca, "Case", slot="case")
    given = material(intermediates=[ca], crls=[ROOT_CRL, make_crl(ca)])
    assert _state(judge(signer, given=given)) == "unknown"


@pytest.mark.parametrize(("vouched", "expected"), [(True, "REVOKED"), (False, "unknown")])
def test_a_renewed_authority_signs_for_its_old_self(vouched: bool, expected: str) -> None:
    """After a change of key, lists signed with the new one count if the same CA vouches for it."""
    subject = PKI.issuing.certificate.subject
    stranger = issue(None, "Stranger", ca=True, slot="stranger")
    renewed = issue(PKI.root if vouched else stranger, ca=True, subject=subject, slot="new-ca")
    given = material(
        intermediates=[PKI.issuing, renewed],
        crls=[ROOT_CRL, make_crl(renewed, revoked=[SERIAL])],
    )
    assert _state(judge(PKI.author, given=given)) == expected


LISTS_ONLY: dict[str, Any] = {"slot": "lists", "usage": ["crl_sign"]}
ISSUING_NAME = PKI.issuing.certificate.subject


@pytest.mark.parametrize(
    ("signer", "expected"),
    [
        (issue(PKI.root, subject=ISSUING_NAME, **LISTS_ONLY), "good"),
        (issue(PKI.issuing, subject=ISSUING_NAME, **LISTS_ONLY), "good"),
        (issue(PKI.root, subject=ISSUING_NAME, slot="lists", usage=None), "unknown"),
        (issue(PKI.root, subject=ISSUING_NAME, slot="lists"), "unknown"),
        (issue(None, subject=ISSUING_NAME, ca=True, slot="lists"), "unknown"),
        (issue(PKI.root, subject=ISSUING_NAME, not_after=NOW - 9 * DAY, **LISTS_ONLY), "unknown"),
        (issue(PKI.root, subject=ISSUING_NAME, not_before=NOW - HOUR, **LISTS_ONLY), "unknown"),
    ],
    ids=["by the CA above", "by itself", "mute", "no lists", "by nobody", "expired", "too early"],
)
def test_an_authority_may_keep_a_key_for_its_lists(signer: Entity, expected: str) -> None:
    """A key for lists only is believed while its certificate, by the same authority, is valid."""
    given = material(
        intermediates=[PKI.issuing, signer],
        crls=[ROOT_CRL, make_crl(PKI.issuing, signing_key=signer.key)],
    )
    assert _state(judge(PKI.author, given=given)) == expected


def test_a_revoked_key_for_lists_is_not_believed() -> None:
    """A list signed with a key that the authority revoked clears nobody."""
    signer = issue(PKI.root, subject=ISSUING_NAME, **LISTS_ONLY)
    given = material(
        intermediates=[PKI.issuing, signer],
        crls=[
            make_crl(PKI.root, revoked=[signer.certificate.serial_number]),
            make_crl(PKI.issuing, signing_key=signer.key),
        ],
    )
    assert _state(judge(PKI.author, given=given)) == "unknown"


def test_a_certificate_with_a_negative_number_is_looked_up() -> None:
    """A serial number that RFC 5280 forbids is found in a list all the same."""
    odd = asn1_x509.Certificate.load(issue(PKI.issuing, "Odd", slot="case").der)
    odd["tbs_certificate"]["serial_number"] = -5
    key = PKI.issuing.key
    assert isinstance(key, rsa.RSAPrivateKey)
    body = odd["tbs_certificate"].dump(force=True)
    odd["signature_value"] = key.sign(body, padding.PKCS1v15(), hashes.SHA256())
    given = material(crls=[ROOT_CRL, make_crl(PKI.issuing)])
    assert _state(judge(odd.dump(force=True), given=given)) == "good"


def _responder(**options: Any) -> Entity:
    defaults: dict[str, Any] = {
        "slot": "responder",
        "usage": ["digital_signature"],
        "extended_usage": [ExtendedKeyUsageOID.OCSP_SIGNING],
    }
    return issue(options.pop("by", PKI.issuing), "Responder", **(defaults | options))


REVOKED = ocsp.OCSPCertStatus.REVOKED
STRANGER = issue(None, "Stranger", ca=True, slot="stranger")


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, "good"),
        ({"responder": _responder()}, "good"),
        ({"status": REVOKED}, "REVOKED"),
        ({"status": REVOKED, "responder": _responder()}, "REVOKED"),
        ({"status": REVOKED, "reason": HOLD}, "TRY_LATER"),
        ({"status": REVOKED, "revoked_at": NOW - HOUR}, "REVOKED_NO_POE"),
        ({"status": ocsp.OCSPCertStatus.UNKNOWN}, "unknown"),
        ({"next_update": NOW - timedelta(minutes=5)}, "unknown"),
        ({"next_update": None}, "unknown"),
        ({"next_update": None, "this_update": NOW}, "good"),
        ({"responder": _responder(extended_usage=[])}, "unknown"),
        ({"responder": _responder(by=PKI.root)}, "unknown"),
        ({"responder": _responder(by=STRANGER)}, "unknown"),
        ({"responder": PKI.author, "status": REVOKED}, "unknown"),
        ({"responder": _responder(not_after=NOW - 2 * DAY)}, "unknown"),
    ],
)
def test_ocsp_counts_whether_or_not_declared(options: dict[str, Any], expected: str) -> None:
    """A response counts if the issuer or its delegate signed it, without an AIA extension."""
    response = make_ocsp(PKI.issuing, PKI.author, **options)
    assert _state(_with(ocsps=[response])) == expected


def test_a_response_about_another_certificate_is_not_about_this_one() -> None:
    """A response settles only the certificate it names."""
    response = make_ocsp(PKI.issuing, PKI.supervisor, status=REVOKED)
    assert _state(_with(ocsps=[response])) == "unknown"


def test_a_revoked_responder_is_not_believed() -> None:
    """A delegate whom a list revokes cannot clear anyone."""
    responder = _responder()
    crl = make_crl(
        PKI.issuing,
        revoked=[responder.certificate.serial_number],
        extensions=[_scope(only_contains_ca_certs=True)],
    )
    response = make_ocsp(PKI.issuing, PKI.author, responder=responder)
    assert _state(_with(crl, ocsps=[response])) == "unknown"


def test_an_unsuccessful_response_says_nothing() -> None:
    """A responder's error message settles nothing."""
    refused = ocsp.OCSPResponseBuilder.build_unsuccessful(ocsp.OCSPResponseStatus.TRY_LATER)
    assert _state(_with(ocsps=[refused])) == "unknown"


def test_a_list_and_a_response_add_up() -> None:
    """Good by OCSP does not undo revoked by CRL."""
    good = make_ocsp(PKI.issuing, PKI.author)
    assert _state(_with(make_crl(PKI.issuing, revoked=[SERIAL]), ocsps=[good])) == "REVOKED"


def _resigned(
    crl: x509.CertificateRevocationList,
    algorithm: hashes.HashAlgorithm,
    *,
    next_update: bool = True,
) -> x509.CertificateRevocationList:
    """Return a list as the library would not make it: a weak hash, or no date of the next."""
    changed = asn1_crl.CertificateList.load(crl.public_bytes(Encoding.DER))
    scheme = {"algorithm": f"{algorithm.name}_rsa"}
    changed["tbs_cert_list"]["signature"] = changed["signature_algorithm"] = scheme
    if not next_update:
        del changed["tbs_cert_list"]["next_update"]
    body = changed["tbs_cert_list"].dump(force=True)
    key = PKI.issuing.key
    assert isinstance(key, rsa.RSAPrivateKey)
    changed["signature"] = key.sign(body, padding.PKCS1v15(), algorithm)
    return x509.load_der_x509_crl(changed.dump(force=True))


@pytest.mark.parametrize("algorithm", [hashes.SHA1(), hashes.MD5()])  # noqa: S303
def test_a_weakly_signed_list_cannot_clear_anyone(algorithm: hashes.HashAlgorithm) -> None:
    """Silence in a list with a weak signature says nothing; a revocation in it counts."""
    silent, listed = make_crl(PKI.issuing), make_crl(PKI.issuing, revoked=[SERIAL])
    assert _state(_with(_resigned(silent, hashes.SHA256()))) == "good"
    assert _state(_with(_resigned(silent, algorithm))) == "unknown"
    assert _state(_with(_resigned(listed, algorithm))) == "REVOKED"


def test_a_list_without_a_next_one_is_never_current() -> None:
    """A list that does not say when the next one comes clears nobody."""
    endless = _resigned(make_crl(PKI.issuing), hashes.SHA256(), next_update=False)
    assert _state(_with(endless)) == "unknown"


def test_an_entry_of_a_delta_that_releases_does_not_clear() -> None:
    """A delta list alone releases nobody."""
    entry = (
        x509.RevokedCertificateBuilder()
        .serial_number(SERIAL)
        .revocation_date(NOW - DAY)
        .add_extension(x509.CRLReason(x509.ReasonFlags.remove_from_crl), critical=False)
        .build()
    )
    assert entry.extensions[0].oid == CRLEntryExtensionOID.CRL_REASON
    delta = make_crl(PKI.issuing, revoked=[entry], extensions=[(x509.DeltaCRLIndicator(1), True)])
    assert _state(_with(delta)) == "unknown"


HELD = revoked_entry(SERIAL, reason=HOLD)
RELEASED = revoked_entry(SERIAL, at=NOW - DAY, reason=x509.ReasonFlags.remove_from_crl)
FOR_USERS = _scope(only_contains_user_certs=True)


@pytest.mark.parametrize(
    ("base", "since", "divided", "expected"),
    [
        (5, 5, False, "good"),
        (6, 5, False, "good"),
        (4, 5, False, "TRY_LATER"),
        (5, 5, True, "TRY_LATER"),
    ],
)
def test_a_delta_releases_what_its_own_base_holds(
    base: int, since: int, divided: bool, expected: str
) -> None:
    """A release counts on top of the complete list that the delta continues, of the same scope."""
    scope = [FOR_USERS] if divided else []
    complete = make_crl(
        PKI.issuing, revoked=[HELD], number=base, this_update=NOW - 2 * DAY, extensions=scope
    )
    delta = make_crl(
        PKI.issuing,
        revoked=[RELEASED],
        number=7,
        this_update=NOW - HOUR,
        extensions=[(x509.DeltaCRLIndicator(since), True)],
    )
    assert _state(_with(complete, delta)) == expected


@pytest.mark.parametrize(("by_the_next", "expected"), [(True, "good"), (False, "unknown")])
def test_only_the_authority_above_vouches_for_a_key_for_lists(
    by_the_next: bool, expected: str
) -> None:
    """A key for lists in an authority's name is certified by that one or the next, no other."""
    middle = issue(PKI.root, "Middle CA", ca=True, slot="middle")
    issuing = issue(middle, "Lower CA", ca=True, slot="lower")
    author = issue(issuing, "Case", slot="case")
    lists = issue(
        middle if by_the_next else PKI.root, subject=issuing.certificate.subject, **LISTS_ONLY
    )
    given = material(
        intermediates=[middle, issuing, lists],
        crls=[ROOT_CRL, make_crl(middle), make_crl(issuing, signing_key=lists.key)],
    )
    assert _state(judge(author, given=given)) == expected


def _theirs(crl: x509.CertificateRevocationList, moment: datetime) -> str:
    """Return what certvalidator says about the author with one CRL of the issuing CA."""
    leaf, issuing, root = (
        asn1_x509.Certificate.load(each.public_bytes(Encoding.DER)) for each in PKI.author.chain
    )
    context = ValidationContext(
        trust_roots=[root],
        other_certs=[issuing],
        moment=moment,
        allow_fetching=False,
        crls=[crl.public_bytes(Encoding.DER)],
        revinfo_policy=CertRevTrustPolicy(
            RevocationCheckingPolicy(
                ee_certificate_rule=RevocationCheckingRule.CRL_REQUIRED,
                intermediate_ca_cert_rule=RevocationCheckingRule.NO_CHECK,
            ),
            retroactive_revinfo=True,
        ),
    )
    try:
        validate_path(context, ValidationPath(CertTrustAnchor(root), [issuing], leaf))
    except RevokedError:
        return "revoked"
    except InsufficientRevinfoError:
        return "unknown"
    return "good"


@pytest.mark.parametrize(
    "crl",
    [
        make_crl(PKI.issuing),
        make_crl(PKI.issuing, revoked=[SERIAL]),
        make_crl(PKI.issuing, revoked=[revoked_entry(SERIAL, at=NOW - HOUR)]),
        make_crl(PKI.issuing, revoked=[SERIAL + 1000]),
        make_crl(PKI.issuing, next_update=NOW - HOUR),
        make_crl(PKI.issuing, signing_key=PKI.author.key),
        make_crl(PKI.root),
        make_crl(PKI.issuing, this_update=NOW + DAY),
        make_crl(PKI.issuing, extensions=[_scope(only_contains_user_certs=True)]),
        make_crl(PKI.issuing, extensions=[_scope(only_contains_ca_certs=True)]),
        make_crl(PKI.issuing, extensions=[(Unknown(), True)]),
    ],
)
@pytest.mark.parametrize("moment", [NOW, NOW - 6 * DAY, NOW - 2 * HOUR])
def test_certvalidator_agrees(crl: x509.CertificateRevocationList, moment: datetime) -> None:
    """Judged at a moment, our rule and certvalidator's come to the same status."""
    ours = _state(
        judge(PKI.author, claimed=moment, at=moment, given=material(crls=[ROOT_CRL, crl]))
    )
    short = "revoked" if ours.startswith("REVOKED") else ours
    assert short == _theirs(crl, moment)


def _with_a_mode(mode: str, **supplied: Any) -> str:
    """Return what certvalidator says about a signer in one of its named modes."""
    signer = supplied.pop("signer", PKI.author)
    leaf, issuing, root = (
        asn1_x509.Certificate.load(each.public_bytes(Encoding.DER)) for each in signer.chain
    )
    der = {
        kind: [each.public_bytes(Encoding.DER) for each in given]
        for kind, given in supplied.items()
    }
    context = ValidationContext(
        trust_roots=[root], moment=NOW, allow_fetching=False, revocation_mode=mode, **der
    )
    try:
        validate_path(context, ValidationPath(CertTrustAnchor(root), [issuing], leaf))
    except RevokedError:
        return "revoked"
    return "good"


@pytest.mark.parametrize("mode", ["soft-fail", "hard-fail"])
def test_the_named_modes_overlook_a_list_that_we_heed(mode: str) -> None:
    """A list that revokes a certificate without distribution point counts here, not there."""
    crl = make_crl(PKI.issuing, revoked=[SERIAL])
    assert _with_a_mode(mode, crls=[ROOT_CRL, crl]) == "good"
    assert _state(_with(crl)) == "REVOKED"


@pytest.mark.parametrize("mode", ["soft-fail", "hard-fail"])
def test_the_named_modes_overlook_a_response_that_we_heed(mode: str) -> None:
    """A response about a certificate that names no responder counts here, not there."""
    revoked = make_ocsp(PKI.issuing, PKI.author, status=REVOKED)
    assert _with_a_mode(mode, crls=[ROOT_CRL], ocsps=[revoked]) == "good"
    assert _state(_with(ocsps=[revoked])) == "REVOKED"


def test_a_response_after_the_moment_is_understood() -> None:
    """Revoked by OCSP later than the proven time is good here; certvalidator does not know."""
    response = make_ocsp(PKI.issuing, PKI.author, status=REVOKED, revoked_at=NOW - 2 * HOUR)
    moment = NOW - DAY
    trust = _with(ocsps=[response], claimed=moment, proven=moment)
    assert "CERT_REVOCATION" not in failures(trust)
