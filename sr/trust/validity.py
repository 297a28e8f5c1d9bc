"""Rules on time: what is claimed, what is proven, and when it is judged.

The claimed time is the signer's word and is judged as such. What counts as existence is the
proven time, else the time of judging. A claimed time without offset from UTC is a window of 14
hours to either side. The anchor's dates are its owner's affair and only remarked upon.

Cites: PS3.3 C.12.1.1.3; RFC 5280 4.1.2.5; EN 319 102-1 5.2.6.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sr.findings import SubIndication
from sr.trust import rules
from sr.trust.algorithms import Moments
from sr.trust.certificate import Certificate
from sr.trust.policy import TrustPolicy
from sr.trust.rules import Fault, Outcome

__all__ = ["Times", "check_claim", "check_form", "check_times"]

_ZONES = timedelta(hours=14)
"""The largest offset from UTC in use."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Times(Moments):
    """The moments that matter for one signature; all aware.

    Methods subtract moments rather than move them: a claim may lie at the end of the calendar.
    """

    claimed_zone_known: bool

    @property
    def slack(self) -> timedelta:
        """How far the true claimed time may be from the one given."""
        return timedelta(0) if self.claimed_zone_known else _ZONES

    def claims_before(self, moment: datetime, tolerance: timedelta = timedelta(0)) -> bool:
        """Return whether the claimed time is before ``moment`` by a tolerance in any zone."""
        return self.claimed_at is not None and moment - self.claimed_at > self.slack + tolerance

    def claims_not_before(self, moment: datetime) -> bool:
        """Return whether the claimed time is ``moment`` or later in any zone."""
        return self.claimed_at is not None and self.claimed_at - moment >= self.slack

    def exceeds(self, moment: datetime, tolerance: timedelta = timedelta(0)) -> bool:
        """Return whether the claimed time is later than ``moment`` and a tolerance in any zone."""
        return self.claimed_at is not None and self.claimed_at - moment > self.slack + tolerance

    def may_be_outside(self, certificate: Certificate) -> bool:
        """Return whether some zone puts the claimed time outside a certificate's validity."""
        if self.claimed_at is None:
            return False
        return (
            self.claimed_at - certificate.not_before < self.slack
            or certificate.not_after - self.claimed_at < self.slack
        )


def check_claim(times: Times, policy: TrustPolicy) -> Iterator[Outcome]:
    """Yield the outcomes of the rules on the claimed time itself."""
    future = times.exceeds(times.judged_at, policy.clock_skew)
    unborn = times.existed_at - times.judged_at > policy.clock_skew
    fault = Fault(message="the signature lies after the time it is judged at")
    yield rules.TIME_FUTURE, fault if future or unborn else None
    if times.proven_at is not None:
        after = times.exceeds(times.proven_at, policy.clock_skew)
        fault = Fault(message="the claimed time is later than the proven one, so it is not true")
        yield rules.TIME_AFTER_PROOF, fault if after else None
        long_before = times.claims_before(times.proven_at, policy.timestamp_delay)
        fault = Fault(message="the claimed time is long before the proven one; it may be invented")
        yield rules.TIME_LONG_BEFORE_PROOF, fault if long_before else None


def check_form(times: Times) -> Iterator[Outcome]:
    """Yield the outcomes of the rules on how the time is given: with offset, with proof."""
    if times.claimed_at is not None:
        fault = Fault(message="no offset from UTC: the time is known to 14 hours only")
        yield rules.TIME_NO_OFFSET, None if times.claimed_zone_known else fault
    fault = Fault(message="the time of the signature is only claimed; no time-stamp proves it")
    yield rules.TIME_PROVEN, fault if times.proven_at is None else None


def check_times(path: tuple[Certificate, ...], times: Times) -> Iterator[Outcome]:
    """Yield the outcomes of the rules that hold moments against the validity of a path.

    Args:
        path: Signer first, anchor last; a signer who is an anchor is judged as signer.
        times: The moments.
    """
    anchor = path[-1]
    below = path[:-1] or path
    fault = next(filter(None, (_validity(each, times, path[0]) for each in below)), None)
    yield rules.CERT_VALIDITY, fault
    if fault is None:
        yield (
            rules.CERT_VALIDITY_POE,
            next(filter(None, (_poe(each, times) for each in below)), None),
        )
    if len(path) > 1:
        yield rules.CERT_ANCHOR_VALIDITY, _anchor_validity(anchor, times)


def _validity(certificate: Certificate, times: Times, signer: Certificate) -> Fault | None:
    start, end = certificate.not_before, certificate.not_after
    proven_inside = times.proven_at is not None and start <= times.proven_at <= end
    meaning = SubIndication.OUT_OF_BOUNDS_NO_POE
    if times.claims_before(start) or times.existed_at < start:
        message = f"signed before the certificate was valid ({start:%Y-%m-%d %H:%M:%SZ})"
        meaning = SubIndication.NOT_YET_VALID if certificate is signer else meaning
    elif times.exceeds(end):
        message = f"signed after the certificate expired ({end:%Y-%m-%d %H:%M:%SZ})"
        expired = certificate is signer and times.judged_at > end
        meaning = SubIndication.EXPIRED if expired else meaning
    elif times.may_be_outside(certificate) and not proven_inside:
        message = "without an offset from UTC, the time may lie outside the certificate's validity"
    else:
        return None
    return Fault(message=f"{certificate}: {message}", sub_indication=meaning)


def _poe(certificate: Certificate, times: Times) -> Fault | None:
    if times.existed_at <= certificate.not_after:
        return None
    message = f"expired {certificate.not_after:%Y-%m-%d %H:%M:%SZ}; nothing proves an earlier time"
    return Fault(message=f"{certificate}: {message}")


def _anchor_validity(anchor: Certificate, times: Times) -> Fault | None:
    moments = [times.existed_at, *([times.claimed_at] if times.claimed_at else [])]
    if all(anchor.not_before <= moment <= anchor.not_after for moment in moments):
        return None
    return Fault(message=f"{anchor}: the trust anchor's certificate is not valid at that time")
