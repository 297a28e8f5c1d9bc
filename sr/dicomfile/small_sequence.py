"""Short sequences whose very bytes were scanned before: no rule needs to be asked again.

What the scanner says of the value of an explicit VR little endian sequence depends on nothing but
its bytes. For short ones without sequences inside it is remembered, for a while, in the process.
Their items are made when somebody asks for them, which a MAC does not.

Cites: PS3.5 7.5.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, Protocol, overload

from sr.dicomfile.dataset import DataSet

__all__ = ["SMALL_SEQUENCE", "Content", "SmallSequence", "remember", "remembered"]

SMALL_SEQUENCE = 512
"""Bytes of the longest value that is remembered."""
_ENOUGH = 8192


class Content(NamedTuple):
    """How much a sequence counts against the limits."""

    elements: int
    items: int


remembered: dict[bytes, Content] = {}
"""Values that broke no rule, at most 4 MiB of them."""
_answers: dict[tuple[Callable[[Sequence[DataSet]], bool], bytes], bool] = {}


def remember(value: bytes, content: Content) -> None:
    """Keep what was found in a value that broke no rule.

    Cites: PS3.5 7.5.
    """
    if len(remembered) >= _ENOUGH:
        remembered.clear()
    remembered[value] = content


class Items(Protocol):
    """What makes the items when they are asked for."""

    def items(self, sequence: SmallSequence, /) -> tuple[DataSet, ...]:
        """Return the items of a sequence."""
        ...


class SmallSequence(Sequence[DataSet]):
    """The items of a short sequence, made when they are first looked at.

    Cites: PS3.5 7.5.
    """

    __slots__ = ("_items", "_maker", "charset", "content", "start", "tag")

    def __init__(self, maker: Items, tag: int, start: int, content: bytes, charset: str) -> None:
        self._maker = maker
        self._items: tuple[DataSet, ...] | None = None
        self.tag = tag
        self.start = start
        """Offset of the value."""
        self.content = content
        """The value, as stored: explicit VR little endian, without sequences inside."""
        self.charset = charset

    @property
    def _made(self) -> tuple[DataSet, ...]:
        if self._items is None:
            self._items = self._maker.items(self)
        return self._items

    def answer(self, question: Callable[[Sequence[DataSet]], bool]) -> bool:
        """Return the answer to a question about nothing but the bytes; it is remembered with them.

        Args:
            question: A function of a module, which takes the items.
        """
        asked = (question, self.content)
        known = _answers.get(asked)
        if known is None:
            if len(_answers) >= _ENOUGH:
                _answers.clear()
            known = _answers[asked] = question(self._made)
        return known

    def __len__(self) -> int:
        """Return the number of items."""
        return len(self._made)

    def __iter__(self) -> Iterator[DataSet]:
        """Iterate over the items."""
        return iter(self._made)

    @overload
    def __getitem__(self, index: int) -> DataSet: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[DataSet, ...]: ...
    def __getitem__(self, index: int | slice) -> DataSet | tuple[DataSet, ...]:
        """Return one item, or some."""
        return self._made[index]
