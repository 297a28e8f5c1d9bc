"""Jinja2 over values gives TOML in which no value has become structure.

Every value a template writes is marked. When the text is complete, the place of each mark is looked
at: a value in a sentence may only stand inside the quotes of a basic string, where it is escaped;
a whole value, written ``{{ value | toml }}``, may only stand outside of quotes. Anything else is an
error that names the line of the text. So a template that forgot its quotes is refused for every
value, not only for a hostile one.

Marks are control characters that no value may hold and that TOML itself refuses. Templates run in
Jinja2's sandbox; what a macro or a block wrote counts as written by the template.

Cites: nothing of DICOM; TOML 1.0 and Jinja2 3.1.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from enum import Enum
from importlib.resources.abc import Traversable
from types import TracebackType
from typing import Any

from jinja2 import BaseLoader, Environment, StrictUndefined, TemplateNotFound, Undefined
from jinja2 import TemplateError as JinjaError
from jinja2.loaders import split_template_path
from jinja2.meta import find_referenced_templates, find_undeclared_variables
from jinja2.sandbox import ImmutableSandboxedEnvironment

from sr.codes import Code
from sr.errors import TemplateError

__all__ = ["names_used", "render_toml"]

_MAXIMUM_LENGTH = 1_000_000
"""Characters of a rendered text."""

_SENTENCE = ("\x02", "\x03")
_WHOLE = ("\x0e", "\x0f")
_MARKS = str.maketrans("", "", "".join((*_SENTENCE, *_WHOLE)))


def render_toml(folder: Traversable, name: str, values: Mapping[str, object]) -> str:
    """Return what a template makes of values.

    Args:
        folder: Where the template is, and everything it may include.
        name: Its file name there.
        values: Text, numbers, flags, codes, and tuples and mappings of them; ``None`` for what is
            absent.

    Raises:
        TemplateError: The template fails, or puts a value where it could become structure.
    """
    try:
        rendered = _environment(folder).get_template(name).render(values)
    except TemplateError as exc:
        raise TemplateError(f"{_place(name, exc.__traceback__)}: {exc}", hint=exc.hint) from exc
    except (JinjaError, ValueError, TypeError, ArithmeticError, RecursionError) as exc:
        line = getattr(exc, "lineno", None)
        place = f"{name}, line {line}" if line else _place(name, exc.__traceback__)
        raise TemplateError(f"{place}: {exc}") from exc
    if len(rendered) > _MAXIMUM_LENGTH:
        raise TemplateError(f"{name} renders more than {_MAXIMUM_LENGTH} characters")
    return _unmarked(rendered)


def names_used(folder: Traversable, name: str) -> frozenset[str]:
    """Return the names that a template, and what it includes by name, takes from its values.

    Raises:
        TemplateError: A file is missing or is no template.
    """
    environment = _environment(folder)
    names: set[str] = set()
    pending, seen = [name], set()
    try:
        while pending:
            seen.add(here := pending.pop())
            tree = environment.parse(_FolderLoader(folder).get_source(environment, here)[0])
            names |= find_undeclared_variables(tree)
            pending += [n for n in find_referenced_templates(tree) if n and n not in seen]
    except JinjaError as exc:
        line = getattr(exc, "lineno", None)
        raise TemplateError(f"{here}, line {line}: {exc}" if line else f"{here}: {exc}") from exc
    return frozenset(names)


def _place(name: str, traceback: TracebackType | None) -> str:
    """Return the file and line of the template that an exception passed through last."""
    place = name
    while traceback is not None:
        if traceback.tb_frame.f_code.co_filename == name:
            place = f"{name}, line {traceback.tb_lineno}"
        traceback = traceback.tb_next
    return place


class _FolderLoader(BaseLoader):
    """Finds templates in one folder, also inside a zipped installation."""

    def __init__(self, folder: Traversable) -> None:
        self._folder = folder

    def get_source(self, environment: Environment, template: str) -> tuple[str, str, None]:
        del environment
        place = self._folder.joinpath(*split_template_path(template))
        if not place.is_file():
            raise TemplateNotFound(template)
        source = place.read_text(encoding="utf-8")
        if source != source.translate(_MARKS):
            raise TemplateError(f"{template} holds a control character")
        return source, template, None


class _Rendered(str):
    """What a template wrote, with the values in it marked."""

    __slots__ = ()


class _Sandbox(ImmutableSandboxedEnvironment):
    """Where templates run; everything they write is told from values by its type."""

    @staticmethod
    def concat(parts: Any) -> _Rendered:  # noqa: ANN401 - Jinja2's own hook
        """Join the pieces that a template, a macro or a block wrote."""
        return _Rendered("".join(parts))

    def wrap_str_format(self, value: Any) -> Callable[..., str] | None:  # noqa: ANN401
        """Let formatting make an ordinary text even of what a template wrote."""
        owner = getattr(value, "__self__", None)
        if isinstance(owner, _Rendered):
            value = getattr(str(owner), value.__name__)
        return super().wrap_str_format(value)


def _environment(folder: Traversable) -> Environment:
    environment = _Sandbox(
        loader=_FolderLoader(folder),
        undefined=StrictUndefined,
        autoescape=False,
        finalize=_finalize,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["toml"] = _whole
    return environment


def _finalize(value: object) -> str:
    """Return a value as it may stand in a sentence."""
    if isinstance(value, _Rendered):
        return value
    if isinstance(value, Undefined):
        return str(value)  # nothing for an if without else; a name nobody gave complains here
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise TemplateError(
            f"{_what(value)} cannot stand in a sentence",
            hint="test for it with {% if %}, or write {{ value | toml }} for a whole value",
        )
    text = str(value).translate(_MARKS)
    return f"{_SENTENCE[0]}{_escaped(text)}{_SENTENCE[1]}"


def _what(value: object) -> str:
    return "an input that is not given" if value is None else f"a {type(value).__name__}"


def _whole(value: object) -> _Rendered:
    """Return a whole TOML value, for the filter ``toml``."""
    return _Rendered(f"{_WHOLE[0]}{_toml(value)}{_WHOLE[1]}")


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | Decimal):
        return str(value)
    if isinstance(value, str):
        return f'"{_escaped(value.translate(_MARKS))}"'
    if isinstance(value, Code):
        return _toml((value.value, value.scheme, value.meaning))
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_toml, value))}]"
    if isinstance(value, Mapping):
        pairs = (f"{_toml(str(key))} = {_toml(inner)}" for key, inner in value.items())
        return f"{{{', '.join(pairs)}}}"
    if isinstance(value, Undefined):
        str(value)  # a name nobody gave complains here
    raise TemplateError(f"{_what(value)} has no form in TOML")


def _escaped(text: str) -> str:
    """Return text for the inside of a basic string, on one line."""
    return "".join(_ESCAPES.get(c) or (c if c.isprintable() else _numeric(c)) for c in text)


def _numeric(character: str) -> str:
    number = ord(character)
    return f"\\u{number:04X}" if number <= 0xFFFF else f"\\U{number:08X}"


_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


class _Place(Enum):
    """Where in a TOML text a character stands."""

    OUTSIDE = "outside of quotes"
    BASIC = "in a string"
    BASIC_LINES = "in a string of several lines"
    LITERAL = "in a literal string"
    LITERAL_LINES = "in a literal string of several lines"
    COMMENT = "in a comment"


_P = _Place
_STARTS = rf"[{_SENTENCE[0]}{_WHOLE[0]}]"
_NEXT = {
    _P.OUTSIDE: re.compile(rf"\"\"\"|\"|'''|'|#|{_STARTS}"),
    _P.BASIC: re.compile(rf"\\.|\"|\n|{_STARTS}", re.DOTALL),
    _P.BASIC_LINES: re.compile(rf"\\.|\"{{3,5}}|{_STARTS}", re.DOTALL),
    _P.LITERAL: re.compile(rf"'|\n|{_STARTS}"),
    _P.LITERAL_LINES: re.compile(rf"'{{3,5}}|{_STARTS}"),
    _P.COMMENT: re.compile(rf"\n|{_STARTS}"),
}
"""What may change the place, by place."""

_OPENS = {
    '"': _P.BASIC,
    '"""': _P.BASIC_LINES,
    "'": _P.LITERAL,
    "'''": _P.LITERAL_LINES,
    "#": _P.COMMENT,
}
_ALLOWED = {
    _SENTENCE[0]: (_SENTENCE[1], (_P.BASIC, _P.BASIC_LINES)),
    _WHOLE[0]: (_WHOLE[1], (_P.OUTSIDE,)),
}
"""Which mark ends a value, and where such a value may stand."""


