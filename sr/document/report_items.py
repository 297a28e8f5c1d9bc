"""One entry of a report as written becomes content items: its value, and what it is inferred from.

Statements name what they are inferred from; everything carries the key path of the input, so that a
refusal by the SOP class, a long way from here, still says which line to correct.

Cites: PS3.16 TID 300, TID 320, TID 2001, TID 2002, TID 2007.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import Any

from sr.codes import Code
from sr.document.content import (
    Coded,
    ContentItem,
    Date,
    Number,
    PersonName,
    Reference,
    Relationship,
    Text,
    Time,
    reference_to,
)
from sr.document.evidence import Evidence, PatientStudy
from sr.document.report_input import (
    ALL_INSTANCES,
    OF_STUDY,
    CodedInput,
    DateInput,
    ImageInput,
    ItemInput,
    MeasurementInput,
    PersonInput,
    TextInput,
    TimeInput,
)
from sr.errors import EvidenceError, TemplateError

__all__ = ["Scene", "instances_called", "items_of", "modifier"]

_SOURCE_OF_MEASUREMENT = Code("121112", "DCM", "Source of Measurement")
"""Why an image below a measurement is cited, where the input is silent; from CID 7003."""
_METHOD = Code("370129005", "SCT", "Measurement Method")
_DERIVATION = Code("121401", "DCM", "Derivation")

_Items = tuple[ContentItem, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What a report as written meets: its patient and study, and its evidence."""

    subject: PatientStudy
    evidence: tuple[Evidence, ...]


def items_of(entry: ItemInput, relationship: Relationship, scene: Scene) -> _Items:
    """Return the content items of an entry; only a citation of all instances has several.

    Raises:
        EvidenceError: An image is named that is not in the evidence, or by an ambiguous name.
        TemplateError: It says "study" of a study that has no date or time.
    """
    return _CONVERT[type(entry)](entry, relationship, scene)


def instances_called(entry: ImageInput, scene: Scene) -> tuple[Evidence, ...]:
    """Return the instances a name stands for.

    Raises:
        EvidenceError: None or several have the name.
    """
    if entry.instance == ALL_INSTANCES and scene.evidence:
        return scene.evidence
    called = (item for item in scene.evidence if _is_called(item, entry.instance))
    found = {item.sop_instance_uid: item for item in called}
    if len(found) == 1:
        return tuple(found.values())
    problem = "several instances of the evidence are" if found else "no instance of the evidence is"
    raise EvidenceError(
        f"{entry.path}: {problem} called {entry.instance!r}",
        where=entry.path,
        hint="name it by its SOPInstanceUID (0008,0018)",
    )


def _is_called(item: Evidence, name: str) -> bool:
    return name in (item.sop_instance_uid, item.label) or name == PurePath(item.label).name


def modifier(concept: Code, value: Code | None) -> tuple[Coded, ...]:
    """Return a coded modifier, nothing where there is no value."""
    if value is None:
        return ()
    return (Coded(concept=concept, relationship=Relationship.HAS_CONCEPT_MOD, value=value),)


def _text(entry: TextInput, relationship: Relationship, scene: Scene) -> _Items:
    text = Text(
        concept=entry.concept,
        relationship=relationship,
        origin=entry.path,
        value=entry.text,
        children=_sources(entry, scene),
    )
    return (text,)


def _coded(entry: CodedInput, relationship: Relationship, scene: Scene) -> _Items:
    coded = Coded(
        concept=entry.concept,
        relationship=relationship,
        origin=entry.path,
        value=entry.code,
        children=_sources(entry, scene),
    )
    return (coded,)


def _measurement(entry: MeasurementInput, relationship: Relationship, scene: Scene) -> _Items:
    number = Number(
        concept=entry.concept,
        relationship=relationship,
        origin=entry.path,
        value=entry.value,
        unit=entry.unit,
        qualifier=entry.qualifier,
        children=(
            *modifier(_METHOD, entry.method),
            *modifier(_DERIVATION, entry.derivation),
            *_images(entry.images, scene, purpose=_SOURCE_OF_MEASUREMENT),
        ),
    )
    return (number,)


def _image(entry: ImageInput, relationship: Relationship, scene: Scene) -> tuple[Reference, ...]:
    return tuple(
        reference_to(
            item, relationship, concept=entry.purpose, frames=entry.frames, origin=entry.path
        )
        for item in instances_called(entry, scene)
    )


def _date(entry: DateInput, relationship: Relationship, scene: Scene) -> _Items:
    value = _moment(entry.date, scene.subject.study_date, entry.path)
    return (Date(concept=entry.concept, relationship=relationship, origin=entry.path, value=value),)


def _time(entry: TimeInput, relationship: Relationship, scene: Scene) -> _Items:
    value = _moment(entry.time, scene.subject.study_time, entry.path)
    return (Time(concept=entry.concept, relationship=relationship, origin=entry.path, value=value),)


def _moment(written: str, of_study: str, path: str) -> str:
    value = of_study if written == OF_STUDY else written
    if not value:
        raise TemplateError(f"{path}: the study has none", where=path)
    return value


def _person(entry: PersonInput, relationship: Relationship, _: Scene) -> _Items:
    person = PersonName(
        concept=entry.concept, relationship=relationship, origin=entry.path, value=entry.person
    )
    return (person,)


_CONVERT: dict[type, Callable[[Any, Relationship, Scene], _Items]] = {
    TextInput: _text,
    CodedInput: _coded,
    MeasurementInput: _measurement,
    ImageInput: _image,
    DateInput: _date,
    TimeInput: _time,
    PersonInput: _person,
}


def _sources(entry: TextInput | CodedInput, scene: Scene) -> _Items:
    """Return what a statement is inferred from: its measurements, then its images."""
    numbers = [
        number
        for measurement in entry.measurements
        for number in _measurement(measurement, Relationship.INFERRED_FROM, scene)
    ]
    return (*numbers, *_images(entry.images, scene))


def _images(
    images: tuple[ImageInput, ...], scene: Scene, *, purpose: Code | None = None
) -> tuple[Reference, ...]:
    return tuple(
        reference
        for image in images
        for reference in _image(
            replace(image, purpose=image.purpose or purpose), Relationship.INFERRED_FROM, scene
        )
    )
