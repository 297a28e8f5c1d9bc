"""Which DICOM audit message each action is, as a table.

Where the standard has a type within a family it is named; our own, of the scheme 99SRSIGN, is named
beside it.

Cites: PS3.15 A.5.3; PS3.16 CID 400, 401, 402, 403, 404, 405.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from sr.app.audit.event import AuditAction
from sr.codes import Code

__all__ = ["MESSAGES", "OWN_SCHEME", "Family", "MessageKind"]

OWN_SCHEME = "99SRSIGN"


def _dcm(value: str, meaning: str) -> Code:
    return Code(value, "DCM", meaning)


class Family(Enum):
    """EventID: the messages of A.5.3 that srsign sends."""

    APPLICATION_ACTIVITY = _dcm("110100", "Application Activity")
    AUDIT_LOG_USED = _dcm("110101", "Audit Log Used")
    INSTANCES_ACCESSED = _dcm("110103", "DICOM Instances Accessed")
    EXPORT = _dcm("110106", "Export")
    QUERY = _dcm("110112", "Query")
    SECURITY_ALERT = _dcm("110113", "Security Alert")
    USER_AUTHENTICATION = _dcm("110114", "User Authentication")


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageKind:
    """What of a message follows from the action alone."""

    family: Family
    action_code: str
    """EventActionCode: C R U D E."""
    event_type: Code | None = None
    """EventTypeCode of the standard, where it has one."""
    life_cycle: str = ""
    """ParticipantObjectDataLifeCycle of what the event is about."""


_CREATION, _AMENDMENT, _VERIFICATION, _ACCESS, _EXPORT, _DELETION = "1", "3", "4", "6", "10", "14"
_START, _STOP = _dcm("110120", "Application Start"), _dcm("110121", "Application Stop")
_LOGIN, _LOGOUT = _dcm("110122", "Login"), _dcm("110123", "Logout")
_SECURITY = _dcm("110129", "Security Configuration")
_RESTRICTED = _dcm("110132", "Use of Restricted Function")
_ROLES = _dcm("110136", "Security Roles Changed")
_USERS = _dcm("110137", "User Security Attributes Changed")


def _accessed(action_code: str, life_cycle: str) -> MessageKind:
    family = Family.INSTANCES_ACCESSED
    return MessageKind(family=family, action_code=action_code, life_cycle=life_cycle)


def _of(family: Family, event_type: Code | None = None, *, code: str = "E") -> MessageKind:
    return MessageKind(family=family, action_code=code, event_type=event_type)


_A, _F = AuditAction, Family
MESSAGES: dict[AuditAction, MessageKind] = {
    _A.REPORT_CREATED: _accessed("C", _CREATION),
    _A.REPORT_CHANGED: _accessed("U", _AMENDMENT),
    _A.REPORT_DISCARDED: _accessed("D", _DELETION),
    _A.REPORT_READ: _accessed("R", _ACCESS),
    _A.REPORT_RENDERED: _accessed("R", _ACCESS),
    _A.EVIDENCE_READ: _accessed("R", _ACCESS),
    _A.SIGNING_SESSION_OPENED: _accessed("R", _ACCESS),
    _A.SIGNATURE_VALUE_KEPT: _accessed("R", _ACCESS),
    _A.SIGNED: _accessed("U", _VERIFICATION),
    _A.SIGNING_FAILED: _accessed("R", _ACCESS),
    _A.SIGNING_VOIDED: _accessed("R", _ACCESS),
    _A.APPROVED: _accessed("U", _VERIFICATION),
    _A.RETURNED: _accessed("U", _ACCESS),
    _A.AMENDED: _accessed("C", _AMENDMENT),
    _A.KEY_OBJECT_CREATED: _accessed("C", _CREATION),
    _A.SEALED: _accessed("C", _CREATION),
    _A.MANIFEST_MADE: _accessed("C", _CREATION),
    _A.CHECKED: _accessed("R", _VERIFICATION),
    _A.SEARCHED: _of(_F.QUERY),
    _A.EXPORTED: MessageKind(family=_F.EXPORT, action_code="R", life_cycle=_EXPORT),
    _A.LOGIN: _of(_F.USER_AUTHENTICATION, _LOGIN),
    _A.LOGIN_FAILED: _of(_F.USER_AUTHENTICATION, _LOGIN),
    _A.LOGOUT: _of(_F.USER_AUTHENTICATION, _LOGOUT),
    _A.ACCESS_REFUSED: _of(_F.SECURITY_ALERT, _RESTRICTED),
    _A.CREDENTIAL_ADDED: _of(_F.SECURITY_ALERT, _USERS),
    _A.CREDENTIAL_REMOVED: _of(_F.SECURITY_ALERT, _USERS),
    _A.ROLES_CHANGED: _of(_F.SECURITY_ALERT, _ROLES),
    _A.TRUST_ANCHOR_ADDED: _of(_F.SECURITY_ALERT, _SECURITY),
    _A.TRUST_ANCHOR_REMOVED: _of(_F.SECURITY_ALERT, _SECURITY),
    _A.SERVICE_STARTED: _of(_F.APPLICATION_ACTIVITY, _START),
    _A.SERVICE_STOPPED: _of(_F.APPLICATION_ACTIVITY, _STOP),
    _A.AUDIT_READ: _of(_F.AUDIT_LOG_USED, code="R"),
    _A.AUDIT_CHECKED: _of(_F.AUDIT_LOG_USED, code="R"),
    _A.AUDIT_EXPORTED: _of(_F.AUDIT_LOG_USED, code="R"),
    _A.AUDIT_ANCHORED: _of(_F.AUDIT_LOG_USED, code="R"),
}
