"""Sound files that must not be refused."""

from __future__ import annotations

from sr.codes import Code, SignaturePurpose
from sr.dicomfile import BytesSource, read
from sr.dicomfile.dataset import Encoding
from sr.dicomfile.writer import transcode
from sr.document.approvable import ApprovalMode
from sr.mac import MACAlgorithm
from tests.support.case import Case
from tests.support.datasets import ct_files
from tests.support.forge import (
    MAC_PARAMETERS,
    SIGNATURES,
    Node,
    apart,
    at,
    edited,
    forge_signature,
    insert,
    leaf,
    mac_item,
    sequence,
    set_value,
    signature_item,
)
from tests.support.pki import demo_pki
from tests.support.signed import (
    APPROVED_AT,
    approved_report,
    author_report,
    plain_report,
    seal,
    sign,
    signed_image,
)

__all__ = [
    "approved",
    "approved_in_place",
    "approved_with_predecessor",
    "author_spelt_differently",
    "authored",
    "big_endian_hop",
    "further_review",
    "group_lengths_and_undefined_lengths",
    "historic_signature_beside",
    "image",
    "implicit_hop",
    "key_object",
    "mac_id_used_in_a_section",
    "made_with_md5",
    "made_with_ripemd160",
    "made_with_sha1",
    "made_with_sha3",
    "made_with_sha384",
    "made_with_sha512",
    "more_padding_than_needed",
    "nested_signature_beside",
    "nested_signature_broken_beside",
]


def authored() -> bytes:
    return author_report()


def approved() -> bytes:
    return approved_report()


def approved_in_place() -> Case:
    return Case(data=approved_report(ApprovalMode.IN_PLACE), evidence=ct_files())


def approved_with_predecessor() -> Case:
    mode = ApprovalMode.REISSUE_WITH_PREDECESSOR
    return Case(data=approved_report(mode), evidence=ct_files())


def key_object() -> Case:
    return Case(data=seal(), evidence=ct_files())


def image() -> bytes:
    return signed_image()


def further_review() -> bytes:
    archive, review = demo_pki().archive, SignaturePurpose.REVIEW
    return sign(approved_report(), archive, review, uid="2.25.4711.6", at=APPROVED_AT)


def author_spelt_differently() -> bytes:
    spelt = Code("1", "ASTM-sigpurpose", "Author Signature")
    return edited(plain_report(), lambda n: forge_signature(n, purpose=spelt))


def _hop(encoding: Encoding, uid: str) -> bytes:
    """Return an approved report as another system would store it."""
    file = apart(approved_report())
    body = transcode(read(BytesSource(approved_report())).dataset, encoding)
    set_value(0x00020010, to=uid)(file.meta)
    file.nodes = []
    return file.bytes() + body


def implicit_hop() -> bytes:
    return _hop(Encoding(False, True), "1.2.840.10008.1.2")


def big_endian_hop() -> bytes:
    return _hop(Encoding(True, False), "1.2.840.10008.1.2.2")


def more_padding_than_needed() -> bytes:
    """Signed by somebody who strips padding before hashing, stored with more of it."""
    return edited(author_report(), set_value(0x00081030, to="CT Thorax   "))


def group_lengths_and_undefined_lengths() -> bytes:
    def edit(nodes: list[Node]) -> None:
        content = at(nodes, 0x0040A730)
        content.stated = 0xFFFFFFFF
        content.stated_items = dict.fromkeys(range(len(content.items)), 0xFFFFFFFF)
        for tag in (0x00100000, 0x4FFE0000, 0xFFFA0000):
            insert(nodes, leaf(tag, "UL", b"\x10\0\0\0"))

    return edited(author_report(), edit)


def _section() -> bytes:
    path = ((0x0040A730, 4),)
    return sign(plain_report(), path=path, uid="2.25.4711.8")


def nested_signature_beside() -> bytes:
    return sign(_section())


def nested_signature_broken_beside() -> bytes:
    """The section's own signature fails, that of the report covers the section all the same."""

    def edit(nodes: list[Node]) -> None:
        item = signature_item(at(nodes, 0x0040A730).items[4])
        set_value(0x04000105, to="20261119090000+0000")(item)

    return edited(sign(_section()), edit)


def mac_id_used_in_a_section() -> bytes:
    """Each level resolves its own numbers; only the uniqueness within the instance is hurt."""

    def edit(nodes: list[Node]) -> None:
        forge_signature(nodes, mac_id=0)

    return edited(_section(), edit)


def historic_signature_beside() -> bytes:
    file = apart(plain_report())
    old = apart(author_report()).nodes
    kept = [sequence(MAC_PARAMETERS, mac_item(old)), sequence(SIGNATURES, signature_item(old))]
    insert(file.nodes, sequence(0x04000561, [sequence(0x04000550, kept)]))
    return sign(file.bytes(), uid="2.25.4711.10")


def _made_with(algorithm: str) -> bytes:
    assert MACAlgorithm(algorithm)
    return edited(plain_report(), lambda n: forge_signature(n, algorithm=algorithm))


def made_with_sha384() -> bytes:
    return _made_with("SHA384")


def made_with_sha512() -> bytes:
    return _made_with("SHA512")


def made_with_sha1() -> bytes:
    return _made_with("SHA1")


def made_with_md5() -> bytes:
    return _made_with("MD5")


def made_with_ripemd160() -> bytes:
    return _made_with("RIPEMD160")


def made_with_sha3() -> bytes:
    return _made_with("SHA3_256")
