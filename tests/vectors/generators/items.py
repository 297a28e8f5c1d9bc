"""The two items of a signature, malformed one attribute at a time."""

from __future__ import annotations

from collections.abc import Callable
from struct import pack

from tests.support.forge import (
    MAC_PARAMETERS,
    SIGNATURES,
    VERIFIES,
    Node,
    apart,
    at,
    edited,
    forge_signature,
    insert,
    leaf,
    listed_tags,
    mac_item,
    remove,
    set_value,
    signature_item,
    tag_list,
)
from tests.support.pki import demo_pki
from tests.support.signed import approved_report, author_report, plain_report, sign

__all__ = [
    "certificate_absent",
    "certificate_type_two_values",
    "date_absent",
    "date_of_another_vr",
    "list_absent_element",
    "list_duplicate",
    "list_empty",
    "list_is_numbers",
    "list_names_a_group_length",
    "list_names_group_two",
    "list_names_mac_parameters",
    "list_names_signatures",
    "list_names_trailing_padding",
    "list_of_odd_halves",
    "list_order",
    "mac_id_of_two_numbers",
    "mac_id_twice",
    "mac_id_unresolved",
    "mac_parameters_absent",
    "mac_transfer_syntax_big_endian",
    "mac_transfer_syntax_implicit",
    "mac_transfer_syntax_of_pictures",
    "mac_transfer_syntax_unknown",
    "purpose_with_two_items",
    "purpose_without_item",
    "signature_absent",
    "signature_uid_absent",
    "signature_uid_of_two_values",
    "signature_uid_twice",
    "signatures_are_bytes",
    "un_inside_listed",
    "un_listed",
    "un_listed_in_approved_report",
]

_LIST, _ID, _UID, _DATE = 0x04000020, 0x04000005, 0x04000100, 0x04000105


def _forged(**changes: object) -> bytes:
    return edited(plain_report(), lambda n: forge_signature(n, **changes))


def _relisted(change: Callable[[list[int]], list[int]]) -> bytes:
    """Return a report whose list says something else than what was hashed; it is not hashed."""

    def edit(nodes: list[Node]) -> None:
        at(mac_item(nodes), _LIST).value = tag_list(change(listed_tags(nodes)))

    return edited(author_report(), edit)


def list_duplicate() -> bytes:
    return _relisted(lambda tags: sorted([*tags, tags[3]]))


def list_order() -> bytes:
    return _relisted(lambda tags: [tags[1], tags[0], *tags[2:]])


def list_absent_element() -> bytes:
    return _relisted(lambda tags: sorted([*tags, 0x00104000]))


def list_names_a_group_length() -> bytes:
    return _relisted(lambda tags: sorted([*tags, 0x00080000]))


def list_names_group_two() -> bytes:
    return _relisted(lambda tags: sorted([*tags, 0x00020010]))


def list_names_mac_parameters() -> bytes:
    return _relisted(lambda tags: sorted([*tags, MAC_PARAMETERS]))


def list_names_signatures() -> bytes:
    return _relisted(lambda tags: sorted([*tags, SIGNATURES]))


def list_names_trailing_padding() -> bytes:
    padded = edited(plain_report(), lambda n: insert(n, leaf(0xFFFCFFFC, "OB", bytes(8))))
    signed = sign(padded)

    def edit(nodes: list[Node]) -> None:
        at(mac_item(nodes), _LIST).value += tag_list([0xFFFCFFFC])

    return edited(signed, edit)


def list_empty() -> bytes:
    return _relisted(lambda _tags: [])


def list_of_odd_halves() -> bytes:
    def edit(nodes: list[Node]) -> None:
        at(mac_item(nodes), _LIST).value += b"\x40\x00"

    return edited(author_report(), edit)


def list_is_numbers() -> bytes:
    def edit(nodes: list[Node]) -> None:
        at(mac_item(nodes), _LIST).vr = "UL"

    return edited(author_report(), edit)


def mac_id_unresolved() -> bytes:
    return edited(author_report(), lambda n: set_value(_ID, to=b"\x09\x00")(mac_item(n)))


