"""Use case: say whether the service that settings describe could be started here."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import create_engine, select
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

from sr.app.doctor import Condition, Diagnosis
from sr.app.settings import Settings
from sr.app.trust.trust_store import TrustStore
from sr.errors import SRError

__all__ = ["diagnose_service"]


def diagnose_service(settings: Settings) -> tuple[Diagnosis, ...]:
    """Return the state of what the service needs; nothing is made that is not there yet."""
    return tuple(_diagnosis(subject, look, settings) for subject, look in _LOOKS.items())


def _diagnosis(
    subject: str, look: Callable[[Settings], tuple[Condition, str]], settings: Settings
) -> Diagnosis:
    try:
        condition, message = look(settings)
    except SRError as error:
        condition, message = Condition.BROKEN, str(error)
    return Diagnosis(subject=subject, condition=condition, message=message)


def _database(settings: Settings) -> tuple[Condition, str]:
    try:
        engine = create_engine(settings.store.url)
    except (ArgumentError, NoSuchModuleError, ModuleNotFoundError):
        return Condition.BROKEN, "store.url is no address of a database with a driver here"
    file = engine.url.database if engine.dialect.name == "sqlite" else None
    if file and not Path(file).exists():
        return Condition.ABSENT, "store.url names a file that srsign serve will make"
    try:
        with engine.connect() as connection:
            connection.execute(select(1))
    except DBAPIError as error:
        return Condition.BROKEN, f"it cannot be opened: {type(error.orig).__name__}"
    finally:
        engine.dispose()
    return Condition.GOOD, "opens"


def _evidence(settings: Settings) -> tuple[Condition, str]:
    roots = [Path(each) for each in settings.service.evidence.split(os.pathsep) if each]
    missing = [str(root) for root in roots if not root.is_dir()]
    if missing:
        return Condition.BROKEN, f"no such folder: {', '.join(missing)}"
    if not roots:
        return Condition.ABSENT, "service.evidence names no folder; reports can cite nothing"
    return Condition.GOOD, f"{len(roots)} folders"


def _trust(settings: Settings) -> tuple[Condition, str]:
    anchors = TrustStore(Path(settings.trust.directory).expanduser()).material().anchors
    if not anchors:
        return Condition.ABSENT, "no trust anchor; every check is INDETERMINATE (srsign trust add)"
    return Condition.GOOD, f"{len(anchors)} anchors"


_LOOKS: dict[str, Callable[[Settings], tuple[Condition, str]]] = {
    "service: database": _database,
    "service: evidence": _evidence,
    "service: trust": _trust,
}
