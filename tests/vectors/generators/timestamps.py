"""Certified time-stamps: sound, about something else, or none at all."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from asn1crypto import cms
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from sr.trust import TrustMaterial
from tests.support.case import Case
from tests.support.forge import (
    apart,
    at,
    edited,
    forge_signature,
    signature_item,
)
from tests.support.pki import NOW, Entity, demo_pki, issue, make_crl, revoked_entry
from tests.support.signed import (
    APPROVED_AT,
    SIGNED_AT,
    approved_report,
    author_report,
    material,
    plain_report,
    sign,
)
from tests.support.tokens import STAMPED_AT, response, stamped, token, tsa

__all__ = [
    "about_another_value",
    "about_padded_value",
    "authority_compromised_later",
    "authority_expired_since",
    "authority_out_of_business_before",
    "authority_out_of_business_later",
    "authority_revoked_later_without_reason",
    "authority_with_unknown_revocation",
    "by_a_certification_authority",
    "by_a_signer",
    "by_an_authority_for_mail_too",
    "by_an_authority_that_may_encrypt",
    "by_an_authority_with_a_short_key",
    "by_an_authority_with_its_own_anchor",
    "by_an_elliptic_curve_authority",
    "by_an_unknown_authority",
    "certificates_out_of_order",
    "claim_without_offset",
    "content_changed",
    "followed_by_bytes",
    "from_the_future",
    "garbage",
    "imprint_with_sha1",
    "inaccurate_beyond_expiry",
    "long_after_the_claim",
    "made_after_the_authority_expired",
    "made_before_the_authority_was_valid",
    "named_in_the_old_way",
    "names_another_certificate",
    "names_no_certificate",
    "not_under_the_anchor_for_timestamps",
    "of_elliptic_curve_signature",
    "older_than_the_claim",
    "response_instead_of_token",
    "signed_as_something_else",
    "signed_document_instead_of_token",
    "signed_with_another_key",
    "signed_with_sha1",
    "signer_expired_and_authority_unknown",
    "signer_expired_before_the_timestamp",
    "signer_expired_since",
    "signer_revoked_before",
    "signer_revoked_between_claim_and_timestamp",
    "signer_revoked_since",
    "signer_under_the_anchor_for_timestamps",
    "sound",
    "taken_from_the_other_signature",
    "token_without_type",
    "type_unknown",
    "type_without_token",
    "under_an_authority_that_may_not_issue",
    "usage_not_critical",
    "with_pss",
    "without_its_certificate",
]


DAY, HOUR, MINUTE, SECOND = (timedelta(**{n: 1}) for n in ("days", "hours", "minutes", "seconds"))


def _stamped(
    make: Callable[[bytes], bytes | None], kind: str | None = "CMS_TSP", data: bytes = b""
) -> bytes:
    return stamped(data or author_report(), make, kind=kind)


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


def _token(**changes: Any) -> bytes:
    return _stamped(lambda value: token(value, **changes))


def names_another_certificate() -> bytes:
    pki = demo_pki()
    return _token(named=pki.archive, certificates=[pki.tsa, pki.archive])


def names_no_certificate() -> bytes:
    return _token(naming="")


def signed_with_another_key() -> bytes:
    return _token(signing_key=demo_pki().archive)


def signed_as_something_else() -> bytes:
    return _token(signed_type="data")


def taken_from_the_other_signature() -> bytes:
    """The author's time-stamp also stands beside the approval."""
    author = at(signature_item(apart(approved_report()).nodes, 0), 0x04000120).value
    stamp = token(author, at=APPROVED_AT + MINUTE)
    return stamped(approved_report(), lambda _value: stamp, number=1)


def named_in_the_old_way() -> bytes:
    return _token(naming="signing_certificate")