def mac_id_twice() -> bytes:
    """A second signature under the number of the first, with parameters of its own."""

    def edit(nodes: list[Node]) -> None:
        forge_signature(nodes, demo_pki().supervisor, mac_id=0)

    return edited(author_report(), edit)


def mac_id_of_two_numbers() -> bytes:
    def edit(nodes: list[Node]) -> None:
        set_value(_ID, to=pack("<HH", 0, 1))(mac_item(nodes))

    return edited(author_report(), edit)


def mac_parameters_absent() -> bytes:
    return edited(author_report(), lambda n: remove(n, MAC_PARAMETERS))


def signature_uid_twice() -> bytes:
    def edit(nodes: list[Node]) -> None:
        forge_signature(nodes, demo_pki().supervisor, uid="2.25.4711.1")

    return edited(author_report(), edit)


def signature_uid_of_two_values() -> bytes:
    return _forged(uid="2.25.1\\2.25.2")


def signature_uid_absent() -> bytes:
    return edited(author_report(), lambda n: remove(signature_item(n), _UID))


def date_absent() -> bytes:
    return edited(author_report(), lambda n: remove(signature_item(n), _DATE))


def date_of_another_vr() -> bytes:
    def edit(nodes: list[Node]) -> None:
        at(signature_item(nodes), _DATE).vr = "LO"

    return edited(author_report(), edit)


def certificate_absent() -> bytes:
    return edited(author_report(), lambda n: remove(signature_item(n), 0x04000115))


def certificate_type_two_values() -> bytes:
    def edit(nodes: list[Node]) -> None:
        set_value(0x04000110, to="X509_1993_SIG\\X509_1993_SIG")(signature_item(nodes))

    return edited(author_report(), edit)


def signature_absent() -> bytes:
    return edited(author_report(), lambda n: remove(signature_item(n), 0x04000120))


def signatures_are_bytes() -> bytes:
    def edit(nodes: list[Node]) -> None:
        node = at(nodes, SIGNATURES)
        node.vr, node.items, node.value = "OB", None, bytes(64)

    return edited(author_report(), edit)


def purpose_with_two_items() -> bytes:
    def edit(nodes: list[Node]) -> None:
        items = at(signature_item(nodes), 0x04000401).items
        items.append([leaf(n.tag, n.vr, n.value) for n in items[0]])

    return edited(author_report(), edit)


def purpose_without_item() -> bytes:
    return edited(author_report(), lambda n: at(signature_item(n), 0x04000401).items.clear())


def _syntax(uid: str) -> bytes:
    return edited(author_report(), lambda n: set_value(0x04000010, to=uid)(mac_item(n)))


def mac_transfer_syntax_implicit() -> bytes:
    return _syntax("1.2.840.10008.1.2")


def mac_transfer_syntax_big_endian() -> bytes:
    return _syntax("1.2.840.10008.1.2.2")


def mac_transfer_syntax_of_pictures() -> bytes:
    return _syntax("1.2.840.10008.1.2.4.50")


def mac_transfer_syntax_unknown() -> bytes:
    return _syntax("2.25.1")


def un_listed() -> bytes:
    """A private element that passed through implicit VR: its own VR is lost."""
    nodes = apart(plain_report())
    insert(nodes.nodes, leaf(0x00090010, "LO", "ACME"), leaf(0x00091001, "LO", "value"))
    signed = sign(nodes.bytes(), private=True)

    def edit(nodes: list[Node]) -> None:
        at(nodes, 0x00091001).vr = "UN"

    return edited(signed, edit)


def un_listed_in_approved_report() -> bytes:
    def edit(nodes: list[Node]) -> None:
        insert(nodes, leaf(0x00090010, "LO", "ACME"), leaf(0x00091001, "LO", "value"))
        remove(nodes, MAC_PARAMETERS, SIGNATURES)
        forge_signature(nodes, demo_pki().supervisor, purpose=VERIFIES)
        at(nodes, 0x00091001).vr = "UN"

    return edited(approved_report(), edit)


def un_inside_listed() -> bytes:
    """Nobody can say whether it was there when the content was signed."""

    def edit(nodes: list[Node]) -> None:
        insert(at(nodes, 0x0040A730).items[0], Node(tag=0x0040A992, vr="UN", value=b"text"))

    return edited(author_report(), edit)
