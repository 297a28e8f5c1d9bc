"""Use cases: check a stored document, a file, or a set of files against each other.

Cites: ETSI EN 319 102-1 5; PS3.15 A.4; PS3.17 Annex W.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from sr.app.audit import AuditAction
from sr.app.documents.evidence_folder import EvidenceFolder, survey
from sr.app.files import FileSource
from sr.app.views.render import page_of
from sr.dicomfile import BytesSource, read
from sr.errors import DatasetError, NotDICOMError
from sr.service.access import Permission, Principal, require
from sr.service.accounts.identity import identity_here
from sr.service.checking.kept_reports import kept_reports
from sr.service.checking.verdicts import verdict_of
from sr.service.context import Context
from sr.service.events import event
from sr.service.reading.documents import document_of, open_document
from sr.signature.documents import is_document
from sr.store.audit import append_rows
from sr.store.documents import Document, DocumentKind, content_of
from sr.verification import Verdict
from sr.verification.facts import ReferenceResult

__all__ = [
    "CheckedSet",
    "SetItem",
    "SetResult",
    "UploadedFile",
    "check_set",
    "check_stored",
    "check_upload",
    "rendered_document",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadedFile:
    """A file that a caller sent."""

    path: Path
    name: str
    """What the caller calls it."""
    is_evidence: bool = False
    """Whether it was sent to be compared with what documents cite, and is not to be judged."""


class SetResult(StrEnum):
    """What became of one file of a set, or of one that should be in it."""

    INTACT = "intact"
    ALTERED = "altered"
    MISSING = "missing"
    UNEXPECTED = "unexpected"
    UNSECURED = "unsecured"
    UNDECIDED = "undecided"
    DOCUMENT = "document"
    """A report or key object selection, with a verdict of its own."""
    DAMAGED = "damaged"
    NOT_DICOM = "not-dicom"


@dataclass(frozen=True, slots=True, kw_only=True)
class SetItem:
    """One instance of a set."""

    sop_instance_uid: str | None
    file: str | None
    result: SetResult


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedSet:
    """A set of files, checked."""

    verdicts: tuple[Verdict, ...]
    """One for each document; for each file, where there is no document."""
    items: tuple[SetItem, ...]

    @property
    def counts(self) -> dict[SetResult, int]:
        """How many instances came out how."""
        counted = Counter(item.result for item in self.items)
        return {result: counted[result] for result in SetResult}


_EVIDENCE_READ = AuditAction.EVIDENCE_READ
_RESULTS = {
    ReferenceResult.MATCHED: SetResult.INTACT,
    ReferenceResult.ALTERED: SetResult.ALTERED,
    ReferenceResult.MISSING: SetResult.MISSING,
    ReferenceResult.UNSECURED: SetResult.UNSECURED,
    ReferenceResult.UNDECIDED: SetResult.UNDECIDED,
}
_WORST_FIRST = (
    SetResult.ALTERED,
    SetResult.UNDECIDED,
    SetResult.UNSECURED,
    SetResult.MISSING,
    SetResult.INTACT,
)


def check_stored(
    context: Context,
    principal: Principal,
    sop_instance_uid: str,
    *,
    kind: DocumentKind | None = None,
    evidence: bool = True,
) -> Verdict:
    """Return the verdict on a document of the service.

    Args:
        context: The service.
        principal: Who asks.
        sop_instance_uid: The document.
        kind: What it has to be; ``None`` for anything.
        evidence: Whether to compare its references with the configured folders.

    Raises:
        AccessError: The principal checks nothing.
        NotFoundError: There is no such document.

    Cites: ETSI EN 319 102-1 5; PS3.15 A.4.
    """
    require(principal, Permission.CHECK)
    with context.database.read() as connection:
        document = document_of(connection, sop_instance_uid, kind)
        content = content_of(connection, sop_instance_uid, document.revision).content
    paths = context.evidence.study(document.study_instance_uid) if evidence else ()
    verdict = _verdict_on_stored(context, document, content, paths)
    _record(context, principal, verdict, document, read_evidence=bool(paths))
    return verdict


def check_upload(
    context: Context,
    principal: Principal,
    file: UploadedFile,
    evidence: tuple[UploadedFile, ...] = (),
) -> Verdict:
    """Return the verdict on one file.

    Args:
        context: The service.
        principal: Who asks.
        file: What is judged.
        evidence: Files to compare its references with; none to leave them unchecked. What it does
            not cite is ignored.

    Raises:
        AccessError: The principal checks nothing.
        NotDICOMError: The bytes are not DICOM.

    Cites: ETSI EN 319 102-1 5.
    """
    require(principal, Permission.CHECK)
    folder = _folder({each.path: each.name for each in evidence}) if evidence else None
    verdict = verdict_of(context, FileSource(file.path), file.name, folder=folder)
    _record(context, principal, verdict)
    return verdict


def check_set(
    context: Context, principal: Principal, files: tuple[UploadedFile, ...]
) -> CheckedSet:
    """Return the verdicts on the documents of a set, each compared with the rest of the set.

    Args:
        context: The service.
        principal: Who asks.
        files: One or more.

    Raises:
        AccessError: The principal checks nothing.

    Cites: PS3.15 A.4; PS3.17 Annex W, case 2.
    """
    require(principal, Permission.CHECK)
    names = {file.path: file.name for file in files}
    folder = _folder(names)
    documents = tuple(path for path in names if _has_verdict(context, path))
    verdicts = tuple(
        verdict_of(context, FileSource(path), names[path], folder=folder)
        for path in documents or tuple(path for paths in folder.by_uid.values() for path in paths)
    )
    for verdict in verdicts:
        _record(context, principal, verdict)
    return CheckedSet(
        verdicts=verdicts, items=tuple(_items(folder, names, frozenset(documents), verdicts))
    )


def rendered_document(
    context: Context, principal: Principal, sop_instance_uid: str, *, kind: DocumentKind
) -> str:
    """Return a document as a page with the verdict on it, made from the stored bytes.

    Raises:
        AccessError: The principal may not read documents.
        NotFoundError: There is none.

    Cites: PS3.3 C.17.
    """
    document, version = open_document(
        context,
        principal,
        sop_instance_uid,
        kind=kind,
        action=AuditAction.REPORT_RENDERED,
    )
    paths = context.evidence.study(document.study_instance_uid)
    if paths:
        said = event(context, principal, _EVIDENCE_READ, evidence_of=document)
        with context.database.write(brief=True) as connection:
            append_rows(connection, (said,))
    verdict = _verdict_on_stored(context, document, version.content, paths)
    return page_of(read(BytesSource(version.content), limits=context.limits), verdict)


def _folder(names: dict[Path, str]) -> EvidenceFolder:
    """Return files as evidence, under the names that callers gave them."""
    return replace(survey(names), labels=names)


def _verdict_on_stored(
    context: Context, document: Document, content: bytes, paths: tuple[Path, ...]
) -> Verdict:
    policy = replace(context.policy, identity=identity_here(context))
    here = replace(context, policy=policy)
    source, uid = BytesSource(content), document.sop_instance_uid
    if not paths:
        return verdict_of(here, source, uid)
    with kept_reports(context, document) as reports:
        folder = _folder({**{path: path.name for path in paths}, **reports})
        return verdict_of(here, source, uid, folder=folder)


def _has_verdict(context: Context, path: Path) -> bool:
    """Whether a file speaks for others, or cannot be read to the end."""
    try:
        return is_document(read(FileSource(path), limits=context.limits).sop_class_uid)
    except NotDICOMError:
        return False
    except DatasetError:
        return True


def _items(
    folder: EvidenceFolder,
    names: dict[Path, str],
    documents: frozenset[Path],
    verdicts: tuple[Verdict, ...],
) -> Iterator[SetItem]:
    found: dict[str, list[SetItem]] = {}
    for reference in (item for verdict in verdicts for item in verdict.references.items or ()):
        item = SetItem(
            sop_instance_uid=reference.sop_instance_uid,
            file=reference.file,
            result=_RESULTS[reference.result],
        )
        found.setdefault(reference.sop_instance_uid, []).append(item)
    for items in found.values():
        yield min(items, key=lambda item: _WORST_FIRST.index(item.result))
    damaged = {skipped.path for skipped in folder.skipped}
    uids = {path: uid for uid, paths in folder.by_uid.items() for path in paths}
    for path, name in names.items():
        uid = uids.get(path)
        if path in damaged or (path in documents and uid is None):
            yield SetItem(sop_instance_uid=uid, file=name, result=SetResult.DAMAGED)
        elif uid is None:
            yield SetItem(sop_instance_uid=None, file=name, result=SetResult.NOT_DICOM)
        elif path in documents:
            yield SetItem(sop_instance_uid=uid, file=name, result=SetResult.DOCUMENT)
        elif uid not in found:
            yield SetItem(sop_instance_uid=uid, file=name, result=SetResult.UNEXPECTED)


def _record(
    context: Context,
    principal: Principal,
    verdict: Verdict,
    document: Document | None = None,
    *,
    read_evidence: bool = False,
) -> None:
    rows = (
        [event(context, principal, _EVIDENCE_READ, evidence_of=document)] if read_evidence else []
    )
    rows.append(
        event(
            context,
            principal,
            AuditAction.CHECKED,
            document=document,
            subject=verdict.sop_instance_uid,
            detail=verdict.indication.value,
        )
    )
    with context.database.write(brief=True) as connection:
        append_rows(connection, rows)
