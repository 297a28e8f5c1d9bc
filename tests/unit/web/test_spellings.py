"""The two-phase protocol as strangers spell it: what is taken, and what they are told else."""

from __future__ import annotations

from base64 import b64decode, b64encode, encodebytes, urlsafe_b64encode
from hashlib import sha256
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from fastapi.testclient import TestClient

from sr.service.operation.demonstration import chain_of
from tests.support.api import VALUES, code_of, path_of, tag_of
from tests.support.service import Service, open_service

SESSIONS = "/api/v1/signing-sessions"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Service:
    """Return a service of this module."""
    return open_service(tmp_path_factory.mktemp("spellings"), slices=1)


@pytest.fixture(scope="module")
def anna(service: Service) -> TestClient:
    """Return the author's client."""
    return service.client("anna")


@pytest.fixture(scope="module")
def draft(service: Service, anna: TestClient) -> dict[str, Any]:
    """Return a draft that nobody changes."""
    return _draft(service, anna)


@pytest.fixture(scope="module")
def chains(service: Service) -> dict[str, Any]:
    """Return the author's certificates in every spelling."""
    pem = chain_of(service.world.pki, "author")
    parts = x509.load_pem_x509_certificates(pem)
    ders = [b64encode(each.public_bytes(Encoding.DER)).decode() for each in parts]
    texts = [each.public_bytes(Encoding.PEM).decode() for each in parts]
    return {
        "pem": pem.decode(),
        "list of pem": texts,
        "list of pem without last line end": [each.strip() for each in texts],
        "list of der": ders,
        "leaf only, der": ders[0],
        "der, then pem": [ders[0], texts[1]],
        "der in lines": [encodebytes(b64decode(each)).decode() for each in ders],
    }


