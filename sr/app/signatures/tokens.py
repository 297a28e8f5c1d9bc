"""Use cases: try a key from its URI to a checked document; bring a key onto a token.

Cites: RFC 7512; PKCS #11 v2.40.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding

from sr.app.demonstration.synthetic import synthetic_ct_series
from sr.app.ports import Ports
from sr.app.signatures.signing import Credentials, load_certificates, sign_bytes, signer_of
from sr.codes import SignaturePurpose
from sr.dicomfile import BytesSource, read
from sr.errors import ConfigurationError, SignerRefusedError
from sr.keys import Secrets, Signer, describe_token, import_onto_token, open_signer
from sr.keys.software import SoftwareSigner
from sr.keys.uri import PKCS11URI, parse_key_uri
from sr.mac import MACAlgorithm
from sr.signature.integrity import public_key_facts
from sr.signature.profile import ELLIPTIC_CURVE_PROFILE
from sr.trust import subject_name
from sr.verification import gather

__all__ = ["Step", "import_key", "try_key"]

_PROOF = bytes(32)  # a digest that no document has


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing that works, and what was found."""

    name: str
    found: str


def try_key(credentials: Credentials, ports: Ports) -> Iterator[Step]:
    """Yield each step of a signature as it succeeds; the first that does not raises.

    A synthetic image is signed and read back; nothing is written.

    Raises:
        ConfigurationError: The URI, a file or an installation is not usable.
        SigningError: The step after the last one that was yielded failed.
        TrustEvidenceError: A certificate file holds none.

    Cites: RFC 7512.
    """
    uri = parse_key_uri(credentials.key)
    if isinstance(uri, PKCS11URI):
        token = describe_token(uri)
        flags = ", ".join(sorted(flag.value for flag in token.flags))
        yield Step(name="token", found=f"{token.label} (serial {token.serial}; {flags})")
    with signer_of(credentials) as signer:
        yield Step(name="certificate", found=_certificate(signer))
        signer.sign_digest(_PROOF, MACAlgorithm.SHA256)
        yield Step(name="signature", found="made by the key, and it fits the certificate")
        yield Step(name="document", found=_document(signer, ports))


def import_key(
    token: str,
    *,
    key: str | None,
    certificates: tuple[Path, ...],
    secrets: Secrets,
    passphrase: Secrets,
) -> str:
    """Write a key from a file, if one is named, and its certificate onto a token.

    Args:
        token: ``pkcs11:`` URI of the token.
        key: ``file:`` or ``pkcs12:`` URI; ``None`` where the key was made on the token.
        certificates: Leaf first; may be empty where they are stored beside the key.
        secrets: Asked for the token's PIN.
        passphrase: Asked for the passphrase of the key's file.

    Returns:
        The URI to sign with.

    Raises:
        ConfigurationError: A URI or a file is not usable, or there is no certificate.
        SigningError: The token did not take it.

    Cites: PKCS #11 v2.40 4.6, 4.9.
    """
    chain = load_certificates(certificates)
    if key is None:
        if not chain:
            raise ConfigurationError("there is nothing to import", hint="name --key or --cert")
        return import_onto_token(token, chain[0], key=None, secrets=secrets)
    with open_signer(key, certificates=chain, secrets=passphrase) as signer:
        if not isinstance(signer, SoftwareSigner):
            raise SignerRefusedError(
                "a key on a token does not leave it", hint="name a file: or pkcs12: key"
            )
        return import_onto_token(
            token, signer.certificate_chain[0], key=signer.key, secrets=secrets
        )


def _certificate(signer: Signer) -> str:
    leaf = signer.certificate_chain[0]
    der = leaf.public_bytes(Encoding.DER)
    key = public_key_facts(der)
    about = f"{key.kind} {key.bits}" if key is not None else "unreadable key"
    until = f"{leaf.not_valid_before_utc:%Y-%m-%d} to {leaf.not_valid_after_utc:%Y-%m-%d}"
    return f"{subject_name(der)} ({about}, {until})"


def _document(signer: Signer, ports: Ports) -> str:
    (image,) = synthetic_ct_series(1, new_uid=ports.new_uid, now=ports.now())
    key = public_key_facts(signer.certificate_chain[0].public_bytes(Encoding.DER))
    curve = key is not None and key.kind == "EC"
    profile = ELLIPTIC_CURVE_PROFILE if curve else None
    data, _ = sign_bytes(
        image, purpose=SignaturePurpose.SOURCE, signer=signer, ports=ports, profile=profile
    )
    (signature,) = gather(read(BytesSource(data))).signatures
    if not signature.integrity.is_intact:
        raise SignerRefusedError(f"the document's signature is {signature.integrity.value}")
    asked = f", only with --profile {profile}" if profile else ""
    return f"signed for a purpose and read back intact{asked}"
