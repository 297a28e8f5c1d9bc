"""Whether the people named in a report are those who signed it.

Without a mapping configured, a difference is worth a warning, not more: certificates and reports
spell names differently. Where the site says who is who, a difference counts.

Cites: PS3.15 C.4 (identification of signatories); PS3.3 C.17.2.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from sr.codes import SignaturePurpose
from sr.findings import Finding, Status, SubIndication
from sr.signature.purpose import known_purpose
from sr.trust.identity import IdentityMapping, Naming, one_person
from sr.trust.name import plain_text
from sr.verification.facts import DocumentFacts
from sr.verification.signature_rules import Judgement

__all__ = ["four_eyes", "observer_findings", "role_findings"]

_ROLES = {"1": ("author", "(0040,A078)"), "5": ("verifying", "(0040,A073)")}
_APPROVALS = ("5", "6")


def observer_findings(
    facts: DocumentFacts, valid: tuple[Judgement, ...], mapping: IdentityMapping
) -> Iterator[Finding]:
    """Yield where the observer named in a report is not, as far as can be told, the signer.

    Cites: PS3.15 C.4.
    """
    for judgement in valid:
        purpose = known_purpose(judgement.facts.purpose)
        if purpose is None or purpose.value not in _ROLES or judgement.trust is None:
            continue
        role, where = _ROLES[purpose.value]
        named = tuple(name for name in facts.observers.get(role, ()) if name)
        codes = facts.observer_codes.get(role, ())
        if (named or codes) and not _is_named(judgement, named, codes, mapping):
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
        for known in mapping.persons:
            listed = f"person:{known.person}" in judgement.trust.person
            if listed and known.purposes and purpose.value not in known.purposes:
                yield Finding(
                    rule="SIGNER_ROLE",
                    status=Status.FAIL,
                    message=f"{known.person!r} does not sign for purpose {purpose.value}",
                    where=judgement.facts.where,
                    cites="PS3.15 C.4; PS3.16 CID 7007",
                    sub_indication=SubIndication.SIG_CONSTRAINTS_FAILURE,
                )


def four_eyes(top: tuple[Judgement, ...]) -> Iterator[Finding]:
    """Yield approvals that were signed by the author in person.

    Cites: PS3.15 C.4.
    """
    for approval in _by(top, *_APPROVALS):
        for author in _by(top, SignaturePurpose.AUTHOR.value):
            if not approval.trust or not author.trust:
                continue
            if one_person(approval.trust.person, author.trust.person):
                yield Finding(
                    rule="FOUR_EYES",
                    status=Status.FAIL,
                    message="the verification signature was made by the author",
                    where=approval.facts.where,
                    cites="PS3.15 C.4",
                    sub_indication=SubIndication.SIG_CONSTRAINTS_FAILURE,
                )


def _by(top: tuple[Judgement, ...], *codes: str) -> list[Judgement]:
    return [j for j in top if (p := known_purpose(j.facts.purpose)) and p.value in codes]


def _is_named(
    judgement: Judgement, named: tuple[str, ...], codes: tuple[str, ...], mapping: IdentityMapping
) -> bool:
    identifiers = judgement.trust.person if judgement.trust is not None else frozenset()
    for known in mapping.persons:
        if f"person:{known.person}" in identifiers and any(
            known.is_named(name, codes) for name in named or ("",)
        ):
            return True
    if Naming.NAME in mapping.by and not mapping.persons:
        subject = _subject(judgement)
        if any(_resembles(name, subject) for name in named):
            return True
    kinds = mapping.by - {Naming.NAME}
    values = {plain_text(code.partition("^")[0]) for code in codes} - {""}
    return any(f"{kind}:{value}" in identifiers for kind in kinds for value in values)


def _subject(judgement: Judgement) -> str:
    chain = judgement.trust.chain if judgement.trust is not None else ()
    return chain[0].subject if chain else ""


def _resembles(person_name: str, subject: str) -> bool:
    family_and_given = [part for part in re.split(r"[\^=]", person_name)[:2] if part]
    words = _words(subject)
    return bool(family_and_given) and all(_words(part) <= words for part in family_and_given)


def _words(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"\w+", plain_text(text)))
