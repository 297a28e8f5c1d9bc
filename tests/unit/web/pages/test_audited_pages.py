"""Every page that changes something or shows patient data is in the audit: from the routes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient

from sr.app.audit import AuditAction
from sr.codes import SignaturePurpose
from sr.net.agent_client import ask_code
from sr.service.operation.demonstration import chain_of, principal_for, sign_here, write_demo_report
from sr.service.reading.documents import open_document
from sr.store.documents import Document, content_of
from tests.support.agents import InProcess, paired
from tests.support.audit_trail import Trail
from tests.support.keys_page import first_removal, hand_in
from tests.support.page_routes import page_routes
from tests.support.service import Service, open_service

SILENT = {
    ("GET", "/agents"),
    ("GET", "/keys"),
    ("POST", "/keys/challenge"),
    ("GET", "/check"),
    ("GET", "/login"),
    ("GET", "/login/openid"),
    ("GET", "/signing/{session_id}/progress"),
    ("GET", "/trust"),
    ("POST", "/theme"),
}
"""Pages that change nothing and show no patient data."""
ELSEWHERE = {("GET", "/login/callback")}
"""Needs a provider: its events are looked at in ``test_openid``."""
FORM = {
    "observer_name": "Meier^Anna",
    "organization": "Klinikum",
    "clinical_information": "Cough.",
    "contrast": "false",
    "effusion": "none",
    "lymph_nodes": "false",
    "impression": "Granuloma.",
}


class Site:
    """Pages that are called, each after what it needs."""

    def __init__(self, service: Service) -> None:
        self.service, self.trail = service, Trail(service)
        self.study = service.world.studies[0]
        self.browser = service.browser()

    def draft(self) -> Document:
        """Write a draft."""
        return write_demo_report(self.service.context, self.service.world, "anna", 0)

    def signed(self) -> Document:
        """Return a report that waits for approval."""
        draft, author = self.draft(), SignaturePurpose.AUTHOR
        sign_here(self.service.context, self.service.world, "anna", draft, author)
        principal = principal_for("anna")
        return open_document(self.service.context, principal, draft.sop_instance_uid)[0]

    def session(self) -> str:
        """Return the address of a session over a new draft."""
        draft = self.draft()
        opened = self.call(
            "anna", "POST", f"/reports/{draft.sop_instance_uid}/sign",
            data={"if_match": draft.sha256, "purpose": "1"},
        )  # fmt: skip
        return str(opened.headers["location"])

    def file(self) -> bytes:
        """Return a report as a receiver gets it."""
        uid = self.draft().sop_instance_uid
        with self.service.context.database.read() as connection:
            return content_of(connection, uid).content

    def anchors(self) -> Any:
        """Trust a certificate."""
        pem = chain_of(self.service.world.pki, "archive")
        return self.call(
            "root", "POST", "/trust", data={"use": "anchor"}, files={"certificate": ("a.pem", pem)}
        )

    def browser_of(self, login: str) -> TestClient:
        """Return the browser, somebody logged in; the events before it do not count."""
        self.browser.post("/login", data={"login": login}, follow_redirects=False)
        self.trail.begin()
        return self.browser

    def call(self, login: str, method: str, path: str, **more: Any) -> Any:
        """Send a request from somebody's browser; the events before it do not count."""
        return self.browser_of(login).request(method, path, follow_redirects=False, **more)


Call = Callable[[Site], Any]


def _get(path: str, login: str = "anna") -> Call:
    return lambda site: site.call(login, "GET", path)


def _report(method: str, below: str, document: Callable[[Site], Document], **form: str) -> Call:
    def call(site: Site) -> Any:
        found = document(site)
        data = {"if_match": found.sha256, **form} if method == "POST" else None
        login = "sam" if below == "/return" else "anna"
        return site.call(login, method, f"/reports/{found.sop_instance_uid}{below}", data=data)

    return call


def _session(method: str, below: str = "") -> Call:
    return lambda site: site.call("anna", method, f"{site.session()}{below}")


def _pair(site: Site) -> Any:
    code = ask_code(InProcess(site.service.client()), "reading room").user_code
    return site.call("sam", "POST", "/agents", data={"user_code": code})


def _add_certificate(site: Site) -> Any:
    return hand_in(site.browser_of("sam"), site.service, key="supervisor", certificate="supervisor")


def _remove(site: Site) -> Any:
    site.anchors()
    root = site.service.client("root")
    added = root.get("/api/v1/trust-anchors").json()["items"][-1]
    return site.call("root", "POST", f"/trust/{added['sha256']}/remove", data={"use": added["use"]})


def _new(site: Site) -> str:
    return f"/reports/new?study={site.study}&template=ct-chest"


