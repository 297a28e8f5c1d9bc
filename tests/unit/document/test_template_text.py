"""No value becomes structure, whatever the value and whatever the template."""

from __future__ import annotations

import tomllib
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sr.document.template_text import render_toml
from sr.errors import TemplateError

MARKS = "\x02\x03\x0e\x0f"
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters=MARKS), max_size=40)
ATTACKS = st.sampled_from(
    [
        '"',
        "\\",
        '\\"',
        '"\n[observer]\nname = "X',
        '"\r\n[[section]]\n',
        '""" x',
        '"""\n[[section]]\n',
        "'''\n",
        "'",
        "]\n",
        "] # ",
        "#",
        "{{ secret }}",
        "{% for i in range(9) %}",
        "{# x #}",
        "true",
        "1",
        '"x"',
        "a\u2028\u0085b",
        "\u202ereversed",
        "ẞ山田",
    ]
)


def _render(folder: Path, template: str, **values: object) -> str:
    (folder / "t").write_text(template, encoding="utf-8", newline="")
    return render_toml(folder, "t", values)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder for templates that are overwritten."""
    return tmp_path_factory.mktemp("templates")


SOUND = """\
a = "{{ x }}"
b = "before {{ x }} after"   # a "comment"
c = \"\"\".{{ x }}
{{ x }}\"\"\"
d = '"'
e = {{ x | toml }}
f = [{{ x | toml }}, '''"''', {{ [x, x] | toml }}]
g = { h = "{{ x }}", "i" = {{ x | toml }} }
j = "{% if x == 'never' %}{% else %}\\\"{{ x }}{% endif %}"
{% for y in [x, x] %}
[[row]]
text = "{{ y }}"
{% endfor %}
"""


@settings(deadline=None)
@given(TEXT | ATTACKS)
def test_a_value_comes_out_as_it_went_in(folder: Path, value: str) -> None:
    """In quotes and as whole value, any text arrives at its place and changes nothing else."""
    rendered = tomllib.loads(_render(folder, SOUND, x=value))
    assert rendered == {
        "a": value,
        "b": f"before {value} after",
        "c": f".{value}\n{value}",
        "d": '"',
        "e": value,
        "f": [value, '"', [value, value]],
        "g": {"h": value, "i": value},
        "j": f'"{value}',
        "row": [{"text": value}, {"text": value}],
    }


CARELESS = {
    "outside of quotes": "a = {{ x }}",
    "in an array": 'a = ["b", {{ x }}]',
    "in an inline table": "a = { b = {{ x }} }",
    "as a key": '{{ x }} = "b"',
    "as a table": "[{{ x }}]",
    "in a literal string": "a = '{{ x }}'",
    "in a long literal string": "a = '''\n{{ x }}'''",
    "in a comment": "a = 1 # {{ x }}",
    "after a string": 'a = "b{{ x }}"{{ x }}',
    "after an escaped quote": 'a = "b\\"" {{ x }}',
    "after an escaped backslash": 'a = "b\\\\" {{ x }}',
    "after a long string": 'a = """b"""" {{ x }}',
    "after a literal backslash": "a = '\\' {{ x }}",
    "on a line of its own": 'a = "b"\n{{ x }}\n',
    "after an open string": 'a = "b\n{{ x }}',
    "a whole value in quotes": 'a = "{{ x | toml }}"',
    "a whole value in long quotes": 'a = """{{ x | toml }}"""',
    "a whole value in literal quotes": "a = '{{ x | toml }}'",
    "a whole value in a comment": "# {{ x | toml }}",
    "through a macro": "{% macro m(v) %}{{ v }}{% endmacro %}a = {{ m(x) }}",
    "through a block": "{% set b %}{{ x }}{% endset %}a = {{ b }}",
    "through a filter block": "a = {% filter upper %}{{ x }}{% endfilter %}",
    "through formatting": "{% macro m() %}{}{% endmacro %}a = {{ m().format(x) }}",
    "through a format map": "{% macro m() %}{v}{% endmacro %}a = {{ m().format_map({'v': x}) }}",
    "through an operator": "{% macro m() %}%s{% endmacro %}a = {{ m() % x }}",
    "through a filter": "{% macro m() %}%s{% endmacro %}a = {{ m() | format(x) }}",
    "through joining": "{% macro m() %}, {% endmacro %}a = [{{ [x, x] | join(m()) }}]",
    "through replacing": "{% macro m() %}v{% endmacro %}a = {{ m() | replace('v', x) }}",
    "through tilde": "{% macro m() %}v{% endmacro %}a = {{ m() ~ x }}",
    "declared safe": "a = {{ x | safe }}",
    "escaped for HTML": "a = {{ x | e }}",
    "as JSON": "a = {{ x | tojson }}",
    "through attr": "{% macro m() %}{}{% endmacro %}a = {{ (m() | attr('format'))(x) }}",
}


@pytest.mark.parametrize("name", CARELESS)
@pytest.mark.parametrize("value", ["harmless", "1", '"x"', "'\n[b]\n", ""])
def test_a_careless_template_is_refused_for_every_value(
    folder: Path, name: str, value: str
) -> None:
    """A value where it could become structure is an error, hostile or not."""
    with pytest.raises(TemplateError):
        _render(folder, CARELESS[name], x=value)


@settings(deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [
                *("{{ x }}", "{{ x | toml }}", '"', "'", '"""', "'''", "\\", "#", "\n"),
                *("a = ", "[", "]", ", ", "b", " "),
            ]
        ),
        max_size=14,
    ),
    TEXT | ATTACKS,
)
def test_no_template_lets_a_value_change_the_structure(
    folder: Path, pieces: list[str], value: str
) -> None:
    """Whatever quotes stand around, two values give the same structure, or none."""
    template = "".join(pieces)
    try:
        hostile = tomllib.loads(_render(folder, template, x=value))
        plain = tomllib.loads(_render(folder, template, x="zqx"))
    except (TemplateError, tomllib.TOMLDecodeError):
        return
    assert _filled(plain, value) == hostile


