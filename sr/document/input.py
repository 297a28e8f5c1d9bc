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

Every item has exactly one of ``text``, ``code``, ``value``, ``image``, ``date``, ``time`` or
``person``. Unknown keys are errors. All keys are declared in `report_format`.

Cites: PS3.16 TID 1500, TID 2000, TID 2002, TID 2005, TID 2006.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from sr.codes import Code
from sr.document.coding import find_code, is_member, keywords
from sr.document.declaration import Form, Key
from sr.document.declared import form_of, read_citation, read_declared, require_one
from sr.document.evidence import PatientStudy
from sr.document.header import ReferencedRequest
from sr.document.input_position import InputText
from sr.document.input_table import InputFormat, InputTable
from sr.document.observer import DeviceObserver, Participant, ParticipationType, PersonObserver
from sr.document.relationship_tables import DocumentClass
from sr.document.report_format import CLASSES, REPORT, inheriting
from sr.document.report_input import (
    CodedInput,
    DateInput,
    GroupInput,
    ImageInput,
    ItemInput,
    MeasurementInput,
    PersonInput,
    Region3DInput,
    RegionInput,
    ReportInput,
    SectionInput,
    TextInput,
    TimeInput,
)
from sr.document.root_template import load_root_template

__all__ = ["CLASSES", "parse_report", "read_report"]

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
        notation: TOML, JSON or YAML.
        name: The file's name, for messages.

    Raises:
        TemplateError: With the key path of what is wrong, and the line in the message.
    """
    return read_report(InputText(text=text, notation=notation, name=name))


def read_report(
    source: InputText, *, inherits: tuple[DocumentClass, Code] | None = None
) -> ReportInput:
    """Return the report that a file describes.

    Args:
        source: The file.
        inherits: Class and title that it need not state.

    Raises:
        TemplateError: With the key path of what is wrong, and the line in the message.
    """
    table = source.read()
    with source.blamed():
        report = _report(table, inherits)
        table.done()
        require_one(REPORT, table)
        if inherits is None:
            _require_root(report, table)
    return report


def _report(table: InputTable, inherits: tuple[DocumentClass, Code] | None) -> ReportInput:
    values = read_declared(REPORT if inherits is None else inheriting(inherits[0]), table)
    if inherits is not None and values["title"] is None:
        values["title"] = inherits[1]
    return ReportInput(
        document_class=values["class"],
        root_template=values["tid"],
        title=values["title"],
        title_in_words=values["title_in_words"],
        language=values["language"],
        procedure=values["procedure"],
        observer=PersonObserver(**read_declared(_form("observer"), values["observer"])),
        participants=tuple(_participant(table) for table in values["participant"]),
        sections=tuple(_section(section) for section in values["section"]),
        groups=tuple(_group(group) for group in values["group"]),
        completion=values["completion"],
        completion_description=values["completion_description"],
        preliminary=values["preliminary"],
        requests=tuple(
            ReferencedRequest(**read_declared(_form("request"), request))
            for request in values["request"]
        ),
        subject=_subject(values["patient"], values["study"]),
    )


def _require_root(report: ReportInput, table: InputTable) -> None:
    """Refuse what the root template does not allow, as far as the outermost table shows it."""
    root = load_root_template(report.root_template)
    if report.document_class not in root.classes:
        slugs = ", ".join(kind.slug for kind in DocumentClass if kind in root.classes)
        raise table.error("class", f"{root.cites} is not for this class", hint=f"allowed: {slugs}")
    if root.content not in table:
        raise table.error("tid", f"{root.cites} needs {root.content}")
    if report.title_in_words and not root.title_in_words:
        raise table.error("title_in_words", f"{root.cites} has no such row")
    if report.procedure is None and root.procedure_required:
        raise table.error("procedure", f"is missing; {root.cites} needs it")
    if root.title_group and not is_member(report.title, root.title_group):
        known = ", ".join(keywords(f"cid{root.title_group}"))
        raise table.error("title", f"is not in CID {root.title_group}", hint=f"allowed: {known}")


def _form(name: str) -> Form:
    return REPORT.key(name).forms[0]


def _participant(table: InputTable) -> Participant:
    form = form_of(REPORT.key("participant"), table)
    values = read_declared(form, table)
    when = values.pop("when")
    if form.name == "device_uid":
        device = DeviceObserver(
            uid=values["device_uid"],
            manufacturer=values["manufacturer"],
            model_name=values["model"],
            station_name=values["station_name"],
        )
        return Participant(type=ParticipationType.SOURCE, observer=device, when=when)
    return Participant(type=values.pop("type"), observer=PersonObserver(**values), when=when)


def _section(table: InputTable) -> SectionInput:
    form = _form("section")
    values = read_declared(form, table)
    concept = _concepts().get(values["heading"].value)
    return SectionInput(
        heading=values["heading"],
        items=tuple(_item(item, form.key("item"), concept) for item in values["item"]),
        path=table.path,
    )


@cache
def _concepts() -> dict[str, Code]:
    """Return what statements are called, by the code value of the heading above them."""
    pairs = [
        (find_code("cid7001", heading), find_code("cid7002", concept))
        for heading, concept in _CONCEPTS.items()
    ]
    return {heading.value: concept for heading, concept in pairs if heading and concept}


def _item(table: InputTable, key: Key, concept: Code | None) -> ItemInput:
    form = form_of(key, table)
    return _ITEMS[form.name](form, table, concept)


def _text_item(form: Form, table: InputTable, concept: Code | None) -> TextInput:
    values = read_declared(form, table)
    return TextInput(
        concept=_concept(table, values["concept"], concept),
        text=values["text"],
        images=values["images"],
        measurements=_measurements(form, values["measurement"]),
        path=table.path,
    )


def _coded_item(form: Form, table: InputTable, concept: Code | None) -> CodedInput:
    values = read_declared(form, table)
    return CodedInput(
        concept=_concept(table, values["concept"], concept),
        code=values["code"],
        images=values["images"],
        measurements=_measurements(form, values["measurement"]),
        path=table.path,
    )


def _concept(table: InputTable, named: Code | None, default: Code | None) -> Code:
    concept = named or default
    if concept is None:
        raise table.error(
            "concept",
            "is missing; the heading does not suggest one",
            hint='a keyword of CID 7002 such as "Finding", or ["value", "scheme", "meaning"]',
        )
    return concept


def _measurements(form: Form, tables: tuple[InputTable, ...]) -> tuple[MeasurementInput, ...]:
    inner = form.key("measurement").forms[0]
    return tuple(_measurement(inner, table, None) for table in tables)


def _measurement(form: Form, table: InputTable, _: Code | None) -> MeasurementInput:
    return MeasurementInput(**read_declared(form, table), path=table.path)


def _image_item(_form: Form, table: InputTable, _: Code | None) -> ImageInput:
    return read_citation(table)


def _date(form: Form, table: InputTable, _: Code | None) -> DateInput:
    return DateInput(**read_declared(form, table), path=table.path)


def _time(form: Form, table: InputTable, _: Code | None) -> TimeInput:
    return TimeInput(**read_declared(form, table), path=table.path)


def _person(form: Form, table: InputTable, _: Code | None) -> PersonInput:
    return PersonInput(**read_declared(form, table), path=table.path)


_ITEMS: dict[str, Callable[[Form, InputTable, Code | None], ItemInput]] = {
    "text": _text_item,
    "code": _coded_item,
    "value": _measurement,
    "image": _image_item,
    "date": _date,
    "time": _time,
    "person": _person,
}


def _group(table: InputTable) -> GroupInput:
    form = _form("group")
    values = read_declared(form, table)
    region = _region(form, values["region"]) or _region_3d(form, values["region_3d"])
    return GroupInput(
        **{key: values[key] for key in _PLAIN},
        region=region,
        measurements=_measurements(form, values["measurement"]),
        evaluations=tuple(_evaluation(form, inner) for inner in values["evaluation"]),
        path=table.path,
    )


_PLAIN = ("tracking", "tracking_uid", "finding", "site", "laterality", "site_modifier", "method")
"""Keys of a group that are taken over as they are."""


def _region(group: Form, table: InputTable | None) -> RegionInput | None:
    if table is None:
        return None
    values = read_declared(group.key("region").forms[0], table)
    return RegionInput(
        image=ImageInput(instance=values["image"], frames=values["frames"], path=table.path),
        graphic_type=values["type"],
        points=values["points"],
        path=table.path,
    )


def _region_3d(group: Form, table: InputTable | None) -> Region3DInput | None:
    if table is None:
        return None
    values = read_declared(group.key("region_3d").forms[0], table)
    return Region3DInput(
        frame_of_reference_uid=values["frame_of_reference_uid"],
        graphic_type=values["type"],
        points=values["points"],
        path=table.path,
    )


def _evaluation(group: Form, table: InputTable) -> CodedInput | TextInput:
    form = form_of(group.key("evaluation"), table)
    values = read_declared(form, table)
    kind = CodedInput if form.name == "code" else TextInput
    return kind(**values, path=table.path)


def _subject(patient: InputTable | None, study: InputTable | None) -> PatientStudy | None:
    if patient is None:
        return None
    person = read_declared(_form("patient"), patient)
    values = read_declared(_form("study"), study or InputTable({}))
    return PatientStudy(
        patient_name=person["name"],
        patient_id=person["id"],
        issuer_of_patient_id=person["issuer"],
        patient_birth_date=person["birth_date"],
        patient_sex=person["sex"],
        study_instance_uid=values["instance_uid"],
        study_date=values["date"],
        study_time=values["time"],
        study_id=values["id"],
        study_description=values["description"],
        accession_number=values["accession_number"],
        referring_physician_name=values["referring_physician"],
    )
