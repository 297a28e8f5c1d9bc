"""People whom an OpenID provider vouches for, and tokens that prove nothing."""

from __future__ import annotations

import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from fastapi.testclient import TestClient
from joserfc.jwk import RSAKey
from sqlalchemy import select

from sr.app.settings import OpenIDSettings, Settings
from sr.compose.service import service_context
from sr.errors import ConfigurationError
from sr.net.openid import OpenIDProvider
from sr.service.context import OpenIDRules
from sr.store.people import change_user
from sr.store.schema import audit_events, login_attempts, users
from sr.web.application import create_application
from tests.support.openid_provider import Provider, provider
from tests.support.service import Service, open_service

HERE = "http://srsign.test"
API = "https://srsign.test/api"
CLIENT = "srsign"


@pytest.fixture(scope="module")
def op() -> Iterator[Provider]:
    """Return a provider of this module."""
    with provider() as made:
        yield made


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Service:
    """Return a service of this module."""
    return open_service(tmp_path_factory.mktemp("service"))


@pytest.fixture
def service(plain: Service, op: Provider) -> Service:
    """Return a service that trusts the provider, which knows Anna."""
    service = plain
    rules = OpenIDRules(
        provider=OpenIDProvider(issuer=op.issuer, client_id=CLIENT, ask_again=0), audience=API
    )
    known = {"issuer": op.issuer, "subject": "a-1", "roles": ["author"], "disabled_at": None}
    with service.context.database.write() as connection:
        change_user(connection, "anna", known)
    return replace(service, context=replace(service.context, openid=rules))


def _browser(service: Service) -> TestClient:
    return TestClient(create_application(service.context), base_url=HERE, client=("192.0.2.7", 1))


def _claims(service: Service, op: Provider, audience: str = CLIENT, **more: Any) -> dict[str, Any]:
    now = int(service.clock().timestamp())
    return {
        "iss": op.issuer, "sub": "a-1", "aud": audience, "iat": now, "exp": now + 300, **more
    }  # fmt: skip


def _begin(browser: TestClient) -> str:
    answer = browser.get("/login/openid", follow_redirects=False)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


def _log_in(service: Service, op: Provider, **more: Any) -> tuple[TestClient, int]:
    browser = _browser(service)
    back = op.agree(_begin(browser), _claims(service, op, **more))
    return browser, browser.get("/login/callback", params=back).status_code


def _api(service: Service, token: str) -> int:
    client = service.client()
    client.headers["Authorization"] = f"Bearer {token}"
    return client.get("/api/v1/reports").status_code


def test_whom_the_provider_vouches_for_is_logged_in(service: Service, op: Provider) -> None:
    """The code flow with PKCE ends in a login of the user with that subject."""
    browser, status = _log_in(service, op)
    assert status == 200
    assert browser.get("/api/v1/reports").status_code == 200
    with service.context.database.read() as connection:
        last = connection.execute(
            select(audit_events.c.user_id).where(audit_events.c.action == "login")
        ).scalars()
        assert list(last) == ["anna"]


@pytest.mark.parametrize("key", [0, 1])
def test_an_access_token_opens_the_api(service: Service, op: Provider, key: int) -> None:
    """A token for this API, signed with RSA or an elliptic curve, is its user's."""
    alg = ("RS256", "ES256")[key]
    token = op.token(_claims(service, op, API), key=op.keys[key], alg=alg)
    assert _api(service, token) == 200


