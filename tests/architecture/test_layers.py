"""The order of the house holds: who may import whom, and what the pure rooms may not touch."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.layers import import_closure, impurities, layer_violations, sources

# What reading and judging a file may not cost: authoring, rendering and tokens stay unloaded.
AUTHORING = ("pydicom", "highdicom", "pkcs11", "jinja2", "numpy", "segno", "weasyprint")

PLANTED = {
    "upward": ("sr/mac/bad.py", "from sr.verification import verdict\n"),
    "upward, lazily": ("sr/mac/bad.py", "def f():\n    import sr.app.checks.check\n"),
    "upward, relative": ("sr/dicomfile/bad.py", "from ..keys import uri\n"),
    "upward, for types only": (
        "sr/mac/bad.py",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from sr.trust import policy\n",
    ),
    "ground into bytes": ("sr/codes.py", "from sr import dicomfile\n"),
    "shell into sibling": ("sr/cli/bad.py", "import sr.web\n"),
    "edge into shell": ("sr/app/bad.py", "from sr.cli import main\n"),
    "core into store": ("sr/document/bad.py", "from sr.store import documents\n"),
    "token outside keys": ("sr/app/bad.py", "import pkcs11\n"),
    "tests in the package": ("sr/app/bad.py", "from tests.support import peers\n"),
    "unknown room": ("sr/utils/text.py", "from sr import errors\n"),
    "package root imports": ("sr/__init__.py", "from sr import codes\n"),
}

IMPURE = {
    "open": "def f(p):\n    return open(p)\n",
    "now": "from datetime import UTC, datetime\nT = datetime.now(UTC)\n",
    "utcnow": "import datetime\nT = datetime.datetime.utcnow()\n",
    "today": "from datetime import date\nT = date.today()\n",
    "time": "import time\n",
    "uuid": "def f():\n    from uuid import uuid4\n    return uuid4()\n",
    "random": "import random\n",
    "secrets": "import secrets\n",
    "os": "import os.path\n",
    "socket": "import socket\n",
    "path": "from pathlib import Path\n",
    "subprocess": "import subprocess\n",
    "generated UID": "from pydicom.uid import generate_uid\nU = generate_uid()\n",
    "private key": (
        "from cryptography.hazmat.primitives.serialization import load_pem_private_key\n"
    ),
    "private key type": (
        "from cryptography.hazmat.primitives.asymmetric import rsa\nK = rsa.RSAPrivateKey\n"
    ),
    "token": "import pkcs11\n",
    "standard output": "print('x')\n",
}


def _plant(root: Path, name: str, text: str) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _shown(violations: tuple[object, ...]) -> str:
    return "\n".join(map(str, violations))


def test_imports_follow_the_order_of_the_house(repository: Path) -> None:
    """A module imports only what stands above its room, or its own room."""
    violations = layer_violations(repository)
    assert not violations, _shown(violations)


def test_pure_rooms_touch_nothing_outside(repository: Path) -> None:
    """The byte and core rooms have no clock, randomness, disk, network or private key."""
    violations = impurities(repository)
    assert not violations, _shown(violations)


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_import_is_found(name: str, tmp_path: Path) -> None:
    """Each way of importing against the order is found in a tree that has just that fault."""
    _plant(tmp_path, *PLANTED[name])
    assert len(layer_violations(tmp_path)) == 1


@pytest.mark.parametrize("name", IMPURE)
def test_a_planted_impurity_is_found(name: str, tmp_path: Path) -> None:
    """Each impurity is found in a core room."""
    _plant(tmp_path, "sr/trust/bad.py", IMPURE[name])
    assert impurities(tmp_path)


@pytest.mark.parametrize("name", [name for name in IMPURE if name != "token"])
def test_an_edge_may_touch_the_world(name: str, tmp_path: Path) -> None:
    """What is forbidden to the core is the business of the edges."""
    _plant(tmp_path, "sr/app/good.py", IMPURE[name])
    assert not impurities(tmp_path)
    assert not layer_violations(tmp_path)


def test_a_sound_tree_is_clean(tmp_path: Path) -> None:
    """Downward, own-room and foreign imports raise no objection."""
    _plant(tmp_path, "sr/mac/stream.py", "from sr.dicomfile import read\nfrom . import digest\n")
    _plant(tmp_path, "sr/cli/main.py", "from sr import __version__\nfrom sr.app import check\n")
    _plant(tmp_path, "sr/errors.py", "from sr.findings import Finding\n")
    _plant(tmp_path, "sr/document/x.py", "from pathlib import PurePath\nimport highdicom\n")
    assert not layer_violations(tmp_path)
    assert not impurities(tmp_path)


def test_the_closure_follows_package_inits(tmp_path: Path) -> None:
    """A heavy import in a package's ``__init__`` is found from a module beside it."""
    _plant(tmp_path, "sr/document/__init__.py", "from sr.document.builder import build\n")
    _plant(tmp_path, "sr/document/builder.py", "import highdicom\n")
    _plant(tmp_path, "sr/document/reference.py", "X = 1\n")
    _plant(tmp_path, "sr/app/checks/check.py", "from sr.document.reference import X\n")
    assert "highdicom" in import_closure(tmp_path, "sr.app.checks.check")


def test_the_closure_leaves_lazy_imports_out(tmp_path: Path) -> None:
    """An import inside a function costs nothing at start-up."""
    _plant(tmp_path, "sr/app/checks/check.py", "def f():\n    import highdicom\n")
    assert "highdicom" not in import_closure(tmp_path, "sr.app.checks.check")


@pytest.mark.parametrize(
    "start", ["sr.app.checks.check", "sr.app.checks.inspect", "sr.app.checks.mac", "sr.cli.main"]
)
def test_checking_needs_no_authoring_library(repository: Path, start: str) -> None:
    """Neither checking nor the start of the command line imports an authoring library."""
    closure = import_closure(repository, start)
    assert len(closure) > 10, f"{start} is missing"
    ways = [" → ".join(closure[name]) for name in AUTHORING if name in closure]
    assert not ways, "\n".join(ways)


def test_a_real_check_loads_no_authoring_library(repository: Path) -> None:
    """``srsign check`` of a DICOM file runs to its exit code without an authoring library."""
    from pydicom.data import get_testdata_file

    program = (
        "import sys\n"
        "from sr.cli.main import main\n"
        "sys.argv = ['srsign', 'check', sys.argv[1], '--json']\n"
        "try:\n    main()\nexcept SystemExit as stop:\n    assert stop.code == 12, stop.code\n"
        f"print([name for name in {AUTHORING!r} if name in sys.modules], file=sys.stderr)\n"
    )
    report = str(get_testdata_file("test-SR.dcm"))
    run = subprocess.run(
        [sys.executable, "-c", program, report],
        cwd=repository,
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stderr.splitlines()[-1] == "[]"


def test_no_test_patches_a_module(repository: Path) -> None:
    """The test double is the port: nothing uses the standard library's patching."""
    patching = re.compile(r"mock\.patch|import\s+mock")
    guilty = [
        path.relative_to(repository)
        for folder in ("sr", "tests", "tools", "benchmarks")
        for path in (repository / folder).rglob("*.py")
        if patching.search(path.read_text(encoding="utf-8"))
    ]
    assert not guilty


def test_no_module_outgrows_its_room(repository: Path) -> None:
    """A module longer than 400 lines usually holds two people."""
    long = {
        str(path.relative_to(repository)): lines
        for path in sources(repository)
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > 400
    }
    assert not long
