"""Take one refusal or rule out at a time, and see whether a test notices.

    python -m tools.mutants                    every refusal and rule of sr/document
    python -m tools.mutants sr/document/values.py --workers 1

A refusal is a ``raise``, a fault that is noted down, or the sentence that a ``fault`` function
returns; a rule is a row of the content constraints, or a table of a file in ``templates/roots``.
Each is taken out in a copy of the tree, and the tests that come to its line run until the first
that fails. What no test notices is printed, and the exit code is 1.
"""

from __future__ import annotations

import argparse
import ast
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from tempfile import TemporaryDirectory
from typing import TypeGuard

from coverage import CoverageData

__all__ = ["Mutant", "mutants_of", "survivors"]

ROOT = Path(__file__).resolve().parent.parent
_COPIED = ("sr", "tests", "profiles", "templates", "certs-example", "tools", "docs", "examples")
_TESTS = (
    "tests/unit/document",
    "tests/unit/app/test_amending.py",
    "tests/unit/app/test_evidence_folder.py",
    "tests/unit/app/test_lifecycle.py",
    "tests/unit/cli/test_create.py",
    "tests/unit/cli/test_keyobject.py",
    "tests/unit/cli/test_several_studies.py",
)
_READERS = (
    "tests/unit/document/test_constraints.py",
    "tests/unit/document/test_by_reference.py",
    "tests/unit/document/test_root_templates.py",
)
"""The tests of those who read rules."""
_OF_ONE, _AT_MOST = 6, 40
"""How many cases of one test, and cases in all, may notice a refusal."""
_LONGEST = 600
"""Seconds after which the tests count as failed: a loop without end is noticed as well."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """A file without one of its refusals or rules."""

    path: Path
    """Relative to the tree."""
    line: int
    taken_out: str
    text: str
    """Of the whole file."""
    rule: bool = False
    """Whether it lacks a rule and not a refusal."""

    def __str__(self) -> str:
        """Return where it is and what it lacks."""
        return f"{self.path}:{self.line}: {self.taken_out}"


def mutants_of(path: Path) -> Iterator[Mutant]:
    """Yield the mutants of a file of the tree."""
    text = (ROOT / path).read_text(encoding="utf-8")
    yield from _without_tables(path, text) if path.suffix == ".toml" else _weakened(path, text)


def _weakened(path: Path, text: str) -> Iterator[Mutant]:
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if (isinstance(node, ast.Raise) and node.exc is not None) or _notes_a_fault(node):
            yield _replaced(path, text, node, "pass")
        elif isinstance(node, ast.FunctionDef) and _tells_a_fault(node):
            for inner in ast.walk(node):
                if isinstance(inner, ast.Return) and _is_text(inner.value):
                    yield _replaced(path, text, inner, "pass")
        elif isinstance(node, ast.Call) and getattr(node.func, "id", "") == "_Row":
            yield _replaced(path, text, node, "*()", rule=True)


def _notes_a_fault(node: ast.AST) -> TypeGuard[ast.Expr]:
    called = node.value if isinstance(node, ast.Expr) else None
    return isinstance(called, ast.Call) and ast.unparse(called.func) == "faults.append"


def _is_text(value: ast.expr | None) -> bool:
    constant = isinstance(value, ast.Constant) and isinstance(value.value, str)
    return constant or isinstance(value, ast.JoinedStr)


def _tells_a_fault(node: ast.FunctionDef) -> bool:
    return node.returns is not None and ast.unparse(node.returns) == "str | None"


def _replaced(
    path: Path, text: str, node: ast.stmt | ast.expr, instead: str, *, rule: bool = False
) -> Mutant:
    lines = text.splitlines(keepends=True)
    last = (node.end_lineno or node.lineno) - 1
    before = lines[node.lineno - 1].encode()[: node.col_offset].decode()
    after = lines[last].encode()[node.end_col_offset :].decode()
    new = [*lines[: node.lineno - 1], f"{before}{instead}{after}", *lines[last + 1 :]]
    taken = " ".join((ast.get_source_segment(text, node) or "").split())
    return Mutant(path=path, line=node.lineno, taken_out=taken[:100], text="".join(new), rule=rule)


def _without_tables(path: Path, text: str) -> Iterator[Mutant]:
    """Yield the file without one of its arrays' tables, and what is inside that."""
    starts = [match.start() for match in re.finditer(r"^\[", text, re.MULTILINE)]
    for number, start in enumerate(starts):
        header = text[start : text.index("\n", start)]
        if not header.startswith("[["):
            continue
        inside = f"[[{header.strip('[]')}."
        rest = (s for s in starts[number + 1 :] if not text.startswith(inside, s))
        end = next(rest, len(text))
        line = text.count("\n", 0, start) + 1
        taken = " ".join(text[start:end].split())
        left = text[:start] + text[end:]
        yield Mutant(path=path, line=line, taken_out=taken[:100], text=left, rule=True)


