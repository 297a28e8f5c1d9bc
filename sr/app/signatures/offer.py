"""What a service asks a signer to sign, held against the bytes that will be signed.

A service may be wrong, or lie. So nothing it says is shown: every document is read back from its
MAC stream, whose digest is computed here, and what the service says of it has to agree.

Cites: PS3.3 C.12.1.1.3.1.1; PS3.15 A.4, C.4.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from sr.app.signatures.match_code import match_code
from sr.app.views.content_view import Cited, Node, content_root
from sr.app.views.document_view import title_of
from sr.app.views.wording import class_name, date_time, person_name, visible
from sr.codes import SignaturePurpose
from sr.dicomfile import DataSet, describe_tag, format_tag
from sr.errors import MismatchError
from sr.mac import MACAlgorithm
from sr.mac.algorithm import new_digest
from sr.mac.stream_reader import StreamContent, read_stream
from sr.signature.documents import condition_values, is_document
from sr.signature.moment import parse_moment
from sr.signature.profile import (
    PROFILE_KEY_TYPE,
    ProfileSubject,
    Use,
    applies,
    check_profile,
    load_profile,
)
from sr.signature.purpose import known_purpose, read_code
from sr.signature.references import document_references

__all__ = ["Display", "Offer", "OfferedDocument", "ShownDocument", "display_of", "examine_offer"]

_CHARSET, _CLASS = 0x00080005, 0x00080016
_PATIENT_NAME, _PATIENT_ID, _BIRTH_DATE = 0x00100010, 0x00100020, 0x00100030
_STUDY_DATE, _STUDY_TEXT = 0x00080020, 0x00081030
_SIGNATURE_UID, _SIGNED_AT, _PURPOSE = 0x04000100, 0x04000105, 0x04000401
_NEEDED = (_CLASS, _PATIENT_NAME, _PATIENT_ID, 0x0040A040, 0x0040A043, 0x0040A730)
"""What a person decides by: class, patient, and the document's type, title and content."""
_OLDEST = timedelta(hours=1)
_PROFILES = ("basic-sr-secure-use", "structured-report-verification")


