"""What the commands of the service say where the service is not installed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

COMMANDS = [
    "serve",
    "worker",
    "db migrate",
    "user list",
    "api-key list",
    "audit check",
    "audit anchor --key file:absent.key",
    "audit export -o out.xml",
]
"""Each needs the extra ``http``."""
LIBRARIES = ["sqlalchemy", "alembic", "fastapi", "starlette", "pydantic", "uvicorn"]


@pytest.fixture(scope="module")
def said(repository: Path) -> dict[str, str]:
    """What each command says in a process that cannot import the libraries of the service."""
    program = (
        "import contextlib, io, json, sys\n"
        f"sys.modules |= dict.fromkeys({LIBRARIES!r})\n"
        "from sr.cli.main import main\n"
        "said = {}\n"
        f"for line in {COMMANDS!r}:\n"
        "    with contextlib.redirect_stderr(io.StringIO()) as heard:\n"
        "        try:\n"
        "            code = main(line.split())\n"
        "        except SystemExit as ended:\n"
        "            code = ended.code\n"
        "    said[line] = f'{code} {heard.getvalue()}'\n"
        "print(json.dumps(said))\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], cwd=repository, capture_output=True, text=True, check=True
    )
    found: dict[str, str] = json.loads(run.stdout)
    return found


@pytest.mark.parametrize("line", COMMANDS)
def test_without_the_extra(said: dict[str, str], line: str) -> None:
    """A command that needs the service says how to install it, and ends with 2."""
    assert said[line].startswith("2 ")
    assert "srsign[http]" in said[line]
