"""Take the pictures of the pages that the documentation shows, from a demonstration of its own."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image
from playwright.sync_api import Page
from pydicom import dcmread

from sr.service.operation.demonstration import fill_worklist
from sr.web.application import create_application
from tests.support.browser import open_browser, served
from tests.support.service import open_service

IMAGES = Path(__file__).resolve().parent.parent / "docs" / "images"
_COLORS = 128
_WIDTHS = {1280: 860, 390: 844}


@dataclass(frozen=True)
class _Shot:
    name: str
    login: str
    width: int
    scheme: str


_SHOTS = (
    _Shot("worklist", "anna", 1280, "light"),
    _Shot("worklist", "anna", 390, "dark"),
    _Shot("page", "sam", 1280, "dark"),
    _Shot("page", "sam", 1280, "light"),
    _Shot("page", "sam", 390, "light"),
    _Shot("approve", "sam", 1280, "light"),
    _Shot("check", "sam", 1280, "light"),
    _Shot("check", "sam", 390, "dark"),
)


def _go(page: Page, name: str, folder: Path) -> None:
    """Bring a page to where its picture is taken."""
    if name == "worklist":
        return
    if name == "check":
        page.goto("/?list=signed")
        page.locator("tr", has_text="approved").first.get_by_role("link").click()
        with page.expect_download() as download:
            page.get_by_role("link", name="DICOM").click()
        report = folder / "report.dcm"
        download.value.save_as(report)
        uids = page.locator(".tables code").all_text_contents()
        images = [path for path in sorted(folder.rglob("*.dcm")) if _cited(path, uids)]
        page.goto("/check")
        page.locator("input[type=file]").set_input_files([report, *images])
        page.get_by_role("button", name="Check", exact=True).click()
        page.locator(".statement").wait_for()
        return
    page.goto("/?list=to-approve")
    page.locator("a[data-row]").first.click()
    if name == "approve":
        page.get_by_role("button", name="Approve & sign…").click()
        page.get_by_role("dialog").wait_for()


def _cited(path: Path, uids: list[str]) -> bool:
    instance = dcmread(path, specific_tags=["SOPInstanceUID"], stop_before_pixels=True)
    return instance.SOPInstanceUID in uids


def _shoot(address: str, folder: Path) -> Iterator[Path]:
    with open_browser() as browser:
        for shot in _SHOTS:
            context = browser.new_context(
                base_url=address,
                color_scheme=shot.scheme,
                viewport={"width": shot.width, "height": _WIDTHS[shot.width]},
            )
            page = context.new_page()
            page.goto("/login")
            page.locator(f"button[value={shot.login}]").click()
            page.wait_for_url(lambda url: "/login" not in url)
            _go(page, shot.name, folder)
            page.mouse.move(0, 0)
            page.wait_for_timeout(300)
            path = IMAGES / f"{shot.name}-{shot.width}-{shot.scheme}.png"
            _small(page.screenshot(), path)
            context.close()
            yield path


def _small(png: bytes, path: Path) -> None:
    """Write a picture with few colours."""
    picture = Image.open(BytesIO(png)).convert("RGB")
    picture.quantize(_COLORS, dither=Image.Dither.NONE).save(path, optimize=True)


def main() -> int:
    """Take every picture and print where it is."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        service = open_service(folder, studies=6, slices=3)
        fill_worklist(service.context, service.world)
        with served(create_application(service.context)) as address:
            for path in _shoot(address, folder):
                print(f"{path.stat().st_size:7} {path.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
