"""Use case: say what this installation can and cannot do.

Cites: PS3.3 C.12.1.1.3 (MAC Algorithm (0400,0015)).
"""

from __future__ import annotations

import ctypes
import platform
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path

from sr import __version__
from sr.app.checks.peer import find_dcmsign
from sr.app.settings import load_settings, setting_files
from sr.document.template import load_template, template_ids
from sr.errors import SRError, UnsupportedAlgorithmError
from sr.keys.inventory import SOFTHSM_MODULES
from sr.mac import MACAlgorithm
from sr.mac.algorithm import new_digest
from sr.signature.profile import load_profile, profile_ids
from sr.trust.policy_file import load_policy, policy_ids

__all__ = ["Condition", "Diagnosis", "clock_diagnosis", "diagnose"]

_TIME_ERROR = 5
_TIMEX_BYTES = 512
"""More than the structure has; zeros ask and change nothing."""


class Condition(StrEnum):
    """How something is."""

    GOOD = "good"
    ABSENT = "absent"
    """Optional, and not there."""
    BROKEN = "broken"


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """One thing that was looked at."""

    subject: str
    condition: Condition
    message: str


def diagnose(environment: dict[str, str]) -> tuple[Diagnosis, ...]:
    """Return the state of everything srsign needs or can use.

    Args:
        environment: Environment variables, for the settings.

    Cites: PS3.3 C.12.1.1.3.
    """
    return (
        Diagnosis(
            subject="srsign",
            condition=Condition.GOOD,
            message=f"{__version__} on Python {platform.python_version()}, {ssl.OPENSSL_VERSION}",
        ),
        *_algorithms(),
        _rules(),
        _templates(),
        _settings(environment),
        clock_diagnosis(_clock_state()),
        _optional("PKCS #11", find_spec("pkcs11") is not None, "pip install 'srsign[pkcs11]'"),
        _optional("SoftHSM", any(Path(m).exists() for m in SOFTHSM_MODULES), "package softhsm2"),
        _optional("dcmsign", find_dcmsign() is not None, "package dcmtk"),
    )


def _algorithms() -> Iterator[Diagnosis]:
    for algorithm in MACAlgorithm:
        try:
            new_digest(algorithm)
        except UnsupportedAlgorithmError as error:
            yield Diagnosis(
                subject=f"MAC algorithm {algorithm.value}",
                condition=Condition.ABSENT,
                message=f"{error}; signatures made with it cannot be checked here",
            )
        else:
            use = "verified only, weak" if algorithm.is_weak else "available"
            yield Diagnosis(
                subject=f"MAC algorithm {algorithm.value}",
                condition=Condition.GOOD,
                message=use,
            )


def _rules() -> Diagnosis:
    try:
        profiles = [load_profile(profile_id).id for profile_id in profile_ids()]
        policies = [load_policy(policy_id).id for policy_id in policy_ids()]
    except SRError as error:
        return Diagnosis(subject="rules", condition=Condition.BROKEN, message=str(error))
    listed = f"profiles {', '.join(profiles)}; policies {', '.join(policies)}"
    return Diagnosis(subject="rules", condition=Condition.GOOD, message=listed)


def _templates() -> Diagnosis:
    try:
        templates = [load_template(template_id).id for template_id in template_ids()]
    except SRError as error:
        return Diagnosis(subject="templates", condition=Condition.BROKEN, message=str(error))
    return Diagnosis(
        subject="templates", condition=Condition.GOOD, message=", ".join(templates) or "none"
    )


def _settings(environment: dict[str, str]) -> Diagnosis:
    try:
        load_settings(setting_files(), environment)
    except SRError as error:
        return Diagnosis(subject="settings", condition=Condition.BROKEN, message=str(error))
    present = [str(path) for path in setting_files() if path.is_file()]
    return Diagnosis(
        subject="settings", condition=Condition.GOOD, message=", ".join(present) or "defaults"
    )


def clock_diagnosis(state: int | None) -> Diagnosis:
    """Return what is to be said of a clock; signatures have no other time, but for time-stamps.

    Args:
        state: What adjtimex(2) returns, ``None`` where there is no such call.
    """
    good = state is not None and 0 <= state < _TIME_ERROR
    return Diagnosis(
        subject="clock",
        condition=Condition.GOOD if good else Condition.ABSENT,
        message="synchronised"
        if good
        else "the system does not say that it is synchronised; run a time service (NTP)",
    )


def _clock_state() -> int | None:
    try:
        state: int = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES))
    except (OSError, AttributeError):  # no Linux
        return None
    return state


def _optional(subject: str, present: bool, remedy: str) -> Diagnosis:  # noqa: FBT001
    return Diagnosis(
        subject=subject,
        condition=Condition.GOOD if present else Condition.ABSENT,
        message="available" if present else f"not installed; {remedy}",
    )
