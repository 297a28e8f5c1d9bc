"""Who may do what: one table, and everything that it does not allow is refused.

Cites: PS3.15 A.4; PS3.16 CID 7007.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from sr.codes import SignaturePurpose
from sr.errors import AccessError

__all__ = [
    "ALLOWED",
    "PURPOSES",
    "THE_SERVICE",
    "Permission",
    "Principal",
    "Role",
    "may",
    "require",
    "require_purpose",
]


class Role(StrEnum):
    """What somebody is here."""

    AUTHOR = "author"
    APPROVER = "approver"
    SEALER = "sealer"
    OPERATOR = "operator"
    AUDITOR = "auditor"
    ADMIN = "admin"


class Permission(StrEnum):
    """What can be asked of the service."""

    READ_DOCUMENTS = "read-documents"
    WRITE_REPORTS = "write-reports"
    RETURN_REPORTS = "return-reports"
    SIGN = "sign"
    """With the purposes of one's roles, see ``PURPOSES``."""
    SEAL = "seal"
    CHECK = "check"
    SEARCH_SIGNATURES = "search-signatures"
    READ_AUDIT = "read-audit"
    READ_JOBS = "read-jobs"
    READ_TRUST = "read-trust"
    CHANGE_TRUST = "change-trust"
    OWN_CREDENTIALS = "own-credentials"
    PAIR_AGENTS = "pair-agents"
    MANAGE_PEOPLE = "manage-people"
    READ_METRICS = "read-metrics"


_R, _P = Role, Permission
ALLOWED: dict[Permission, frozenset[Role]] = {
    _P.READ_DOCUMENTS: frozenset({_R.AUTHOR, _R.APPROVER, _R.SEALER}),
    _P.WRITE_REPORTS: frozenset({_R.AUTHOR}),
    _P.RETURN_REPORTS: frozenset({_R.APPROVER}),
    _P.SIGN: frozenset({_R.AUTHOR, _R.APPROVER, _R.SEALER}),
    _P.SEAL: frozenset({_R.SEALER}),
    _P.CHECK: frozenset({_R.AUTHOR, _R.APPROVER, _R.SEALER, _R.AUDITOR}),
    _P.SEARCH_SIGNATURES: frozenset({_R.AUTHOR, _R.APPROVER, _R.SEALER, _R.AUDITOR}),
    _P.READ_AUDIT: frozenset({_R.AUDITOR}),
    _P.READ_JOBS: frozenset({_R.AUTHOR, _R.APPROVER, _R.SEALER, _R.OPERATOR}),
    _P.READ_TRUST: frozenset(Role),
    _P.CHANGE_TRUST: frozenset({_R.ADMIN}),
    _P.OWN_CREDENTIALS: frozenset({_R.AUTHOR, _R.APPROVER, _R.SEALER}),
    _P.PAIR_AGENTS: frozenset({_R.AUTHOR, _R.APPROVER}),
    _P.MANAGE_PEOPLE: frozenset({_R.ADMIN}),
    _P.READ_METRICS: frozenset({_R.OPERATOR}),
}

_S = SignaturePurpose
PURPOSES: dict[Role, frozenset[SignaturePurpose]] = {
    _R.AUTHOR: frozenset(
        {
            _S.AUTHOR,
            _S.COAUTHOR,
            _S.CO_PARTICIPANT,
            _S.TRANSCRIPTIONIST,
            _S.INTERPRETER,
            _S.ADDENDUM,
            _S.MODIFICATION,
        }
    ),
    _R.APPROVER: frozenset({_S.VERIFICATION, _S.VALIDATION, _S.REVIEW}),
    _R.SEALER: frozenset({_S.SOURCE}),
}
"""Which purposes a role may sign with; what no role has, nobody signs here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """Who asks: a person at a page, a machine with a key, an agent beside a card."""

    user_id: str
    login: str
    display_name: str
    person_name: str
    """As in reports, e.g. ``Meier^Anna``."""
    organization: str
    roles: frozenset[Role]
    address: str = ""
    """Network address, where known."""
    agent_id: str | None = None


THE_SERVICE = Principal(
    user_id="srsign",
    login="",
    display_name="srsign",
    person_name="",
    organization="",
    roles=frozenset(),
)
"""The service itself, when it acts at its start or by the clock."""


def may(principal: Principal, permission: Permission) -> bool:
    """Return whether the table allows it."""
    return not ALLOWED.get(permission, frozenset()).isdisjoint(principal.roles)


def require(principal: Principal, permission: Permission) -> None:
    """Refuse what the table does not allow.

    Raises:
        AccessError: Naming the permission.
    """
    if not may(principal, permission):
        raise AccessError(
            f"your roles do not include the permission {permission.value}",
            hint="roles that have it: " + ", ".join(sorted(ALLOWED[permission])),
        )


def require_purpose(principal: Principal, purpose: SignaturePurpose) -> None:
    """Refuse a purpose that none of the roles signs with.

    Raises:
        AccessError: Naming the purpose.

    Cites: PS3.16 CID 7007.
    """
    require(principal, Permission.SIGN)
    if not any(purpose in PURPOSES.get(role, frozenset()) for role in principal.roles):
        raise AccessError(
            f"your roles do not sign with the purpose {purpose.slug} "
            "(DigitalSignaturePurposeCodeSequence (0400,0401))",
            where="(0400,0401)",
        )
