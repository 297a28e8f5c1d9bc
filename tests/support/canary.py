"""Strings that no output may hold: patients, PINs, passphrases and keys of the tests.

Every run of the command line in the suite is searched for them, on both streams. Where the content
of a document is the very thing asked for, as with ``inspect``, only standard error is searched; the
question that a person answers before signing goes to a terminal, which no test captures.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from sr.app.synthetic import SYNTHETIC_PATIENT

__all__ = [
    "PASSPHRASE_CANARY",
    "PATIENT_CANARY",
    "PIN_CANARY",
    "TEXT_CANARY",
    "is_asked_to_show",
    "leaks",
]

PATIENT_CANARY = "Kanarienvogel^Zwölf"
TEXT_CANARY = "Kanarischer Befund 7319"
PIN_CANARY = "86420-kanari"
PASSPHRASE_CANARY = "passwort-kanari-97531"

_PLANTED = (
    PATIENT_CANARY,
    "Kanarienvogel",
    TEXT_CANARY,
    PIN_CANARY,
    PASSPHRASE_CANARY,
    SYNTHETIC_PATIENT["PatientName"],
    SYNTHETIC_PATIENT["PatientID"],
    SYNTHETIC_PATIENT["PatientBirthDate"],
    "4711-öß",
    "PRIVATE KEY-----",
)


_SHOWS = ({"inspect"}, {"mac", "dump"}, {"create", "--explain"}, {"create", "--schema"})
"""What a document says, its MAC stream, and the format of report files with its examples."""


def is_asked_to_show(arguments: Sequence[object]) -> bool:
    """Return whether a command line asks for content, so that standard output may hold it."""
    return any(command <= set(map(str, arguments)) for command in _SHOWS)


def leaks(*streams: str) -> set[str]:
    """Return the planted strings that occur, as they are or as JSON and Python escape them."""
    return {
        canary
        for canary in _PLANTED
        for form in (canary, json.dumps(canary)[1:-1], ascii(canary)[1:-1])
        if any(form in stream for stream in streams)
    }
