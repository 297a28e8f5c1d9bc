"""Use case: what a draft would be, without keeping it.

Cites: PS3.16 TID 2000.
"""

from __future__ import annotations

from dataclasses import dataclass

from sr.app.audit import AuditAction
from sr.service.access import Permission, Principal, require
from sr.service.authoring.drafting import DraftSource, written
from sr.service.checking.verdicts import verdict_on
from sr.service.context import Context
from sr.service.events import record
from sr.verification import Verdict

__all__ = ["Preview", "preview_draft"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """A document that is kept nowhere."""

    content: bytes
    verdict: Verdict


def preview_draft(context: Context, principal: Principal, source: DraftSource) -> Preview:
    """Return the draft that a source would make.

    Raises:
        AccessError: The principal writes no reports.
        EvidenceError: There is no such evidence, or it is damaged or altered.
        LifecycleError: What it amends is not amended so.
        TemplateError: The values do not fit; names the key path.

    Cites: PS3.16 TID 2000.
    """
    require(principal, Permission.WRITE_REPORTS)
    content = written(context, source)
    with context.database.write() as connection:
        record(context, connection, principal, AuditAction.SEARCHED)
    return Preview(content=content, verdict=verdict_on(context, content, "preview"))
