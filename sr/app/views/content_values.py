"""The value of one content item in the form people read, for every value type of PS3.3.

Numbers keep their digits and names their groups. Regions are told point by point: a page that
leaves out what was signed is no view of it.

Cites: PS3.3 C.17.3.2.1, C.18.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from struct import iter_unpack, pack, unpack

from sr.app.views.wording import code_text, date_time, meaning, person_name, visible
from sr.dicomfile import DataSet

__all__ = ["Value", "value_of"]

_NO_UNIT = ("1", "UCUM")
_UNIT_CODES, _QUALIFIERS = 0x004008EA, 0x0040A301


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """What a content item says."""

    text: str
    unit: str = ""
    code: str = ""
    """Code value and scheme behind a text that is only a code's meaning."""
    notes: tuple[str, ...] = ()
    """What else was stored with it."""
    points: tuple[str, ...] = ()
    """Coordinates of a region."""


def value_of(item: DataSet) -> Value:
    """Return what an item says; one of an unknown type says that it is there.

    Cites: PS3.3 C.17.3.2.1.
    """
    return _VALUES.get(item.text(0x0040A040), _unknown)(item)


_Reader = Callable[[DataSet], Value]


def _text_at(tag: int, word: Callable[[str], str] = visible) -> _Reader:
    return lambda item: Value(text=word(item.text(tag)), notes=_observed(item))


def _coded(item: DataSet) -> Value:
    codes = item.items(0x0040A168)
    return Value(
        text="; ".join(map(meaning, codes)),
        code="; ".join(map(code_text, codes)),
        notes=_observed(item),
    )


def _number(item: DataSet) -> Value:
    """Return the digits as they are stored, and the unit."""
    qualifiers = tuple(map(meaning, item.items(_QUALIFIERS)))
    measured = item.items(0x0040A300)
    if not measured:
        return Value(text="; ".join(qualifiers) or "no value", notes=_observed(item))
    said = [_measured(each) for each in measured]
    return Value(
        text="; ".join(text for text, _ in said),
        unit=said[-1][1],
        notes=(*qualifiers, *_observed(item)),
    )


def _measured(measured: DataSet) -> tuple[str, str]:
    unit = next(iter(measured.items(_UNIT_CODES)), None)
    return visible(measured.text(0x0040A30A)), _unit(unit) if unit is not None else ""


def _unit(unit: DataSet) -> str:
    code = unit.text(0x00080100), unit.text(0x00080102)
    if code == _NO_UNIT:
        return ""
    return visible(code[0]) if code[1] == "UCUM" else meaning(unit)


def _nothing(item: DataSet) -> Value:
    """Return no text: the children, or the instances cited, are what the item says."""
    return Value(text="", notes=_observed(item))


def _region(dimensions: int) -> _Reader:
    def read(item: DataSet) -> Value:
        numbers = tuple(_unpacked(item, 0x00700022, "f"))
        points = tuple(
            f"({', '.join(map(_shortest, numbers[i : i + dimensions]))})"
            for i in range(0, len(numbers), dimensions)
        )
        notes = (
            *_said(item, "pixel origin", 0x00480301),
            *_said(item, "frame of reference", 0x30060024),
            *_said(item, "fiducial", 0x0070031A),
            *_observed(item),
        )
        kind = visible(item.text(0x00700023).lower()) or "region"
        return Value(text=f"{kind}, {_count(len(points))}", notes=notes, points=points)

    return read


def _shortest(number: float) -> str:
    """Return the fewest digits that mean this single precision number and no other."""
    for digits in range(6, 9):
        text = f"{number:.{digits}g}"
        if unpack("f", pack("f", float(text)))[0] == number:
            return text
    return f"{number:.9g}"


def _times(item: DataSet) -> Value:
    points = (
        *(f"sample {number}" for number in _unpacked(item, 0x0040A132, "I")),
        *(f"{visible(offset)} s" for offset in item.texts(0x0040A138)),
        *map(date_time, item.texts(0x0040A13A)),
    )
    kind = visible(item.text(0x0040A130).lower()) or "times"
    return Value(text=f"{kind}, {_count(len(points))}", points=points, notes=_observed(item))


def _unknown(item: DataSet) -> Value:
    kind = visible(item.text(0x0040A040)) or "none"
    return Value(text=f"a content item of type {kind}, not shown here", notes=_observed(item))


def _observed(item: DataSet) -> tuple[str, ...]:
    at = item.text(0x0040A032)
    return (f"observed {date_time(at)}",) if at else ()


def _said(item: DataSet, word: str, tag: int) -> tuple[str, ...]:
    text = item.text(tag)
    return (f"{word} {visible(text)}",) if text else ()


def _unpacked(item: DataSet, tag: int, form: str) -> Iterator[float]:
    """Yield the values of an FL (``f``) or UL (``I``) element; what is too short is left out."""
    value = item.bytes(tag) or b""
    order = "<" if item.encoding.little else ">"
    return (number for (number,) in iter_unpack(f"{order}{form}", value[: len(value) // 4 * 4]))


def _count(number: int) -> str:
    return f"{number} point" + ("" if number == 1 else "s")


_VALUES: dict[str, _Reader] = {
    "TEXT": _text_at(0x0040A160),
    "CODE": _coded,
    "NUM": _number,
    "PNAME": _text_at(0x0040A123, person_name),
    "DATE": _text_at(0x0040A121, date_time),
    "TIME": _text_at(0x0040A122, date_time),
    "DATETIME": _text_at(0x0040A120, date_time),
    "UIDREF": _text_at(0x0040A124),
    "IMAGE": _nothing,
    "COMPOSITE": _nothing,
    "WAVEFORM": _nothing,
    "CONTAINER": _nothing,
    "SCOORD": _region(2),
    "SCOORD3D": _region(3),
    "TCOORD": _times,
}
