"""Use case: a readable page of a document, made from the bytes that were signed.

File, verdict and page come from one reading of the file. The page needs no network, runs no
script, and says about every header field whether a signature covers it. It is a view: only the
DICOM file can be checked.

Cites: PS3.3 C.17; PS3.15 A.4, C.4.
"""

from __future__ import annotations

from base64 import b64encode
from datetime import UTC
from hashlib import sha256
from pathlib import Path

from jinja2 import Environment, FunctionLoader, StrictUndefined
from jinja2 import TemplateError as JinjaError
from markupsafe import Markup

from sr import __version__
from sr.app.check import CheckOptions, gather_file
from sr.app.content_view import content_root, language_of
from sr.app.document_view import attributes, cited_rows, header_fields, title_of
from sr.app.files import guard_output, open_dicom, write_atomically
from sr.app.wording import class_name, date_time, visible
from sr.codes import Code
from sr.dicomfile import DICOMFile
from sr.errors import ConfigurationError, DocumentError
from sr.findings import Indication, Status
from sr.resources import resource_root
from sr.signature.documents import is_document
from sr.signature.purpose import known_purpose
from sr.verification import Demands, Verdict, judge
from sr.verification.render import ICONS

__all__ = ["page_of", "render_file"]

_HTML = (".html", ".htm")
_LATER = (".pdf", ".png")
_PAGE = "report.html.j2"
_STYLE = "report.css"
_AT_MOST = 12


def render_file(path: Path, output: Path, options: CheckOptions) -> Verdict:
    """Write the page of a document and return the verdict that stands on it.

    Args:
        path: A structured report or key object selection.
        output: File to write, ``.html``.
        options: How to check it; without trust anchors the page says that nobody vouches.

    Raises:
        ConfigurationError: A path does not make sense.
        NotDICOMError: The bytes are not DICOM.
        DatasetError: They break a structural rule; such a file has no page.
        DocumentError: It is neither a report nor a key object selection.
        TrustEvidenceError: Trust material does not parse.
        ProfileError: The policy is unknown or malformed.

    Cites: PS3.3 C.17.
    """
    _require_html(output)
    guard_output(output, [path], in_place=False)
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
    write_atomically(output, page_of(file, verdict).encode("utf-8"))
    return verdict


def page_of(file: DICOMFile, verdict: Verdict) -> str:
    """Return the page of a document with its verdict, as HTML.

    Cites: PS3.3 C.17; ETSI EN 319 102-1 5.1.4.
    """
    results = {item.sop_instance_uid: item.result.value for item in verdict.references.items or ()}
    style = _resource(_STYLE)
    environment = Environment(
        loader=FunctionLoader(_resource),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"purpose": _purpose, "moment": date_time, "visible": visible}
    try:
        return environment.get_template(_PAGE).render(
            style=Markup(style),  # noqa: S704 - our own file
            style_digest=b64encode(sha256(style.encode()).digest()).decode("ascii"),
            version=__version__,
            title=title_of(file.dataset),
            class_name=class_name(file.sop_class_uid),
            language=language_of(file.dataset),
            header=header_fields(file.dataset, verdict),
            root=content_root(file.dataset, results),
            cited=cited_rows(file.dataset, results),
            attributes=attributes(file.dataset, verdict),
            verdict=verdict,
            tone=_TONES[verdict.indication],
            tones=_TONES,
            icons=ICONS,
            judged_at=verdict.judged_at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC"),
            failures=_failures(verdict),
            at_most=_AT_MOST,
        )
    except JinjaError as error:
        raise DocumentError(f"the page cannot be made: {error}") from error


_TONES = {
    Indication.PASSED: "good",
    Indication.INDETERMINATE: "open",
    Indication.FAILED: "bad",
    Indication.NOT_SIGNED: "none",
}


def _purpose(code: Code | None) -> str:
    """Return the meaning of CID 7007; the one in the file identifies nothing."""
    known = known_purpose(code)
    return known.code.meaning if known is not None else "Signature without known purpose"


def _failures(verdict: Verdict) -> tuple[str, ...]:
    """Return why the verdict is what it is, each reason once."""
    findings = (*verdict.findings, *(f for s in verdict.signatures for f in s.findings))
    failing = (f"{f.rule}: {f.message}" for f in findings if f.status is Status.FAIL)
    return tuple(dict.fromkeys(failing))


def _require_html(output: Path) -> None:
    suffix = output.suffix.lower()
    if suffix in _LATER:
        raise ConfigurationError(
            f"{suffix} renditions come with the extra 'pdf' in a later version",
            hint="name an .html file, and print it from a browser",
        )
    if suffix not in _HTML:
        raise ConfigurationError(f"{output.name} does not end in .html", hint="name an .html file")


def _resource(name: str) -> str:
    return (resource_root("templates") / "render" / name).read_text(encoding="utf-8")
