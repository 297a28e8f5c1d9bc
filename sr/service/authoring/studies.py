"""Use case: which studies there are to report on, in the folders of the service."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sr.app.audit import AuditAction
from sr.app.files import open_dicom
from sr.errors import NotFoundError
from sr.service.access import Permission, Principal, require
from sr.service.context import Context
from sr.service.events import record

__all__ = ["Study", "find_study", "list_studies"]

_PATIENT_NAME, _PATIENT_ID = 0x00100010, 0x00100020
_DESCRIPTION, _DATE, _MODALITY, _ACCESSION = 0x00081030, 0x00080020, 0x00080060, 0x00080050


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """A study, told from its first instance."""

    study_instance_uid: str
    patient_name: str
    patient_id: str
    description: str
    date: str
    modality: str
    accession_number: str
    instances: int


def list_studies(
    context: Context, principal: Principal, permission: Permission = Permission.WRITE_REPORTS
) -> tuple[Study, ...]:
    """Return the studies that there is something to be done with, the newest first.

    Args:
        context: The service.
        principal: Who asks.
        permission: To do what: write reports, or seal.

    Raises:
        AccessError: The principal may not do it.
        ConfigurationError: A folder does not exist.
    """
    require(principal, permission)
    found = tuple(_study(uid, paths) for uid, paths in context.evidence.studies().items())
    with context.database.write() as connection:
        record(context, connection, principal, AuditAction.SEARCHED)
    return tuple(sorted(found, key=lambda each: each.date, reverse=True))


def find_study(context: Context, principal: Principal, study_instance_uid: str) -> Study:
    """Return one of these studies.

    Raises:
        AccessError: The principal writes no reports.
        NotFoundError: No folder holds it.
        ConfigurationError: A folder does not exist.
    """
    require(principal, Permission.WRITE_REPORTS)
    paths = context.evidence.study(study_instance_uid)
    if not paths:
        raise NotFoundError("no evidence folder holds that study", where="(0020,000D)")
    with context.database.write() as connection:
        record(context, connection, principal, AuditAction.SEARCHED)
    return _study(study_instance_uid, paths)


def _study(uid: str, paths: tuple[Path, ...]) -> Study:
    dataset = open_dicom(paths[0], allow_odd_lengths=True).dataset
    return Study(
        study_instance_uid=uid,
        patient_name=dataset.text(_PATIENT_NAME),
        patient_id=dataset.text(_PATIENT_ID),
        description=dataset.text(_DESCRIPTION),
        date=dataset.text(_DATE),
        modality=dataset.text(_MODALITY),
        accession_number=dataset.text(_ACCESSION),
        instances=len(paths),
    )
