"""The structured report file."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sr.codes import Code
from sr.document.coding import find_code, keywords
from sr.document.constraints import DocumentClass
from sr.document.input import parse_report
from sr.document.input_table import InputFormat, read_input
from sr.document.report_input import (
    CodedInput,
    ImageInput,
    MeasurementInput,
    ReportInput,
    TextInput,
)
from sr.document.structured_report import CompletionFlag
from sr.errors import TemplateError

TOML = InputFormat.TOML

HEAD = """
class = "comprehensive"
title = "CTChestReport"
[observer]
name = "Meier^Anna"
organization = "Klinikum"
"""

SECTION = """
[[section]]
heading = "Findings"
[[section.item]]
text = "Rundherd."
"""


_FINDING = 'heading = "Findings"\n[[section.item]]\n'
_NUMBER = _FINDING + 'value = 1\nconcept = "SCT.Diameter"\n'


def _parse(text: str) -> ReportInput:
    return parse_report(text, TOML)


def _item(text: str) -> object:
    section = f'[[section]]\nheading = "Findings"\n[[section.item]]\n{text}\n'
    return _parse(HEAD + section).sections[0].items[0]


def _where(text: str) -> str | None:
    with pytest.raises(TemplateError) as caught:
        _parse(text)
    return caught.value.where


def test_the_smallest_report() -> None:
    """Class, title, observer and one sentence make a report; the rest has defaults."""
    report = _parse(HEAD + SECTION)
    assert report.document_class is DocumentClass.COMPREHENSIVE
    assert report.title == Code("24627-2", "LN", "CT Chest Report")
    assert report.language == Code("en", "RFC5646", "English")
    assert (report.completion, report.preliminary) == (CompletionFlag.COMPLETE, False)
    assert report.subject is None
    (item,) = report.sections[0].items
    assert item == TextInput(
        concept=Code("121071", "DCM", "Finding"), text="Rundherd.", path="section[1].item[1]"
    )


def test_everything_a_report_may_say() -> None:
    """Every key of the format is understood."""
    text = """
    class = "enhanced"
    title = ["18748-4", "LN", "Diagnostic Imaging Report"]
    title_in_words = "Radiologischer Befund"
    language = "de-CH"
    procedure = ["24627-2", "LN", "CT Chest"]
    completion = "PARTIAL"
    completion_description = "Messungen folgen"
    preliminary = true
    [observer]
    name = { alphabetic = "Yamada^Tarou", ideographic = "山田^太郎", phonetic = "やまだ^たろう" }
    organization = "Klinikum"
    department = "Radiologie"
    role_in_procedure = ["121094", "DCM", "Performing"]
    role_in_organization = ["121081", "DCM", "Physician"]
    [[request]]
    accession_number = "A-1"
    study_instance_uid = "2.25.4"
    placer_order_number = "P"
    filler_order_number = "F"
    requested_procedure_id = "R"
    requested_procedure_description = "CT"
    requested_procedure_code = ["1", "99X", "CT"]
    [patient]
    name = "Müller^Jördis"
    id = "4711"
    issuer = "Klinikum"
    birth_date = "19610314"
    sex = "F"
    [study]
    instance_uid = "2.25.9"
    date = "20261120"
    time = "093000"
    id = "1"
    description = "CT"
    accession_number = "A-1"
    referring_physician = { alphabetic = "Weiß^Jürgen" }
    [[section]]
    heading = "Findings"
    [[section.item]]
    code = "SCT.Nodule"
    concept = "Finding"
    images = ["ct-1.dcm", { image = "ct-2.dcm", frames = [1, 3], purpose = "Baseline" }]
    [[section.item.measurement]]
    concept = "SCT.Diameter"
    value = 12.50
    unit = "mm"
    qualifier = ["114000", "DCM", "Not a number"]
    images = "all"
    [[section.item]]
    concept = "SCT.Diameter"
    value = 3
    unit = ["cm", "UCUM", "centimeter"]
    [[section.item]]
    image = "2.25.1.4"
    frames = [2]
    """
    report = _parse(text)
    assert report.title_in_words == "Radiologischer Befund"
    assert report.observer.name == "Yamada^Tarou=山田^太郎=やまだ^たろう"
    assert report.requests[0].requested_procedure_code == Code("1", "99X", "CT")
    assert report.subject is not None
    assert report.subject.study_instance_uid == "2.25.9"
    coded, measured, shown = report.sections[0].items
    assert isinstance(coded, CodedInput)
    assert coded.images[1].frames == (1, 3)
    assert coded.images[1].path == "section[1].item[1].images[2]"
    assert coded.measurements[0].value == "12.50"
    assert coded.measurements[0].images[0].instance == "all"
    assert isinstance(measured, MeasurementInput)
    assert (measured.value, measured.unit.value) == ("3", "cm")
    assert isinstance(shown, ImageInput)
    assert shown.frames == (2,)


def test_json_says_the_same() -> None:
    """The same report as JSON is the same report."""
    values = {
        "class": "comprehensive",
        "title": "CTChestReport",
        "observer": {"name": "Meier^Anna", "organization": "Klinikum"},
        "section": [{"heading": "Findings", "item": [{"text": "Rundherd."}]}],
    }
    assert parse_report(json.dumps(values), InputFormat.JSON) == _parse(HEAD + SECTION)


def test_numbers_keep_their_digits_in_json() -> None:
    """A measured 12.50 is no float on its way."""
    text = (
        '{"title": "CTReport", "observer": {"name": "A^B"}, "section": [{"heading": "Findings",'
        ' "item": [{"concept": "SCT.Diameter", "value": 12.50, "unit": "mm"}]}]}'
    )
    item = parse_report(text, InputFormat.JSON).sections[0].items[0]
    assert isinstance(item, MeasurementInput)
    assert item.value == "12.50"


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("colour = 1\n" + HEAD + SECTION, "colour"),
        (HEAD + "role = 1\n" + SECTION, "observer.role"),
        (HEAD + SECTION + "bold = true\n", "section[1].item[1].bold"),
        (HEAD + SECTION + 'images = [{image = "a", x = 1}]\n', "section[1].item[1].images[1].x"),
        (HEAD + SECTION + "[[section]]\nheading = 'Summary'\nitems = []\n", "section[2].item"),
    ],
)
def test_unknown_keys_are_errors(text: str, where: str) -> None:
    """A misspelt key is never ignored; the path says which."""
    assert _where(text) == where


@pytest.mark.parametrize(
    ("text", "where"),
    [
        (SECTION, "title"),
        ('title = "CTReport"\n' + SECTION, "observer"),
        (HEAD, "section"),
        (HEAD.replace("Meier^Anna", "") + SECTION, "observer.name"),
        (HEAD.replace('"Meier^Anna"', "7") + SECTION, "observer.name"),
        (HEAD.replace('"Meier^Anna"', '{alphabetic = ""}') + SECTION, "observer.name"),
        (HEAD.replace('"Meier^Anna"', '{alphabetic = "a=b"}') + SECTION, "observer.name"),
        (HEAD.replace("Meier^Anna", "a\\\\b") + SECTION, "observer.name"),
        (HEAD.replace("Klinikum", "x" * 65) + SECTION, "observer.organization"),
        (HEAD.replace("comprehensive", "Comprehensive") + SECTION, "class"),
        (HEAD.replace("comprehensive", "key-object-selection") + SECTION, "class"),
        ('completion = "DONE"\n' + HEAD + SECTION, "completion"),
        ('preliminary = "no"\n' + HEAD + SECTION, "preliminary"),
        ('language = "Deutsch"\n' + HEAD + SECTION, "language"),
        ("language = 7\n" + HEAD + SECTION, "language"),
        ('class = ""\n' + HEAD.replace("class", "#") + SECTION, "class"),
        ('title = ["1", "X\\u0000", "Y"]\n' + HEAD.replace("title", "#") + SECTION, "title[2]"),
        (
            'title = ["1", "X", "' + "y" * 65 + '"]\n' + HEAD.replace("title", "#") + SECTION,
            "title[3]",
        ),
        ("title_in_words = 7\n" + HEAD + SECTION, "title_in_words"),
        (HEAD + '[study]\nid = "1"\n' + SECTION, "patient"),
        (
            HEAD + "[patient]\nname = 'A^B'\nbirth_date = '14.3.1961'\n" + SECTION,
            "patient.birth_date",
        ),
        (HEAD + "[[section]]\nheading = 'Findings'\n", "section[1].item"),
        (HEAD + "[[section]]\nheading = 'Nonsense'\n", "section[1].heading"),
        (HEAD + "[[section]]\n[[section.item]]\ntext = 'x'\n", "section[1].heading"),
        (HEAD + "section = 1\n", "observer.section"),
    ],
)
def test_what_is_missing_or_wrong_is_named(text: str, where: str) -> None:
    """The error carries the key path."""
    assert _where(text) == where


@pytest.mark.parametrize(
    "item",
    [
        "",
        'text = "x"\ncode = "SCT.Lung"',
        'concept = "Finding"',
        'text = ""',
        'text = "a\\u0000b"',
        "text = 3",
        'code = ["1", "X"]',
        'code = ["1", "X", ""]',
        "code = [1, 2, 3]",
        'code = ""',
        'code = "SCT.NoSuchKeyword"',
        'code = "NOSCHEME.Lung"',
        'code = "__class__"',
        'code = "DCM.__init__"',
        'code = "SCT.MammographyAssessmentCategory0NeedAdditionalImagingEvaluation"',
        'value = 1\nunit = "mm"',
        'value = 1\nconcept = "SCT.Diameter"',
        'value = true\nconcept = "SCT.Diameter"\nunit = "mm"',
        'value = nan\nconcept = "SCT.Diameter"\nunit = "mm"',
        'value = inf\nconcept = "SCT.Diameter"\nunit = "mm"',
        'value = "large"\nconcept = "SCT.Diameter"\nunit = "mm"',
        'value = 1234567890.12345678\nconcept = "SCT.Diameter"\nunit = "mm"',
        'value = 1\nconcept = "SCT.Diameter"\nunit = ""',
        'value = 1\nconcept = "SCT.Diameter"\nunit = "square mm"',
        'value = 1\nconcept = "SCT.Diameter"\nunit = "µm"',
        'value = 1\nconcept = "SCT.Diameter"\nunit = "millimeter"',
        'value = "1_0"\nconcept = "SCT.Diameter"\nunit = "mm"',
        'value = "１"\nconcept = "SCT.Diameter"\nunit = "mm"',
        'text = "x"\nimages = "ct-1.dcm"',
        'text = "x"\nimages = [1]',
        'text = "x"\nimages = [""]',
        'text = "x"\nimages = [{frames = [1]}]',
        'image = "a"\nframes = ["1"]',
        'image = "a"\nframes = [true]',
        'image = "a"\nframes = 1',
        'text = "x"\nmeasurement = "12 mm"',
        'text = "x"\nmeasurement = [1]',
    ],
)
def test_a_wrong_item_is_refused(item: str) -> None:
    """Each item says exactly one thing, in a form that can be written."""
    with pytest.raises(TemplateError) as caught:
        _item(item)
    assert (caught.value.where or "").startswith("section[1].item[1]")


def test_an_ambiguous_keyword_is_refused() -> None:
    """A keyword of several schemes needs the scheme; the hint lists them."""
    with pytest.raises(TemplateError) as caught:
        _item('code = "Findings"\nconcept = "Finding"')
    assert "DCM.Findings" in (caught.value.hint or "")


HINTS = {
    "another case": ('heading = "findings"', "'Findings'"),
    "a slip": ('heading = "Findngs"', "'Findings'"),
    "words": ('heading = "key images"', "'KeyImages'"),
    "the whole group": ('heading = "Nonsense"', "CID 7001 has Addendum"),
    "no code": ("heading = 7", "CID 7001 has Addendum"),
    "slip in a scheme": (_FINDING + 'code = "SCT.Lungs"', "'SCT.Lung'"),
    "no such scheme": (_FINDING + 'code = "SNOMED.Lung"', "SCT"),
    "bare keyword of a scheme": (_FINDING + 'code = "Diametre"', "'SCT.Diameter'"),
    "unit by name": (_NUMBER + 'unit = "Millimeter"', "'mm'"),
    "units by name": (_NUMBER + 'unit = "millimeters"', "'mm'"),
    "micro sign": (_NUMBER + 'unit = "µm"', "'um'"),
    "misspelt key": (_FINDING + 'text = "x"\nimage_s = "all"', "'images'"),
    "misspelt kind of item": (_FINDING + 'txt = "x"', "'text'"),
}


@pytest.mark.parametrize("name", HINTS)
def test_a_slip_is_answered_with_what_was_meant(name: str) -> None:
    """The hint names the closest known words, or all that are allowed where they are few."""
    text, hint = HINTS[name]
    with pytest.raises(TemplateError) as caught:
        _parse(f"{HEAD}[[section]]\n{text}\n")
    assert hint in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ('language = "German"', "'de'"),
        ('language = "EN_us"', "'en-US'"),
        ('completion = "complete"', "'COMPLETE'"),
        ('observr = "x"', "'observer'"),
    ],
)
def test_terms_and_languages_are_suggested(text: str, hint: str) -> None:
    """So are the closest terms, languages and keys."""
    with pytest.raises(TemplateError) as caught:
        _parse(f"{text}\n{HEAD}{SECTION}")
    assert hint in (caught.value.hint or "")


def test_every_keyword_is_a_code_that_can_be_printed() -> None:
    """No meaning of a dictionary carries what nobody sees."""
    for scheme in ("DCM", "LN", "UCUM"):
        found = [find_code(scheme, keyword) for keyword in keywords(scheme)]
        assert len(found) > 90
        assert all(code and code.meaning.isprintable() for code in found)


def test_known_units_have_their_meaning() -> None:
    """A unit of the dictionary is written with its meaning, another one with itself."""
    units = [_item(f'value = 1\nconcept = "SCT.Diameter"\nunit = "{u}"') for u in ("cm2", "mL")]
    meanings = [item.unit.meaning for item in units if isinstance(item, MeasurementInput)]
    assert meanings == ["Centimeter**2", "mL"]


def test_headings_prefer_the_context_group() -> None:
    """As a heading, Findings is the current LOINC code of CID 7001."""
    assert _parse(HEAD + SECTION).sections[0].heading == Code("59776-5", "LN", "Findings")


def test_a_heading_of_ones_own_needs_a_concept() -> None:
    """What a statement is called cannot be guessed under a heading nobody knows."""
    text = HEAD + '[[section]]\nheading = ["1", "99X", "Own"]\n[[section.item]]\ntext = "x"\n'
    assert _where(text) == "section[1].item[1].concept"
    concept = _parse(text + 'concept = "Finding"\n').sections[0].items[0]
    assert isinstance(concept, TextInput)


@pytest.mark.parametrize(
    ("notation", "text"),
    [
        (InputFormat.TOML, "title = "),
        (InputFormat.TOML, "a = 1\na = 2"),
        (InputFormat.JSON, "{"),
        (InputFormat.JSON, "[]"),
        (InputFormat.JSON, '{"title": "CTReport", "title": "MRIReport"}'),
        (InputFormat.JSON, '{"section": [{"item": 1, "item": 1}]}'),
        (InputFormat.JSON, "[" * 100_000),
    ],
)
def test_other_notations_are_refused(notation: InputFormat, text: str) -> None:
    """What does not parse, or repeats a key, is one clear error."""
    with pytest.raises(TemplateError):
        read_input(text, notation)


@given(st.text(max_size=300))
def test_any_text_is_a_report_or_an_error(text: str) -> None:
    """No foreign exception leaves the reader."""
    for notation in InputFormat:
        with pytest.raises(TemplateError):
            parse_report(text, notation)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["heading", "item", "text", "name", "value", "unit", "images", "code"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(
    st.dictionaries(
        st.sampled_from(
            ["title", "class", "observer", "section", "patient", "request", "language"]
        ),
        _JSON,
    )
)
def test_any_structure_is_a_report_or_an_error(values: dict[str, object]) -> None:
    """Wrong types at every place end in one kind of error."""
    base = {"title": "CTReport", "observer": {"name": "A^B"}}
    try:
        parse_report(json.dumps(base | values), InputFormat.JSON)
    except TemplateError:
        return
