"""Use case: say what is in a file, and judge nothing.

Everything is reported as it is stored: an altered file, a revoked signer and an unknown authority
look like any other. ``check`` is what judges.

Cites: PS3.3 C.12.1.1.3, C.17.2.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sr.app.files import open_dicom
from sr.codes import Code
from sr.dicomfile import DICOMFile, describe_tag, format_tag
from sr.errors import TrustEvidenceError
from sr.findings import Finding
from sr.mac.selection import signable_tag
from sr.signature import examine
from sr.signature.coverage import uncovered_tags
from sr.signature.documents import is_document
from sr.signature.integrity import public_key_facts
from sr.signature.purpose import known_purpose, read_code
from sr.signature.references import DocumentReference, document_references
from sr.signature.structure import LocatedSignature, SignatureStructure
from sr.trust.certificate import read_certificate, read_certificate_of_signer
from sr.trust.timestamp import read_timestamp

__all__ = ["inspect_file"]

_SCHEMA_VERSION = 1
_CONCEPT_NAME = 0x0040A043
_OBSERVERS = (("author", 0x0040A078, 0x0040A123), ("verifying", 0x0040A073, 0x0040A075))


def inspect_file(path: Path) -> dict[str, Any]:
    """Return what a file says about itself, its signatures and its references.

    Raises:
        ConfigurationError: The path cannot be opened.
        NotDICOMError: The bytes are not DICOM.
        DatasetError: They break a structural rule.

    Cites: PS3.3 C.12.1.1.3, C.17.2.
    """
    file = open_dicom(path)
    structure = examine(file)
    dataset = file.dataset
    references = document_references(dataset) if is_document(file.sop_class_uid) else ()
    return {
        "schema_version": _SCHEMA_VERSION,
        "subject": path.name,
        "bytes": file.source.size,
        "sop_class_uid": file.sop_class_uid,
        "sop_instance_uid": file.sop_instance_uid,
        "transfer_syntax_uid": file.transfer_syntax.uid,
        "patient": {
            "name": dataset.text(0x00100010),
            "id": dataset.text(0x00100020),
            "birth_date": dataset.text(0x00100030),
        },
        "study_instance_uid": dataset.text(0x0020000D),
        "document": _document(file) if is_document(file.sop_class_uid) else None,
        "signatures": [_signature(located) for located in structure.signatures],
        "structure": [_statement(f) for f in (*structure.findings, *file.notices)],
        "uncovered": [describe_tag(tag) for tag in _uncovered(file, structure)],
        "references": [_reference(reference) for reference in references],
    }


def _document(file: DICOMFile) -> dict[str, Any]:
    dataset = file.dataset
    title = next(iter(dataset.items(_CONCEPT_NAME)), None)
    return {
        "title": _code(read_code(title)) if title is not None else None,
        "completion_flag": dataset.text(0x0040A491),
        "preliminary_flag": dataset.text(0x0040A496),
        "verification_flag": dataset.text(0x0040A493),
        "content_date_time": f"{dataset.text(0x00080023)} {dataset.text(0x00080033)}".strip(),
        "observers": {
            role: [name for item in dataset.items(sequence) if (name := item.text(tag))]
            for role, sequence, tag in _OBSERVERS
        },
    }


def _signature(located: LocatedSignature) -> dict[str, Any]:
    item, parameters = located.signature, located.parameters
    purpose = known_purpose(item.purpose)
    return {
        "number": located.number,
        "digital_signature_uid": item.digital_signature_uid,
        "location": located.level.location,
        "mac_id_number": item.mac_id_number,
        "purpose": _code(purpose.code if purpose is not None else item.purpose),
        "claimed_at": item.signed_at,
        "mac_algorithm": parameters.algorithm if parameters else None,
        "mac_transfer_syntax_uid": parameters.transfer_syntax_uid if parameters else None,
        "covers": [format_tag(t) for t in parameters.data_elements_signed] if parameters else [],
        "certificate_type": item.certificate_type,
        "certificate": _certificate(item.certificate),
        "signature_bytes": len(item.signature),
        "timestamp_type": item.timestamp_type or None,
        "timestamp": None if item.timestamp is None else _timestamp(item.timestamp),
        "structure": [_statement(f) for f in located.findings],
    }


def _timestamp(value: bytes) -> dict[str, Any]:
    try:
        token = read_timestamp(value)
    except TrustEvidenceError as error:
        return {"unreadable": str(error), "bytes": len(value)}
    named = [read_certificate(each) for each in token.certificates if token.names(each)]
    return {
        "generated_at": token.generated_at.isoformat(),
        "accuracy_seconds": token.accuracy.total_seconds(),
        "tsa_policy": token.policy,
        "imprint_algorithm": token.imprint_hash,
        "imprint": token.imprint.hex(),
        "authority": named[0].summary.as_dict() if named else None,
        "token": value.hex(),
    }


def _certificate(value: bytes) -> dict[str, Any]:
    try:
        certificate = read_certificate_of_signer(value)
    except TrustEvidenceError as error:
        return {"unreadable": str(error), "bytes": len(value)}
    summary = certificate.summary
    key = public_key_facts(value)
    return {
        **summary.as_dict(),
        "not_before": summary.not_before.isoformat(),
        "not_after": summary.not_after.isoformat(),
        "key": {"kind": key.kind, "bits": key.bits} if key is not None else None,
    }


def _uncovered(file: DICOMFile, structure: SignatureStructure) -> tuple[int, ...]:
    """Return what no top-level signature lists; every signable element where there is none."""
    covered = (
        tag
        for located in structure.signatures
        if not located.level.path and located.parameters is not None
        for tag in located.parameters.data_elements_signed
    )
    return tuple(t for t in uncovered_tags(file.dataset, covered) if signable_tag(t))


def _reference(reference: DocumentReference) -> dict[str, Any]:
    return {
        "where": reference.where,
        "evidence": reference.is_evidence,
        "study_instance_uid": reference.study_instance_uid,
        "series_instance_uid": reference.series_instance_uid,
        "sop_class_uid": reference.sop_class_uid,
        "sop_instance_uid": reference.sop_instance_uid,
        "macs": [
            {
                "algorithm": mac.algorithm,
                "mac": mac.mac.hex(),
                "transfer_syntax_uid": mac.transfer_syntax_uid,
                "elements": len(mac.data_elements_signed),
            }
            for mac in reference.macs
        ],
        "digital_signature_uids": [s.digital_signature_uid for s in reference.signatures],
    }


def _statement(finding: Finding) -> dict[str, str | None]:
    """Return what is odd about the structure, without saying how grave it is."""
    return {"rule": finding.rule, "message": finding.message, "where": finding.where}


def _code(code: Code | None) -> dict[str, str] | None:
    if code is None:
        return None
    return {"code": code.value, "scheme": code.scheme, "meaning": code.meaning}
