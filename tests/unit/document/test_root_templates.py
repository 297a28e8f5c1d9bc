"""Root templates: their files, and reports that do not follow them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sr.document.content import Date, PersonName, Reference, Relationship, ValueType, walk
from sr.document.evidence import Evidence
from sr.document.input import parse_report
from sr.document.input_table import InputFormat
from sr.document.report_input import ReportInput
from sr.document.root_template import (
    Presence,
    RootTemplateID,
    load_root_template,
    parse_root_template,
)
from sr.errors import ConfigurationError, ProfileFormatError, TemplateError
from tests.support.datasets import opened
from tests.support.reports import DOSE_REPORT, IMAGES, built, composed, example

TRANSCRIBED = """
class = "basic-text"
tid = "2005"
title = "CTChestReport"
[observer]
name = "Meier^Anna"
[[section]]
heading = "Findings"
[[section.item]]
text = "Nodule."
"""
KEY_IMAGES = '[[section]]\nheading = "KeyImages"\n'
DESCRIPTION = '[[section.item]]\nconcept = "DCM.KeyObjectDescription"\ntext = "x"\n'
ONE_IMAGE = '[[section.item]]\nimage = "001.dcm"\n'

PROCEDURE = """
[[section]]
heading = "CurrentProcedureDescriptions"
[[section.item]]
concept = "DCM.TargetRegion"
text = "Chest"
[[section.item]]
text = "CT of the chest."
[[section.item]]
concept = "DCM.StudyDate"
date = "study"
"""
HISTORY = '[[section]]\nheading = "History"\n[[section.item]]\ntext = "Smoker."\n'
REQUEST = '[[section]]\nheading = "Request"\n[[section.item]]\ntext = "Nodule?"\n'
IMPRESSION = '[[section]]\nheading = "Impressions"\n[[section.item]]\ntext = "Nodule."\n'
INDICATION = '[[section.item]]\nconcept = "LN.IndicationsForProcedure"\ntext = "Nodule?"\n'
AUTHORIZED = '[[section.item]]\nconcept = "DCM.IrradiationAuthorizing"\nperson = "Weber^Sam"\n'
EXPOSURE = '[[section.item]]\nconcept = "DCM.RadiationExposure"\ntext = "DLP 55 mGy.cm"\n'
SUBSTANCE = """
[[section.item]]
concept = "SCT.AdministrationOfRadiopharmaceutical"
text = "F-18 FDG, 250 MBq"
"""
RADIATION = '[[section]]\nheading = "RadiationExposureAndProtectionInformation"\n'
PREGNANT = """
[[section.item]]
concept = ["364320009", "SCT", "Pregnancy observable"]
code = ["60001007", "SCT", "Not pregnant"]
"""
PRIOR = """
[[section]]
heading = "PriorProcedureDescriptions"
[[section.item]]
text = "CT of the chest, 2019."
"""
PROTECTION = RADIATION + INDICATION + AUTHORIZED + EXPOSURE
BODY = PROCEDURE + HISTORY + REQUEST + IMPRESSION
WHOLE = BODY + PROTECTION


def _transcribed(more: str) -> ReportInput:
    return parse_report(TRANSCRIBED + more, InputFormat.TOML)


def _radiation(sections: str, kind: str = "comprehensive") -> ReportInput:
    head = f'class = "{kind}"\ntid = "2006"\ntitle = "CTChestReport"\nobserver = {{name = "A^B"}}\n'
    return parse_report(head + sections, InputFormat.TOML)


def _of(modality: str) -> tuple[Evidence, ...]:
    return tuple(replace(item, modality=modality) for item in IMAGES)


def _refused(report: ReportInput, evidence: tuple[Evidence, ...] = IMAGES) -> tuple[str, str]:
    with pytest.raises(TemplateError) as caught:
        composed(report, evidence)
    return caught.value.rule, caught.value.where or ""


@pytest.mark.parametrize("template_id", RootTemplateID)
def test_every_root_template_is_there(template_id: RootTemplateID) -> None:
    """Each has a file of its own id that loads, and an example among the shipped templates."""
    root = load_root_template(template_id)
    assert root.id is template_id
    assert root.cites.endswith(f"TID {template_id}")
    assert all(row.cites for section in root.sections for row in (section, *section.items))


def test_a_transcribed_report_has_its_observer_in_the_header() -> None:
    """TID 2005 inherits it: nothing in the tree is observation context, and the header has it."""
    report = example("transcribed")
    relationships = {item.relationship for _, _, item in walk(composed(report).content)}
    assert Relationship.HAS_OBS_CONTEXT not in relationships
    (author,) = opened(built(report)).dataset.items(0x0040A078)
    assert author.text(0x0040A123) == report.observer.name


@pytest.mark.parametrize(
    ("more", "row"),
    [
        ('[[section.item]]\ntext = "Second."\n', 7),
        ('images = "all"\n', 7),
        (ONE_IMAGE, 6),
        ('[[section.item]]\ncode = "SCT.Nodule"\n', 6),
        (KEY_IMAGES + '[[section.item]]\ntext = "x"\n', 8),
        (KEY_IMAGES + DESCRIPTION, 10),
        (KEY_IMAGES + ONE_IMAGE + 'purpose = "Baseline"\n', 8),
        (KEY_IMAGES + ONE_IMAGE + DESCRIPTION * 2, 9),
    ],
)
def test_what_a_transcribed_report_does_not_take(more: str, row: int) -> None:
    """One text under a heading, key images without purpose, and nothing below either."""
    rule, where = _refused(_transcribed(more))
    assert rule == f"PS3.16 TID 2005 row {row}"
    assert where.startswith("section[")


def test_a_transcribed_report_may_repeat_headings() -> None:
    """Sections and key images come as often as dictated."""
    again = '[[section]]\nheading = "Findings"\n[[section.item]]\ntext = "More."\n'
    images = '[[section]]\nheading = "KeyImages"\n[[section.item]]\nimage = "all"\n'
    assert composed(_transcribed(again + images * 2))


@pytest.mark.parametrize("kind", ["basic-text", "enhanced", "comprehensive", "comprehensive-3d"])
def test_a_report_with_radiation_can_be_of_each_class(kind: str) -> None:
    """Its rows are those of every class."""
    assert built(_radiation(WHOLE, kind))


def test_dates_people_and_dose_reports_become_content_items() -> None:
    """The study's date, who authorised the exposure, and the dose report are items of their own."""
    dose = '[[section.item]]\nimage = "dose.dcm"\npurpose = "DCM.XRayRadiationDoseReport"\n'
    clock = '[[section.item]]\nconcept = "DCM.StudyTime"\ntime = "study"\n'
    report = _radiation(PROCEDURE + dose + clock + HISTORY + REQUEST + IMPRESSION + PROTECTION)
    items = [i for _, _, i in walk(composed(report, (*IMAGES, DOSE_REPORT)).content)]
    subject = IMAGES[0].patient_study
    assert [i.value for i in items if isinstance(i, Date)] == [subject.study_date]
    assert [i.value for i in items if getattr(i, "TYPE", None) == "TIME"] == [subject.study_time]
    assert "Weber^Sam" in [i.value for i in items if isinstance(i, PersonName)]
    assert ValueType.COMPOSITE in [i.value_type for i in items if isinstance(i, Reference)]


