"""A page as a file: HTML as it is, PDF by WeasyPrint, PNG one image for each page of the PDF.

The PDF library may load nothing: whatever it asks for is refused, so neither a page nor a style
can reach the network or the disk. Both libraries come with the extra ``pdf``.

Cites: W3C CSS Paged Media 3; ISO 14289-1.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from importlib import import_module
from io import BytesIO
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from sr.app.files import guard_output, write_atomically
from sr.errors import ConfigurationError, DocumentError

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["Form", "form_of", "write_rendition"]

_POINTS_PER_INCH = 72
_DOTS_PER_INCH = 144
_EXTRA = "pip install 'srsign[pdf]'"


class Form(StrEnum):
    """How a page is written."""

    HTML = "html"
    PDF = "pdf"
    PNG = "png"

    @property
    def is_paged(self) -> bool:
        """Whether it is laid out on paper."""
        return self is not Form.HTML


_SUFFIXES = {".html": Form.HTML, ".htm": Form.HTML, ".pdf": Form.PDF, ".png": Form.PNG}


def form_of(output: Path, *, offered: tuple[Form, ...] = tuple(Form)) -> Form:
    """Return the form that a file name asks for, once what it needs is there.

    Raises:
        ConfigurationError: The name asks for no such form, or the extra ``pdf`` is missing.
    """
    form = _SUFFIXES.get(output.suffix.lower())
    if form is None or form not in offered:
        *first, last = (f".{each.value}" for each in offered)
        names = f"{', '.join(first)} or {last}"
        raise ConfigurationError(f"{output.name} does not end in {names}")
    if form.is_paged:
        _import_weasyprint()
    if form is Form.PNG:
        _import_pdfium()
    return form


def write_rendition(output: Path, page: str, form: Form, *, inputs: tuple[Path, ...]) -> list[Path]:
    """Write a page; return the files that were written.

    The first page of a PNG has the name asked for, the others a number: ``OUT.png``,
    ``OUT-2.png``. Nothing is written unless every page could be made.

    Raises:
        ConfigurationError: A file cannot be written, is an input, or belongs to a longer rendition.
        DocumentError: The page cannot be laid out.
    """
    pages = _FORMS[form](page)
    outputs = [output, *(_numbered(output, n) for n in range(2, len(pages) + 1))]
    left_over = _numbered(output, len(pages) + 1)
    if form is Form.PNG and left_over.exists():
        raise ConfigurationError(
            f"{left_over} is left over from a rendition of more pages",
            hint="remove it, or name another output",
        )
    for path in outputs:
        guard_output(path, inputs, in_place=False)
    for path, data in zip(outputs, pages, strict=True):
        write_atomically(path, data)
    return outputs


def _numbered(output: Path, number: int) -> Path:
    return output.with_name(f"{output.stem}-{number}{output.suffix}")


def _html(page: str) -> tuple[bytes, ...]:
    return (page.encode("utf-8"),)


def _pdf(page: str) -> tuple[bytes, ...]:
    weasyprint = _import_weasyprint()
    refuse = weasyprint.urls.URLFetcher(allowed_protocols=(), fail_on_errors=True)
    try:
        document = weasyprint.HTML(string=page, url_fetcher=refuse)
        return (document.write_pdf(pdf_variant="pdf/ua-1"),)
    # A layout engine meets content of any shape; an address that is refused is no Exception there.
    except (Exception, weasyprint.urls.FatalURLFetchingError) as error:
        raise DocumentError(
            f"the page cannot be laid out for paper: {type(error).__name__}: {error}",
            hint="render it as .html and print it from a browser",
        ) from error


def _png(page: str) -> tuple[bytes, ...]:
    pdfium = _import_pdfium()
    document = pdfium.PdfDocument(_pdf(page)[0])
    try:
        scale = _DOTS_PER_INCH / _POINTS_PER_INCH
        return tuple(_image(sheet.render(scale=scale).to_pil()) for sheet in document)
    finally:
        document.close()


def _image(picture: Image) -> bytes:
    buffer = BytesIO()
    picture.save(buffer, "PNG", dpi=(_DOTS_PER_INCH, _DOTS_PER_INCH))
    return buffer.getvalue()


_FORMS: dict[Form, Callable[[str], tuple[bytes, ...]]] = {
    Form.HTML: _html,
    Form.PDF: _pdf,
    Form.PNG: _png,
}


def _import_weasyprint() -> ModuleType:
    try:
        return import_module("weasyprint")
    except ImportError as error:
        raise _missing("WeasyPrint") from error
    except OSError as error:  # its shared libraries are not there
        raise ConfigurationError(
            f"WeasyPrint cannot be used: {error}",
            hint="install Pango and HarfBuzz; on Debian: apt install libpangoft2-1.0-0 "
            "libharfbuzz-subset0",
        ) from error


def _import_pdfium() -> ModuleType:
    try:
        return import_module("pypdfium2")
    except ImportError as error:
        raise _missing("pypdfium2") from error


def _missing(name: str) -> ConfigurationError:
    return ConfigurationError(
        f"PDF and PNG need {name}, which is not installed",
        hint=f"{_EXTRA}; or name an .html file, and print it from a browser",
    )
