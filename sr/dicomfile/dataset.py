"""The read-only view of a parsed data set: offsets, not values.

An ``Element`` says where its header, value and end are; values are read from the source when
asked for. Everything else srsign does (MAC streams, splicing, checking) works on these offsets, so
no value is ever decoded and encoded again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from struct import unpack_from
from typing import NamedTuple, TypeVar, cast

from sr.dicomfile.source import Source
from sr.dicomfile.transfer_syntax import TransferSyntax
from sr.dicomfile.values import decode_text
from sr.errors import LimitError
from sr.findings import Finding

__all__ = ["UNDEFINED_LENGTH", "DICOMFile", "DataSet", "Element", "Encoding"]

Answer = TypeVar("Answer")
UNDEFINED_LENGTH = 0xFFFFFFFF
SPECIFIC_CHARACTER_SET = 0x00080005


class Encoding(NamedTuple):
    """How the elements of a data set are written.

    Cites: PS3.5 Annex A.
    """

    explicit: bool
    little: bool


class Element(NamedTuple):
    """One data element; a named tuple because a large object has tens of thousands.

    Offsets are bytes from the start of the source that holds the data set.

    Cites: PS3.5 7.1.
    """

    tag: int
    vr: str
    start: int
    """Offset of the tag."""
    value: int
    """Offset of the first value byte."""
    end: int
    """Offset after the value, any sequence delimiter included."""
    items: Sequence[DataSet] | None = None
    """Items of a sequence."""
    fragments: tuple[tuple[int, int], ...] | None = None
    """Offset and length of each fragment of an encapsulated value, offset table first."""
    has_unknown: bool = False
    """Whether the VR of this element, or of any element inside it, is UN."""


class DataSet:
    """A data set or sequence item: its elements in ascending tag order.

    Cites: PS3.5 7.
    """

    __slots__ = (
        "_answers",
        "_index",
        "charset",
        "elements",
        "encoding",
        "end",
        "limit",
        "source",
        "start",
    )

    def __init__(
        self,
        source: Source,
        encoding: Encoding,
        start: int,
        end: int,
        elements: tuple[Element, ...],
        limit: int,
        charset: str = "",
    ) -> None:
        self.source = source
        self.encoding = encoding
        self.start = start
        """Offset of the first element; for an item, the byte after its header."""
        self.end = end
        """Offset after the last element, before any item delimiter."""
        self.elements = elements
        self.limit = limit
        """Largest value, in bytes, that is loaded whole."""
        self.charset = charset
        """Specific Character Set (0008,0005) in force here, ``""`` for the default repertoire."""
        self._index: dict[int, Element] | None = None
        self._answers: dict[Callable[[DataSet], object], object] | None = None

    def __iter__(self) -> Iterator[Element]:
        """Iterate over the elements in tag order."""
        return iter(self.elements)

    def __contains__(self, tag: int) -> bool:
        """Return whether an element with that tag is present."""
        return self.get(tag) is not None

    def get(self, tag: int) -> Element | None:
        """Return the element with that tag, or ``None``."""
        if self._index is None:
            self._index = {element.tag: element for element in self.elements}
        return self._index.get(tag)

    def answer(self, question: Callable[[DataSet], Answer]) -> Answer:
        """Return the answer to a question about this data set, worked out when first asked.

        Args:
            question: A function of a module; a data set never changes, so neither does the answer.
                An answer that refers to the data set would keep it and its file open.
        """
        if self._answers is None:
            self._answers = {}
        if question not in self._answers:
            self._answers[question] = question(self)
        return cast("Answer", self._answers[question])

    def value(self, element: Element) -> bytes:
        """Return the value bytes of a leaf element as stored.

        Raises:
            LimitError: The value is larger than the limit on loaded values.
        """
        length = element.end - element.value
        if length > self.limit:
            raise LimitError(
                f"a value of {length} bytes is larger than the limit of {self.limit}",
                rule="LIMIT_VALUE",
                offset=element.value,
            )
        return self.source.read_at(element.value, length)

    def bytes(self, tag: int) -> bytes | None:
        """Return the value bytes of a leaf element, or ``None`` where it is absent."""
        element = self.get(tag)
        if element is None or element.items is not None or element.fragments is not None:
            return None
        return self.value(element)

    def text(self, tag: int) -> str:
        """Return the decoded value without padding, ``""`` where absent or empty."""
        value = self.bytes(tag)
        return decode_text(value, self.charset) if value else ""

    def texts(self, tag: int) -> tuple[str, ...]:
        """Return the values of a multi-valued element, ``()`` where absent or empty."""
        text = self.text(tag)
        return tuple(part.strip() for part in text.split("\\")) if text else ()

    def numbers(self, tag: int) -> tuple[int, ...]:
        """Return the values of a US, or the tags of an AT, element."""
        element = self.get(tag)
        value = self.bytes(tag)
        if element is None or value is None:
            return ()
        count = len(value) // 2
        words = unpack_from(f"{'<' if self.encoding.little else '>'}{count}H", value)
        if element.vr != "AT":
            return words
        return tuple(g << 16 | e for g, e in zip(words[::2], words[1::2], strict=False))

    def items(self, tag: int) -> tuple[DataSet, ...]:
        """Return the items of a sequence, ``()`` where absent, empty or no sequence."""
        element = self.get(tag)
        return tuple(element.items or ()) if element is not None else ()


@dataclass(frozen=True, kw_only=True)
class DICOMFile:
    """A Part 10 file, or a bare data set, read strictly.

    Cites: PS3.10 7.
    """

    source: Source
    """The bytes of the file."""
    preamble: bytes | None
    """The 128 bytes before ``DICM``, ``None`` for files without them."""
    meta: DataSet | None
    """File Meta Information, ``None`` for a bare data set."""
    transfer_syntax: TransferSyntax
    dataset: DataSet
    """Its ``source`` is the inflated stream for a deflated file, else the file itself."""
    notices: tuple[Finding, ...] = ()
    """What was tolerated while reading."""

    @cached_property
    def sop_class_uid(self) -> str:
        """SOP Class UID (0008,0016) of the data set."""
        return self.dataset.text(0x00080016)

    @cached_property
    def sop_instance_uid(self) -> str:
        """SOP Instance UID (0008,0018) of the data set."""
        return self.dataset.text(0x00080018)
