"""What every check emits: findings, limitations and the words of a verdict.

The words are those of ETSI EN 319 102-1 where one fits. The severity of a finding comes from the
trust policy, never from the check, except that a broken MAC or signature value is not negotiable.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Finding", "Indication", "Limitation", "LimitationCode", "Status", "SubIndication"]


class Indication(StrEnum):
    """The three answers of EN 319 102-1, and our fourth for a sound file without a signature."""

    PASSED = "PASSED"
    INDETERMINATE = "INDETERMINATE"
    FAILED = "FAILED"
    NOT_SIGNED = "NOT_SIGNED"


class SubIndication(StrEnum):
    """Why a verdict is not PASSED."""

    FORMAT_FAILURE = "FORMAT_FAILURE"
    HASH_FAILURE = "HASH_FAILURE"
    SIG_CRYPTO_FAILURE = "SIG_CRYPTO_FAILURE"
    SIG_CONSTRAINTS_FAILURE = "SIG_CONSTRAINTS_FAILURE"
    CHAIN_CONSTRAINTS_FAILURE = "CHAIN_CONSTRAINTS_FAILURE"
    CRYPTO_CONSTRAINTS_FAILURE = "CRYPTO_CONSTRAINTS_FAILURE"
    CRYPTO_CONSTRAINTS_FAILURE_NO_POE = "CRYPTO_CONSTRAINTS_FAILURE_NO_POE"
    NO_CERTIFICATE_CHAIN_FOUND = "NO_CERTIFICATE_CHAIN_FOUND"
    EXPIRED = "EXPIRED"
    NOT_YET_VALID = "NOT_YET_VALID"
    OUT_OF_BOUNDS_NO_POE = "OUT_OF_BOUNDS_NO_POE"
    REVOKED = "REVOKED"
    REVOKED_NO_POE = "REVOKED_NO_POE"
    REVOKED_CA_NO_POE = "REVOKED_CA_NO_POE"
    TRY_LATER = "TRY_LATER"
    SIGNED_DATA_NOT_FOUND = "SIGNED_DATA_NOT_FOUND"
    TIMESTAMP_FAILURE = "TIMESTAMP_FAILURE"
    NO_SIGNATURE = "NO_SIGNATURE"
    VR_UNKNOWN = "VR_UNKNOWN"
    FRAGMENTS_AMBIGUOUS = "FRAGMENTS_AMBIGUOUS"
    EVIDENCE_MISMATCH = "EVIDENCE_MISMATCH"
    EVIDENCE_MISSING = "EVIDENCE_MISSING"
    EVIDENCE_UNSECURED = "EVIDENCE_UNSECURED"
    EVIDENCE_COVERAGE = "EVIDENCE_COVERAGE"
    PEER_TRUNCATED_STREAM = "PEER_TRUNCATED_STREAM"


class LimitationCode(StrEnum):
    """What a verdict, even a passed one, does not vouch for."""

    IDENTITY_NOT_COVERED = "IDENTITY_NOT_COVERED"
    INSTANCE_NOT_COVERED = "INSTANCE_NOT_COVERED"
    CHARSET_NOT_COVERED = "CHARSET_NOT_COVERED"
    STATUS_NOT_COVERED = "STATUS_NOT_COVERED"
    CONTENT_NOT_COVERED = "CONTENT_NOT_COVERED"
    PRIVATE_NOT_COVERED = "PRIVATE_NOT_COVERED"
    OTHER_NOT_COVERED = "OTHER_NOT_COVERED"
    ADDED_AFTER_SIGNING = "ADDED_AFTER_SIGNING"
    TIME_CLAIMED_ONLY = "TIME_CLAIMED_ONLY"
    WEAK_ALGORITHM = "WEAK_ALGORITHM"
    KEY_OUTSIDE_PROFILE = "KEY_OUTSIDE_PROFILE"
    VR_INFERRED = "VR_INFERRED"
    FRAGMENTS_AMBIGUOUS = "FRAGMENTS_AMBIGUOUS"
    REVOCATION_UNKNOWN = "REVOCATION_UNKNOWN"
    EVIDENCE_NOT_AVAILABLE = "EVIDENCE_NOT_AVAILABLE"
    PADDING_NORMALISED = "PADDING_NORMALISED"
    PEER_TRUNCATED_STREAM = "PEER_TRUNCATED_STREAM"
    NESTED_ONLY = "NESTED_ONLY"


class Status(StrEnum):
    """The outcome of one check; only FAIL changes an indication."""

    PASS = "PASS"  # noqa: S105 - the word of the contract, not a password
    NOT_APPLICABLE = "NOT_APPLICABLE"
    NOTICE = "NOTICE"
    WARN = "WARN"
    FAIL = "FAIL"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """The outcome of one rule."""

    rule: str
    status: Status
    message: str
    cites: str
    """Part and clause, e.g. ``PS3.15 C.4``."""
    where: str | None = None
    """Data element path, e.g. ``(0040,A730)[2]``."""
    sub_indication: SubIndication | None = None
    """What this finding makes of a verdict when its status is FAIL."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limitation:
    """Something a verdict does not vouch for, stated beside it."""

    code: LimitationCode
    message: str
    where: str | None = None
