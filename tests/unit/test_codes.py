"""The coded concepts we name ourselves are those of the standard."""

from __future__ import annotations

import subprocess
import sys

import pytest
from pydicom.sr.codedict import codes

from sr.codes import (
    BEST_IN_SET,
    KEY_OBJECT_TITLES,
    REJECTION_REASONS,
    SIGNED_TITLES,
    Code,
    SignaturePurpose,
    key_object_title,
    title_modifier,
)

GROUPS = {7010: KEY_OBJECT_TITLES, 7011: REJECTION_REASONS, 7012: BEST_IN_SET}
SIZES = {7010: 78, 7011: 16, 7012: 4}


def _dictionary(group: int) -> set[Code]:
    concepts = getattr(codes, f"cid{group}").concepts.values()
    return {Code(c.value, c.scheme_designator, c.meaning) for c in concepts}


@pytest.mark.parametrize("group", GROUPS)
def test_context_groups_are_complete(group: int) -> None:
    """Values and meanings are those of pydicom's dictionary, none missing, none more."""
    ours = tuple(GROUPS[group].values())
    assert set(ours) == _dictionary(group)
    assert len(ours) == SIZES[group]


@pytest.mark.parametrize("slug", KEY_OBJECT_TITLES)
def test_every_title_has_two_names(slug: str) -> None:
    """A title is found by its name, its value and its meaning."""
    title = KEY_OBJECT_TITLES[slug]
    assert key_object_title(slug) == title
    assert key_object_title(title.value) == title
    assert key_object_title(f" {title.meaning.upper()} ") == title


@pytest.mark.parametrize("slug", [*REJECTION_REASONS, *BEST_IN_SET])
def test_every_modifier_has_two_names(slug: str) -> None:
    """So is a modifier."""
    modifier = title_modifier(slug)
    assert title_modifier(modifier.value) == modifier
    assert slug == slug.strip("-").lower()


@pytest.mark.parametrize("text", ["", "113014", "nonsense", "of interests", "11300"])
def test_unknown_titles_are_refused(text: str) -> None:
    """A title is one of the group; a modifier is none."""
    with pytest.raises(ValueError, match="title"):
        key_object_title(text)


@pytest.mark.parametrize("text", ["", "113000", "nonsense", "blur"])
def test_unknown_modifiers_are_refused(text: str) -> None:
    """A modifier is one of two groups; a title is none."""
    with pytest.raises(ValueError, match="modifier"):
        title_modifier(text)


def test_signed_titles_say_so() -> None:
    """The titles that promise a signature are those whose meaning says Signed."""
    signed = {t.value for t in KEY_OBJECT_TITLES.values() if t.meaning.startswith("Signed")}
    assert signed == SIGNED_TITLES


def test_purposes_are_complete() -> None:
    """CID 7007 has the values 1 to 18, each with a meaning and a name of its own."""
    purposes = tuple(SignaturePurpose)
    assert [p.value for p in purposes] == [str(n) for n in range(1, 19)]
    assert len({p.code.meaning for p in purposes}) == 18
    assert {p.code.scheme for p in purposes} == {"ASTM-sigpurpose"}
    assert all(p.code.meaning.endswith("Signature") for p in purposes)
    assert all(SignaturePurpose.parse(p.slug) is p for p in purposes)


@pytest.mark.parametrize("text", ["", "0", "19", "01", "verify", "authors"])
def test_unknown_purposes_are_refused(text: str) -> None:
    """A purpose is one of the eighteen, by value or name."""
    with pytest.raises(ValueError, match="purpose"):
        SignaturePurpose.parse(text)


def test_codes_load_no_dictionary() -> None:
    """Naming a code costs no dictionary."""
    program = "import sys, sr.codes; sys.exit('pydicom' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
