"""Documents: what is cited, what is said about it, and how that becomes an unsigned DICOM file.

Importing this package does not import pydicom or highdicom; building a document does.
"""

from sr.document.evidence import Evidence, PatientStudy
from sr.document.identity import DocumentIdentity
from sr.document.reference import ReferencedDigitalSignature, SecureReference

__all__ = [
    "DocumentIdentity",
    "Evidence",
    "PatientStudy",
    "ReferencedDigitalSignature",
    "SecureReference",
]
