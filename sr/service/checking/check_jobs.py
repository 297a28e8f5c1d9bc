"""Use case: check a stored document as a job, for who does not want to wait.

Cites: ETSI EN 319 102-1 5.
"""

from __future__ import annotations

from typing import Any

from sr.service.access import Permission, Principal, require
from sr.service.checking.checks import check_stored
from sr.service.context import Context
from sr.service.operation.jobs import Run, enqueue
from sr.store.documents import get_document
from sr.store.jobs import Job

__all__ = ["CHECK", "ask_for_check", "check_job"]

CHECK = "check"
"""Kind of the job."""


def ask_for_check(
    context: Context, principal: Principal, sop_instance_uid: str, *, evidence: bool
) -> Job:
    """Ask for the verdict on a document of the service.

    Args:
        context: The service.
        principal: Who asks.
        sop_instance_uid: The document.
        evidence: Whether to compare its references with the configured folders.

    Raises:
        AccessError: The principal checks nothing.
        NotFoundError: There is no such document.
    """
    require(principal, Permission.CHECK)
    arguments = {"sop_instance_uid": sop_instance_uid, "evidence": evidence}
    with context.database.write() as connection:
        get_document(connection, sop_instance_uid)
        return enqueue(context, connection, principal, CHECK, arguments, total=1)


def check_job(context: Context, principal: Principal, run: Run) -> dict[str, Any]:
    """Check the document that a job names; a second attempt checks it again.

    Raises:
        AccessError: The principal checks nothing any more.
        NotFoundError: There is no such document.
    """
    wanted = run.job.arguments
    uid = str(wanted["sop_instance_uid"])
    verdict = check_stored(context, principal, uid, evidence=bool(wanted["evidence"]))
    run.progress(1, 1)
    return {"sop_instance_uid": uid, "verdict": verdict.as_dict()}
