"""Paths: what is built, what constraints they keep, and agreement with another validator."""

from __future__ import annotations

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.verification import (
    Criticality,
    ExtensionPolicy,
    PolicyBuilder,
    Store,
    VerificationError,
)

from sr.findings import SubIndication
from sr.trust import TrustMaterial
from sr.trust.certificate import read_certificate
from sr.trust.path import build_paths
from tests.support.pki import NOW, Entity, Unknown, demo_pki, issue
from tests.unit.trust.scene import DAY, failures, judge, material

S = SubIndication
PKI = demo_pki()
BROKEN = {"CERT_PATH": S.CHAIN_CONSTRAINTS_FAILURE}
NOBODY = {"CERT_CHAIN": S.NO_CERTIFICATE_CHAIN_FOUND}


def _given(*intermediates: Entity, root: Entity = PKI.root) -> TrustMaterial:
    return material(anchors=[root], intermediates=intermediates, crls=[])


def _ca(issuer: Entity = PKI.root, name: str = "CA", **options: object) -> Entity:
    return issue(issuer, name, ca=True, slot="path-ca", **options)  # type: ignore[arg-type]


def _names(*names: str, excluded: bool = False) -> list[tuple[x509.ExtensionType, bool]]:
    trees = [x509.DNSName(name) for name in names]
    value = x509.NameConstraints(
        permitted_subtrees=None if excluded else trees,
        excluded_subtrees=trees if excluded else None,
    )
    return [(value, True)]


SOUND_CA = _ca()
NOT_CA = issue(PKI.root, "Not CA", slot="path-ca")
NO_CERT_SIGN = _ca(usage=["crl_sign"])
UNKNOWN_CRITICAL = _ca(extensions=[(Unknown(), True)])
LIMITED = _ca(path_length=0)
BELOW_LIMITED = issue(LIMITED, "Sub", ca=True, slot="path-sub")
ONE_NAME = _ca(extensions=_names("good.test"))
SHORT_ROOT = issue(None, "Short Root", ca=True, slot="path-root", path_length=0)
BELOW_SHORT_ROOT = _ca(SHORT_ROOT)
NAMED_ROOT = issue(None, "Named Root", ca=True, slot="path-root", extensions=_names("good.test"))
POLICY_ROOT = issue(None, "Policy Root", ca=True, slot="path-root", policies=["2.5.29.32.0"])
MUTE_ROOT = issue(None, "Mute Root", ca=True, slot="path-root", usage=["crl_sign"])
EXPLICIT = _ca(extensions=[(x509.PolicyConstraints(0, None), True)])
EARLY = _ca(not_before=NOW - 30 * DAY, not_after=NOW - 20 * DAY)
BAD_NAME = [x509.DNSName("a.bad.test")]
GOOD_NAME = [x509.DNSName("a.good.test")]


@pytest.mark.parametrize(
    ("signer", "given", "expected"),
    [
        (issue(SOUND_CA), _given(SOUND_CA), {}),
        (issue(PKI.root), _given(), {}),
        (issue(NOT_CA), _given(NOT_CA), BROKEN),
        (issue(NO_CERT_SIGN), _given(NO_CERT_SIGN), BROKEN),
        (issue(LIMITED), _given(LIMITED), {}),
        (issue(BELOW_LIMITED), _given(LIMITED, BELOW_LIMITED), BROKEN),
        (issue(ONE_NAME, names=GOOD_NAME), _given(ONE_NAME), {}),
        (issue(ONE_NAME, names=BAD_NAME), _given(ONE_NAME), BROKEN),
        (issue(SHORT_ROOT), _given(root=SHORT_ROOT), {}),
        (issue(BELOW_SHORT_ROOT), _given(BELOW_SHORT_ROOT, root=SHORT_ROOT), BROKEN),
        (issue(NAMED_ROOT, names=GOOD_NAME), _given(root=NAMED_ROOT), {}),
        (issue(NAMED_ROOT, names=BAD_NAME), _given(root=NAMED_ROOT), BROKEN),
        (issue(POLICY_ROOT), _given(root=POLICY_ROOT), {}),
        (issue(MUTE_ROOT), _given(root=MUTE_ROOT), BROKEN),
        (issue(EXPLICIT), _given(EXPLICIT), BROKEN),
        (
            issue(UNKNOWN_CRITICAL),
            _given(UNKNOWN_CRITICAL),
            {"CERT_CRITICAL_EXTENSION": S.CHAIN_CONSTRAINTS_FAILURE},
        ),
        (issue(SOUND_CA), _given(), NOBODY),
        (issue(SOUND_CA), _given(SOUND_CA, root=SHORT_ROOT), NOBODY),
        (issue(SOUND_CA, signing_key=PKI.author.key), _given(SOUND_CA), NOBODY),
        (issue(SOUND_CA), TrustMaterial(intermediates=(SOUND_CA.der, PKI.root.der)), NOBODY),
    ],
)
def test_constraints_of_a_path(
    signer: Entity, given: TrustMaterial, expected: dict[str, SubIndication]
) -> None:
    """Each broken constraint of RFC 5280, the anchor's own included, is refused."""
    assert failures(judge(signer, given=given)) == expected


