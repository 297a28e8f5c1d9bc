"""Every refusal and every rule of documents has a test that notices when it is gone."""

from __future__ import annotations

import pytest

from tools.mutants import ROOT, default_paths, mutants_of, survivors

UNREACHABLE = ('raise _refusal(event, "unexpected")',)  # mappings, sequences, aliases went before
"""Refusals that no test can bring about, by the start of their text."""


def test_what_is_taken_out() -> None:
    """Refusals, faults, rows of tables and tables of rule files are all found, each once."""
    mutants = [mutant for path in default_paths() for mutant in mutants_of(path)]
    assert len({(m.path, m.line, m.taken_out) for m in mutants}) == len(mutants) > 200
    names = {m.path.name for m in mutants}
    assert {"constraints.py", "regions.py", "relationship_tables.py", "2006.toml"} <= names
    assert all(m.text != (ROOT / m.path).read_text(encoding="utf-8") for m in mutants)


@pytest.mark.prove
@pytest.mark.shows("patient", reason="the children are test runs, some of which fail")
def test_nothing_can_be_taken_out_unnoticed() -> None:
    """For each of them a test fails."""
    alive = [str(mutant) for mutant in survivors(default_paths())]
    assert [told for told in alive if not any(known in told for known in UNREACHABLE)] == []
