"""An addendum: the content as it was, and a section below it that says what is new.

The new document is built like any other, with the new section as its only content; then the
content of the predecessor is put in front of that section, element for element. Nothing of it goes
through a library that decodes and encodes, so what was signed stays what it was, apart from the
signatures of single items, which do not go along.

Cites: PS3.3 C.17.2, C.17.3; PS3.16 TID 2000, TID 1001, CID 7001.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from sr.dicomfile import BytesSource, DataSet, canonicalise, describe_tag, format_tag, read
from sr.dicomfile.dataset import Element
from sr.dicomfile.splice import SetElement, assemble, splice
from sr.dicomfile.writer import EXPLICIT_LITTLE_ENCODING, element, sequence, transcode
from sr.document.content import Container
from sr.document.observer import observer_context
from sr.document.predecessor import Predecessor
from sr.document.report_input import ReportInput
from sr.document.structured_report import StructuredReport
from sr.errors import LifecycleError
from sr.mac.selection import DIGITAL_SIGNATURES_SEQUENCE, MAC_PARAMETERS_SEQUENCE
from sr.signature.observers import authors, name_key, states_its_observer

__all__ = ["addendum_only", "check_addendum", "with_kept_content"]

_ADDENDUM = "55107-7"
_AUTHORS, _PARTICIPANTS, _CONTENT = 0x0040A078, 0x0040A07A, 0x0040A730
_PERSON_NAME = 0x0040A123
_TEMPLATE, _TEMPLATE_ID = 0x0040A504, 0x0040DB00
_TAKES_SECTIONS = frozenset({"", "2000", "2006"})
_TIMEZONE, _LANGUAGE = 0x00080201, "121049"
_CONCEPT_NAME, _CONCEPT_CODE, _CODE_VALUE = 0x0040A043, 0x0040A168, 0x00080100
_KEPT = (
    _TIMEZONE, 0x0040A032, 0x0040A040, _CONCEPT_NAME, 0x0040A050, 0x0040A171, 0x0040A370,
    0x0040A372, 0x0040A504,
)  # fmt: skip
"""Time zone, the root's own attributes, and what was requested and performed."""
_SIGNATURES = frozenset({MAC_PARAMETERS_SEQUENCE, DIGITAL_SIGNATURES_SEQUENCE})
_TEXT_VRS = frozenset({"LO", "LT", "PN", "SH", "ST", "UC", "UT"})


def check_addendum(report: ReportInput, dataset: DataSet, predecessor: Predecessor) -> None:
    """Refuse an addendum that changes what was said, or a document that cannot take one.

    Args:
        report: The addendum as written.
        dataset: The document it is added to.
        predecessor: The same, as read.

    Raises:
        LifecycleError: Naming the attribute that stands against it.

    Cites: PS3.3 C.17.2; PS3.16 TID 1001, TID 2000.
    """
    if report.title.value != predecessor.title.value:
        raise LifecycleError(
            "an addendum does not change ConceptNameCodeSequence (0040,A043), the title",
            where="(0040,A043)",
            hint="leave the title out, or write an amended report without --addendum",
        )
    if report.document_class is not predecessor.document_class:
        raise LifecycleError(
            f"an addendum does not change SOPClassUID (0008,0016), {predecessor.document_class}",
            where="(0008,0016)",
            hint="leave the class out, or write an amended report without --addendum",
        )
    template = next((i.text(_TEMPLATE_ID) for i in dataset.items(_TEMPLATE)), "")
    if template not in _TAKES_SECTIONS or report.groups:
        raise LifecycleError(
            f"root template {template!r} (ContentTemplateSequence (0040,A504)) has no section that "
            "states an observer of its own",
            where="(0040,A504)",
            hint="write an amended report without --addendum",
        )
    for section in report.sections:
        if section.heading.value != _ADDENDUM:
            raise LifecycleError(
                f"{section.path}: an addendum has sections called Addendum (ConceptNameCodeSequence"
                f" (0040,A043) 55107-7), not {section.heading.meaning}",
                where=section.path,
                hint='write heading = "Addendum", or an amended report without --addendum',
            )
    spoken = _language(dataset)
    if spoken and report.language.value != spoken:
        raise LifecycleError(
            f"the document is written in {spoken!r} (ContentSequence (0040,A730), 121049), the "
            f"addendum in {report.language.value!r}",
            where="(0040,A730)",
            hint=f'write language = "{spoken}"',
        )
    _check_observers(report, dataset)
    _check_kept(dataset, dataset.charset)