def certificates_out_of_order() -> bytes:
    """The set is not sorted as DER wants it, which ``openssl ts`` writes."""
    pki = demo_pki()

    def make(value: bytes) -> bytes:
        made = cms.ContentInfo.load(token(value, certificates=[pki.tsa, pki.issuing, pki.root]))
        whole = made.dump()
        first, *others = sorted(
            (each.chosen.dump() for each in made["content"]["certificates"]), reverse=True
        )
        old = b"".join(each.chosen.dump() for each in made["content"]["certificates"])
        assert old in whole
        unsorted = b"".join((first, *others))
        return whole.replace(old, unsorted if unsorted != old else b"".join((*others, first)))

    return _stamped(make)


def by_an_elliptic_curve_authority() -> bytes:
    authority = tsa(key_kind="p384", slot="tsa-ec")
    return _token(authority=authority, signature_algorithm="sha384_ecdsa", digest_hash="sha384")


def with_pss() -> bytes:
    return _token(signature_algorithm="rsassa_pss")


def imprint_with_sha1() -> bytes:
    return _token(imprint_hash="sha1")


def signed_with_sha1() -> bytes:
    return _token(digest_hash="sha1")


@cache
def _stranger() -> Entity:
    return issue(None, "Other Root", ca=True, slot="other-root")


def by_an_unknown_authority() -> bytes:
    return _token(authority=tsa(_stranger()))


def without_its_certificate() -> bytes:
    return _token(certificates=[])


def _with_timestamp_anchor(data: bytes, anchor: Entity) -> Case:
    sound = material()
    given = TrustMaterial(
        anchors=sound.anchors,
        intermediates=sound.intermediates,
        crls=(*sound.crls, make_crl(anchor).public_bytes(Encoding.DER)),
        timestamp_anchors=(anchor.der,),
    )
    return Case(data=data, given=given)


def by_an_authority_with_its_own_anchor() -> Case:
    return _with_timestamp_anchor(by_an_unknown_authority(), _stranger())


def not_under_the_anchor_for_timestamps() -> Case:
    """Where anchors for time-stamps are given, those for signers do not count for them."""
    return _with_timestamp_anchor(sound(), _stranger())


def signer_under_the_anchor_for_timestamps() -> Case:
    """An anchor for time-stamps vouches for no signer."""
    signer = issue(_stranger(), "Eve Elsewhere", slot="author")
    return _with_timestamp_anchor(sign(plain_report(), signer), _stranger())


def by_an_authority_for_mail_too() -> bytes:
    usages = [ExtendedKeyUsageOID.TIME_STAMPING, ExtendedKeyUsageOID.EMAIL_PROTECTION]
    return _token(authority=tsa(extended_usage=usages))


def by_a_signer() -> bytes:
    return _token(authority=demo_pki().archive)


def usage_not_critical() -> bytes:
    return _token(authority=tsa(extended_usage_critical=False))


def by_an_authority_that_may_encrypt() -> bytes:
    return _token(authority=tsa(usage=("digital_signature", "key_encipherment")))


def by_a_certification_authority() -> bytes:
    return _token(authority=tsa(demo_pki().root, ca=True))


def by_an_authority_with_a_short_key() -> bytes:
    return _token(authority=tsa(key_kind="rsa1024", slot="tsa-short"))


def under_an_authority_that_may_not_issue() -> bytes:
    """The certificate between authority and root is not that of a certification authority."""
    between = issue(demo_pki().issuing, "Not a CA", slot="between")
    authority = tsa(between)
    return _token(authority=authority, certificates=[authority, between])


def made_after_the_authority_expired() -> bytes:
    return _token(authority=tsa(not_after=STAMPED_AT - SECOND))


def made_before_the_authority_was_valid() -> bytes:
    return _token(authority=tsa(not_before=STAMPED_AT + SECOND))


def authority_expired_since() -> bytes:
    return _token(authority=tsa(not_after=STAMPED_AT + MINUTE))


def _revoked(
    data: bytes,
    entity: Entity,
    when: datetime,
    reason: x509.ReasonFlags | None = None,
    at: datetime = NOW,
) -> Case:
    pki = demo_pki()
    entry = revoked_entry(entity.certificate.serial_number, at=when, reason=reason)
    lists = (make_crl(pki.root), make_crl(pki.issuing, revoked=[entry], this_update=NOW - MINUTE))
    given = TrustMaterial(
        anchors=material().anchors,
        intermediates=material().intermediates,
        crls=tuple(each.public_bytes(Encoding.DER) for each in lists),
    )
    return Case(data=data, given=given, at=at)


