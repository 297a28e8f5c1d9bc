"""Reads imports and calls with ``ast`` and holds them against the order of the house.

No module is imported and none is exempt, so a planted fault in a copy of the tree is found the
same way as one in the tree itself. A package is one room: inside it imports are free.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

__all__ = ["CORE", "Violation", "import_closure", "impurities", "layer_violations", "sources"]

GROUND = ("errors", "findings", "codes", "resources", "rulefile")
BYTES = ("dicomfile", "mac")
CORE = ("signature", "trust", "document", "verification")
EDGES = ("keys", "app", "store", "net", "service", "compose")
SHELLS = ("cli", "web", "dimse")

# Rooms of one rank are siblings: none imports another. The ground is one room.
RANK = (
    dict.fromkeys(GROUND, 0)
    | {room: rank for rank, room in enumerate((*BYTES, *CORE, *EDGES), start=1)}
    | dict.fromkeys((*SHELLS, "__main__"), 100)
)

# What a pure room may not import: disk, network, processes, clocks, randomness.
IMPURE_MODULES = frozenset(
    [
        "glob",
        "http",
        "mmap",
        "multiprocessing",
        "os",
        "pathlib",
        "pkcs11",
        "random",
        "requests",
        "aiohttp",
        "secrets",
        "shutil",
        "signal",
        "socket",
        "sqlite3",
        "ssl",
        "subprocess",
        "tempfile",
        "threading",
        "time",
        "urllib",
        "uuid",
    ]
)
PURE_NAMES = frozenset({"pathlib.PurePath", "pathlib.PurePosixPath", "urllib.parse"})
IMPURE_CALLS = frozenset(
    [
        "breakpoint",
        "generate_uid",
        "getenv",
        "input",
        "monotonic",
        "now",
        "open",
        "perf_counter",
        "print",
        "time_ns",
        "today",
        "token_bytes",
        "token_hex",
        "urandom",
        "utcnow",
        "uuid1",
        "uuid4",
    ]
)
PRIVATE_KEY_NAMES = frozenset(
    [
        "generate_private_key",
        "load_der_private_key",
        "load_key_and_certificates",
        "load_pem_private_key",
        "load_pkcs12",
        "load_ssh_private_key",
    ]
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """One place that breaks the order."""

    path: str
    line: int
    what: str

    def __str__(self) -> str:
        """Return the place as editors understand it."""
        return f"{self.path}:{self.line}: {self.what}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Import:
    module: str
    line: int
    eager: bool
    """At module level and at run time, so that importing the module pays for it."""


def sources(root: Path) -> tuple[Path, ...]:
    """Return the modules of the package ``sr`` under ``root``."""
    return tuple(sorted((root / "sr").rglob("*.py")))


def layer_violations(root: Path) -> tuple[Violation, ...]:
    """Return every import that goes against the order of the house."""
    return tuple(
        Violation(path=str(path.relative_to(root)), line=imported.line, what=what)
        for path in sources(root)
        for imported in _imports(root, path)
        if (what := _objection(_room(_module(root, path)), imported.module))
    )


def impurities(root: Path) -> tuple[Violation, ...]:
    """Return every clock, random number, disk, network or private key in the pure rooms."""
    return tuple(
        Violation(path=str(path.relative_to(root)), line=line, what=what)
        for path in sources(root)
        if _room(_module(root, path)) in (*BYTES, *CORE)
        for line, what in _impure(root, path)
    )


def import_closure(root: Path, start: str) -> dict[str, tuple[str, ...]]:
    """Return every module that importing ``start`` imports, with the way that leads to it.

    Foreign modules are leaves. Imports inside functions and under ``TYPE_CHECKING`` do not count.
    """
    paths = {_module(root, path): path for path in sources(root)}
    ways: dict[str, tuple[str, ...]] = {}
    waiting: list[tuple[str, tuple[str, ...]]] = [(name, (name,)) for name in _with_parents(start)]
    while waiting:
        name, way = waiting.pop()
        if name in ways:
            continue
        ways[name] = way
        if name in paths:
            waiting += [
                (target, (*way, target))
                for imported in _imports(root, paths[name])
                if imported.eager
                for target in _with_parents(imported.module)
            ]
    return ways


def _objection(room: str, module: str) -> str | None:
    top, _, rest = module.partition(".")
    if top in {"tests", "tools", "benchmarks", "profiles", "templates"}:
        return f"imports {module}, which is not installed"
    if top == "pkcs11" and room != "keys":
        return "imports pkcs11 outside sr.keys"
    if top != "sr" or not rest or rest.startswith("__"):
        return None
    target = _room(module)
    unknown = next((r for r in (room, target) if r and r not in RANK), None)
    if unknown is not None:
        return f"room sr.{unknown} has no place in the house"
    if not room:
        return f"sr itself imports {module}, so that every import would"
    same = target == room or (room in GROUND and target in GROUND)
    return None if same or RANK[target] < RANK[room] else f"{room} imports {module}"


def _impure(root: Path, path: Path) -> Iterator[tuple[int, str]]:
    for imported in _imports(root, path):
        top = imported.module.partition(".")[0]
        pure = any(
            imported.module == name or imported.module.startswith(name + ".") for name in PURE_NAMES
        )
        if top in IMPURE_MODULES and not pure:
            yield imported.line, f"imports {imported.module}"
        if _is_private(imported.module.rpartition(".")[2]):
            yield imported.line, f"imports {imported.module}"
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.Call):
            name = _called(node.func)
            if name in IMPURE_CALLS:
                yield node.lineno, f"calls {name}()"
        elif isinstance(node, ast.Attribute) and _is_private(node.attr):
            yield node.lineno, f"names {node.attr}"


def _is_private(name: str) -> bool:
    return name in PRIVATE_KEY_NAMES or name.endswith("PrivateKey")


def _called(function: ast.expr) -> str | None:
    if isinstance(function, ast.Name):
        return function.id
    return function.attr if isinstance(function, ast.Attribute) else None


def _imports(root: Path, path: Path) -> Iterator[_Import]:
    """Yield imports, dotted and absolute; ``from a import b`` yields ``a.b``."""
    tree = _tree(path)
    lazy = {id(node) for scope in _lazy_scopes(tree) for node in ast.walk(scope)}
    package = _module(root, path)
    if path.name != "__init__.py":
        package = package.rpartition(".")[0]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield _Import(module=alias.name, line=node.lineno, eager=id(node) not in lazy)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parents = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*parents, *([base] if base else [])])
            for alias in node.names:
                module = f"{base}.{alias.name}"
                yield _Import(module=module, line=node.lineno, eager=id(node) not in lazy)


def _lazy_scopes(tree: ast.Module) -> Iterator[ast.AST]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield node
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            yield from node.body


def _with_parents(module: str) -> Iterator[str]:
    parts = module.split(".")
    for length in range(1, len(parts) + 1):
        yield ".".join(parts[:length])


def _room(module: str) -> str:
    return module.split(".")[1] if "." in module else ""


def _module(root: Path, path: Path) -> str:
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))
