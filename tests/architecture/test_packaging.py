"""What is installed is what is in the checkout: the data folders reach the wheel file by file."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from importlib.metadata import PackageNotFoundError, packages_distributions, requires
from pathlib import Path

import pytest

DATA_FOLDERS = ("profiles", "templates")
NOT_BUILT = shutil.ignore_patterns(
    ".git", ".venv", ".*_cache", "__pycache__", "srsign-demo", "data", "dist", "tests", "*.egg-info"
)


def _wheel_through_sdist(checkout: Path, work: Path) -> Path:
    """Build the sdist, unpack it, and build the wheel from nothing but it."""
    _build("--sdist", checkout, work / "sdist")
    (archive,) = (work / "sdist").glob("*.tar.gz")
    with tarfile.open(archive) as sdist:
        sdist.extractall(work / "unpacked", filter="data")
    (unpacked,) = (work / "unpacked").iterdir()
    _build("--wheel", unpacked, work / "wheel")
    (wheel,) = (work / "wheel").glob("*.whl")
    return wheel


def _build(kind: str, source: Path, target: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-m", "build", kind, "--no-isolation", "--outdir", target, source],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr


def _differences(checkout: Path, wheel: Path) -> dict[str, set[str]]:
    """Return, for each data folder, the files that only one side has or that differ."""
    with zipfile.ZipFile(wheel) as packed:
        content = {name: packed.read(name) for name in packed.namelist()}
    found = {}
    for folder in DATA_FOLDERS:
        expected = {
            path.relative_to(checkout).as_posix(): path.read_bytes()
            for path in (checkout / folder).rglob("*")
            if path.is_file() and "__pycache__" not in path.parts
        }
        prefix = "sr/_resources/"
        shipped = {
            name.removeprefix(prefix): data
            for name, data in content.items()
            if name.startswith(f"{prefix}{folder}/")
        }
        assert expected, f"{folder} is empty"
        found[folder] = {
            name
            for name in expected.keys() | shipped.keys()
            if expected.get(name) != shipped.get(name)
        }
    return found


@pytest.fixture(scope="module")
def wheel(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel once, from a copy so that the checkout stays as it is."""
    work = tmp_path_factory.mktemp("packaging")
    shutil.copytree(repository, work / "checkout", ignore=NOT_BUILT)
    return _wheel_through_sdist(work / "checkout", work)


def test_the_wheel_ships_the_data_folders(repository: Path, wheel: Path) -> None:
    """A wheel built through the sdist holds profiles and templates file by file."""
    assert _differences(repository, wheel) == {folder: set() for folder in DATA_FOLDERS}


def test_a_left_out_folder_is_found(
    repository: Path, wheel: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Without the source mapping of templates/, exactly its files are reported."""
    work = tmp_path_factory.mktemp("left-out")
    shutil.copytree(wheel.parent.parent / "checkout", work / "checkout")
    project = work / "checkout" / "pyproject.toml"
    text = project.read_text(encoding="utf-8")
    mapping = '"templates" = "sr/_resources/templates"\n'
    assert mapping in text
    project.write_text(text.replace(mapping, ""), encoding="utf-8")
    _build("--wheel", work / "checkout", work / "wheel")
    (faulty,) = (work / "wheel").glob("*.whl")
    differences = _differences(repository, faulty)
    assert differences["templates"]
    assert not differences["profiles"]


def test_the_wheel_holds_nothing_else(wheel: Path) -> None:
    """Nothing but the package and its metadata is installed."""
    with zipfile.ZipFile(wheel) as packed:
        tops = {name.split("/")[0] for name in packed.namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"sr"}


def test_every_module_is_in_the_wheel(repository: Path, wheel: Path) -> None:
    """The wheel has the modules and the data files of ``sr/``."""
    with zipfile.ZipFile(wheel) as packed:
        shipped = {name for name in packed.namelist() if "/_resources/" not in name}
    expected = {
        path.relative_to(repository).as_posix()
        for path in (repository / "sr").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert expected <= shipped


def test_an_installed_wheel_finds_its_resources(wheel: Path, tmp_path: Path) -> None:
    """From an unpacked wheel, away from any checkout, both folders are found."""
    shutil.unpack_archive(wheel, tmp_path, "zip")
    program = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from sr.resources import resource_root\n"
        "for kind in ('profiles', 'templates'):\n"
        "    root = resource_root(kind)\n"
        "    assert sys.argv[1] in str(root), root\n"
        "    assert any(root.iterdir())\n"
    )
    run = subprocess.run(
        [sys.executable, "-I", "-c", program, str(tmp_path)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr


def test_the_core_installs_small(repository: Path) -> None:
    """Tokens, service and databases are extras: the core's dependencies stay a short list."""
    project = tomllib.loads((repository / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    names = {requirement.split(">")[0] for requirement in project["dependencies"]}
    assert not names & {"python-pkcs11", "fastapi", "sqlalchemy", "pynetdicom", "weasyprint"}
    everything = project["optional-dependencies"]["all"]
    extras = set(project["optional-dependencies"]) - {"all"}
    assert everything == [f"srsign[{','.join(sorted(extras, key=everything[0].index))}]"]


def _undeclared(repository: Path) -> set[str]:
    """Return what modules of sr/ import and no dependency or extra brings along."""
    project = tomllib.loads((repository / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    brought: set[str] = set()
    waiting = [*project["dependencies"], *(each for extra in extras.values() for each in extra)]
    while waiting:
        name = _canonical(waiting.pop())
        if name not in brought:
            brought.add(name)
            waiting += [each for each in _required_by(name) if "extra ==" not in each]
    trees = [ast.parse(path.read_bytes()) for path in (repository / "sr").rglob("*.py")]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    found = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    found |= {str(node.module) for node in nodes if isinstance(node, ast.ImportFrom)}
    ours = {"sr", "_typeshed", *sys.stdlib_module_names}
    shipped = packages_distributions()
    return {
        module
        for module in {name.split(".")[0] for name in found} - ours
        if not brought & {_canonical(each) for each in shipped.get(module, ())}
    }


def _canonical(requirement: str) -> str:
    return re.split(r"[^\w.-]", requirement)[0].lower().replace("_", "-")


def _required_by(distribution: str) -> list[str]:
    try:
        return requires(distribution) or []
    except PackageNotFoundError:
        return []


def test_what_is_imported_is_declared(repository: Path) -> None:
    """Every library that a module of sr/ imports comes with a dependency or an extra."""
    assert not _undeclared(repository)


def test_an_undeclared_library_is_found(repository: Path, tmp_path: Path) -> None:
    """Without its line in an extra, a library that is imported is named."""
    shutil.copytree(repository / "sr", tmp_path / "sr", ignore=NOT_BUILT)
    text = (repository / "pyproject.toml").read_text(encoding="utf-8")
    (tmp_path / "pyproject.toml").write_text(text.replace('  "structlog>=', '  "nobody>='))
    assert _undeclared(tmp_path) == {"structlog"}
