"""Every shipped template, with whatever values its declaration allows."""

from __future__ import annotations

import copy
import tomllib
from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sr.document.input import parse_report
from sr.document.input_table import InputFormat, InputTable
from sr.document.report_input import ReportInput
from sr.document.root_template import RootTemplateID
from sr.document.template import (
    ReportTemplate,
    load_template,
    render_report,
    render_text,
    template_ids,
)
from sr.document.template_input import InputType, TemplateInput
from sr.errors import TemplateError

IDS = template_ids()
TOKEN = "zqx"

ATTACKS = (
    '"',
    "\\",
    '\\"',
    'x"\n[observer]\nname = "Evil^Eve',
    '"\r\n[[section]]\nheading = "Summary"\n[[section.item]]\ntext = "Evil',
    '""" \n',
    "'''",
    '"]\nimage = ["',
    '", frames = [1], purpose = "Baseline',
    "{{ observer_name }}",
    "{% for i in range(9) %}x{% endfor %}",
    "{# comment #}",
    "{{ ''.__class__.__mro__ }}",
    "# comment",
    "<script>alert(1)</script>",
    "&amp;",
    "${jndi:ldap://x}",
    "x = 1",
    "\u202enoitceles\u202c",
    "a\u2028b\u2029c",
    "山田\u3000太郎",
    "مرحبا",
)


@cache
def _template(template_id: str) -> ReportTemplate:
    return load_template(template_id)


def _example(template_id: str) -> dict[str, Any]:
    return tomllib.loads(_template(template_id).example, parse_float=Decimal)


def _tree(template_id: str, values: dict[str, Any]) -> dict[str, Any]:
    text = render_text(_template(template_id), InputTable(values))
    return tomllib.loads(text, parse_float=Decimal)


def _text_places(inputs: tuple[TemplateInput, ...], values: dict[str, Any]) -> Iterator[Any]:
    """Yield where free text stands in values, as the container and the key in it."""
    for wanted in inputs:
        given_value = values.get(wanted.key)
        if wanted.type is InputType.TEXT and given_value is not None:
            yield values, wanted.key
        elif wanted.type is InputType.TEXTS:
            yield from ((given_value, n) for n in range(len(given_value or [])))
        elif wanted.type is InputType.ROWS:
            for row in given_value or []:
                yield from _text_places(wanted.fields, row)


def _complete(template_id: str) -> dict[str, Any]:
    """Return the example with every optional input given."""
    values = _example(template_id)
    _fill(_template(template_id).inputs, values)
    return values


_FILLERS: dict[InputType, Any] = {
    InputType.TEXT: "Text.",
    InputType.TEXTS: ["One.", "Two."],
    InputType.NUMBER: Decimal("7.5"),
    InputType.FLAG: True,
    InputType.CODE: ["42700002", "SCT", "Round"],
    InputType.POINTS: [[1, 2]],
}
_KEYWORDS = {"title": "CTReport", "language": "en"}


def _fill(inputs: tuple[TemplateInput, ...], values: dict[str, Any]) -> None:
    for wanted in inputs:
        if wanted.type is InputType.ROWS:
            for row in values.setdefault(wanted.key, [{}]):
                _fill(wanted.fields, row)
        elif wanted.type is InputType.CHOICE:
            values.setdefault(wanted.key, wanted.choices[0])
        else:
            filler = _KEYWORDS.get(wanted.key, _FILLERS[wanted.type])
            values.setdefault(wanted.key, copy.copy(filler))


def _report(template_id: str, values: dict[str, Any]) -> ReportInput:
    text = render_text(_template(template_id), InputTable(values))
    report = parse_report(text, InputFormat.TOML)
    assert report.document_class is _template(template_id).document_class
    return report


def test_the_common_examinations_are_there() -> None:
    """What people report most has a skeleton to start from."""
    assert set(IDS) >= {
        *("ct-chest", "free-text", "mammography-text", "mr-knee", "us-abdomen", "x-ray-chest")
    }
    assert {_template(template_id).tid for template_id in IDS} == set(RootTemplateID)
    measured = {t.document_class.slug for t in map(_template, IDS) if t.tid == "1500"}
    assert measured == {"enhanced", "comprehensive", "comprehensive-3d"}


@pytest.mark.parametrize("template_id", IDS)
def test_the_example_renders(template_id: str) -> None:
    """The example beside each template makes a report of the class it declares."""
    template = _template(template_id)
    report = render_report(template, template.example, InputFormat.TOML)
    assert report.document_class is template.document_class
    assert report.completion == "COMPLETE"
    assert len(report.sections) > 1 or report.groups


