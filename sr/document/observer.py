"""Who made the observations: as Author Observer Sequence and as content items.

A report always states its author in both places. If it did not, the observer of the whole tree
would be inherited from Verifying Observer Sequence as soon as that appears, and approving would
silently change what the author signed.

Cites: PS3.3 C.17.2, Table C.17-3b; PS3.16 TID 1002.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from pydicom.dataset import Dataset

from sr.codes import Code
from sr.document.content import Coded, ContentItem, PersonName, Relationship, Text, UIDReference
from sr.document.content_encoding import coded_concept
from sr.document.elements import put, put_required
from sr.errors import TemplateError

__all__ = [
    "DeviceObserver",
    "Observer",
    "Participant",
    "ParticipationType",
    "PersonObserver",
    "author_observer_item",
    "observer_context",
    "participant_item",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonObserver:
    """A person who observes and reports."""

    name: str
    """Person name, e.g. ``Meier^Anna``; further groups after ``=``."""
    organization: str = ""
    department: str = ""
    role_in_organization: Code | None = None
    role_in_procedure: Code | None = None
    identification_codes: tuple[Code, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceObserver:
    """A device or program that selects or reports."""

    uid: str
    name: str = ""
    manufacturer: str
    model_name: str
    serial_number: str = ""
    organization: str = ""
    station_name: str = ""


Observer = PersonObserver | DeviceObserver


class ParticipationType(StrEnum):
    """What somebody beside author and verifier did for a report.

    Cites: PS3.3 C.17.2 Participation Type (0040,A080).
    """

    SOURCE = "SOURCE"
    """Equipment that contributed content."""
    ENT = "ENT"
    """Who entered it, e.g. a transcriptionist."""
    ATTEST = "ATTEST"
    """Who took responsibility before it was verified; never who verifies it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Participant:
    """A person or device that took part in a report.

    Cites: PS3.3 C.17.2 Participant Sequence.
    """

    type: ParticipationType
    observer: Observer
    when: str = ""
    """DT value; empty where it is not known."""


_OBSERVER_TYPE = Code("121005", "DCM", "Observer Type")
_PERSON = Code("121006", "DCM", "Person")
_DEVICE = Code("121007", "DCM", "Device")


def observer_context(observer: Observer) -> tuple[ContentItem, ...]:
    """Return the content items that state an observer.

    Cites: PS3.16 TID 1002, TID 1003, TID 1004.
    """
    rows = (
        _person_rows(observer) if isinstance(observer, PersonObserver) else _device_rows(observer)
    )
    return tuple(row for row in rows if row is not None)


def _person_rows(person: PersonObserver) -> tuple[ContentItem | None, ...]:
    return (
        _code(_OBSERVER_TYPE, _PERSON),
        PersonName(
            concept=Code("121008", "DCM", "Person Observer Name"),
            relationship=Relationship.HAS_OBS_CONTEXT,
            value=person.name,
        ),
        _text(Code("121009", "DCM", "Person Observer's Organization Name"), person.organization),
        _code(
            Code("121010", "DCM", "Person Observer's Role in the Organization"),
            person.role_in_organization,
        ),
        _code(
            Code("121011", "DCM", "Person Observer's Role in this Procedure"),
            person.role_in_procedure,
        ),
    )


def _device_rows(device: DeviceObserver) -> tuple[ContentItem | None, ...]:
    return (
        _code(_OBSERVER_TYPE, _DEVICE),
        UIDReference(
            concept=Code("121012", "DCM", "Device Observer UID"),
            relationship=Relationship.HAS_OBS_CONTEXT,
            value=device.uid,
        ),
        _text(Code("121013", "DCM", "Device Observer Name"), device.name),
        _text(Code("121014", "DCM", "Device Observer Manufacturer"), device.manufacturer),
        _text(Code("121015", "DCM", "Device Observer Model Name"), device.model_name),
        _text(Code("121016", "DCM", "Device Observer Serial Number"), device.serial_number),
    )


def _text(concept: Code, value: str) -> Text | None:
    if not value:
        return None
    return Text(concept=concept, relationship=Relationship.HAS_OBS_CONTEXT, value=value)


def _code(concept: Code, value: Code | None) -> Coded | None:
    if value is None:
        return None
    return Coded(concept=concept, relationship=Relationship.HAS_OBS_CONTEXT, value=value)


def author_observer_item(observer: Observer) -> Dataset:
    """Return the item of Author Observer Sequence (0040,A078).

    Raises:
        TemplateError: A value cannot be written.

    Cites: PS3.3 C.17.2, Table C.17-3b.
    """
    item = Dataset()
    put(item, "InstitutionName", "LO", observer.organization, error=TemplateError)
    item.InstitutionCodeSequence = []
    if isinstance(observer, PersonObserver):
        _write_person(item, observer)
    else:
        _write_device(item, observer)
    return item


def participant_item(participant: Participant) -> Dataset:
    """Return an item of Participant Sequence (0040,A07A).

    Raises:
        TemplateError: A value cannot be written.

    Cites: PS3.3 C.17.2, Table C.17-3b.
    """
    item = author_observer_item(participant.observer)
    item.ParticipationType = participant.type.value
    put(item, "ParticipationDateTime", "DT", participant.when, error=TemplateError)
    return item


def _write_person(item: Dataset, person: PersonObserver) -> None:
    item.ObserverType = "PSN"
    put_required(item, "PersonName", "PN", person.name, error=TemplateError)
    item.PersonIdentificationCodeSequence = [coded_concept(c) for c in person.identification_codes]
    if person.department:
        keyword = "InstitutionalDepartmentName"
        put(item, keyword, "LO", person.department, error=TemplateError)


def _write_device(item: Dataset, device: DeviceObserver) -> None:
    item.ObserverType = "DEV"
    put(item, "StationName", "SH", device.station_name, error=TemplateError)
    put_required(item, "DeviceUID", "UI", device.uid, error=TemplateError)
    put_required(item, "Manufacturer", "LO", device.manufacturer, error=TemplateError)
    put_required(item, "ManufacturerModelName", "LO", device.model_name, error=TemplateError)
