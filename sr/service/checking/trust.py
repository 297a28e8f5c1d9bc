"""Use cases: whom the checks of the service trust, and changing that.

Cites: RFC 5280 6.1.1 d; RFC 5937.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509

from sr.app.audit import AuditAction
from sr.service.access import Permission, Principal, require
from sr.service.context import Context
from sr.service.events import record
from sr.store.database import Database
from sr.store.trust_anchors import (
    AnchorUse,
    TrustedCertificate,
    add_trusted,
    remove_trusted,
    trusted_certificates,
)
from sr.trust import CertificateSummary, TrustMaterial, parse_certificates
from sr.trust.certificate import read_certificate

__all__ = ["Anchor", "add_anchors", "anchors", "remove_anchor", "with_database"]

_FOLDER = "folder"
"""Says of a certificate that it is in the folder of the operator, which the API does not change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchor:
    """A certificate that is trusted."""

    use: AnchorUse
    certificate: CertificateSummary
    not_after: datetime
    label: str
    added_by: str
    """Id of a user, or ``folder``."""
    added_at: datetime | None


def with_database(
    folder: Callable[[], TrustMaterial], database: Database
) -> Callable[[], TrustMaterial]:
    """Return what gives the material of the operator's folder and that of the database."""

    def material() -> TrustMaterial:
        kept = folder()
        with database.read() as connection:
            more = trusted_certificates(connection)
        by_use = {use: tuple(e.certificate for e in more if e.use is use) for use in AnchorUse}
        return TrustMaterial(
            anchors=(*kept.anchors, *by_use[AnchorUse.ANCHOR]),
            timestamp_anchors=(*kept.timestamp_anchors, *by_use[AnchorUse.TIMESTAMP]),
            intermediates=(*kept.intermediates, *by_use[AnchorUse.INTERMEDIATE]),
            crls=kept.crls,
            ocsps=kept.ocsps,
        )

    return material


def anchors(context: Context, principal: Principal) -> tuple[Anchor, ...]:
    """Return every certificate that is trusted.

    Raises:
        AccessError: The principal may not see them.
    """
    require(principal, Permission.READ_TRUST)
    with context.database.read() as connection:
        kept = trusted_certificates(connection)
    known = {each.certificate for each in kept}
    material = context.material()
    in_folder = (
        *((AnchorUse.ANCHOR, der) for der in material.anchors),
        *((AnchorUse.INTERMEDIATE, der) for der in material.intermediates),
        *((AnchorUse.TIMESTAMP, der) for der in material.timestamp_anchors),
    )
    return (
        *(
            _anchor(use, der, label="", added_by=_FOLDER, added_at=None)
            for use, der in in_folder
            if der not in known
        ),
        *(_of(each) for each in kept),
    )


def add_anchors(
    context: Context, principal: Principal, certificates: bytes, *, use: AnchorUse, label: str = ""
) -> tuple[Anchor, ...]:
    """Trust certificates from now on; once more makes no difference.

    Args:
        context: The service.
        principal: Who decides.
        certificates: PEM or DER.
        use: What for.
        label: What people call them.

    Raises:
        AccessError: The principal may not change trust.
        TrustEvidenceError: There is no certificate in it.

    Cites: RFC 5937.
    """
    require(principal, Permission.CHANGE_TRUST)
    ders = parse_certificates(certificates)
    now = context.ports.now()
    added = tuple(
        TrustedCertificate(
            sha256=read_certificate(der).summary.sha256,
            use=use,
            certificate=der,
            label=label,
            added_by=principal.user_id,
            added_at=now,
        )
        for der in dict.fromkeys(ders)
    )
    with context.database.write() as connection:
        for each in added:
            add_trusted(connection, each)
            record(
                context,
                connection,
                principal,
                AuditAction.TRUST_ANCHOR_ADDED,
                subject=each.sha256,
                detail=use.value,
            )
    return tuple(_of(each) for each in added)


def remove_anchor(
    context: Context, principal: Principal, fingerprint: str, *, use: AnchorUse
) -> None:
    """Trust a certificate no longer that was added here.

    Raises:
        AccessError: The principal may not change trust.
        NotFoundError: It was not added here; what is in the folder its operator removes.
    """
    require(principal, Permission.CHANGE_TRUST)
    with context.database.write() as connection:
        remove_trusted(connection, fingerprint, use=use, at=context.ports.now())
        record(
            context,
            connection,
            principal,
            AuditAction.TRUST_ANCHOR_REMOVED,
            subject=fingerprint,
            detail=use.value,
        )


def _of(trusted: TrustedCertificate) -> Anchor:
    return _anchor(
        trusted.use,
        trusted.certificate,
        label=trusted.label,
        added_by=trusted.added_by,
        added_at=trusted.added_at,
    )


def _anchor(
    use: AnchorUse, der: bytes, *, label: str, added_by: str, added_at: datetime | None
) -> Anchor:
    return Anchor(
        use=use,
        certificate=read_certificate(der).summary,
        not_after=x509.load_der_x509_certificate(der).not_valid_after_utc,
        label=label,
        added_by=added_by,
        added_at=added_at,
    )
