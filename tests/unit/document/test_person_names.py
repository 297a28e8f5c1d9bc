"""Names in every script go from input, or from evidence in any character set, into the report."""

from __future__ import annotations

import io
import json

import pydicom
import pytest

from sr.app.documents.authoring import author_report
from sr.dicomfile import DataSet
from sr.document.input_table import InputFormat
from sr.errors import TemplateError
from tests.support.datasets import evidence_of, instance, opened
from tests.support.story import real_ports

CT = "1.2.840.10008.5.1.4.1.1.2"
PATIENT_NAME = 0x00100010

NAMES = {
    "Japanese": "Yamada^Tarou=山田^太郎=やまだ^たろう",
    "half-width Japanese": "ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎=やまだ^たろう",
    "Korean": "Hong^Gildong=洪^吉洞=홍^길동",
    "Arabic": "قباني^لنزار",
    "Arabic with Latin": "Qabbani^Nizar=قباني^نزار",
    "phonetic only": "==やまだ^たろう",
    "ideographic only": "=山田^太郎",
    "German": "Äneas^Rüdiger^^Dr.^MdB",
    "Greek": "Διονυσιος",
    "Russian": "Люкceмбypг",
    "Chinese": "Zhang^XiaoDong=张^小东",
    "beyond the basic plane": "Yoshida=𠮷田",
    "combining": "Zoe\u0301",
}


def _report(name: str, **more: object) -> str:
    return json.dumps(
        {
            "class": "basic-text",
            "title": "CTReport",
            "observer": {"name": name, "organization": "病院"},
            "section": [
                {"heading": "Findings", "item": [{"text": f"مرحبا 안녕 こんにちは {name}"}]}
            ],
            **more,
        },
        ensure_ascii=False,
    )


def _written(text: str, evidence: tuple = ()) -> DataSet:  # type: ignore[type-arg]
    data = author_report(
        text,
        InputFormat.JSON,
        evidence=evidence,
        template=None,
        name="report.json",
        ports=real_ports(),
    )
    assert str(pydicom.dcmread(io.BytesIO(data)).PatientName) == opened(data).dataset.text(
        PATIENT_NAME
    )
    return opened(data).dataset


@pytest.mark.parametrize("script", NAMES)
def test_names_of_the_input_arrive(script: str) -> None:
    """Patient, physician, author and observer have the name that was written, in all its groups."""
    name = NAMES[script]
    study = {"referring_physician": name}
    dataset = _written(_report(name, patient={"name": name}, study=study))
    assert dataset.text(0x00080005) == "ISO_IR 192"
    assert dataset.text(PATIENT_NAME) == name
    assert dataset.text(0x00080090) == name
    (author,) = dataset.items(0x0040A078)
    assert author.text(0x0040A123) == name
    assert author.text(0x00080080) == "病院"
    content = dataset.items(0x0040A730)
    assert [i.text(0x0040A123) for i in content if i.text(0x0040A040) == "PNAME"] == [name]
    assert content[-1].items(0x0040A730)[0].text(0x0040A160).endswith(name)


@pytest.mark.parametrize("script", [s for s in NAMES if "=" in NAMES[s]])
def test_groups_may_be_written_apart(script: str) -> None:
    """The same name as a table of its groups is the same name."""
    groups = dict(
        zip(("alphabetic", "ideographic", "phonetic"), NAMES[script].split("="), strict=False)
    )
    dataset = _written(_report("A^B", patient={"name": groups}))
    assert dataset.text(PATIENT_NAME) == NAMES[script]


FOREIGN = {
    "Japanese, ISO 2022": ("Japanese", ["", "ISO 2022 IR 87"]),
    "half-width Japanese": ("half-width Japanese", ["ISO 2022 IR 13", "ISO 2022 IR 87"]),
    "Korean": ("Korean", ["", "ISO 2022 IR 149"]),
    "Arabic": ("Arabic", "ISO_IR 127"),
    "Greek": ("Greek", "ISO_IR 126"),
    "Russian": ("Russian", "ISO_IR 144"),
    "German": ("German", "ISO_IR 100"),
    "Chinese": ("Chinese", "GB18030"),
}


@pytest.mark.parametrize("case", FOREIGN)
def test_names_of_the_evidence_arrive(case: str) -> None:
    """A name in another character set is the same name in the report, which is in UTF-8."""
    script, character_set = FOREIGN[case]
    name = NAMES[script] if script != "Russian" else "Люксембург"
    image = instance(CT, SpecificCharacterSet=character_set, PatientName=name, StudyID="1")
    dataset = _written(_report("A^B"), (evidence_of(image, "a.dcm"),))
    assert dataset.text(0x00080005) == "ISO_IR 192"
    assert dataset.text(PATIENT_NAME) == name


@pytest.mark.parametrize("name", ["A=B=C=D", "A^B^C^D^E^F", "山" * 65, "A\\B", "A\u0000B", "A\nB"])
def test_what_is_no_name_is_refused(name: str) -> None:
    """Four groups, six components, 65 characters and separators of other values are no name."""
    with pytest.raises(TemplateError) as caught:
        _written(_report("A^B", patient={"name": name}))
    assert caught.value.where == "patient.name"