def _language(dataset: DataSet) -> str:
    for item in dataset.items(_CONTENT):
        if any(c.text(_CODE_VALUE) == _LANGUAGE for c in item.items(_CONCEPT_NAME)):
            return next((c.text(_CODE_VALUE) for c in item.items(_CONCEPT_CODE)), "")
    return ""


def _check_observers(report: ReportInput, dataset: DataSet) -> None:
    """Refuse to put a second author above content that says nowhere who observed it."""
    if states_its_observer(dataset):
        return
    if {name_key(author) for author in authors(dataset)} == {name_key(report.observer.name)}:
        return
    raise LifecycleError(
        "the content does not state its observer and would inherit the author of the addendum "
        "(AuthorObserverSequence (0040,A078))",
        where="(0040,A078)",
        hint="write an amended report without --addendum, which states its observer",
    )


def _check_kept(dataset: DataSet, charset: str) -> None:
    for e in _kept_elements(dataset):
        if e.has_unknown:
            raise LifecycleError(
                f"{describe_tag(e.tag)} holds an element of value representation UN, which nobody "
                "could sign",
                where=format_tag(e.tag),
            )
        if charset != "ISO_IR 192" and not _is_ascii(dataset, e):
            raise LifecycleError(
                f"the text of {describe_tag(e.tag)} would have to be written anew: "
                f"SpecificCharacterSet (0008,0005) is {charset or 'absent'}, not ISO_IR 192",
                where="(0008,0005)",
                hint="write an amended report without --addendum",
            )


def _kept_elements(dataset: DataSet) -> Iterator[Element]:
    for tag in (*_KEPT, _AUTHORS, _PARTICIPANTS, _CONTENT):
        if e := dataset.get(tag):
            yield e


def _is_ascii(dataset: DataSet, e: Element) -> bool:
    if e.items is not None:
        return all(_is_ascii(inner, child) for inner in e.items for child in inner)
    return e.vr not in _TEXT_VRS or (dataset.value(e).isascii() and b"\x1b" not in dataset.value(e))


def addendum_only(report: StructuredReport, author: ReportInput) -> StructuredReport:
    """Return a report with the new sections alone, each stating who wrote it.

    Cites: PS3.16 TID 2000 row 9, TID 1001.
    """
    context = observer_context(author.observer)
    sections = tuple(
        replace(child, children=(*context, *child.children))
        for child in report.content.children
        if isinstance(child, Container)
    )
    return replace(report, content=replace(report.content, children=sections))


def with_kept_content(built: bytes, dataset: DataSet) -> bytes:
    """Return the new document with the content of its predecessor in front of its own.

    Args:
        built: The document with the new sections alone.
        dataset: The predecessor.

    Cites: PS3.3 C.17.2, C.17.3.
    """
    file = read(BytesSource(canonicalise(built)))
    new = file.dataset
    known = {name_key(item.text(_PERSON_NAME)) for item in dataset.items(_AUTHORS)}
    authored = (i for i in new.items(_AUTHORS) if name_key(i.text(_PERSON_NAME)) not in known)
    encoded = {tag: _copied(dataset, tag) for tag in _KEPT} | {
        _AUTHORS: _joined(_AUTHORS, (*dataset.items(_AUTHORS), *authored)),
        _PARTICIPANTS: _joined(
            _PARTICIPANTS, (*dataset.items(_PARTICIPANTS), *new.items(_PARTICIPANTS))
        ),
        _CONTENT: _joined(_CONTENT, (*dataset.items(_CONTENT), *new.items(_CONTENT))),
    }
    edits = (SetElement(tag=tag, encoded=made) for tag, made in encoded.items())
    return canonicalise(assemble(splice(file, edits)))


def _joined(tag: int, items: Iterable[DataSet]) -> bytes | None:
    contents = tuple(
        transcode(item, EXPLICIT_LITTLE_ENCODING, leave_out=_SIGNATURES) for item in items
    )
    return sequence(tag, contents) if contents else None


def _copied(dataset: DataSet, tag: int) -> bytes | None:
    e = dataset.get(tag)
    if e is None:
        return None
    if e.items is not None:
        return _joined(tag, e.items) or sequence(tag, ())
    return element(tag, e.vr, dataset.value(e))
