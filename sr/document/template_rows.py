"""Whether the sections of a report are those of its root template, row by row.

Cites: PS3.16 TID 2000, TID 2005, TID 2006, TID 2007, TID 2008.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sr.codes import Code
from sr.document.content import Container, ContentItem, Date, Relationship, Time
from sr.document.evidence import Evidence, PatientStudy
from sr.document.root_template import ItemRow, Presence, RootTemplate, SectionRow, StudyMoment
from sr.errors import TemplateError

__all__ = ["check_rows"]


def check_rows(
    template: RootTemplate,
    root: Container,
    *,
    subject: PatientStudy,
    evidence: tuple[Evidence, ...],
) -> None:
    """Refuse a tree whose sections are not those of its root template.

    Args:
        template: What it has to follow.
        root: The tree.
        subject: Its patient and study.
        evidence: What it may cite; that of its own study says which modalities were used.

    Raises:
        TemplateError: With the key path of the section or item, and the row that it breaks.
    """
    own = (item for item in evidence if item.study_instance_uid == subject.study_instance_uid)
    check = _Check(template, subject, frozenset(item.modality for item in own))
    sections = [child for child in _items(root) if isinstance(child, Container)]
    check.presence(sections)
    for section in sections:
        row = template.section(section.concept)
        if row is not None:
            check.section(section, row)


def _items(item: ContentItem) -> Iterator[ContentItem]:
    """Return what an item contains; context and modifiers are not counted."""
    return (
        child
        for child in item.children
        if isinstance(child, ContentItem) and child.relationship is Relationship.CONTAINS
    )


@dataclass(frozen=True, slots=True)
class _Check:
    """The checks of one tree."""

    template: RootTemplate
    subject: PatientStudy
    modalities: frozenset[str]

    def presence(self, sections: Iterable[Container]) -> None:
        """Check which sections there are, and how often."""
        count = Counter(_key(section.concept) for section in sections)
        for row in self.template.sections:
            needed = row.presence is Presence.ALWAYS or (
                row.presence is Presence.CONDITIONAL and self._applies(row.modalities)
            )
            if needed and not count[_key(row.heading)]:
                why = "" if row.presence is Presence.ALWAYS else self._because(row.modalities)
                raise _error(f"a section {_named(row.heading)} is missing{why}", row.cites)
        for section in sections:
            found = self.template.section(section.concept)
            if found is not None and not found.repeats and count[_key(section.concept)] > 1:
                message = f"a second section {_named(section.concept)}"
                raise _error(message, found.cites, section.origin)

    def section(self, section: Container, row: SectionRow) -> None:
        """Check what stands below a heading."""
        count: Counter[ItemRow] = Counter()
        for item in _items(section):
            fitting = next((r for r in row.items if _fits(item, r)), None)
            if fitting is None:
                if row.closed:
                    raise self._stranger(item, section, row)
                continue
            count[fitting] += 1
            if fitting.most is not None and count[fitting] > fitting.most:
                raise _error(f"{_told(item)} once too often", fitting.cites, item.origin)
            if row.closed and item.children:
                message = f"nothing stands below {_told(item)}"
                raise _error(message, fitting.cites, item.origin)
            self._moment(item, fitting)
        for wanted in row.items:
            if count[wanted] < wanted.least and self._applies(wanted.modalities):
                message = (
                    f"section {_named(section.concept)} has no {_told_row(wanted)}"
                    f"{self._because(wanted.modalities) if wanted.modalities else ''}"
                )
                raise _error(message, wanted.cites, section.origin)

    def _stranger(self, item: ContentItem, section: Container, row: SectionRow) -> TemplateError:
        allowed = "; ".join(_told_row(known) for known in row.items)
        message = f"section {_named(section.concept)} does not take {_told(item)}"
        return _error(message, row.cites, item.origin, hint=f"allowed: {allowed}")

    def _moment(self, item: ContentItem, row: ItemRow) -> None:
        if row.equals is None or not isinstance(item, Date | Time):
            return
        wanted = moment_of(self.subject, row.equals)
        if item.value != wanted:
            message = f"{_told(item)} is {item.value} and not that of the study, {wanted or 'none'}"
            raise _error(message, row.cites, item.origin, hint='write "study"')

    def _applies(self, modalities: frozenset[str]) -> bool:
        return not modalities or bool(modalities & self.modalities)

    def _because(self, modalities: frozenset[str]) -> str:
        return f", which {', '.join(sorted(modalities & self.modalities))} evidence needs"


def moment_of(subject: PatientStudy, moment: StudyMoment) -> str:
    """Return date or time of the study, empty where it has none."""
    return subject.study_date if moment is StudyMoment.STUDY_DATE else subject.study_time


def _fits(item: ContentItem, row: ItemRow) -> bool:
    if item.value_type not in row.types:
        return False
    if row.nameless:
        return item.concept is None
    return row.concept is None or _key(item.concept) == _key(row.concept)


def _key(code: Code | None) -> tuple[str, str]:
    return (code.value, code.scheme) if code else ("", "")


def _named(code: Code | None) -> str:
    return f"{code.meaning!r}" if code else "without heading"


def _told(item: ContentItem) -> str:
    return f"{item.value_type} {item.concept.meaning!r}" if item.concept else item.value_type.value


def _told_row(row: ItemRow) -> str:
    types = " or ".join(sorted(row.types))
    if row.nameless:
        return f"{types} without purpose"
    return f"{types} {row.concept.meaning!r}" if row.concept else types


def _error(message: str, rule: str, where: str = "", *, hint: str | None = None) -> TemplateError:
    place = where or "section"
    return TemplateError(f"{place}: {message}: {rule}", where=place, rule=rule, hint=hint)
