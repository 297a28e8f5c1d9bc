"""Which instances are documents that PS3.15 C.4 and A.4 speak about.

Cites: PS3.3 A.35.
"""

from __future__ import annotations

from sr.dicomfile.dataset import DataSet

__all__ = [
    "CONDITION_KEYWORDS",
    "KEY_OBJECT_SELECTION",
    "condition_values",
    "is_document",
    "is_structured_report",
]

KEY_OBJECT_SELECTION = "1.2.840.10008.5.1.4.1.1.88.59"
_REPORT_ROOT = "1.2.840.10008.5.1.4.1.1.88."
_VERIFICATION_FLAG = 0x0040A493
_COMPLETION_FLAG = 0x0040A491
CONDITION_KEYWORDS = frozenset({"VerificationFlag", "CompletionFlag"})
"""What the conditions of a profile may ask for."""


def is_document(sop_class_uid: str) -> bool:
    """Return whether a SOP class is a structured report or a key object selection.

    Cites: PS3.3 A.35.
    """
    return sop_class_uid.startswith(_REPORT_ROOT)


def is_structured_report(sop_class_uid: str) -> bool:
    """Return whether a SOP class has SR Document General, and so a verification flag.

    Cites: PS3.3 A.35, C.17.2.
    """
    return is_document(sop_class_uid) and sop_class_uid != KEY_OBJECT_SELECTION


def condition_values(dataset: DataSet) -> dict[str, str]:
    """Return the attribute values that profile conditions may ask for.

    Spaces around a code string do not count, so that none can hide a flag from a condition.

    Cites: PS3.3 C.17.2; PS3.5 6.2 (CS).
    """
    return {
        "VerificationFlag": dataset.text(_VERIFICATION_FLAG).strip(),
        "CompletionFlag": dataset.text(_COMPLETION_FLAG).strip(),
    }
