"""Who the people of the service are to the checks: their names, and the certificates they ever had.

A certificate that was withdrawn or renewed stays its person's: what it signed is not unsigned.
Accounts that share a person are one.

Cites: PS3.15 C.4.
"""

from __future__ import annotations

from dataclasses import replace

from sr.service.context import Context
from sr.store.people import User, certificates_of_persons, users_of
from sr.trust.identity import IdentityMapping, KnownPerson

__all__ = ["identity_here"]

_NAME_PARTS = 2
_SPECIAL = str.maketrans({"*": "[*]", "?": "[?]", "[": "[[]"})


def identity_here(context: Context) -> IdentityMapping:
    """Return the identity mapping of the policy with the people of the service in it.

    Cites: PS3.15 C.4; PS3.3 C.17.2.
    """
    with context.database.read() as connection:
        users, certificates = users_of(connection), certificates_of_persons(connection)
    people: dict[str, list[User]] = {}
    for user in users:
        people.setdefault(user.person, []).append(user)
    known = tuple(
        _known(person, accounts, certificates[person])
        for person, accounts in people.items()
        if person in certificates
    )
    policy = context.policy.identity
    return replace(policy, persons=(*policy.persons, *known))


def _known(person: str, accounts: list[User], certificates: frozenset[str]) -> KnownPerson:
    aliases = {alias for user in accounts for alias in user.aliases}
    names = {name for user in accounts for name in _spellings(user.person_name)}
    return KnownPerson(
        person=person,
        names=tuple(sorted(name.translate(_SPECIAL) for name in names | aliases)),
        codes=tuple(sorted(aliases)),
        subjects=(),
        emails=(),
        purposes=frozenset(),
        cites="PS3.15 C.4",
        certificates=certificates,
    )


def _spellings(name: str) -> set[str]:
    """Return a name, and the name without middle names and titles.

    Cites: PS3.5 6.2.1.
    """
    return {name, "^".join(name.split("^")[:_NAME_PARTS])} - {""}
