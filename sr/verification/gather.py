"""Gathering: a strictly read file to facts, without judging anything.

Order: structure, MAC stream from the stored bytes, digest, signature value. What a broken structure
makes meaningless is not computed.

Cites: PS3.3 C.12.1.1.3; PS3.15 C.1.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sr.dicomfile.dataset import DataSet, DICOMFile
from sr.dicomfile.tags import format_tag
from sr.errors import EncodingError, UnsupportedAlgorithmError
from sr.findings import Finding, Status, SubIndication
from sr.mac.algorithm import MACAlgorithm
from sr.mac.peer import PeerTruncation, peer_stream
from sr.mac.selection import (
    DIGITAL_SIGNATURES_SEQUENCE,
    MAC_PARAMETERS_SEQUENCE,
)
from sr.mac.stream import Padding, Segment, digest_segments, mac_segments
from sr.signature.citations import citation_findings
from sr.signature.documents import condition_values, is_document
from sr.signature.integrity import SignatureMatch, match_signature, public_key_facts
from sr.signature.item import MACParameters
from sr.signature.moment import parse_moment
from sr.signature.references import document_references
from sr.signature.structure import LocatedSignature, examine
from sr.verification.facts import DocumentFacts, Integrity, ReferenceFacts, SignatureFacts
from sr.verification.fragments import ambiguous_fragments

__all__ = ["gather", "signature_facts"]

_SEQUENCES = frozenset({MAC_PARAMETERS_SEQUENCE, DIGITAL_SIGNATURES_SEQUENCE})
_AUTHOR_OBSERVERS, _VERIFYING_OBSERVERS = 0x0040A078, 0x0040A073
_PERSON_NAME, _VERIFYING_NAME = 0x0040A123, 0x0040A075
_PERSON_CODES, _VERIFYING_CODES = 0x00401101, 0x0040A088
_CODE_VALUE, _CODING_SCHEME = 0x00080100, 0x00080102
_META_CLASS, _META_INSTANCE, _META_TRANSFER_SYNTAX = 0x00020002, 0x00020003, 0x00020010
_PIXEL_DATA = 0x7FE00010
_BY_MATCH = {
    SignatureMatch.MATCHES: Integrity.INTACT,
    SignatureMatch.OTHER_DIGEST: Integrity.OTHER_BYTES,
    SignatureMatch.NOT_GENUINE: Integrity.NOT_GENUINE,
    SignatureMatch.UNREADABLE_CERTIFICATE: Integrity.UNREADABLE_CERTIFICATE,
    SignatureMatch.UNSUPPORTED_KEY: Integrity.UNSUPPORTED,
}


def gather(file: DICOMFile, references: tuple[ReferenceFacts, ...] | None = None) -> DocumentFacts:
    """Return the facts about a file.

    Args:
        file: The file as read.
        references: From ``compare_references``, ``None`` where no evidence was given.

    Raises:
        LimitError: There are too many signatures, or a value they need is too large.

    Cites: PS3.3 C.12.1.1.3.
    """
    structure = examine(file)
    dataset = file.dataset
    cited = document_references(dataset) if is_document(file.sop_class_uid) else ()
    evidence = tuple(r for r in cited if r.is_evidence)
    return DocumentFacts(
        sop_class_uid=file.sop_class_uid,
        sop_instance_uid=file.sop_instance_uid,
        present=tuple(e.tag for e in dataset if e.tag not in _SEQUENCES and e.tag & 0xFFFF != 0),
        values=condition_values(dataset),
        observers=_observers(dataset),
        observer_codes=_observer_codes(dataset),
        signatures=tuple(signature_facts(file, located) for located in structure.signatures),
        findings=(
            *structure.findings,
            *_meta(file),
            *citation_findings(file, cited),
            *file.notices,
        ),
        unsecured=tuple(r.where for r in evidence if r.is_unsecured),
        reference_count=len(evidence),
        references=references,
    )


def signature_facts(file: DICOMFile, located: LocatedSignature) -> SignatureFacts:
    """Return the facts about one signature.

    Cites: PS3.3 C.12.1.1.3.
    """
    item, parameters = located.signature, located.parameters
    integrity, truncation = _integrity(located)
    return SignatureFacts(
        number=located.number,
        location=located.level.location,
        where=located.where,
        digital_signature_uid=item.digital_signature_uid,
        purpose=item.purpose,
        claimed=parse_moment(item.signed_at),
        mac_algorithm=parameters.algorithm if parameters is not None else "",
        mac_transfer_syntax_uid=parameters.transfer_syntax_uid if parameters is not None else "",
        data_elements_signed=parameters.data_elements_signed if parameters is not None else (),
        certificate=item.certificate,
        certificate_type=item.certificate_type,
        key=public_key_facts(item.certificate),
        signature=item.signature,
        timestamp_type=item.timestamp_type,
        timestamp=item.timestamp,
        integrity=integrity,
        ambiguous_fragments=(
            ambiguous_fragments(located.level.dataset, parameters.data_elements_signed)
            if parameters is not None
            else ()
        ),
        findings=located.findings,
        truncation=truncation,
    )


def _integrity(located: LocatedSignature) -> tuple[Integrity, PeerTruncation | None]:
    parameters = located.parameters
    if parameters is None or any(f.status is Status.FAIL for f in located.findings):
        return Integrity.NOT_COMPUTED, None
    try:
        return _compared(located, parameters)
    except (ValueError, UnsupportedAlgorithmError):
        return Integrity.UNSUPPORTED, None
    except EncodingError:
        return Integrity.NOT_COMPUTED, None


def _compared(
    located: LocatedSignature, parameters: MACParameters
) -> tuple[Integrity, PeerTruncation | None]:
    """Compare with the stored bytes, then with what writers that normalise, then dcmsign, hash."""
    algorithm = MACAlgorithm(parameters.algorithm)
    level, item = located.level, located.item
    covers = parameters.data_elements_signed
    stored = mac_segments(level.dataset, covers, signature_item=item)
    found = _match(located, algorithm, stored)
    if found not in (Integrity.OTHER_BYTES, Integrity.NOT_GENUINE):
        return found, None
    canonical = mac_segments(level.dataset, covers, signature_item=item, padding=Padding.CANONICAL)
    if _match(located, algorithm, canonical) is Integrity.INTACT:
        return Integrity.INTACT_PADDING_NORMALISED, None
    for padding in (Padding.CANONICAL, Padding.AS_STORED):
        peer = peer_stream(level.dataset, covers, signature_item=item, padding=padding)
        segments = (s for chunk in peer.chunks for s in chunk.segments)
        if peer.truncation and _match(located, algorithm, segments) is Integrity.INTACT:
            return Integrity.INTACT_PEER_TRUNCATED, peer.truncation
    return found, None


def _match(
    located: LocatedSignature, algorithm: MACAlgorithm, segments: Iterable[Segment]
) -> Integrity:
    digest = digest_segments(segments, algorithm)
    item = located.signature
    return _BY_MATCH[match_signature(item.certificate, item.signature, algorithm, digest)]


def _observers(dataset: DataSet) -> dict[str, tuple[str, ...]]:
    return {
        "author": tuple(i.text(_PERSON_NAME) for i in dataset.items(_AUTHOR_OBSERVERS)),
        "verifying": tuple(i.text(_VERIFYING_NAME) for i in dataset.items(_VERIFYING_OBSERVERS)),
    }


def _observer_codes(dataset: DataSet) -> dict[str, tuple[str, ...]]:
    def codes(observers: int, sequence: int) -> tuple[str, ...]:
        items = (code for who in dataset.items(observers) for code in who.items(sequence))
        return tuple(f"{i.text(_CODE_VALUE)}^{i.text(_CODING_SCHEME)}" for i in items)

    return {
        "author": codes(_AUTHOR_OBSERVERS, _PERSON_CODES),
        "verifying": codes(_VERIFYING_OBSERVERS, _VERIFYING_CODES),
    }


def _meta(file: DICOMFile) -> Iterator[Finding]:
    """Yield where File Meta Information, which nothing signs, contradicts the data set."""
    if file.meta is None:
        yield _meta_finding("META_ABSENT", "File Meta Information is absent", "(0002,0010)")
        return
    if not file.meta.text(_META_TRANSFER_SYNTAX):
        yield _meta_finding("META_ABSENT", "TransferSyntaxUID (0002,0010) is absent", "(0002,0010)")
    if not _pixels_fit(file):
        yield _meta_finding(
            "META_TRANSFER_SYNTAX",
            f"TransferSyntaxUID (0002,0010) {file.transfer_syntax.uid} does not fit the pixels",
            "(0002,0010)",
        )
    for rule, tag, own in (
        ("META_CLASS", _META_CLASS, file.sop_class_uid),
        ("META_INSTANCE", _META_INSTANCE, file.sop_instance_uid),
    ):
        said = file.meta.text(tag)
        if not said or said != own:
            where = format_tag(tag)
            yield _meta_finding(rule, f"{where} is not what the data set says", where)


def _pixels_fit(file: DICOMFile) -> bool:
    """Whether pixel data is encapsulated exactly where the transfer syntax says so.

    A document has none. Other instances may lack theirs and keep the syntax.
    """
    pixels = file.dataset.get(_PIXEL_DATA)
    if pixels is None:
        return not (file.transfer_syntax.encapsulated and is_document(file.sop_class_uid))
    return (pixels.fragments is not None) == file.transfer_syntax.encapsulated


def _meta_finding(rule: str, message: str, where: str) -> Finding:
    return Finding(
        rule=rule,
        status=Status.FAIL,
        message=message,
        where=where,
        cites="PS3.10 7.1",
        sub_indication=SubIndication.SIG_CONSTRAINTS_FAILURE,
    )
