"""Signed elements moved into the signature item, where they are hashed but nobody shows them."""

from __future__ import annotations

from cryptography.x509.oid import ExtendedKeyUsageOID

from sr.codes import Code
from tests.support.forge import (
    AUTHORS,
    SIGNATURES,
    Node,
    apart,
    at,
    edited,
    forge_signature,
    insert,
    leaf,
    listed_tags,
    mac_item,
    purpose_node,
    sequence,
    set_value,
    signature_item,
    tag_list,
)
from tests.support.pki import demo_pki, issue
from tests.support.signed import approved_report, author_report, plain_report

__all__ = [
    "approval_wrapped",
    "extra_in_mac_parameters",
    "extra_in_purpose_code",
    "private_in_signature_item",
    "purpose_code_holds_a_sequence",
    "report_wrapped",
    "unknown_in_signature_item",
    "wrapped_and_signed_by_a_web_server",
]

CHARSET = 0x00080005


def _front() -> list[Node]:
    """Return another report about another patient."""
    nodes = apart(plain_report(66)).nodes
    set_value(0x00100010, to="Opfer^Otto")(nodes)
    return nodes


def _wrap(victim: bytes, front: list[Node], index: int = 0) -> bytes:
    """Return a new document in front of a signature whose MAC stream is the old one, byte for byte.

    Only the character set stays outside the item, so that the list names something present.
    """
    file = apart(victim)
    tags = listed_tags(file.nodes, index)
    parameters, item = mac_item(file.nodes, index), signature_item(file.nodes, index)
    at(parameters, 0x04000020).value = tag_list([CHARSET])
    insert(item, *(n for n in file.nodes if n.tag in tags and n.tag != CHARSET))
    insert(front, sequence(0x4FFE0001, parameters), sequence(SIGNATURES, item))
    file.nodes = front
    set_value(0x00020003, to="2.25.900.66")(file.meta)
    return file.bytes()


def report_wrapped() -> bytes:
    return _wrap(author_report(), _front())


def approval_wrapped() -> bytes:
    front = _front()
    set_value(0x0040A493, to="VERIFIED")(front)
    insert(front, at(apart(approved_report()).nodes, 0x0040A073))
    return _wrap(approved_report(), front, 1)


def wrapped_and_signed_by_a_web_server() -> bytes:
    usage = [ExtendedKeyUsageOID.SERVER_AUTH]
    server = issue(demo_pki().issuing, "www.example.org", slot="server", extended_usage=usage)
    return edited(
        report_wrapped(),
        lambda n: forge_signature(n, server, purpose=Code("1", "ASTM-sigpurpose", "Author")),
    )


def _signed_with(*extra: Node) -> bytes:
    return edited(plain_report(), lambda n: forge_signature(n, extra=extra))


def private_in_signature_item() -> bytes:
    return _signed_with(leaf(0x00090010, "LO", "ACME"), leaf(0x00091001, "LO", "more"))


def unknown_in_signature_item() -> bytes:
    return _signed_with(leaf(0x04000500, "LO", "what follows the purpose"))


def extra_in_mac_parameters() -> bytes:
    return edited(
        author_report(), lambda n: insert(mac_item(n), leaf(0x00100010, "PN", "Opfer^Otto"))
    )


def extra_in_purpose_code() -> bytes:
    def edit(nodes: list[Node]) -> None:
        insert(at(signature_item(nodes), 0x04000401).items[0], leaf(0x00100010, "PN", "X^Y"))

    return edited(author_report(), edit)


def purpose_code_holds_a_sequence() -> bytes:
    """The element may be there; that it is a sequence is the fault."""
    purpose = purpose_node(AUTHORS)
    assert purpose.items is not None
    insert(purpose.items[0], sequence(0x00080122, [leaf(0x0040A160, "UT", "No finding")]))
    return edited(plain_report(), lambda n: forge_signature(n, purpose=None, extra=[purpose]))
