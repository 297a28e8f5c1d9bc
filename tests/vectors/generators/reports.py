"""Structured reports whose purposes, flags and persons do not fit together."""

from __future__ import annotations

from sr.codes import Code, SignaturePurpose
from sr.document.approvable import ApprovalMode
from sr.signature.coverage import APPROVAL_MAY_TOUCH
from sr.verification import Demands
from tests.support.case import Case
from tests.support.forge import (
    AUTHORS,
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
    remove,
    sequence,
    set_value,
)
from tests.support.pki import Entity, demo_pki, issue
from tests.support.signed import approved_report, author_report, plain_report, seal, sign

__all__ = [
    "approver_is_author",
    "approver_is_author_under_another_name",
    "approver_is_author_whose_signature_is_gone",
    "approver_is_author_with_new_certificate",
    "approver_is_coauthor",
    "approver_not_named",
    "content_not_signed",
    "demanded_purpose_absent",
    "demanded_signer_other",
    "empty_signatures",
    "equipment_added",
    "flag_lower_case",
    "flag_of_two_values",
    "flag_with_leading_blank",
    "historic_signature_only",
    "mac_parameters_only",
    "nested_section_moved_up",
    "nested_section_moved_up_and_approved",
    "nested_signature_only",
    "observer_in_unverified_report",
    "predecessor_added_after_approval",
    "predecessor_added_and_reviewed",
    "purpose_absent",
    "purpose_absent_of_key_object",
    "purpose_of_private_scheme",
    "purpose_unknown",
    "purpose_with_meaning_of_another",
    "purpose_with_unknown_meaning",
    "signatures_lost_their_vr",
    "stripped",
    "study_not_signed",
    "two_verifying_observers",
    "unsigned",
    "unsigned_and_wrong_meta",
    "verification_does_not_cover_flag",
    "verification_does_not_cover_observer",
    "verification_does_not_cover_uid",
    "verified_and_partial",
    "verified_by_author_signature",
    "verified_by_hand",
    "verified_by_private_five",
    "verified_by_validation_only",
    "verified_without_purpose",
]

_FLAG, _OBSERVER, _CONTENT = 0x0040A493, 0x0040A073, 0x0040A730


def _everything(nodes: list[Node], *but: int) -> list[int]:
    return [n.tag for n in nodes if n.tag not in (*but, MAC_PARAMETERS, SIGNATURES)]


def _signed(
    *but: int, purpose: Code | None = AUTHORS, signer: Entity | None = None, data: bytes = b""
) -> bytes:
    """Return a report signed except for some elements."""

    def edit(nodes: list[Node]) -> None:
        forge_signature(nodes, signer, tags=_everything(nodes, *but), purpose=purpose)

    return edited(data or plain_report(), edit)


def content_not_signed() -> bytes:
    return _signed(_CONTENT)


def study_not_signed() -> bytes:
    return _signed(0x0020000D)


def equipment_added() -> bytes:
    return edited(author_report(), lambda n: insert(n, leaf(0x00081010, "SH", "CT2")))


def purpose_absent() -> bytes:
    return _signed(purpose=None)


def purpose_absent_of_key_object() -> bytes:
    def edit(nodes: list[Node]) -> None:
        remove(nodes, MAC_PARAMETERS, SIGNATURES)
        forge_signature(nodes, demo_pki().archive, purpose=None)

    return edited(seal(), edit)


def purpose_of_private_scheme() -> bytes:
    return _signed(purpose=Code("1", "99ACME", "Author's Signature"))


def purpose_unknown() -> bytes:
    return _signed(purpose=Code("19", "ASTM-sigpurpose", "Author's Signature"))


def purpose_with_meaning_of_another() -> bytes:
    return _signed(purpose=Code("1", "ASTM-sigpurpose", "Verification Signature"))


def purpose_with_unknown_meaning() -> bytes:
    return _signed(purpose=Code("1", "ASTM-sigpurpose", "Approved by the chief"))


def _set_verified(nodes: list[Node]) -> None:
    """Take flag and observer over from an approved report."""
    set_value(_FLAG, to="VERIFIED")(nodes)
    insert(nodes, at(apart(approved_report()).nodes, _OBSERVER))


def _verified() -> bytes:
    return edited(plain_report(), _set_verified)


def verified_by_hand() -> bytes:
    return edited(author_report(), _set_verified)


def verified_by_author_signature() -> bytes:
    return _signed(data=_verified())


def verified_by_private_five() -> bytes:
    supervisor = demo_pki().supervisor
    other = Code("5", "99ACME", "Verification Signature")
    return _signed(data=_verified(), purpose=other, signer=supervisor)


def verified_by_validation_only() -> bytes:
    six = SignaturePurpose.VALIDATION.code
    return _signed(data=_verified(), purpose=six, signer=demo_pki().supervisor)


def verified_without_purpose() -> bytes:
    return _signed(data=_verified(), purpose=None)


def _approved_except(*but: int) -> bytes:
    supervisor = demo_pki().supervisor
    return _signed(*but, data=_verified(), purpose=VERIFIES, signer=supervisor)


def verification_does_not_cover_flag() -> bytes:
    return _approved_except(_FLAG)


def verification_does_not_cover_observer() -> bytes:
    return _approved_except(_OBSERVER)


def verification_does_not_cover_uid() -> bytes:
    return _approved_except(0x00080018)


def verified_and_partial() -> bytes:
    partial = edited(_verified(), set_value(0x0040A491, to="PARTIAL"))
    return _signed(data=partial, purpose=VERIFIES, signer=demo_pki().supervisor)


def flag_with_leading_blank() -> bytes:
    return edited(author_report(), set_value(_FLAG, to=" VERIFIED"))


def flag_lower_case() -> bytes:
    return edited(author_report(), set_value(_FLAG, to="verified"))