def authority_compromised_later() -> Case:
    return _revoked(sound(), demo_pki().tsa, NOW - HOUR, x509.ReasonFlags.key_compromise)


def authority_revoked_later_without_reason() -> Case:
    return _revoked(sound(), demo_pki().tsa, NOW - HOUR)


def authority_out_of_business_later() -> Case:
    return _revoked(sound(), demo_pki().tsa, NOW - HOUR, x509.ReasonFlags.cessation_of_operation)


def authority_out_of_business_before() -> Case:
    return _revoked(sound(), demo_pki().tsa, STAMPED_AT, x509.ReasonFlags.cessation_of_operation)


def authority_with_unknown_revocation() -> Case:
    pki = demo_pki()
    given = TrustMaterial(
        anchors=material().anchors,
        intermediates=material().intermediates,
        crls=tuple(
            each.public_bytes(Encoding.DER)
            for each in (make_crl(pki.root), make_crl(pki.issuing), make_crl(_stranger()))
        ),
        timestamp_anchors=(pki.root.der, _stranger().der),
    )
    between = issue(_stranger(), "Silent CA", ca=True, slot="silent")
    authority = tsa(between)
    return Case(data=_token(authority=authority, certificates=[authority, between]), given=given)


def signer_expired_since() -> Case:
    """The certificate ends a day after the signature; the time-stamp is older."""
    signer = issue(demo_pki().issuing, "Anna Meier", slot="author", not_after=NOW)
    return Case(data=_stamped(token, data=sign(plain_report(), signer)), at=NOW + 20 * DAY)


def signer_expired_before_the_timestamp() -> Case:
    signer = issue(demo_pki().issuing, "Anna Meier", slot="author", not_after=NOW)
    late = _stamped(lambda v: token(v, at=NOW + HOUR), data=sign(plain_report(), signer))
    return Case(data=late, at=NOW + 20 * DAY)


def signer_expired_and_authority_unknown() -> Case:
    signer = issue(demo_pki().issuing, "Anna Meier", slot="author", not_after=NOW)
    unknown = tsa(_stranger())
    data = _stamped(lambda v: token(v, authority=unknown), data=sign(plain_report(), signer))
    return Case(data=data, at=NOW + 20 * DAY)


def claim_without_offset() -> bytes:
    """Some zone puts the claimed time before the certificate; the proven one is inside."""
    data = edited(plain_report(), lambda n: forge_signature(n, claimed="20261022010000"))
    return _stamped(lambda v: token(v, at=datetime(2026, 10, 22, 2, tzinfo=UTC)), data=data)


def signer_revoked_since() -> Case:
    return _revoked(sound(), demo_pki().author, STAMPED_AT + MINUTE)


def signer_revoked_between_claim_and_timestamp() -> Case:
    return _revoked(sound(), demo_pki().author, SIGNED_AT + 30 * SECOND)


def signer_revoked_before() -> Case:
    return _revoked(sound(), demo_pki().author, SIGNED_AT - HOUR)


def older_than_the_claim() -> bytes:
    return _token(at=SIGNED_AT - HOUR)


def long_after_the_claim() -> bytes:
    signed = sign(plain_report(), at=NOW - 10 * DAY)
    return _stamped(token, data=signed)


def from_the_future() -> bytes:
    return _token(at=NOW + HOUR)


def inaccurate_beyond_expiry() -> Case:
    """The authority's time is before the end of the certificate, but not by its inaccuracy."""
    signer = issue(demo_pki().issuing, "Anna Meier", slot="author", not_after=STAMPED_AT + MINUTE)
    data = _stamped(lambda v: token(v, accuracy={"seconds": 61}), data=sign(plain_report(), signer))
    return Case(data=data, at=NOW)
