"""The structured report file: what a person or a template writes, read strictly.

::

    class = "comprehensive"            # basic-text | enhanced | comprehensive
    title = "CTChestReport"            # keyword of CID 7000, or ["value", "scheme", "meaning"]
    language = "de"
    completion = "COMPLETE"            # or PARTIAL
    [observer]
    name = "Meier^Anna"
    organization = "Klinikum"
    [[section]]
    heading = "Findings"               # keyword of CID 7001
    [[section.item]]
    text = "Nodule in the right upper lobe."
    images = ["ct-004.dcm"]            # file name, SOP Instance UID, a table with frames, or "all"
    [[section.item.measurement]]
    concept = "SCT.Diameter"
    value = 12.5
    unit = "mm"

Every item has exactly one of ``text``, ``code``, ``value`` or ``image``. Unknown keys are errors.

Cites: PS3.16 TID 2000, TID 2002.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from sr.codes import Code
from sr.document.coding import find_code, optional_code, read_code, read_language, read_unit
from sr.document.constraints import DocumentClass
from sr.document.evidence import PatientStudy
from sr.document.header import ReferencedRequest
from sr.document.input_table import InputFormat, InputTable, read_input
from sr.document.observer import PersonObserver
from sr.document.report_input import (
    ALL_INSTANCES,
    CodedInput,
    ImageInput,
    ItemInput,
    MeasurementInput,
    ReportInput,
    SectionInput,
    TextInput,
)
from sr.document.structured_report import CompletionFlag
from sr.document.values import checked
from sr.errors import TemplateError

__all__ = ["CLASSES", "parse_report"]

CLASSES = {
    kind.slug: kind for kind in DocumentClass if kind is not DocumentClass.KEY_OBJECT_SELECTION
}
"""The SOP classes a report may have, by name."""

_CONCEPTS = {
    "Addendum": "Finding",
    "Complications": "ComplicationOfProcedure",
    "Conclusions": "Conclusion",
    "CurrentProcedureDescriptions": "ProcedureDescription",
    "Findings": "Finding",
    "History": "History",
    "Impressions": "Impression",
    "KeyImages": "Finding",
    "PatientPresentation": "PatientPresentation",
    "PreviousFindings": "PreviousFinding",
    "PriorProcedureDescriptions": "ProcedureDescription",
    "Recommendations": "Recommendation",
    "Request": "Request",
    "Summary": "Summary",
}
"""What a statement (CID 7002) under a heading (CID 7001) is called where the input is silent."""


def parse_report(text: str, notation: InputFormat, *, name: str = "the report") -> ReportInput:
    """Return the report that a text describes.

    Args:
        text: The file's content.
        notation: TOML or JSON.
        name: The file's name, for messages.

    Raises:
        TemplateError: With the key path of what is wrong.
    """
    table = read_input(text, notation, name=name)
    report = ReportInput(
        document_class=table.term("class", CLASSES, DocumentClass.COMPREHENSIVE),
        title=read_code(table, "title", group=7000),
        language=read_language(table, "language", "en"),
        procedure=optional_code(table, "procedure"),
        observer=_observer(_required_table(table, "observer")),
        sections=tuple(_section(section) for section in table.tables("section")),
        completion=table.term("completion", _COMPLETIONS, CompletionFlag.COMPLETE),
        completion_description=table.text("completion_description", ""),
        preliminary=table.flag("preliminary", default=False),
        requests=tuple(_request(request) for request in table.tables("request")),
        subject=_subject(table),
    )
    table.done()
    if not report.sections:
        raise table.error("section", "a report needs at least one section")
    return report


_COMPLETIONS = {flag.value: flag for flag in CompletionFlag}


def _required_table(table: InputTable, key: str) -> InputTable:
    inner = table.table(key)
    if inner is None:
        raise table.error(key, "is missing")
    return inner


def _observer(table: InputTable) -> PersonObserver:
    return PersonObserver(
        name=_person_name(table, "name"),
        organization=_checked(table, "organization", "LO"),
        department=_checked(table, "department", "LO"),
        role_in_organization=optional_code(table, "role_in_organization"),
        role_in_procedure=optional_code(table, "role_in_procedure"),
    )


def _person_name(table: InputTable, key: str) -> str:
    """Return a name written as one text, or as a table of its three groups."""
    if isinstance(table.raw(key), dict):
        groups = _required_table(table, key)
        parts = [groups.text(g, "") for g in ("alphabetic", "ideographic", "phonetic")]
        if any("=" in part for part in parts):
            raise table.error(key, "a group of a name cannot contain '='")
        name = "=".join(parts)
    else:
        name = table.text(key)
    name = checked("PN", name, table.at(key), error=TemplateError)
    if not name:
        raise table.error(key, "must not be empty")
    return name


def _checked(table: InputTable, key: str, vr: str) -> str:
    return checked(vr, table.text(key, ""), table.at(key), error=TemplateError)


def _section(table: InputTable) -> SectionInput:
    heading = read_code(table, "heading", group=7001)
    items = tuple(_item(item, _concepts().get(heading.value)) for item in table.tables("item"))
    if not items:
        raise table.error("item", "a section needs at least one item")
    return SectionInput(heading=heading, items=items, path=table.path)


@cache
def _concepts() -> dict[str, Code]:
    """Return what statements are called, by the code value of the heading above them."""
    pairs = [
        (find_code("cid7001", heading), find_code("cid7002", concept))
        for heading, concept in _CONCEPTS.items()
    ]
    return {heading.value: concept for heading, concept in pairs if heading and concept}


def _item(table: InputTable, concept: Code | None) -> ItemInput:
    kinds = [kind for kind in _ITEMS if kind in table]
    if len(kinds) != 1:
        raise table.error("", f"an item needs exactly one of {', '.join(_ITEMS)}")
    return _ITEMS[kinds[0]](table, concept)


def _concept(table: InputTable, default: Code | None) -> Code:
    concept = optional_code(table, "concept", group=7002) or default
    if concept is None:
        raise table.error("concept", "is missing; the heading does not suggest one")
    return concept


def _text_item(table: InputTable, concept: Code | None) -> TextInput:
    return TextInput(
        concept=_concept(table, concept),
        text=checked("UT", table.text("text"), table.at("text"), error=TemplateError),
        images=_images(table),
        measurements=tuple(_measurement(m) for m in table.tables("measurement")),
        path=table.path,
    )


def _coded_item(table: InputTable, concept: Code | None) -> CodedInput:
    return CodedInput(
        concept=_concept(table, concept),
        code=read_code(table, "code"),
        images=_images(table),
        measurements=tuple(_measurement(m) for m in table.tables("measurement")),
        path=table.path,
    )


def _measurement_item(table: InputTable, _: Code | None) -> MeasurementInput:
    return _measurement(table)


def _measurement(table: InputTable) -> MeasurementInput:
    value = table.number("value")
    return MeasurementInput(
        concept=read_code(table, "concept"),
        value=checked("DS", value, table.at("value"), error=TemplateError),
        unit=read_unit(table, "unit"),
        qualifier=optional_code(table, "qualifier", group=42),
        images=_images(table),
        path=table.path,
    )


def _image_item(table: InputTable, _: Code | None) -> ImageInput:
    return _image(table, "image")


_ITEMS: dict[str, Callable[[InputTable, Code | None], ItemInput]] = {
    "text": _text_item,
    "code": _coded_item,
    "value": _measurement_item,
    "image": _image_item,
}


def _image(table: InputTable, key: str) -> ImageInput:
    return ImageInput(
        instance=table.text(key),
        frames=table.integers("frames"),
        purpose=optional_code(table, "purpose", group=7003),
        path=table.path,
    )


def _images(table: InputTable) -> tuple[ImageInput, ...]:
    """Return the citations at ``images``: ``"all"``, or names and tables in an array."""
    value = table.raw("images")
    if value == ALL_INSTANCES:
        return (ImageInput(instance=ALL_INSTANCES, path=table.at("images")),)
    if value is None:
        return ()
    if not isinstance(value, list):
        raise table.error("images", f"must be an array or {ALL_INSTANCES!r}")
    return tuple(
        _cited(table, entry, f"{table.at('images')}[{number}]")
        for number, entry in enumerate(value, start=1)
    )


def _cited(table: InputTable, entry: object, path: str) -> ImageInput:
    if isinstance(entry, str) and entry.strip():
        return ImageInput(instance=entry, path=path)
    if isinstance(entry, dict):
        return _image(table.adopt(entry, path), "image")
    raise TemplateError(f"{path}: must name an instance", where=path)


def _request(table: InputTable) -> ReferencedRequest:
    return ReferencedRequest(
        study_instance_uid=_checked(table, "study_instance_uid", "UI"),
        accession_number=_checked(table, "accession_number", "SH"),
        placer_order_number=_checked(table, "placer_order_number", "LO"),
        filler_order_number=_checked(table, "filler_order_number", "LO"),
        requested_procedure_id=_checked(table, "requested_procedure_id", "SH"),
        requested_procedure_description=_checked(table, "requested_procedure_description", "LO"),
        requested_procedure_code=optional_code(table, "requested_procedure_code"),
    )


def _subject(table: InputTable) -> PatientStudy | None:
    patient, study = table.table("patient"), table.table("study")
    if patient is None and study is None:
        return None
    if patient is None:
        raise table.error("patient", "is missing; study and patient go together")
    study = study or InputTable({})
    return PatientStudy(
        patient_name=_person_name(patient, "name"),
        patient_id=_checked(patient, "id", "LO"),
        issuer_of_patient_id=_checked(patient, "issuer", "LO"),
        patient_birth_date=_checked(patient, "birth_date", "DA"),
        patient_sex=_checked(patient, "sex", "CS"),
        study_instance_uid=_checked(study, "instance_uid", "UI"),
        study_date=_checked(study, "date", "DA"),
        study_time=_checked(study, "time", "TM"),
        study_id=_checked(study, "id", "SH"),
        study_description=_checked(study, "description", "LO"),
        accession_number=_checked(study, "accession_number", "SH"),
        referring_physician_name=_checked(study, "referring_physician", "PN"),
    )