def _b64(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def _by_hand(
    service: Service, op: Provider, header: dict[str, Any], sign: Callable[[bytes], bytes]
) -> str:
    """Return a token that no library would make."""
    claims = _claims(service, op, API)
    body = ".".join(_b64(json.dumps(part).encode()) for part in (header, claims))
    return f"{body}.{_b64(sign(body.encode()))}"


def _unsigned(service: Service, op: Provider) -> str:
    return _by_hand(service, op, {"alg": "none"}, lambda _: b"")


def _with_public_key_as_secret(service: Service, op: Provider) -> str:
    pem = (
        op.keys[0]
        .get_op_key("verify")
        .public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    )
    header = {"alg": "HS256", "kid": "r"}
    return _by_hand(service, op, header, lambda data: hmac.digest(pem, data, "sha256"))


def _with_extension(service: Service, op: Provider) -> str:
    key = op.keys[0].get_op_key("sign")
    header = {"alg": "RS256", "kid": "r", "crit": ["x"], "x": 1}
    return _by_hand(service, op, header, lambda data: key.sign(data, PKCS1v15(), SHA256()))


def _tampered(service: Service, op: Provider) -> str:
    head, body, value = op.token(_claims(service, op, API)).split(".")
    claims = json.loads(urlsafe_b64decode(body + "=="))
    changed = json.dumps({**claims, "sub": "a-2"}).encode()
    return f"{head}.{urlsafe_b64encode(changed).rstrip(b'=').decode()}.{value}"


def _own_key_in_header(service: Service, op: Provider) -> str:
    key = RSAKey.generate_key(2048, {"kid": "r"})
    return op.token(_claims(service, op, API), key=key, jwk=key.as_dict(private=False))


_Make = Callable[[Service, Provider], str]
BAD: dict[str, _Make] = {
    "expired": lambda s, p: p.token(_claims(s, p, API, exp=int(s.clock().timestamp()) - 61)),
    "without an end": lambda s, p: p.token({**_claims(s, p, API), "exp": None}),
    "not yet valid": lambda s, p: p.token(_claims(s, p, API, nbf=int(s.clock().timestamp()) + 90)),
    "of the future": lambda s, p: p.token(_claims(s, p, API, iat=int(s.clock().timestamp()) + 90)),
    "for another audience": lambda s, p: p.token(_claims(s, p, "other")),
    "for nobody": lambda s, p: p.token({**_claims(s, p), "aud": []}),
    "that says who logged in": lambda s, p: p.token(_claims(s, p, CLIENT)),
    "of another issuer": lambda s, p: p.token(_claims(s, p, API, iss="https://evil.example")),
    "of an issuer with a slash": lambda s, p: p.token(_claims(s, p, API, iss=p.issuer + "/")),
    "of two issuers": lambda s, p: p.token(_claims(s, p, API, iss=[p.issuer, "https://e.example"])),
    "of nobody": lambda s, p: p.token({**_claims(s, p, API), "sub": None}),
    "of a stranger": lambda s, p: p.token(_claims(s, p, API, sub="x-9")),
    "of a subject that is a list": lambda s, p: p.token(_claims(s, p, API, sub=["a-1"])),
    "of a long subject": lambda s, p: p.token(_claims(s, p, API, sub="a" * 256)),
    "unsigned": _unsigned,
    "signed with the public key as a secret": _with_public_key_as_secret,
    "of an unknown key": lambda s, p: p.token(
        _claims(s, p, API), key=RSAKey.generate_key(2048, {"kid": "z"})
    ),
    "of a foreign key under a known name": lambda s, p: p.token(
        _claims(s, p, API), key=RSAKey.generate_key(2048, {"kid": "r"})
    ),
    "with its own key": _own_key_in_header,
    "with the name of the other key": lambda s, p: p.token(_claims(s, p, API), kid="e"),
    "tampered": _tampered,
    "cut off": lambda s, p: p.token(_claims(s, p, API))[:-9],
    "with an extension nobody knows": _with_extension,
    "of dots": lambda _s, _p: "..",
    "of noise": lambda _s, _p: "a.b.c",
    "of depth": lambda _s, _p: "e30." + urlsafe_b64encode(b"[" * 5000).decode() + ".e30",
}


@pytest.mark.parametrize("name", BAD)
def test_a_token_that_proves_nothing_is_refused(service: Service, op: Provider, name: str) -> None:
    """Whatever is wrong with a token, nobody is known by it."""
    assert _api(service, BAD[name](service, op)) == 401


def test_an_api_without_audience_takes_no_token(service: Service, op: Provider) -> None:
    """Tokens open the API only where a site says for whom they must be."""
    assert service.context.openid is not None
    rules = replace(service.context.openid, audience="")
    without = replace(service, context=replace(service.context, openid=rules))
    assert _api(without, op.token(_claims(service, op, ""))) == 401


def test_a_new_key_of_the_provider_is_found(service: Service, op: Provider) -> None:
    """A key that the provider has had for a moment only signs tokens that are taken."""
    assert _api(service, op.token(_claims(service, op, API))) == 200
    asked = op.key_requests
    assert _api(service, op.token(_claims(service, op, API))) == 200
    assert op.key_requests == asked
    op.keys.append(RSAKey.generate_key(2048, {"kid": f"n{asked}"}))
    assert _api(service, op.token(_claims(service, op, API), key=op.keys[-1])) == 200
    assert op.key_requests == asked + 1


def test_names_of_keys_that_nobody_has_are_not_asked_for_each_time(
    service: Service, op: Provider
) -> None:
    """Somebody who invents keys makes no requests to the provider."""
    assert service.context.openid is not None
    patient = replace(service.context.openid.provider, ask_again=3600, _keys=[])
    rules = replace(service.context.openid, provider=patient)
    held = replace(service, context=replace(service.context, openid=rules))
    asked = op.key_requests
    for n in range(5):
        key = RSAKey.generate_key(2048, {"kid": f"x{n}"})
        assert _api(held, op.token(_claims(service, op, API), key=key)) == 401
    assert op.key_requests == asked + 1


@pytest.mark.parametrize(
    "changed",
    [{"nonce": "0" * 64}, {"nonce": None}, {"aud": "other"}, {"aud": [CLIENT, "other"]},
     {"aud": [CLIENT, "other"], "azp": "other"}, {"azp": "other"}, {"exp": 1}, {"sub": "x-9"},
     {"iss": "https://evil.example"}],
)  # fmt: skip
def test_an_id_token_that_is_none_for_this_login_is_refused(
    service: Service, op: Provider, changed: dict[str, Any]
) -> None:
    """Another nonce, audience or party, or a stranger: nobody is logged in."""
    browser, status = _log_in(service, op, **changed)
    assert status == 401
    assert browser.get("/api/v1/reports").status_code == 401


def test_an_answer_is_taken_once(service: Service, op: Provider) -> None:
    """State and code that were used are refused, though the browser still has its part."""
    browser = _browser(service)
    url = _begin(browser)
    back = op.agree(url, _claims(service, op))
    assert browser.get("/login/callback", params=back).status_code == 200
    again = {**back, "code": op.agree(url, _claims(service, op))["code"]}
    assert browser.get("/login/callback", params=again).status_code == 401


def test_an_answer_belongs_to_its_browser(service: Service, op: Provider) -> None:
    """Somebody else's answer, or none, logs nobody in."""
    mine, other = _browser(service), _browser(service)
    back = op.agree(_begin(mine), _claims(service, op))
    _begin(other)
    assert other.get("/login/callback", params=back).status_code == 401
    assert _browser(service).get("/login/callback", params=back).status_code == 401
    assert mine.get("/login/callback", params={**back, "state": "0" * 64}).status_code == 401
    assert mine.get("/login/callback", params={"error": "access_denied"}).status_code == 401
    assert mine.get("/login/callback", params={**back, "code": "invented"}).status_code == 401


def test_an_answer_of_another_provider_is_refused(service: Service, op: Provider) -> None:
    """Whoever names another issuer in the answer, or two, logs nobody in; ours does.

    Cites: RFC 9207 2.4.
    """
    browser = _browser(service)
    back = op.agree(_begin(browser), _claims(service, op))
    for issuer in ("https://evil.example", op.issuer + "/", [op.issuer, "https://evil.example"]):
        answer = browser.get("/login/callback", params={**back, "iss": issuer})
        assert answer.status_code == 401
    answer = browser.get("/login/callback", params={**back, "iss": op.issuer})
    assert answer.status_code == 200


def test_a_login_replaces_what_a_browser_was_given(service: Service, op: Provider) -> None:
    """A cookie that somebody planted before the login is not the cookie of the login."""
    browser = _browser(service)
    browser.cookies.set("srsign", "f" * 64, domain="srsign.test", path="/")
    back = op.agree(_begin(browser), _claims(service, op))
    answer = browser.get("/login/callback", params=back)
    given = answer.cookies["srsign"]
    assert given != "f" * 64
    planted = _browser(service)
    planted.cookies.set("srsign", "f" * 64)
    assert planted.get("/api/v1/reports").status_code == 401


def test_after_the_way_out_nothing_of_a_login_is_left(service: Service, op: Provider) -> None:
    """The cookie of before, and the provider's answer sent again, open nothing."""
    browser = _browser(service)
    back = op.agree(_begin(browser), _claims(service, op))
    browser.get("/login/callback", params=back)
    token = browser.cookies["srsign"]
    left = browser.post("/logout", headers={"Origin": HERE}, follow_redirects=False)
    assert left.status_code == 303
    browser.cookies.set("srsign", token)
    assert browser.get("/api/v1/reports").status_code == 401
    assert browser.get("/login/callback", params=back).status_code == 401


def test_who_begins_and_does_not_come_back_is_forgotten(service: Service, op: Provider) -> None:
    """Attempts whose time is over take no room, though nobody finishes a login."""
    for _ in range(3):
        _begin(_browser(service))
    service.clock.forward(timedelta(minutes=11))
    _begin(_browser(service))
    with service.context.database.read() as connection:
        assert len(connection.execute(select(login_attempts)).all()) == 1


def test_a_provider_that_is_away_is_not_asked_each_time(service: Service, op: Provider) -> None:
    """Who sends tokens while the provider does not answer makes nobody wait for it again."""
    token = op.token(_claims(service, op, API))
    away = OpenIDProvider(issuer=op.issuer, client_id=CLIENT, ask_again=3600)
    held = _with(service, provider=away)
    asked, op.answers_keys = op.key_requests, False
    try:
        assert [_api(held, token) for _ in range(4)] == [503] * 4
    finally:
        op.answers_keys = True
    assert op.key_requests == asked + 1


def test_a_code_needs_its_verifier(service: Service, op: Provider) -> None:
    """A code of another browser's login is not redeemed."""
    mine, other = _browser(service), _browser(service)
    stolen = op.agree(_begin(mine), _claims(service, op))["code"]
    state = op.agree(_begin(other), _claims(service, op))["state"]
    answer = other.get("/login/callback", params={"code": stolen, "state": state})
    assert answer.status_code == 401


def test_an_answer_that_comes_late_is_refused(service: Service, op: Provider) -> None:
    """After ten minutes a login has to be begun anew."""
    browser = _browser(service)
    back = op.agree(_begin(browser), _claims(service, op, exp=int(2e9)))
    service.clock.forward(timedelta(minutes=11))
    assert browser.get("/login/callback", params=back).status_code == 401


def _with(service: Service, **changes: Any) -> Service:
    assert service.context.openid is not None
    rules = replace(service.context.openid, **changes)
    return replace(service, context=replace(service.context, openid=rules))


def test_people_who_are_new_get_an_account_without_rights(service: Service, op: Provider) -> None:
    """Where a site wants it, a stranger has an account, and no role in it."""
    open_to_all = _with(service, provision=True, organization="Ward 3")
    for _ in range(2):
        browser, status = _log_in(
            open_to_all, op, sub="n-1", family_name="Ny^Berg", given_name="Nils"
        )
        assert status == 200
    assert browser.get("/api/v1/reports").status_code == 403
    with service.context.database.read() as connection:
        row = connection.execute(select(users).where(users.c.subject == "n-1")).mappings().one()
    assert (row["roles"], row["person_name"]) == ([], "Ny Berg^Nils")


@pytest.mark.parametrize(
    ("groups", "roles"),
    [(["rad", "chief"], ["author", "approver"]), ("rad", ["author"]), (["admin", 3, None], []),
     (7, []), (None, [])],
)  # fmt: skip
def test_roles_are_those_of_the_claim(
    service: Service, op: Provider, groups: object, roles: list[str]
) -> None:
    """Groups that are mapped give roles, others and what is no group give none."""
    mapped = _with(service, roles_claim="groups", roles=(("rad", "author"), ("chief", "approver")))
    _, status = _log_in(mapped, op, groups=groups)
    assert status == 200
    with service.context.database.read() as connection:
        row = connection.execute(select(users.c.roles).where(users.c.id == "anna")).scalar_one()
    assert row == roles


def test_whoever_is_disabled_is_not_let_in(service: Service, op: Provider) -> None:
    """That the provider vouches does not suffice."""
    with service.context.database.write() as connection:
        change_user(connection, "anna", {"disabled_at": service.clock()})
    assert _log_in(service, op)[1] == 401
    assert _api(service, op.token(_claims(service, op, API))) == 401


@pytest.mark.parametrize(
    "metadata",
    [{"issuer": "https://evil.example"}, {"jwks_uri": "http://evil.example/keys"},
     {"jwks_uri": None}, {"jwks_uri": "file:///etc/passwd"}],
)  # fmt: skip
def test_a_provider_that_is_another_is_not_asked(
    service: Service, op: Provider, metadata: dict[str, Any]
) -> None:
    """What a provider says of itself must be the configured issuer's, and encrypted."""
    op.metadata = metadata
    try:
        fresh = OpenIDProvider(issuer=op.issuer, client_id=CLIENT)
        assert _api(_with(service, provider=fresh), op.token(_claims(service, op, API))) == 503
    finally:
        op.metadata = {}


@pytest.mark.parametrize(
    "settings",
    [
        {"issuer": "http://login.example.org"},
        {"issuer": "ldap://x"},
        {"algorithms": "HS256"},
        {"algorithms": "RS256 none"},
        {"algorithms": ""},
        {"client_id": ""},
        {"audience": "srsign"},
        {"roles": "radiologists"},
        {"roles": "radiologists=king"},
    ],
)
def test_settings_that_weaken_it_are_refused(tmp_path, settings: dict[str, str]) -> None:
    """A service does not start with what proves nothing."""
    sound = {"issuer": "https://login.example.org", "client_id": "srsign"}
    openid = OpenIDSettings(**{**sound, **settings})  # type: ignore[arg-type]
    store = replace(Settings().store, url=f"sqlite:///{tmp_path}/x.db")
    with pytest.raises(ConfigurationError):
        service_context(replace(Settings(), openid=openid, store=store))