def test_a_path_that_never_was_is_broken() -> None:
    """Certificates that were never valid at the same time make no path."""
    signer = issue(EARLY, slot="case", not_before=NOW - 10 * DAY)
    assert failures(judge(signer, given=_given(EARLY))).keys() >= BROKEN.keys()


def test_a_weak_key_above_the_signer_counts() -> None:
    """A short key or a weak hash of an intermediate is as bad as the signer's."""
    short = issue(PKI.root, "Short CA", ca=True, key_kind="rsa1024")
    assert failures(judge(issue(short), given=_given(short))) == {
        "CERT_KEY_SIZE": S.CRYPTO_CONSTRAINTS_FAILURE
    }
    weak = _ca(hash_algorithm=hashes.SHA1())  # noqa: S303 - weak on purpose
    assert failures(judge(issue(weak), given=_given(weak))) == {
        "CERT_SIGNATURE_ALGORITHM": S.CRYPTO_CONSTRAINTS_FAILURE
    }


def test_the_hash_under_an_anchor_does_not_matter() -> None:
    """Nobody relies on an anchor's signature on itself."""
    root = issue(None, "Old Root", ca=True, slot="path-root", hash_algorithm=hashes.SHA1())  # noqa: S303
    assert not failures(judge(issue(root), given=_given(root=root)))


@pytest.mark.parametrize("kind", ["p256", "p384", "ed25519"])
def test_authorities_may_have_other_keys(kind: str) -> None:
    """An authority signs with what it likes, as long as the key is strong."""
    other = issue(PKI.root, "Other CA", ca=True, key_kind=kind)
    assert not failures(judge(issue(other), given=_given(other)))


def test_a_mesh_of_authorities_is_searched_within_bounds() -> None:
    """Authorities that certify each other in every direction do not make the search endless."""
    names = [f"Mesh {n}" for n in range(7)]
    roots = [issue(None, each, ca=True, slot=each, key_kind="p256") for each in names]
    mesh = [
        issue(one, other.certificate.subject.rfc4514_string(), ca=True, slot=name,
              subject=other.certificate.subject, key_kind="p256")
        for one in roots
        for other, name in zip(roots, names, strict=True)
        if one is not other
    ]  # fmt: skip
    signer = issue(roots[0], "Meshed", slot="case")
    given = material(anchors=[PKI.root, roots[-1]], intermediates=mesh)
    assert 1 <= len(build_paths(read_certificate(signer.der), given)) <= 16
    lost = material(intermediates=mesh)
    assert build_paths(read_certificate(signer.der), lost) == ()


def test_the_same_certificate_twice_changes_nothing() -> None:
    """Anchors among the intermediates and repeated files lead to the same single path."""
    doubled = TrustMaterial(
        anchors=(PKI.root.der, PKI.root.der),
        intermediates=(PKI.root.der, PKI.issuing.der, PKI.issuing.der, PKI.author.der),
    )
    assert len(build_paths(read_certificate(PKI.author.der), doubled)) == 1


def _theirs(signer: Entity, given: TrustMaterial) -> bool:
    """Return whether the library's verifier accepts a path."""
    agnostic = ExtensionPolicy.permit_all().require_present(
        x509.BasicConstraints, Criticality.AGNOSTIC, None
    )
    anchors = [x509.load_der_x509_certificate(der) for der in given.anchors]
    others = [x509.load_der_x509_certificate(der) for der in given.intermediates]
    verifier = (
        PolicyBuilder()
        .store(Store(anchors))
        .time(NOW)
        .extension_policies(ca_policy=agnostic, ee_policy=ExtensionPolicy.permit_all())
        .build_client_verifier()
    )
    try:
        verifier.verify(signer.certificate, others)
    except VerificationError:
        return False
    return True


@pytest.mark.parametrize(
    ("signer", "given"),
    [
        (issue(SOUND_CA), _given(SOUND_CA)),
        (issue(PKI.root), _given()),
        (issue(NOT_CA), _given(NOT_CA)),
        (issue(LIMITED), _given(LIMITED)),
        (issue(BELOW_LIMITED), _given(LIMITED, BELOW_LIMITED)),
        (issue(ONE_NAME, names=GOOD_NAME), _given(ONE_NAME)),
        (issue(ONE_NAME, names=BAD_NAME), _given(ONE_NAME)),
        (issue(UNKNOWN_CRITICAL), _given(UNKNOWN_CRITICAL)),
        (issue(SOUND_CA), _given()),
        (issue(SOUND_CA, signing_key=PKI.author.key), _given(SOUND_CA)),
        (issue(SOUND_CA, extensions=[(Unknown(), True)]), _given(SOUND_CA)),
    ],
)
def test_another_verifier_agrees(signer: Entity, given: TrustMaterial) -> None:
    """On chain and constraints we agree with the verifier of ``cryptography``."""
    signer.certificate.public_bytes(Encoding.DER)
    assert (not failures(judge(signer, given=given))) is _theirs(signer, given)
