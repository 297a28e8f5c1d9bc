"""What may stand under what."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sr.document.constraints import DocumentClass, check_content
from sr.document.content import (
    ByReference,
    Container,
    ContentItem,
    Number,
    Relationship,
    ValueType,
)
from sr.errors import TemplateError
from tests.support.trees import CONCEPT, node, root

BASIC, ENHANCED, COMPREHENSIVE, SPATIAL, KEY = (
    DocumentClass.BASIC_TEXT,
    DocumentClass.ENHANCED,
    DocumentClass.COMPREHENSIVE,
    DocumentClass.COMPREHENSIVE_3D,
    DocumentClass.KEY_OBJECT_SELECTION,
)
R, V = Relationship, ValueType


def _tree(source: str, relationship: Relationship, target: str) -> Container:
    """Return a root with the source below it, or as itself, and the target below that."""
    child = node(V(target), relationship)
    return root(child if source == "ROOT" else node(V(source), R.CONTAINS, child))


def _refusal(document_class: DocumentClass, tree: ContentItem) -> TemplateError:
    with pytest.raises(TemplateError) as caught:
        check_content(document_class, tree)
    return caught.value


@pytest.mark.parametrize(
    ("document_class", "source", "relationship", "target"),
    [
        (BASIC, "TEXT", R.INFERRED_FROM, "IMAGE"),
        (BASIC, "ROOT", R.CONTAINS, "CONTAINER"),
        (BASIC, "ROOT", R.CONTAINS, "DATE"),
        (BASIC, "ROOT", R.HAS_OBS_CONTEXT, "CONTAINER"),
        (BASIC, "IMAGE", R.HAS_ACQ_CONTEXT, "TIME"),
        (BASIC, "PNAME", R.HAS_PROPERTIES, "CODE"),
        (ENHANCED, "CODE", R.INFERRED_FROM, "NUM"),
        (ENHANCED, "NUM", R.INFERRED_FROM, "IMAGE"),
        (ENHANCED, "NUM", R.HAS_ACQ_CONTEXT, "NUM"),
        (ENHANCED, "NUM", R.INFERRED_FROM, "SCOORD"),
        (ENHANCED, "TCOORD", R.SELECTED_FROM, "SCOORD"),
        (ENHANCED, "TCOORD", R.SELECTED_FROM, "WAVEFORM"),
        (COMPREHENSIVE, "TEXT", R.INFERRED_FROM, "CONTAINER"),
        (COMPREHENSIVE, "NUM", R.HAS_OBS_CONTEXT, "TEXT"),
        (COMPREHENSIVE, "ROOT", R.HAS_OBS_CONTEXT, "CONTAINER"),
        (COMPREHENSIVE, "IMAGE", R.HAS_ACQ_CONTEXT, "CONTAINER"),
        (COMPREHENSIVE, "SCOORD", R.SELECTED_FROM, "IMAGE"),
        (COMPREHENSIVE, "TCOORD", R.SELECTED_FROM, "SCOORD"),
        (SPATIAL, "ROOT", R.CONTAINS, "SCOORD3D"),
        (SPATIAL, "NUM", R.INFERRED_FROM, "SCOORD3D"),
        (SPATIAL, "TCOORD", R.SELECTED_FROM, "SCOORD3D"),
        (SPATIAL, "SCOORD3D", R.HAS_CONCEPT_MOD, "CODE"),
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
    ("document_class", "source", "relationship", "target", "rule"),
    [
        (BASIC, "ROOT", R.CONTAINS, "NUM", "PS3.3 A.35.1.3.1.1"),
        (BASIC, "ROOT", R.CONTAINS, "SCOORD", "PS3.3 A.35.1.3.1.1"),
        (BASIC, "TEXT", R.INFERRED_FROM, "NUM", "PS3.3 A.35.1.3.1.1"),
        (BASIC, "CODE", R.INFERRED_FROM, "IMAGE", "PS3.3 Table A.35.1-2"),
        (BASIC, "CODE", R.HAS_PROPERTIES, "TEXT", "PS3.3 Table A.35.1-2"),
        (BASIC, "TEXT", R.INFERRED_FROM, "CONTAINER", "PS3.3 Table A.35.1-2 row 8"),
        (BASIC, "PNAME", R.HAS_PROPERTIES, "IMAGE", "PS3.3 Table A.35.1-2 row 7"),
        (BASIC, "TEXT", R.HAS_OBS_CONTEXT, "CODE", "PS3.3 Table A.35.1-2"),
        (BASIC, "ROOT", R.HAS_OBS_CONTEXT, "IMAGE", "PS3.3 Table A.35.1-2 row 2"),
        (BASIC, "TEXT", R.CONTAINS, "TEXT", "PS3.3 Table A.35.1-2"),
        (ENHANCED, "TEXT", R.INFERRED_FROM, "CONTAINER", "PS3.3 Table A.35.2-2 row 8"),
        (ENHANCED, "ROOT", R.CONTAINS, "SCOORD3D", "PS3.3 A.35.2.3.1.1"),
        (ENHANCED, "NUM", R.HAS_OBS_CONTEXT, "TEXT", "PS3.3 Table A.35.2-2"),
        (ENHANCED, "ROOT", R.HAS_CONCEPT_MOD, "IMAGE", "PS3.3 Table A.35.2-2 row 5"),
        (ENHANCED, "ROOT", R.INFERRED_FROM, "IMAGE", "PS3.3 Table A.35.2-2"),
        (ENHANCED, "SCOORD", R.SELECTED_FROM, "WAVEFORM", "PS3.3 Table A.35.2-2 row 9"),
        (ENHANCED, "ROOT", R.HAS_ACQ_CONTEXT, "CONTAINER", "PS3.3 Table A.35.2-2 row 4"),
        (COMPREHENSIVE, "IMAGE", R.CONTAINS, "IMAGE", "PS3.3 Table A.35.3-2"),
        (COMPREHENSIVE, "ROOT", R.CONTAINS, "SCOORD3D", "PS3.3 A.35.3.3.1.1"),
        (COMPREHENSIVE, "NUM", R.HAS_OBS_CONTEXT, "CONTAINER", "PS3.3 Table A.35.3-2 row 2"),
        (COMPREHENSIVE, "PNAME", R.HAS_PROPERTIES, "NUM", "PS3.3 Table A.35.3-2 row 7"),
        (COMPREHENSIVE, "ROOT", R.SELECTED_FROM, "IMAGE", "PS3.3 Table A.35.3-2"),
        (COMPREHENSIVE, "SCOORD", R.HAS_CONCEPT_MOD, "CODE", "PS3.3 Table A.35.3-2"),
        (SPATIAL, "SCOORD", R.SELECTED_FROM, "SCOORD3D", "PS3.3 Table A.35.13-2 row 9"),
        (SPATIAL, "SCOORD3D", R.SELECTED_FROM, "IMAGE", "PS3.3 Table A.35.13-2"),
        (KEY, "ROOT", R.CONTAINS, "NUM", "PS3.3 A.35.4.3.1.1"),
        (KEY, "ROOT", R.CONTAINS, "CODE", "PS3.3 Table A.35.4-2 row 1"),
        (KEY, "ROOT", R.CONTAINS, "CONTAINER", "PS3.3 Table A.35.4-2 row 1"),
        (KEY, "ROOT", R.HAS_CONCEPT_MOD, "TEXT", "PS3.3 Table A.35.4-2 row 4"),
        (KEY, "TEXT", R.INFERRED_FROM, "IMAGE", "PS3.3 Table A.35.4-2"),
    ],
)
def test_forbidden(
    document_class: DocumentClass, source: str, relationship: Relationship, target: str, rule: str
) -> None:
    """Everything the tables do not name is refused, with the place and the row."""
    refusal = _refusal(document_class, _tree(source, relationship, target))
    assert refusal.rule == rule
    assert refusal.where is not None
    assert refusal.where.startswith("(0040,A730)[1]")


def _linked(relationship: Relationship, *, kind: ValueType = V.TEXT, to: str = "x") -> Container:
    link = ByReference(relationship=relationship, target=to, origin="link")
    return root(node(kind, R.CONTAINS, link), node(V.TEXT, R.CONTAINS, anchor="x"))


@pytest.mark.parametrize("document_class", [COMPREHENSIVE, SPATIAL])
@pytest.mark.parametrize("relationship", [R.INFERRED_FROM, R.HAS_PROPERTIES, R.HAS_OBS_CONTEXT])
def test_relationships_may_be_by_reference(
    document_class: DocumentClass, relationship: Relationship
) -> None:
    """In the two comprehensive classes, where the table allows the relationship."""
    check_content(document_class, _linked(relationship))


@pytest.mark.parametrize(
    ("document_class", "tree", "rule"),
    [
        (BASIC, _linked(R.INFERRED_FROM), "PS3.3 A.35.1.3.1.2"),
        (ENHANCED, _linked(R.INFERRED_FROM), "PS3.3 A.35.2.3.1.2"),
        (KEY, _linked(R.INFERRED_FROM), "PS3.3 A.35.4.3.1.2"),
        (COMPREHENSIVE, _linked(R.CONTAINS, kind=V.CONTAINER), "PS3.3 A.35.3.3.1.2"),
        (COMPREHENSIVE, _linked(R.HAS_CONCEPT_MOD), "PS3.3 A.35.3.3.1.2"),
        (SPATIAL, _linked(R.HAS_CONCEPT_MOD), "PS3.3 A.35.13.3.1.2"),
        (COMPREHENSIVE, _linked(R.HAS_ACQ_CONTEXT), "PS3.3 Table A.35.3-2"),
        (COMPREHENSIVE, _linked(R.SELECTED_FROM, kind=V.SCOORD), "PS3.3 Table A.35.3-2 row 9"),
        (COMPREHENSIVE, _linked(R.INFERRED_FROM, to="y"), "PS3.3 C.17.3.2.5"),
    ],
)
def test_other_references_are_refused(
    document_class: DocumentClass, tree: Container, rule: str
) -> None:
    """The target's value type counts, wherever it stands; CONTAINS is never by reference."""
    refusal = _refusal(document_class, tree)
    assert (refusal.rule, refusal.where) == (rule, "link")


