"""Use case: sign, with a key that is here, what a service elsewhere has prepared.

Every document is read back from its bytes, shown and confirmed before a PIN is asked; the service
gets signature values and nothing else. A session is signed whole or refused whole.

Cites: PS3.15 A.4, C.4; Regulation (EU) 910/2014 Article 26 (c).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol

from sr.app.signatures.offer import Offer, ShownDocument, examine_offer
from sr.app.signatures.signing_span import SigningSpan
from sr.errors import (
    ConflictError,
    DatasetError,
    ExpiredError,
    MismatchError,
    NotFoundError,
    PINError,
    SignerUnavailableError,
    SigningError,
    SRError,
    TimestampError,
)

__all__ = ["Ended", "Refusal", "RemoteService", "Signatory", "sign_offers"]


class Refusal(StrEnum):
    """Why a session was not signed, as the service is told."""

    DECLINED = "declined"
    """By the person."""
    MISMATCH = "mismatch"
    """What the service says is not what it asks to sign."""
    KEY = "key"
    """The key does not sign that."""


class RemoteService(Protocol):
    """The service, as the signer's side meets it. Every method may raise ``SRError``."""

    def stream(self, session_id: str, n: int) -> bytes:
        """Return the MAC stream of one document."""

    def complete(self, session_id: str, values: Mapping[int, bytes]) -> tuple[dict[str, Any], ...]:
        """Hand over signature values by number of the document, and return the verdicts.

        Without any, those that the service has kept are used.

        Raises:
            TimestampError: There is no time-stamp now; the values are kept there.
            ConflictError: A document changed.
            ExpiredError: The session is over.
        """

    def refuse(self, session_id: str, why: Refusal) -> None:
        """Say that a session will not be signed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signatory:
    """Who signs: the key, the person who confirms, and the clock."""

    certificate: bytes
    """DER."""
    span: SigningSpan
    confirm: Callable[[Offer, ShownDocument], bool]
    """Shows a document with the match code of its session, and asks."""
    now: Callable[[], datetime]
    clock_skew: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """What became of one session."""

    offer: Offer
    verdicts: tuple[dict[str, Any], ...] = ()
    declined: bool = False
    error: SRError | None = None

    @property
    def is_kept(self) -> bool:
        """Whether only a time-stamp is missing; it is asked for again without the key."""
        return isinstance(self.error, TimestampError)


def sign_offers(
    offers: Iterable[Offer], service: RemoteService, signatory: Signatory
) -> Iterator[Ended]:
    """Sign the sessions that are confirmed, and yield what became of each.

    Args:
        offers: Sessions that wait for this signer.
        service: The service they are of.
        signatory: Who signs.

    Raises:
        PINError: The PIN is wrong or locked; nothing more is signed, the session waits on.
        SignerUnavailableError: The token failed; likewise.
        ExternalServiceError: The service cannot be reached.
        AuthenticationError: The service does not know this signer any more.

    Cites: PS3.15 A.4, C.4.
    """
    for offer in offers:
        try:
            yield _handle(offer, service, signatory)
        except (PINError, SignerUnavailableError):
            raise
        except (TimestampError, ConflictError, ExpiredError, NotFoundError) as error:
            yield Ended(offer=offer, error=error)
        except (SigningError, DatasetError) as error:
            mismatch = isinstance(error, MismatchError | DatasetError)
            service.refuse(offer.id, Refusal.MISMATCH if mismatch else Refusal.KEY)
            yield Ended(offer=offer, error=error)


def _handle(offer: Offer, service: RemoteService, signatory: Signatory) -> Ended:
    if offer.has_values:
        return Ended(offer=offer, verdicts=service.complete(offer.id, {}))
    shown = examine_offer(
        offer,
        {document.n: service.stream(offer.id, document.n) for document in offer.documents},
        certificate=signatory.certificate,
        now=signatory.now(),
        clock_skew=signatory.clock_skew,
    )
    if not all(signatory.confirm(offer, document) for document in shown):
        service.refuse(offer.id, Refusal.DECLINED)
        return Ended(offer=offer, declined=True)
    if signatory.now() >= offer.expires_at:
        raise ExpiredError("the time of the signing session is over", hint="open another one")
    values = {}
    for document in shown:
        signer = signatory.span.signer()
        values[document.n] = signer.sign_digest(document.digest, offer.mac_algorithm)
        signatory.span.count()
    return Ended(offer=offer, verdicts=service.complete(offer.id, values))
