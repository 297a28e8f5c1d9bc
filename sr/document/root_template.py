"""The root templates that a report may follow, and their rows: loaded from ``templates/roots``.

A file states which SOP classes the template takes, where the observer stands, and for each heading
which content items have to be, may be, or must not be below it. `template_rows` holds a content
tree against these rows. What has no row in a file is left to the SOP class.

Cites: PS3.16 TID 1500, TID 2000, TID 2005, TID 2006, TID 2007, TID 2008.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from sr.codes import Code
from sr.document.content import ValueType
from sr.document.relationship_tables import DocumentClass
from sr.errors import ConfigurationError
from sr.resources import resource_root
from sr.rulefile import RuleTable, read_rules

__all__ = [
    "ItemRow",
    "Presence",
    "RootTemplate",
    "RootTemplateID",
    "SectionRow",
    "StudyMoment",
    "load_root_template",
    "parse_root_template",
]

_CLASSES = {kind.slug: kind for kind in DocumentClass}


class RootTemplateID(StrEnum):
    """The root templates a report may follow, by Template Identifier (0040,DB00)."""

    MEASUREMENT_REPORT = "1500"
    BASIC_DIAGNOSTIC_IMAGING_REPORT = "2000"
    TRANSCRIBED_DIAGNOSTIC_IMAGING_REPORT = "2005"
    IMAGING_REPORT_WITH_RADIATION_EXPOSURE = "2006"


class Presence(StrEnum):
    """When a section has to be there.

    Cites: PS3.16 6.1.7.
    """

    ALWAYS = "always"
    CONDITIONAL = "conditional"
    """Where the evidence of the study has one of the modalities named."""
    OPTIONAL = "optional"


class Part(StrEnum):
    """What the body of a report is made of: the key of the report file that holds it."""

    SECTIONS = "section"
    GROUPS = "group"


class ObserverPlace(StrEnum):
    """Where a template wants the observer: as content items, or in the header only."""

    CONTENT = "content"
    HEADER = "header"


class StudyMoment(StrEnum):
    """What of the study a date or time has to be equal to."""

    STUDY_DATE = "study-date"
    STUDY_TIME = "study-time"


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemRow:
    """Content items that may stand below a heading."""

    types: frozenset[ValueType]
    concept: Code | None
    """``None`` for any concept."""
    nameless: bool
    """Whether the concept name has to be absent."""
    least: int
    most: int | None
    modalities: frozenset[str]
    """Modalities of the evidence that make the least necessary; empty is always."""
    equals: StudyMoment | None
    cites: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SectionRow:
    """A heading, and what may stand below it."""

    heading: Code | None
    """``None`` for every heading that has no row of its own."""
    presence: Presence
    modalities: frozenset[str]
    repeats: bool
    closed: bool
    """Whether only its rows may stand below it, and nothing below these."""
    items: tuple[ItemRow, ...]
    cites: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RootTemplate:
    """A root template of PS3.16."""

    id: RootTemplateID
    title: str
    cites: str
    classes: frozenset[DocumentClass]
    content: Part
    observer: ObserverPlace
    title_in_words: bool
    """Whether it includes TID 1210."""
    title_group: int | None
    """Context group that the title has to be from; ``None`` where it is only a baseline."""
    procedure_required: bool
    sections: tuple[SectionRow, ...]
    other: SectionRow | None

    def section(self, heading: Code | None) -> SectionRow | None:
        """Return the row for a heading, ``None`` where the template leaves it open."""
        found = (row for row in self.sections if row.heading and _same(row.heading, heading))
        return next(found, self.other)


def _same(code: Code, other: Code | None) -> bool:
    return other is not None and (code.value, code.scheme) == (other.value, other.scheme)


@cache
def load_root_template(template_id: RootTemplateID) -> RootTemplate:
    """Return a root template.

    Raises:
        ConfigurationError: Its file is missing from this installation.
        ProfileFormatError: Its file is wrong.
    """
    name = f"{template_id}.toml"
    try:
        text = (resource_root("templates") / "roots" / name).read_text(encoding="utf-8")
    except OSError as exc:
        raise ConfigurationError(f"templates/roots/{name} cannot be read") from exc
    return parse_root_template(text, name)


def parse_root_template(text: str, name: str) -> RootTemplate:
    """Return the root template that a file declares.

    Raises:
        ProfileFormatError: The file is wrong.
    """
    rules = read_rules(text, name, str)
    groups = _modalities(rules.table("modalities")) if "modalities" in rules else {}
    template = RootTemplate(
        id=rules.term("id", RootTemplateID),
        title=rules.text("title"),
        cites=rules.cites,
        classes=frozenset(_class(rules, slug) for slug in rules.texts("classes")),
        content=rules.term("content", Part),
        observer=rules.term("observer", ObserverPlace),
        title_in_words=rules.flag("title_in_words"),
        title_group=rules.integer("title_group", 0) or None,
        procedure_required=rules.flag("procedure_required", default=False),
        sections=tuple(_section(row, groups, named=True) for row in rules.tables("section")),
        other=_section(rules.table("other"), groups, named=False) if "other" in rules else None,
    )
    rules.done()
    return template


def _class(rules: RuleTable, slug: str) -> DocumentClass:
    if slug not in _CLASSES:
        raise rules.error(f"'classes' must be of {', '.join(_CLASSES)}, not {slug!r}")
    return _CLASSES[slug]


def _modalities(table: RuleTable) -> dict[str, frozenset[str]]:
    return {name: frozenset(table.texts(name)) for name in ("x-ray", "radioactive")}


def _section(row: RuleTable, groups: dict[str, frozenset[str]], *, named: bool) -> SectionRow:
    return SectionRow(
        heading=_code(row, "heading") if named else None,
        presence=row.term("presence", Presence) if named else Presence.OPTIONAL,
        modalities=_named(row, groups),
        repeats=row.flag("repeats", default=False),
        closed=row.flag("closed", default=False),
        items=tuple(_item(item, groups) for item in row.tables("item")),
        cites=row.cites,
    )


def _item(row: RuleTable, groups: dict[str, frozenset[str]]) -> ItemRow:
    return ItemRow(
        types=frozenset(_type(row, name) for name in row.texts("types")),
        concept=_code(row, "concept") if "concept" in row else None,
        nameless=row.flag("nameless", default=False),
        least=row.integer("least", 0),
        most=row.integer("most", 0) or None,
        modalities=_named(row, groups),
        equals=row.term("equals", StudyMoment) if "equals" in row else None,
        cites=row.cites,
    )


def _named(row: RuleTable, groups: dict[str, frozenset[str]]) -> frozenset[str]:
    """Return the modalities of the groups that a row names."""
    names: Iterable[str] = row.texts("modalities", ())
    if unknown := sorted(set(names) - groups.keys()):
        raise row.error(f"no modalities are called {', '.join(map(repr, unknown))}")
    return frozenset().union(*(groups[name] for name in names))


def _type(row: RuleTable, name: str) -> ValueType:
    try:
        return ValueType(name)
    except ValueError:
        raise row.error(f"{name!r} is no value type") from None


def _code(row: RuleTable, key: str) -> Code:
    parts = row.texts(key)
    if len(parts) != 3:
        raise row.error(f"{key!r} must be value, scheme and meaning")
    return Code(*parts)
