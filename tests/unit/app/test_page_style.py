"""The style of pages: colours that people can tell apart, in either scheme and on paper."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

STYLE = Path(__file__).resolve().parents[3] / "templates" / "render" / "report.css"
SCHEMES = ("light", "dark", "paper")
TONES = ("good", "open", "bad", "none")
LEAST = 4.5
"""Contrast of text that WCAG 2 AA asks for."""

PAIRS = (
    *((ink, ground) for ink in ("ink", "quiet", "link") for ground in ("paper", "ground")),
    *((tone, f"{tone}-wash") for tone in TONES),
    *((ink, f"{tone}-wash") for ink in ("ink", "link", *TONES) for tone in TONES),
    *((tone, ground) for tone in TONES for ground in ("paper", "ground")),
)


@cache
def _schemes(style: str) -> dict[str, dict[str, str]]:
    blocks = re.findall(r":root \{(.*?)\}", style, re.DOTALL)
    assert len(blocks) == len(SCHEMES)
    return {
        name: dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", block))
        for name, block in zip(SCHEMES, blocks, strict=True)
    }


def _contrast(first: str, second: str) -> float:
    """Return the contrast ratio of WCAG 2."""

    def luminance(color: str) -> float:
        parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        red, green, blue = (
            c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts
        )
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    light, dark = sorted((luminance(first), luminance(second)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _unreadable(style: str) -> Iterator[str]:
    for scheme, colors in _schemes(style).items():
        for text, ground in PAIRS:
            if _contrast(colors[text], colors[ground]) < LEAST:
                yield f"{scheme}: {text} on {ground}"


def _bare_colors(style: str) -> list[str]:
    """Return the colours that are set without a name, so that no scheme could change them."""
    rules = re.sub(r":root \{.*?\}", "", style, flags=re.DOTALL)
    return re.findall(r"(?:color|background|border[a-z-]*):[^;}]*#[0-9a-fA-F]{3,8}", rules)


def test_colours_can_be_told_apart() -> None:
    """Every text on every ground it can stand on has the contrast of WCAG AA, in all schemes."""
    assert not list(_unreadable(STYLE.read_text("utf-8")))


@pytest.mark.parametrize(
    ("name", "pale"),
    [("--quiet: #57606a", "--quiet: #8a929b"), ("--good: #7ddc97", "--good: #2f6b40")],
)
def test_a_pale_colour_is_found(name: str, pale: str) -> None:
    """A colour that is too near to its ground is found, on screen and in the dark."""
    style = STYLE.read_text("utf-8")
    assert name in style
    assert list(_unreadable(style.replace(name, pale)))


def test_every_colour_has_a_name() -> None:
    """No rule sets a colour of its own, which no scheme could change."""
    assert not _bare_colors(STYLE.read_text("utf-8"))
    assert _bare_colors("p { color: #444; }")


def test_nothing_is_faded() -> None:
    """Opacity would change a contrast that was computed."""
    assert "opacity" not in STYLE.read_text("utf-8")
