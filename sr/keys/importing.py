"""Bring a key and its certificate onto a token, or a certificate to a key that was made there.

The key must belong to the certificate, and the token must not hold anything under the same
identifier; a first signature proves that the token took the key before its certificate is written.
"""

from __future__ import annotations

from dataclasses import replace

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from sr.errors import ConfigurationError, SignerRefusedError
from sr.keys.checks import check_key, check_value, public_key_of
from sr.keys.inventory import TokenInfo, ask_token, describe_token, with_module
from sr.keys.operation import signature_value, token_operation
from sr.keys.pkcs11 import TokenSigner, pin_for, store_request
from sr.keys.process import TokenWorker
from sr.keys.secrets import Secrets
from sr.keys.uri import PKCS11URI, parse_key_uri
from sr.mac import MACAlgorithm

__all__ = ["import_onto_token"]

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey

_PROOF = bytes(32)  # a digest that no document has
_ALGORITHM = MACAlgorithm.SHA256


def import_onto_token(
    uri: str,
    certificate: x509.Certificate,
    *,
    key: PrivateKey | None,
    secrets: Secrets,
    worker: TokenWorker | None = None,
) -> str:
    """Write a key, if one is given, and its certificate; return the URI to sign with.

    Args:
        uri: ``pkcs11:`` URI of the token; ``object=`` and ``id=`` name what is written, by default
            the common name and the digest of the public key.
        certificate: The signer's.
        key: ``None`` where the key was made on the token; the URI must name it then.
        secrets: Asked for the token's PIN, once.
        worker: Defaults to this process's worker.

    Raises:
        ConfigurationError: It is no ``pkcs11:`` URI, there is no module, or no key is named.
        PINError: The PIN is wrong or locked.
        SignerUnavailableError: The token is absent or failed.
        SignerRefusedError: Key and certificate do not belong together, the identifier is taken,
            or more than one token matches.
        UnsupportedAlgorithmError: The key is neither RSA nor EC, or the token does not take it.

    Cites: PKCS #11 v2.40 4.6, 4.9; RFC 7512.
    """
    named = parse_key_uri(uri)
    if not isinstance(named, PKCS11URI):
        raise ConfigurationError(
            "keys are imported onto a token", hint="name it, e.g. pkcs11:token=Meier"
        )
    if key is not None:
        check_key(certificate, key.public_key())
    elif named.object_id is None:
        raise ConfigurationError(
            "the URI does not say which key on the token the certificate belongs to",
            hint="add id= of the key, or give the key itself",
        )
    named = _complete(with_module(named), certificate)
    token = describe_token(named, worker=worker)
    _refuse_taken(token, named)
    pin = pin_for(token, named, secrets)
    if key is not None:
        _write_key(named, key, certificate, pin, worker)
    else:
        _prove(token, named, certificate, pin, worker)
    ask_token(worker, named, store_request(named, certificate, pin))
    return str(
        replace(named, token=token.label or None, serial=token.serial or None, object_label=None)
    )


def _complete(uri: PKCS11URI, certificate: x509.Certificate) -> PKCS11URI:
    public = public_key_of(certificate)
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    label = str(names[0].value) if names else "signature"
    return replace(
        uri,
        object_id=uri.object_id or x509.SubjectKeyIdentifier.from_public_key(public).digest,
        object_label=uri.object_label or label,
    )


def _refuse_taken(token: TokenInfo, uri: PKCS11URI) -> None:
    for stored in token.certificates:
        if stored.object_id == uri.object_id:
            raise SignerRefusedError(
                f"the token has a certificate of {stored.subject} under that identifier already",
                hint=f"sign with {stored.uri}, or choose another id= for the new one",
            )


def _write_key(
    uri: PKCS11URI,
    key: PrivateKey,
    certificate: x509.Certificate,
    pin: str | None,
    worker: TokenWorker | None,
) -> None:
    public = key.public_key()
    kind, payload = token_operation(public, _PROOF, _ALGORITHM)
    der = key.private_bytes(Encoding.DER, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    request = {
        "operation": "import",
        "kind": kind,
        "label": uri.object_label or "",
        "id": (uri.object_id or b"").hex(),
        "der": der.hex(),
        "payload": payload.hex(),
        "pin": pin,
    }
    value = bytes.fromhex(ask_token(worker, uri, request)["value"])
    check_value(certificate, signature_value(public, value), _PROOF, _ALGORITHM)


def _prove(
    token: TokenInfo,
    uri: PKCS11URI,
    certificate: x509.Certificate,
    pin: str | None,
    worker: TokenWorker | None,
) -> None:
    """Sign with the key that is on the token; it must be the certificate's."""
    signer = TokenSigner(
        uri=replace(uri, object_label=None),
        chain=(certificate,),
        token=token,
        secrets=lambda _: pin or "",
        stack=False,
        worker=worker,
    )
    signer.sign_digest(_PROOF, _ALGORITHM)
