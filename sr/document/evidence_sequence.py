"""The sequences that list what a document cites, every instance with its secure reference.

They are written by us: highdicom drops the second study of a key object selection and knows no
secure references.

Cites: PS3.3 Table C.17-3; PS3.15 A.4 (b).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from pydicom.dataset import Dataset

from sr.codes import Code
from sr.document.content_encoding import coded_concept
from sr.document.elements import put
from sr.document.evidence import Evidence
from sr.document.reference import SecureReference
from sr.errors import EvidenceError

__all__ = ["referenced_studies"]


def referenced_studies(
    evidence: Iterable[Evidence], *, purposes: Mapping[str, Code] = MappingProxyType({})
) -> list[Dataset]:
    """Return the items of an evidence sequence, every instance with its secure reference.

    Studies, series and instances keep the order in which the evidence first names them.

    Args:
        evidence: The instances.
        purposes: Why an instance is referenced, by SOP Instance UID.

    Cites: PS3.3 Table C.17-3; PS3.15 A.4 (b).
    """
    tree: dict[str, dict[str, list[Dataset]]] = {}
    for item in evidence:
        reference = Dataset()
        put(reference, "ReferencedSOPClassUID", "UI", item.sop_class_uid, error=EvidenceError)
        put(reference, "ReferencedSOPInstanceUID", "UI", item.sop_instance_uid, error=EvidenceError)
        if purpose := purposes.get(item.sop_instance_uid):
            reference.PurposeOfReferenceCodeSequence = [coded_concept(purpose)]
        _write_secure_reference(reference, item.reference)
        series = tree.setdefault(item.study_instance_uid, {})
        series.setdefault(item.series_instance_uid, []).append(reference)
    return [_study_item(study, series) for study, series in tree.items()]


def _study_item(study_instance_uid: str, series: dict[str, list[Dataset]]) -> Dataset:
    study = Dataset()
    put(study, "StudyInstanceUID", "UI", study_instance_uid, error=EvidenceError)
    study.ReferencedSeriesSequence = []
    for series_instance_uid, references in series.items():
        item = Dataset()
        put(item, "SeriesInstanceUID", "UI", series_instance_uid, error=EvidenceError)
        item.ReferencedSOPSequence = references
        study.ReferencedSeriesSequence.append(item)
    return study


def _write_secure_reference(item: Dataset, reference: SecureReference) -> None:
    """Write the proof into an item; (0400,0402) and (0400,0403) are siblings."""
    if reference.signatures:
        signatures = []
        for referenced in reference.signatures:
            signature = Dataset()
            uid = referenced.digital_signature_uid
            put(signature, "DigitalSignatureUID", "UI", uid, error=EvidenceError)
            signature.Signature = referenced.signature + b"\0" * (len(referenced.signature) % 2)
            signatures.append(signature)
        item.ReferencedDigitalSignatureSequence = signatures
    if reference.mac is not None:
        mac = Dataset()
        mac.MACCalculationTransferSyntaxUID = reference.mac.transfer_syntax_uid
        mac.MACAlgorithm = str(reference.mac.algorithm)
        mac.DataElementsSigned = list(reference.mac.data_elements_signed)
        mac.MAC = reference.mac.mac
        item.ReferencedSOPInstanceMACSequence = [mac]