def test_earlier_procedures_and_pregnancy_may_be_told() -> None:
    """Each earlier procedure has a section of its own; pregnancy is a code beside the exposure."""
    report = _radiation(PRIOR * 2 + WHOLE + PREGNANT)
    concepts = [item.concept for _, _, item in walk(composed(report).content)]
    values = [concept.value for concept in concepts if concept]
    assert (values.count("55114-3"), values.count("364320009")) == (2, 1)


@pytest.mark.parametrize(
    ("sections", "rule"),
    [
        (HISTORY + REQUEST + IMPRESSION + PROTECTION, "PS3.16 TID 2006 row 6"),
        (PROCEDURE + REQUEST + IMPRESSION + PROTECTION, "PS3.16 TID 2006 row 10"),
        (PROCEDURE + HISTORY + IMPRESSION + PROTECTION, "PS3.16 TID 2006 row 13"),
        (PROCEDURE + HISTORY + REQUEST + PROTECTION, "PS3.16 TID 2006 row 16"),
        (BODY, "PS3.16 TID 2006 row 19"),
        (WHOLE + PROTECTION, "PS3.16 TID 2006 row 19"),
        (WHOLE + HISTORY, "PS3.16 TID 2006 row 10"),
        (WHOLE + IMPRESSION.replace("Impressions", "Summary") * 2, "PS3.16 TID 2006 row 20"),
        (WHOLE.replace('concept = "DCM.TargetRegion"\n', ""), "PS3.16 TID 2007 row 5"),
        (
            WHOLE.replace('[[section.item]]\ntext = "CT of the chest."\n', ""),
            "PS3.16 TID 2007 row 5",
        ),
        (
            WHOLE.replace('[[section.item]]\nconcept = "DCM.TargetRegion"\ntext = "Chest"\n', ""),
            "PS3.16 TID 2007 rows 2 and 3",
        ),
        (WHOLE.replace('"study"', '"20200101"'), "PS3.16 TID 2007 row 6"),
        (BODY + RADIATION + AUTHORIZED + EXPOSURE, "PS3.16 TID 2008 row 4"),
        (BODY + RADIATION + INDICATION + EXPOSURE, "PS3.16 TID 2008 row 5"),
        (BODY + RADIATION + INDICATION + AUTHORIZED, "PS3.16 TID 2008 row 6"),
        (WHOLE + INDICATION, "PS3.16 TID 2008 row 4"),
        (WHOLE + PREGNANT * 2, "PS3.16 TID 2008 row 3"),
        (WHOLE + PREGNANT.partition("code")[0] + 'text = "no"\n', "PS3.16 TID 2006 row 19"),
        (WHOLE + '[[section.item]]\ncode = "SCT.Nodule"\nconcept = "Finding"\n', "row 19"),
        (WHOLE.replace("55 mGy.cm", '55"\nimages = ["001.dcm"] #'), "PS3.16 TID 2008 row 6"),
    ],
)
def test_what_a_report_with_radiation_needs(sections: str, rule: str) -> None:
    """A section or statement that is missing, repeated or strange is refused with its row."""
    broken, where = _refused(_radiation(sections))
    assert broken.endswith(rule)
    assert where.startswith("section")


