"""What a person writes down for a report, as values; see `input` for the file it comes from.

Codes are resolved, everything else is as written: instances are still names, because which
instances there are is known only when the evidence has been read.

Cites: PS3.16 TID 1500, TID 2000.
"""

from __future__ import annotations

from dataclasses import dataclass

from sr.codes import Code
from sr.document.constraints import DocumentClass
from sr.document.evidence import PatientStudy
from sr.document.header import ReferencedRequest
from sr.document.observer import Participant, PersonObserver
from sr.document.regions import GraphicType, GraphicType3D
from sr.document.root_template import RootTemplateID
from sr.document.structured_report import CompletionFlag

__all__ = [
    "ALL_INSTANCES",
    "OF_STUDY",
    "CodedInput",
    "DateInput",
    "GroupInput",
    "ImageInput",
    "ItemInput",
    "MeasurementInput",
    "PersonInput",
    "Region3DInput",
    "RegionInput",
    "ReportInput",
    "SectionInput",
    "TextInput",
    "TimeInput",
]

ALL_INSTANCES = "all"
"""Stands for every instance of the evidence."""

OF_STUDY = "study"
"""Stands for the date or time of the study that the report belongs to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageInput:
    """A citation of one instance, or of all."""

    instance: str
    """SOP Instance UID, label such as the file name, or ``all``."""
    frames: tuple[int, ...] = ()
    purpose: Code | None = None
    """From CID 7003."""
    path: str
    """Key path in the input, for messages; likewise below."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasurementInput:
    """A measured value with what it is measured on."""

    concept: Code
    value: str
    unit: Code
    qualifier: Code | None = None
    method: Code | None = None
    derivation: Code | None = None
    images: tuple[ImageInput, ...] = ()
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TextInput:
    """A sentence or paragraph with what it is inferred from."""

    concept: Code
    text: str
    images: tuple[ImageInput, ...] = ()
    measurements: tuple[MeasurementInput, ...] = ()
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CodedInput:
    """A coded statement with what it is inferred from."""

    concept: Code
    code: Code
    images: tuple[ImageInput, ...] = ()
    measurements: tuple[MeasurementInput, ...] = ()
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DateInput:
    """A date, or that of the study."""

    concept: Code
    date: str
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeInput:
    """A time of day, or that of the study."""

    concept: Code
    time: str
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonInput:
    """Somebody by name."""

    concept: Code
    person: str
    path: str


ItemInput = (
    TextInput | CodedInput | MeasurementInput | ImageInput | DateInput | TimeInput | PersonInput
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SectionInput:
    """A heading and what stands below it."""

    heading: Code
    items: tuple[ItemInput, ...]
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionInput:
    """An outline in an image."""

    image: ImageInput
    graphic_type: GraphicType
    points: tuple[tuple[float, ...], ...]
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Region3DInput:
    """An outline in space."""

    frame_of_reference_uid: str
    graphic_type: GraphicType3D
    points: tuple[tuple[float, ...], ...]
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupInput:
    """What is measured and evaluated of one finding."""

    tracking: str
    tracking_uid: str = ""
    """Empty where a new one is to be drawn."""
    finding: Code | None = None
    site: Code | None = None
    laterality: Code | None = None
    site_modifier: Code | None = None
    method: Code | None = None
    region: RegionInput | Region3DInput | None = None
    measurements: tuple[MeasurementInput, ...] = ()
    evaluations: tuple[CodedInput | TextInput, ...] = ()
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportInput:
    """A whole report, before it meets its evidence."""

    document_class: DocumentClass
    root_template: RootTemplateID = RootTemplateID.BASIC_DIAGNOSTIC_IMAGING_REPORT
    title: Code
    language: Code
    observer: PersonObserver
    sections: tuple[SectionInput, ...] = ()
    groups: tuple[GroupInput, ...] = ()
    """Instead of sections, in a measurement report."""
    participants: tuple[Participant, ...] = ()
    procedure: Code | None = None
    title_in_words: str = ""
    """The title as readers see it, in the language of the report."""
    completion: CompletionFlag = CompletionFlag.COMPLETE
    completion_description: str = ""
    preliminary: bool = False
    requests: tuple[ReferencedRequest, ...] = ()
    """Their study is empty where the input leaves it to the document's own."""
    subject: PatientStudy | None = None
    """Patient and study, only for a report without evidence; its study UID may be empty."""
