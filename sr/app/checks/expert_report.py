"""Use case: a page for experts about a check, with the commands that repeat it elsewhere.

It shows every finding, also of rules that were kept, what each signature covers and rests on, and
how DCMTK and OpenSSL come to the same result. Nothing of the content is on it.

Cites: ETSI EN 319 102-1 5.1.4; PS3.3 C.12.1.1.3.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sr.app.checks.check import CheckOptions
from sr.app.checks.repetition import Given, Step, document_steps, signature_steps
from sr.app.files import digest_file
from sr.app.views.page import failures, fill
from sr.app.views.rendition import Form, form_of, write_rendition
from sr.app.views.wording import class_name
from sr.dicomfile import DICOMFile, describe_tag
from sr.errors import EncodingError, UnsupportedAlgorithmError
from sr.findings import Finding, Status
from sr.mac import MACAlgorithm, mac_stream
from sr.mac.stream import chunk_length, digest_chunks
from sr.signature import examine
from sr.signature.integrity import public_key_facts
from sr.signature.notices import peer_notices
from sr.signature.structure import LocatedSignature
from sr.trust.certificate import CertificateSummary, read_certificate
from sr.verification import Verdict
from sr.verification.verdict import SignatureVerdict

__all__ = ["ExaminedSignature", "report_page", "write_report"]

_PAGE = "render/check.html.j2"
_FORMS = (Form.HTML, Form.PDF)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExaminedSignature:
    """One signature with everything that an expert would ask for."""

    number: int
    verdict: SignatureVerdict
    key: str
    stream_bytes: int
    digest: str
    """Of the MAC stream, hexadecimal; ``""`` where it cannot be computed."""
    covers: tuple[str, ...]
    time_stamp: str
    """Certified Timestamp Type (0400,0305), ``""`` without one."""
    steps: tuple[Step, ...]
    notices: tuple[Finding, ...]
    """What other programs may make of it."""


def write_report(
    output: Path, verdict: Verdict, options: CheckOptions, *, path: Path, file: DICOMFile | None
) -> None:
    """Write the page about a check.

    Args:
        output: File to write, ``.html`` or ``.pdf``.
        verdict: What the check came to.
        options: What it was given.
        path: The file that was checked, as its commands shall name it.
        file: The same as it was read; ``None`` where it breaks a structural rule.

    Raises:
        ConfigurationError: The output does not make sense, or the extra ``pdf`` is missing.
        DocumentError: The page cannot be made.

    Cites: ETSI EN 319 102-1 5.1.4.
    """
    form = form_of(output, offered=_FORMS)
    page = report_page(verdict, options, path=path, file=file, paged=form.is_paged)
    write_rendition(output, page, form, inputs=(path,))


def report_page(
    verdict: Verdict,
    options: CheckOptions,
    *,
    path: Path,
    file: DICOMFile | None,
    paged: bool = False,
) -> str:
    """Return the page about a check, as HTML; see ``write_report``.

    Cites: ETSI EN 319 102-1 5.1.4.
    """
    given = Given(
        file=path,
        anchors=options.anchors,
        timestamp_anchors=options.timestamp_anchors,
        intermediates=options.intermediates,
        crls=options.crls,
        judged_at=options.at,
    )
    return fill(
        _PAGE,
        verdict,
        {
            "class_name": class_name(verdict.sop_class_uid) if verdict.sop_class_uid else "",
            "sha256": digest_file(path).hex(),
            "anchors": tuple(_summaries(options.material.anchors)),
            "timestamp_anchors": tuple(_summaries(options.material.timestamp_anchors)),
            "intermediates": tuple(_summaries(options.material.intermediates)),
            "crls": len(options.material.crls),
            "ocsps": len(options.material.ocsps),
            "failures": failures(verdict),
            "signatures": _signatures(verdict, file, given) if file is not None else (),
            "steps": document_steps(given) if verdict.signatures else (),
            "uncovered": tuple(map(describe_tag, verdict.uncovered)),
        },
        paged=paged,
    )


def _summaries(certificates: tuple[bytes, ...]) -> Iterator[CertificateSummary]:
    return (read_certificate(der).summary for der in certificates)


def _signatures(verdict: Verdict, file: DICOMFile, given: Given) -> tuple[ExaminedSignature, ...]:
    located = examine(file).signatures
    return tuple(
        _examined(each, verdict_on_it, located, given)
        for each, verdict_on_it in zip(located, verdict.signatures, strict=True)
    )


def _examined(
    located: LocatedSignature,
    verdict: SignatureVerdict,
    others: tuple[LocatedSignature, ...],
    given: Given,
) -> ExaminedSignature:
    certificate = located.signature.certificate
    key = public_key_facts(certificate)
    length, digest = _stream(located)
    steps: tuple[Step, ...] = ()
    if digest and verdict.chain:
        steps = signature_steps(located, others, verdict=verdict, digest=digest, given=given)
    return ExaminedSignature(
        number=located.number,
        verdict=verdict,
        key=f"{key.kind}, {key.bits} bits" if key is not None else "unreadable",
        stream_bytes=length,
        digest=digest,
        covers=tuple(map(describe_tag, verdict.covers)),
        time_stamp=located.signature.timestamp_type,
        steps=steps,
        notices=_notices(located, length) if digest else (),
    )


def _stream(located: LocatedSignature) -> tuple[int, str]:
    """Return length and digest of the MAC stream, nothing where the structure is broken."""
    parameters = located.parameters
    if parameters is None or any(f.status is Status.FAIL for f in located.findings):
        return 0, ""
    covers = parameters.data_elements_signed
    try:
        algorithm = MACAlgorithm(parameters.algorithm)
        chunks = tuple(mac_stream(located.level.dataset, covers, signature_item=located.item))
        return sum(map(chunk_length, chunks)), digest_chunks(chunks, algorithm).hex()
    except (ValueError, UnsupportedAlgorithmError, EncodingError):
        return 0, ""


def _notices(located: LocatedSignature, length: int) -> tuple[Finding, ...]:
    assert located.parameters is not None  # noqa: S101 - there is a stream
    covers = located.parameters.data_elements_signed
    return peer_notices(
        located.level.dataset, covers, signed_part=located.item, stream_bytes=length
    )
