"""Strings that no output may hold: patients, PINs, passphrases and keys of the tests.

What tests plant, they take from here, so that it is found wherever it turns up. ``leak_watch``
searches whatever a test, its errors and its child processes say. Where the content of a document
is the very thing asked for, as with ``inspect``, a patient may be shown; a secret never is. The
question that a person answers before signing goes to a terminal, which no test captures.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from urllib.parse import quote

from sr.app.demonstration.synthetic import SYNTHETIC_PATIENT

__all__ = [
    "PASSPHRASE_CANARY",
    "PATIENTS",
    "PATIENT_CANARY",
    "PIN_CANARY",
    "SECRETS",
    "TEXT_CANARY",
    "TOKEN_PIN",
    "VICTIM",
    "is_asked_to_show",
    "leaks",
]

PATIENT_CANARY = "Kanarienvogel^Zwölf"
VICTIM = "Opfer^Otto"
"""Whom forged documents name."""
TEXT_CANARY = "Kanarischer Befund 7319"
PIN_CANARY = "8642canary"
PASSPHRASE_CANARY = "passwort-kanari-97531"
TOKEN_PIN = "4711-öß"
"""Of the tokens of the suite; not ASCII on purpose."""

PATIENTS = (
    PATIENT_CANARY,
    "Kanarienvogel",
    VICTIM,
    TEXT_CANARY,
    SYNTHETIC_PATIENT["PatientName"],
    "Jördis",
    SYNTHETIC_PATIENT["PatientID"],
    SYNTHETIC_PATIENT["PatientBirthDate"],
    "1961-03-14",
)
SECRETS = (
    PIN_CANARY,
    PASSPHRASE_CANARY,
    TOKEN_PIN,
    "PRIVATE KEY-----",
    "kqhkiG9w0BAQEFAASC",  # where every RSA key in PKCS #8 begins, whatever its number
    "IBAAKCAQEA",  # and in PKCS #1, of 2048 bits
    "IBAAKCAYEA",  # of 3072
    "AgEAMBMGByqGSM49",  # an elliptic curve key in PKCS #8, P-256
    "AgEAMBAGByqGSM49",  # and P-384, P-521
    "06092a864886f70d01010105000482",  # RSA in PKCS #8 as hexadecimal digits
)

_SHOWS = ({"inspect"}, {"mac", "dump"}, {"create", "--explain"}, {"create", "--schema"})
"""What a document says, its MAC stream, and the format of report files with its examples."""


def is_asked_to_show(arguments: Sequence[object]) -> bool:
    """Return whether a command line asks for content, so that standard output may hold it."""
    return any(command <= set(map(str, arguments)) for command in _SHOWS)


def _forms(canary: str) -> set[str]:
    """Return a string as it is, and as JSON, Python, bytes and URLs spell it."""
    return {
        canary,
        json.dumps(canary)[1:-1],
        ascii(canary)[1:-1],
        repr(canary.encode())[2:-1],
        repr(canary.encode("latin-1"))[2:-1],
        quote(canary),
    }


_FORMS = {canary: tuple(_forms(canary)) for canary in (*PATIENTS, *SECRETS)}


def leaks(*streams: str, among: Sequence[str] = (*PATIENTS, *SECRETS)) -> set[str]:
    """Return the planted strings that occur, in any spelling."""
    return {
        canary
        for canary in among
        for form in _FORMS[canary]
        if any(form in stream for stream in streams)
    }
