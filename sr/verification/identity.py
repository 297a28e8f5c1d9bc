"""Whether the people named in a report are those who signed it.

Without a mapping configured, a difference is worth a warning, not more: certificates and reports
spell names differently. Where the site says who is who, a difference counts.

Cites: PS3.15 C.4 (identification of signatories); PS3.3 C.17.2.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from sr.findings import Finding, Status, SubIndication
from sr.signature.purpose import known_purpose
from sr.trust.certificate import read_certificate
from sr.trust.identity import IdentityMapping, Naming, one_person, persons_of
from sr.trust.name import name_text, plain_text
from sr.verification.facts import DocumentFacts
from sr.verification.signature_rules import Judgement

__all__ = [
    "OBSERVER_ROLES",
    "exceeds_role",
    "four_eyes",
    "is_holder",
    "names_holder",
    "observer_findings",
    "role_findings",
    "wrote_alone",
]

OBSERVER_ROLES = {"1": ("author", "(0040,A078)"), "5": ("verifying", "(0040,A073)")}
"""Which observer of a report a signature of a purpose is by, and where it is named."""
_AUTHORS, _APPROVALS = ("1", "2"), ("5", "6")


def observer_findings(
    facts: DocumentFacts, valid: tuple[Judgement, ...], mapping: IdentityMapping
) -> Iterator[Finding]:
    """Yield where the observer named in a report is not, as far as can be told, the signer.

    Cites: PS3.15 C.4.
    """
    for judgement in valid:
        purpose = known_purpose(judgement.facts.purpose)
        if purpose is None or purpose.value not in OBSERVER_ROLES or judgement.trust is None:
            continue
        role, where = OBSERVER_ROLES[purpose.value]
        named, codes = _named(facts, role)
        if (named or codes) and not _is_named(
            judgement.trust.person, _subject(judgement), named, codes, mapping
        ):
            yield Finding(
                rule="OBSERVER_IDENTITY",
                status=Status.FAIL if mapping.is_configured else Status.WARN,
                message=f"the {role} observer {(named or codes)[0]!r} is not identified by the "
                f"signer's certificate {_subject(judgement)!r}",
                where=where,
                cites="PS3.15 C.4",
                sub_indication=SubIndication.SIG_CONSTRAINTS_FAILURE,
            )


def role_findings(top: tuple[Judgement, ...], mapping: IdentityMapping) -> Iterator[Finding]:
    """Yield signatures for a purpose that the site does not let their signer have.

    Cites: PS3.15 C.4; PS3.16 CID 7007.
    """
    for judgement in top:
        purpose = known_purpose(judgement.facts.purpose)
        if purpose is None or judgement.trust is None:
            continue
        for person in exceeds_role(judgement.trust.person, purpose.value, mapping):
            yield Finding(
                rule="SIGNER_ROLE",
                status=Status.FAIL,
                message=f"{person!r} does not sign for purpose {purpose.value}",
                where=judgement.facts.where,
                cites="PS3.15 C.4; PS3.16 CID 7007",
                sub_indication=SubIndication.SIG_CONSTRAINTS_FAILURE,
            )


def exceeds_role(
    identifiers: frozenset[str], purpose: str, mapping: IdentityMapping
) -> tuple[str, ...]:
    """Return the site's ids of those persons among some whom it does not let sign for a purpose."""
    return tuple(
        known.person
        for known in mapping.persons
        if f"person:{known.person}" in identifiers
        and known.purposes
        and purpose not in known.purposes
    )


def four_eyes(
    facts: DocumentFacts, top: tuple[Judgement, ...], mapping: IdentityMapping
) -> Iterator[Finding]:
    """Yield approvals that were signed by the author in person.

    Anybody can take a signature away, the author too. Where there is none of the author, the report
    says who that is; by name alone, without a mapping configured, that is a warning.

    Cites: PS3.15 C.4.
    """
    authors = _by(top, *_AUTHORS)
    for approval in _by(top, *_APPROVALS):
        if approval.trust is None:
            continue
        person = approval.trust.person
        by_author = any(a.trust and one_person(person, a.trust.person) for a in authors)
        by_name = (
            not authors
            and bool(approval.trust.chain)
            and wrote_alone(facts, approval.trust.chain[0].der, mapping)
        )
        if by_author or by_name:
            yield Finding(
                rule="FOUR_EYES",
                status=Status.FAIL if by_author or mapping.is_configured else Status.WARN,
                message="the signature of the approval was made by the author",
                where=approval.facts.where,
                cites="PS3.15 C.4",
                sub_indication=SubIndication.SIG_CONSTRAINTS_FAILURE,
            )


