"""Whether the people named in a report are those who signed it.

Without a mapping configured, a difference is worth a warning, not more: certificates and reports
spell names differently.

Cites: PS3.15 C.4 (identification of signatories); PS3.3 C.17.2.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from sr.findings import Finding, Status
from sr.signature.purpose import known_purpose
from sr.verification.facts import DocumentFacts
from sr.verification.signature_rules import Judgement

__all__ = ["observer_findings"]

_ROLES = {"1": ("author", "(0040,A078)"), "5": ("verifying", "(0040,A073)")}


def observer_findings(facts: DocumentFacts, valid: tuple[Judgement, ...]) -> Iterator[Finding]:
    """Yield where the observer named in a report does not look like the signer.

    Cites: PS3.15 C.4.
    """
    for judgement in valid:
        purpose = known_purpose(judgement.facts.purpose)
        if purpose is None or purpose.value not in _ROLES or judgement.trust is None:
            continue
        role, where = _ROLES[purpose.value]
        named = [name for name in facts.observers.get(role, ()) if name]
        subject = judgement.trust.chain[0].subject if judgement.trust.chain else ""
        if named and not any(_resembles(name, subject) for name in named):
            yield Finding(
                rule="OBSERVER_IDENTITY",
                status=Status.WARN,
                message=f"the {role} observer {named[0]!r} is not named in the signer's "
                f"certificate {subject!r}",
                where=where,
                cites="PS3.15 C.4",
            )


def _resembles(person_name: str, subject: str) -> bool:
    family_and_given = [part for part in re.split(r"[\^=]", person_name)[:2] if part]
    words = _words(subject)
    return bool(family_and_given) and all(_words(part) <= words for part in family_and_given)


def _words(text: str) -> frozenset[str]:
    plain = unicodedata.normalize("NFKD", text.casefold())
    letters = "".join(c for c in plain if not unicodedata.combining(c))
    return frozenset(re.findall(r"\w+", letters))
