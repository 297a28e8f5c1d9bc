"""Signed bytes changed, and signature values that no key holder made."""

from __future__ import annotations

import hashlib

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa, utils

from sr.codes import Code
from sr.mac import MACAlgorithm
from sr.signature.digest_info import digest_info
from tests.support.forge import (
    CERTIFICATE,
    Node,
    at,
    edited,
    forge_signature,
    insert,
    listed_tags,
    mac_item,
    purpose_node,
    remove,
    set_value,
    signature_item,
    tag_list,
)
from tests.support.pki import Entity, demo_pki, issue
from tests.support.signed import approved_report, author_report, plain_report, seal, signed_image

__all__ = [
    "algorithm_relabelled",
    "algorithm_unknown",
    "certificate_of_another_key",
    "certificate_type_changed",
    "charset_changed",
    "claimed_time_changed",
    "conclusion_changed",
    "evidence_mac_changed",
    "item_removed",
    "items_exchanged",
    "key_object_title_changed",
    "leading_zero",
    "patient_changed",
    "pixel_changed",
    "pss",
    "purpose_changed",
    "signature_plus_modulus",
    "signature_uid_changed",
    "signature_value_changed",
    "small_exponent_forgery",
    "tag_added_to_list",
    "verified_uid_changed",
]

_CONTENT = 0x0040A730


def conclusion_changed() -> bytes:
    path = (_CONTENT, 4, _CONTENT, 0, 0x0040A160)
    return edited(author_report(), set_value(*path, to="Kein Befund."))


def patient_changed() -> bytes:
    return edited(author_report(), set_value(0x00100010, to="Opfer^Otto"))


def charset_changed() -> bytes:
    return edited(author_report(), set_value(0x00080005, to="ISO_IR 100"))


def verified_uid_changed() -> bytes:
    def edit(nodes: list[Node]) -> None:
        set_value(0x00080018, to="2.25.900.99")(nodes)

    changed = edited(approved_report(), edit)
    return changed.replace(b"2.25.900.77\0", b"2.25.900.99\0", 1)


def item_removed() -> bytes:
    return edited(author_report(), lambda n: at(n, _CONTENT).items.pop())


def items_exchanged() -> bytes:
    def edit(nodes: list[Node]) -> None:
        items = at(nodes, _CONTENT).items
        items[1], items[2] = items[2], items[1]

    return edited(author_report(), edit)


def evidence_mac_changed() -> bytes:
    """Another picture's MAC put into the reference."""
    path = (0x0040A375, 0, 0x00081115, 0, 0x00081199, 0, 0x04000403, 0, 0x04000404)
    return edited(author_report(), set_value(*path, to=bytes(32)))


def key_object_title_changed() -> bytes:
    return edited(seal(), set_value(0x0040A043, 0, 0x00080100, to="113030"))


def pixel_changed() -> bytes:
    def edit(nodes: list[Node]) -> None:
        node = at(nodes, 0x7FE00010)
        node.value = b"\xff\x0f" + node.value[2:]

    return edited(signed_image(), edit)


def purpose_changed() -> bytes:
    def edit(nodes: list[Node]) -> None:
        item = signature_item(nodes)
        remove(item, 0x04000401)
        insert(item, purpose_node(Code("14", "ASTM-sigpurpose", "Source Signature")))

    return edited(author_report(), edit)


def claimed_time_changed() -> bytes:
    return edited(
        author_report(),
        lambda n: set_value(0x04000105, to="20261119090000+0000")(signature_item(n)),
    )


def signature_uid_changed() -> bytes:
    return edited(
        author_report(), lambda n: set_value(0x04000100, to="2.25.4711.7")(signature_item(n))
    )


def certificate_type_changed() -> bytes:
    return edited(
        author_report(), lambda n: set_value(0x04000110, to="X509_1993_SIH")(signature_item(n))
    )


def tag_added_to_list() -> bytes:
    """An element that was not signed is listed, so that it looks covered."""

    def edit(nodes: list[Node]) -> None:
        tags = sorted([*listed_tags(nodes), 0x00080018])
        at(mac_item(nodes), 0x04000020).value = tag_list(tags)

    return edited(author_report(), edit)


def algorithm_relabelled() -> bytes:
    return edited(author_report(), lambda n: set_value(0x04000015, to="SHA384")(mac_item(n)))


def algorithm_unknown() -> bytes:
    return edited(author_report(), lambda n: set_value(0x04000015, to="SHA2")(mac_item(n)))


def signature_value_changed() -> bytes:
    def edit(nodes: list[Node]) -> None:
        node = at(signature_item(nodes), 0x04000120)
        node.value = bytes([node.value[0] ^ 1]) + node.value[1:]

    return edited(author_report(), edit)


def certificate_of_another_key() -> bytes:
    def edit(nodes: list[Node]) -> None:
        der = demo_pki().supervisor.der
        set_value(CERTIFICATE, to=der + b"\0" * (len(der) % 2))(signature_item(nodes))

    return edited(author_report(), edit)


def pss() -> bytes:
    def value(signer: Entity, digest: bytes) -> bytes:
        assert isinstance(signer.key, rsa.RSAPrivateKey)
        scheme = padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.DIGEST_LENGTH)
        return signer.key.sign(digest, scheme, utils.Prehashed(hashes.SHA256()))

    return edited(plain_report(), lambda n: forge_signature(n, value=value))


def signature_plus_modulus() -> bytes:
    """The same number modulo the key, one byte longer: a second form of the signature."""

    def edit(nodes: list[Node]) -> None:
        node = at(signature_item(nodes), 0x04000120)
        key = demo_pki().author.key
        assert isinstance(key, rsa.RSAPrivateKey)
        number = int.from_bytes(node.value) + key.public_key().public_numbers().n
        node.value = number.to_bytes(258)

    return edited(author_report(), edit)


def leading_zero() -> bytes:
    def edit(nodes: list[Node]) -> None:
        node = at(signature_item(nodes), 0x04000120)
        node.value = b"\0\0" + node.value

    return edited(author_report(), edit)


def small_exponent_forgery() -> bytes:
    """Made without the private key: with exponent 3, garbage behind the digest is a cube root."""
    victim = issue(demo_pki().issuing, "Old Card", key_kind="rsa2048e3", slot="old card")

    def value(_signer: Entity, digest: bytes) -> bytes:
        info = digest_info(MACAlgorithm.SHA256, digest)
        prefix = b"\0\1" + b"\xff" * 8 + b"\0" + info
        lowest = int.from_bytes(prefix + bytes(256 - len(prefix)))
        root = _cube_root(lowest)
        assert (root**3).to_bytes(256).startswith(prefix)
        return root.to_bytes(256)

    assert hashlib.sha256().digest_size == 32
    return edited(plain_report(), lambda n: forge_signature(n, victim, value=value))


def _cube_root(number: int) -> int:
    """Return the smallest integer whose cube is at least ``number``."""
    low, high = 0, 1 << (number.bit_length() // 3 + 2)
    while low < high:
        middle = (low + high) // 2
        low, high = (middle + 1, high) if middle**3 < number else (low, middle)
    return low