def _filled(tree: object, value: str) -> object:
    if isinstance(tree, dict):
        return {key: _filled(inner, value) for key, inner in tree.items()}
    if isinstance(tree, list):
        return [_filled(inner, value) for inner in tree]
    return tree.replace("zqx", value) if isinstance(tree, str) else tree


def test_macros_may_write_structure(folder: Path) -> None:
    """What a macro, a block or an included file writes is the template's own."""
    (folder / "part").write_text('included = "{{ x }}"\n', encoding="utf-8")
    (folder / "macros").write_text(
        '{% macro item(text) %}\n[[item]]\ntext = "{{ text }}"\n{% endmacro %}', encoding="utf-8"
    )
    template = """\
{% import 'macros' as m %}
{% set side %}the {{ x }} side{% endset %}
{% include 'part' %}
{{ m.item('of ' ~ x) }}
{% call(y) m.item(x) %}{{ y }}{% endcall %}
"""
    with pytest.raises(TemplateError):
        _render(folder, template, x='"')
    template = template.replace(
        "{% call(y) m.item(x) %}{{ y }}{% endcall %}\n", "{{ m.item(side) }}"
    )
    rendered = tomllib.loads(_render(folder, template, x='"'))
    assert rendered["included"] == '"'
    assert rendered["item"] == [{"text": 'of "'}, {"text": 'the " side'}]


def test_whole_values(folder: Path) -> None:
    """Numbers keep their digits, flags and tables their form."""
    value = {"a": Decimal("12.50"), "b": True, "c": [1, {"d": "x"}]}
    rendered = tomllib.loads(_render(folder, "v = {{ v | toml }}", v=value), parse_float=Decimal)
    assert rendered == {"v": value}
    assert str(rendered["v"]["a"]) == "12.50"
    assert _render(folder, 'v = "{{ v }} mm"', v=Decimal("12.50")) == 'v = "12.50 mm"'


def test_an_if_without_else_is_nothing(folder: Path) -> None:
    """A word that is there or not needs no else, outside of a whole value."""
    assert _render(folder, "a = \"b{{ 's' if x > 1 }}\"", x=1) == 'a = "b"'
    with pytest.raises(TemplateError):
        _render(folder, "a = {{ (1 if x > 1) | toml }}", x=1)


@pytest.mark.parametrize("value", [None, True, (), {}, [1], b"x", 1.5])
def test_only_text_and_numbers_stand_in_sentences(folder: Path, value: object) -> None:
    """What has no plain words is refused, and what was not given says so."""
    with pytest.raises(TemplateError):
        _render(folder, 'a = "{{ x }}"', x=value)


@pytest.mark.parametrize("value", [None, b"x", 1.5, {"a": None}])
def test_only_some_values_are_toml(folder: Path, value: object) -> None:
    """What TOML has no form for is refused."""
    with pytest.raises(TemplateError):
        _render(folder, "a = {{ x | toml }}", x=value)


@pytest.mark.parametrize("mark", MARKS)
def test_marks_mean_nothing_outside(folder: Path, mark: str) -> None:
    """A mark in a value disappears, a mark in a template is refused."""
    text = f"a{mark}b"
    assert tomllib.loads(_render(folder, 'a = "{{ x }}"\nb = {{ x | toml }}', x=text)) == {
        "a": "ab",
        "b": "ab",
    }
    with pytest.raises(TemplateError):
        _render(folder, f'a = "{mark}"')


@pytest.mark.parametrize(
    "template",
    [
        "{{ nobody }}",
        "{{ x.__class__ }}",
        "{{ x.__class__.__mro__ }}",
        "{{ (x, nobody) | toml }}",
        "{{ x",
        "{% include '../other' %}",
        "{% include 'absent' %}",
        "{% include x %}",
        "{{ 1 / 0 }}",
        "{{ 'x' * 2000000 }}",
        "{{ range(10000000) | list | length }}",
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
        "{{ cycler.__init__.__globals__ }}",
        "{% set x.y = 1 %}",
        "{{ x.append(1) }}",
    ],
)
def test_a_template_stays_in_its_sandbox(folder: Path, template: str) -> None:
    """Undeclared names, attributes of Python, other folders and endless output are refused."""
    with pytest.raises(TemplateError):
        _render(folder, f'a = "{template}"', x="A")


@pytest.mark.parametrize(
    ("template", "line"),
    [
        ("a = 1\n{{ nobody }}\n", "t, line 2"),
        ("a = 1\n{% if %}\n", "t, line 2"),
        ("a = 1\n\na = {{ x }}\n", "line 3 of what is rendered"),
        ('a = 1\n\n\na = "{{ none }}"\n', "t, line 4"),
    ],
)
def test_an_error_names_the_line(folder: Path, template: str, line: str) -> None:
    """A template that fails says where."""
    with pytest.raises(TemplateError, match=line):
        _render(folder, template, x="A")
