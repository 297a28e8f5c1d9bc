"""The strict, bounded reader: a source to a ``DICOMFile``, or a refusal that names its rule.

Cites: PS3.10 7; PS3.5 Annex A.
"""

from __future__ import annotations

from collections.abc import Iterator

from sr.dicomfile.dataset import DataSet, DICOMFile, Encoding
from sr.dicomfile.inflate import inflate
from sr.dicomfile.limits import Limits
from sr.dicomfile.scanner import Scanner
from sr.dicomfile.source import BytesSource, Source
from sr.dicomfile.transfer_syntax import (
    EXPLICIT_BIG,
    EXPLICIT_LITTLE,
    IMPLICIT_LITTLE,
    TransferSyntax,
    transfer_syntax_for,
)
from sr.dicomfile.vr import KNOWN_VRS
from sr.errors import DatasetError, LimitError, NotDICOMError
from sr.findings import Finding, Status

__all__ = ["read"]

_PREFIX = b"DICM"
_META = Encoding(True, True)
_FIRST_GROUPS = frozenset(group.to_bytes(2, "little") for group in (0x0004, 0x0008, 0x0010))
_META_GROUP_LENGTH = 0x00020000
_TRAILING_PADDING = 0xFFFCFFFC
_NOTICES_EACH = 20
_DEFAULT_LIMITS = Limits()


def read(
    source: Source, *, limits: Limits = _DEFAULT_LIMITS, allow_odd_lengths: bool = False
) -> DICOMFile:
    """Read a Part 10 file, a file without preamble, or a bare data set.

    Args:
        source: The bytes.
        limits: Where to stop.
        allow_odd_lengths: Accept elements of odd length, with a notice. For evidence made by
            others; never for documents whose signatures are checked.

    Raises:
        NotDICOMError: The bytes are not DICOM.
        DatasetError: They are, but break a structural rule.
        LimitError: A limit was reached.

    Cites: PS3.10 7.1; PS3.5 Annex A.
    """
    if source.size > limits.file_bytes:
        raise LimitError(
            f"the file has {source.size} bytes, more than the limit of {limits.file_bytes}",
            rule="LIMIT_FILE_BYTES",
        )
    head = source.read_at(0, 256)
    preamble = head[:128] if head[128:132] == _PREFIX else None
    start = 132 if preamble is not None else 0
    scanner = Scanner(source, limits=limits, size=source.size, allow_odd_lengths=allow_odd_lengths)
    meta: DataSet | None = None
    if preamble is not None or head[:2] == b"\x02\x00":
        _plausible_meta(head, start, preamble)
        meta = scanner.group(start, 0x0002, _META)
        start = meta.end
    syntax, notices = _syntax(meta, source.read_at(start, 8))
    body, begin, scanner = _body(source, start, syntax, limits, scanner, allow_odd_lengths)
    dataset = scanner.dataset(begin, body.size, Encoding(syntax.explicit, syntax.little))
    return DICOMFile(
        source=source,
        preamble=preamble,
        meta=meta,
        transfer_syntax=syntax,
        dataset=dataset,
        notices=(
            *notices,
            *_preamble(preamble),
            *_meta_length(meta),
            *_tolerated(scanner),
            *_padding(dataset),
        ),
    )


def _plausible_meta(head: bytes, start: int, preamble: bytes | None) -> None:
    if preamble is None and head[4:6] != b"UL":
        raise NotDICOMError("not DICOM: no DICM prefix and no data element at the start")
    if head[start : start + 2] not in (b"\x02\x00", b""):
        raise DatasetError(
            "File Meta Information (0002,xxxx) is absent after the DICM prefix",
            rule="META_ABSENT", offset=start, cites="PS3.10 7.1",
        )  # fmt: skip


