"""Use case: put right what a process left behind that ended in the middle of its work.

Whatever was committed is whole, so there is little: a session whose values are kept is finished as
its signer wanted, or void where a document changed; nothing is ever signed again. What merely ran
out of time is ended, and jobs of which nothing was heard are taken up again.
"""

from __future__ import annotations

from dataclasses import dataclass

from sr.app.audit import AuditAction
from sr.errors import ExternalServiceError, SRError
from sr.service.access import THE_SERVICE
from sr.service.accounts.login import principal_of_user
from sr.service.context import Context
from sr.service.events import record
from sr.service.operation.jobs import take_up_again
from sr.service.signing.session_states import expire_sessions, void_session
from sr.service.signing.signing_sessions import finish_session
from sr.store.idempotency import forget_keys
from sr.store.people import get_user
from sr.store.signing_sessions import SessionState, SigningSession, items_of, sessions_in

__all__ = ["Recovered", "recover", "sweep"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovered:
    """What was put right at a start."""

    finished: int = 0
    """Sessions whose values were kept, now signed."""
    voided: int = 0
    """Sessions whose values were kept for a document that changed."""
    waiting: int = 0
    """Sessions that still wait for a time-stamp."""
    expired: int = 0
    jobs: int = 0

    def __str__(self) -> str:
        """Return the figures as the audit has them."""
        return (
            f"sessions finished {self.finished}, voided {self.voided}, waiting {self.waiting}, "
            f"expired {self.expired}; jobs {self.jobs}"
        )


def recover(context: Context) -> Recovered:
    """Put right what is left of an earlier run, and write to the audit that the service started.

    Raises:
        ExternalServiceError: The database does not answer.
    """
    with context.database.read() as connection:
        valued = sessions_in(connection, SessionState.VALUED)
    outcomes = [_finish(context, session) for session in valued]
    alone = context.database.engine.dialect.name == "sqlite"  # then nobody is at any request
    with context.database.write() as connection:
        forget_keys(connection, at=context.ports.now(), unanswered=alone)
    expired, jobs = sweep(context)
    found = Recovered(
        finished=outcomes.count(SessionState.COMPLETED),
        voided=outcomes.count(SessionState.VOIDED),
        waiting=outcomes.count(SessionState.VALUED),
        expired=expired,
        jobs=jobs,
    )
    with context.database.write() as connection:
        record(context, connection, THE_SERVICE, AuditAction.SERVICE_STARTED, detail=str(found))
    return found


def sweep(context: Context) -> tuple[int, int]:
    """End sessions that ran out of time, take up lost jobs; return how many of each.

    Raises:
        ExternalServiceError: The database does not answer.
    """
    with context.database.write() as connection:
        forget_keys(connection, at=context.ports.now())
    return expire_sessions(context, THE_SERVICE), take_up_again(context)


def _finish(context: Context, session: SigningSession) -> SessionState:
    with context.database.read() as connection:
        items = items_of(connection, session.id)
        user = get_user(connection, session.user_id)
    try:
        finish_session(context, principal_of_user(user), session, items)
    except ExternalServiceError:  # no time-stamp now; the signer may try again, or give it up
        return SessionState.VALUED
    except SRError as error:
        return void_session(context, THE_SERVICE, session.id, why=error.code).state
    return SessionState.COMPLETED
