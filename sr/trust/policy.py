"""What is demanded of a signer and how much each shortcoming weighs: the trust policy.

A policy is data (``profiles/trust/*.toml``) in which every table cites where its demand comes
from. Checks name a rule and a default level; the policy may weigh a rule otherwise, except those
in :data:`NOT_NEGOTIABLE`. ``policy_file`` reads it. Nothing here judges; see ``evaluate``.

Cites: PS3.15 C.1; EN 319 102-1 5.2.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sr.findings import SubIndication
from sr.trust.algorithms import Algorithms, Moments
from sr.trust.identity import IdentityMapping

__all__ = [
    "NOT_NEGOTIABLE",
    "CertificatePolicies",
    "Consequence",
    "Level",
    "Need",
    "SeverityRule",
    "TrustPolicy",
]

NOT_NEGOTIABLE = frozenset(
    {
        "MAC_VALUE",
        "MAC_ALGORITHM",
        "MAC_NOT_COMPUTED",
        "SIGNATURE_VALUE",
        "PEER_TRUNCATED_STREAM",
        "DES_ABSENT",
        "VR_UN",
        "CERT_DER",
        "CERT_CHAIN",
        "CERT_PATH",
        "CERT_CRITICAL_EXTENSION",
        "CERT_KEY_TYPE",
        "CERT_REVOCATION",
        "TIMESTAMP_INVALID",
    }
)
"""Rules that always weigh FAIL; a policy that says otherwise does not load."""


class Level(StrEnum):
    """How much a broken rule weighs; ``ignore`` means the rule is not judged."""

    FAIL = "FAIL"
    WARN = "WARN"
    NOTICE = "NOTICE"
    IGNORE = "ignore"


class Consequence(StrEnum):
    """Whether a shortcoming prevents PASSED or is stated beside it."""

    FAIL = "fail"
    LIMITATION = "limitation"


class Need(StrEnum):
    """Whether something must be there; without it ``limitation`` states that, ``optional`` not."""

    REQUIRED = "required"
    LIMITATION = "limitation"
    OPTIONAL = "optional"


@dataclass(frozen=True, slots=True, kw_only=True)
class SeverityRule:
    """The policy's own weight for one rule."""

    rule: str
    level: Level
    cites: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificatePolicies:
    """What path validation starts from.

    Cites: RFC 5280 6.1.1 c-f.
    """

    accepted: frozenset[str] = frozenset()
    """Object identifiers; empty for any policy."""
    required: bool = False
    """Whether a path must have a policy that is accepted."""
    inhibit_mapping: bool = False
    inhibit_any: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustPolicy:
    """What is demanded of signatures, signers and evidence. See ``profiles/trust``."""

    id: str
    title: str
    cites: str
    severity: tuple[SeverityRule, ...]
    revocation: Need
    """``required`` or ``limitation``: a revocation status that is not known."""
    timestamp: Need
    """``required`` or ``optional``: a certified time-stamp."""
    timestamp_delay: timedelta
    """How long after the claimed time a time-stamp may have been obtained without remark."""
    weak_algorithm: Consequence
    algorithms: Algorithms
    certificate_policies: CertificatePolicies
    identity: IdentityMapping
    key_usages: frozenset[str]
    """The signer's certificate must allow one of these."""
    forbidden_extended_usages: frozenset[str]
    """Object identifiers that do not make a signer when only they and neutral ones are there."""
    neutral_extended_usages: frozenset[str]
    """Object identifiers that neither make nor exclude a signer."""
    uncovered_identity: Consequence
    uncovered_charset: Consequence
    uncovered_content: Consequence
    evidence_unsecured: Consequence
    evidence_coercible: Consequence
    """A proof that leaves out what an archive may coerce."""
    require_purpose_for_sr_kos: bool
    clock_skew: timedelta
    """How far in the future a claimed time may lie."""

    def level(self, rule: str, default: Level = Level.FAIL) -> Level:
        """Return the weight of a rule; the check's own default where the policy is silent."""
        weights = {row.rule: row.level for row in self.severity}
        return weights.get(rule, default)

    def hash_weakness(
        self,
        name: str,
        *,
        claimed_at: datetime | None,
        proven_at: datetime | None,
        judged_at: datetime,
    ) -> SubIndication | None:
        """Return why a hash algorithm is not good enough, or ``None``.

        Cites: EN 319 102-1 5.2.8.
        """
        moments = Moments(claimed_at=claimed_at, proven_at=proven_at, judged_at=judged_at)
        return self.algorithms.hash_weakness(name, moments)
