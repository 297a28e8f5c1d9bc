"""Random content trees: refused with the row that they break, or accepted by other programs.

The tables are also compared with DCMTK's, relationship by relationship. Where we are stricter or
newer than DCMTK 3.6.7, the difference is listed here.
"""

from __future__ import annotations

from collections import Counter
from itertools import product
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sr.document.by_reference import find_anchored
from sr.document.constraints import DocumentClass, check_content
from sr.document.content import ByReference, Container, Relationship, ValueType, walk
from sr.document.relationship_tables import RELATIONSHIP_TABLES
from sr.errors import TemplateError
from tests.support.peers import dciodvfy, dsrdump
from tests.support.trees import document, node, root, trees, unchecked

pytestmark = pytest.mark.peer

_R, _V = Relationship, ValueType

_NOISE = ("does not support this Specific Character Set", "Check for template constraints")
_UNKNOWN_TO_DCIODVFY = "TCOORD = <SCOORD3D> - expected SCOORD, IMAGE or WAVEFORM"
"""PS3.3 Table A.35.13-2 and DCMTK let temporal coordinates be selected from spatial ones in 3D."""
_SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large]


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a place for one document after the other."""
    return tmp_path_factory.mktemp("tree") / "tree.dcm"


def _is_newer_than_peer(document_class: DocumentClass, tree: Container) -> bool:
    """Whether DCMTK 3.6.7 lacks what CP-2084 added to the two comprehensive classes."""
    anchored = find_anchored(tree)
    contexts = [n for _, _, n in walk(tree) if n.relationship is _R.HAS_OBS_CONTEXT]
    items = [anchored[n.target].item if isinstance(n, ByReference) else n for n in contexts]
    by_reference = RELATIONSHIP_TABLES[document_class].by_reference
    return by_reference and any(item.value_type is _V.CONTAINER for item in items)


def _complaints(path: Path) -> list[str]:
    """Return what dsrdump says about a document, whether or not it reads on."""
    lines = dsrdump(path).output.splitlines()
    said = [line for line in lines if line.startswith(("E: ", "F: ", "W: "))]
    return [line for line in said if not any(noise in line for noise in _NOISE)]


def _refused_or_accepted(document_class: DocumentClass, tree: Container, path: Path) -> None:
    rule = _rule_broken(document_class, tree)
    if rule is not None:
        assert rule.startswith("PS3.3 ")
        return
    path.write_bytes(document(document_class, tree))
    said = dciodvfy(path).output.splitlines()
    assert not [
        line
        for line in said
        if ("rror" in line or "expected" in line) and _UNKNOWN_TO_DCIODVFY not in line
    ]
    if not _is_newer_than_peer(document_class, tree):
        assert not _complaints(path)


def _rule_broken(document_class: DocumentClass, tree: Container) -> str | None:
    try:
        check_content(document_class, tree)
    except TemplateError as error:
        return error.rule
    return None


@pytest.mark.parametrize("document_class", DocumentClass)
@settings(max_examples=8, deadline=None, suppress_health_check=_SLOW)
@given(data=st.data())
def test_a_tree_is_refused_with_its_row_or_accepted_by_peers(
    document_class: DocumentClass, file: Path, data: st.DataObject
) -> None:
    """Nothing between: whatever we write, dciodvfy and dsrdump find no fault in it."""
    _refused_or_accepted(document_class, data.draw(trees(document_class)), file)


@pytest.mark.prove
@pytest.mark.parametrize("document_class", DocumentClass)
def test_both_happen(document_class: DocumentClass) -> None:
    """Of the trees drawn a fifth or more are refused, as many accepted, also by reference."""
    drawn: Counter[tuple[bool, bool]] = Counter()

    @settings(max_examples=200, deadline=None, suppress_health_check=_SLOW)
    @given(trees(document_class))
    def count(tree: Container) -> None:
        linked = any(isinstance(node, ByReference) for _, _, node in walk(tree))
        drawn[_rule_broken(document_class, tree) is None, linked] += 1

    count()
    total = sum(drawn.values())
    accepted = drawn[True, False] + drawn[True, True]
    assert 0.2 * total < accepted < 0.8 * total
    assert (drawn[True, True] > 0) == RELATIONSHIP_TABLES[document_class].by_reference


@pytest.mark.prove
@pytest.mark.parametrize("document_class", DocumentClass)
@settings(max_examples=1000, deadline=None, suppress_health_check=_SLOW)
@given(data=st.data())
def test_a_thousand_trees_are_refused_or_accepted(
    document_class: DocumentClass, file: Path, data: st.DataObject
) -> None:
    """The same with a thousand trees a class, that break the tables less often."""
    _refused_or_accepted(document_class, data.draw(trees(document_class, breaks=60)), file)


@pytest.mark.prove
@pytest.mark.parametrize("document_class", DocumentClass)
def test_every_row_by_value_is_that_of_dcmtk(document_class: DocumentClass, file: Path) -> None:
    """All combinations of source, relationship and target: the peer allows what we allow."""
    differences = set()
    for source, relationship, target in product(_V, _R, _V):
        below = node(target, relationship)
        tree = root(below if source is _V.CONTAINER else node(source, _R.CONTAINS, below))
        file.write_bytes(unchecked(document_class, tree))
        if (_rule_broken(document_class, tree) is None) != (dsrdump(file).returncode == 0):
            differences.add((source, relationship, target))
    table = RELATIONSHIP_TABLES[document_class]
    newer = {(_V.CONTAINER, _R.HAS_OBS_CONTEXT, _V.CONTAINER)} if table.by_reference else set()
    coordinates = table.value_types & {_V.SCOORD, _V.TCOORD}
    stricter = set(product(coordinates, [_R.HAS_CONCEPT_MOD], [_V.TEXT, _V.CODE]))
    assert differences == newer | stricter


@pytest.mark.prove
@pytest.mark.parametrize(
    "document_class", [DocumentClass.COMPREHENSIVE, DocumentClass.COMPREHENSIVE_3D]
)
def test_every_row_by_reference_is_that_of_dcmtk(document_class: DocumentClass, file: Path) -> None:
    """By reference as well; but DCMTK lets all except containers be contained by reference."""
    types = RELATIONSHIP_TABLES[document_class].value_types
    differences = set()
    for source, relationship, target in product(types, _R, types):
        link = ByReference(relationship=relationship, target="target")
        tree = root(node(source, _R.CONTAINS, link), node(target, _R.CONTAINS, anchor="target"))
        file.write_bytes(unchecked(document_class, tree))
        if (_rule_broken(document_class, tree) is None) == bool(_complaints(file)):
            differences.add((source, relationship, target))
    contained = {(_V.CONTAINER, _R.CONTAINS, target) for target in types - {_V.CONTAINER}}
    newer = {(_V.CONTAINER, _R.HAS_OBS_CONTEXT, _V.CONTAINER)}
    assert differences == contained | newer
