"""Signature profiles: loaded from ``profiles/dicom``, checked before signing and on verification.

The questions are those PS3.15 6.3 says a profile answers: which attributes, which MAC, which keys
and certificates, which time-stamp, and under which conditions. The same ``check_profile`` runs in
``prepare`` and in the verifier.

Cites: PS3.15 6.3, Annex C.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from sr.codes import Code, SignaturePurpose
from sr.dicomfile.tags import describe_tag, format_tag, tag_for_keyword
from sr.errors import UnknownProfileError
from sr.findings import Finding, Status, SubIndication
from sr.mac.algorithm import MACAlgorithm
from sr.resources import resource_root
from sr.rulefile import RuleTable, read_rules
from sr.signature.documents import CONDITION_KEYWORDS
from sr.signature.purpose import known_purpose, purpose_meant
from sr.signature.references import unsecured

__all__ = [
    "ELLIPTIC_CURVE_PROFILE",
    "PROFILE_KEY_TYPE",
    "AttributeRule",
    "Presence",
    "ProfileSubject",
    "SignatureProfile",
    "Use",
    "applies",
    "check_profile",
    "load_profile",
    "parse_profile",
    "profile_ids",
]


PROFILE_KEY_TYPE = "PROFILE_KEY_TYPE"
"""Rule of a key that is of no kind the profile lists."""
ELLIPTIC_CURVE_PROFILE = "site-ec"
"""Id of the shipped profile under which elliptic curve keys sign."""
_KEY_TYPES = frozenset({"RSA", "EC"})


class Presence(StrEnum):
    """When an attribute must be signed.

    Cites: PS3.15 6.3.
    """

    ALWAYS = "always"
    IF_PRESENT = "if-present"


class TimestampRequirement(StrEnum):
    """What a profile says about certified time-stamps.

    Cites: PS3.15 C.1.
    """

    FORBIDDEN = "forbidden"
    OPTIONAL = "optional"
    REQUIRED = "required"


class SignatureLevel(StrEnum):
    """Where signatures of a profile may be.

    Cites: PS3.15 C.4.
    """

    TOP = "top"
    ANY = "any"


class EvidenceRequirement(StrEnum):
    """What a profile says about the proof that evidence references carry.

    Cites: PS3.15 A.4.
    """

    NONE = "none"
    EVERY_ITEM = "every-evidence-item"


class Use(StrEnum):
    """Whether a signature is about to be made or was found.

    A creator chooses one of the digests of the profile; a validator must handle all of them.

    Cites: PS3.15 C.1.
    """

    CREATE = "create"
    ACCEPT = "accept"


@dataclass(frozen=True, slots=True, kw_only=True)
class AttributeRule:
    """Attributes that must be signed.

    Cites: PS3.15 6.3.
    """

    tags: tuple[int, ...]
    presence: Presence
    cites: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureProfile:
    """One profile of PS3.15 Annex C, or the signature part of one of Annex A.

    Cites: PS3.15 6.3.
    """

    id: str
    title: str
    cites: str
    attributes: tuple[AttributeRule, ...]
    mac_create: frozenset[str]
    mac_accept: frozenset[str]
    key_types: frozenset[str]
    purpose_required: bool
    certificate_types: frozenset[str]
    timestamp: TimestampRequirement
    timestamp_types: frozenset[str]
    level: SignatureLevel
    purposes: frozenset[str]
    """Purpose codes it is limited to; empty for any."""
    when: Mapping[str, str]
    """Attribute values, by keyword, that the document must have."""
    evidence_secured: bool
    """Whether every evidence item must carry a proof."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileSubject:
    """What a profile looks at: one signature and the level that holds it.

    Cites: PS3.15 6.3.
    """

    present: frozenset[int]
    """Top-level tags of the level that holds the signature."""
    signed: frozenset[int]
    at_top_level: bool
    values: Mapping[str, str]
    """Attribute values by keyword, for conditions."""
    purpose: Code | None
    mac_algorithm: str
    key_type: str
    certificate_type: str = "X509_1993_SIG"
    timestamp_type: str = ""
    unsecured: tuple[str, ...] = ()
    """Paths of evidence items without proof."""


@cache
def load_profile(profile_id: str) -> SignatureProfile:
    """Return a shipped profile.

    Raises:
        UnknownProfileError: No profile has that id.
        ProfileFormatError: The file is not a valid profile.

    Cites: PS3.15 6.3.
    """
    return parse_profile(_text_of(profile_id), f"{profile_id}.toml")


