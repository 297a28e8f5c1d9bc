"""The page of a document: everything signed is on it, and nothing in it can act."""

from __future__ import annotations

import os
import re
from base64 import b64encode
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import pytest

from sr.app.checks.check import CheckOptions
from sr.app.views.render import render_file
from sr.codes import Code
from sr.document.content import Coded, Container, DateTime, Number, PersonName, Relationship, Text
from sr.errors import ConfigurationError, DatasetError, DocumentError, NotDICOMError
from sr.findings import Indication
from tests.support.datasets import ct_evidence, ct_files, instance, key_object, report, write_all
from tests.support.office import Office
from tests.support.page import Page

CONTAINS = Relationship.CONTAINS
FINDING = Code("121071", "DCM", "Finding")


def _options(office: Office | None = None, *evidence: Path) -> CheckOptions:
    at = datetime.now(UTC)
    if office is None:
        return CheckOptions(at=at)
    return CheckOptions(
        at=at,
        anchors=(office.pki.certificate("root"),),
        intermediates=(office.pki.certificate("issuing"),),
        crls=office.pki.revocation_lists,
        evidence=evidence or None,
    )


def _page_of(data: bytes, folder: Path) -> Page:
    source, out = folder / "in.dcm", folder / "out.html"
    source.write_bytes(data)
    render_file(source, out, _options())
    return Page(out.read_text("utf-8"))


def test_the_page_of_an_approved_report(office: Office, tmp_path: Path) -> None:
    """Patient, title, sentences, both signatures and the verdict are on the page."""
    out = tmp_path / "out.html"
    verdict = render_file(office.report, out, _options(office, office.images)).verdict
    page = Page(out.read_text("utf-8"))
    assert verdict.indication is Indication.PASSED
    for words in (
        *("Müller, Jördis", "CT Chest Report", "PASSED, with limitations", "Author's Signature"),
        *("Verification Signature", "Solid nodule in the left upper lobe", "Weber, Sam"),
    ):
        assert words in page.text
    assert page.text.count("matched") >= 3
    assert "not signed" not in page.text


def test_what_nobody_signed_is_marked(office: Office, tmp_path: Path) -> None:
    """The header fields that an author's signature leaves open are marked, the others not."""
    out = tmp_path / "out.html"
    render_file(office.authored, out, _options(office))
    marked = re.findall(r'class="uncovered">\s*<dt>([^<]+)', out.read_text("utf-8"))
    assert set(marked) == {"Stage", "Approval", "Instance"}


@pytest.mark.parametrize("name", ["draft.dcm", "report.dcm", "seal.dcm"])
def test_a_page_never_says_more_than_the_verdict(office: Office, tmp_path: Path, name: str) -> None:
    """Without trust anchors no page says PASSED."""
    out = tmp_path / "out.html"
    verdict = render_file(office.folder / name, out, _options()).verdict
    text = Page(out.read_text("utf-8")).text
    assert verdict.indication is not Indication.PASSED
    assert verdict.indication.value in text
    assert "PASSED" not in text


def test_an_altered_report_has_a_page_that_says_so(office: Office, tmp_path: Path) -> None:
    """What was changed can be looked at, under a verdict of FAILED."""
    source, out = tmp_path / "in.dcm", tmp_path / "out.html"
    source.write_bytes(office.report.read_bytes().replace(b"Solid nodule", b"Solid nodulE"))
    verdict = render_file(source, out, _options(office)).verdict
    assert verdict.indication is Indication.FAILED
    assert "FAILED" in Page(out.read_text("utf-8")).text


def test_every_kind_of_content(tmp_path: Path) -> None:
    """Text keeps its lines, numbers their digits, names and times are readable, codes mean."""
    items = (
        Text(concept=FINDING, relationship=CONTAINS, value="first line\n  second line"),
        Number(
            concept=Code("81827009", "SCT", "Diameter"),
            relationship=CONTAINS,
            value="20.00",
            unit=Code("mm", "UCUM", "millimeter"),
        ),
        Number(
            concept=Code("246205007", "SCT", "Quantity"),
            relationship=CONTAINS,
            value="3",
            unit=Code("1", "UCUM", "no units"),
        ),
        Coded(
            concept=FINDING,
            relationship=CONTAINS,
            value=Code("27925004", "SCT", "Nodule"),
        ),
        PersonName(concept=Code("121008", "DCM", "Person"), relationship=CONTAINS, value="A^B"),
        DateTime(
            concept=Code("111060", "DCM", "Study Date"),
            relationship=CONTAINS,
            value="20261120093000+0100",
        ),
    )
    page = _page_of(report(*items), tmp_path)
    text = page.text
    expected = ("20.00", "mm", "Nodule", "A, B", "2026-11-20 09:30:00 +01:00", "Quantity")
    assert all(words in text for words in expected)
    assert "no units" not in text
    assert "".join(page.words).find("first line\n  second line") > 0


def test_an_item_of_an_unknown_kind_does_not_disappear(tmp_path: Path) -> None:
    """A value type that this version does not know leaves a mark on the page."""
    item = Text(concept=FINDING, relationship=CONTAINS, value="kept")
    data = report(item)
    at = data.index(b"CS\x04\x00TEXT")
    page = _page_of(data[:at] + b"CS\x04\x00NEWT" + data[at + 8 :], tmp_path)
    assert "NEWT" in page.text