@pytest.mark.parametrize("modality", ["MR", "US", "OT", "SR"])
def test_no_radiation_needs_no_protection(modality: str) -> None:
    """The section on exposure is conditional: not every examination exposes anybody."""
    assert composed(_radiation(BODY), _of(modality))


@pytest.mark.parametrize("modality", ["NM", "PT"])
def test_radioactive_substances_are_stated(modality: str) -> None:
    """They need the substance and no exposure by X-rays; X-rays need the opposite."""
    stated = _radiation(BODY + RADIATION + INDICATION + AUTHORIZED + SUBSTANCE)
    assert composed(stated, _of(modality))
    assert _refused(_radiation(WHOLE), _of(modality))[0] == "PS3.16 TID 2008 row 7"
    assert _refused(stated, _of("XA"))[0] == "PS3.16 TID 2008 row 6"


def test_images_of_other_studies_expose_nobody_now() -> None:
    """An earlier CT beside an MR does not make the section necessary."""
    earlier = tuple(
        replace(item, patient_study=replace(item.patient_study, study_instance_uid="2.25.9"))
        for item in IMAGES
    )
    assert composed(_radiation(BODY), (*_of("MR")[:1], *earlier[1:]))


def test_a_study_without_date_is_refused() -> None:
    """Row 6 wants the date of the study; a study without one is named."""
    dateless = tuple(
        replace(item, patient_study=replace(item.patient_study, study_date="")) for item in IMAGES
    )
    assert _refused(_radiation(WHOLE), dateless) == ("", "section[1].item[3]")


