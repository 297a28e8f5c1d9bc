"""Use cases that nobody asks for: a head for the audit trail each day, its messages to a collector.

Cites: PS3.15 A.5, A.6.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sr.app.audit.head import encode_head
from sr.app.files import write_atomically
from sr.app.signatures.signing import Credentials
from sr.errors import SRError
from sr.service.access import THE_SERVICE
from sr.service.context import Context
from sr.service.events import actor_of
from sr.service.operation.audit_trail import Forwarding, anchor_trail, forward_trail
from sr.store.audit import heads, last_row

__all__ = ["Anchoring", "Task", "Upkeep", "anchor_when_due", "forward"]

_ONLY_THE_LAST_ANCHOR = 1
"""Rows since a head that are no reason for another: the one that names it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchoring:
    """With which key heads are signed, how often, and where copies go."""

    credentials: Credentials
    every: timedelta
    folder: Path | None
    """On another machine, best; a copy there shows later that rows at the end are gone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """Something done again and again."""

    name: str
    every: timedelta
    run: Callable[[], object]


class Upkeep:
    """Does tasks when they are due; one that fails is said, and tried again when due next."""

    def __init__(
        self,
        tasks: tuple[Task, ...],
        now: Callable[[], datetime],
        failed: Callable[[str, str], None],
    ) -> None:
        self._tasks = tasks
        self._now = now
        self._failed = failed
        self._done: dict[str, datetime] = {}

    def look(self) -> None:
        """Do what is due."""
        for task in self._tasks:
            last, now = self._done.get(task.name), self._now()
            if last is not None and now - last < task.every:
                continue
            self._done[task.name] = now
            try:
                task.run()
            except SRError as error:
                self._failed(task.name, error.code)


def anchor_when_due(context: Context, anchoring: Anchoring) -> bool:
    """Sign a head for the trail if the last one is too old, and return whether that was done.

    Raises:
        ConfigurationError: A URI or file is not usable, or the copy cannot be written.
        SigningError: The key could not sign; nothing was written.
        TimestampError: The time-stamp authority failed; nothing was written.
        ExternalServiceError: The database did not take it.
    """
    with context.database.read() as connection:
        row, signed = last_row(connection), heads(connection)
    now = context.ports.now()
    if row is None:
        return False
    if signed:
        unvouched = row.sequence - signed[-1].sequence
        if now - signed[-1].at < anchoring.every or unvouched <= _ONLY_THE_LAST_ANCHOR:
            return False
    made, _ = anchor_trail(
        context.database, anchoring.credentials, context.ports, actor_of(THE_SERVICE)
    )
    if anchoring.folder is not None:
        write_atomically(anchoring.folder / f"head-{made.sequence}.json", encode_head(made))
    return True


def forward(context: Context, forwarding: Forwarding) -> int:
    """Bring new rows to the collector, and return how many went.

    Raises:
        ExternalServiceError: The collector did not take them; they wait.
        ConfigurationError: The spool cannot be used.
    """
    return forward_trail(context.database, forwarding)[0]
