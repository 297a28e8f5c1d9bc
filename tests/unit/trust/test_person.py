"""Four eyes are two persons: another certificate of the same person does not count."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

from sr.errors import TrustEvidenceError
from sr.trust import person_of, same_person
from tests.support.pki import demo_pki, issue, name

PKI = demo_pki()


def _certificate(common_name: str, slot: str = "one", **attributes: Any) -> bytes:
    mail = attributes.pop("san", None)
    names = [x509.RFC822Name(mail)] if mail else []
    return issue(PKI.issuing, subject=name(common_name, **attributes), slot=slot, names=names).der


ANNA = _certificate("Anna Meier", serial_number="PNO-1", email_address="anna@example.org")


@pytest.mark.parametrize(
    "other",
    [
        _certificate("Somebody Else"),
        _certificate("Anna Meier", slot="two"),
        _certificate("MEIER, Anna", slot="two"),
        _certificate("Meier^Anna", slot="two"),
        _certificate("  anna   meier ", slot="two"),
        _certificate("Ánna Meïer", slot="two"),
        _certificate("A. M.", slot="two", given_name="Anna", surname="Meier"),
        _certificate("A. Huber", slot="two", serial_number="pno-1"),
        _certificate("A. Huber", slot="two", email_address="Anna@Example.org"),
        _certificate("A. Huber", slot="two", san="anna@example.org"),
    ],
    ids=["key", "name", "order", "carets", "spaces", "accents", "parts", "number", "mail", "san"],
)
def test_one_shared_identifier_is_one_person(other: bytes) -> None:
    """The same key, name, number or mail address is the same person, however written."""
    assert same_person(ANNA, other)
    assert same_person(other, ANNA)


@pytest.mark.parametrize(
    "other",
    [
        _certificate("Sam Weber", slot="two"),
        _certificate("Anna Huber", slot="two", serial_number="PNO-2"),
        _certificate("Anna Meier-Huber", slot="two", email_address="huber@example.org"),
        _certificate("Anna", slot="two", san="anna@example.com"),
        _certificate("PNO-1", slot="two"),
    ],
)
def test_nothing_shared_is_two_persons(other: bytes) -> None:
    """Without a shared identifier of the same kind there are two persons."""
    assert not same_person(ANNA, other)


def test_organisation_and_country_make_nobody() -> None:
    """What colleagues share is not an identifier of a person."""
    assert {each.split(":")[0] for each in person_of(ANNA)} == {
        "serialnumber",
        "email",
        "name",
        "key",
    }


def test_user_ids_count() -> None:
    """The UID attribute identifies a person."""
    one = issue(PKI.issuing, slot="one", subject=_uid("Meier1")).der
    two = issue(PKI.issuing, slot="two", subject=_uid("meier1")).der
    assert same_person(one, two)


def _uid(value: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.USER_ID, value)])


def test_a_nameless_certificate_still_has_a_key() -> None:
    """Without any name the key itself identifies the holder."""
    nameless = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "...")])
    one = issue(PKI.issuing, slot="one", subject=nameless).der
    assert len(person_of(one)) == 1
    assert not same_person(one, issue(PKI.issuing, slot="two", subject=nameless).der)


def test_not_a_certificate() -> None:
    """Other bytes are nobody."""
    with pytest.raises(TrustEvidenceError):
        person_of(b"\x30\x00")