HEAD = 'title = "CTChestReport"\nobserver = { name = "A^B" }\n'
TEXT = '[[section]]\nheading = "Findings"\n[[section.item]]\ntext = "x"\n'
GROUP = """
[[group]]
tracking = "1"
[[group.measurement]]
concept = "SCT.Diameter"
value = 1
unit = "mm"
"""
MEASURED = 'title = "ImagingMeasurementReport"\nobserver = { name = "A^B" }\n'
PROCEDURE_KEY = 'procedure = "cid100.Angiography"\n'
MEASURED_WHOLE = MEASURED + PROCEDURE_KEY + GROUP


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ('tid = "1400"\n' + HEAD + TEXT, "tid"),
        ("tid = 2000\n" + HEAD + TEXT, "tid"),
        ('tid = "1500"\n' + HEAD + TEXT, "tid"),
        (HEAD + PROCEDURE_KEY + GROUP, "tid"),
        (HEAD + TEXT + GROUP, "group"),
        (HEAD, "section"),
        ('tid = "1500"\n' + MEASURED + GROUP, "procedure"),
        ('tid = "1500"\n' + HEAD + PROCEDURE_KEY + GROUP, "title"),
        ('tid = "1500"\nclass = "basic-text"\n' + MEASURED_WHOLE, "class"),
        (
            'tid = "1500"\ntitle_in_words = "x"\n' + MEASURED + PROCEDURE_KEY + GROUP,
            "title_in_words",
        ),
        ('tid = "2005"\ntitle_in_words = "x"\n' + HEAD + TEXT, "title_in_words"),
        ('tid = "2000"\nsection = []\n' + HEAD, "section"),
    ],
)
def test_what_does_not_fit_the_root_template_is_named(text: str, where: str) -> None:
    """Class, title, procedure and body are those that the root template takes."""
    with pytest.raises(TemplateError) as caught:
        parse_report(text, InputFormat.TOML)
    assert caught.value.where == where


def test_a_missing_file_is_named() -> None:
    """An installation without its data says so."""
    with pytest.raises(ConfigurationError):
        load_root_template("9999")  # type: ignore[arg-type]


SOUND = """
id = "2000"
title = "T"
cites = "PS3.16 TID 2000"
classes = ["enhanced"]
content = "section"
observer = "content"
title_in_words = true
[modalities]
x-ray = ["CT"]
radioactive = ["NM"]
cites = "c"
[[section]]
heading = ["1", "DCM", "One"]
presence = "always"
cites = "c"
[[section.item]]
types = ["TEXT"]
modalities = ["x-ray"]
cites = "c"
"""


def test_a_file_declares_a_root_template() -> None:
    """What is not said is open: any concept, any number, any modality."""
    root = parse_root_template(SOUND, "x.toml")
    (section,) = root.sections
    (item,) = section.items
    assert (section.presence, section.closed, section.repeats) == (Presence.ALWAYS, False, False)
    assert (item.least, item.most, item.concept, item.nameless) == (0, None, None, False)
    assert (item.modalities, root.other, root.title_group) == (frozenset({"CT"}), None, None)
    assert root.section(None) is None


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('id = "2000"', 'id = "1"'),
        ('["enhanced"]', '["fancy"]'),
        ('content = "section"', 'content = "pages"'),
        ('observer = "content"', ""),
        ("title_in_words = true", 'title_in_words = "yes"'),
        ('["1", "DCM", "One"]', '["1", "DCM"]'),
        ('presence = "always"', 'presence = "sometimes"'),
        ('types = ["TEXT"]', 'types = ["PROSE"]'),
        ('modalities = ["x-ray"]', 'modalities = ["gamma"]'),
        ('modalities = ["x-ray"]', "lest = 1"),
        ("[[section]]\n", "[[section]]\ncolour = 1\n"),
        ('presence = "always"\ncites = "c"', 'presence = "always"'),
    ],
)
def test_a_wrong_file_does_not_load(old: str, new: str) -> None:
    """A misspelt rule cannot be a rule that is not there."""
    assert old in SOUND
    with pytest.raises(ProfileFormatError):
        parse_root_template(SOUND.replace(old, new), "x.toml")
