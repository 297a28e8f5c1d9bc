"""Markup in every text that the database holds stays text, on every page."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from sqlalchemy import func, select, text, update

from sr.codes import SignaturePurpose
from sr.net.agent_client import ask_code
from sr.service.access import Role
from sr.service.checking.trust import add_anchors
from sr.service.operation.demonstration import principal_for, sign_here, write_demo_report
from sr.store import schema
from sr.store.trust_anchors import AnchorUse
from tests.support.agents import InProcess
from tests.support.html import forbidden, parse
from tests.support.page_routes import page_routes
from tests.support.service import Service, open_service

HOSTILE = """'"><xss onload=alert(1)>{{7*7}}</title></script><script>alert(1)</script>"""
TEXTS = {
    schema.users: ("display_name", "person_name", "organization"),
    schema.agents: ("label", "address"),
    schema.credentials: ("label",),
    schema.documents: ("title", "patient_name", "patient_id", "template"),
    schema.remarks: ("text",),
    schema.signatures: ("signer_subject", "signer_issuer", "signer_serial"),
    schema.trust_anchors: ("label",),
}
"""What came from somebody, as words."""


def _certificate() -> bytes:
    key, now = generate_private_key(SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOSTILE[:64])])
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=9))
    )
    return built.sign(key, SHA256()).public_bytes(Encoding.PEM)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Service:
    """Return a service in which something of everything is hostile."""
    made = open_service(tmp_path_factory.mktemp("service"))
    draft = write_demo_report(made.context, made.world, "anna", 0)
    sign_here(made.context, made.world, "anna", draft, SignaturePurpose.AUTHOR)
    sam = made.browser("sam")
    uid = draft.sop_instance_uid
    answer = made.client("sam").get(f"/api/v1/reports/{uid}")
    form = {"if_match": answer.json()["sha256"], "comment": "Please look again."}
    assert sam.post(f"/reports/{uid}/return", data=form).status_code == 200
    sam.post("/agents", data={"user_code": ask_code(InProcess(made.client()), "here").user_code})
    add_anchors(made.context, principal_for("root"), _certificate(), use=AnchorUse.ANCHOR)
    with made.context.database.write() as connection:
        for name in connection.scalars(
            text("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        ).all():
            connection.execute(text(f"DROP TRIGGER {name}"))  # which keep it as it was
        for table, columns in TEXTS.items():
            connection.execute(update(table).values(dict.fromkeys(columns, HOSTILE)))
            assert connection.scalar(select(func.count()).select_from(table)), table.name
        connection.execute(update(schema.users).values(roles=list(Role)))
    return made


def _pages(service: Service) -> list[str]:
    with service.context.database.read() as connection:
        uid = connection.scalars(select(schema.documents.c.sop_instance_uid)).first()
        session = connection.scalars(select(schema.signing_sessions.c.id)).first()
    ids = {"sop_instance_uid": uid, "session_id": session}
    return [
        path.format(**ids)
        for method, path in page_routes()
        if method == "GET" and not path.startswith(("/login/", "/reports/{sop_instance_uid}/file"))
    ]


def test_no_page_makes_markup_of_it(service: Service) -> None:
    """Names, titles, comments, labels, patients and subjects of certificates are shown as words."""
    browsers = [service.browser(login) for login in ("anna", "sam")]
    shown = set()
    for path in _pages(service):
        for browser in browsers:
            answer = browser.get(f"{path}?list=all" if path == "/" else path)
            assert answer.status_code < 500, path
            root = parse(answer.text)
            assert not forbidden(root), path
            assert not root.all("xss"), path
            assert "49</title>" not in answer.text
            if "<xss" in root.text or "&lt;xss" in answer.text:
                shown.add(path.partition("?")[0])
    assert {"/", "/agents", "/signatures", "/trust"} <= shown


def test_the_api_is_no_page(service: Service) -> None:
    """The API says it as JSON and as nothing else, whatever a browser would rather have."""
    client = service.client("root")
    for path in ("/api/v1/reports", "/api/v1/signatures", "/api/v1/trust-anchors", "/api/v1/jobs"):
        answer = client.get(path, headers={"Accept": "text/html"})
        assert answer.headers["content-type"] == "application/json"
        assert answer.headers["x-content-type-options"] == "nosniff"
