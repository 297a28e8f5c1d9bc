"""Coded concepts that srsign names itself: signature purposes and key object titles.

Cites: PS3.16 CID 7007 (ASTM-sigpurpose), CID 7010, CID 7011, CID 7012.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = [
    "KEY_OBJECT_TITLES",
    "SIGNED_TITLES",
    "Code",
    "SignaturePurpose",
    "key_object_title",
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

KEY_OBJECT_TITLES: dict[str, Code] = {
    slug: Code(value, "DCM", meaning)
    for slug, value, meaning in (
        ("of-interest", "113000", "Of Interest"),
        ("rejected-for-quality-reasons", "113001", "Rejected for Quality Reasons"),
        ("for-referring-provider", "113002", "For Referring Provider"),
        ("for-surgery", "113003", "For Surgery"),
        ("for-teaching", "113004", "For Teaching"),
        ("for-conference", "113005", "For Conference"),
        ("for-therapy", "113006", "For Therapy"),
        ("for-patient", "113007", "For Patient"),
        ("for-peer-review", "113008", "For Peer Review"),
        ("for-research", "113009", "For Research"),
        ("quality-issue", "113010", "Quality Issue"),
        ("best-in-set", "113013", "Best In Set"),
        ("for-printing", "113018", "For Printing"),
        ("for-report-attachment", "113020", "For Report Attachment"),
        ("for-litigation", "113021", "For Litigation"),
        ("manifest", "113030", "Manifest"),
        ("signed-manifest", "113031", "Signed Manifest"),
        ("complete-study-content", "113032", "Complete Study Content"),
        ("signed-complete-study-content", "113033", "Signed Complete Study Content"),
        ("complete-acquisition-content", "113034", "Complete Acquisition Content"),
        ("signed-complete-acquisition-content", "113035", "Signed Complete Acquisition Content"),
        ("group-of-frames-for-display", "113036", "Group of Frames for Display"),
    )
}
"""Document titles of CID 7010 by command-line name."""

SIGNED_TITLES = frozenset({"113031", "113033", "113035"})
"""Titles that promise a signature; such a document is never written without one."""


def key_object_title(text: str) -> Code:
    """Return the title for a slug such as ``of-interest`` or a code value such as ``113000``.

    Raises:
        ValueError: No such title.
    """
    wanted = text.strip().lower()
    for slug, code in KEY_OBJECT_TITLES.items():
        if wanted in (slug, code.value):
            return code
    raise ValueError(f"no key object title {text!r}; known: {', '.join(KEY_OBJECT_TITLES)}")
