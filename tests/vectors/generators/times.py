"""Claimed times: before, after, unreadable, and zones that change the answer.

The signer's certificate is valid from 2026-10-21 12:00 UTC; checked on 2026-11-20 at 12:00 UTC.
"""

from __future__ import annotations

from datetime import timedelta

from tests.support.case import Case
from tests.support.forge import edited, forge_signature
from tests.support.pki import NOW, demo_pki, issue
from tests.support.signed import author_report, plain_report

__all__ = [
    "before_the_certificate",
    "beyond_the_certificate",
    "beyond_the_easternmost_offset",
    "beyond_the_skew",
    "beyond_the_westernmost_offset",
    "certificate_expired_since",
    "digits_of_tomorrow",
    "easternmost_offset",
    "easternmost_offset_a_second_early",
    "from_the_future",
    "hour_25",
    "made_after_expiry",
    "not_a_date",
    "offset_as_letter",
    "offset_minus_zero",
    "offset_of_sixty_minutes",
    "sixty_second",
    "valid_only_with_its_zone",
    "westernmost_offset",
    "westernmost_offset_a_second_early",
    "within_the_skew",
    "without_offset",
    "without_offset_near_the_beginning",
    "zone_hides_that_it_is_too_early",
    "zone_of_a_hundred_hours",
]


def _claimed(text: str) -> bytes:
    return edited(plain_report(), lambda n: forge_signature(n, claimed=text))


def from_the_future() -> bytes:
    return _claimed("20261120180000+0000")


def beyond_the_certificate() -> bytes:
    return _claimed("20391120090000+0000")


def before_the_certificate() -> bytes:
    return _claimed("20260101090000+0000")


def zone_hides_that_it_is_too_early() -> bytes:
    """The digits are after the certificate's beginning, the moment is before it."""
    return _claimed("20261021130000+0200")


def valid_only_with_its_zone() -> bytes:
    """The digits are before the certificate's beginning, the moment is after it."""
    return _claimed("20261021110000-0200")


def without_offset() -> bytes:
    return _claimed("20261118090000")


def not_a_date() -> bytes:
    return _claimed("yesterday")


def hour_25() -> bytes:
    return _claimed("20261120250000+0000")


def sixty_second() -> bytes:
    return _claimed("20261118235960+0000")


def zone_of_a_hundred_hours() -> bytes:
    return _claimed("20261118090000+9900")


def easternmost_offset() -> bytes:
    """14 hours east of Greenwich, the very second the certificate becomes valid."""
    return _claimed("20261022020000+1400")


def easternmost_offset_a_second_early() -> bytes:
    return _claimed("20261022015959+1400")


def westernmost_offset() -> bytes:
    """12 hours west of Greenwich, the very second the certificate becomes valid."""
    return _claimed("20261021000000-1200")


def westernmost_offset_a_second_early() -> bytes:
    return _claimed("20261020235959-1200")


def beyond_the_easternmost_offset() -> bytes:
    return _claimed("20261118090000+1401")


def beyond_the_westernmost_offset() -> bytes:
    return _claimed("20261118090000-1201")


def offset_of_sixty_minutes() -> bytes:
    return _claimed("20261118090000+0060")


def offset_as_letter() -> bytes:
    return _claimed("20261118090000Z")


def offset_minus_zero() -> bytes:
    return _claimed("20261118090000-0000")


def without_offset_near_the_beginning() -> bytes:
    """Thirteen hours into the certificate: some zone puts it before."""
    return _claimed("20261022010000")


def within_the_skew() -> bytes:
    return _claimed("20261120120500+0000")


def beyond_the_skew() -> bytes:
    return _claimed("20261120120501+0000")


def digits_of_tomorrow() -> bytes:
    """It is tomorrow already where the signature was made."""
    return _claimed("20261121020000+1400")


def made_after_expiry() -> bytes:
    """Claimed after the certificate's end, and checked later still."""
    signer = issue(
        demo_pki().issuing,
        "Anna Meier",
        slot="author",
        not_before=NOW - timedelta(days=30),
        not_after=NOW - timedelta(days=3),
    )
    return edited(
        plain_report(),
        lambda n: forge_signature(n, signer, claimed="20261119090000+0000"),
    )


def certificate_expired_since() -> Case:
    """Nothing proves that the signature is older than the certificate's end."""
    return Case(data=author_report(), at=NOW + timedelta(days=1200))