def wrote_alone(facts: DocumentFacts, certificate: bytes, mapping: IdentityMapping) -> bool:
    """Return whether a report names the holder of a certificate, and nobody else, as its author.

    A family name alone names nobody.

    Raises:
        TrustEvidenceError: The bytes are not a DER certificate.

    Cites: PS3.3 C.17.2 (0040,A078).
    """
    named, codes = facts.observers.get("author", ()), facts.observer_codes.get("author", ())
    if len(named) != 1 or (not codes and len(_name_parts(named[0])) < 2):
        return False
    return names_holder(facts, "author", certificate, mapping) is True


def names_holder(
    facts: DocumentFacts, role: str, certificate: bytes, mapping: IdentityMapping
) -> bool | None:
    """Return whether a report names the holder of a certificate in a role of its observers.

    Args:
        facts: The report.
        role: ``author`` or ``verifying``.
        certificate: DER.
        mapping: Who is who.

    Returns:
        ``None`` where the report names nobody in that role.

    Raises:
        TrustEvidenceError: The bytes are not a DER certificate.

    Cites: PS3.3 C.17.2 (0040,A073), (0040,A078).
    """
    named, codes = _named(facts, role)
    if not named and not codes:
        return None
    signer = read_certificate(certificate)
    return _is_named(persons_of(signer, mapping), name_text(signer.subject), named, codes, mapping)


def is_holder(
    certificate: bytes, name: str, codes: tuple[str, ...], mapping: IdentityMapping
) -> bool:
    """Return whether somebody is the holder of a certificate, as far as can be told.

    Args:
        certificate: DER.
        name: As in reports, e.g. ``Meier^Anna``.
        codes: What else the person goes by, e.g. the name of a login.
        mapping: Who is who.

    Raises:
        TrustEvidenceError: The bytes are not a DER certificate.

    Cites: PS3.15 C.4.
    """
    signer = read_certificate(certificate)
    named = (name,) if name else ()
    return _is_named(persons_of(signer, mapping), name_text(signer.subject), named, codes, mapping)


def _named(facts: DocumentFacts, role: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the names and the codes of the observers in a role."""
    names = tuple(name for name in facts.observers.get(role, ()) if name)
    return names, facts.observer_codes.get(role, ())


def _by(top: tuple[Judgement, ...], *codes: str) -> list[Judgement]:
    return [j for j in top if (p := known_purpose(j.facts.purpose)) and p.value in codes]


def _is_named(
    identifiers: frozenset[str],
    subject: str,
    named: tuple[str, ...],
    codes: tuple[str, ...],
    mapping: IdentityMapping,
) -> bool:
    for known in mapping.persons:
        if f"person:{known.person}" in identifiers and any(
            known.is_named(name, codes) for name in named or ("",)
        ):
            return True
    by_name = Naming.NAME in mapping.by and not mapping.persons
    if by_name and any(_resembles(name, subject) for name in named):
        return True
    kinds = mapping.by - {Naming.NAME}
    values = {plain_text(code.partition("^")[0]) for code in codes} - {""}
    return any(f"{kind}:{value}" in identifiers for kind in kinds for value in values)


def _subject(judgement: Judgement) -> str:
    chain = judgement.trust.chain if judgement.trust is not None else ()
    return chain[0].subject if chain else ""


def _resembles(person_name: str, subject: str) -> bool:
    words, parts = _words(subject), _name_parts(person_name)
    return bool(parts) and all(_words(part) <= words for part in parts)


def _name_parts(person_name: str) -> list[str]:
    """Return family and given name, as far as they are there."""
    return [part for part in re.split(r"[\^=]", person_name)[:2] if part]


def _words(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"\w+", plain_text(text)))