def _unmarked(rendered: str) -> str:
    """Return the text without its marks, each value having been found in its place."""
    pieces: list[str] = []
    place, position = _P.OUTSIDE, 0
    while match := _NEXT[place].search(rendered, position):
        token, begin = match[0], position
        position = match.end()
        if token in _ALLOWED:
            end, allowed = _ALLOWED[token]
            if place not in allowed:
                raise _misplaced(rendered, match.start(), place, token)
            pieces.append(rendered[begin : match.start()])
            stop = rendered.index(end, position)
            pieces.append(rendered[position:stop])
            position = stop + 1
            continue
        pieces.append(rendered[begin:position])
        if place is _P.OUTSIDE:
            place = _OPENS[token]
        elif not token.startswith("\\"):
            place = _P.OUTSIDE
    return "".join((*pieces, rendered[position:]))


def _misplaced(rendered: str, at: int, place: _Place, token: str) -> TemplateError:
    line = rendered.count("\n", 0, at) + 1
    begin = rendered.rfind("\n", 0, at) + 1
    shown = rendered[begin:at].translate(_MARKS).strip()
    whole = token == _WHOLE[0]
    return TemplateError(
        f"line {line} of what is rendered puts a value {place.value}, after {shown!r}",
        hint="write {{ value }} inside double quotes"
        if whole
        else 'write "{{ value }}" in double quotes, or {{ value | toml }} for a whole value',
    )