def flag_of_two_values() -> bytes:
    return edited(author_report(), set_value(_FLAG, to="VERIFIED\\UNVERIFIED"))


def observer_in_unverified_report() -> bytes:
    observer = at(apart(approved_report()).nodes, _OBSERVER)
    return edited(author_report(), lambda n: insert(n, observer))


def two_verifying_observers() -> bytes:
    def edit(nodes: list[Node]) -> None:
        items = at(nodes, _OBSERVER).items
        items.append([leaf(n.tag, n.vr, n.value) for n in items[0] if n.items is None])

    twice = edited(_verified(), edit)
    return _signed(data=twice, purpose=VERIFIES, signer=demo_pki().supervisor)


def _approved_by(signer: Entity) -> bytes:
    def edit(nodes: list[Node]) -> None:
        _set_verified(nodes)
        forge_signature(nodes, signer, purpose=VERIFIES)

    return edited(author_report(), edit)


def approver_is_author() -> bytes:
    return _approved_by(demo_pki().author)


def approver_is_author_with_new_certificate() -> bytes:
    return _approved_by(issue(demo_pki().issuing, "Anna Meier", slot="renewed"))


def approver_is_author_under_another_name() -> bytes:
    return _approved_by(issue(demo_pki().issuing, "Sam Weber", slot="author"))


def approver_is_author_whose_signature_is_gone() -> bytes:
    return edited(approver_is_author(), lambda n: at(n, SIGNATURES).items.pop(0))


def approver_is_coauthor() -> bytes:
    """The author observer is somebody else than the co-author."""

    def edit(nodes: list[Node]) -> None:
        set_value(0x0040A078, 0, 0x0040A123, to="Jemand^Kim")(nodes)
        written = [n.tag for n in nodes if n.tag not in APPROVAL_MAY_TOUCH]
        forge_signature(
            nodes, tags=written, purpose=SignaturePurpose.COAUTHOR.code, uid="2.25.4711.8", mac_id=8
        )
        _set_verified(nodes)
        forge_signature(nodes, purpose=VERIFIES)

    return edited(plain_report(), edit)


def approver_not_named() -> bytes:
    return _approved_by(issue(demo_pki().issuing, "Kim Fremd", slot="stranger"))


def _section_signed() -> tuple[list[Node], list[Node], list[Node]]:
    """Return a report, and a section of another one with the author's own signature in it."""
    section = sign(plain_report(), path=((_CONTENT, 4),), uid="2.25.4711.8")
    signed = at(apart(section).nodes, _CONTENT).items[4]
    front = apart(plain_report(66))
    return front.nodes, signed, front.meta


def nested_section_moved_up() -> bytes:
    """What the section's signature covers replaces the same attributes of the report's root."""
    file = apart(plain_report(66))
    _, section, _ = _section_signed()
    covered = [n.tag for n in section]
    remove(file.nodes, *covered)
    insert(file.nodes, *section)
    return file.bytes()


def _predecessor() -> Node:
    mode = ApprovalMode.REISSUE_WITH_PREDECESSOR
    node = at(apart(approved_report(mode)).nodes, 0x0040A360)
    set_value(0x0040A360, 0, 0x00081115, 0, 0x00081199, 0, 0x00081155, to="2.25.900.5")([node])
    return node


def nested_section_moved_up_and_approved() -> bytes:
    """A second person signs the whole, predecessor and all; the author still signed a section."""

    def edit(nodes: list[Node]) -> None:
        _set_verified(nodes)
        insert(nodes, _predecessor())
        forge_signature(nodes, demo_pki().supervisor, purpose=VERIFIES)

    return edited(nested_section_moved_up(), edit)


def predecessor_added_after_approval() -> bytes:
    return edited(approved_report(), lambda n: insert(n, _predecessor()))


def predecessor_added_and_reviewed() -> bytes:
    """Somebody who signs everything, but approves nothing, does not speak for the author."""

    def edit(nodes: list[Node]) -> None:
        insert(nodes, _predecessor())
        forge_signature(nodes, demo_pki().archive, purpose=SignaturePurpose.REVIEW.code)

    return edited(author_report(), edit)


def nested_signature_only() -> bytes:
    return sign(plain_report(), path=((_CONTENT, 4),))


def unsigned() -> bytes:
    return plain_report()


def unsigned_and_wrong_meta() -> bytes:
    file = apart(plain_report())
    set_value(0x00020003, to="2.25.5")(file.meta)
    return file.bytes()


def stripped() -> bytes:
    return edited(approved_report(), lambda n: remove(n, MAC_PARAMETERS, SIGNATURES))


def mac_parameters_only() -> bytes:
    return edited(author_report(), lambda n: remove(n, SIGNATURES))


def empty_signatures() -> bytes:
    return edited(author_report(), lambda n: at(n, SIGNATURES).items.clear())


def historic_signature_only() -> bytes:
    def edit(nodes: list[Node]) -> None:
        taken = remove(nodes, MAC_PARAMETERS, SIGNATURES)
        insert(nodes, sequence(0x04000561, [sequence(0x04000550, taken)]))

    return edited(author_report(), edit)


def signatures_lost_their_vr() -> bytes:
    """A hop through implicit VR with a reader that knows neither sequence."""

    def edit(nodes: list[Node]) -> None:
        for tag in (MAC_PARAMETERS, SIGNATURES):
            node = at(nodes, tag)
            node.vr, node.items, node.value = "UN", None, bytes(80)

    return edited(author_report(), edit)


def demanded_purpose_absent() -> Case:
    return Case(data=author_report(), demands=Demands(purposes=("1", "5")))


def demanded_signer_other() -> Case:
    return Case(data=author_report(), demands=Demands(signer="*CN=Sam Weber*"))