def _syntax(meta: DataSet | None, first: bytes) -> tuple[TransferSyntax, tuple[Finding, ...]]:
    uid = meta.text(0x00020010) if meta is not None else ""
    if uid:
        return transfer_syntax_for(uid), ()
    syntax = _sniff(first, trusted=meta is not None)
    notice = Finding(
        rule="META_ABSENT",
        status=Status.WARN,
        message="no TransferSyntaxUID (0002,0010); the encoding was inferred from the first bytes",
        where="(0002,0010)",
        cites="PS3.10 7.1",
    )
    return syntax, (notice,)


def _sniff(first: bytes, *, trusted: bool) -> TransferSyntax:
    """Guess the encoding from the first eight bytes of a data set that does not declare it."""
    explicit = first[4:6].decode("latin_1") in KNOWN_VRS
    if explicit and first[:2] in _FIRST_GROUPS:
        return EXPLICIT_LITTLE
    if explicit and first[1::-1] in _FIRST_GROUPS:
        return EXPLICIT_BIG
    short = int.from_bytes(first[4:8], "little") <= 1 << 20
    if trusted or (len(first) == 8 and first[:2] in _FIRST_GROUPS and short):
        return EXPLICIT_LITTLE if explicit else IMPLICIT_LITTLE
    raise NotDICOMError("not DICOM: no DICM prefix and no data element at the start")


def _body(
    source: Source,
    start: int,
    syntax: TransferSyntax,
    limits: Limits,
    scanner: Scanner,
    allow_odd: bool,  # noqa: FBT001
) -> tuple[Source, int, Scanner]:
    if not syntax.deflated:
        return source, start, scanner
    inflated = BytesSource(inflate(source, start, limits))
    fresh = Scanner(inflated, limits=limits, size=inflated.size, allow_odd_lengths=allow_odd)
    return inflated, 0, fresh


def _preamble(preamble: bytes | None) -> tuple[Finding, ...]:
    if preamble is None or not preamble.strip(b"\0"):
        return ()
    return (
        Finding(
            rule="PREAMBLE",
            status=Status.WARN,
            message="the preamble is not empty; the file may also be another kind of file",
            cites="PS3.10 7.1",
        ),
    )


def _meta_length(meta: DataSet | None) -> tuple[Finding, ...]:
    """Say when the length of group 2, which other readers may trust, is not where it ends."""
    element = meta.get(_META_GROUP_LENGTH) if meta is not None else None
    if meta is None or element is None:
        return ()
    said = int.from_bytes(meta.value(element), "little")
    if element.end + said == meta.end:
        return ()
    return (
        Finding(
            rule="META_LENGTH",
            status=Status.WARN,
            message=f"FileMetaInformationGroupLength (0002,0000) is {said}, the group has "
            f"{meta.end - element.end} bytes",
            where="(0002,0000)",
            cites="PS3.10 7.1",
        ),
    )


def _tolerated(scanner: Scanner) -> tuple[Finding, ...]:
    return (
        *_each(
            "VR_INFERRED",
            "a sequence of value representation UN was read as implicit VR little endian",
            "PS3.5 6.2.2",
            scanner.inferred,
        ),
        *_each("ODD_LENGTH", "a value of odd length was padded", "PS3.5 7.1.1", scanner.odd),
    )


def _each(rule: str, message: str, cites: str, places: list[str]) -> Iterator[Finding]:
    """Yield one notice a place; beyond a few, one for the rest, for a file may have very many."""
    for where in places[:_NOTICES_EACH]:
        yield Finding(rule=rule, status=Status.NOTICE, message=message, where=where, cites=cites)
    if len(places) > _NOTICES_EACH:
        rest = len(places) - _NOTICES_EACH
        yield Finding(
            rule=rule,
            status=Status.NOTICE,
            message=f"{message}; so were {rest} more",
            where=places[_NOTICES_EACH],
            cites=cites,
        )


def _padding(dataset: DataSet) -> tuple[Finding, ...]:
    if _TRAILING_PADDING not in dataset:
        return ()
    return (
        Finding(
            rule="TRAILING_PADDING",
            status=Status.NOTICE,
            message="DataSetTrailingPadding (FFFC,FFFC) ends the data set and is never signed",
            where="(FFFC,FFFC)",
            cites="PS3.10 7.2",
        ),
    )
