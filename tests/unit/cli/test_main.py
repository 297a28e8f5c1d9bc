"""The command line as a whole: help, usage errors, version."""

from __future__ import annotations

import json
import re

import pytest

from sr import __version__
from tests.support.console import srsign

COMMANDS = (
    *("demo", "create", "keyobject", "sign", "approve", "check", "inspect", "mac", "seal"),
    *("manifest", "certs", "render", "token", "template", "doctor", "trust"),
    *("amend", "survives", "bundle", "audit", "serve", "worker", "config", "db"),
    *("agent", "user", "api-key"),
)
GROUPS = {
    "mac": {"dump", "compute"},
    "manifest": {"create", "files", "check"},
    "audit": {"check", "anchor", "export"},
    "bundle": {"create", "renew"},
    "certs": {"demo"},
    "config": {"show"},
    "agent": {"pair", "run", "list", "forget"},
    "db": {"migrate"},
    "user": {"add", "list", "disable"},
    "api-key": {"add", "list", "revoke"},
    "token": {"list", "test", "import"},
    "trust": {"list", "add", "remove", "update"},
    "template": {"check", "list", "show"},
}
MISUSES = {
    "no such command": ["chekc"],
    "no such option": ["check", "x.dcm", "--nonsense"],
    "no file": ["check"],
    "no purpose": ["sign", "x.dcm", "--key", "file:k", "--cert", "c", "-o", "o.dcm"],
    "no such purpose": ["sign", "x.dcm", "--purpose", "19", "--key", "file:k", "-o", "o.dcm"],
    "no key": ["sign", "x.dcm", "--purpose", "author", "-o", "o.dcm"],
    "no such title": ["keyobject", "--title", "113099", "-o", "o.dcm"],
    "no such time": ["check", "x.dcm", "--at", "yesterday"],
    "no such algorithm": ["mac", "compute", "x.dcm", "--algorithm", "ROT13"],
    "no such mode": [
        *("approve", "x.dcm", "--observer", "A^B", "--organization", "C"),
        *("--key", "file:k", "--mode", "at_once", "-o", "o.dcm"),
    ],
    "no such progress": ["--progress", "loud", "check", "x.dcm"],
    "no jobs": ["mac", "compute", "x.dcm", "--jobs", "0"],
    "a group alone": ["mac"],
    "nothing at all": [],
}


@pytest.mark.parametrize("name", MISUSES)
def test_a_misuse_ends_with_2(name: str) -> None:
    """Each mistake in the usage is told on standard error and ends with 2."""
    ended = srsign(*MISUSES[name])
    assert (ended.code, ended.out) == (2, "")
    assert ended.err
    assert "Traceback" not in ended.err


@pytest.mark.parametrize(
    "name", [n for n in MISUSES if n not in ("a group alone", "nothing at all")]
)
def test_a_misuse_has_one_form(name: str) -> None:
    """Usage errors look like every other error, without words of the libraries underneath."""
    lines = srsign(*MISUSES[name]).err.splitlines()
    assert [line.split(": ")[:2] for line in lines] == [["srsign", "error"], ["srsign", "hint"]]
    assert "Value error" not in lines[0]


def test_a_misuse_in_json() -> None:
    """With --json a usage error is one JSON line on standard error."""
    ended = srsign("check", "x.dcm", "--nonsense", "--json")
    said = json.loads(ended.err)
    assert (ended.code, said["message_type"], said["exit_code"]) == (2, "error", 2)


def test_the_version() -> None:
    """--version prints name and version, and nothing else."""
    ended = srsign("--version")
    assert (ended.code, ended.out) == (0, f"srsign {__version__}\n")


def test_the_help_lists_every_command() -> None:
    """Each command stands at the start of a line of the help text."""
    listed = re.findall(r"^  ([a-z][a-z-]*)  ", srsign("--help").out, re.MULTILINE)
    assert sorted(listed) == sorted(COMMANDS)


@pytest.mark.parametrize("name", GROUPS)
def test_a_group_lists_its_commands(name: str) -> None:
    """The help text of a group lists what is in it."""
    listed = re.findall(r"^  ([a-z][a-z-]*)  ", srsign(name, "--help").out, re.MULTILINE)
    assert set(listed) == GROUPS[name]


@pytest.mark.parametrize(
    "words",
    [
        *([name] for name in COMMANDS if name not in GROUPS),
        *([name, inner] for name, inners in GROUPS.items() for inner in sorted(inners)),
    ],
    ids=" ".join,
)
def test_every_command_takes_the_global_options(words: list[str]) -> None:
    """Each command explains itself and takes the global options."""
    ended = srsign(*words, "--help")
    assert ended.code == 0
    assert {"--json", "--quiet", "--verbose", "--no-color", "--progress"} <= set(
        re.findall(r"--[a-z-]+", ended.out)
    )
