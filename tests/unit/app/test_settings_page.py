"""The page of settings says what the code says of each."""

from __future__ import annotations

import re
from pathlib import Path

from sr.app.settings import effective
from tools.settings_page import settings_page


def _named(page: str) -> list[str]:
    """Return each setting that a page gives words to, as ``section.key``."""
    found, section = [], ""
    for line in page.splitlines():
        if heading := re.fullmatch(r"## \[(\w+)\]", line):
            section = heading[1]
        elif row := re.fullmatch(r"\| `(\w+)` \| \S.* \| \S.* \|", line):
            found.append(f"{section}.{row[1]}")
    return found


def test_the_page_is_what_the_code_says(repository: Path) -> None:
    """The page is as the tool writes it now."""
    assert (repository / "docs/settings.md").read_text(encoding="utf-8") == settings_page()


def test_every_setting_has_words() -> None:
    """Each setting that can be shown stands on the page, with its default and what it is for."""
    settings = [f"{each.section}.{each.key}" for each in effective((), {})]
    assert _named(settings_page()) == settings


def test_a_setting_without_words_is_not_counted() -> None:
    """A row that says nothing of its setting counts for nothing."""
    assert _named("## [mac]\n| `jobs` | `0` | Processes. |\n| `cache` | – |  |\n") == ["mac.jobs"]
