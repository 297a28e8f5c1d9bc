"""What an audit trail records: one event, who caused it, and what it was about.

An event is never refused for what somebody typed: text is cut to a length and freed of characters
that no log and no XML can hold, since a name that breaks the trail would hide whoever bears it.
There is no field for a secret: keys are named by certificate, credentials by their id. Every field
that may be empty has a default, so that rows of today stay readable when there are more.

Cites: PS3.15 A.5.2.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from enum import StrEnum

from sr.codes import SignaturePurpose
from sr.errors import DatasetError

__all__ = ["Actor", "AuditAction", "AuditEvent", "AuditedInstance", "Outcome"]

_LONGEST, _LONGEST_IDENTIFIER, _MOST_ROLES = 256, 64, 8
_IDENTIFIERS = frozenset(
    {
        "sop_class_uid",
        "sop_instance_uid",
        "sha256",
        "study_instance_uid",
        "certificate_sha256",
        "digital_signature_uid",
    }
)
_NOT_IN_IDENTIFIERS = re.compile(r"[^0-9A-Za-z._-]", re.ASCII)
_NOT_IN_TEXT = frozenset({"Cc", "Cs", "Cn", "Co", "Zl", "Zp"})
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


class AuditAction(StrEnum):
    """What happened; the values are codes of the scheme 99SRSIGN in exported messages."""

    REPORT_CREATED = "report-created"
    REPORT_CHANGED = "report-changed"
    REPORT_DISCARDED = "report-discarded"
    REPORT_READ = "report-read"
    REPORT_RENDERED = "report-rendered"
    EVIDENCE_READ = "evidence-read"
    SIGNING_SESSION_OPENED = "signing-session-opened"
    SIGNATURE_VALUE_KEPT = "signature-value-kept"
    SIGNED = "signed"
    SIGNING_FAILED = "signing-failed"
    SIGNING_VOIDED = "signing-voided"
    APPROVED = "approved"
    RETURNED = "returned"
    AMENDED = "amended"
    KEY_OBJECT_CREATED = "key-object-created"
    SEALED = "sealed"
    MANIFEST_MADE = "manifest-made"
    CHECKED = "checked"
    SEARCHED = "searched"
    EXPORTED = "exported"
    LOGIN = "login"
    LOGIN_FAILED = "login-failed"
    LOGOUT = "logout"
    ACCESS_REFUSED = "access-refused"
    CREDENTIAL_ADDED = "credential-added"
    CREDENTIAL_REMOVED = "credential-removed"
    ROLES_CHANGED = "roles-changed"
    TRUST_ANCHOR_ADDED = "trust-anchor-added"
    TRUST_ANCHOR_REMOVED = "trust-anchor-removed"
    SERVICE_STARTED = "service-started"
    SERVICE_STOPPED = "service-stopped"
    AUDIT_READ = "audit-read"
    AUDIT_CHECKED = "audit-checked"
    AUDIT_EXPORTED = "audit-exported"
    AUDIT_ANCHORED = "audit-anchored"


class Outcome(StrEnum):
    """EventOutcomeIndicator.

    Cites: PS3.15 A.5.1.1.
    """

    SUCCESS = "0"
    MINOR_FAILURE = "4"
    SERIOUS_FAILURE = "8"
    MAJOR_FAILURE = "12"


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who caused an event: a person, another machine, or the service itself."""

    user_id: str = ""
    """As it was claimed, where nobody proved to be it."""
    name: str = ""
    roles: tuple[str, ...] = ()
    address: str = ""
    """IP address or host name that the request came from."""
    is_service: bool = False
    """Whether it is the service itself, at start or by the clock for instance."""

    def __post_init__(self) -> None:
        _clean_fields(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditedInstance:
    """A SOP instance that an event was about."""

    sop_class_uid: str = ""
    sop_instance_uid: str = ""
    sha256: str = ""
    """Of the whole file, hexadecimal: what later finds a stripped signature or a renamed file."""

    def __post_init__(self) -> None:
        _clean_fields(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEvent:
    """Something that happened.

    Raises:
        DatasetError: The time has no offset from UTC; rule ``AUDIT_EVENT``.
    """

    action: AuditAction
    at: datetime
    """Aware; kept in UTC."""
    actor: Actor
    outcome: Outcome = Outcome.SUCCESS
    instances: tuple[AuditedInstance, ...] = ()
    study_instance_uid: str = ""
    patient_id: str = ""
    patient_name: str = ""
    """As in the document; empty where the event shows and changes no patient data."""
    purpose: SignaturePurpose | None = None
    certificate_sha256: str = ""
    """Of the signer's certificate, hexadecimal."""
    digital_signature_uid: str = ""
    subject: str = ""
    """What else it was about: a credential's id, an anchor's digest, a policy, a destination."""
    detail: str = ""
    """Why it failed, or the words of a search."""

    def __post_init__(self) -> None:
        if self.at.tzinfo is None:
            raise DatasetError("the time of an audit event has no offset", rule="AUDIT_EVENT")
        object.__setattr__(self, "at", self.at.astimezone(UTC))
        _clean_fields(self)


def _clean_fields(value: Actor | AuditedInstance | AuditEvent) -> None:
    for each in fields(value):
        given = getattr(value, each.name)
        if each.name in _IDENTIFIERS or each.name == "roles":
            clean = _identifier(given) if type(given) is str else _roles(given)
            object.__setattr__(value, each.name, clean)
        elif type(given) is str:
            object.__setattr__(value, each.name, _clean(given))


def _roles(given: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(map(_identifier, given[:_MOST_ROLES]))


def _identifier(text: str) -> str:
    """Return a UID, digest or name of a role, whatever else it was given for one replaced."""
    return _NOT_IN_IDENTIFIERS.sub("_", text[:_LONGEST_IDENTIFIER])


def _clean(text: str) -> str:
    """Return text that a log line and XML can hold, in normal form C, at most 256 characters."""
    if text.isascii() and text.isprintable() and len(text) <= _LONGEST:
        return text
    if len(text) > _LONGEST:
        text = f"{text[: _LONGEST - 1]}…"
    kept = (_REPLACEMENT if unicodedata.category(c) in _NOT_IN_TEXT else c for c in text)
    return unicodedata.normalize("NFC", "".join(kept))[:_LONGEST]
