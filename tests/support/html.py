"""Pages as tests read them: the elements of an HTML text, and what its policy forbids."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

__all__ = ["Element", "forbidden", "parse"]

_VOID = frozenset({"br", "hr", "img", "input", "link", "meta", "use", "path", "wbr"})


@dataclass
class Element:
    """One element, with what is in it."""

    tag: str
    attributes: dict[str, str]
    children: list[Element] = field(default_factory=list)
    words: list[str] = field(default_factory=list)

    def all(self, tag: str = "", **attributes: str) -> list[Element]:
        """Return the elements inside with a tag and attributes; ``class`` is ``class_``."""
        wanted = {name.rstrip("_").replace("_", "-"): v for name, v in attributes.items()}
        return [
            each
            for each in self.walk()
            if (not tag or each.tag == tag)
            and all(_has(each.attributes, name, value) for name, value in wanted.items())
        ]

    def one(self, tag: str = "", **attributes: str) -> Element:
        """Return the only such element."""
        found = self.all(tag, **attributes)
        assert len(found) == 1, f"{len(found)} of {tag} {attributes}"
        return found[0]

    def walk(self) -> Iterator[Element]:
        """Yield every element inside."""
        for child in self.children:
            yield child
            yield from child.walk()

    @property
    def text(self) -> str:
        """All words inside, blanks folded."""
        return " ".join(" ".join([*self.words, *(c.text for c in self.children)]).split())


def parse(page: str) -> Element:
    """Return a page; what is opened and not closed fails."""
    reader = _Reader()
    reader.feed(page)
    reader.close()
    assert len(reader.stack) == 1, f"<{reader.stack[-1].tag}> is not closed"
    return reader.stack[0]


def forbidden(root: Element) -> list[str]:
    """Return what the policy of the pages forbids: scripts and styles in the text, other sites."""
    found = []
    for each in root.walk():
        if each.tag == "style" or (each.tag == "script" and (each.words or each.children)):
            found.append(f"<{each.tag}> with a text")
        for name, value in each.attributes.items():
            if name == "style" or name.startswith(("on", "hx-on")):
                found.append(f"{name} on <{each.tag}>")
            address = name in ("src", "href", "action", "formaction", "hx-get", "hx-post")
            if (address and not value.startswith(("/", "#"))) or value.startswith("//"):
                found.append(f"{name}={value}")
    return found


def _has(attributes: dict[str, str], name: str, value: str) -> bool:
    if name == "class":
        return value in attributes.get("class", "").split()
    return attributes.get(name) == value


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.stack = [Element("", {})]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs})
        self.stack[-1].children.append(element)
        if tag not in _VOID:
            self.stack.append(element)

    def handle_endtag(self, tag: str) -> None:
        if tag in _VOID:
            return
        assert self.stack[-1].tag == tag, f"</{tag}> closes <{self.stack[-1].tag}>"
        self.stack.pop()

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.stack[-1].words.append(data.strip())
