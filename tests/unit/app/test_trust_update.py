"""Fetching revocation lists: from addresses given, and only what a kept authority signed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from sr.app.trust.trust_store import TrustStore, Use
from sr.app.trust.trust_update import update_lists
from sr.errors import ConfigurationError, ExternalServiceError, SRError, TrustEvidenceError
from sr.net.revocation_list import HTTPRevocationLists
from sr.trust.certificate import read_certificate
from tests.support.console import srsign
from tests.support.pki import NOW, demo_pki, issue, make_crl

PKI = demo_pki()
HOUR = timedelta(hours=1)
ROOT, ISSUING = "http://crl.test/root", "http://crl.test/issuing"


def _der(*arguments: object, **options: object) -> bytes:
    return make_crl(*arguments, **options).public_bytes(Encoding.DER)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Shelf:
    """A source whose lists lie ready; any other address fails."""

    lists: Mapping[str, bytes]

    def fetch(self, url: str) -> bytes:
        """Return the list of an address."""
        if url not in self.lists:
            raise ExternalServiceError("nothing there")
        return self.lists[url]


@pytest.fixture
def store(tmp_path: Path) -> TrustStore:
    """Return a folder that keeps root and issuing CA."""
    kept = TrustStore(tmp_path / "trust")
    kept.add(read_certificate(PKI.root.der).summary, Use.ANCHOR)
    kept.add(read_certificate(PKI.issuing.der).summary, Use.INTERMEDIATE)
    return kept


def _errors(store: TrustStore, lists: Mapping[str, bytes]) -> list[type[SRError] | None]:
    found = update_lists(store, tuple(lists), Shelf(lists))
    return [type(each.error) if each.error is not None else None for each in found]


def test_lists_are_taken_and_judged_with(store: TrustStore) -> None:
    """What a kept authority signed lies in the folder afterwards, DER or PEM."""
    pem = make_crl(PKI.issuing).public_bytes(Encoding.PEM)
    assert _errors(store, {ROOT: _der(PKI.root), ISSUING: pem}) == [None, None]
    assert set(store.material().crls) == {_der(PKI.root), _der(PKI.issuing)}


def test_a_newer_list_replaces_the_older_one(store: TrustStore) -> None:
    """Of one address the newest list is kept, and only that."""
    newer = _der(PKI.root, this_update=NOW - HOUR)
    assert _errors(store, {ROOT: _der(PKI.root)}) == [None]
    assert _errors(store, {ROOT: newer}) == [None]
    assert store.material().crls == (newer,)


@pytest.mark.parametrize(
    "bad",
    [
        b"",
        b"<html>",
        PKI.root.der,
        _der(PKI.root, signing_key=PKI.author.key),
        _der(issue(None, "Stranger", ca=True, slot="stranger")),
        _der(PKI.root, this_update=NOW - 9 * HOUR * 24),
        make_crl(PKI.root).public_bytes(Encoding.PEM) * 2,
    ],
    ids=["empty", "page", "certificate", "forged", "stranger", "older", "two"],
)
def test_what_is_not_taken_leaves_the_list_that_was_there(store: TrustStore, bad: bytes) -> None:
    """Junk, a list by somebody else and an older one replace nothing."""
    good = _der(PKI.root)
    assert _errors(store, {ROOT: good}) == [None]
    assert _errors(store, {ROOT: bad}) == [TrustEvidenceError]
    assert store.material().crls == (good,)


def test_one_that_fails_leaves_the_others_alone(store: TrustStore) -> None:
    """Each address is an attempt of its own."""
    found = update_lists(store, ("http://crl.test/none", ROOT), Shelf({ROOT: _der(PKI.root)}))
    assert [each.error is None for each in found] == [False, True]
    assert store.material().crls == (_der(PKI.root),)


@pytest.mark.parametrize(
    "url", ["", "ftp://crl.test/x", "file:///etc/passwd", "ldap://crl.test", "http://a:b@crl.test/"]
)
def test_only_addresses_without_secrets_are_asked(url: str) -> None:
    """Other schemes, and passwords in addresses, are refused before anything is opened."""
    with pytest.raises(ConfigurationError):
        HTTPRevocationLists(timeout=1).fetch(url)


def test_without_any_address_there_is_nothing_to_update(tmp_path: Path) -> None:
    """No address, given or configured, is a usage error."""
    assert srsign("trust", "update", "--directory", tmp_path).code == 2
