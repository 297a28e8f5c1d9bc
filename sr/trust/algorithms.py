"""How long an algorithm or a key is good enough: one table with last days.

Until its last day an algorithm is good. After it, what provably existed by then stays good; a mere
claim to have existed is CRYPTO_CONSTRAINTS_FAILURE_NO_POE. The rows come from
``profiles/algorithms.toml`` and the policy.

Cites: EN 319 102-1 5.2.8.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from cryptography.hazmat.primitives.asymmetric import ec, rsa

from sr.findings import SubIndication

__all__ = ["AlgorithmRule", "Algorithms", "Moments"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Moments:
    """When something was signed."""

    claimed_at: datetime | None
    """What the signature says; without known zone, its digits taken as UTC."""
    proven_at: datetime | None
    """When a time-stamp proves that the signature existed."""
    judged_at: datetime

    @property
    def existed_at(self) -> datetime:
        """The earliest time at which the signature is known to have existed."""
        return self.proven_at or self.judged_at


@dataclass(frozen=True, slots=True, kw_only=True)
class AlgorithmRule:
    """An algorithm that is accepted."""

    name: str
    """Hash: the DICOM defined term; curve: its SEC name; RSA: the number of bits."""
    until: date | None
    """Last day on which a signature with it is good; ``None`` while no end is known."""
    cites: str

    def weakness(self, moments: Moments) -> SubIndication | None:
        """Return why a signature with it is not good enough, or ``None``.

        Cites: EN 319 102-1 5.2.8.
        """
        if self.until is None or moments.existed_at.date() <= self.until:
            return None
        if moments.claimed_at is not None and moments.claimed_at.date() <= self.until:
            return SubIndication.CRYPTO_CONSTRAINTS_FAILURE_NO_POE
        return SubIndication.CRYPTO_CONSTRAINTS_FAILURE


@dataclass(frozen=True, slots=True, kw_only=True)
class Algorithms:
    """The algorithms that a policy accepts."""

    hashes: tuple[AlgorithmRule, ...]
    rsa_keys: tuple[AlgorithmRule, ...]
    curves: tuple[AlgorithmRule, ...]
    min_rsa_exponent: int

    def hash_weakness(self, name: str, moments: Moments) -> SubIndication | None:
        """Return why a hash algorithm is not good enough, or ``None``."""
        return _weakness([row for row in self.hashes if row.name == name], moments)

    def key_weakness(
        self, key: rsa.RSAPublicKey | ec.EllipticCurvePublicKey, moments: Moments
    ) -> SubIndication | None:
        """Return why a key is not long enough, or ``None``."""
        if isinstance(key, ec.EllipticCurvePublicKey):
            return _weakness([row for row in self.curves if row.name == key.curve.name], moments)
        reached = [row for row in self.rsa_keys if int(row.name) <= key.key_size]
        return _weakness(sorted(reached, key=lambda row: int(row.name)), moments)


def _weakness(rows: list[AlgorithmRule], moments: Moments) -> SubIndication | None:
    return rows[-1].weakness(moments) if rows else SubIndication.CRYPTO_CONSTRAINTS_FAILURE
