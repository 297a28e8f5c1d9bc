"""Kill a service under load at random points; hold what is left against what it acknowledged."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import IO

from sqlalchemy import select

from sr.service.operation.recovery import recover
from sr.store.schema import documents, signing_sessions, versions
from tests.support.service import Service, open_service
from tests.support.soundness import faults

__all__ = ["Outcome", "kill_under_load"]

_SHORTEST = 0.02  # seconds; opening takes the first tenth


@dataclass
class Outcome:
    """What came of it."""

    killed: int = 0
    acknowledged: list[tuple[str, str]] = field(default_factory=list)
    """Document and digest of the version that somebody was told of."""
    finished: int = 0
    """Sessions whose values were kept when the process was killed, signed at the next start."""
    lost: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


def kill_under_load(folder: Path, kills: int, *, seed: int, longest: float) -> Outcome:
    """Kill a service that often, start it again each time, and look at everything at the end.

    Args:
        folder: For the service.
        kills: How many.
        seed: Of the moments.
        longest: Seconds to the kill, in turn from the start and from what was acknowledged first.
    """
    open_service(folder).context.database.close()
    outcome, random = Outcome(), Random(seed)
    with subprocess.Popen(
        [sys.executable, "-m", "tests.support.crash_load", str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
        text=True,
    ) as load:
        assert load.stdin is not None
        assert load.stdout is not None
        for number in range(kills):
            _say(load.stdin, "start")
            waits = number % 2 == 1
            if not waits:
                _say(load.stdin, random.uniform(_SHORTEST, longest))
            for line in load.stdout:
                said = json.loads(line)
                if "killed" in said:
                    outcome.killed += said["killed"]
                    break
                if "uid" in said:
                    outcome.acknowledged.append((said["uid"], said["sha256"]))
                    if waits:
                        _say(load.stdin, random.uniform(0, longest))
                        waits = False
                outcome.finished += said.get("finished", 0)
        load.stdin.close()
    service = open_service(folder)
    outcome.finished += recover(service.context).finished
    outcome.lost = _lost(service, outcome.acknowledged)
    outcome.faults = faults(service) + _unfinished(service)
    service.context.database.close()
    return outcome


def _say(where: IO[str], what: object) -> None:
    where.write(f"{what}\n")
    where.flush()


def _lost(service: Service, acknowledged: list[tuple[str, str]]) -> list[str]:
    with service.context.database.read() as connection:
        known = {
            tuple(row)
            for row in connection.execute(select(versions.c.sop_instance_uid, versions.c.sha256))
        }
        named = set(connection.execute(select(documents.c.sop_instance_uid)).scalars())
    return [uid for uid, digest in acknowledged if (uid, digest) not in known or uid not in named]


def _unfinished(service: Service) -> list[str]:
    query = select(signing_sessions.c.id).where(signing_sessions.c.state == "valued")
    with service.context.database.read() as connection:
        return [f"session {uid}" for uid in connection.execute(query).scalars()]
