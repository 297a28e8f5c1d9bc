"""Pages as files: paper with patient and page number on each sheet, and nothing loaded."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import pypdfium2
import pytest
import zxingcpp
from PIL import Image

from sr.app.views.render import page_of
from sr.app.views.rendition import Form, form_of, write_rendition
from sr.app.views.signature_code import code_payload
from sr.errors import ConfigurationError, DocumentError
from tests.support.chromium import accessibility_faults
from tests.support.datasets import opened
from tests.support.hard_report import ARABIC, JAPANESE, MEASUREMENTS, hard_report
from tests.support.page import Page
from tests.support.signed import check

FOREIGN = {
    "picture": '<img src="http://x.example/a.png" alt="">',
    "file": '<img src="file:///etc/hostname" alt="">',
    "data": '<img src="data:image/png;base64,AAAA" alt="">',
    "style": '<link rel="stylesheet" href="https://x.example/a.css">',
    "font": '<style>@font-face { font-family: F; src: url("http://x.example/f") }</style>',
    "attachment": '<link rel="attachment" href="file:///etc/hostname">',
}


def _page(data: bytes, *, paged: bool = True) -> str:
    return page_of(opened(data), check(data), paged=paged)


@dataclass(frozen=True, kw_only=True)
class _Paper:
    """A page as PDF, and the text on each sheet of it."""

    pdf: bytes
    sheets: tuple[str, ...]


def _paper(page: str, folder: Path) -> _Paper:
    (path,) = write_rendition(folder / "page.pdf", page, Form.PDF, inputs=())
    document = pypdfium2.PdfDocument(path)
    sheets = tuple(sheet.get_textpage().get_text_bounded() for sheet in document)
    document.close()
    return _Paper(pdf=path.read_bytes(), sheets=sheets)


@pytest.fixture(scope="module")
def paper(tmp_path_factory: pytest.TempPathFactory) -> _Paper:
    """A report in four scripts with forty measurements, on paper."""
    return _paper(_page(hard_report(2)), tmp_path_factory.mktemp("paper"))


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The same as pictures."""
    out = tmp_path_factory.mktemp("pictures") / "page.png"
    return write_rendition(out, _page(hard_report(2)), Form.PNG, inputs=())


def test_every_sheet_names_patient_and_number(paper: _Paper) -> None:
    """A sheet that is found alone says whose it is, which of how many, and what the verdict was."""
    count = len(paper.sheets)
    assert count > 2
    for number, sheet in enumerate(paper.sheets, 1):
        assert "Müller-Lüdenscheidt, Dr. Jürgen" in sheet
        assert "SRSIGN-4711" in sheet
        assert f"Page {number} of {count}" in sheet
        assert "PASSED, with limitations" in sheet


def test_everything_is_on_paper(paper: _Paper) -> None:
    """Each measurement, script and reference is there, and nothing is folded away."""
    text = "".join("\n".join(paper.sheets).split())
    for number in range(2, MEASUREMENTS + 1):
        assert f"Durchmesser{number}{number}.50mm" in text
    assert JAPANESE in text
    assert "20.00mm" in text
    assert "(23,28.75)" in text
    assert "(0040,A730)" in text
    assert text.count("notsigned") >= 3


def test_paper_is_tagged(paper: _Paper) -> None:
    """The PDF can be read aloud: it has tags and a title that says the verdict."""
    document = pypdfium2.PdfDocument(paper.pdf)
    assert pypdfium2.raw.FPDFCatalog_IsTagged(document)
    assert "PASSED, with limitations" in document.get_metadata_value("Title")
    document.close()


def test_a_picture_for_each_sheet(paper: _Paper, pictures: list[Path]) -> None:
    """The first has the name asked for, the others a number."""
    assert [path.name for path in pictures] == [
        "page.png",
        *(f"page-{n}.png" for n in range(2, len(paper.sheets) + 1)),
    ]
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in pictures)


def test_the_code_on_the_picture_is_read(pictures: list[Path]) -> None:
    """A reader of QR codes finds the payload on the first sheet, and no code on another."""
    found = [
        zxingcpp.read_barcodes(Image.open(BytesIO(path.read_bytes())).convert("L"))
        for path in pictures[:2]
    ]
    assert [code.text for code in found[0]] == [code_payload(opened(hard_report(2)))]
    assert not found[1]


