"""The references a document makes, and the proof each of them carries.

Cites: PS3.3 Tables C.17-3, C.17-3a; PS3.15 A.4.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from sr.dicomfile.dataset import DataSet
from sr.dicomfile.tags import format_tag
from sr.findings import Finding, Status, SubIndication
from sr.mac.algorithm import MACAlgorithm
from sr.mac.selection import signable_tag

__all__ = [
    "EVIDENCE_SEQUENCES",
    "DocumentReference",
    "MACReference",
    "SignatureReference",
    "document_references",
    "unsecured",
]

CURRENT_EVIDENCE = 0x0040A375
OTHER_EVIDENCE = 0x0040A385
PREDECESSORS = 0x0040A360
IDENTICAL = 0x0040A525
EVIDENCE_SEQUENCES = (CURRENT_EVIDENCE, OTHER_EVIDENCE)
_ALL_SEQUENCES = (PREDECESSORS, CURRENT_EVIDENCE, OTHER_EVIDENCE, IDENTICAL)
_SERIES, _INSTANCES = 0x00081115, 0x00081199
_SIGNATURES, _MACS = 0x04000402, 0x04000403


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureReference:
    """A signature of the referenced instance, copied.

    Cites: PS3.3 Table C.17-3a (0400,0402).
    """

    digital_signature_uid: str
    signature: bytes


@dataclass(frozen=True, kw_only=True)
class MACReference:
    """A digest of the referenced instance, as stored and unchecked.

    Cites: PS3.3 Table C.17-3a (0400,0403).
    """

    transfer_syntax_uid: str
    algorithm: str
    data_elements_signed: tuple[int, ...]
    mac: bytes

    @property
    def known_algorithm(self) -> MACAlgorithm | None:
        """The algorithm, ``None`` where the term is not defined."""
        try:
            return MACAlgorithm(self.algorithm)
        except ValueError:
            return None

    @cached_property
    def is_sound(self) -> bool:
        """Whether it can vouch for anything: known digest of the right length over a sound list.

        Cites: PS3.3 Table C.17-3a.
        """
        algorithm = self.known_algorithm
        listed = self.data_elements_signed
        return (
            algorithm is not None
            and len(self.mac) == algorithm.digest_bytes
            and bool(listed)
            and list(listed) == sorted(set(listed))
            and all(signable_tag(tag) for tag in listed)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentReference:
    """One item of a Referenced SOP Sequence.

    Cites: PS3.3 Table C.17-3.
    """

    sequence: int
    """Tag of the outermost sequence, e.g. (0040,A375)."""
    where: str
    study_instance_uid: str
    series_instance_uid: str
    sop_class_uid: str
    sop_instance_uid: str
    macs: tuple[MACReference, ...]
    signatures: tuple[SignatureReference, ...]

    @property
    def is_evidence(self) -> bool:
        """Whether PS3.15 A.4 asks for proof."""
        return self.sequence in EVIDENCE_SEQUENCES

    @property
    def is_secured(self) -> bool:
        """Whether it carries at least one usable proof.

        Cites: PS3.15 A.4.
        """
        return any(m.is_sound for m in self.macs) or self._is_signed

    @property
    def is_unsecured(self) -> bool:
        """Whether it carries no proof, not even one that is unusable.

        Cites: PS3.15 A.4.
        """
        return not self.macs and not self._is_signed

    @property
    def _is_signed(self) -> bool:
        return any(s.signature for s in self.signatures)


def document_references(dataset: DataSet) -> tuple[DocumentReference, ...]:
    """Return every reference of the evidence, predecessor and identical documents sequences.

    Cites: PS3.3 C.17.2.
    """
    return dataset.answer(_read_references)


def _read_references(dataset: DataSet) -> tuple[DocumentReference, ...]:
    return tuple(
        reference
        for sequence in _ALL_SEQUENCES
        for study_number, study in enumerate(dataset.items(sequence))
        for reference in _of_study(study, sequence, f"{format_tag(sequence)}[{study_number}]")
    )


def _of_study(study: DataSet, sequence: int, where: str) -> Iterator[DocumentReference]:
    for series_number, series in enumerate(study.items(_SERIES)):
        for number, item in enumerate(series.items(_INSTANCES)):
            yield DocumentReference(
                sequence=sequence,
                where=f"{where}.{format_tag(_SERIES)}[{series_number}]"
                f".{format_tag(_INSTANCES)}[{number}]",
                study_instance_uid=study.text(0x0020000D),
                series_instance_uid=series.text(0x0020000E),
                sop_class_uid=item.text(0x00081150),
                sop_instance_uid=item.text(0x00081155),
                macs=tuple(_mac(m) for m in item.items(_MACS)),
                signatures=tuple(
                    SignatureReference(
                        digital_signature_uid=s.text(0x04000100),
                        signature=s.bytes(0x04000120) or b"",
                    )
                    for s in item.items(_SIGNATURES)
                ),
            )


def _mac(item: DataSet) -> MACReference:
    return MACReference(
        transfer_syntax_uid=item.text(0x04000010),
        algorithm=item.text(0x04000015),
        data_elements_signed=item.numbers(0x04000020),
        mac=item.bytes(0x04000404) or b"",
    )


def unsecured(where: str) -> Finding:
    """Return the finding that an evidence item carries no proof.

    Cites: PS3.15 A.4 b.
    """
    return Finding(
        rule="EVIDENCE_UNSECURED",
        status=Status.FAIL,
        message="a referenced instance (ReferencedSOPSequence (0008,1199)) carries neither "
        "ReferencedDigitalSignatureSequence (0400,0402) nor "
        "ReferencedSOPInstanceMACSequence (0400,0403)",
        cites="PS3.15 A.4 b",
        where=where,
        sub_indication=SubIndication.EVIDENCE_UNSECURED,
    )
