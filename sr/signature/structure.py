"""Every signature of an instance, and every structural rule it must keep.

These rules close the ways to show a reader one thing and hash another: elements moved into a
signature item, tag lists that name what is not there, MAC parameters that resolve to two items,
content hidden inside signed sequences where no MAC reaches. All of them are decided before any
digest is computed.

Cites: PS3.3 C.12.1.1.3, C.12.1.1.3.1.1.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sr.dicomfile.dataset import DataSet, DICOMFile, Element
from sr.dicomfile.tags import describe_tag, format_tag
from sr.errors import LimitError
from sr.findings import Finding, Status, SubIndication
from sr.mac.selection import (
    DIGITAL_SIGNATURES_SEQUENCE,
    MAC_PARAMETERS_SEQUENCE,
    TRAILING_PADDING,
    reaches_all,
    signable_tag,
)
from sr.signature.item import (
    MACParameters,
    SignatureItem,
    format_failure,
    read_mac_parameters,
    read_signature_item,
)
from sr.signature.location import ORIGINAL_ATTRIBUTES, Level, signed_levels

__all__ = ["MOST_SIGNATURES", "LocatedSignature", "SignatureStructure", "examine", "hidden_places"]

_MACRO = "PS3.3 C.12.1.1.3"
_LIST = "PS3.3 C.12.1.1.3.1.1"
_EXPLICIT_LITTLE = "1.2.840.10008.1.2.1"
_DEFLATED = "1.2.840.10008.1.2.1.99"
_LOWEST_GROUP = 0x0008
_DIRECTORY_GROUP = 0x0004
_LENGTH_TO_END = 0x00080001
_FOUR_BYTES = 4
MOST_SIGNATURES = 64
"""Each signature costs a pass over what it covers, so their number is bounded."""
_Parameters = tuple[MACParameters, tuple[Finding, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class LocatedSignature:
    """One signature, its MAC parameters, and what is wrong with the pair.

    Cites: PS3.3 C.12.1.1.3.
    """

    level: Level
    number: int
    """Position among the signatures of the instance, from 1, outermost level first."""
    index: int
    """Position within Digital Signatures Sequence of its level, from 0."""
    item: DataSet
    signature: SignatureItem
    parameters: MACParameters | None
    findings: tuple[Finding, ...]

    @property
    def where(self) -> str:
        """Path of the signature item."""
        return self.level.at(DIGITAL_SIGNATURES_SEQUENCE, self.index)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureStructure:
    """All signatures of an instance, and findings that concern none of them alone.

    Cites: PS3.3 C.12.1.1.3.
    """

    signatures: tuple[LocatedSignature, ...]
    findings: tuple[Finding, ...]
    mac_id_numbers: frozenset[int]
    """Every MAC ID Number used anywhere in the instance."""


def examine(file: DICOMFile) -> SignatureStructure:
    """Return every signature of an instance with its structural findings.

    Raises:
        LimitError: There are more than ``MOST_SIGNATURES``.

    Cites: PS3.3 C.12.1.1.3.
    """
    located: list[LocatedSignature] = []
    findings: list[Finding] = []
    levels = signed_levels(file.dataset)
    ids: list[int] = []
    for level in levels:
        if _is_no_sequence(level, MAC_PARAMETERS_SEQUENCE):
            findings.append(_no_sequence(level, MAC_PARAMETERS_SEQUENCE))
        parameters = tuple(_parameters(level))
        signatures = tuple(_signatures(file, level, parameters, len(located)))
        used = [s.parameters for s in signatures]
        findings += [f for p, faults in parameters if p not in used for f in faults]
        ids += [p.mac_id_number for p, _ in parameters]
        located += signatures
    findings += _unique(located, levels, ids)
    if levels:
        findings += _out_of_reach(file.dataset)
    return SignatureStructure(
        signatures=tuple(located), findings=tuple(findings), mac_id_numbers=frozenset(ids)
    )


def hidden_places(dataset: DataSet, tags: Iterable[int]) -> tuple[str, ...]:
    """Return what stands inside covered sequences where no MAC reaches it.

    Cites: PS3.3 C.12.1.1.3.1.1.
    """
    level = Level(dataset)
    return tuple(f.where or "" for tag in tags for f in _hidden(level, tag))


def _parameters(level: Level) -> Iterator[_Parameters]:
    for index, item in enumerate(level.dataset.items(MAC_PARAMETERS_SEQUENCE)):
        yield read_mac_parameters(item, level.at(MAC_PARAMETERS_SEQUENCE, index))


def _signatures(
    file: DICOMFile, level: Level, parameters: tuple[_Parameters, ...], before: int
) -> Iterator[LocatedSignature]:
    hidden: dict[int, tuple[Finding, ...]] = {}
    for index, item in enumerate(level.dataset.items(DIGITAL_SIGNATURES_SEQUENCE)):
        if before + index == MOST_SIGNATURES:
            raise LimitError(
                f"more than {MOST_SIGNATURES} signatures", rule="LIMIT_SIGNATURES", cites=_MACRO
            )
        where = level.at(DIGITAL_SIGNATURES_SEQUENCE, index)
        signature, findings = read_signature_item(item, where)
        matching = [p for p in parameters if p[0].mac_id_number == signature.mac_id_number]
        found, faults = matching[0] if len(matching) == 1 else (None, ())
        more: list[Finding] = []
        if found is None:
            more.append(
                format_failure(
                    "MACID",
                    f"MACIDNumber (0400,0005) {signature.mac_id_number} resolves to "
                    f"{len(matching)} items of MACParametersSequence (4FFE,0001)",
                    where,
                    _MACRO,
                )
            )
        else:
            more += faults
            more += _tag_list(level, found, where)
            for tag in dict.fromkeys(found.data_elements_signed):
                if tag not in hidden:
                    hidden[tag] = tuple(_hidden(level, tag))
                more += hidden[tag]
            more += _transfer_syntax(file, level, found, where)
        yield LocatedSignature(
            level=level,
            number=before + index + 1,
            index=index,
            item=item,
            signature=signature,
            parameters=found,
            findings=(*findings, *more),
        )


def _tag_list(level: Level, parameters: MACParameters, where: str) -> Iterator[Finding]:
    listed = parameters.data_elements_signed
    if len(set(listed)) < len(listed):
        yield format_failure(
            "DES_DUPLICATE", "DataElementsSigned (0400,0020) names a tag twice", where, _LIST
        )
    elif list(listed) != sorted(listed):
        yield format_failure(
            "DES_ORDER", "DataElementsSigned (0400,0020) is not in ascending order", where, _LIST
        )
    for tag in listed:
        element = level.dataset.get(tag)
        if not signable_tag(tag):
            yield format_failure(
                "DES_FORBIDDEN",
                f"DataElementsSigned (0400,0020) names {describe_tag(tag)}, which no MAC may cover",
                where, _LIST,
            )  # fmt: skip
        elif element is None:
            yield Finding(
                rule="DES_ABSENT",
                status=Status.FAIL,
                message=f"{describe_tag(tag)} is listed as signed but is not there",
                where=level.at(tag),
                cites=_LIST,
                sub_indication=SubIndication.SIGNED_DATA_NOT_FOUND,
            )
        elif element.has_unknown:
            yield Finding(
                rule="VR_UN",
                status=Status.FAIL,
                message=f"{describe_tag(tag)} is, or holds, an element of value representation UN",
                where=level.at(tag),
                cites=_LIST,
                sub_indication=SubIndication.VR_UNKNOWN,
            )


def _transfer_syntax(
    file: DICOMFile, level: Level, parameters: MACParameters, where: str
) -> Iterator[Finding]:
    uid = parameters.transfer_syntax_uid
    listed = frozenset(parameters.data_elements_signed)
    native = not any(e.fragments is not None for e in level.dataset if e.tag in listed)
    if uid == _EXPLICIT_LITTLE and native:
        return
    if uid == _DEFLATED and native:
        yield Finding(
            rule="MAC_TS",
            status=Status.NOTICE,
            message="MACCalculationTransferSyntaxUID (0400,0010) is deflated; read as explicit VR "
            "little endian",
            where=where,
            cites=_LIST,
        )
        return
    encapsulated = any(e.fragments is not None for e in level.dataset)
    if not (file.transfer_syntax.encapsulated and uid == file.transfer_syntax.uid and encapsulated):
        yield format_failure(
            "MAC_TS",
            f"MACCalculationTransferSyntaxUID (0400,0010) {uid!r} fits neither explicit VR little "
            "endian nor the encapsulated pixel data of this object",
            where, _LIST,
        )  # fmt: skip


def _hidden(level: Level, tag: int) -> Iterator[Finding]:
    """Yield what stands inside a signed sequence without being hashed."""
    element = level.dataset.get(tag)
    items = element.items if element is not None else None
    if items is None or reaches_all(items):
        return
    for index, item in enumerate(items):
        yield from _hidden_in(Level(item, (*level.path, (tag, index))))


def _hidden_in(level: Level) -> Iterator[Finding]:
    for element in level.dataset:
        tag = element.tag
        if _hides(level.dataset, tag) or _smuggles(level, element):
            yield format_failure(
                "HIDDEN_UNSIGNED",
                f"{describe_tag(tag)} stands inside a signed item, where no MAC reaches it",
                level.at(tag), _LIST,
            )  # fmt: skip
        elif signable_tag(tag):
            for index, item in enumerate(element.items or ()):
                yield from _hidden_in(Level(item, (*level.path, (tag, index))))


def _smuggles(level: Level, element: Element) -> bool:
    """Whether a historic signature, which nobody checks, carries more than its own attributes."""
    historic = any(tag == ORIGINAL_ATTRIBUTES for tag, _ in level.path)
    read = {
        DIGITAL_SIGNATURES_SEQUENCE: read_signature_item,
        MAC_PARAMETERS_SEQUENCE: read_mac_parameters,
    }.get(element.tag)
    if not historic or read is None:
        return False
    found = (f for item in element.items or () for f in read(item, "")[1])
    return any(f.rule == "SIGITEM_EXTRA" for f in found)


def _hides(dataset: DataSet, tag: int) -> bool:
    if signable_tag(tag):
        return False
    element = dataset.get(tag)
    if tag == DIGITAL_SIGNATURES_SEQUENCE:
        return element is None or element.items is None or MAC_PARAMETERS_SEQUENCE not in dataset
    if tag == MAC_PARAMETERS_SEQUENCE:
        return DIGITAL_SIGNATURES_SEQUENCE not in dataset
    if _counts(tag) and tag >> 16 >= _LOWEST_GROUP and element is not None:
        return not _is_count(element)
    return True


def _counts(tag: int) -> bool:
    """Return whether it is a retired group length or Length to End, which readers skip."""
    return tag & 0xFFFF == 0 or tag == _LENGTH_TO_END


def _is_count(element: Element) -> bool:
    return element.vr == "UL" and element.end - element.value == _FOUR_BYTES


def _out_of_reach(dataset: DataSet) -> Iterator[Finding]:
    """Yield what no MAC can cover at the top level, and what does not belong there."""
    for element in dataset:
        group = element.tag >> 16
        if group < _LOWEST_GROUP and group != _DIRECTORY_GROUP:
            yield format_failure(
                "HIDDEN_UNSIGNED",
                f"{describe_tag(element.tag)} does not belong in a data set, and no MAC reaches it",
                format_tag(element.tag), _LIST,
            )  # fmt: skip
        signatures = element.tag == DIGITAL_SIGNATURES_SEQUENCE
        if group == 0xFFFA and not signatures and not _counts(element.tag):
            yield format_failure(
                "HIDDEN_UNSIGNED", f"{describe_tag(element.tag)} is not a signature sequence",
                format_tag(element.tag), _LIST,
            )  # fmt: skip
        if _counts(element.tag) and not _is_count(element):
            yield format_failure(
                "HIDDEN_UNSIGNED", f"{describe_tag(element.tag)} is not a length",
                format_tag(element.tag), _LIST,
            )  # fmt: skip
        if element.tag == TRAILING_PADDING and element.items is not None:
            yield format_failure(
                "HIDDEN_UNSIGNED", "DataSetTrailingPadding (FFFC,FFFC) is a sequence",
                format_tag(element.tag), _LIST,
            )  # fmt: skip


def _unique(
    located: list[LocatedSignature], levels: tuple[Level, ...], ids: list[int]
) -> Iterator[Finding]:
    for level in levels:
        if _is_no_sequence(level, DIGITAL_SIGNATURES_SEQUENCE):
            yield _no_sequence(level, DIGITAL_SIGNATURES_SEQUENCE)
    uids = Counter(s.signature.digital_signature_uid for s in located)
    for uid, count in uids.items():
        if count > 1:
            yield format_failure(
                "SIG_UID", f"DigitalSignatureUID (0400,0100) {uid!r} is used {count} times",
                "(0400,0100)", _MACRO,
            )  # fmt: skip
    here = [
        (level.location, item.numbers(0x04000005))
        for level in levels
        for item in level.dataset.items(MAC_PARAMETERS_SEQUENCE)
    ]
    for (location, numbers), count in Counter(here).items():
        if count > 1:
            yield format_failure(
                "MACID", f"MACIDNumber (0400,0005) {numbers[:1]} is used {count} times",
                f"{location}.(4FFE,0001)".lstrip("."), _MACRO,
            )  # fmt: skip
    if len(set(ids)) < len(ids) and len(set(here)) == len(here):
        yield Finding(
            rule="MACID",
            status=Status.WARN,
            message="a MACIDNumber (0400,0005) is used again at another level of the instance",
            where="(4FFE,0001)",
            cites=_MACRO,
        )


def _is_no_sequence(level: Level, tag: int) -> bool:
    element = level.dataset.get(tag)
    return element is not None and element.items is None


def _no_sequence(level: Level, tag: int) -> Finding:
    element = level.dataset.get(tag)
    if element is not None and element.vr == "UN":
        return Finding(
            rule="VR_UN",
            status=Status.FAIL,
            message=f"{describe_tag(tag)} lost its value representation; nobody can read it",
            where=level.at(tag),
            cites=_MACRO,
            sub_indication=SubIndication.VR_UNKNOWN,
        )
    return format_failure(
        "SIGITEM_FORMAT", f"{describe_tag(tag)} is not a sequence", level.at(tag), _MACRO
    )
