"""Certificates that are not one certificate, or not one of a signer."""

from __future__ import annotations

from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import ExtendedKeyUsageOID

from sr.trust import TrustMaterial
from tests.support.case import Case
from tests.support.forge import CERTIFICATE, Node, at, edited, forge_signature, signature_item
from tests.support.pki import Entity, demo_pki, issue
from tests.support.signed import author_report, material, plain_report

__all__ = [
    "authority_signs",
    "covert_bytes_after_der",
    "elliptic_curve_key",
    "encipherment_only",
    "followed_by_another_certificate",
    "garbage",
    "key_too_short",
    "no_anchor_given",
    "odd_certificate",
    "rogue_root",
    "self_signed",
    "signed_with_sha1",
    "two_pad_bytes",
    "web_server",
]


def _stored(change: object) -> bytes:
    def edit(nodes: list[Node]) -> None:
        node = at(signature_item(nodes), CERTIFICATE)
        der = demo_pki().author.der
        node.value = change(der)
        node.value += b"\0" * (len(node.value) % 2)

    return edited(author_report(), edit)


def covert_bytes_after_der() -> bytes:
    return _stored(lambda der: der + b"covert message! " + b"!" * (len(der) % 2))


def two_pad_bytes() -> bytes:
    return _stored(lambda der: der + (b"\0\0" if len(der) % 2 == 0 else b"\0\0\0"))


def followed_by_another_certificate() -> bytes:
    return _stored(lambda der: der + demo_pki().supervisor.der)


def garbage() -> bytes:
    return _stored(lambda der: b"\0" + der[1:])


def _by(signer: Entity) -> bytes:
    return edited(plain_report(), lambda n: forge_signature(n, signer))


def odd_certificate() -> bytes:
    """One byte of padding is what DICOM asks for; nothing may stumble over it."""
    for attempt in range(20):
        signer = issue(demo_pki().issuing, "Anna Meier" + "r" * attempt, slot="author")
        if len(signer.der) % 2:
            return _by(signer)
    raise AssertionError("no certificate of odd length")


def rogue_root() -> bytes:
    root = issue(None, "Rogue Root", ca=True, slot="rogue")
    return _by(issue(root, "Anna Meier", slot="author"))


def self_signed() -> bytes:
    return _by(issue(None, "Anna Meier", slot="author"))


def no_anchor_given() -> Case:
    nobody = TrustMaterial(intermediates=material().intermediates, crls=material().crls)
    return Case(data=author_report(), given=nobody)


def web_server() -> bytes:
    usage = [ExtendedKeyUsageOID.SERVER_AUTH]
    return _by(issue(demo_pki().issuing, "www.example.org", slot="server", extended_usage=usage))


def encipherment_only() -> bytes:
    return _by(issue(demo_pki().issuing, "Anna Meier", slot="author", usage=("key_encipherment",)))


def authority_signs() -> bytes:
    return _by(demo_pki().issuing)


def key_too_short() -> bytes:
    return _by(issue(demo_pki().issuing, "Anna Meier", key_kind="rsa1024", slot="short"))


def signed_with_sha1() -> bytes:
    weak = hashes.SHA1()  # noqa: S303 - weak on purpose
    return _by(issue(demo_pki().issuing, "Anna Meier", slot="author", hash_algorithm=weak))


def elliptic_curve_key() -> bytes:
    return _by(issue(demo_pki().issuing, "Anna Meier", key_kind="p256", slot="author"))
