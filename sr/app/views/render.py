"""Use case: a readable page of a document, made from the bytes that were signed.

File, verdict and page come from one reading of the file. The page needs no network, runs no
script, and says about every header field whether a signature covers it. It is a view: only the
DICOM file can be checked.

Cites: PS3.3 C.17; PS3.15 A.4, C.4.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sr.app.checks.check import CheckOptions, gather_file
from sr.app.files import open_dicom
from sr.app.views.content_view import content_root, language_of, targets_of
from sr.app.views.document_view import attributes, cited_rows, header_fields, running_head, title_of
from sr.app.views.page import failures, fill
from sr.app.views.rendition import form_of, write_rendition
from sr.app.views.signature_code import code_payload, code_svg
from sr.app.views.wording import class_name
from sr.dicomfile import DICOMFile
from sr.errors import DocumentError
from sr.findings import Indication
from sr.signature.documents import is_document
from sr.signature.references import EVIDENCE_SEQUENCES
from sr.verification import Demands, Verdict, judge

__all__ = ["Rendition", "document_values", "page_of", "render_file"]

_PAGE = "render/report.html.j2"
_AT_MOST = 12
_PLACES = {
    "class": (0x00080016,),
    "title": (0x0040A043,),
    "content": (0x0040A730,),
    "cited": EVIDENCE_SEQUENCES,
}
"""Attributes that are shown outside of the header, by where they stand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendition:
    """What was written, and what stands on it."""

    verdict: Verdict
    files: tuple[Path, ...]


def render_file(path: Path, output: Path, options: CheckOptions) -> Rendition:
    """Write the page of a document with the verdict on it.

    Args:
        path: A structured report or key object selection.
        output: File to write: ``.html``, ``.pdf`` or ``.png``.
        options: How to check it; without trust anchors the page says that nobody vouches.

    Raises:
        ConfigurationError: A path does not make sense, or the extra ``pdf`` is missing.
        NotDICOMError: The bytes are not DICOM.
        DatasetError: They break a structural rule; such a file has no page.
        DocumentError: It is neither a report nor a key object selection.
        TrustEvidenceError: Trust material does not parse.
        ProfileError: The policy is unknown or malformed.

    Cites: PS3.3 C.17.
    """
    form = form_of(output)
    file = open_dicom(path)
    if not is_document(file.sop_class_uid):
        raise DocumentError(
            f"{path.name} is neither a structured report nor a key object selection but "
            f"{class_name(file.sop_class_uid)}",
            where="(0008,0016)",
        )
    verdict = judge(
        gather_file(file, options),
        subject=path.name,
        policy=options.trust_policy,
        material=options.material,
        judged_at=options.at,
        demands=Demands(purposes=options.purposes, signer=options.signer),
    )
    page = page_of(file, verdict, paged=form.is_paged)
    written = write_rendition(output, page, form, inputs=(path,))
    return Rendition(verdict=verdict, files=tuple(written))


def page_of(file: DICOMFile, verdict: Verdict, *, paged: bool = False) -> str:
    """Return the page of a document with its verdict, as HTML.

    Args:
        file: The document.
        verdict: On that file.
        paged: For paper: nothing is folded away.

    Cites: PS3.3 C.17; ETSI EN 319 102-1 5.1.4.
    """
    payload = code_payload(file)
    code = code_svg(payload) if payload else None
    values = {**document_values(file, verdict), "payload": payload, "code": code}
    return fill(_PAGE, verdict, values, paged=paged)


def document_values(file: DICOMFile, verdict: Verdict) -> dict[str, Any]:
    """Return what the templates of ``templates/render`` ask for about a document.

    Cites: PS3.3 C.17.3.
    """
    dataset = file.dataset
    results = {item.sop_instance_uid: item.result.value for item in verdict.references.items or ()}
    root = content_root(dataset, results)
    return {
        "title": title_of(dataset),
        "class_name": class_name(file.sop_class_uid),
        "language": language_of(dataset),
        "running_head": running_head(dataset),
        "header": header_fields(dataset, verdict),
        "root": root,
        "targets": targets_of(root),
        "uncovered": _uncovered_places(verdict),
        "vouched": _is_vouched(verdict),
        "cited": cited_rows(dataset, results),
        "attributes": attributes(dataset, verdict),
        "failures": failures(verdict),
        "at_most": _AT_MOST,
    }


def _is_vouched(verdict: Verdict) -> bool:
    """Whether any signature that holds speaks for the document."""
    top = (s for s in verdict.signatures if not s.location)
    return any(s.indication is Indication.PASSED for s in top)


def _uncovered_places(verdict: Verdict) -> frozenset[str]:
    return frozenset(
        place for place, tags in _PLACES.items() if not set(tags).isdisjoint(verdict.uncovered)
    )
