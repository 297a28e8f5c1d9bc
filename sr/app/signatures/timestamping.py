"""Obtain a time-stamp for a signature that was just made, and believe nothing of it unseen.

The token is held against the request, its authority against RFC 3161 and the anchors that are
known, its time against our own clock. Only then does it go into the document.

Cites: PS3.3 C.12.1.1.3.1.3; RFC 3161 2.2, 2.4.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sr.app.ports import Timestamping
from sr.errors import TimestampError, TrustEvidenceError
from sr.findings import Finding, Status
from sr.trust import evaluate_timestamp, load_policy
from sr.trust.timestamp import TimestampToken
from sr.trust.timestamp_exchange import TimestampRequest, token_in_response

__all__ = ["ObtainedTimestamp", "obtain_timestamp"]

_CHAIN = "TIMESTAMP_CHAIN"


@dataclass(frozen=True, slots=True, kw_only=True)
class ObtainedTimestamp:
    """A time-stamp as it is stored, and what the signer should know about it."""

    token: bytes
    """TimeStampToken, DER."""
    generated_at: datetime
    notices: tuple[Finding, ...]


def obtain_timestamp(
    value: bytes,
    timestamping: Timestamping,
    *,
    claimed_at: datetime,
    now: Callable[[], datetime],
    clock_skew: timedelta,
) -> ObtainedTimestamp:
    """Return a token over a signature value, and what should be known about it.

    Args:
        value: The signature value, without pad byte.
        timestamping: Whom to ask, and what is demanded.
        claimed_at: DigitalSignatureDateTime (0400,0105) of the signature.
        now: The time after the answer.
        clock_skew: How far the authority's clock may be from ours.

    Raises:
        TimestampError: No answer, a refusal, or an answer that must not be stored.

    Cites: PS3.3 C.12.1.1.3.1.3; RFC 3161 2.2.
    """
    name = timestamping.authority.name
    request = TimestampRequest(
        value=value, nonce=timestamping.new_nonce(), policy=timestamping.policy
    )
    response = timestamping.authority.respond(request.encode())
    try:
        der, token = token_in_response(response, request)
    except TrustEvidenceError as error:
        raise TimestampError(f"time-stamp authority {name}: {error}") from error
    arrived = now()
    if not claimed_at - clock_skew <= token.generated_at <= arrived + clock_skew:
        raise TimestampError(
            f"time-stamp authority {name} says that it is {token.generated_at:%Y-%m-%d %H:%M:%SZ}, "
            f"this machine {arrived:%Y-%m-%d %H:%M:%SZ}",
            hint="set the clock of this machine; DigitalSignatureDateTime (0400,0105) is signed",
        )
    if token.accuracy > clock_skew:
        raise TimestampError(f"time-stamp authority {name} knows its time to {token.accuracy} only")
    return ObtainedTimestamp(
        token=der,
        generated_at=token.generated_at,
        notices=_judged(token, timestamping, arrived),
    )


def _judged(
    token: TimestampToken, timestamping: Timestamping, arrived: datetime
) -> tuple[Finding, ...]:
    """Refuse a token that the default policy would not pass; say if nobody vouches for it."""
    material = timestamping.material
    trust = evaluate_timestamp(
        token,
        judged_at=max(arrived, token.generated_at),
        material=material,
        policy=load_policy("standard"),
    )
    name = timestamping.authority.name
    for each in trust.findings:
        if each.status is Status.FAIL:
            raise TimestampError(f"time-stamp authority {name}: {each.message}")
    if (material.anchors or material.timestamp_anchors) and trust.proven_at is None:
        raise TimestampError(
            f"time-stamp authority {name}: no chain of signatures to a trust anchor",
            hint="the anchors for time-stamps are those of the setting timestamp.anchor",
        )
    return tuple(
        each for each in trust.findings if each.rule == _CHAIN and each.status is Status.WARN
    )
