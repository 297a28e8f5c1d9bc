"""The edits that people ask about before they make them, and what each of them touches.

An edit is a word, or a word and what it is about after a colon. What it does to a file is one row
of a table: the elements whose value or value representation changes, whether the result is another
instance, and whether signatures go along.

Cites: PS3.3 C.12.1.1.3.1.1, C.17.2; PS3.4 B.4.1.3, O.3; PS3.5 A.1, 7.8.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from sr.dicomfile.dataset import DataSet, DICOMFile
from sr.dicomfile.tags import describe_tag, format_tag, is_private
from sr.dicomfile.vr import implicit_vr
from sr.document.approvable import ApprovalMode, approval_touches
from sr.document.predecessor import check_amendable
from sr.errors import ConfigurationError
from sr.signature.location import Level, item_at, parse_item_path
from sr.signature.reference_coverage import coercible_tags

__all__ = ["VOCABULARY", "Change", "Edit", "Touched", "parse_edit"]

_SOP_INSTANCE_UID, _CHARSET = 0x00080018, 0x00080005
_PIXEL_REPRESENTATION, _WAVEFORM_BITS = 0x00280103, 0x54001004
_TEXT_VRS = frozenset({"LO", "LT", "PN", "SH", "ST", "UC", "UT"})


class Change(StrEnum):
    """What happens to an element."""

    VALUE = "value"
    REMOVED = "removed"
    VR = "VR"
    """It keeps its value and loses its value representation."""


@dataclass(frozen=True, slots=True)
class Touched:
    """One element that an edit changes."""

    tag: int
    change: Change = Change.VALUE
    path: tuple[tuple[int, int], ...] = ()
    """Level of the element, empty for the top."""

    def __str__(self) -> str:
        """Return path and keyword, e.g. ``(0040,A730)[4].(0040,A160) TextValue``."""
        steps = "".join(f"{format_tag(tag)}[{index}]." for tag, index in self.path)
        return steps + describe_tag(self.tag)


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """One edit of one file."""

    name: str
    """As it was asked for."""
    touched: tuple[Touched, ...]
    another_instance: bool = False
    """Whether the result is another instance, so that this one stays as it is."""
    without_signatures: bool = False
    """Whether the result has none of the signatures."""
    signs: bool = False
    """Whether a further signature covers what it changes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """How an edit is written and what it touches."""

    about: str
    touches: Callable[[DICOMFile, str], Iterator[Touched]]
    argument: str = ""
    """What stands behind the colon, empty where nothing may."""
    optional: bool = False
    another_instance: Callable[[str], bool] = lambda _: False
    without_signatures: bool = False
    signs: bool = False


def parse_edit(file: DICOMFile, text: str) -> Edit:
    """Return what an edit, as written, does to a file.

    Raises:
        ConfigurationError: There is no such edit, or it makes no sense for this file.
        LifecycleError: The life of the document does not allow it.

    Cites: PS3.3 C.17.2.
    """
    word, colon, argument = text.partition(":")
    row = _ROWS.get(word)
    if row is None or (argument and not row.argument) or (colon and not argument):
        raise ConfigurationError(
            f"{text!r} is no edit", hint="known: " + ", ".join(name for name, _ in VOCABULARY)
        )
    if row.argument and not argument and not row.optional:
        raise ConfigurationError(f"{word!r} needs an attribute, e.g. {word}:PatientName")
    return Edit(
        name=text,
        touched=tuple(row.touches(file, argument)),
        another_instance=row.another_instance(argument),
        without_signatures=row.without_signatures,
        signs=row.signs,
    )


def _located(dataset: DataSet, text: str) -> tuple[Level, int]:
    """Return the level and tag of an attribute written as ``ContentSequence[4].TextValue``."""
    where, _, name = text.rpartition(".")
    tag = parse_item_path(f"{name}[0]")[0][0]
    return item_at(dataset, parse_item_path(where)), tag


def _set(file: DICOMFile, argument: str) -> Iterator[Touched]:
    level, tag = _located(file.dataset, argument)
    yield Touched(tag, path=level.path)


def _remove(file: DICOMFile, argument: str) -> Iterator[Touched]:
    level, tag = _located(file.dataset, argument)
    if tag not in level.dataset:
        raise ConfigurationError(f"{level.at(tag)} is not there and cannot be removed")
    yield Touched(tag, Change.REMOVED, level.path)


def _mode(argument: str) -> ApprovalMode:
    try:
        return ApprovalMode(argument.replace("-", "_") or ApprovalMode.REISSUE)
    except ValueError as error:
        known = ", ".join(mode.value for mode in ApprovalMode)
        raise ConfigurationError(f"no approval mode {argument!r}; known: {known}") from error


