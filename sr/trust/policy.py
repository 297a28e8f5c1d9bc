"""What is demanded of a signer and how much each shortcoming weighs: the trust policy.

A policy is data (``profiles/trust/*.toml``) in which every table cites where its demand comes
from. Checks name a rule and a default level; the policy may weigh a rule otherwise, except those
in :data:`NOT_NEGOTIABLE`. Algorithms and their sunset dates stand in one table, used for MACs and
certificates alike. Nothing here judges; see ``evaluate``.

Cites: PS3.15 C.1; EN 319 102-1 5.2.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import cache

from sr.errors import ProfileFormatError, UnknownProfileError
from sr.findings import SubIndication
from sr.resources import resource_root
from sr.rulefile import RuleTable, read_rules

__all__ = [
    "EXTENDED_KEY_USAGES",
    "NOT_NEGOTIABLE",
    "Consequence",
    "HashRule",
    "Level",
    "Need",
    "SeverityRule",
    "TrustPolicy",
    "load_policy",
    "parse_policy",
    "policy_ids",
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

EXTENDED_KEY_USAGES = {
    "serverAuth": "1.3.6.1.5.5.7.3.1",
    "clientAuth": "1.3.6.1.5.5.7.3.2",
    "codeSigning": "1.3.6.1.5.5.7.3.3",
    "emailProtection": "1.3.6.1.5.5.7.3.4",
    "timeStamping": "1.3.6.1.5.5.7.3.8",
    "OCSPSigning": "1.3.6.1.5.5.7.3.9",
    "documentSigning": "1.3.6.1.5.5.7.3.36",
    "smartcardLogon": "1.3.6.1.4.1.311.20.2.2",
    "anyExtendedKeyUsage": "2.5.29.37.0",
}
"""Names that policies may use for object identifiers."""

KEY_USAGES = frozenset(
    {
        "digital_signature",
        "content_commitment",
        "key_encipherment",
        "data_encipherment",
        "key_agreement",
    }
)
"""Key usage bits a policy may accept; ``content_commitment`` is also called nonRepudiation."""

_OID = re.compile(r"[0-2](\.(0|[1-9][0-9]*))+")


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
class HashRule:
    """A hash algorithm that the policy accepts."""

    name: str
    """The DICOM defined term, e.g. ``SHA256``."""
    until: date | None
    """Last day on which a signature with it is good; ``None`` while no end is known."""
    cites: str


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
    weak_algorithm: Consequence
    hashes: tuple[HashRule, ...]
    min_rsa_bits: int
    min_rsa_exponent: int
    curves: frozenset[str]
    """Elliptic curves accepted, e.g. ``secp256r1``."""
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

        Until its last day an algorithm is good. After it, what provably existed by then stays
        good; a mere claim to have existed is CRYPTO_CONSTRAINTS_FAILURE_NO_POE.

        Cites: EN 319 102-1 5.2.8.
        """
        rule = next((row for row in self.hashes if row.name == name), None)
        if rule is None:
            return SubIndication.CRYPTO_CONSTRAINTS_FAILURE
        if rule.until is None or (proven_at or judged_at).date() <= rule.until:
            return None
        if claimed_at is not None and claimed_at.date() <= rule.until:
            return SubIndication.CRYPTO_CONSTRAINTS_FAILURE_NO_POE
        return SubIndication.CRYPTO_CONSTRAINTS_FAILURE


@cache
def policy_ids() -> tuple[str, ...]:
    """Return the ids of the policies that come with srsign."""
    names = (entry.name for entry in (resource_root("profiles") / "trust").iterdir())
    return tuple(sorted(name.removesuffix(".toml") for name in names if name.endswith(".toml")))


def load_policy(text_or_id: str) -> TrustPolicy:
    """Return the policy with an id, or the one written in a TOML text of several lines.

    Raises:
        ProfileFormatError: The text is not a policy.
        UnknownProfileError: No policy has that id.
    """
    if "\n" in text_or_id:
        return parse_policy(text_or_id, "policy")
    return _shipped(text_or_id)


def parse_policy(text: str, name: str) -> TrustPolicy:
    """Return a site's policy from its TOML text; it may extend, not redefine, a shipped one.

    Args:
        text: The file's content.
        name: The file's name, for messages.

    Raises:
        ProfileFormatError: An unknown key, a missing citation, a relaxed rule of
            :data:`NOT_NEGOTIABLE`, or the id of another policy.
        UnknownProfileError: It extends a policy that is not there.
    """
    policy = _read(text, name)
    if policy.id in policy_ids() and policy != _shipped(policy.id):
        raise ProfileFormatError(f"{name}: the id {policy.id!r} belongs to a policy of srsign")
    return policy


