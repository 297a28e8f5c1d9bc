"""YAML without surprises: no word turns into a number, a date or a truth value by itself.

What YAML calls plain scalars stays the text as it was written; what type it has is decided by the
key it stands under, in `input_table`. So ``country: NO`` is the text NO, ``id: 00815`` keeps its
zeros, ``birth_date: 19610314`` is a date of DICOM and ``value: 12.50`` keeps its digits. Only
``null``, ``~`` and nothing at all are no value.

Refused, because another reader may see something else or nothing at all: repeated keys, anchors
and aliases, tags such as ``!!binary``, keys that are not text, and several documents in one file.

Cites: nothing of DICOM; YAML 1.2.2, 7.3.3 and 10.
"""

from __future__ import annotations

from collections.abc import Iterator

import yaml

__all__ = ["Unquoted", "read_yaml", "yaml_lines"]

_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_DEEPEST = 60


class Unquoted(str):
    """A plain scalar: text, number or truth value, whatever is asked for."""

    __slots__ = ()


def read_yaml(text: str) -> object:
    """Return the one document in a text: dicts, lists, text, `Unquoted` and ``None``.

    Raises:
        ValueError: The text is no YAML, or uses what is refused here; the message names the line.
    """
    return _Reader(text).document()


def yaml_lines(text: str) -> dict[tuple[str | int, ...], int]:
    """Return the line, from 1, on which each key and each entry of a list begins.

    Raises:
        ValueError: As `read_yaml`.
    """
    reader = _Reader(text)
    reader.document()
    return reader.lines


class _Reader:
    """Turns the parser's events into values; the parser itself resolves nothing."""

    def __init__(self, text: str) -> None:
        self.lines: dict[tuple[str | int, ...], int] = {}
        self._events: Iterator[yaml.Event] = yaml.parse(text, Loader=yaml.SafeLoader)

    def document(self) -> object:
        """Return the value of the only document."""
        try:
            next(self._events)  # the stream starts
            if isinstance(next(self._events), yaml.StreamEndEvent):
                return None
            value = self._value(next(self._events), ())
            next(self._events)  # the document ends
            if not isinstance(event := next(self._events), yaml.StreamEndEvent):
                raise _refusal(event, "a second document begins")
        except yaml.YAMLError as exc:
            raise ValueError(_in_one_line(exc)) from exc
        except OverflowError as exc:
            raise ValueError("an escaped character does not exist") from exc
        return value

    def _value(self, event: yaml.Event, path: tuple[str | int, ...]) -> object:
        if len(path) > _DEEPEST:
            raise _refusal(event, "nested too deeply")
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
            raise _refusal(event, "anchors and aliases are not used here")
        if (tag := getattr(event, "tag", None)) is not None:
            raise _refusal(event, f"the tag {tag} is not used here")
        self.lines[path] = _line(event)
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(path)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(path)
        return _scalar(event)

    def _mapping(self, path: tuple[str | int, ...]) -> dict[str, object]:
        values: dict[str, object] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            if not isinstance(event, yaml.ScalarEvent) or event.tag or event.anchor:
                raise _refusal(event, "a key must be text")
            key = _text(event)
            if key in values:
                raise _refusal(event, f"the key {key!r} is given twice")
            here = (*path, key)
            values[key] = self._value(next(self._events), here)
            self.lines[here] = _line(event)
        return values

    def _sequence(self, path: tuple[str | int, ...]) -> list[object]:
        values: list[object] = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            values.append(self._value(event, (*path, len(values) + 1)))
        return values


def _scalar(event: yaml.Event) -> object:
    if not isinstance(event, yaml.ScalarEvent):
        raise _refusal(event, "unexpected")
    if event.style is not None:  # quoted, or a block
        return _text(event)
    return None if event.value in _NULLS else Unquoted(_text(event))


def _text(event: yaml.ScalarEvent) -> str:
    """Return the text of a scalar; two escapes for one character are joined, as in JSON."""
    try:
        return event.value.encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeDecodeError as exc:
        raise _refusal(event, "half a character is escaped") from exc


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 1


def _refusal(event: yaml.Event, problem: str) -> ValueError:
    return ValueError(f"{problem} (at line {_line(event)})")


def _in_one_line(error: yaml.YAMLError) -> str:
    problem = getattr(error, "problem", None) or getattr(error, "reason", None) or "unreadable"
    mark = getattr(error, "problem_mark", None)
    return f"{problem} (at line {mark.line + 1}, column {mark.column + 1})" if mark else problem