def test_depth_is_no_obstacle(tmp_path: Path) -> None:
    """Headings below the sixth level are still headings."""
    section = Container(concept=FINDING, relationship=CONTAINS, children=(_text("deep"),))
    for _ in range(12):
        section = Container(concept=FINDING, relationship=CONTAINS, children=(section,))
    page = _page_of(report(section), tmp_path)
    assert "deep" in page.text
    assert {"h1", "h2", "h6"} <= set(page.elements)
    assert "h7" not in page.elements


def _text(value: str) -> Text:
    return Text(concept=FINDING, relationship=CONTAINS, value=value)


def test_a_key_object_selection(tmp_path: Path) -> None:
    """A selection shows what it cites."""
    page = _page_of(key_object(), tmp_path)
    assert "Signed Complete Acquisition Content" in page.text
    assert page.text.count(ct_evidence()[0].sop_instance_uid) == 2


HOSTILE = '</p><script>alert(1)</script><img src="http://x.example/" onerror="a()">{{ 7*7 }}\u202eX'


def test_content_cannot_act(tmp_path: Path) -> None:
    """Markup, template syntax and direction characters in the content are shown as text."""
    page = _page_of(report(_text(HOSTILE)), tmp_path)
    assert "<script>alert(1)</script>" in page.text
    assert "{{ 7*7 }}" in page.text
    assert "\u202e" not in page.text
    assert not {"script", "img", "iframe", "object", "form", "link"} & set(page.elements)
    assert not [name for name, _ in page.attributes if name.startswith("on") or name == "style"]


def test_the_header_cannot_act(tmp_path: Path) -> None:
    """Neither can the patient's name."""
    hostile = instance(
        "1.2.840.10008.5.1.4.1.1.88.33",
        PatientName="<b>X</b>^\"onload='a'",
        AccessionNumber="<i>",
        Modality="SR",
    )
    page = _page_of(hostile, tmp_path)
    assert "<b>X</b>" in page.text
    assert not {"b", "i"} & set(page.elements)


def test_the_page_asks_nobody(office: Office, tmp_path: Path) -> None:
    """Nothing is loaded, no script runs, and the only style is the one with the digest named."""
    out = tmp_path / "out.html"
    render_file(office.report, out, _options(office))
    text = out.read_text("utf-8")
    page = Page(text)
    style = re.search(r"<style>(.*?)</style>", text, re.DOTALL)
    assert style is not None
    digest = b64encode(sha256(style[1].encode()).digest()).decode()
    policy = next(
        value for name, value in page.attributes if name == "content" and "default" in (value or "")
    )
    assert f"style-src 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy
    assert not {"src", "srcset", "action"} & {name for name, _ in page.attributes}
    links = [value or "" for name, value in page.attributes if name == "href"]
    assert all(link.startswith("#") for link in links)
    assert "url(" not in style[1]
    assert "@import" not in style[1]


def test_elements_are_closed(office: Office, tmp_path: Path) -> None:
    """Every element is closed where it should be, under one first heading."""
    out = tmp_path / "out.html"
    render_file(office.report, out, _options(office, office.images))
    page = Page(out.read_text("utf-8"))
    assert page.open == []
    assert page.elements.count("h1") == 1
    assert ("lang", "en") in page.attributes


def test_a_file_name_of_any_bytes(office: Office, tmp_path: Path) -> None:
    """A name that is no text in this system's encoding is shown as an escape."""
    source, out = Path(os.fsdecode(bytes(tmp_path) + b"/\xff\x1b.dcm")), tmp_path / "out.html"
    source.write_bytes(office.report.read_bytes())
    render_file(source, out, _options())
    assert "U+DCFF" in Page(out.read_text("utf-8")).text


@pytest.mark.parametrize("name", ["out.jpg", "out", "out.dcm", "out.pdf.gz"])
def test_other_forms_are_refused(office: Office, tmp_path: Path, name: str) -> None:
    """A page is HTML, PDF or PNG; nothing else is written under another name."""
    with pytest.raises(ConfigurationError):
        render_file(office.report, tmp_path / name, _options())
    assert not list(tmp_path.iterdir())


def test_an_image_has_no_page(tmp_path: Path) -> None:
    """What is neither report nor selection is refused."""
    (source,) = write_all(tmp_path, ct_files()[:1])
    with pytest.raises(DocumentError):
        render_file(source, tmp_path / "out.html", _options())


@pytest.mark.parametrize(("length", "error"), [(5000, DatasetError), (0, NotDICOMError)])
def test_a_broken_file_has_no_page(
    office: Office, tmp_path: Path, length: int, error: type[Exception]
) -> None:
    """What cannot be read whole is not shown in part."""
    source = tmp_path / "in.dcm"
    source.write_bytes(office.report.read_bytes()[:length])
    with pytest.raises(error):
        render_file(source, tmp_path / "out.html", _options())
    assert not (tmp_path / "out.html").exists()
