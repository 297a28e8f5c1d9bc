"""YAML without surprises."""

from __future__ import annotations

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sr.document.declared import NAME_GROUPS
from sr.document.input import parse_report
from sr.document.input_table import InputFormat, InputTable
from sr.document.input_yaml import Unquoted, read_yaml, yaml_lines
from sr.document.report_input import MeasurementInput, TextInput
from sr.errors import TemplateError

REPORT = """
class: comprehensive
title: CTChestReport
language: de
observer:
  name: {alphabetic: Yamada^Tarou, ideographic: 山田^太郎, phonetic: やまだ^たろう}
  organization: NO
request:
  - accession_number: 00815
patient:
  name: Müller^Jördis
  id: 12:30:45
  birth_date: 19610314
section:
  - heading: Findings
    item:
      - text: |
          Two lines:
          no "quotes" needed.
        images: all
      - concept: SCT.Diameter
        value: 12.50
        unit: mm
"""


def test_a_report_in_yaml() -> None:
    """What stands there is what is meant: no country, octal number, time or date is made of it."""
    report = parse_report(REPORT, InputFormat.YAML)
    assert report.observer.name == "Yamada^Tarou=山田^太郎=やまだ^たろう"
    assert report.observer.organization == "NO"
    assert report.requests[0].accession_number == "00815"
    assert report.subject is not None
    assert (report.subject.patient_id, report.subject.patient_birth_date) == (
        "12:30:45",
        "19610314",
    )
    text, number = report.sections[0].items
    assert isinstance(text, TextInput)
    assert text.text == 'Two lines:\nno "quotes" needed.\n'
    assert text.images[0].instance == "all"
    assert isinstance(number, MeasurementInput)
    assert number.value == "12.50"


@pytest.mark.parametrize(
    "scalar",
    ["NO", "yes", "on", "True", "2026-11-20", "12:30:45", "0755", "1_000", "0x10", ".inf", "1e3"],
)
def test_no_word_changes_its_type(scalar: str) -> None:
    """A plain scalar is the text that was written, where text is asked for."""
    value = read_yaml(f"a: {scalar}")
    assert InputTable(value).text("a") == scalar  # type: ignore[arg-type]


@pytest.mark.parametrize("scalar", ["", "~", "null", "Null", "NULL"])
def test_null_is_no_value(scalar: str) -> None:
    """What YAML calls null is neither text nor absent: it is an error where it stands."""
    assert read_yaml(f"a: {scalar}") == {"a": None}
    with pytest.raises(TemplateError):
        InputTable(read_yaml(f"a: {scalar}")).text("a", "")  # type: ignore[arg-type]


@pytest.mark.parametrize("scalar", ["'null'", '"~"', '""', "'true'", '"1"'])
def test_what_is_quoted_is_text(scalar: str) -> None:
    """Quotes make text of anything."""
    value = read_yaml(f"a: {scalar}")
    assert value == {"a": scalar[1:-1]}
    assert not isinstance(value["a"], Unquoted)  # type: ignore[index]


@pytest.mark.parametrize("word", ["yes", "no", "on", "off", "True", "TRUE", "y", "1", "'true'"])
def test_only_two_words_are_flags(word: str) -> None:
    """A flag is true or false, in small letters and without quotes."""
    assert InputTable({"a": Unquoted("true")}).flag("a", default=False) is True
    assert InputTable({"a": Unquoted("false")}).flag("a", default=True) is False
    with pytest.raises(TemplateError):
        InputTable(read_yaml(f"a: {word}")).flag("a", default=False)  # type: ignore[arg-type]


@pytest.mark.parametrize("word", ["1_000", "0x10", ".inf", ".nan", "1,5", "12:30", "１２", "one"])
def test_numbers_are_decimal(word: str) -> None:
    """A number has digits, a point and an exponent, and nothing that one parser reads so."""
    with pytest.raises(TemplateError):
        InputTable(read_yaml(f"a: {word}")).number("a")  # type: ignore[arg-type]