def parse_profile(text: str, name: str) -> SignatureProfile:
    """Return the profile in a TOML text, which may extend a shipped one.

    Args:
        text: The file's content.
        name: Its name, for messages.

    Raises:
        UnknownProfileError: It extends a profile that does not exist.
        ProfileFormatError: It is not a valid profile.

    Cites: PS3.15 6.3.
    """
    table = read_rules(text, name, _text_of)
    profile = _build(table)
    table.done()
    return profile


def profile_ids() -> tuple[str, ...]:
    """Return the ids of the profiles that come with srsign.

    Cites: PS3.15 6.3.
    """
    folder = resource_root("profiles") / "dicom"
    names = (file.name for file in folder.iterdir())
    return tuple(sorted(n.removesuffix(".toml") for n in names if n.endswith(".toml")))


def _text_of(profile_id: str) -> str:
    folder = resource_root("profiles") / "dicom"
    known = {file.name.removesuffix(".toml"): file for file in folder.iterdir()}
    if profile_id not in known:
        raise UnknownProfileError(
            f"no signature profile {profile_id!r}", hint=f"known: {', '.join(sorted(known))}"
        )
    return known[profile_id].read_text(encoding="utf-8")


def _build(table: RuleTable) -> SignatureProfile:
    mac, signature = table.table("mac"), table.table("signature")
    certificate, timestamp = table.table("certificate"), table.table("timestamp")
    conditions = table.table("conditions")
    references = table.table("references")
    table.text("extends", "")
    table.text("edition", "")
    return SignatureProfile(
        id=table.text("id"),
        title=table.text("title"),
        cites=table.cites,
        attributes=tuple(_attribute_rule(r) for r in table.table("attributes").tables("require")),
        mac_create=_some_of(mac, "create", frozenset(MACAlgorithm)),
        mac_accept=_some_of(mac, "accept", frozenset(MACAlgorithm)),
        key_types=_some_of(signature, "key_types", _KEY_TYPES),
        purpose_required=signature.flag("purpose_required"),
        certificate_types=frozenset(certificate.texts("types")),
        timestamp=timestamp.term("requirement", TimestampRequirement),
        timestamp_types=frozenset(timestamp.texts("types")),
        level=conditions.term("level", SignatureLevel),
        purposes=_some_of(conditions, "purpose", frozenset(SignaturePurpose), ()),
        when=_conditions(conditions),
        evidence_secured=references.term("secured", EvidenceRequirement, EvidenceRequirement.NONE)
        is EvidenceRequirement.EVERY_ITEM,
    )


def _some_of(
    table: RuleTable, key: str, known: frozenset[str], default: tuple[str, ...] | None = None
) -> frozenset[str]:
    """Return an array of defined terms; one that does not exist would be a rule without effect."""
    terms = frozenset(table.texts(key, default))
    unknown = sorted(terms - known)
    if unknown:
        raise table.error(f"{key!r} has unknown terms {', '.join(map(repr, unknown))}")
    return terms


def _conditions(table: RuleTable) -> Mapping[str, str]:
    when = table.mapping("when", {})
    unknown = sorted(when.keys() - CONDITION_KEYWORDS)
    if unknown:
        raise table.error(f"'when' cannot ask for {', '.join(map(repr, unknown))}")
    return when


def _attribute_rule(row: RuleTable) -> AttributeRule:
    keywords = row.texts("keywords")
    try:
        tags = tuple(tag_for_keyword(keyword) for keyword in keywords)
    except KeyError as error:
        raise row.error(f"no attribute has the keyword {error}") from error
    return AttributeRule(tags=tags, presence=row.term("presence", Presence), cites=row.cites)


def applies(profile: SignatureProfile, subject: ProfileSubject) -> bool:
    """Return whether the conditions of a profile, apart from its level, fit a signature.

    Cites: PS3.15 C.4.
    """
    purpose = known_purpose(subject.purpose)
    if profile.purposes and (purpose is None or purpose.value not in profile.purposes):
        return False
    return all(subject.values.get(key) == value for key, value in profile.when.items())


def check_profile(
    profile: SignatureProfile, subject: ProfileSubject, use: Use
) -> tuple[Finding, ...]:
    """Return what keeps a signature from conforming; empty where it conforms.

    Cites: PS3.15 6.3, C.1, C.4, A.4.
    """
    return tuple(
        finding
        for check in (_attributes, _mac, _key, _purpose, _timestamp, _level, _references)
        for finding in check(profile, subject, use)
    )


def _finding(rule: str, message: str, cites: str, where: str | None, sub: SubIndication) -> Finding:
    return Finding(
        rule=rule, status=Status.FAIL, message=message, cites=cites, where=where, sub_indication=sub
    )


