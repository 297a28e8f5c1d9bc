"""No version with a weakness that is known here is declared to do, or installed."""

from __future__ import annotations

import tomllib
from importlib.metadata import version
from itertools import chain
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

_LISTED = Path(__file__).with_name("advisories.toml")
FIXED = {each["package"]: each["fixed"] for each in tomllib.loads(_LISTED.read_text())["advisory"]}


def _declared(repository: Path) -> dict[str, Requirement]:
    project = tomllib.loads((repository / "pyproject.toml").read_text())["project"]
    lines = chain(project["dependencies"], *project["optional-dependencies"].values())
    return {each.name: each for each in map(Requirement, lines)}


def _lowest(requirement: Requirement) -> Version:
    return max(Version(each.version) for each in requirement.specifier if each.operator == ">=")


@pytest.mark.parametrize("package", FIXED)
def test_what_is_declared_is_fixed(repository: Path, package: str) -> None:
    """The lowest version of a library that may be installed is none with a known weakness."""
    assert _lowest(_declared(repository)[package]) >= Version(FIXED[package])


@pytest.mark.parametrize("package", FIXED)
def test_what_is_installed_is_fixed(package: str) -> None:
    """So is the version that these tests run with."""
    assert Version(version(package)) >= Version(FIXED[package])


def test_every_library_has_a_lowest_version(repository: Path) -> None:
    """A library without one could be any, however old."""
    declared = _declared(repository).values()
    without = [
        each.name
        for each in declared
        if each.name != "srsign" and not any(one.operator == ">=" for one in each.specifier)
    ]
    assert not without
