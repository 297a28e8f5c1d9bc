"""NIST's Public Key Interoperability Test Suite, run through what ``check`` judges signers with.

``evaluate_signer`` is run as it is. The policy only leaves out what PKITS does not know: our
demands on a signer's own certificate. Each test brings its own certificates, lists and inputs.
"""

from __future__ import annotations

import re
import tomllib
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import cryptography_vectors
import pytest

from sr.findings import Status
from sr.trust import SignerTrust, TrustMaterial, TrustPolicy, evaluate_signer, parse_policy

DATA = Path(cryptography_vectors.__file__).parent / "x509" / "PKITS_data"
CASES: dict[str, dict[str, Any]] = tomllib.loads(
    (Path(__file__).parent / "cases.toml").read_text(encoding="utf-8")
)
DIVERGENCES = Path(__file__).parents[2] / "docs" / "divergences.md"
AT = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
"""Inside the validity of the suite, 2010 to 2030."""

EXCEPTIONS = frozenset({"4.1.4", "4.1.5"})
"""Tests that come out otherwise on purpose: DSA is not accepted. See ``docs/divergences.md``."""

SECTIONS = {1: 6, 2: 8, 3: 11, 4: 21, 5: 8, 6: 17, 7: 5, 8: 20} | {
    9: 8, 10: 14, 11: 11, 12: 10, 13: 38, 14: 35, 15: 10, 16: 2
}  # fmt: skip
"""How many tests NIST describes in each section 4.1 to 4.16."""

WITHOUT_SIGNER_RULES = """
id = "pkits"
title = "PKITS"
extends = "strict"
cites = "RFC 5280 6.1"

[[severity]]
rules = ["CERT_KEY_USAGE", "CERT_KEY_USAGE_ABSENT", "CERT_EXTENDED_KEY_USAGE", "CERT_IS_CA"]
level = "ignore"
cites = "PKITS"
"""


def _file(folder: str, name: str) -> bytes:
    return (DATA / folder / name).read_bytes()


@cache
def _policy(policies: tuple[int, ...], flags: frozenset[str]) -> TrustPolicy:
    oids = [f"2.16.840.1.101.3.2.1.48.{n}" for n in policies]
    inputs = "".join(f"{flag} = true\n" for flag in sorted(flags))
    table = f"[policies]\naccepted = {oids}\n{inputs}cites = 'RFC 5280 6.1.1'\n"
    return parse_policy(WITHOUT_SIGNER_RULES + table, "pkits.toml")


def _run(case: dict[str, Any], *, lists: str | None = None) -> SignerTrust:
    signer, *issuing = (_file("certs", f"{name}.crt") for name in case["path"].split())
    flags = frozenset({"required", "inhibit_mapping", "inhibit_any"} & case.keys())
    named = case["lists"] if lists is None else lists
    return evaluate_signer(
        signer,
        claimed_at=AT,
        claimed_zone_known=True,
        proven_at=None,
        judged_at=AT,
        material=TrustMaterial(
            anchors=(_file("certs", "TrustAnchorRootCertificate.crt"),),
            intermediates=tuple(issuing),
            crls=tuple(_file("crls", f"{name}.crl") for name in named.split()),
        ),
        policy=_policy(tuple(case.get("policies", ())), flags),
    )


def _failed(trust: SignerTrust) -> set[str]:
    return {each.rule for each in trust.findings if each.status is Status.FAIL}


@pytest.mark.parametrize("number", CASES)
def test_pkits(number: str) -> None:
    """Each test of the suite comes out as NIST says, an invalid path for the reason meant."""
    case = CASES[number]
    failed = _failed(_run(case))
    if number in EXCEPTIONS:
        assert case["valid"]
        assert failed, "an exception comes out as NIST says: strike it from the list"
    elif case["valid"]:
        assert not failed
    else:
        assert failed == set(case["because"].split())


def test_the_table_is_whole() -> None:
    """The table has every test of every section, with consecutive numbers and sub-tests."""
    tests = {number.split("/")[0] for number in CASES}
    assert tests == {f"4.{n}.{t}" for n, count in SECTIONS.items() for t in range(1, count + 1)}
    assert len(CASES) == 247


def test_every_valid_path_needs_its_lists() -> None:
    """Without its lists no path of the suite is good: revocation is judged in every test."""
    good = [case for number, case in CASES.items() if case["valid"] and number not in EXCEPTIONS]
    assert all("CERT_REVOCATION_KNOWN" in _failed(_run(case, lists="")) for case in good)


def test_exceptions_are_told() -> None:
    """The page on divergences names exactly the tests that come out otherwise."""
    text = DIVERGENCES.read_text(encoding="utf-8")
    assert set(re.findall(r"PKITS (4\.\d+\.\d+)", text)) == EXCEPTIONS
