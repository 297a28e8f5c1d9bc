"""Nobody signs with a certificate that the service's own checks would not accept."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from sr.codes import SignaturePurpose
from sr.errors import SignerRefusedError
from sr.service.accounts.credentials import keep_certificate
from sr.service.operation.demonstration import chain_of, principal_for
from sr.service.signing.signing_sessions import complete_session
from sr.service.signing.vouching import require_vouched
from sr.store.documents import DocumentState
from sr.trust import TrustMaterial, load_policy, parse_certificates
from tests.support.service import Service, open_service
from tests.support.signing import draft, now, opened, sign, values_of


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Service:
    """Return a service of this module."""
    return open_service(tmp_path_factory.mktemp("service"))


def _leaf(service: Service, name: str) -> bytes:
    return parse_certificates(chain_of(service.world.pki, name))[0]


def _self_made(service: Service) -> tuple[bytes, rsa.RSAPrivateKey]:
    """Return a certificate with the supervisor's name that nobody issued, and its key."""
    key, at = rsa.generate_private_key(65537, 2048), service.clock()
    real = x509.load_der_x509_certificate(_leaf(service, "supervisor"))
    made = (
        x509.CertificateBuilder(subject_name=real.subject, issuer_name=real.subject)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(at - timedelta(days=1))
        .not_valid_after(at + timedelta(days=1))
        .sign(key, SHA256())
    )
    return made.public_bytes(Encoding.DER), key


@pytest.mark.parametrize("name", ["author", "supervisor", "archive"])
def test_an_issued_certificate_is_good(service: Service, name: str) -> None:
    """A certificate of the authority that the service trusts may sign."""
    require_vouched(service.context, _leaf(service, name))


@pytest.mark.parametrize("name", ["issuing", "tsa"])
def test_a_certificate_for_something_else_is_not(service: Service, name: str) -> None:
    """The certificate of an authority or of a time-stamp service signs no document."""
    with pytest.raises(SignerRefusedError):
        require_vouched(service.context, _leaf(service, name))


def test_a_self_made_certificate_is_not_registered(service: Service) -> None:
    """A certificate with somebody's name that nobody issued is refused, though the key is there."""
    der, key = _self_made(service)
    digest = bytes(range(32))
    with pytest.raises(SignerRefusedError):
        keep_certificate(
            service.context,
            principal_for("sam"),
            (der,),
            digest=digest,
            signature=key.sign(digest, padding.PKCS1v15(), Prehashed(SHA256())),
            label="mine",
        )


@pytest.mark.parametrize("after", [timedelta(days=-60), timedelta(days=4000)])
def test_a_certificate_at_another_time_is_not(service: Service, after: timedelta) -> None:
    """Before and after its validity a certificate signs nothing."""
    ports = replace(service.context.ports, now=lambda: service.clock() + after)
    with pytest.raises(SignerRefusedError):
        require_vouched(replace(service.context, ports=ports), _leaf(service, "author"))


def test_a_certificate_whose_revocation_is_unknown_is_not(service: Service) -> None:
    """Where revocation must be known and is not, nobody signs."""
    material = replace(service.context.material(), crls=())
    strict = replace(service.context, policy=load_policy("strict"), material=lambda: material)
    with pytest.raises(SignerRefusedError):
        require_vouched(strict, _leaf(service, "author"))


def test_nobody_signs_for_a_service_that_trusts_nobody(service: Service) -> None:
    """Without anchors no certificate is good."""
    with pytest.raises(SignerRefusedError):
        require_vouched(replace(service.context, material=TrustMaterial), _leaf(service, "author"))


def test_trust_that_ends_meanwhile_ends_the_signature(service: Service) -> None:
    """Where the anchor was taken away between the two steps, nothing is stored."""
    report = sign(service, draft(service))
    session = opened(service, report, login="sam", purpose=SignaturePurpose.VERIFICATION)
    values = values_of(service, session)
    nobody = replace(service.context, material=TrustMaterial)
    with pytest.raises(SignerRefusedError):
        complete_session(nobody, principal_for("sam"), session.session.id, values)
    assert now(service, report).state is DocumentState.SIGNED
