"""The pages in Debian's Chromium: by mouse, by keyboard alone, in both themes, for every reader."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from sr.codes import SignaturePurpose
from sr.service.operation.demonstration import sign_here, write_demo_report
from sr.store.documents import Document
from sr.web.application import create_application
from tests.support.browser import axe_faults, open_browser, served
from tests.support.service import Service, open_service

pytestmark = pytest.mark.peer

WIDE = {"width": 1280, "height": 900}
NARROW = {"width": 320, "height": 800}
"""Of a page enlarged four times, WCAG 2.2 1.4.10."""


@dataclass(frozen=True)
class Site:
    """A served service and a browser."""

    service: Service
    address: str
    browser: Browser

    def enter(self, login: str, **options: object) -> Page:
        """Log in as somebody, in a browser of one's own."""
        context: BrowserContext = self.browser.new_context(
            base_url=self.address, **{"viewport": WIDE, **options}
        )
        page = context.new_page()
        page.set_default_timeout(15_000)
        page.goto("/login")
        page.locator(f"button[value={login}]").click()
        page.wait_for_url(lambda url: "/login" not in url)
        return page


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Serve a service of this module to a browser."""
    service = open_service(tmp_path_factory.mktemp("service"))
    with served(create_application(service.context)) as address, open_browser() as browser:
        yield Site(service, address, browser)


def _draft(site: Site) -> Document:
    return write_demo_report(site.service.context, site.service.world, "anna", 0)


def _signed(site: Site) -> Document:
    draft = _draft(site)
    sign_here(site.service.context, site.service.world, "anna", draft, SignaturePurpose.AUTHOR)
    return draft


def _by_mouse(page: Page, name: str) -> None:
    page.get_by_role("link", name=name).click()


def _by_keys(page: Page, name: str) -> None:
    _press_until(page, "Tab", name)
    page.keyboard.press("Enter")


def _received(
    site: Site, page: Page, folder: Path, follow: Callable[[Page, str], None] = _by_mouse
) -> list[str]:
    """Keep the report that a page shows, and the images that it cites, as a receiver gets them."""
    with page.expect_download() as download:
        follow(page, "DICOM")
    report = folder / "report.dcm"
    download.value.save_as(report)
    return [str(report), *map(str, sorted(site.service.world.evidence.rglob("*.dcm")))]


def _press_until(page: Page, key: str, name: str) -> None:
    """Press a key until something with that name has the focus."""
    for _ in range(60):
        page.keyboard.press(key)
        if name in page.evaluate("document.activeElement.textContent"):
            return
    pytest.fail(f"{key} does not lead to {name}")


def test_sign_approve_and_check_by_mouse(site: Site, tmp_path: Path) -> None:
    """An author signs, a supervisor approves, a receiver checks, with nothing but clicks."""
    _draft(site)
    page = site.enter("anna")
    page.locator("tr", has_text="draft").get_by_role("link").first.click()
    page.get_by_role("button", name="Sign…").click()
    page.get_by_role("dialog").get_by_role("button", name="Sign", exact=True).click()
    page.locator(".stand", has_text="signed").wait_for()
    address = page.url

    page = site.enter("sam")
    page.goto(address)
    page.get_by_role("button", name="Approve & sign…").click()
    page.get_by_role("dialog").get_by_role("button", name="Approve & sign").click()
    page.locator(".stand", has_text="approved").wait_for()
    files = _received(site, page, tmp_path)

    page = site.enter("archive")
    page.get_by_role("link", name="Check files").click()
    page.locator("input[type=file]").set_input_files(files)
    page.get_by_role("button", name="Check", exact=True).click()
    page.locator(".statement.good").wait_for()
    assert page.locator(".files .mark.good").count() == len(files) - 1


def test_sign_approve_and_check_by_keyboard_alone(site: Site, tmp_path: Path) -> None:
    """The same with keys only: j to the row, Enter, Tab to the buttons; Esc signs nothing."""
    _draft(site)
    page = site.enter("anna")
    page.keyboard.press("/")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.type("draft")
    page.keyboard.press("Tab")
    _press_until(page, "Tab", "Filter")
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "state=draft" in url)
    page.locator("body").press("j")
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "/reports/" in url)
    _press_until(page, "Tab", "Sign…")
    page.keyboard.press("Enter")
    page.get_by_role("dialog").wait_for()
    assert page.evaluate("document.activeElement.textContent") == "Cancel"
    page.keyboard.press("Escape")
    page.locator(".stand", has_text="draft").wait_for()

    _press_until(page, "Tab", "Sign…")
    page.keyboard.press("Enter")
    page.get_by_role("dialog").wait_for()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.locator(".stand", has_text="signed").wait_for()
    address = page.url

    page = site.enter("sam")
    page.goto(address)
    _press_until(page, "Tab", "Approve & sign…")
    page.keyboard.press("Enter")
    page.get_by_role("dialog").wait_for()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.locator(".stand", has_text="approved").wait_for()
    files = _received(site, page, tmp_path, _by_keys)

    page = site.enter("archive")
    _by_keys(page, "Check files")
    page.wait_for_url("**/check")
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.locator("input[type=file]:focus").count():
            break
    page.locator("input[type=file]:focus").set_input_files(files)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Check"
    page.keyboard.press("Enter")
    page.locator(".statement.good").wait_for()
    assert page.locator(".files .mark.good").count() == len(files) - 1


def test_dropped_files_are_checked(site: Site) -> None:
    """Files that are dropped on the page are checked without another click."""
    page = site.enter("archive")
    page.goto("/check")
    data = page.evaluate_handle(
        "() => { const data = new DataTransfer();"
        " data.items.add(new File(['hello'], 'note.txt')); return data; }"
    )
    page.locator("[data-drop]").dispatch_event("drop", {"dataTransfer": data})
    page.locator(".statement.none h2:focus").wait_for()


def test_what_was_written_survives_the_session(site: Site) -> None:
    """Who saves too late is told so, finds every word again, and saves it after a new login."""
    page = site.enter("anna")
    page.goto(f"/reports/new?study={site.service.world.studies[0]}&template=ct-chest")
    for name in ("clinical_information", "impression"):
        page.locator(f"#field-{name}").fill("Typed for ten minutes.")
    for name, choice in (("contrast", "no"), ("effusion", "none"), ("lymph_nodes", "no")):
        page.locator(f"#field-{name}").select_option(choice)
    page.context.clear_cookies()
    page.get_by_role("button", name="Save draft").click()
    with page.context.expect_page() as opened:
        page.get_by_role("dialog").get_by_role("link", name="Log in").click()
    opened.value.locator("button[value=anna]").click()
    opened.value.wait_for_url(lambda url: "/login" not in url)
    page.get_by_role("button", name="Close").click()
    assert page.locator("#field-impression").input_value() == "Typed for ten minutes."
    page.get_by_role("button", name="Save draft").click()
    page.locator(".stand", has_text="draft").wait_for()
    assert page.get_by_text("Typed for ten minutes.").count()


def test_a_service_that_does_not_answer_is_said(site: Site) -> None:
    """Who sends what does not arrive is told, and finds the page as it was."""
    page = site.enter("anna")
    page.goto("/?list=mine&title=nothing")
    page.context.set_offline(True)
    page.get_by_role("button", name="Filter").click()
    page.get_by_role("dialog").get_by_role("button", name="Close").click()
    assert page.locator("#title").input_value() == "nothing"


def test_single_keys_can_be_switched_off(site: Site) -> None:
    """A key that was hit by chance does nothing, also on the next page, once it is switched off."""
    _draft(site)
    page = site.enter("anna")
    page.keyboard.press("?")
    page.get_by_role("switch").uncheck()
    page.keyboard.press("Escape")
    page.reload()
    page.keyboard.press("j")
    assert page.evaluate("document.activeElement === document.body")
    page.keyboard.press("?")
    assert page.get_by_role("dialog").count() == 0


def test_everything_works_without_script(site: Site) -> None:
    """With scripts switched off the same forms lead to the same end."""
    draft = _draft(site)
    page = site.enter("anna", java_script_enabled=False)
    page.goto(f"/reports/{draft.sop_instance_uid}")
    page.get_by_role("button", name="Sign…").click()
    page.wait_for_url(lambda url: "/signing/" in url)
    page.get_by_role("button", name="Sign", exact=True).click()
    page.wait_for_url(lambda url: "/reports/" in url)
    assert page.locator(".stand", has_text="signed").count() == 1


def test_no_page_breaks_its_policy(site: Site) -> None:
    """The browser refuses nothing that a page asks for, and no script fails."""
    said: list[str] = []
    page = site.enter("sam")
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    signed = _signed(site)
    for path in ("/", f"/reports/{signed.sop_instance_uid}", "/check", "/reports/new"):
        page.goto(path)
        page.wait_for_load_state("networkidle")
    assert not said


def test_a_planted_script_does_not_run(site: Site) -> None:
    """What looks for refusals sees one: a script put into a page is not run."""
    said: list[str] = []
    page = site.enter("sam")
    page.on("console", lambda message: said.append(message.text))
    page.evaluate(
        "() => { const planted = document.createElement('script');"
        " planted.textContent = 'window.planted = 1'; document.body.append(planted); }"
    )
    assert page.evaluate("window.planted") is None
    assert any("Content Security Policy" in each for each in said)


def test_axe_finds_nothing_serious(site: Site) -> None:
    """Worklist, report and signing dialog have no grave fault for readers with hindrances."""
    signed = _signed(site)
    page = site.enter("sam", color_scheme="dark")
    assert not axe_faults(page)
    page.emulate_media(color_scheme="light")
    page.goto(f"/reports/{signed.sop_instance_uid}")
    assert not axe_faults(page)
    page.get_by_role("button", name="Approve & sign…").click()
    page.get_by_role("dialog").wait_for()
    assert not axe_faults(page)


@pytest.mark.prove
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
@pytest.mark.parametrize("login", ["sam", "ida", "archive", "root"])
def test_axe_finds_nothing_serious_anywhere(
    site: Site, login: str, size: dict[str, int], scheme: str
) -> None:
    """No page of anybody has a grave fault or is wider than its window, in either theme."""
    signed = _signed(site)
    page = site.enter(login, color_scheme=scheme, viewport=size)
    study = site.service.world.studies[0]
    pages = [link.get_attribute("href") for link in page.locator(".bar nav a").all()]
    if login == "sam":
        pages += [
            "/login",
            "/?list=to-approve",
            "/?list=mine&title=nothing",
            f"/reports/{signed.sop_instance_uid}",
            f"/reports/new?study={study}&template=ct-chest",
            f"/reports/{signed.sop_instance_uid}/amend",
            "/reports/1.2.3",
        ]
    for path in filter(None, pages):
        page.goto(path)
        assert not axe_faults(page), path
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path


def test_axe_sees_a_planted_fault(site: Site) -> None:
    """A field without a label is found."""
    page = site.enter("sam")
    page.evaluate("document.querySelector('main').append(document.createElement('input'))")
    assert any(fault.startswith("label") for fault in axe_faults(page))
