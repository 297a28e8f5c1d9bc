"""Every public name is explained, and the core says which clause it implements."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.layers import CORE, sources

CITING_ROOMS = ("dicomfile", "mac", *CORE)
DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def _exported(tree: ast.Module) -> tuple[str, ...] | None:
    for node in tree.body:
        if isinstance(node, ast.Assign) and any(
            isinstance(target, ast.Name) and target.id == "__all__" for target in node.targets
        ):
            return tuple(ast.literal_eval(node.value))
    return None


def _undocumented(tree: ast.Module) -> Iterator[str]:
    """Yield exported definitions, and public methods of exported classes, with no docstring."""
    exported = _exported(tree) or ()
    for node in tree.body:
        if isinstance(node, DEFINITIONS) and node.name in exported:
            if not ast.get_docstring(node):
                yield node.name
            for method in getattr(node, "body", ()):
                if (
                    isinstance(node, ast.ClassDef)
                    and isinstance(method, DEFINITIONS)
                    and not method.name.startswith("_")
                    and not ast.get_docstring(method)
                ):
                    yield f"{node.name}.{method.name}"


def _uncited(tree: ast.Module) -> Iterator[str]:
    """Yield exported definitions that cite no clause, nor does their module."""
    if "Cites:" in (ast.get_docstring(tree) or ""):
        return
    exported = _exported(tree) or ()
    for node in tree.body:
        if (
            isinstance(node, DEFINITIONS)
            and node.name in exported
            and "Cites:" not in (ast.get_docstring(node) or "")
        ):
            yield node.name


def _modules(repository: Path) -> Iterator[tuple[str, ast.Module]]:
    for path in sources(repository):
        name = path.relative_to(repository).as_posix()
        yield name, ast.parse(path.read_text(encoding="utf-8"))


def test_every_module_says_what_it_is(repository: Path) -> None:
    """Each module has a docstring."""
    assert not [name for name, tree in _modules(repository) if not ast.get_docstring(tree)]


def test_every_module_lists_its_public_names(repository: Path) -> None:
    """Each module with definitions has ``__all__``, and every name in it exists there."""
    faults = []
    for name, tree in _modules(repository):
        exported = _exported(tree)
        if exported is None:
            if any(isinstance(node, DEFINITIONS) for node in tree.body):
                faults.append(f"{name}: no __all__")
            continue
        known = {
            alias.asname or alias.name
            for node in tree.body
            if isinstance(node, ast.Import | ast.ImportFrom)
            for alias in node.names
        }
        known |= {node.name for node in tree.body if isinstance(node, DEFINITIONS)}
        known |= {
            target.id
            for node in tree.body
            if isinstance(node, ast.Assign | ast.AnnAssign)
            for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
            if isinstance(target, ast.Name)
        }
        lazy = "__getattr__" in known
        faults += [f"{name}: {export}" for export in exported if export not in known and not lazy]
    assert not faults, "\n".join(faults)


def test_every_public_name_has_a_docstring(repository: Path) -> None:
    """Exported functions and classes, and the public methods of such classes, are documented."""
    faults = [
        f"{name}: {item}" for name, tree in _modules(repository) for item in _undocumented(tree)
    ]
    assert not faults, "\n".join(faults)


def test_the_core_cites_its_clauses(repository: Path) -> None:
    """Each public function and class of the core cites a clause, itself or through its module."""
    faults = [
        f"{name}: {item}"
        for name, tree in _modules(repository)
        if name.split("/")[1] in CITING_ROOMS
        for item in _uncited(tree)
    ]
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("room", CITING_ROOMS)
def test_every_room_has_public_names(repository: Path, room: str) -> None:
    """The checks above have something to look at in every room of the core."""
    names = [
        name
        for path in (repository / "sr" / room).glob("*.py")
        for name in _exported(ast.parse(path.read_text(encoding="utf-8"))) or ()
    ]
    assert len(names) > 3


@pytest.mark.parametrize(
    ("text", "undocumented", "uncited"),
    [
        ('__all__ = ["f"]\ndef f(): pass\n', ["f"], ["f"]),
        ('__all__ = ["f"]\ndef f():\n    "It."\n', [], ["f"]),
        ('__all__ = ["f"]\ndef f():\n    "It. Cites: PS3.15 C.4"\n', [], []),
        ('"Module. Cites: PS3.5 7."\n__all__ = ["f"]\ndef f():\n    "It."\n', [], []),
        ('__all__ = ["C"]\nclass C:\n    "It."\n    def m(self): pass\n', ["C.m"], ["C"]),
        ("__all__ = []\ndef f(): pass\n", [], []),
    ],
)
def test_planted_gaps_are_found(text: str, undocumented: list[str], uncited: list[str]) -> None:
    """A missing docstring and a missing citation are each found where planted."""
    tree = ast.parse(text)
    assert (list(_undocumented(tree)), list(_uncited(tree))) == (undocumented, uncited)
