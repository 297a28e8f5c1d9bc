"""On which line of a report file something stands, so that an error can say where to look.

Key paths are exact, lines are a help: where a line cannot be found with reasonable effort there is
none, and what blames a missing key names the line of its table.

Cites: nothing of DICOM; this is our own file format.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sr.document.input_table import InputFormat, InputTable, read_input
from sr.document.input_yaml import yaml_lines
from sr.errors import DocumentError

__all__ = ["InputText"]

_Path = tuple[str | int, ...]

_STEP = re.compile(r"(?P<key>[^.\[\]]+)|\[(?P<number>[0-9]+)\]")
_LONGEST = 500_000
_MOST_ATTEMPTS = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class InputText:
    """The text of a report file, or of the values for a template."""

    text: str
    notation: InputFormat
    name: str = "the report"

    def read(self) -> InputTable:
        """Return its outermost table.

        Raises:
            TemplateError: The text does not have that notation, or repeats a key.
        """
        return read_input(self.text, self.notation, name=self.name)

    def line_of(self, path: str) -> int | None:
        """Return the line, from 1, of a key path such as ``section[2].item[1].unit``.

        It is that of the closest key that is there; ``None`` where there is none, or where the
        text is too long to look.
        """
        if len(self.text) > _LONGEST:
            return None
        try:
            return _FINDERS[self.notation](self.text, _steps(path))
        except (ValueError, RecursionError):  # unreadable: whoever reads it says why
            return None

    @contextmanager
    def blamed(self) -> Iterator[None]:
        """Let errors that blame a key path say the file and the line as well.

        Raises:
            DocumentError: Of the class that comes from inside.
        """
        try:
            yield
        except DocumentError as error:
            if error.where is None or "(" in error.where:  # a data element, not a key
                raise
            line = self.line_of(error.where)
            place = f"{self.name}, line {line}" if line else self.name
            raise type(error)(f"{place}: {error}", where=error.where, hint=error.hint) from error


def _steps(path: str) -> _Path:
    return tuple(
        match["key"] if match["number"] is None else int(match["number"])
        for match in _STEP.finditer(path)
    )


def _yaml_line(text: str, steps: _Path) -> int | None:
    lines = yaml_lines(text)
    return next((lines[steps[:n]] for n in range(len(steps), 0, -1) if steps[:n] in lines), None)


def _json_line(text: str, steps: _Path) -> int | None:
    offset = None
    at = _blank(text, 0)
    for step in steps:
        inside = _json_member(text, at, step)
        if inside is None:
            break
        offset, at = inside
    return None if offset is None else text.count("\n", 0, offset) + 1


_DECODER = json.JSONDecoder()
_WHITESPACE = re.compile(r"[ \t\r\n]*")


def _blank(text: str, at: int) -> int:
    return _WHITESPACE.match(text, at).end()  # type: ignore[union-attr] # matches anywhere


def _json_member(text: str, at: int, step: str | int) -> tuple[int, int] | None:
    """Return where a member begins, its key included, and where its value begins."""
    if text[at] != ("{" if isinstance(step, str) else "["):
        return None
    number = 0
    while text[at] in "{[,":
        begin = at = _blank(text, at + 1)
        if text[at] in "}]":
            return None
        number += 1
        key: object = number
        if isinstance(step, str):
            key, at = _DECODER.raw_decode(text, at)
            at = _blank(text, _blank(text, at) + 1)
        if key == step:
            return begin, at
        at = _blank(text, _DECODER.raw_decode(text, at)[1])
    return None


def _toml_line(text: str, steps: _Path) -> int | None:
    """Return the line on which the statement begins that a path comes from.

    Every statement of TOML only adds to what stands above it. So the shortest beginning of the
    text that has the path ends with that statement, and the parser itself finds it.
    """
    beginnings = _Beginnings(text)
    for length in range(len(steps), 0, -1):
        if (line := beginnings.first_with(steps[:length])) is not None:
            return line
    return None


class _Beginnings:
    """The first n lines of a text, as far as they are TOML by themselves."""

    def __init__(self, text: str) -> None:
        self._lines = text.split("\n")
        self._read: dict[int, object] = {0: {}}

    def first_with(self, steps: _Path) -> int | None:
        low, high = 0, len(self._lines)
        if not _has(self._up_to(high)[1], steps):
            return None
        while high - low > 1:
            middle = (low + high) // 2
            if _has(self._up_to(middle)[1], steps):
                high = middle
            else:
                low = middle
        return self._up_to(high - 1)[0] + 1

    def _up_to(self, count: int) -> tuple[int, object]:
        """Return how many of the first lines can be read, and what they say."""
        while (value := self._parsed(count)) is None:
            count -= 1
        return count, value

    def _parsed(self, count: int) -> object:
        if count not in self._read:
            if len(self._read) > _MOST_ATTEMPTS:
                raise ValueError("the text has too many lines that cannot be read by themselves")
            try:
                self._read[count] = tomllib.loads("\n".join(self._lines[:count]))
            except ValueError:
                self._read[count] = None
        return self._read[count]


def _has(value: object, steps: _Path) -> bool:
    for step in steps:
        if isinstance(value, dict) and step in value:
            value = value[step]
        elif isinstance(value, list) and isinstance(step, int) and 0 < step <= len(value):
            value = value[step - 1]
        else:
            return False
    return True


_FINDERS: dict[InputFormat, Callable[[str, _Path], int | None]] = {
    InputFormat.TOML: _toml_line,
    InputFormat.JSON: _json_line,
    InputFormat.YAML: _yaml_line,
}
