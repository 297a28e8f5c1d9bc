"""The table of signers: what is wrong with them, and what each policy makes of their report.

One fault a row; the report itself is sound. Judged from the file's bytes, as ``srsign check`` does.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID

from sr.findings import Indication, LimitationCode, SubIndication
from sr.trust import TrustMaterial
from sr.verification import Verdict
from tests.support.forge import edited, forge_signature
from tests.support.pki import NOW, Entity, Unknown, demo_pki, issue, make_crl, make_ocsp
from tests.support.pki import revoked_entry as entry
from tests.support.signed import check, plain_report

V, S, L = Indication, SubIndication, LimitationCode
Expected = tuple[Indication, SubIndication | None]
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
PKI = demo_pki()
AUTHOR = PKI.author
POLICIES = ("standard", "strict", "archive", "interop", "demo")
REVOKED = ocsp.OCSPCertStatus.REVOKED

PASSED: Expected = (V.PASSED, None)
TIME_MISSING: Expected = (V.INDETERMINATE, S.SIG_CONSTRAINTS_FAILURE)


def undecided(sub: SubIndication) -> Expected:
    """INDETERMINATE for that reason."""
    return V.INDETERMINATE, sub


def failed(sub: SubIndication) -> Expected:
    """FAILED for that reason."""
    return V.FAILED, sub


@dataclass(frozen=True, kw_only=True)
class Row:
    """A signer, what is supplied about it, and the verdict."""

    expected: Expected
    signer: Entity = AUTHOR
    claimed: datetime = NOW - DAY
    at: datetime = NOW
    anchors: tuple[Entity, ...] = (PKI.root,)
    intermediates: tuple[Entity, ...] = (PKI.issuing,)
    crls: tuple[x509.CertificateRevocationList, ...] = PKI.crls
    ocsps: tuple[ocsp.OCSPResponse, ...] = ()
    under: dict[str, Expected] = field(default_factory=dict)
    limited: frozenset[LimitationCode] = frozenset()
    """Limitations where it passes all the same."""

    def material(self) -> TrustMaterial:
        """What the operator supplies."""

        def der(parts: Iterable[Any]) -> tuple[bytes, ...]:
            return tuple(each.public_bytes(Encoding.DER) for each in parts)

        return TrustMaterial(
            anchors=tuple(each.der for each in self.anchors),
            intermediates=tuple(each.der for each in self.intermediates),
            crls=der(self.crls),
            ocsps=der(self.ocsps),
        )

    def under_policy(self, policy: str) -> Expected:
        """The verdict under a policy; without a time-stamp nothing passes ``archive``."""
        expected = self.under.get(policy, self.expected)
        return TIME_MISSING if policy == "archive" and expected == PASSED else expected


def _case(**options: Any) -> Entity:
    return issue(PKI.issuing, "Case", slot="case", **options)


def _revoking(
    entity: Entity, ca: bool = False, at: datetime = NOW - 5 * DAY
) -> tuple[x509.CertificateRevocationList, ...]:
    entries = [entry(entity.certificate.serial_number, at=at)]
    root = make_crl(PKI.root, revoked=entries if ca else ())
    return root, make_crl(PKI.issuing, revoked=() if ca else entries)


def _unknown(**supplied: Any) -> Row:
    """Nothing is known about revocation: a limitation, and in ``strict`` a reason to wait."""
    return Row(
        expected=PASSED,
        under={"strict": undecided(S.TRY_LATER)},
        limited=frozenset({L.REVOCATION_UNKNOWN}),
        **supplied,
    )


def _weak(**supplied: Any) -> Row:
    return Row(
        expected=undecided(S.CRYPTO_CONSTRAINTS_FAILURE),
        under={"interop": PASSED},
        limited=frozenset({L.WEAK_ALGORITHM}),
        **supplied,
    )


ROOT_LIST, ISSUING_LIST = PKI.crls
PAST = _case(not_before=NOW - 30 * DAY, not_after=NOW - 5 * DAY)
OLD_LISTS = (
    ROOT_LIST,
    make_crl(PKI.issuing, this_update=NOW - 8 * DAY, next_update=NOW + DAY),
)
SHORT_CA = issue(
    PKI.root, "Short CA", ca=True, slot="short-ca", not_before=NOW - 30 * DAY,
    not_after=NOW - 5 * DAY,
)  # fmt: skip
BELOW_SHORT_CA = issue(SHORT_CA, "Case", slot="case")
NOBODY = issue(None, "Nobody", slot="case")
STALE = make_crl(PKI.issuing, this_update=NOW - 9 * DAY, next_update=NOW - DAY)
SHA1, MD5 = hashes.SHA1(), hashes.MD5()  # noqa: S303 - weak on purpose
CHAIN = undecided(S.CHAIN_CONSTRAINTS_FAILURE)

ROWS = {
    "valid": Row(expected=PASSED),
    "expired": Row(expected=failed(S.EXPIRED), signer=PAST, crls=OLD_LISTS),
    "expired since": Row(
        expected=undecided(S.OUT_OF_BOUNDS_NO_POE),
        signer=PAST,
        claimed=NOW - 6 * DAY,
        crls=OLD_LISTS,
    ),
    "not yet valid": Row(expected=failed(S.NOT_YET_VALID), signer=_case(not_before=NOW - HOUR)),
    "from the future": Row(expected=failed(S.NOT_YET_VALID), claimed=NOW + DAY),
    "CA expired": Row(
        expected=undecided(S.OUT_OF_BOUNDS_NO_POE),
        signer=BELOW_SHORT_CA,
        intermediates=(SHORT_CA,),
        crls=(ROOT_LIST, make_crl(SHORT_CA)),
        under={"strict": undecided(S.OUT_OF_BOUNDS_NO_POE)},
    ),
    "revoked": Row(expected=failed(S.REVOKED), crls=_revoking(AUTHOR)),
    "revoked after the claimed time": Row(
        expected=undecided(S.REVOKED_NO_POE), crls=_revoking(AUTHOR, at=NOW - HOUR)
    ),
    "revoked by OCSP": Row(
        expected=failed(S.REVOKED), ocsps=(make_ocsp(PKI.issuing, AUTHOR, status=REVOKED),)
    ),
    "CA revoked": Row(
        expected=undecided(S.REVOKED_CA_NO_POE), crls=_revoking(PKI.issuing, ca=True)
    ),
    "CA revoked after the claimed time": Row(
        expected=undecided(S.REVOKED_CA_NO_POE),
        crls=_revoking(PKI.issuing, ca=True, at=NOW - HOUR),
    ),
    "on hold": Row(
        expected=undecided(S.TRY_LATER),
        crls=(
            ROOT_LIST,
            make_crl(
                PKI.issuing,
                revoked=[
                    entry(
                        AUTHOR.certificate.serial_number,
                        reason=x509.ReasonFlags.certificate_hold,
                    )
                ],
            ),
        ),
    ),
    "no list": _unknown(crls=()),
    "no list of the CA above": _unknown(crls=(ISSUING_LIST,)),
    "no list of the issuing CA": _unknown(crls=(ROOT_LIST,)),
    "stale list": _unknown(crls=(ROOT_LIST, STALE)),
    "list by somebody else": _unknown(
        crls=(ROOT_LIST, make_crl(PKI.issuing, signing_key=AUTHOR.key))
    ),
    "OCSP instead of a list": Row(
        expected=PASSED, crls=(ROOT_LIST,), ocsps=(make_ocsp(PKI.issuing, AUTHOR),)
    ),
    "OCSP does not know it": _unknown(
        crls=(ROOT_LIST,),
        ocsps=(make_ocsp(PKI.issuing, AUTHOR, status=ocsp.OCSPCertStatus.UNKNOWN),),
    ),
    "OCSP about somebody else": _unknown(
        crls=(ROOT_LIST,), ocsps=(make_ocsp(PKI.issuing, PKI.supervisor),)
    ),
    "web server": Row(
        expected=CHAIN, signer=_case(extended_usage=[ExtendedKeyUsageOID.SERVER_AUTH])
    ),
    "time-stamp authority": Row(expected=CHAIN, signer=PKI.tsa),
    "logs in only": Row(
        expected=PASSED,
        signer=_case(extended_usage=[ExtendedKeyUsageOID.CLIENT_AUTH]),
        under={"strict": CHAIN},
    ),
    "enciphers only": Row(expected=CHAIN, signer=_case(usage=["key_encipherment"])),
    "no key usage": Row(expected=PASSED, signer=_case(usage=None), under={"strict": CHAIN}),
    "CA as signer": Row(expected=CHAIN, signer=PKI.issuing, intermediates=()),
    "RSA-1024": _weak(signer=issue(PKI.issuing, "Case", key_kind="rsa1024")),
    "e = 3": _weak(signer=issue(PKI.issuing, "Case", key_kind="rsa2048e3")),
    "SHA-1 certificate": _weak(signer=_case(hash_algorithm=SHA1)),
    "MD5 certificate": _weak(signer=_case(hash_algorithm=MD5)),
    "elliptic curve": Row(
        expected=PASSED,
        signer=issue(PKI.issuing, "Case", key_kind="p256"),
        limited=frozenset({L.KEY_OUTSIDE_PROFILE}),
    ),
    "unknown critical extension": Row(
        expected=CHAIN, signer=_case(extensions=[(Unknown(), True)])
    ),
    "self-signed": Row(expected=undecided(S.NO_CERTIFICATE_CHAIN_FOUND), signer=NOBODY),
    "self-signed, pinned": Row(expected=PASSED, signer=NOBODY, anchors=(NOBODY,)),
    "no anchor": Row(expected=undecided(S.NO_CERTIFICATE_CHAIN_FOUND), anchors=()),
    "another anchor": Row(
        expected=undecided(S.NO_CERTIFICATE_CHAIN_FOUND),
        anchors=(issue(None, "Other Root", ca=True, slot="other-root"),),
    ),
    "issuing CA not supplied": Row(
        expected=undecided(S.NO_CERTIFICATE_CHAIN_FOUND), intermediates=()
    ),
}  # fmt: skip


@cache
def _report(signer: Entity, claimed: datetime) -> bytes:
    """Return a report that somebody signed whole, whatever rules say of the signer."""
    text = claimed.strftime("%Y%m%d%H%M%S+0000")
    return edited(plain_report(), lambda n: forge_signature(n, signer, claimed=text))


def _check(row: Row, policy: str, at: datetime) -> Verdict:
    return check(_report(row.signer, row.claimed), policy=policy, given=row.material(), at=at)


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("name", ROWS)
def test_the_verdict_on_a_signer(name: str, policy: str) -> None:
    """A report by a signer with one fault gets the verdict of the table, and its limitations."""
    row = ROWS[name]
    verdict = _check(row, policy, row.at)
    assert (verdict.indication, verdict.sub_indication) == row.under_policy(policy)
    assert verdict.policy == policy
    if verdict.indication is V.PASSED:
        named = {each.code for each in verdict.limitations}
        assert named - {L.EVIDENCE_NOT_AVAILABLE} == row.limited | {L.TIME_CLAIMED_ONLY}


ENDING = _case(not_after=NOW + 5 * DAY)
KEEPING = make_crl(PKI.issuing, next_update=NOW + 400 * DAY)
ROOT_KEEPING = make_crl(PKI.root, next_update=NOW + 400 * DAY)


@pytest.mark.parametrize(
    ("row", "at", "expected"),
    [
        (Row(expected=PASSED), NOW - 2 * DAY, failed(S.NOT_YET_VALID)),
        (Row(expected=PASSED), NOW - 31 * DAY, failed(S.NOT_YET_VALID)),
        (Row(expected=PASSED), NOW - DAY + HOUR, PASSED),
        (Row(expected=PASSED, signer=ENDING), NOW + 4 * DAY, PASSED),
        (
            Row(expected=PASSED, signer=ENDING),
            NOW + 6 * DAY,
            undecided(S.OUT_OF_BOUNDS_NO_POE),
        ),
        (Row(expected=PASSED, crls=_revoking(AUTHOR, at=NOW - HOUR)), NOW - 2 * HOUR, PASSED),
        (
            Row(expected=PASSED, crls=_revoking(AUTHOR, at=NOW - HOUR)),
            NOW - HOUR,
            undecided(S.REVOKED_NO_POE),
        ),
        (
            Row(expected=PASSED, crls=_revoking(PKI.issuing, ca=True, at=NOW - HOUR)),
            NOW - 2 * HOUR,
            PASSED,
        ),
        (
            Row(expected=PASSED, crls=(ROOT_KEEPING, KEEPING)),
            datetime(2028, 1, 1, tzinfo=NOW.tzinfo),
            PASSED,
        ),
        (
            Row(expected=PASSED, crls=(ROOT_KEEPING, KEEPING)),
            datetime(2031, 1, 1, tzinfo=NOW.tzinfo),
            undecided(S.CRYPTO_CONSTRAINTS_FAILURE_NO_POE),
        ),
    ],
)
def test_the_same_report_at_another_time(row: Row, at: datetime, expected: Expected) -> None:
    """What is judged as of a time knows nothing that happened later, and counts all before."""
    verdict = _check(row, "standard", at)
    assert (verdict.indication, verdict.sub_indication) == expected
    assert verdict.judged_at == at


@pytest.mark.parametrize(("days", "expected"), [(20, PASSED), (40, undecided(S.TRY_LATER))])
def test_a_list_goes_stale_with_the_time_it_is_judged_at(days: int, expected: Expected) -> None:
    """A list that is current today says nothing once its next one is due."""
    row = Row(expected=PASSED)
    verdict = _check(row, "strict", NOW + days * DAY)
    assert (verdict.indication, verdict.sub_indication) == expected