@cache
def _shipped(policy_id: str) -> TrustPolicy:
    return _read(_shipped_text(policy_id), f"{policy_id}.toml")


def _shipped_text(policy_id: str) -> str:
    if policy_id not in policy_ids():
        known = ", ".join(policy_ids())
        raise UnknownProfileError(f"no trust policy {policy_id!r}", hint=f"known: {known}")
    source = resource_root("profiles") / "trust" / f"{policy_id}.toml"
    return source.read_text(encoding="utf-8")


def _read(text: str, name: str) -> TrustPolicy:
    rules = read_rules(text, name, _shipped_text)
    rules.text("extends", "")
    algorithms, certificate = rules.table("algorithms"), rules.table("certificate")
    coverage, key = rules.table("coverage"), rules.table("key")
    policy = TrustPolicy(
        id=rules.text("id"),
        title=rules.text("title"),
        cites=rules.cites,
        severity=_severity(rules),
        revocation=_need(rules.table("revocation"), "status", Need.LIMITATION),
        timestamp=_need(rules.table("timestamp"), "requirement", Need.OPTIONAL),
        weak_algorithm=algorithms.term("weak", Consequence),
        hashes=_hashes(algorithms),
        min_rsa_bits=_positive(key, "rsa_bits"),
        min_rsa_exponent=_positive(key, "rsa_exponent"),
        curves=frozenset(key.texts("curves")),
        key_usages=_key_usages(certificate),
        forbidden_extended_usages=_extended_usages(certificate, "extended_key_usage_forbidden"),
        neutral_extended_usages=_extended_usages(certificate, "extended_key_usage_neutral"),
        uncovered_identity=coverage.term("identity", Consequence),
        uncovered_charset=coverage.term("charset", Consequence),
        uncovered_content=coverage.term("content", Consequence),
        evidence_unsecured=rules.table("evidence").term("unsecured", Consequence),
        require_purpose_for_sr_kos=rules.table("purpose").flag("required_for_sr_kos"),
        clock_skew=timedelta(seconds=_positive(rules.table("time"), "skew_seconds")),
    )
    rules.done()
    return policy


def _severity(rules: RuleTable) -> tuple[SeverityRule, ...]:
    weights: dict[str, SeverityRule] = {}
    for row in rules.tables("severity"):
        level = row.term("level", Level)
        for rule in row.texts("rules"):
            if rule in NOT_NEGOTIABLE and level is not Level.FAIL:
                raise row.error(f"the rule {rule!r} is not negotiable")
            weights[rule] = SeverityRule(rule=rule, level=level, cites=row.cites)
    return tuple(weights.values())


def _hashes(algorithms: RuleTable) -> tuple[HashRule, ...]:
    accepted: dict[str, HashRule] = {}
    for row in algorithms.tables("hash"):
        until = row.day("until") if "until" in row else None
        accepted[row.text("name")] = HashRule(name=row.text("name"), until=until, cites=row.cites)
    return tuple(accepted.values())


def _need(table: RuleTable, key: str, otherwise: Need) -> Need:
    need = table.term(key, Need)
    if need not in (Need.REQUIRED, otherwise):
        raise table.error(f"{key!r} must be required or {otherwise}, not {need}")
    return need


def _positive(table: RuleTable, key: str) -> int:
    number = table.integer(key)
    if not 0 < number < 2**32:
        raise table.error(f"{key!r} must be a positive number, not {number}")
    return number


def _key_usages(certificate: RuleTable) -> frozenset[str]:
    usages = frozenset(certificate.texts("key_usage"))
    if not usages or usages - KEY_USAGES:
        raise certificate.error(f"'key_usage' must name some of {', '.join(sorted(KEY_USAGES))}")
    return usages


def _extended_usages(certificate: RuleTable, key: str) -> frozenset[str]:
    return frozenset(_object_identifiers(certificate, certificate.texts(key)))


def _object_identifiers(table: RuleTable, names: Iterable[str]) -> Iterable[str]:
    for name in names:
        oid = EXTENDED_KEY_USAGES.get(name, name)
        if not _OID.fullmatch(oid):
            raise table.error(f"no extended key usage {name!r}")
        yield oid