def test_a_longer_rendition_leaves_no_sheet_behind(tmp_path: Path) -> None:
    """A sheet of an older and longer rendition is not taken for one of this."""
    (tmp_path / "page-2.png").write_bytes(b"old")
    with pytest.raises(ConfigurationError):
        write_rendition(tmp_path / "page.png", "<p lang=en>short", Form.PNG, inputs=())
    assert [path.name for path in tmp_path.iterdir()] == ["page-2.png"]


def test_no_sheet_overwrites_the_document(tmp_path: Path) -> None:
    """Neither the first nor a further sheet may have the name of an input."""
    for name in ("page.png", "page-2.png"):
        source = tmp_path / name
        source.write_bytes(b"signed")
        with pytest.raises(ConfigurationError):
            write_rendition(
                tmp_path / "page.png",
                '<p lang=en>one<p style="break-before: page">two',
                Form.PNG,
                inputs=(source,),
            )
        assert source.read_bytes() == b"signed"
        source.unlink()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", FOREIGN)
def test_paper_loads_nothing(tmp_path: Path, name: str) -> None:
    """Whatever a page would load, from a network, a disk or itself, stops it."""
    with pytest.raises(DocumentError):
        write_rendition(tmp_path / "x.pdf", f"<p lang=en>x{FOREIGN[name]}", Form.PDF, inputs=())
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["x", "x.jpg", "x.pdf.txt", "pdf"])
def test_other_names_are_refused(name: str) -> None:
    """A form is chosen by the end of the name."""
    with pytest.raises(ConfigurationError):
        form_of(Path(name))


@pytest.mark.parametrize("name", ["x.html", "x.HTM", "x.pdf", "x.PNG"])
def test_names_of_forms(name: str) -> None:
    """The end of a name may be written in capitals."""
    assert form_of(Path(name)) in Form


def test_a_form_that_is_not_offered() -> None:
    """A form that exists is refused where it is not offered."""
    with pytest.raises(ConfigurationError):
        form_of(Path("x.png"), offered=(Form.HTML, Form.PDF))


@pytest.mark.parametrize(("name", "absent"), [("x.pdf", "weasyprint"), ("x.png", "pypdfium2")])
def test_without_the_extra(repository: Path, name: str, absent: str) -> None:
    """Where the library is not installed, that is said with the way out, and HTML still works."""
    program = (
        "import sys\n"
        f"sys.modules[{absent!r}] = None\n"
        "from pathlib import Path\n"
        "from sr.app.views.rendition import form_of\n"
        "from sr.errors import ConfigurationError\n"
        "assert form_of(Path('x.html')) == 'html'\n"
        "try:\n"
        f"    form_of(Path({name!r}))\n"
        "except ConfigurationError as error:\n"
        "    print(error.hint)\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], cwd=repository, capture_output=True, text=True, check=True
    )
    assert "srsign[pdf]" in run.stdout


@pytest.mark.prove
def test_twenty_sheets_of_text(tmp_path: Path) -> None:
    """A long report in four scripts is laid out whole: every paragraph is on some sheet."""
    page = _page(hard_report(150))
    paper = _paper(page, tmp_path)
    assert sum("Größe" in sheet for sheet in paper.sheets) >= 20
    text = "\n".join(paper.sheets)
    assert not [n for n in range(1, 151) if f"{n}. Die Größe" not in text]
    assert ARABIC in page


@pytest.mark.prove
@pytest.mark.peer
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_axe_finds_nothing(tmp_path: Path, width: int, *, dark: bool) -> None:
    """In a browser, on a screen and on a telephone, axe-core finds no fault (WCAG 2.1 AA)."""
    page = _page(hard_report(3), paged=False)
    assert not accessibility_faults(page, tmp_path, width=width, dark=dark)


@pytest.mark.prove
@pytest.mark.peer
def test_axe_finds_a_planted_fault(tmp_path: Path) -> None:
    """A pale text and a picture without words are found."""
    page = _page(hard_report(3), paged=False)
    pale = page.replace("--quiet: #57606a", "--quiet: #b0b8c0")
    wordless = page.replace('aria-label="QR code with the text beside it"', "")
    assert any(
        "color-contrast" in f for f in accessibility_faults(pale, tmp_path, width=1280, dark=False)
    )
    assert accessibility_faults(wordless, tmp_path, width=1280, dark=False)


def test_a_page_on_screen_folds_what_is_long() -> None:
    """On screen tables are folded away, on paper they are open."""
    data = hard_report(2)
    folded = Page(_page(data, paged=False)).attributes
    opened_up = Page(_page(data)).attributes
    assert sum(name == "open" for name, _ in folded) < sum(name == "open" for name, _ in opened_up)