def _draft(service: Service, client: TestClient) -> dict[str, Any]:
    body = {"study_instance_uid": service.world.studies[0], **VALUES}
    answer = client.post("/api/v1/reports", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()


def _open(client: TestClient, draft: dict[str, Any], **said: Any) -> Any:
    seen = {"sop_instance_uid": draft["sop_instance_uid"], "if_match": draft["sha256"]}
    return client.post(SESSIONS, json={"items": [seen], "purpose": "author", **said})


@pytest.mark.parametrize(
    "spelling",
    [
        "pem",
        "list of pem",
        "list of pem without last line end",
        "list of der",
        "leaf only, der",
        "der, then pem",
        "der in lines",
    ],
)
def test_certificates_may_be_pem_or_der(
    anna: TestClient, draft: dict[str, Any], chains: dict[str, Any], spelling: str
) -> None:
    """A chain is PEM, or a list of texts that are PEM or Base64 of DER: the same session."""
    answer = _open(anna, draft, certificate_chain=chains[spelling])
    assert answer.status_code == 201, answer.text
    leaf = b64decode(chains["list of der"][0])
    assert answer.json()["certificate_sha256"] == sha256(leaf).hexdigest()


@pytest.mark.parametrize(
    "chain",
    [
        "x", "", " ", "AAA", [], [""], ["x"], [1], 1, {}, [[]], "-----BEGIN CERTIFICATE-----",
        "AAAA", ["AAAA"], "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    ],
)  # fmt: skip
def test_what_holds_no_certificate_is_none(
    anna: TestClient, draft: dict[str, Any], chain: Any
) -> None:
    """Whatever is no certificate in any spelling is refused as such, and nothing is prepared."""
    answer = _open(anna, draft, certificate_chain=chain)
    assert answer.status_code == 422
    assert code_of(answer) in ("request", "trust-evidence")


@pytest.mark.parametrize("purpose", ["author", "1", 1, "AUTHOR"])
def test_a_purpose_has_a_name_and_a_code(
    anna: TestClient, draft: dict[str, Any], chains: dict[str, Any], purpose: Any
) -> None:
    """A purpose is its name or its code, which may be a number."""
    answer = _open(anna, draft, certificate_chain=chains["pem"], purpose=purpose)
    assert (answer.status_code, answer.json()["purpose"]) == (201, "1")


@pytest.mark.parametrize("purpose", ["", "99", 0, 19, 1.5, True, None, ["1"], "autor", -1, {}])
def test_what_is_no_purpose_is_none(
    anna: TestClient, draft: dict[str, Any], chains: dict[str, Any], purpose: Any
) -> None:
    """Whatever names no purpose is refused, and not taken for another one."""
    answer = _open(anna, draft, certificate_chain=chains["pem"], purpose=purpose)
    assert (answer.status_code, code_of(answer)) == (422, "request")


@pytest.mark.parametrize("form", ['"{}"', "{}"])
def test_what_was_seen_may_have_its_quotes(
    anna: TestClient, draft: dict[str, Any], chains: dict[str, Any], form: str
) -> None:
    """The entity tag is taken as the header has it, and without its quotes."""
    seen = {
        "sop_instance_uid": draft["sop_instance_uid"],
        "if_match": form.format(draft["sha256"]),
    }
    answer = _open(anna, draft, certificate_chain=chains["pem"], items=[seen])
    assert answer.status_code == 201


def _value(service: Service, data: bytes) -> bytes:
    """Return a signature as any library makes it that hashes and pads."""
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15

    path = service.world.pki.certificate("author").with_suffix(".key")
    return load_pem_private_key(path.read_bytes(), None).sign(data, PKCS1v15(), SHA256())


@pytest.mark.parametrize(
    "spell", [b64encode, urlsafe_b64encode, encodebytes], ids=["standard", "url-safe", "lines"]
)
def test_a_value_is_base64_of_either_alphabet(
    service: Service, anna: TestClient, chains: dict[str, Any], spell: Any
) -> None:
    """The bytes at ``tbs_url``, signed and sent back in Base64, make a signature that passes."""
    session = _open(anna, _draft(service, anna), certificate_chain=chains["list of der"]).json()
    (item,) = session["items"]
    value = spell(_value(service, anna.get(item["tbs_url"]).content)).decode()
    body = {"items": [{"n": 1, "signature": value}]}
    answer = anna.post(f"{SESSIONS}/{session['id']}/complete", json=body)
    assert [each["indication"] for each in answer.json()["results"]] == ["PASSED"]


def test_no_other_value_is_taken(
    service: Service, anna: TestClient, draft: dict[str, Any], chains: dict[str, Any]
) -> None:
    """Neither hexadecimal, nor half of a value, nor no text is a signature; the session goes on."""
    session = _open(anna, draft, certificate_chain=chains["pem"]).json()
    value = _value(service, anna.get(session["items"][0]["tbs_url"]).content)
    wrong = (value.hex(), b64encode(value[:-1]).decode(), b64encode(value)[:-3].decode(), "!", "")
    for each in (*wrong, None, 1, [b64encode(value).decode()]):
        body = {"items": [{"n": 1, "signature": each}]}
        answer = anna.post(f"{SESSIONS}/{session['id']}/complete", json=body)
        assert answer.status_code == 422, each
        assert code_of(answer) in ("request", "signer-refused")
    assert anna.get(f"{SESSIONS}/{session['id']}").json()["state"] == "open"


def test_a_template_stays_unless_another_is_named(service: Service, anna: TestClient) -> None:
    """A change that says nothing of the template has values for the one there is."""
    draft = _draft(service, anna)
    said = {"values": VALUES["values"]}
    answer = anna.put(path_of(draft), json=said, headers=tag_of(draft))
    assert (answer.status_code, answer.json()["template"]) == (200, "ct-chest")
    tag = {"If-Match": answer.headers["etag"]}
    for template in (None, "free-text", "none-such"):
        answer = anna.put(path_of(draft), json={**said, "template": template}, headers=tag)
        assert (answer.status_code, code_of(answer)) == (422, "template")