@pytest.mark.parametrize("template_id", IDS)
def test_what_is_optional_may_be_left_out(template_id: str) -> None:
    """Required inputs are enough, and all of them together are not too much."""
    required = {i.key for i in _template(template_id).inputs if i.required}
    values = {key: value for key, value in _example(template_id).items() if key in required}
    assert _report(template_id, values)
    assert _report(template_id, _complete(template_id))


@pytest.mark.parametrize("template_id", IDS)
def test_what_is_required_is_required(template_id: str) -> None:
    """Each required input that is not given is named."""
    for wanted in (i for i in _template(template_id).inputs if i.required):
        values = _example(template_id)
        del values[wanted.key]
        with pytest.raises(TemplateError) as caught:
            _report(template_id, values)
        assert caught.value.where == wanted.key


@pytest.mark.parametrize("template_id", IDS)
def test_every_choice_makes_a_report_of_its_own(template_id: str) -> None:
    """Each choice and each flag renders, and no two of them say the same."""
    for wanted in _template(template_id).inputs:
        options: tuple[object, ...] = wanted.choices
        if wanted.type is InputType.FLAG:
            options = (True, False)
        said = [
            str(_report(template_id, _complete(template_id) | {wanted.key: o})) for o in options
        ]
        assert len(set(said)) == len(options), wanted.key


@pytest.mark.parametrize("template_id", IDS)
def test_every_input_is_used(template_id: str) -> None:
    """An input that changes nothing in the report would be a promise not kept."""
    complete = _complete(template_id)
    said = str(_report(template_id, complete))
    for wanted in (i for i in _template(template_id).inputs if not i.required):
        values = {key: value for key, value in complete.items() if key != wanted.key}
        if wanted.type is not InputType.FLAG:
            assert str(_report(template_id, values)) != said, wanted.key


@pytest.mark.parametrize("template_id", IDS)
def test_drafts_say_so(template_id: str) -> None:
    """A report that is still being written is PARTIAL."""
    assert _report(template_id, _example(template_id) | {"complete": False}).completion == "PARTIAL"


_TEXT = st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=30).filter(
    lambda text: text.strip() and text == text.rstrip(" ")
)


@settings(deadline=None)
@given(st.sampled_from(IDS), st.data(), _TEXT | st.sampled_from(ATTACKS))
def test_no_value_becomes_structure(template_id: str, data: st.DataObject, hostile: str) -> None:
    """Any text at any place comes out as that text, at its place, and nothing else changes."""
    plain, attacked = _complete(template_id), _complete(template_id)
    inputs = _template(template_id).inputs
    places = list(_text_places(inputs, plain))
    chosen = data.draw(st.integers(0, len(places) - 1))
    for values, text in ((plain, TOKEN), (attacked, hostile)):
        container, key = list(_text_places(inputs, values))[chosen]
        container[key] = text
    assert _tree(template_id, attacked) == _with(_tree(template_id, plain), hostile)


def _with(tree: Any, text: str) -> Any:
    if isinstance(tree, dict):
        return {key: _with(inner, text) for key, inner in tree.items()}
    if isinstance(tree, list):
        return [_with(inner, text) for inner in tree]
    return tree.replace(TOKEN, text) if isinstance(tree, str) else tree


@pytest.mark.parametrize("template_id", IDS)
def test_every_place_of_text_is_reached(template_id: str) -> None:
    """The property above has something to look at: each free text shows up in the report."""
    places = len(list(_text_places(_template(template_id).inputs, _complete(template_id))))
    assert places > 5
    for n in range(places):
        values = _complete(template_id)
        container, key = list(_text_places(_template(template_id).inputs, values))[n]
        container[key] = TOKEN
        assert TOKEN in str(_tree(template_id, values)), key


def _say(values: dict[str, Any], text: str) -> None:
    """Put a text where the template makes a statement of it."""
    if "impression" in values:
        values["impression"] = text
    elif "findings" in values:
        values["findings"][0]["name"] = text
    else:
        section = values["sections"][0]
        section |= {"paragraphs": [text]} if "paragraphs" in section else {"text": text}


@pytest.mark.parametrize("template_id", IDS)
def test_attacks_are_text_in_the_report(template_id: str) -> None:
    """A hostile statement is read back from the report word for word."""
    for attack in ATTACKS:
        values = _example(template_id)
        _say(values, attack)
        report = _report(template_id, values)
        said = [getattr(item, "text", "") for s in report.sections for item in s.items]
        assert attack in [*said, *(group.tracking for group in report.groups)]
        assert report.observer.name == values["observer_name"]
        assert len(report.sections) == len(_report(template_id, _example(template_id)).sections)
