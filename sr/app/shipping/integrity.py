"""Use cases: list any files with their digests and sign the list; check files against a list.

For recipients without DICOM tools: ``openssl cms`` checks the signature, ``sha256sum`` the files.

Cites: RFC 5652 5; FIPS 180-4.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

from sr.app.checks.check import CheckOptions
from sr.app.files import FileSource, digest_file, guard_output, read_bytes, write_atomically
from sr.app.ports import Ports
from sr.app.settings import current_settings
from sr.app.signatures.detached import sign_detached
from sr.app.signatures.signing import Credentials
from sr.errors import ConfigurationError, DatasetError, UnsupportedAlgorithmError
from sr.findings import Limitation, LimitationCode
from sr.verification import Verdict
from sr.verification.detached import JudgedDetached, judge_detached
from sr.verification.facts import Proof, ReferenceFacts, ReferenceResult
from sr.verification.file_list import (
    FileEntry,
    Sidecar,
    file_list,
    parse_file_list,
    parse_sidecar,
)
from sr.verification.file_set import judge_file_set

__all__ = ["check_file_list", "create_file_list", "is_file_list", "signature_path"]

_SIDECARS = (".sig", ".sha256", ".sha512", ".sha1", ".md5", ".json", ".txt")
_NAMES = ("sha256sums", "sha512sums", "sha1sums", "md5sums")


def signature_path(manifest: Path) -> Path:
    """Return where the signature over a list stands: beside it, with ``.p7s`` added."""
    return manifest.with_name(f"{manifest.name}.p7s")


def create_file_list(
    folder: Path, output: Path, *, credentials: Credentials, ports: Ports
) -> tuple[FileEntry, ...]:
    """Write the list of everything in a folder, and a detached signature beside it.

    The list and its signature are left out where they stand in the folder themselves.

    Raises:
        ConfigurationError: The folder cannot be read, is empty, or holds links or special files.
        DatasetError: A file has a name that does not mean the same everywhere.
        SigningError: The key could not sign; nothing was written.

    Cites: RFC 5652 5.
    """
    guard_output(output, [], in_place=False)
    own = {output.resolve(), signature_path(output).resolve()}
    regular, others = _walk(folder)
    if others:
        raise ConfigurationError(
            f"{others[0]} is no regular file; links and special files are not listed",
            hint="copy what is meant into the folder",
        )
    files = {name: path for name, path in regular.items() if path.resolve() not in own}
    if not files:
        raise ConfigurationError(f"there are no files in {folder}")
    entries = tuple(_entry(name, path) for name, path in files.items())
    content = file_list(entries)
    signature = sign_detached(content, credentials, ports)
    write_atomically(output, content)
    write_atomically(signature_path(output), signature)
    return entries


def is_file_list(path: Path) -> bool:
    """Return whether a file is a list of files by its form, ours or one of the usual ones.

    Raises:
        ConfigurationError: The file cannot be opened.
    """
    if path.suffix.lower() not in _SIDECARS and path.name.lower() not in _NAMES:
        return False
    start = FileSource(path).read_at(0, 132)
    return start[128:] != b"DICM"


def check_file_list(manifest: Path, folder: Path, options: CheckOptions) -> Verdict:
    """Return the verdict on the files in a folder and the list they came with.

    A list of ours is compared with everything in the folder. A list of others is nobody's word:
    only what it names is looked for, and the verdict is INDETERMINATE at best. Where a signature
    stands beside something else and does not hold, it is no longer what was signed.

    Args:
        manifest: The list; its signature stands beside it.
        folder: Where the files are.
        options: Whom to trust, under which policy, at which time.

    Raises:
        ConfigurationError: A path cannot be opened.
        DatasetError: It is no list, or not a usable one; rule ``FILE_LIST`` or ``FILE_NAME``.

    Cites: RFC 5652 5.6; ETSI EN 319 102-1 5.
    """
    data = _content(manifest)
    regular, others = _walk(folder)
    signature = _signature(manifest, data, options)
    try:
        entries = parse_file_list(data)
        sidecars = parse_sidecar(data) if entries is None else ()
    except DatasetError:
        if signature is None or signature.is_intact:
            raise
        return judge_file_set(
            (), (), subject=manifest.name, signature=signature, policy=options.trust_policy.id,
            judged_at=options.at,
        )  # fmt: skip
    if entries is None:
        return _check_sidecars(manifest, sidecars, regular, others, options)
    own = {manifest.resolve(), signature_path(manifest).resolve()}
    listed = {entry.path for entry in entries}
    stray = (
        name for name, path in regular.items() if name not in listed and path.resolve() not in own
    )
    return judge_file_set(
        tuple(_compare(entry, regular, others) for entry in entries),
        tuple(sorted({*stray, *(name for name in others if name not in listed)})),
        subject=manifest.name,
        signature=signature,
        policy=options.trust_policy.id,
        judged_at=options.at,
    )


def _check_sidecars(
    manifest: Path,
    listed: tuple[Sidecar, ...],
    regular: dict[str, Path],
    others: tuple[str, ...],
    options: CheckOptions,
) -> Verdict:
    weak = sorted({each.algorithm.value for each in listed if each.algorithm.is_weak})
    return judge_file_set(
        tuple(
            _compare_sidecar(each, each.path or manifest.stem, regular, others) for each in listed
        ),
        (),
        subject=manifest.name,
        signature=None,
        of_others=True,
        limitations=tuple(
            Limitation(
                code=LimitationCode.WEAK_ALGORITHM,
                message=f"{name} does not even keep two files apart",
                where=manifest.name,
            )
            for name in weak
        ),
        policy=options.trust_policy.id,
        judged_at=options.at,
    )


def _compare(entry: FileEntry, regular: dict[str, Path], others: Iterable[str]) -> ReferenceFacts:
    path = regular.get(entry.path)
    if path is None:
        return _fact(entry.path, _absent(entry.path, others))
    same = path.stat().st_size == entry.size and digest_file(path).hex() == entry.sha256
    return _fact(entry.path, ReferenceResult.MATCHED if same else ReferenceResult.ALTERED)


def _compare_sidecar(
    entry: Sidecar, name: str, regular: dict[str, Path], others: Iterable[str]
) -> ReferenceFacts:
    path = regular.get(name)
    if path is None:
        return _fact(name, _absent(name, others))
    try:
        same = digest_file(path, entry.algorithm) == entry.digest
    except UnsupportedAlgorithmError:
        return _fact(name, ReferenceResult.UNDECIDED)
    return _fact(name, ReferenceResult.MATCHED if same else ReferenceResult.ALTERED)


def _absent(name: str, others: Iterable[str]) -> ReferenceResult:
    """Return what a listed name is that is no regular file: a link in its place is a change."""
    return ReferenceResult.ALTERED if name in others else ReferenceResult.MISSING


def _fact(name: str, result: ReferenceResult) -> ReferenceFacts:
    matched = result is ReferenceResult.MATCHED
    by = (Proof.DIGEST,) if matched else ()
    return ReferenceFacts(where=name, sop_instance_uid="", result=result, by=by, file=name)


def _signature(manifest: Path, data: bytes, options: CheckOptions) -> JudgedDetached | None:
    path = signature_path(manifest)
    if not path.exists():
        return None
    return judge_detached(
        _content(path),
        lambda algorithm: hashlib.new(
            algorithm.value.lower(), data, usedforsecurity=False
        ).digest(),
        where=path.name,
        policy=options.trust_policy,
        material=options.material,
        judged_at=options.at,
    )


def _content(path: Path) -> bytes:
    most = current_settings().limits.value_bytes
    if path.is_file() and path.stat().st_size > most:
        raise DatasetError(f"{path.name} is larger than {most} bytes", rule="FILE_LIST", cites="")
    return read_bytes(path)


def _entry(name: str, path: Path) -> FileEntry:
    return FileEntry(path=name, size=path.stat().st_size, sha256=digest_file(path).hex())


def _walk(folder: Path) -> tuple[dict[str, Path], tuple[str, ...]]:
    """Return the regular files below a folder by relative path, and what is no file or folder.

    Links are not followed, whatever they lead to.

    Raises:
        ConfigurationError: A folder cannot be read.
    """
    if not folder.is_dir():
        raise ConfigurationError(f"{folder} is no folder")
    regular: dict[str, Path] = {}
    others: list[str] = []
    for place, folders, names in os.walk(folder, onerror=_raise):
        for name in sorted((*names, *(each for each in folders if Path(place, each).is_symlink()))):
            path = Path(place) / name
            relative = path.relative_to(folder).as_posix()
            if path.is_file() and not path.is_symlink():
                regular[relative] = path
            else:
                others.append(relative)
    return regular, tuple(others)


def _raise(error: OSError) -> None:
    raise ConfigurationError(f"{error.filename} cannot be read: {error.strerror}") from error