def _attributes(profile: SignatureProfile, subject: ProfileSubject, _use: Use) -> Iterator[Finding]:
    for rule in profile.attributes:
        for tag in rule.tags:
            if tag in subject.signed and tag in subject.present:
                continue
            if rule.presence is Presence.ALWAYS or tag in subject.present:
                state = "present but not signed" if tag in subject.present else "absent"
                yield _finding(
                    "SR_MIN",
                    f"{describe_tag(tag)} is {state}; {profile.id} needs it signed",
                    rule.cites, format_tag(tag), SubIndication.SIG_CONSTRAINTS_FAILURE,
                )  # fmt: skip


def _mac(profile: SignatureProfile, subject: ProfileSubject, use: Use) -> Iterator[Finding]:
    allowed = profile.mac_create if use is Use.CREATE else profile.mac_accept
    if subject.mac_algorithm not in allowed:
        yield _finding(
            "PROFILE_MAC",
            f"MACAlgorithm (0400,0015) {subject.mac_algorithm!r} is outside {profile.id}",
            profile.cites, "(0400,0015)", SubIndication.SIG_CONSTRAINTS_FAILURE,
        )  # fmt: skip


def _key(profile: SignatureProfile, subject: ProfileSubject, _use: Use) -> Iterator[Finding]:
    if subject.key_type not in profile.key_types:
        yield _finding(
            PROFILE_KEY_TYPE,
            f"the key of CertificateOfSigner (0400,0115) is {subject.key_type}; {profile.id} has "
            f"{', '.join(sorted(profile.key_types))}",
            profile.cites, "(0400,0115)", SubIndication.SIG_CONSTRAINTS_FAILURE,
        )  # fmt: skip
    if subject.certificate_type not in profile.certificate_types:
        yield _finding(
            "PROFILE_CERTIFICATE_TYPE",
            f"CertificateType (0400,0110) {subject.certificate_type!r} is outside {profile.id}",
            profile.cites, "(0400,0110)", SubIndication.SIG_CONSTRAINTS_FAILURE,
        )  # fmt: skip


def _purpose(profile: SignatureProfile, subject: ProfileSubject, _use: Use) -> Iterator[Finding]:
    if not profile.purpose_required:
        return
    purpose = known_purpose(subject.purpose)
    meant = purpose_meant(subject.purpose) if subject.purpose is not None else None
    rule, shown = "SR_PURPOSE", None
    if subject.purpose is None:
        shown = "is absent"
    elif purpose is None:
        shown = f"{subject.purpose} is not in CID 7007"
    elif meant is None:
        rule, shown = "SR_PURPOSE_MEANING", f"{subject.purpose} has a meaning not in CID 7007"
    elif meant is not purpose:
        shown = f"{subject.purpose} has the meaning of another purpose"
    if shown is not None:
        yield _finding(
            rule, f"DigitalSignaturePurposeCodeSequence (0400,0401) {shown}",
            profile.cites, "(0400,0401)", SubIndication.SIG_CONSTRAINTS_FAILURE,
        )  # fmt: skip


def _timestamp(profile: SignatureProfile, subject: ProfileSubject, _use: Use) -> Iterator[Finding]:
    kind = subject.timestamp_type
    wrong = {
        TimestampRequirement.REQUIRED: not kind,
        TimestampRequirement.FORBIDDEN: bool(kind),
        TimestampRequirement.OPTIONAL: False,
    }[profile.timestamp]
    if wrong or (kind and kind not in profile.timestamp_types):
        yield _finding(
            "PROFILE_TIMESTAMP",
            f"CertifiedTimestampType (0400,0305) {kind!r}: {profile.id} says {profile.timestamp}",
            profile.cites, "(0400,0305)", SubIndication.SIG_CONSTRAINTS_FAILURE,
        )  # fmt: skip


def _level(profile: SignatureProfile, subject: ProfileSubject, _use: Use) -> Iterator[Finding]:
    if profile.level is SignatureLevel.TOP and not subject.at_top_level:
        yield _finding(
            "PROFILE_LEVEL",
            f"{profile.id} is about signatures at the top level of the data set",
            profile.cites, "(FFFA,FFFA)", SubIndication.SIG_CONSTRAINTS_FAILURE,
        )  # fmt: skip


def _references(profile: SignatureProfile, subject: ProfileSubject, _use: Use) -> Iterator[Finding]:
    for where in subject.unsecured if profile.evidence_secured else ():
        yield unsecured(where)
