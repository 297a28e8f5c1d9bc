"""What a vector is checked with, where that is more than one file."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sr.trust import TrustMaterial
from sr.verification import Demands
from tests.support.pki import NOW

__all__ = ["Case"]

NO_DEMANDS = Demands()


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One file and what stands around it; the defaults are those of a sound check."""

    data: bytes
    evidence: tuple[bytes, ...] | None = None
    """Files in the evidence folder; ``None`` for no folder."""
    at: datetime = NOW
    given: TrustMaterial | None = None
    """Trust material; ``None`` for that of the sound PKI."""
    demands: Demands = NO_DEMANDS