@dataclass(frozen=True, slots=True, kw_only=True)
class Display:
    """What a service says of a document; patient data, for the eyes of the signer."""

    title: str
    patient_name: str
    patient_id: str
    purpose: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferedDocument:
    """One document that a service wants signed, as it says."""

    n: int
    digital_signature_uid: str
    digest: bytes
    covers: tuple[int, ...]
    display: Display


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A signing session, as the service says."""

    id: str
    purpose: SignaturePurpose
    certificate_sha256: str
    """Of the certificate that it is for, hexadecimal."""
    mac_algorithm: MACAlgorithm
    match_code: str
    expires_at: datetime
    has_values: bool
    """Everything was signed; only a time-stamp is still wanted."""
    documents: tuple[OfferedDocument, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownDocument:
    """What a person is shown before they confirm, read from the bytes that are signed."""

    n: int
    digest: bytes
    """Computed here."""
    title: str
    kind: str
    """Name of the SOP class."""
    patient_name: str
    patient_id: str
    birth_date: str
    study: str
    purpose: SignaturePurpose
    signed_at: datetime
    covers: tuple[int, ...]
    evidence: int
    """How many instances it cites with proof."""
    lines: tuple[str, ...]
    """Its content, one item a line, indented."""


def examine_offer(
    offer: Offer,
    streams: Mapping[int, bytes],
    *,
    certificate: bytes,
    now: datetime,
    clock_skew: timedelta,
) -> tuple[ShownDocument, ...]:
    """Return what an offer asks to sign, or find that the service says something else.

    Args:
        offer: What the service says.
        streams: MAC stream by number of the document.
        certificate: DER of the signer's certificate.
        now: The time here.
        clock_skew: How far the service's clock may be ahead of it.

    Raises:
        MismatchError: What the service says is not what it asks to sign; ``rule`` says how.
        DatasetError: The bytes are no document.

    Cites: PS3.3 C.12.1.1.3.1.1; PS3.15 A.4, C.4.
    """
    _demand(offer.certificate_sha256 == sha256(certificate).hexdigest(), "OFFER_CERTIFICATE",
            "the session is for another certificate", "(0400,0115)")  # fmt: skip
    numbers = tuple(document.n for document in offer.documents)
    sound = len(numbers) > 0 and len(set(numbers)) == len(numbers) and set(numbers) == set(streams)
    _demand(sound, "OFFER_DOCUMENTS", "the session does not have one stream for each document")
    shown = tuple(
        _shown(offer, document, streams[document.n], now, clock_skew)
        for document in offer.documents
    )
    code = match_code(offer.id, tuple(document.digest for document in shown))
    _demand(code == offer.match_code, "OFFER_MATCH_CODE",
            "the match code of the session is not that of its documents")  # fmt: skip
    return shown


def _shown(
    offer: Offer, document: OfferedDocument, stream: bytes, now: datetime, skew: timedelta
) -> ShownDocument:
    hashed = new_digest(offer.mac_algorithm)
    hashed.update(stream)
    _demand(hashed.digest() == document.digest, "OFFER_DIGEST",
            "the digest is not that of the bytes")  # fmt: skip
    content = read_stream(stream)
    dataset = content.dataset
    covers = tuple(element.tag for element in dataset)
    _demand(covers == document.covers, "OFFER_COVERS",
            "the bytes hold other elements than the session names")  # fmt: skip
    _require_readable(dataset)
    _require_profiles(offer, dataset, covers)
    signed_at = _signed_at(offer, document, content, now, skew)
    _demand(display_of(dataset, offer.purpose) == document.display, "OFFER_DISPLAY",
            "the session is about another document than the bytes")  # fmt: skip
    root = content_root(dataset, {})
    evidence = {r.sop_instance_uid for r in document_references(dataset) if r.is_evidence}
    _demand(set(_cited(root)) <= evidence, "OFFER_EVIDENCE",
            "an instance is cited without proof", "(0040,A375)")  # fmt: skip
    return ShownDocument(
        n=document.n,
        digest=hashed.digest(),
        title=visible(title_of(dataset)),
        kind=class_name(dataset.text(_CLASS)),
        patient_name=person_name(dataset.text(_PATIENT_NAME)),
        patient_id=visible(dataset.text(_PATIENT_ID)),
        birth_date=date_time(dataset.text(_BIRTH_DATE)),
        study=" ".join(
            filter(None, (date_time(dataset.text(_STUDY_DATE)), visible(dataset.text(_STUDY_TEXT))))
        ),
        purpose=offer.purpose,
        signed_at=signed_at,
        covers=covers,
        evidence=len(evidence),
        lines=tuple(_lines(root, 0)),
    )


def _require_readable(dataset: DataSet) -> None:
    """Refuse bytes that another character set could turn into another text, or a missing part."""
    for tag in _NEEDED:
        _demand(tag in dataset, "OFFER_COVERS",
                f"the signature would not cover {describe_tag(tag)}", format_tag(tag))  # fmt: skip
    _demand(is_document(dataset.text(_CLASS)), "OFFER_CLASS", "that is no document", "(0008,0016)")
    whole = dataset.source.read_at(0, dataset.source.size)
    settled = _CHARSET in dataset or (whole.isascii() and b"\x1b" not in whole)
    _demand(settled, "OFFER_CHARSET", "the signature would not cover the character set",
            "(0008,0005)")  # fmt: skip


def _require_profiles(offer: Offer, dataset: DataSet, covers: tuple[int, ...]) -> None:
    """Hold the elements against the profiles; which key signs is the business of its owner."""
    references = document_references(dataset)
    subject = ProfileSubject(
        present=frozenset(covers),
        signed=frozenset(covers),
        at_top_level=True,
        values=condition_values(dataset),
        purpose=offer.purpose.code,
        mac_algorithm=offer.mac_algorithm.value,
        key_type="RSA",
        unsecured=tuple(r.where for r in references if r.is_evidence and not r.is_secured),
    )
    findings = (
        finding
        for profile in map(load_profile, _PROFILES)
        if applies(profile, subject)
        for finding in check_profile(profile, subject, Use.CREATE)
    )
    for finding in findings:
        _demand(finding.rule == PROFILE_KEY_TYPE, finding.rule, finding.message, finding.where)


def _signed_at(
    offer: Offer,
    document: OfferedDocument,
    content: StreamContent,
    now: datetime,
    skew: timedelta,
) -> datetime:
    """Return the time in the signature, after a look at everything else in it."""
    item = content.signature_item
    _demand(item.text(_SIGNATURE_UID) == document.digital_signature_uid, "OFFER_SIGNATURE",
            "the bytes are those of another signature", "(0400,0100)")  # fmt: skip
    codes = [read_code(code) for code in item.items(_PURPOSE)]
    meant = codes == [offer.purpose.code] and known_purpose(codes[0]) is offer.purpose
    _demand(meant, "OFFER_PURPOSE", "the bytes name another purpose", "(0400,0401)")
    at = parse_moment(item.text(_SIGNED_AT)).at
    if at is None or not now - _OLDEST - skew <= at <= now + skew:
        raise MismatchError(
            "the signature would be dated to another time than now",
            rule="OFFER_TIME",
            where="(0400,0105)",
            hint="look at the clock of this machine",
        )
    return at


def display_of(dataset: DataSet, purpose: SignaturePurpose) -> Display:
    """Return what a service says of a document, and what a signer holds that against."""
    return Display(
        title=title_of(dataset),
        patient_name=dataset.text(_PATIENT_NAME),
        patient_id=dataset.text(_PATIENT_ID),
        purpose=purpose.code.meaning,
    )


def _demand(holds: bool, rule: str, message: str, where: str | None = None) -> None:  # noqa: FBT001
    if not holds:
        raise MismatchError(message, rule=rule, where=where)


def _cited(node: Node) -> Iterator[str]:
    yield from (cited.sop_instance_uid for cited in node.cited)
    for child in node.children:
        yield from _cited(child)


def _lines(node: Node, depth: int) -> Iterator[str]:
    value = node.value
    said = " ".join(filter(None, (value.text, value.unit)))
    more = (*value.notes, *value.points, *map(_instance, node.cited))
    text = "; ".join(filter(None, (said, *more)))
    first, *others = f"{node.name}: {text}".strip(": ").split("\n")
    indent = "  " * depth
    yield f"{indent}{first}"
    yield from (f"{indent}  {line}" for line in others)
    for child in node.children:
        yield from _lines(child, depth + 1)


def _instance(cited: Cited) -> str:
    return " ".join((cited.sop_class, *cited.parts))
