"""How states look: always a word, an icon and a colour. And what the pages are called.

Cites: WCAG 2.2 1.4.1.
"""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus

from sr.app.audit import Outcome
from sr.app.checks.answers import AnswerState
from sr.findings import Indication
from sr.service.access import Permission
from sr.service.checking.checks import SetResult
from sr.service.reading.worklist import WorkList
from sr.store.documents import DocumentState
from sr.store.jobs import JobState

__all__ = [
    "ANSWERS",
    "INDICATIONS",
    "JOBS",
    "LISTS",
    "NAVIGATION",
    "OUTCOMES",
    "REFUSALS",
    "SET_RESULTS",
    "STATES",
    "VALIDITY",
    "Entry",
    "Look",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How one state is shown."""

    tone: str
    """Style class."""
    icon: str
    """Id in ``static/icons.svg``."""
    word: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One page of the navigation."""

    path: str
    label: str
    permission: Permission


def _look(tone: str, icon: str, word: str) -> Look:
    return Look(tone=tone, icon=icon, word=word)


STATES: dict[str, Look] = {
    DocumentState.DRAFT: _look("none", "pen", "draft"),
    DocumentState.RETURNED: _look("open", "back", "returned"),
    DocumentState.SIGNED: _look("wait", "signed", "signed"),
    DocumentState.APPROVED: _look("good", "approved", "approved"),
    DocumentState.SUPERSEDED: _look("none", "next", "superseded"),
}

INDICATIONS: dict[str | None, Look] = {
    Indication.PASSED: _look("good", "yes", "passed"),
    Indication.INDETERMINATE: _look("open", "unknown", "undecided"),
    Indication.FAILED: _look("bad", "no", "failed"),
    Indication.NOT_SIGNED: _look("none", "empty", "not signed"),
    None: _look("none", "empty", "not signed"),
}
"""By indication of the last verdict; nothing where there was none."""

ANSWERS: dict[str, Look] = {
    AnswerState.YES: _look("good", "yes", "yes"),
    AnswerState.NO: _look("bad", "no", "no"),
    AnswerState.UNKNOWN: _look("open", "unknown", "unknown"),
    AnswerState.NOT_ASKED: _look("none", "empty", "not asked"),
}

SET_RESULTS: dict[str, Look] = {
    SetResult.INTACT: _look("good", "yes", "intact"),
    SetResult.ALTERED: _look("bad", "no", "altered"),
    SetResult.MISSING: _look("bad", "no", "missing"),
    SetResult.UNEXPECTED: _look("open", "unknown", "unexpected"),
    SetResult.UNSECURED: _look("open", "unknown", "unsecured"),
    SetResult.UNDECIDED: _look("open", "unknown", "undecided"),
    SetResult.DOCUMENT: _look("none", "signed", "see above"),
    SetResult.DAMAGED: _look("bad", "warning", "damaged"),
    SetResult.NOT_DICOM: _look("none", "empty", "not DICOM"),
}

OUTCOMES: dict[str, Look] = {
    Outcome.SUCCESS: _look("good", "yes", "done"),
    Outcome.MINOR_FAILURE: _look("open", "warning", "minor failure"),
    Outcome.SERIOUS_FAILURE: _look("bad", "no", "refused or failed"),
    Outcome.MAJOR_FAILURE: _look("bad", "warning", "major failure"),
}

JOBS: dict[str, Look] = {
    JobState.QUEUED: _look("none", "empty", "waits"),
    JobState.RUNNING: _look("wait", "next", "runs"),
    JobState.DONE: _look("good", "yes", "done"),
    JobState.FAILED: _look("bad", "no", "failed"),
}

VALIDITY: dict[str, Look] = {
    "valid": _look("good", "yes", "valid"),
    "expires soon": _look("open", "warning", "expires soon"),
    "expired": _look("bad", "no", "expired"),
}
"""Of a certificate."""

REFUSALS: dict[int, str] = {
    HTTPStatus.UNAUTHORIZED: "You are logged out",
    HTTPStatus.FORBIDDEN: "Not allowed",
    HTTPStatus.NOT_FOUND: "Not found",
    HTTPStatus.CONFLICT: "Not possible now",
    HTTPStatus.GONE: "Too late",
    HTTPStatus.PRECONDITION_FAILED: "Changed in the meantime",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "Too large",
    HTTPStatus.UNPROCESSABLE_ENTITY: "Not accepted",
    HTTPStatus.TOO_MANY_REQUESTS: "Too much at a time",
    HTTPStatus.INTERNAL_SERVER_ERROR: "Something failed here",
    HTTPStatus.SERVICE_UNAVAILABLE: "Not available now",
}
"""What a page that refuses is called, by its status."""

LISTS = {
    WorkList.MINE: "Mine",
    WorkList.TO_APPROVE: "To approve",
    WorkList.SIGNED: "Signed",
    WorkList.PROBLEMS: "Problems",
}
"""What the lists are called."""

NAVIGATION = (
    Entry(path="/", label="Worklist", permission=Permission.READ_DOCUMENTS),
    Entry(path="/reports/new", label="New report", permission=Permission.WRITE_REPORTS),
    Entry(path="/check", label="Check files", permission=Permission.CHECK),
    Entry(path="/seals", label="Seals", permission=Permission.SEAL),
    Entry(path="/signatures", label="Signatures", permission=Permission.SEARCH_SIGNATURES),
    Entry(path="/keys", label="My keys", permission=Permission.OWN_CREDENTIALS),
    Entry(path="/audit", label="Audit", permission=Permission.READ_AUDIT),
    Entry(path="/trust", label="Trust", permission=Permission.CHANGE_TRUST),
)