_A = AuditAction
CALLS: dict[tuple[str, str], tuple[AuditAction, Call]] = {
    ("POST", "/login"): (
        _A.LOGIN,
        lambda site: site.call("ida", "POST", "/login", data={"login": "anna"}),
    ),
    ("POST", "/logout"): (_A.LOGOUT, lambda site: site.call("anna", "POST", "/logout")),
    ("GET", "/"): (_A.SEARCHED, _get("/")),
    ("POST", "/"): (
        _A.SEARCHED,
        lambda site: site.call("anna", "POST", "/", data={"patient": "M"}),
    ),
    ("GET", "/reports/new"): (_A.SEARCHED, _get("/reports/new")),
    ("POST", "/reports/new"): (
        _A.REPORT_CREATED,
        lambda site: site.call("anna", "POST", _new(site), data=FORM),
    ),
    ("GET", "/reports/{sop_instance_uid}"): (_A.REPORT_READ, _report("GET", "", Site.draft)),
    ("GET", "/reports/{sop_instance_uid}/file"): (
        _A.EXPORTED,
        _report("GET", "/file", Site.draft),
    ),
    ("GET", "/reports/{sop_instance_uid}/edit"): (
        _A.REPORT_READ,
        _report("GET", "/edit", Site.draft),
    ),
    ("POST", "/reports/{sop_instance_uid}/edit"): (
        _A.REPORT_CHANGED,
        _report("POST", "/edit", Site.draft, **FORM),
    ),
    ("GET", "/reports/{sop_instance_uid}/amend"): (
        _A.REPORT_READ,
        _report("GET", "/amend", Site.signed),
    ),
    ("POST", "/reports/{sop_instance_uid}/amend"): (
        _A.AMENDED,
        _report("POST", "/amend", Site.signed, **FORM),
    ),
    ("POST", "/reports/{sop_instance_uid}/return"): (
        _A.RETURNED,
        _report("POST", "/return", Site.signed, comment="?"),
    ),
    ("POST", "/reports/{sop_instance_uid}/sign"): (
        _A.SIGNING_SESSION_OPENED,
        _report("POST", "/sign", Site.draft, purpose="1"),
    ),
    ("GET", "/signing/{session_id}"): (_A.REPORT_READ, _session("GET")),
    ("POST", "/signing/{session_id}/sign"): (_A.SIGNED, _session("POST", "/sign")),
    ("POST", "/signing/{session_id}/cancel"): (_A.SIGNING_VOIDED, _session("POST", "/cancel")),
    ("POST", "/check"): (
        _A.CHECKED,
        lambda site: site.call("anna", "POST", "/check", files={"files": ("a", site.file())}),
    ),
    ("GET", "/seals"): (_A.SEARCHED, _get("/seals", "archive")),
    ("POST", "/seals"): (
        _A.SEALED,
        lambda site: site.call(
            "archive", "POST", "/seals", data={"study": site.study, "kind": "seal"}
        ),
    ),
    ("GET", "/signatures"): (_A.SEARCHED, _get("/signatures", "ida")),
    ("POST", "/agents"): (_A.CREDENTIAL_ADDED, _pair),
    ("POST", "/agents/{agent_id}/revoke"): (
        _A.CREDENTIAL_REMOVED,
        lambda site: site.call("sam", "POST", f"/agents/{paired(site.service, 'sam')[1]}/revoke"),
    ),
    ("POST", "/keys"): (_A.CREDENTIAL_ADDED, _add_certificate),
    ("POST", "/keys/{credential_id}/remove"): (
        _A.CREDENTIAL_REMOVED,
        lambda site: site.call("anna", "POST", first_removal(site.browser_of("anna"))),
    ),
    ("GET", "/audit"): (_A.AUDIT_READ, _get("/audit", "ida")),
    ("POST", "/trust"): (_A.TRUST_ANCHOR_ADDED, Site.anchors),
    ("POST", "/trust/{fingerprint}/remove"): (_A.TRUST_ANCHOR_REMOVED, _remove),
}
"""What the audit says of each other page that succeeds, and how it does."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """Return the pages of a service of this module."""
    return Site(open_service(tmp_path_factory.mktemp("service"), slices=1))


def test_every_page_is_decided_on() -> None:
    """Each route beside the API is in the audit, or is known to leave nothing there."""
    assert set(page_routes()) == {*CALLS, *SILENT, *ELSEWHERE}


@pytest.mark.parametrize("page", CALLS, ids=" ".join)
def test_a_page_is_in_the_audit(site: Site, page: tuple[str, str]) -> None:
    """A page that succeeds leaves its event, and who it was."""
    action, call = CALLS[page]
    answer = call(site)
    assert answer.status_code < 400, answer.text
    assert "/login" not in answer.headers.get("location", "") or page[1] == "/logout"
    assert site.trail.who_wrote(action) in ("anna", "sam", "archive", "ida", "root")