@pytest.mark.parametrize("word", ["1.0", "yes", "'1'", "1_0", "~"])
def test_whole_numbers_are_whole(word: str) -> None:
    """Frame numbers are digits without quotes."""
    assert InputTable({"a": [Unquoted("12"), 3]}).integers("a") == (12, 3)
    with pytest.raises(TemplateError):
        InputTable(read_yaml(f"a: [{word}]")).integers("a")  # type: ignore[arg-type]


REFUSED = {
    "repeated key": "a: 1\nb: 2\na: 3",
    "repeated key in flow": "{a: 1, a: 2}",
    "key repeated in quotes": "a: 1\n'a': 2",
    "anchor": "a: &x 1",
    "alias": "a: &x [1]\nb: *x",
    "anchored key": "&x a: 1",
    "anchored document": "&x\na: 1",
    "binary": "a: !!binary aGk=",
    "python": "a: !!python/object/apply:os.system [id]",
    "tag of its own": "a: !own 1",
    "string tag": "a: !!str 1",
    "tagged key": "!!str a: 1",
    "tagged list": "a: !!set [1]",
    "list as key": "? [a]\n: 1",
    "null in a list of lists": "[" * 100,
    "deep": "a:" + " {a:" * 70 + "}" * 70,
    "two documents": "a: 1\n---\na: 2",
    "unfinished": "a: [1, 2",
    "tab": "a:\n\t- b",
    "control character": "a: \x00",
    "half a character": '"\\ud800"',
    "no character": '"\\UFFFFFFFF"',
    "unbalanced": "}",
    "YAML 2": "%YAML 2.0\n---\na: 1",
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_readers_see_differently_is_refused(name: str) -> None:
    """Each thing that may mean something else elsewhere is an error."""
    with pytest.raises(ValueError):  # noqa: PT011 - any; the reader of files converts it
        read_yaml(REFUSED[name])


def test_a_merge_key_is_an_ordinary_key() -> None:
    """Nothing is merged; the unknown key is refused by whoever reads the table."""
    with pytest.raises(TemplateError) as caught:
        parse_report("<<: {title: CTReport}\n" + REPORT, InputFormat.YAML)
    assert caught.value.where == "<<"


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n...\n", "just text", "- a\n- b\n"])
def test_other_documents_are_no_report(text: str) -> None:
    """A document that is no mapping is an error."""
    with pytest.raises(TemplateError):
        parse_report(text, InputFormat.YAML)


def test_where_things_stand() -> None:
    """Keys and entries of lists are found on their lines, from 1."""
    lines = yaml_lines("a: 1\nb:\n  - c: {d: 2}\n  - 3\n")
    assert lines[("b",)] == 2
    assert lines[("b", 1, "c", "d")] == 3
    assert lines[("b", 2)] == 4


_JSON = st.recursive(
    st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(_JSON)
@example({"a": '"', "b": "\\", "c": "\n", "d": "# x", "e": "&x", "f": "\u2028"})
def test_quoted_text_survives(value: object) -> None:
    """What JSON writes in quotes, YAML reads back as it is."""
    assert read_yaml(json.dumps(value)) == value


@given(st.text(max_size=200) | st.text("ab:-[]{}&*!|>'\"%@`,? \n\t#~<", max_size=80))
def test_any_text_is_read_or_refused(text: str) -> None:
    """No foreign exception leaves the reader, which never makes numbers, dates or flags."""
    try:
        value = read_yaml(text)
    except ValueError:
        return
    _assert_plain(value)


def _assert_plain(value: object) -> None:
    if isinstance(value, dict):
        assert all(type(key) is str for key in value)
        for inner in value.values():
            _assert_plain(inner)
    elif isinstance(value, list):
        for inner in value:
            _assert_plain(inner)
    else:
        assert value is None or isinstance(value, str)


@pytest.mark.parametrize("group", NAME_GROUPS)
def test_each_group_of_a_name_may_stand_alone(group: str) -> None:
    """A name may have any of its groups only."""
    text = REPORT.replace(
        "alphabetic: Yamada^Tarou, ideographic: 山田^太郎, phonetic: ", f"{group}: "
    )
    name = parse_report(text, InputFormat.YAML).observer.name
    assert name == "=" * NAME_GROUPS.index(group) + "やまだ^たろう"
