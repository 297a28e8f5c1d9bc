"""An edit changes what it is about, and not a byte of anything else."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sr.dicomfile import BytesSource, DataSet, read
from sr.dicomfile.dataset import Encoding
from sr.dicomfile.splice import AppendItem, SetElement, assemble, splice
from tests.support.dicom_bytes import Encoder, Node, part10, tree
from tests.support.strategies import ENCODINGS, data_sets, encodings, leaves, stored

Path = tuple[tuple[int, int], ...]


def _parsed(dataset: DataSet, encoder: Encoder) -> list[Node]:
    """Return what a reader sees, values little endian."""
    nodes: list[Node] = []
    for e in dataset:
        if e.items is not None:
            nodes.append((e.tag, e.vr, [_parsed(item, encoder) for item in e.items]))
        else:
            nodes.append((e.tag, e.vr, encoder.value(e.vr, dataset.value(e))))
    return nodes


def _paths(nodes: list[Node], above: Path = ()) -> list[Path]:
    found = [above]
    for tag, _vr, value in nodes:
        if not isinstance(value, bytes):
            for index, item in enumerate(value):
                found += _paths(list(item), (*above, (tag, index)))
    return found


def _level(nodes: list[Node], path: Path) -> list[Node]:
    for tag, index in path:
        (value,) = (v for t, _vr, v in nodes if t == tag)
        nodes = value[index]  # type: ignore[assignment]
    return nodes


def _copied(nodes: list[Node]) -> list[Node]:
    return [
        (tag, vr, value if isinstance(value, bytes) else [_copied(list(i)) for i in value])
        for tag, vr, value in nodes
    ]


def _put(level: list[Node], node: Node) -> None:
    level[:] = sorted([n for n in level if n[0] != node[0]] + [node], key=lambda n: n[0])


@given(data_sets(), encodings(), st.booleans(), st.data())
def test_edits_do_what_they_say_and_no_more(nodes, nickname, undefined, data):
    """Several edits at any level give the data set a model of them gives."""
    encoder = ENCODINGS[nickname]
    encoding = Encoding(encoder.explicit, encoder.little)
    model, edits = _copied(nodes), []
    taken: set[tuple[Path, int]] = set()
    for _ in range(data.draw(st.integers(1, 3))):
        path = data.draw(st.sampled_from(_paths(nodes)))
        level = _level(model, path)
        kind = data.draw(st.sampled_from(["set", "remove", "append"]))
        leaf = data.draw(leaves())
        tag = 0x0040A730 if kind == "append" else leaf[0]
        if (path, tag) in taken:
            continue
        taken.add((path, tag))
        if kind == "append":
            edits.append(AppendItem(tag=tag, content=tree([leaf], encoder), path=path))
            present = [list(v) for t, _vr, v in level if t == tag]
            _put(level, (tag, "SQ", [*(present[0] if present else []), [leaf]]))  # type: ignore[list-item]
        elif kind == "set":
            edits.append(SetElement(tag=tag, encoded=tree([leaf], encoder), path=path))
            _put(level, leaf)
        else:
            edits.append(SetElement(tag=tag, encoded=None, path=path))
            level[:] = [n for n in level if n[0] != tag]
    original = part10(stored(tree(nodes, encoder, undefined=undefined), nickname), nickname)
    before = read(BytesSource(original))
    assert before.dataset.encoding == encoding
    after = read(BytesSource(assemble(splice(before, data.draw(st.permutations(edits))))))
    assert _parsed(after.dataset, encoder) == model
    touched = {path[0][0] if path else tag for path, tag in taken}
    for element in before.dataset:
        if element.tag not in touched:
            again = after.dataset.get(element.tag)
            assert again is not None
            assert _bytes(after.dataset, again) == _bytes(before.dataset, element)


def _bytes(dataset: DataSet, element: object) -> bytes:
    start, end = element.start, element.end  # type: ignore[attr-defined]
    return dataset.source.read_at(start, end - start)


@given(data_sets(), encodings(), st.data())
def test_the_input_is_not_touched(nodes, nickname, data):
    """Neither the file nor its source changes when it is edited."""
    encoder = ENCODINGS[nickname]
    original = part10(stored(tree(nodes, encoder), nickname), nickname)
    file = read(BytesSource(original))
    elements = file.dataset.elements
    leaf = data.draw(leaves())
    edit = SetElement(tag=leaf[0], encoded=tree([leaf], encoder))
    first = assemble(splice(file, [edit]))
    assert assemble(splice(file, [edit])) == first
    assert file.source.read_at(0, len(original) + 1) == original
    assert file.dataset.elements == elements
