"""What somebody may have meant."""

from __future__ import annotations

import pytest

from sr.document.spelling import did_you_mean

KNOWN = ("heading", "item", "CTChestReport", "AssessmentFromBIRADS®")


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("headings", "heading"),
        ("Heading", "heading"),
        ("ct chest report", "CTChestReport"),
        ("ct_chest-reprt", "CTChestReport"),
        ("assessment from bi-rads", "AssessmentFromBIRADS®"),
    ],
)
def test_close_words_are_named(word: str, meant: str) -> None:
    """Case, separators and a slip or two do not count."""
    assert repr(meant) in did_you_mean(word, KNOWN)


@pytest.mark.parametrize("word", ["", "colour", "x"])
def test_nothing_is_made_up(word: str) -> None:
    """Where nothing is close nothing is said."""
    assert did_you_mean(word, KNOWN) == ""
    assert did_you_mean(word, ()) == ""


def test_another_way_of_writing_is_named() -> None:
    """A mapping says what to write instead."""
    assert "'SCT.Lung'" in did_you_mean("lungs", {"Lung": "SCT.Lung"})
