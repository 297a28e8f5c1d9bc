"""The page on which somebody's certificates are added and taken off, used as a person does."""

from __future__ import annotations

from base64 import b64decode
from hashlib import sha256

from fastapi.testclient import TestClient
from httpx2 import Response

from sr.mac import MACAlgorithm
from sr.service.operation.demonstration import chain_of
from tests.support.html import parse
from tests.support.service import Service

__all__ = ["first_removal", "hand_in"]


def hand_in(
    browser: TestClient,
    service: Service,
    *,
    key: str,
    certificate: str | bytes,
    **changes: str,
) -> Response:
    """Sign the challenge that the page offers as a file, and hand the proof in.

    Args:
        browser: Somebody's.
        service: Whose page it is.
        key: Which key of the demonstration signs.
        certificate: Of the demonstration, or the content of a file.
        changes: To the fields of the form.
    """
    form = parse(browser.post("/keys/challenge").text).one("form", id="add")
    (link,) = (each for each in form.all("a") if "download" in each.attributes)
    statement = b64decode(link.attributes["href"].partition(",")[2])
    with service.signer(key) as signer:
        proof = signer.sign_digest(sha256(statement).digest(), MACAlgorithm.SHA256)
    named = isinstance(certificate, str)
    chain = chain_of(service.world.pki, certificate) if named else certificate
    challenge = form.one("input", name="challenge").attributes["value"]
    return browser.post(
        "/keys",
        data={"challenge": challenge, "label": "card 2026", **changes},
        files={"certificate": ("c.pem", chain), "proof": ("proof.bin", proof)},
        follow_redirects=False,
    )


def first_removal(browser: TestClient) -> str:
    """Return where the first certificate of the page is taken off."""
    forms = parse(browser.get("/keys").text).all("form")
    actions = (each.attributes["action"] for each in forms)
    return next(each for each in actions if each.endswith("/remove"))
