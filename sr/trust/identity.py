"""Who the people in a report are, and which certificates are theirs: a site's mapping.

Without a mapping, a person is known by name, and a difference is worth a warning. A site says in
its policy that an identification code decides, or lists its people with every name, code and
certificate subject that they go by. Then a difference counts, aliases are one person and namesakes
are two, and a person may be limited to some purposes.

Cites: PS3.15 C.4; PS3.3 C.17.2; EN 319 412-2 4.2.4.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase

from sr.trust.certificate import Certificate, read_certificate
from sr.trust.name import plain_text
from sr.trust.person import person_of

__all__ = [
    "BY_NAME",
    "IdentityMapping",
    "KnownPerson",
    "Naming",
    "one_person",
    "persons_of",
    "same_person",
]

_PERSON = "person:"


class Naming(StrEnum):
    """What of a certificate says who in a report its holder is."""

    NAME = "name"
    SERIAL_NUMBER = "serialnumber"
    USER_ID = "uid"
    EMAIL = "email"


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownPerson:
    """Everything one person goes by; patterns with ``*`` and ``?``, letter case apart."""

    person: str
    """The site's own id."""
    names: tuple[str, ...]
    """As in reports, e.g. ``Meier^Anna``."""
    codes: tuple[str, ...]
    """Identification codes as in reports: value, or ``value^scheme``."""
    subjects: tuple[str, ...]
    """Subjects of certificates, RFC 4514 text, e.g. ``*serialNumber=4711,*``."""
    emails: tuple[str, ...]
    """Mail addresses in certificates."""
    purposes: frozenset[str]
    """Purpose codes that the person may sign with; empty for all."""
    cites: str
    certificates: frozenset[str] = frozenset()
    """SHA-256 of certificates that are known one by one, hexadecimal."""

    def is_named(self, name: str, codes: tuple[str, ...]) -> bool:
        """Return whether a report means this person."""
        wanted = {*codes, *(code.partition("^")[0] for code in codes)}
        return _matches((name,), self.names) or not wanted.isdisjoint(self.codes)

    def holds(self, certificate: Certificate) -> bool:
        """Return whether a certificate is this person's."""
        summary = certificate.summary
        if summary.sha256 in self.certificates:
            return True
        identifiers = person_of(certificate.der) if self.emails else ()
        mails = tuple(each[6:] for each in identifiers if each.startswith("email:"))
        return _matches((summary.subject,), self.subjects) or _matches(mails, self.emails)


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityMapping:
    """How a site tells that the person in a report is the holder of a certificate."""

    by: frozenset[Naming]
    """Any one of them suffices."""
    persons: tuple[KnownPerson, ...]

    @property
    def is_configured(self) -> bool:
        """Whether a site said more than that names should look alike."""
        return bool(self.persons) or self.by != {Naming.NAME}


BY_NAME = IdentityMapping(by=frozenset({Naming.NAME}), persons=())
"""What holds where a site says nothing."""


def persons_of(certificate: Certificate, mapping: IdentityMapping) -> frozenset[str]:
    """Return identifiers of the person behind a certificate, those of the mapping included."""
    listed = (each.person for each in mapping.persons if each.holds(certificate))
    return person_of(certificate.der) | {_PERSON + person for person in listed}


def one_person(one: frozenset[str], other: frozenset[str]) -> bool:
    """Return whether two sets of identifiers may be one person's.

    Where the site knows both, its ids decide, and the key: two people have two keys. Otherwise any
    identifier that is shared makes them one.
    """
    shared = one & other
    if all(any(each.startswith(_PERSON) for each in ids) for ids in (one, other)):
        shared = frozenset(each for each in shared if each.startswith((_PERSON, "key:")))
    return bool(shared)


def same_person(one: bytes, other: bytes, mapping: IdentityMapping = BY_NAME) -> bool:
    """Return whether two DER certificates may be one person's; see ``one_person``.

    Raises:
        TrustEvidenceError: The bytes are not a certificate.
    """
    return one_person(
        persons_of(read_certificate(one), mapping), persons_of(read_certificate(other), mapping)
    )


def _matches(texts: tuple[str, ...], patterns: tuple[str, ...]) -> bool:
    plain = [plain_text(text) for text in texts if text] if patterns else ()
    return any(fnmatchcase(text, plain_text(p)) for p in patterns for text in plain)
