"""The doctor: what an installation can do, and what is broken."""

from __future__ import annotations

import pytest

from sr.app.doctor import Condition, clock_diagnosis, diagnose
from sr.mac import MACAlgorithm


def test_every_mac_algorithm_is_looked_at() -> None:
    """Each defined term of MAC Algorithm has a line of its own."""
    subjects = {d.subject for d in diagnose({})}
    assert {f"MAC algorithm {a.value}" for a in MACAlgorithm} <= subjects


def test_a_sound_installation_has_nothing_broken() -> None:
    """Rules, templates and settings of this checkout are all good."""
    assert [d for d in diagnose({}) if d.condition is Condition.BROKEN] == []


def test_an_unknown_setting_is_broken() -> None:
    """A setting that does not exist is reported, not passed over."""
    found = diagnose({"SRSIGN_NO__SUCH": "1"})
    assert [d.subject for d in found if d.condition is Condition.BROKEN] == ["settings"]


@pytest.mark.parametrize(
    ("state", "condition"),
    [(0, Condition.GOOD), (4, Condition.GOOD), (5, Condition.ABSENT), (-1, Condition.ABSENT),
     (None, Condition.ABSENT)],
)  # fmt: skip
def test_whether_the_clock_is_synchronised_is_said(state: int | None, condition: Condition) -> None:
    """A clock that nothing sets right, or of which the system says nothing, is not called good."""
    assert clock_diagnosis(state).condition is condition
    assert "clock" in {each.subject for each in diagnose({})}