@pytest.mark.parametrize(("kind", "rule"), [(V.SCOORD, "PS3.3 C.18.6"), (V.TCOORD, "PS3.3 C.18.7")])
def test_coordinates_say_what_they_were_selected_from(kind: ValueType, rule: str) -> None:
    """Pixels of no image and times of no data mean nothing."""
    tree = root(node(kind, R.CONTAINS))
    check_content(ENHANCED, tree)
    bare = tree.children[0]
    assert isinstance(bare, ContentItem)
    assert _refusal(ENHANCED, root(replace(bare, children=()))).rule == rule


def test_an_impossible_region_is_refused() -> None:
    """The geometry is checked where the tree is."""
    tree = root(node(V.SCOORD, R.CONTAINS, points=((1.0, 1.0), (2.0, 2.0)), origin="line 7"))
    refusal = _refusal(COMPREHENSIVE, tree)
    assert (refusal.rule, refusal.where) == ("PS3.3 C.18.6.1.2", "line 7")


def test_the_key_path_is_blamed_where_there_is_one() -> None:
    """An item made from report input is named by the line it comes from."""
    item = node(V.NUM, R.CONTAINS, origin="section[1].item[2]")
    assert isinstance(item, Number)
    assert _refusal(BASIC, root(item)).where == "section[1].item[2]"


def test_sections_may_be_nested() -> None:
    """A container in a container in a container is a subheading of a subheading."""
    for document_class in (BASIC, ENHANCED, COMPREHENSIVE, SPATIAL):
        inner = node(V.CONTAINER, R.CONTAINS, node(V.TEXT, R.CONTAINS))
        check_content(document_class, root(node(V.CONTAINER, R.CONTAINS, inner)))


def test_bottomless_trees_are_refused() -> None:
    """Readers have limits on depth; so has what we write."""
    item: ContentItem = node(V.TEXT, R.CONTAINS)
    for _ in range(40):
        item = node(V.CONTAINER, R.CONTAINS, item)
    with pytest.raises(TemplateError):
        check_content(COMPREHENSIVE, root(item))


@pytest.mark.parametrize(
    "tree", [node(V.TEXT, None), Container(concept=CONCEPT, relationship=R.CONTAINS)]
)
def test_the_root_is_a_bare_container(tree: ContentItem) -> None:
    """Anything else is no document."""
    assert _refusal(COMPREHENSIVE, tree).rule == "PS3.3 C.17.3"
