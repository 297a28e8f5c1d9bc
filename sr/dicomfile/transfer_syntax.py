"""The transfer syntaxes the reader understands.

Cites: PS3.5 Annex A; PS3.6 Annex A.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from sr.errors import DatasetError

__all__ = [
    "DEFLATED_EXPLICIT_LITTLE",
    "EXPLICIT_BIG",
    "EXPLICIT_LITTLE",
    "IMPLICIT_LITTLE",
    "TransferSyntax",
    "transfer_syntax_for",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferSyntax:
    """How a data set is encoded.

    Cites: PS3.5 Annex A.
    """

    uid: str
    explicit: bool = True
    little: bool = True
    deflated: bool = False
    encapsulated: bool = False

    @property
    def mac_uid(self) -> str:
        """The MAC Calculation Transfer Syntax UID to record for objects stored this way.

        Uncompressed objects are hashed as explicit VR little endian; compressed ones as they are,
        because otherwise a decoder would become part of the hash.

        Cites: PS3.3 C.12.1.1.3.1.1.
        """
        return self.uid if self.encapsulated else EXPLICIT_LITTLE.uid


IMPLICIT_LITTLE = TransferSyntax(uid="1.2.840.10008.1.2", explicit=False)
EXPLICIT_LITTLE = TransferSyntax(uid="1.2.840.10008.1.2.1")
DEFLATED_EXPLICIT_LITTLE = TransferSyntax(uid="1.2.840.10008.1.2.1.99", deflated=True)
EXPLICIT_BIG = TransferSyntax(uid="1.2.840.10008.1.2.2", little=False)

_BY_UID = {
    syntax.uid: syntax
    for syntax in (IMPLICIT_LITTLE, EXPLICIT_LITTLE, DEFLATED_EXPLICIT_LITTLE, EXPLICIT_BIG)
}
_UID = re.compile(r"[0-9.]{1,64}")
_ENCAPSULATED_ROOTS = ("1.2.840.10008.1.2.4.",)
_ENCAPSULATED = frozenset({"1.2.840.10008.1.2.5", "1.2.840.10008.1.2.1.98"})
_NOT_ENCAPSULATED = frozenset(
    {"1.2.840.10008.1.2.4.94", "1.2.840.10008.1.2.4.95", "1.2.840.10008.1.2.4.204"}
    | {"1.2.840.10008.1.2.4.205"}
)  # JPIP: the pixels are elsewhere, and some are deflated


def transfer_syntax_for(uid: str) -> TransferSyntax:
    """Return the transfer syntax with that UID.

    Raises:
        DatasetError: ``TRANSFER_SYNTAX_UNKNOWN``; the encoding of the data set cannot be known.

    Cites: PS3.10 7.1.
    """
    found = _BY_UID.get(uid)
    if found is not None:
        return found
    is_uid = _UID.fullmatch(uid) is not None
    encapsulated = uid.startswith(_ENCAPSULATED_ROOTS) and uid not in _NOT_ENCAPSULATED
    if is_uid and (encapsulated or uid in _ENCAPSULATED):
        return TransferSyntax(uid=uid, encapsulated=True)
    shown = uid if is_uid else f"of {len(uid)} characters, which is no UID,"  # it may be anything
    raise DatasetError(
        f"TransferSyntaxUID (0002,0010) {shown} is not one this reader knows",
        rule="TRANSFER_SYNTAX_UNKNOWN",
        where="(0002,0010)",
        cites="PS3.5 Annex A",
    )
