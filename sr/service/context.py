"""What the use cases of the service work with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from threading import Semaphore

from sr.app.ports import Ports
from sr.dicomfile import Limits
from sr.document.approvable import ApprovalMode
from sr.keys.kept import KeptSigners
from sr.net.openid import OpenIDProvider
from sr.service.access import Role
from sr.service.authoring.evidence import EvidenceRoots
from sr.service.signing.prepared import PreparedSignatures
from sr.store.database import Database
from sr.trust import TrustMaterial, TrustPolicy

__all__ = ["Context", "OpenIDRules"]

_COMPUTING = 2
"""More would only take turns: one interpreter runs one of them at a time."""
_SIGNING = 4
"""One writes, one is next, and two prepare what they will write."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenIDRules:
    """An OpenID provider, and what its word is worth here."""

    provider: OpenIDProvider
    audience: str = ""
    """That access tokens must be for; empty to take none."""
    scope: str = "openid profile"
    roles_claim: str = ""
    """Claim whose values are roles; empty where roles are set here."""
    roles: tuple[tuple[str, str], ...] = ()
    """Value of that claim, and the role that it gives."""
    provision: bool = False
    """Whether people who are new here get an account."""
    organization: str = ""
    """Of people who are new."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """One service, wired."""

    database: Database
    ports: Ports
    material: Callable[[], TrustMaterial]
    """Whom it trusts just now."""
    policy: TrustPolicy
    evidence: EvidenceRoots
    limits: Limits
    new_token: Callable[[], str]
    """Unguessable, for ids and secrets; 128 bits, hexadecimal."""
    approval_mode: ApprovalMode = ApprovalMode.REISSUE
    session_lifetime: timedelta = timedelta(minutes=10)
    items_per_session: int = 200
    login_lifetime: timedelta = timedelta(hours=10)
    """How long a browser's login lasts at most."""
    idle_lifetime: timedelta = timedelta(minutes=30)
    """How long it lasts without a request."""
    openid: OpenIDRules | None = None
    """Who says from outside who somebody is."""
    demo: bool = False
    """Whether people log in without proof, and keys that lie open are used; never for patients."""
    server_keys: KeptSigners = field(default_factory=KeptSigners)
    """Keys that are here and not with the people who sign."""
    server_signers: frozenset[Role] = frozenset({Role.SEALER})
    """Roles for whose purposes the server signs; in a demonstration also those of people."""
    computing: Semaphore = field(default_factory=lambda: Semaphore(_COMPUTING))
    """Held by who computes on one document, never while waiting for anything: so many at a time
    that the others, who only look something up, are answered meanwhile."""
    signing: Semaphore = field(default_factory=lambda: Semaphore(_SIGNING))
    """Held by who prepares, keeps or stores signatures, never while waiting for another machine:
    signers wait at this door, and not among those who read."""
    prepared: PreparedSignatures = field(default_factory=PreparedSignatures)
    """Remembered between the two steps of a signature."""
