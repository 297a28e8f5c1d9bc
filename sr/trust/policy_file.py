"""Trust policies from their files: ``profiles/trust``, the table of algorithms, a site's own.

Cites: PS3.15 C.1; EN 319 102-1 5.2.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import timedelta
from functools import cache

from sr.codes import SignaturePurpose
from sr.errors import ProfileFormatError, UnknownProfileError
from sr.resources import resource_root
from sr.rulefile import RuleTable, read_rules
from sr.trust.algorithms import AlgorithmRule, Algorithms
from sr.trust.identity import IdentityMapping, KnownPerson, Naming
from sr.trust.policy import (
    NOT_NEGOTIABLE,
    CertificatePolicies,
    Consequence,
    Level,
    Need,
    SeverityRule,
    TrustPolicy,
)

__all__ = ["EXTENDED_KEY_USAGES", "load_policy", "parse_policy", "policy_ids"]

_ALGORITHMS = "algorithms"
"""The id of ``profiles/algorithms.toml``, which policies extend and which is none."""

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
    if policy_id == _ALGORITHMS:
        return (resource_root("profiles") / f"{policy_id}.toml").read_text(encoding="utf-8")
    if policy_id not in policy_ids():
        known = ", ".join(policy_ids())
        raise UnknownProfileError(f"no trust policy {policy_id!r}", hint=f"known: {known}")
    source = resource_root("profiles") / "trust" / f"{policy_id}.toml"
    return source.read_text(encoding="utf-8")


def _read(text: str, name: str) -> TrustPolicy:
    rules = read_rules(text, name, _shipped_text)
    rules.text("extends", "")
    algorithms, certificate = rules.table("algorithms"), rules.table("certificate")
    coverage, timestamp = rules.table("coverage"), rules.table("timestamp")
    evidence = rules.table("evidence")
    policy = TrustPolicy(
        id=rules.text("id"),
        title=rules.text("title"),
        cites=rules.cites,
        severity=_severity(rules),
        revocation=_need(rules.table("revocation"), "status", Need.LIMITATION),
        timestamp=_need(timestamp, "requirement", Need.OPTIONAL),
        timestamp_delay=timedelta(seconds=_positive(timestamp, "delay_seconds")),
        weak_algorithm=algorithms.term("weak", Consequence),
        algorithms=_algorithms(algorithms),
        certificate_policies=_certificate_policies(rules.table("policies")),
        identity=_identity(rules.table("identity")),
        key_usages=_key_usages(certificate),
        forbidden_extended_usages=_extended_usages(certificate, "extended_key_usage_forbidden"),
        neutral_extended_usages=_extended_usages(certificate, "extended_key_usage_neutral"),
        uncovered_identity=coverage.term("identity", Consequence),
        uncovered_charset=coverage.term("charset", Consequence),
        uncovered_content=coverage.term("content", Consequence),
        evidence_unsecured=evidence.term("unsecured", Consequence),
        evidence_coercible=evidence.term("coercible", Consequence),
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


def _algorithms(table: RuleTable) -> Algorithms:
    return Algorithms(
        hashes=_accepted(table, "hash", lambda row: row.text("name")),
        rsa_keys=_accepted(table, "rsa", lambda row: str(_positive(row, "bits"))),
        curves=_accepted(table, "curve", lambda row: row.text("name")),
        min_rsa_exponent=_positive(table, "rsa_exponent"),
    )


def _accepted(
    table: RuleTable, kind: str, name: Callable[[RuleTable], str]
) -> tuple[AlgorithmRule, ...]:
    """Return the rows of a kind; the last one for an algorithm counts."""
    accepted: dict[str, AlgorithmRule] = {}
    for row in table.tables(kind):
        until = row.day("until") if "until" in row else None
        accepted[name(row)] = AlgorithmRule(name=name(row), until=until, cites=row.cites)
    return tuple(accepted.values())


def _certificate_policies(table: RuleTable) -> CertificatePolicies:
    accepted = frozenset(table.texts("accepted"))
    for oid in accepted:
        if not _OID.fullmatch(oid):
            raise table.error(f"{oid!r} is no object identifier")
    return CertificatePolicies(
        accepted=accepted,
        required=table.flag("required"),
        inhibit_mapping=table.flag("inhibit_mapping"),
        inhibit_any=table.flag("inhibit_any"),
    )


def _identity(table: RuleTable) -> IdentityMapping:
    by = table.texts("by")
    unknown = set(by) - set(Naming)
    if unknown:
        raise table.error(f"'by' must name some of {', '.join(Naming)}")
    return IdentityMapping(
        by=frozenset(map(Naming, by)),
        persons=tuple(_person(row) for row in table.tables("person")),
    )


def _person(row: RuleTable) -> KnownPerson:
    purposes = row.texts("purposes", ())
    unknown = set(purposes) - {purpose.value for purpose in SignaturePurpose}
    if unknown:
        raise row.error(f"no signature purpose {', '.join(sorted(unknown))}")
    person = KnownPerson(
        person=row.text("person"),
        names=row.texts("names", ()),
        codes=row.texts("codes", ()),
        subjects=row.texts("subjects", ()),
        emails=row.texts("emails", ()),
        purposes=frozenset(purposes),
        cites=row.cites,
    )
    if not (person.names or person.codes) or not (person.subjects or person.emails):
        raise row.error("a person has 'names' or 'codes', and 'subjects' or 'emails'")
    return person


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