def _approve(file: DICOMFile, argument: str) -> Iterator[Touched]:
    for tag in approval_touches(file.dataset, _mode(argument)):
        yield Touched(tag)


def _amend(file: DICOMFile, _: str) -> Iterator[Touched]:
    check_amendable(file.dataset)
    yield Touched(_SOP_INSTANCE_UID)


def _nothing(_file: DICOMFile, _: str) -> Iterator[Touched]:
    yield from ()


def _new_uid(_file: DICOMFile, _: str) -> Iterator[Touched]:
    yield Touched(_SOP_INSTANCE_UID)


def _coerce(file: DICOMFile, _: str) -> Iterator[Touched]:
    for tag in sorted(coercible_tags()):
        if tag in file.dataset:
            yield Touched(tag)


def _remove_private(file: DICOMFile, _: str) -> Iterator[Touched]:
    for level, tag, _vr in _elements(file.dataset):
        if is_private(tag):
            yield Touched(tag, Change.REMOVED, level.path)


def _to_utf8(file: DICOMFile, _: str) -> Iterator[Touched]:
    if file.dataset.charset == "ISO_IR 192":
        return
    yield Touched(_CHARSET)
    for level, tag, vr in _elements(file.dataset):
        if vr in _TEXT_VRS and not (level.dataset.bytes(tag) or b"").isascii():
            yield Touched(tag, path=level.path)


def _implicit_vr(file: DICOMFile, _: str) -> Iterator[Touched]:
    if any(e.fragments is not None for e in file.dataset):
        raise ConfigurationError("encapsulated pixel data has no implicit VR encoding")
    if file.dataset.encoding.explicit:
        yield from _losses(Level(file.dataset), signed_pixels=False)


def _losses(level: Level, *, signed_pixels: bool) -> Iterator[Touched]:
    """Yield what a reader of implicit VR gives another value representation."""
    wide = False
    for e in level.dataset:
        if e.tag == _PIXEL_REPRESENTATION:
            signed_pixels = any(level.dataset.bytes(e.tag) or b"")
        elif e.tag == _WAVEFORM_BITS:
            little = "little" if level.dataset.encoding.little else "big"
            wide = int.from_bytes(level.dataset.bytes(e.tag) or b"", little) > 8  # type: ignore[arg-type]
        if e.vr != implicit_vr(e.tag, signed_pixels=signed_pixels, wide_waveform=wide):
            yield Touched(e.tag, Change.VR, level.path)
        for index, item in enumerate(e.items or ()):
            inner = Level(item, (*level.path, (e.tag, index)))
            yield from _losses(inner, signed_pixels=signed_pixels)


def _elements(
    dataset: DataSet, path: tuple[tuple[int, int], ...] = ()
) -> Iterator[tuple[Level, int, str]]:
    for e in dataset:
        yield Level(dataset, path), e.tag, e.vr
        for index, item in enumerate(e.items or ()):
            yield from _elements(item, (*path, (e.tag, index)))


_ROWS = {
    "set": _Row(
        about="an attribute gets another value, or is added",
        argument="ATTRIBUTE",
        touches=_set,
    ),
    "remove": _Row(about="an attribute is removed", argument="ATTRIBUTE", touches=_remove),
    "approve": _Row(
        about="srsign approve, in a mode",
        argument="MODE",
        optional=True,
        touches=_approve,
        signs=True,
        another_instance=lambda argument: _mode(argument) is not ApprovalMode.IN_PLACE,
    ),
    "amend": _Row(
        about="srsign amend, with or without --addendum",
        touches=_amend,
        another_instance=lambda _: True,
        without_signatures=True,
    ),
    "sign": _Row(about="a further signature", touches=_nothing),
    "new-uid": _Row(about="another SOP Instance UID", touches=_new_uid),
    "coerce": _Row(about="an archive corrects patient ID, study and series UID", touches=_coerce),
    "implicit-vr": _Row(about="stored or sent in implicit VR", touches=_implicit_vr),
    "remove-private": _Row(about="private elements are removed", touches=_remove_private),
    "to-utf8": _Row(about="text is re-encoded in UTF-8", touches=_to_utf8),
}

VOCABULARY = tuple(
    (f"{word}:{row.argument}" if not row.optional else f"{word}[:{row.argument}]", row.about)
    if row.argument
    else (word, row.about)
    for word, row in _ROWS.items()
)
"""How each edit is written, and what it is."""
