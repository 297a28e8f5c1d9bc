"""Documents that are copies of one another in several studies, each listing all others.

Each copy holds the MAC of every other one over all but Identical Documents Sequence (0040,A525):
no two documents can each hold the digest of all of the other, digest included. So the MACs are
taken before that sequence is there, and its tag is in none of their lists. A signature, made later
and for each copy, covers the sequence.

Cites: PS3.3 C.17.2.2, Tables C.17-3, C.17-3a.
"""

from __future__ import annotations

from pydicom.dataset import Dataset

from sr.dicomfile import BytesSource, canonicalise, read
from sr.document.evidence import Evidence, read_evidence
from sr.document.evidence_sequence import referenced_studies
from sr.document.part10 import write_part10
from sr.document.reference import SecureReference
from sr.mac import compute_mac

__all__ = ["write_identical"]


def write_identical(datasets: tuple[Dataset, ...]) -> tuple[bytes, ...]:
    """Return documents as DICOM files, each with its copies as Identical Documents.

    Args:
        datasets: The same document in several studies, complete but for Identical Documents; one
            that has no copies is written as it is.

    Raises:
        DocumentError: A document cannot be encoded.

    Cites: PS3.3 C.17.2.2, Table C.17-3.
    """
    if len(datasets) == 1:
        return (write_part10(datasets[0]),)
    copies = tuple(_as_evidence(write_part10(dataset)) for dataset in datasets)
    for number, dataset in enumerate(datasets):
        others = copies[:number] + copies[number + 1 :]
        dataset.IdenticalDocumentsSequence = referenced_studies(others)
    return tuple(write_part10(dataset) for dataset in datasets)


def _as_evidence(data: bytes) -> Evidence:
    """Return a document as the others cite it, with its MAC in the form that will be signed."""
    file = read(BytesSource(canonicalise(data)))
    return read_evidence(file.dataset, reference=SecureReference(mac=compute_mac(file)))