def survivors(paths: Sequence[Path], workers: int = 2) -> Iterator[Mutant]:
    """Yield the mutants that no test notices.

    Raises:
        RuntimeError: The tests fail before anything was taken out.
    """
    mutants = [mutant for path in paths for mutant in mutants_of(path)]
    with TemporaryDirectory() as folder:
        first = _copy(Path(folder) / "0")
        reached = _reached(first)
        copies: SimpleQueue[Path] = SimpleQueue()
        copies.put(first)
        for number in range(1, workers):
            copies.put(shutil.copytree(first, Path(folder) / str(number)))

        def lives(mutant: Mutant) -> bool:
            tests = reached(mutant)
            if not tests:
                return True
            copy = copies.get()
            target = copy / mutant.path
            whole = target.read_text(encoding="utf-8")
            try:
                target.write_text(mutant.text, encoding="utf-8")
                return _run(copy, tests) == 0
            finally:
                target.write_text(whole, encoding="utf-8")
                copies.put(copy)

        with ThreadPoolExecutor(workers) as pool:
            for mutant, alive in zip(mutants, pool.map(lives, mutants), strict=True):
                if alive:
                    yield mutant


def _copy(folder: Path) -> Path:
    leave = shutil.ignore_patterns("__pycache__", "*.pyc")
    for name in _COPIED:
        shutil.copytree(ROOT / name, folder / name, ignore=leave)
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


def _reached(copy: Path) -> Callable[[Mutant], list[str]]:
    """Return a function that says which tests may notice a mutant: those that come to its line.

    The nearest are first: they need no office.

    Rules are read as data; for them these are the tests of whoever reads them. What is compiled
    here stays for later runs, which keep nothing: a mutant is never taken for the file itself.
    """
    if _run(copy, [*_TESTS, "--cov=sr/document", "--cov-context=test", "--cov-report="], keep=True):
        raise RuntimeError("the tests fail as it is")
    data = CoverageData(copy / ".coverage")
    data.read()

    def tests_for(mutant: Mutant) -> list[str]:
        if mutant.rule:
            return list(_READERS)
        contexts = data.contexts_by_lineno(str(mutant.path)).get(mutant.line, [])
        ids = (context.partition("|")[0] for context in contexts)
        by_function: dict[str, list[str]] = {}
        for test in sorted(filter(None, ids), key=lambda i: (not i.startswith(_TESTS[0]), i)):
            by_function.setdefault(test.partition("[")[0], []).append(test)
        several = (tests[:_OF_ONE] for tests in by_function.values())
        return [test for tests in several for test in tests][:_AT_MOST]

    return tests_for


def _run(copy: Path, arguments: Sequence[str], *, keep: bool = False) -> int:
    """Return the exit code of the tests in a copy; where they keep anything, they are heard."""
    python = [sys.executable] if keep else [sys.executable, "-B"]
    command = [*python, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider"]
    try:
        run = subprocess.run(
            [*command, *arguments],
            cwd=copy,
            capture_output=not keep,
            timeout=_LONGEST,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return 1
    return run.returncode


def main() -> int:
    """Print the mutants that no test notices."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "paths", nargs="*", type=Path, help="files below sr/document or templates/roots"
    )
    parser.add_argument("--workers", type=int, default=2)
    given = parser.parse_args()
    alive = 0
    for mutant in survivors(given.paths or default_paths(), given.workers):
        print(mutant, flush=True)
        alive += 1
    return 1 if alive else 0


def default_paths() -> list[Path]:
    """Return the files that hold refusals and rules about documents."""
    found = (*ROOT.glob("sr/document/*.py"), *ROOT.glob("templates/roots/*.toml"))
    return sorted(path.relative_to(ROOT) for path in found)


if __name__ == "__main__":
    sys.exit(main())
