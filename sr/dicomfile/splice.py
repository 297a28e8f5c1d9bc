"""The splice writer: a few elements in, everything else byte for byte as it was.

An edit says what happens at one level of the data set. The result is a list of pieces, each either
new bytes or a stretch of the original, so that signing a large image copies it without loading it.
The only original bytes that change are the length fields of what encloses an edit, the retired
group lengths included.

Cites: PS3.5 7.1, 7.5; PS3.10 7.1.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from sr.dicomfile.dataset import UNDEFINED_LENGTH, DataSet, DICOMFile, Element, Encoding
from sr.dicomfile.source import Source
from sr.dicomfile.tags import describe_tag
from sr.dicomfile.writer import item as encode_item
from sr.dicomfile.writer import sequence as encode_sequence
from sr.errors import EncodingError

__all__ = ["AppendItem", "Piece", "SetElement", "SetMeta", "assemble", "splice"]

Path = tuple[tuple[int, int], ...]
_BLOCK = 1 << 20
_META_GROUP_LENGTH = 0x00020000


@dataclass(frozen=True, slots=True, kw_only=True)
class SetElement:
    """Replace, insert or (``encoded=None``) remove one element.

    Cites: PS3.5 7.1.
    """

    tag: int
    encoded: bytes | None
    """Header and value in the encoding of the data set."""
    path: Path = ()
    """Level: sequence tags and item indexes, outermost first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AppendItem:
    """Add an item at the end of a sequence, which is created where it is absent.

    Cites: PS3.5 7.5.
    """

    tag: int
    content: bytes
    """Elements of the item in the encoding of the data set."""
    path: Path = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SetMeta:
    """Replace one element of File Meta Information.

    Cites: PS3.10 7.1.
    """

    tag: int
    encoded: bytes


