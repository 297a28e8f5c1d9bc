"""What may stand under what."""

from __future__ import annotations

import pytest

from sr.codes import Code
from sr.document.constraints import DocumentClass, check_content
from sr.document.content import (
    Coded,
    Container,
    ContentItem,
    Number,
    PersonName,
    Relationship,
    Text,
    reference_to,
)
from sr.errors import TemplateError
from tests.support.datasets import ct_evidence

CONCEPT = Code("121071", "DCM", "Finding")
MM = Code("mm", "UCUM", "mm")
BASIC, ENHANCED, COMPREHENSIVE, KEY = (
    DocumentClass.BASIC_TEXT,
    DocumentClass.ENHANCED,
    DocumentClass.COMPREHENSIVE,
    DocumentClass.KEY_OBJECT_SELECTION,
)
R = Relationship


def _make(kind: str, relationship: Relationship | None, *children: ContentItem) -> ContentItem:
    common = {"concept": CONCEPT, "relationship": relationship, "children": children}
    if kind == "TEXT":
        return Text(value="x", **common)
    if kind == "CODE":
        return Coded(value=CONCEPT, **common)
    if kind == "NUM":
        return Number(value="1", unit=MM, **common)
    if kind == "PNAME":
        return PersonName(value="A^B", **common)
    if kind == "IMAGE":
        return reference_to(ct_evidence()[0], relationship or R.CONTAINS)
    return Container(**common)


def _tree(source: str, relationship: Relationship, target: str) -> ContentItem:
    """Return a root with the source below it, or as itself, and the target below that."""
    child = _make(target, relationship)
    if source == "ROOT":
        return _make("CONTAINER", None, child)
    return _make("CONTAINER", None, _make(source, R.CONTAINS, child))


@pytest.mark.parametrize(
    ("document_class", "source", "relationship", "target"),
    [
        (BASIC, "TEXT", R.INFERRED_FROM, "IMAGE"),
        (BASIC, "ROOT", R.CONTAINS, "CONTAINER"),
        (BASIC, "PNAME", R.HAS_PROPERTIES, "CODE"),
        (ENHANCED, "CODE", R.INFERRED_FROM, "NUM"),
        (ENHANCED, "NUM", R.INFERRED_FROM, "IMAGE"),
        (COMPREHENSIVE, "TEXT", R.INFERRED_FROM, "CONTAINER"),
        (COMPREHENSIVE, "NUM", R.HAS_OBS_CONTEXT, "TEXT"),
        (KEY, "ROOT", R.CONTAINS, "IMAGE"),
        (KEY, "ROOT", R.HAS_CONCEPT_MOD, "CODE"),
    ],
)
def test_allowed(
    document_class: DocumentClass, source: str, relationship: Relationship, target: str
) -> None:
    """Rows of the constraint tables."""
    check_content(document_class, _tree(source, relationship, target))


@pytest.mark.parametrize(
    ("document_class", "source", "relationship", "target"),
    [
        (BASIC, "ROOT", R.CONTAINS, "NUM"),
        (BASIC, "TEXT", R.INFERRED_FROM, "NUM"),
        (BASIC, "CODE", R.INFERRED_FROM, "IMAGE"),
        (BASIC, "CODE", R.HAS_PROPERTIES, "TEXT"),
        (BASIC, "TEXT", R.INFERRED_FROM, "CONTAINER"),
        (BASIC, "TEXT", R.HAS_OBS_CONTEXT, "CODE"),
        (BASIC, "TEXT", R.CONTAINS, "TEXT"),
        (ENHANCED, "TEXT", R.INFERRED_FROM, "CONTAINER"),
        (ENHANCED, "NUM", R.HAS_OBS_CONTEXT, "TEXT"),
        (ENHANCED, "ROOT", R.HAS_CONCEPT_MOD, "IMAGE"),
        (ENHANCED, "ROOT", R.INFERRED_FROM, "IMAGE"),
        (COMPREHENSIVE, "IMAGE", R.CONTAINS, "IMAGE"),
        (COMPREHENSIVE, "ROOT", R.HAS_OBS_CONTEXT, "CONTAINER"),
        (COMPREHENSIVE, "PNAME", R.HAS_PROPERTIES, "NUM"),
        (COMPREHENSIVE, "ROOT", R.SELECTED_FROM, "IMAGE"),
        (KEY, "ROOT", R.CONTAINS, "NUM"),
        (KEY, "ROOT", R.CONTAINS, "CODE"),
        (KEY, "ROOT", R.CONTAINS, "CONTAINER"),
        (KEY, "ROOT", R.HAS_CONCEPT_MOD, "TEXT"),
        (KEY, "TEXT", R.INFERRED_FROM, "IMAGE"),
    ],
)
def test_forbidden(
    document_class: DocumentClass, source: str, relationship: Relationship, target: str
) -> None:
    """Everything the tables do not name is refused, with the place."""
    tree = _tree(source, relationship, target)
    if source == "IMAGE":
        image = reference_to(ct_evidence()[0], R.CONTAINS)
        nested = Container(concept=CONCEPT, children=(_nest(image, _make(target, relationship)),))
        tree = nested
    with pytest.raises(TemplateError) as caught:
        check_content(document_class, tree)
    assert caught.value.where is not None
    assert caught.value.where.startswith("(0040,A730)[1]")


def _nest(item: ContentItem, child: ContentItem) -> ContentItem:
    from dataclasses import replace

    return replace(item, children=(child,))


def test_the_key_path_is_blamed_where_there_is_one() -> None:
    """An item made from report input is named by the line it comes from."""
    item = Number(
        concept=CONCEPT, relationship=R.CONTAINS, value="1", unit=MM, origin="section[1].item[2]"
    )
    with pytest.raises(TemplateError) as caught:
        check_content(BASIC, Container(concept=CONCEPT, children=(item,)))
    assert caught.value.where == "section[1].item[2]"


def test_bottomless_trees_are_refused() -> None:
    """Readers have limits on depth; so has what we write."""
    item: ContentItem = _make("TEXT", R.CONTAINS)
    for _ in range(40):
        item = _make("CONTAINER", R.CONTAINS, item)
    with pytest.raises(TemplateError):
        check_content(COMPREHENSIVE, _make("CONTAINER", None, item))


@pytest.mark.parametrize("root", [_make("TEXT", None), _make("CONTAINER", R.CONTAINS)])
def test_the_root_is_a_bare_container(root: ContentItem) -> None:
    """Anything else is no document."""
    with pytest.raises(TemplateError):
        check_content(COMPREHENSIVE, root)
