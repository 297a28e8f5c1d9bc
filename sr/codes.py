"""Coded concepts that srsign names itself: signature purposes, key object titles and modifiers.

The context groups are complete. They are written down here, and compared with pydicom's
dictionaries by a test, because nothing that checks a file may have to load those.

Cites: PS3.16 CID 7007 (ASTM-sigpurpose), CID 7010, CID 7011, CID 7012.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

__all__ = [
    "BEST_IN_SET",
    "KEY_OBJECT_TITLES",
    "REJECTION_REASONS",
    "SIGNED_TITLES",
    "Code",
    "SignaturePurpose",
    "key_object_title",
    "title_modifier",
]


@dataclass(frozen=True, slots=True)
class Code:
    """A coded concept: value, scheme designator, meaning."""

    value: str
    scheme: str
    meaning: str

    def __str__(self) -> str:
        """Return the triple as PS3.16 prints it."""
        return f'({self.value}, {self.scheme}, "{self.meaning}")'


class SignaturePurpose(StrEnum):
    """Digital signature purposes; the values are Code Values of the scheme ASTM-sigpurpose.

    Value and scheme identify a purpose; the meaning never does.

    Cites: PS3.16 CID 7007.
    """

    AUTHOR = "1"
    COAUTHOR = "2"
    CO_PARTICIPANT = "3"
    TRANSCRIPTIONIST = "4"
    VERIFICATION = "5"
    VALIDATION = "6"
    CONSENT = "7"
    SIGNATURE_WITNESS = "8"
    EVENT_WITNESS = "9"
    IDENTITY_WITNESS = "10"
    CONSENT_WITNESS = "11"
    INTERPRETER = "12"
    REVIEW = "13"
    SOURCE = "14"
    ADDENDUM = "15"
    MODIFICATION = "16"
    ADMINISTRATIVE = "17"
    TIMESTAMP = "18"

    @property
    def code(self) -> Code:
        """The purpose as a coded concept with the meaning of CID 7007."""
        return Code(self.value, "ASTM-sigpurpose", _MEANINGS[self])

    @property
    def slug(self) -> str:
        """The name used on the command line, e.g. ``author``."""
        return self.name.lower().replace("_", "-")

    @classmethod
    def parse(cls, text: str) -> SignaturePurpose:
        """Return the purpose for ``author``, ``verification`` … or ``1`` … ``18``.

        Raises:
            ValueError: No purpose has that name or code.
        """
        for purpose in cls:
            if text.strip().lower() in (purpose.value, purpose.slug, purpose.name.lower()):
                return purpose
        raise ValueError(f"no signature purpose {text!r}; known: {', '.join(p.slug for p in cls)}")


_MEANINGS = {
    SignaturePurpose.AUTHOR: "Author's Signature",
    SignaturePurpose.COAUTHOR: "Coauthor's Signature",
    SignaturePurpose.CO_PARTICIPANT: "Co-participant's Signature",
    SignaturePurpose.TRANSCRIPTIONIST: "Transcriptionist/Recorder Signature",
    SignaturePurpose.VERIFICATION: "Verification Signature",
    SignaturePurpose.VALIDATION: "Validation Signature",
    SignaturePurpose.CONSENT: "Consent Signature",
    SignaturePurpose.SIGNATURE_WITNESS: "Signature Witness Signature",
    SignaturePurpose.EVENT_WITNESS: "Event Witness Signature",
    SignaturePurpose.IDENTITY_WITNESS: "Identity Witness Signature",
    SignaturePurpose.CONSENT_WITNESS: "Consent Witness Signature",
    SignaturePurpose.INTERPRETER: "Interpreter Signature",
    SignaturePurpose.REVIEW: "Review Signature",
    SignaturePurpose.SOURCE: "Source Signature",
    SignaturePurpose.ADDENDUM: "Addendum Signature",
    SignaturePurpose.MODIFICATION: "Modification Signature",
    SignaturePurpose.ADMINISTRATIVE: "Administrative (Error/Edit) Signature",
    SignaturePurpose.TIMESTAMP: "Timestamp Signature",
}


def _slug(meaning: str) -> str:
    """Return the command-line name of a concept, e.g. ``of-interest``."""
    return re.sub(r"[^a-z0-9]+", "-", meaning.lower().replace("(s)", "s")).strip("-")


def _by_slug(rows: tuple[tuple[str, str], ...]) -> dict[str, Code]:
    return {_slug(meaning): Code(value, "DCM", meaning) for value, meaning in rows}


_CID_7010 = (
    ("113000", "Of Interest"),
    ("113001", "Rejected for Quality Reasons"),
    ("113002", "For Referring Provider"),
    ("113003", "For Surgery"),
    ("113004", "For Teaching"),
    ("113005", "For Conference"),
    ("113006", "For Therapy"),
    ("113007", "For Patient"),
    ("113008", "For Peer Review"),
    ("113009", "For Research"),
    ("113010", "Quality Issue"),
    ("113013", "Best In Set"),
    ("113018", "For Printing"),
    ("113020", "For Report Attachment"),
    ("113021", "For Litigation"),
    ("113022", "Collection of Presentation States"),
    ("113030", "Manifest"),
    ("113031", "Signed Manifest"),
    ("113032", "Complete Study Content"),
    ("113033", "Signed Complete Study Content"),
    ("113034", "Complete Acquisition Content"),
    ("113035", "Signed Complete Acquisition Content"),
    ("113036", "Group of Frames for Display"),
    ("113037", "Rejected for Patient Safety Reasons"),
    ("113038", "Incorrect Modality Worklist Entry"),
    ("113039", "Data Retention Policy Expired"),
    ("128180", "For RT Workflow"),
    ("128181", "Diagnostic Source Images"),
    ("128182", "Segmentation Result"),
    ("128183", "Registration Result"),
    ("128184", "Pre-Planning Result"),
    ("128185", "RT Prescription Result"),
    ("128186", "Dose Calculation Image Series"),
    ("128187", "Coordinate Alignment Image Series"),
    ("128188", "RT Treatment Simulation Result"),
    ("128189", "RT Planning Result"),
    ("128190", "Dosimetric Result"),
    ("128191", "Patient Setup Verification Result"),
    ("128192", "RT Treatment Session Result"),
    ("128193", "RT Treatment Course Summary"),
    ("128194", "RT Treatment QA Result"),
    ("128195", "For Diagnosis"),
    ("128196", "For Segmentation"),
    ("128197", "For RT Prescription"),
    ("128198", "For RT Treatment Planning"),
    ("128199", "For Plan Comparison"),
    ("128200", "For RT Plan Summation"),
    ("128201", "For Physician Review"),
    ("128202", "For Physicist Review"),
    ("128203", "For Tumor Board"),
    ("128204", "For Plan Quality Assurance"),
    ("128205", "For Machine Quality Assurance"),
    ("128206", "For Patient Setup Verification"),
    ("128207", "For Clinical Trial Submission"),
    ("128208", "For Tumor Registry"),
    ("128209", "RT Workflow Input Used"),
    ("128210", "RT Prescription Input Used"),
    ("128211", "RT Treatment Planning Input Used"),
    ("128212", "RT Plan Summation Input Used"),
    ("128213", "Physician Review Input Used"),
    ("128214", "Physicist Review Input Used"),
    ("128215", "Plan Quality Assurance Input Used"),
    ("128216", "Machine Quality Assurance Input Used"),
    ("128217", "Patient Setup Verification Input Used"),
    ("128218", "Diagnosis Input Used"),
    ("128219", "Contouring Input Used"),
    ("128220", "Plan Comparison Input Used"),
    ("128221", "Tumor Board Input Used"),
    ("128222", "Tumor Registry Input Used"),
    ("128223", "Clinical Trial Submission Input Used"),
    ("128710", "For Teaching File Export"),
    ("128711", "For Clinical Trial Export"),
    ("128713", "For Research Collection Export"),
    ("128714", "For Publication Export"),
    ("130370", "RTV Rendition"),
    ("130371", "RTV Audio and Video Rendition"),
    ("130372", "RTV Stereo Video Rendition"),
    ("130373", "RTV Audio and Stereo Video Rendition"),
)

_CID_7011 = (
    ("111207", "Image artifact(s)"),
    ("111208", "Grid artifact(s)"),
    ("111209", "Positioning"),
    ("111210", "Motion blur"),
    ("111211", "Under exposed"),
    ("111212", "Over exposed"),
    ("111213", "No image"),
    ("111214", "Detector artifact(s)"),
    ("111215", "Artifact(s) other than grid or detector artifact"),
    ("111216", "Mechanical failure"),
    ("111217", "Electrical failure"),
    ("111218", "Software failure"),
    ("111219", "Inappropriate image processing"),
    ("111220", "Other failure"),
    ("111221", "Unknown failure"),
    ("113026", "Double exposure"),
)

_CID_7012 = (
    ("113014", "Study"),
    ("113015", "Series"),
    ("113016", "Performed Procedure Step"),
    ("113017", "Stage-View"),
)

KEY_OBJECT_TITLES = _by_slug(_CID_7010)
"""Document titles of CID 7010 by command-line name."""

REJECTION_REASONS = _by_slug(_CID_7011)
"""Document title modifiers of CID 7011, for the quality titles, by command-line name."""

BEST_IN_SET = _by_slug(_CID_7012)
"""Document title modifiers of CID 7012, for Best In Set, by command-line name."""

SIGNED_TITLES = frozenset({"113031", "113033", "113035"})
"""Titles that promise a signature; such a document is never written without one."""


def key_object_title(text: str) -> Code:
    """Return the title for a slug such as ``of-interest`` or a code value such as ``113000``.

    Raises:
        ValueError: No such title.

    Cites: PS3.16 CID 7010.
    """
    return _find(text, KEY_OBJECT_TITLES, "key object title")


def title_modifier(text: str) -> Code:
    """Return the title modifier for a slug such as ``motion-blur`` or a value such as ``111210``.

    Raises:
        ValueError: No such modifier.

    Cites: PS3.16 CID 7011, CID 7012.
    """
    return _find(text, REJECTION_REASONS | BEST_IN_SET, "title modifier")


def _find(text: str, known: dict[str, Code], what: str) -> Code:
    wanted = _slug(text)
    for slug, code in known.items():
        if wanted in (slug, code.value):
            return code
    raise ValueError(f"no {what} {text!r}; known: {', '.join(known)}")
