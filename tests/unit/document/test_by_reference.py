"""Relationships by reference: positions and loops."""

from __future__ import annotations

from io import BytesIO

import pytest
from pydicom import dcmread

from sr.document.by_reference import find_anchored, refuse_loops
from sr.document.constraints import DocumentClass
from sr.document.content import ByReference, Container, Node, Relationship, ValueType
from sr.errors import TemplateError
from tests.support.trees import document, node, root

R, V = Relationship, ValueType


def _text(*children: Node, anchor: str = "") -> Node:
    return node(V.TEXT, R.INFERRED_FROM, *children, anchor=anchor)


def _link(target: str, relationship: Relationship = R.INFERRED_FROM) -> ByReference:
    return ByReference(relationship=relationship, target=target, origin=f"to {target}")


def _check(tree: Container) -> None:
    refuse_loops(tree, find_anchored(tree))


def test_positions_are_ordinals_from_the_root() -> None:
    """The root is 1, its second child 1.2, and a reference in between counts as a child."""
    tree = root(_text(), _text(_link("x"), _text(anchor="x")), _text(anchor="y"))
    found = find_anchored(tree)
    assert {name: found[name].position for name in found} == {"x": (1, 2, 2), "y": (1, 3)}


def test_a_reference_is_written_as_relationship_and_position() -> None:
    """Nothing else stands in the item: no value type, no name."""
    tree = root(
        node(V.NUM, R.CONTAINS, _link("image"), _link("region")),
        node(V.IMAGE, R.CONTAINS, anchor="image"),
        node(V.SCOORD, R.CONTAINS, _link("image", R.SELECTED_FROM), anchor="region"),
    )
    dataset = dcmread(BytesIO(document(DocumentClass.COMPREHENSIVE, tree)))
    number, _, region = dataset.ContentSequence
    assert [list(i.ReferencedContentItemIdentifier) for i in number.ContentSequence] == [
        [1, 2],
        [1, 3],
    ]
    (selected,) = region.ContentSequence
    assert [element.keyword for element in selected] == [
        "RelationshipType",
        "ReferencedContentItemIdentifier",
    ]
    assert selected.RelationshipType == "SELECTED FROM"


def test_anchors_are_not_written() -> None:
    """They are names of this package, nobody else's."""
    tree = root(node(V.TEXT, R.CONTAINS, anchor="very-special-anchor"))
    assert b"very-special-anchor" not in document(DocumentClass.COMPREHENSIVE, tree)


def test_two_items_cannot_have_one_anchor() -> None:
    """A reference would be to either."""
    with pytest.raises(TemplateError) as caught:
        find_anchored(root(_text(anchor="x"), _text(_text(anchor="x"))))
    assert caught.value.rule == "PS3.3 C.17.3.2.5"


def test_a_diamond_is_no_loop() -> None:
    """Two items may rest on the same third one, and one of them on the other."""
    _check(root(_text(_link("c"), anchor="a"), _text(_link("a"), _link("c")), _text(anchor="c")))


def test_a_descendant_may_be_referred_to() -> None:
    """What stands further down is no ancestor."""
    _check(root(_text(_link("deep"), _text(_text(anchor="deep")))))


@pytest.mark.parametrize(
    "tree",
    [
        root(_text(_link("a"), anchor="a")),
        root(_text(_text(_text(_link("a"))), anchor="a")),
        Container(anchor="a", children=(_text(_link("a")),)),
    ],
    ids=["itself", "ancestor", "root"],
)
def test_a_reference_to_an_ancestor_is_refused(tree: Container) -> None:
    """Relationships by reference to ancestors are forbidden, and so is one to itself."""
    with pytest.raises(TemplateError) as caught:
        _check(tree)
    assert caught.value.where == "to a"


@pytest.mark.parametrize(
    "tree",
    [
        root(_text(_link("b"), anchor="a"), _text(_link("a"), anchor="b")),
        root(_text(_link("b"), anchor="a"), _text(_text(_link("a")), anchor="b")),
        root(*(_text(_link(f"n{(n + 1) % 50}"), anchor=f"n{n}") for n in range(50))),
    ],
    ids=["siblings", "through-a-child", "long"],
)
def test_a_loop_without_ancestor_is_refused(tree: Container) -> None:
    """Forbidding ancestors alone does not prevent loops."""
    with pytest.raises(TemplateError) as caught:
        _check(tree)
    assert caught.value.rule == "PS3.3 C.17.3.2.5"
    assert (caught.value.where or "").startswith("to ")
