"""Settings: which value wins, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from sr.app.settings import Settings, load_settings, origins
from sr.errors import ConfigurationError


def config(folder: Path, text: str, name: str = "srsign.toml") -> Path:
    """Return a settings file with a text."""
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_defaults_without_files_and_environment() -> None:
    """Without files and environment the defaults hold."""
    assert load_settings((), {}) == Settings()


def test_later_files_win_and_the_environment_wins_over_files(tmp_path: Path) -> None:
    """Of two files the later one counts; the environment counts more than both."""
    first = config(tmp_path, "[limits]\nitems = 1\nelements = 2\n", "first.toml")
    second = config(tmp_path, "[limits]\nitems = 3\nnesting = 4\n", "second.toml")
    settings = load_settings((first, second), {"SRSIGN_LIMITS__NESTING": "5"})
    limits = settings.limits
    assert (limits.items, limits.elements, limits.nesting) == (3, 2, 5)


def test_every_value_names_its_origin(tmp_path: Path) -> None:
    """Each value that is set says which file or variable set it."""
    path = config(tmp_path, "[mac]\njobs = 2\n")
    found = origins((path,), {"SRSIGN_MAC__JOBS": "3"})
    assert [(o.value, o.source) for o in found] == [(2, str(path)), (3, "SRSIGN_MAC__JOBS")]


def test_other_variables_are_none_of_our_business() -> None:
    """Variables without a section, such as SRSIGN_PIN_FILE, are no settings."""
    assert load_settings((), {"SRSIGN_PIN_FILE": "x", "HOME": "/"}) == Settings()


@pytest.mark.parametrize(
    "text",
    [
        "[limits]\nitem = 1\n",
        "[limit]\nitems = 1\n",
        "items = 1\n",
        "[limits]\nitems = '1'\n",
        "[limits]\nitems = -1\n",
        "[limits]\nitems = true\n",
        "[mac]\ncache = 1\n",
        "[limits\n",
        "x = " + "[" * 100_000,
        "x = " + "1" * 5_000,
    ],
)
def test_a_wrong_file_is_refused(tmp_path: Path, text: str) -> None:
    """Unknown keys, wrong types, text that is not TOML and text made to exhaust are errors."""
    with pytest.raises(ConfigurationError):
        load_settings((config(tmp_path, text),), {})


@pytest.mark.parametrize(
    "environment",
    [{"SRSIGN_LIMITS__ITEM": "1"}, {"SRSIGN_LIMITS__ITEMS": "many"}, {"SRSIGN_NO__SUCH": "1"}],
)
def test_a_wrong_variable_is_refused(environment: dict[str, str]) -> None:
    """Unknown and ill-typed variables are errors too."""
    with pytest.raises(ConfigurationError):
        load_settings((), environment)