Edit = SetElement | AppendItem | SetMeta


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a source, or new bytes.

    Cites: PS3.10 7.
    """

    data: bytes = b""
    source: Source | None = None
    start: int = 0
    end: int = 0

    def blocks(self) -> Iterator[bytes]:
        """Yield the bytes in blocks of bounded size.

        Raises:
            EncodingError: The source became shorter since it was read.

        Cites: PS3.10 7.
        """
        if self.source is None:
            yield self.data
            return
        for position in range(self.start, self.end, _BLOCK):
            wanted = min(_BLOCK, self.end - position)
            block = self.source.read_at(position, wanted)
            if len(block) < wanted:
                raise EncodingError(
                    "the file became shorter while it was read", rule="TRUNCATED", offset=position
                )
            yield block


def assemble(pieces: Iterable[Piece]) -> bytes:
    """Return the whole result in memory.

    Cites: PS3.10 7.
    """
    return b"".join(block for piece in pieces for block in piece.blocks())


def splice(file: DICOMFile, edits: Iterable[Edit]) -> tuple[Piece, ...]:
    """Return the file with the edits applied.

    Args:
        file: The file as read.
        edits: At most one for each element, in any order; items appended to one sequence stand
            in the order of their edits.

    Raises:
        EncodingError: A length would not fit its field, or a meta element is absent.

    Cites: PS3.5 7.1, 7.5.
    """
    patches = _Patches(file.dataset.encoding)
    meta = _Patches(Encoding(True, True))
    appended: dict[tuple[Path, int], list[bytes]] = {}
    for edit in edits:
        if isinstance(edit, SetMeta):
            _edit_meta(file, edit, meta)
        elif isinstance(edit, AppendItem):
            appended.setdefault((edit.path, edit.tag), []).append(edit.content)
        else:
            _set(_Target(file.dataset, edit.path, edit.tag, patches), edit.encoded or b"")
    for (path, tag), contents in appended.items():
        _append(_Target(file.dataset, path, tag, patches), contents)
    head_end = file.meta.end if file.meta is not None else 0
    head = _pieces(file.source, 0, head_end, meta)
    dataset = file.dataset
    body = _pieces(dataset.source, dataset.start, dataset.end, patches)
    if file.transfer_syntax.deflated:
        engine = zlib.compressobj(wbits=-zlib.MAX_WBITS)
        deflated = engine.compress(assemble(body)) + engine.flush()
        body = (Piece(deflated + b"\0" * (len(deflated) & 1)),)
    return (*head, *body)


class _Replacement(NamedTuple):
    """New bytes for a stretch; at one place the innermost come first, then the lowest tag."""

    start: int
    end: int
    shallowness: int
    tag: int
    data: bytes


class _Patches:
    """Replacements by offset, and how much each length or group length field grows."""

    def __init__(self, encoding: Encoding) -> None:
        self.order = "little" if encoding.little else "big"
        self.replacements: list[_Replacement] = []
        self.growth: dict[int, int] = {}

    def replace(self, start: int, end: int, data: bytes, *, depth: int = 0, tag: int = 0) -> int:
        self.replacements.append(_Replacement(start, end, -depth, tag, data))
        return len(data) - (end - start)

    def grow(self, length_field: int, delta: int) -> None:
        self.growth[length_field] = self.growth.get(length_field, 0) + delta


class _Target:
    """The element an edit is about: its level, and the length fields that follow the edit."""

    def __init__(self, dataset: DataSet, path: Path, tag: int, patches: _Patches) -> None:
        self.tag = tag
        self._depth = 2 * len(path)  # an item added to a sequence is one deeper
        self._patches = patches
        self._lengths: list[int] = []
        level = dataset
        for sequence_tag, index in path:
            sequence = level.get(sequence_tag)
            if sequence is None or sequence.items is None or index >= len(sequence.items):
                raise EncodingError(
                    f"{describe_tag(sequence_tag)} has no item {index}", rule="NO_SUCH_ITEM"
                )
            _refuse_unknown(sequence)
            self._lengths += _group_length(level, sequence_tag)
            level = sequence.items[index]
            self._lengths += [sequence.value - 4, level.start - 4]
        self._lengths += _group_length(level, tag)
        self.level = level
        self.present = level.get(tag)

    def replace(self, start: int, end: int, data: bytes, own_length: tuple[int, ...] = ()) -> None:
        """Replace bytes; ``own_length`` is the length field of the sequence they are added to."""
        depth = self._depth + len(own_length)
        grown = self._patches.replace(start, end, data, depth=depth, tag=self.tag)
        for field in (*self._lengths, *own_length):
            self._patches.grow(field, grown)

    def insert(self, data: bytes) -> None:
        """Insert a whole element where tags still ascend."""
        following = (e.start for e in self.level.elements if e.tag > self.tag)
        place = next(following, self.level.end)
        self.replace(place, place, data)


def _set(target: _Target, encoded: bytes) -> None:
    if target.present is None:
        target.insert(encoded)
    else:
        target.replace(target.present.start, target.present.end, encoded)


def _append(target: _Target, contents: list[bytes]) -> None:
    encoding, present = target.level.encoding, target.present
    if present is None:
        target.insert(encode_sequence(target.tag, contents, encoding))
        return
    if present.items is None:
        raise EncodingError(f"{describe_tag(target.tag)} is not a sequence", rule="NO_SUCH_ITEM")
    _refuse_unknown(present)
    added = b"".join(encode_item(content, encoding) for content in contents)
    field = target.level.source.read_at(present.value - 4, 4)
    undefined = field == UNDEFINED_LENGTH.to_bytes(4, "big")
    place = present.end - 8 if undefined else present.end
    target.replace(place, place, added, (present.value - 4,))


def _refuse_unknown(sequence: Element) -> None:
    if sequence.vr != "SQ":
        raise EncodingError(
            f"{describe_tag(sequence.tag)} has value representation UN and is not edited",
            rule="VR_UN",
        )


def _group_length(level: DataSet, tag: int) -> list[int]:
    """Return where the retired length of the tag's group is, if this level still has one."""
    element = level.get(tag & 0xFFFF0000)
    if element is None or element.tag == tag or element.end - element.value != 4:
        return []
    return [element.value]


def _edit_meta(file: DICOMFile, edit: SetMeta, patches: _Patches) -> None:
    group_length = file.meta.get(_META_GROUP_LENGTH) if file.meta is not None else None
    present = file.meta.get(edit.tag) if file.meta is not None else None
    if group_length is None or present is None:
        raise EncodingError(
            f"{describe_tag(edit.tag)} is not in File Meta Information", rule="META_ABSENT"
        )
    patches.grow(group_length.value, patches.replace(present.start, present.end, edit.encoded))


def _pieces(source: Source, start: int, end: int, patches: _Patches) -> tuple[Piece, ...]:
    changes = patches.replacements.copy()
    for field, delta in patches.growth.items():
        old = int.from_bytes(source.read_at(field, 4), patches.order)  # type: ignore[arg-type]
        if old == UNDEFINED_LENGTH:
            continue
        if old + delta >= UNDEFINED_LENGTH:
            raise EncodingError("a sequence grows beyond its length field", rule="VALUE_TOO_LONG")
        new = (old + delta).to_bytes(4, patches.order)  # type: ignore[arg-type]
        changes.append(_Replacement(field, field + 4, 0, 0, new))
    pieces: list[Piece] = []
    position = start
    for change in sorted(changes, key=lambda change: change[:4]):
        if change.start > position:
            pieces.append(Piece(source=source, start=position, end=change.start))
        pieces.append(Piece(change.data))
        position = max(position, change.end)
    if position < end:
        pieces.append(Piece(source=source, start=position, end=end))
    return tuple(pieces)
