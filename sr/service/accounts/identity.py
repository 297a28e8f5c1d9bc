"""Who the people of the service are to the checks: their names, and the certificates they ever had.

A certificate that was withdrawn or renewed stays its person's: what it signed is not unsigned.
Accounts that share a person are one.

Cites: PS3.15 C.4.
"""

from __future__ import annotations

import json
from dataclasses import replace
from functools import lru_cache

from sr.service.context import Context
from sr.store.people import NamedCertificate, names_and_certificates
from sr.trust.identity import IdentityMapping, KnownPerson

__all__ = ["identity_here"]

_NAME_PARTS = 2
_SPECIAL = str.maketrans({"*": "[*]", "?": "[?]", "[": "[[]"})


def identity_here(context: Context) -> IdentityMapping:
    """Return the identity mapping of the policy with the people of the service in it.

    Cites: PS3.15 C.4; PS3.3 C.17.2.
    """
    with context.database.read() as connection:
        return _mapping(context.policy.identity, names_and_certificates(connection))


@lru_cache(maxsize=2)  # people change seldom; they are read each time, so that it is seen at once
def _mapping(policy: IdentityMapping, known: tuple[NamedCertificate, ...]) -> IdentityMapping:
    people: dict[str, list[NamedCertificate]] = {}
    for each in known:
        people.setdefault(each.person, []).append(each)
    persons = (_known(person, accounts) for person, accounts in people.items())
    return replace(
        policy, persons=(*policy.persons, *(each for each in persons if each.certificates))
    )


def _known(person: str, accounts: list[NamedCertificate]) -> KnownPerson:
    aliases = {alias for each in accounts for alias in json.loads(each.aliases)}
    names = {name for each in accounts for name in _spellings(each.person_name)}
    return KnownPerson(
        person=person,
        names=tuple(sorted(name.translate(_SPECIAL) for name in names | aliases)),
        codes=tuple(sorted(aliases)),
        subjects=(),
        emails=(),
        purposes=frozenset(),
        cites="PS3.15 C.4",
        certificates=frozenset(each.sha256 for each in accounts if each.sha256),
    )


def _spellings(name: str) -> set[str]:
    """Return a name, and the name without middle names and titles.

    Cites: PS3.5 6.2.1.
    """
    return {name, "^".join(name.split("^")[:_NAME_PARTS])} - {""}
