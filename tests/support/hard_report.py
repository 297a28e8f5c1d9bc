"""A report that is hard to show: four scripts, markup, hidden characters, every value type, length.

Twenty pages of text and forty measurements. Its patient, like everyone else in it, is invented.
"""

from __future__ import annotations

from functools import cache

from sr.codes import Code
from sr.document.content import (
    ByReference,
    Coded,
    Container,
    ContentItem,
    Date,
    DateTime,
    Number,
    PersonName,
    Relationship,
    Text,
    Time,
    UIDReference,
    reference_to,
)
from sr.document.evidence import Evidence
from sr.document.regions import (
    GraphicType,
    GraphicType3D,
    SpatialCoordinates,
    SpatialCoordinates3D,
    TemporalCoordinates,
    TemporalRangeType,
)
from sr.document.relationship_tables import DocumentClass
from tests.support.datasets import evidence_of, instance, report
from tests.support.signed import sign

__all__ = ["ARABIC", "HOSTILE", "JAPANESE", "MEASUREMENTS", "PATIENT", "hard_report"]

PATIENT = "Müller-Lüdenscheidt^Jürgen^^Dr.=山田^太郎=やまだ^たろう"
JAPANESE = "左上葉に直径20ミリの充実性結節を認める。縦隔リンパ節の腫大なし。"
ARABIC = "عقدة صلبة في الفص العلوي الأيسر بقطر 20 مم، ولا يوجد انصباب جنبي."
HOSTILE = "</p><script>alert('1')</script><b>fett</b> & \"Zitat\" {{ 7*7 }} {% raw %} ]]> <!-- -->"
OVERRIDE = "The dose is \u202e001\u202c mg; pass\u200bword, RLM \u200f, tag \U000e0041."
MEASUREMENTS = 40

_R = Relationship
_FINDING = Code("121071", "DCM", "Finding")
_MM = Code("mm", "UCUM", "mm")
_DIAMETER = Code("81827009", "SCT", "Diameter")
_PARAGRAPH = (
    "Die Größe des Rundherdes im linken Oberlappen beträgt 20 mm; gegenüber der Voraufnahme ist "
    "sie unverändert. Kein Pleuraerguss, keine vergrößerten Lymphknoten. Übrige Abschnitte "
    "der Lunge regelrecht belüftet, Gefäße altersentsprechend weit, Weichteile unauffällig. "
)


@cache
def hard_report(paragraphs: int = 150) -> bytes:
    """Return the report, signed by its author; about seven paragraphs fill a page."""
    image = _evidence()
    data = report(
        *_scripts(),
        *_values(image),
        _measurements(image),
        _regions(image),
        *(_text(f"{n}. {_PARAGRAPH * 2}") for n in range(1, paragraphs + 1)),
        evidence=(image,),
        document_class=DocumentClass.COMPREHENSIVE_3D,
    )
    return sign(data)


def _evidence() -> Evidence:
    picture = instance(
        "1.2.840.10008.5.1.4.1.1.2",
        PatientName=PATIENT,
        StudyDescription='CT <b>Thorax</b> & "Abdomen" · بطن',
        AccessionNumber="A&<1>",
        Rows=64,
        Columns=64,
        NumberOfFrames=2,
    )
    return evidence_of(picture, "ct.dcm")


def _text(value: str, concept: Code = _FINDING) -> Text:
    return Text(concept=concept, relationship=_R.CONTAINS, value=value)


def _scripts() -> tuple[ContentItem, ...]:
    arabic = Code("121071", "99TEST", "نتيجة الفحص")
    return (
        _text(JAPANESE, Code("121071", "99TEST", "所見")),
        _text(ARABIC, arabic),
        _text(f"{ARABIC}\nDr. Smith: {ARABIC}\n{JAPANESE}"),
        _text(HOSTILE),
        _text(OVERRIDE),
        _text("Zeile eins\r\n\tmit Tabulator\r\n    eingerückt"),
    )


def _values(image: Evidence) -> tuple[ContentItem, ...]:
    contains = {"relationship": _R.CONTAINS}
    return (
        Coded(concept=_FINDING, value=Code("27925004", "SCT", "Nodule <i>"), **contains),
        PersonName(concept=Code("121008", "DCM", "Person"), value=PATIENT, **contains),
        PersonName(concept=Code("121008", "DCM", "Person"), value="الأحمد^محمد", **contains),
        Date(concept=Code("122165", "DCM", "Patient Birth Date"), value="19610314", **contains),
        Time(concept=Code("122166", "DCM", "Time"), value="093015", **contains),
        DateTime(
            concept=Code("111060", "DCM", "Study Date"), value="20261120093000+0100", **contains
        ),
        UIDReference(concept=Code("121012", "DCM", "Device"), value="1.2.3.4.5", **contains),
        reference_to(image, _R.CONTAINS, frames=(1, 2)),
    )


def _measurements(image: Evidence) -> Container:
    source = reference_to(image, _R.INFERRED_FROM)
    site = Coded(
        concept=Code("363698007", "SCT", "Finding Site"),
        relationship=_R.HAS_CONCEPT_MOD,
        value=Code("44714003", "SCT", "Left upper lobe of lung"),
    )
    first = Number(
        concept=_DIAMETER,
        relationship=_R.CONTAINS,
        value="20.00",
        unit=_MM,
        anchor="first",
        children=(site, source),
    )
    others = (
        Number(
            concept=Code("81827009", "SCT", f"Durchmesser {number}"),
            relationship=_R.CONTAINS,
            value=f"{number}.50",
            unit=_MM,
        )
        for number in range(2, MEASUREMENTS + 1)
    )
    return Container(
        concept=Code("125007", "DCM", "Measurement Group"),
        relationship=_R.CONTAINS,
        children=(first, *others),
    )


def _regions(image: Evidence) -> Container:
    selected = reference_to(image, _R.SELECTED_FROM)
    outline = SpatialCoordinates(
        concept=Code("111030", "DCM", "Image Region"),
        relationship=_R.INFERRED_FROM,
        graphic_type=GraphicType.POLYLINE,
        points=tuple((float(n), n * 1.25) for n in range(24)),
        children=(selected,),
    )
    in_space = SpatialCoordinates3D(
        concept=Code("111030", "DCM", "Image Region"),
        relationship=_R.INFERRED_FROM,
        graphic_type=GraphicType3D.POINT,
        points=((-12.5, 30.0, 1024.25),),
        frame_of_reference_uid="1.2.3.4.6",
    )
    in_time = TemporalCoordinates(
        concept=Code("121112", "DCM", "Source of Measurement"),
        relationship=_R.INFERRED_FROM,
        range_type=TemporalRangeType.SEGMENT,
        time_offsets=("0.5", "1.25"),
        children=(selected,),
    )
    finding = Text(
        concept=_FINDING,
        relationship=_R.CONTAINS,
        value="Region, in space and in time.",
        children=(
            outline,
            in_space,
            in_time,
            ByReference(relationship=_R.INFERRED_FROM, target="first"),
        ),
    )
    return Container(
        concept=Code("125007", "DCM", "Regions"), relationship=_R.CONTAINS, children=(finding,)
    )
