"""What signatures leave out, and what is added beside them."""

from __future__ import annotations

from sr.signature.profile import load_profile
from tests.support.forge import (
    Node,
    at,
    edited,
    forge_signature,
    insert,
    leaf,
    sequence,
    set_value,
)
from tests.support.signed import author_report, plain_report, signed_image

__all__ = [
    "annotation_added_to_image",
    "charset_added",
    "charset_not_signed",
    "class_not_signed",
    "icon_added_to_image",
    "minimum_only",
    "new_uid",
    "other_added",
    "overlay_added_to_image",
    "patient_comment_added",
    "patient_not_signed",
    "private_added",
    "private_creator_changed",
    "status_changed",
    "text_added_to_root",
    "window_added_to_image",
]


def _signed(*but: int, data: bytes = b"") -> bytes:
    def edit(nodes: list[Node]) -> None:
        forge_signature(nodes, tags=[n.tag for n in nodes if n.tag not in but])

    return edited(data or plain_report(), edit)


def minimum_only() -> bytes:
    """Signed with the list of PS3.15 C.4 and nothing more, then given to another patient."""
    minimum = {t for r in load_profile("structured-report").attributes for t in r.tags}

    def edit(nodes: list[Node]) -> None:
        forge_signature(nodes, tags=[n.tag for n in nodes if n.tag in minimum])

    swapped = set_value(0x00100010, to="Opfer^Otto")
    return edited(edited(plain_report(), edit), swapped)


def patient_not_signed() -> bytes:
    return _signed(0x00100010)


def charset_not_signed() -> bytes:
    return _signed(0x00080005)


def class_not_signed() -> bytes:
    """Then no rule on reports would apply to it, were it given another class."""
    return edited(signed_image(), lambda n: _forge_over(n, 0x00080016))


def _forge_over(nodes: list[Node], *but: int) -> None:
    nodes[:] = [n for n in nodes if n.tag not in (0x4FFE0001, 0xFFFAFFFA)]
    forge_signature(nodes, tags=[n.tag for n in nodes if n.tag not in but])


def patient_comment_added() -> bytes:
    return edited(author_report(), lambda n: insert(n, leaf(0x00104000, "LT", "Verwechselt")))


def charset_added() -> bytes:
    """A report without character set is given one that turns ASCII into something else."""
    plain = edited(plain_report(), lambda n: n.remove(at(n, 0x00080005)))
    signed = _signed(data=plain)
    return edited(signed, lambda n: insert(n, leaf(0x00080005, "CS", "ISO_IR 13")))


def text_added_to_root() -> bytes:
    return edited(author_report(), lambda n: insert(n, leaf(0x0040A160, "UT", "Kein Befund")))


def overlay_added_to_image() -> bytes:
    overlay = (
        leaf(0x60000010, "US", b"\x80\0"),
        leaf(0x60000011, "US", b"\x80\0"),
        leaf(0x60000040, "CS", "G"),
        leaf(0x60000050, "SS", b"\1\0\1\0"),
        leaf(0x60000100, "US", b"\1\0"),
        leaf(0x60000102, "US", b"\0\0"),
        leaf(0x60003000, "OW", b"\xff" * 2048),
    )
    return edited(signed_image(), lambda n: insert(n, *overlay))


def window_added_to_image() -> bytes:
    """A look-up table makes the lesion as dark as its surroundings."""
    table = sequence(0x00283010, [leaf(0x00283003, "LO", "soft")])
    return edited(signed_image(), lambda n: insert(n, table))


def annotation_added_to_image() -> bytes:
    return edited(
        signed_image(), lambda n: insert(n, sequence(0x00700001, [leaf(0x00700002, "CS", "A")]))
    )


def icon_added_to_image() -> bytes:
    icon = [leaf(0x00280010, "US", b"\1\0"), leaf(0x7FE00010, "OW", b"\0\0")]
    return edited(signed_image(), lambda n: insert(n, sequence(0x00880200, icon)))


def private_added() -> bytes:
    added = (leaf(0x00090010, "LO", "ACME"), leaf(0x00091001, "LO", "more"))
    return edited(author_report(), lambda n: insert(n, *added))


def private_creator_changed() -> bytes:
    """The private value is signed, the creator that gives it its meaning is not."""
    private = (leaf(0x00090010, "LO", "ACME"), leaf(0x00091001, "LO", "more"))
    unsigned = edited(plain_report(), lambda n: insert(n, *private))
    return edited(_signed(0x00090010, data=unsigned), set_value(0x00090010, to="OTHER"))


def other_added() -> bytes:
    return edited(author_report(), lambda n: insert(n, leaf(0x0008103E, "LO", "CT Kopf")))


def new_uid() -> bytes:
    """An author's report under another UID, as approval makes it: named, not refused."""
    changed = edited(author_report(), set_value(0x00080018, to="2.25.900.9"))
    return changed.replace(b"2.25.900.1\0\0", b"2.25.900.9\0\0").replace(
        b"2.25.900.1", b"2.25.900.9", 1
    )


def status_changed() -> bytes:
    return edited(author_report(), set_value(0x0040A496, to="PRELIMINARY"))
