"""Use cases: put a document and all that its check needs into one file, check it, renew it.

The file is a ZIP archive that anybody can unpack; ``README.txt`` in it tells how openssl and
sha256sum repeat the checks. What is inside is listed, signed and, where an authority is named,
time-stamped; see ``sr.verification.bundle`` for what that proves.

Cites: RFC 4998 5.2 (renewal); ETSI EN 319 102-1 5.6.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding

from sr.app.audit.extract import NO_EXTRACT, judge_extract
from sr.app.checks.check import CheckOptions, gather_record, judge_record, refusal
from sr.app.checks.facts import FactsRecord, record_bytes
from sr.app.files import FileSource, digest_file, guard_output, read_bytes, write_atomically
from sr.app.ports import Ports, Timestamping
from sr.app.shipping.bundle_members import material_members, signers, token_members
from sr.app.shipping.zip_file import unpack, write_zip
from sr.app.signatures.detached import sign_detached
from sr.app.signatures.signing import Credentials, signer_of
from sr.app.signatures.timestamping import obtain_timestamp
from sr.dicomfile.splice import Piece
from sr.errors import ConfigurationError, LifecycleError, LimitError, NotDICOMError
from sr.findings import Finding, Status
from sr.verification import Verdict
from sr.verification.bundle import (
    ARCHIVE_TIMESTAMPS,
    CHECKSUMS,
    OBJECT,
    SIGNATURE,
    BundleContents,
    JudgedBundle,
    as_listed,
    covered_by,
    judge_bundle,
    list_name,
    token_name,
    with_bundle,
)
from sr.verification.file_list import checksums

__all__ = ["Bundled", "check_bundle", "create_bundle", "renew_bundle"]

_DESCRIPTION, _AUDIT = "bundle.json", "audit.json"
_MOST_MATERIAL, _LARGEST_MATERIAL = 64, 64 << 20
"""Certificates, and CRLs and OCSP responses, that are taken from a bundle; bytes of each kind."""
_MOST_LINKS, _LARGEST_PROOF = 64, 1 << 20
"""Archive time-stamps of a bundle; bytes of a list, signature or token."""
_README = """\
An evidence bundle: a DICOM document and what a check of it needs later.

  object.dcm           the document, unchanged
  certificates/        certificates, to find paths with; none is trusted for being here
  revocation/          CRLs and OCSP responses
  timestamps/          time-stamps of the document's signatures, as in (0400,0310)
  verdict.json         what the check said when the bundle was made
  facts.json           what it found, without judgement
  audit.json           extract of the audit trail
  SHA256SUMS           the list of all these files
  SHA256SUMS.p7s       detached CMS signature over the list
  archive-timestamps/  lists of everything before them, each with its RFC 3161 time-stamp

With a root certificate that you trust, from elsewhere, root.pem:

  sha256sum -c SHA256SUMS
  openssl cms -verify -binary -inform DER -in SHA256SUMS.p7s -content SHA256SUMS \\
    -CAfile root.pem -purpose any -out /dev/null
  sha256sum -c archive-timestamps/0001/SHA256SUMS
  cat certificates/*.pem > /tmp/known.pem
  openssl ts -verify -token_in -in archive-timestamps/0001/SHA256SUMS.tst \\
    -data archive-timestamps/0001/SHA256SUMS -CAfile root.pem -untrusted /tmp/known.pem
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundled:
    """What was bundled, and what the check said about it."""

    verdict: Verdict
    members: int
    notices: tuple[Finding, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Unpacked:
    """A bundle in a folder of ours."""

    folder: Path
    contents: BundleContents

    def path(self, name: str) -> Path:
        return self.folder / name

    @property
    def links(self) -> int:
        return len(self.contents.tokens)

    def material(self, kind: str, suffix: str) -> tuple[Path, ...]:
        """Return the files of one kind, from the bundle and from every archive time-stamp.

        What is not as it was listed vouches for nothing and is left out.

        Raises:
            LimitError: There are more than a check should have to consider.
        """
        names = sorted(
            name
            for name in self.contents.digests
            if name.endswith(suffix) and Path(name).parent.name == kind
        )
        if len(names) > _MOST_MATERIAL:
            raise LimitError(
                f"the bundle brings {len(names)} {kind}, at most {_MOST_MATERIAL} are read",
                rule="BUNDLE_MATERIAL",
            )
        sound = as_listed(self.contents)
        if sum(self.path(name).stat().st_size for name in names) > _LARGEST_MATERIAL:
            raise LimitError(f"the bundle brings too much of {kind}", rule="BUNDLE_MATERIAL")
        return tuple(self.path(name) for name in names if name in sound)


def create_bundle(
    source: Path,
    output: Path,
    *,
    credentials: Credentials,
    options: CheckOptions,
    ports: Ports,
    audit: Callable[[str], bytes] | None = None,
) -> Bundled:
    """Write a bundle: a document, what was given to check it, what the check found, all signed.

    ``audit`` returns what an audit trail says of a SOP Instance UID, see ``extract_for``.

    Raises:
        ConfigurationError: A path or URI does not make sense.
        DatasetError: The file is not DICOM, or breaks a structural rule.
        TrustEvidenceError: Trust material does not parse.
        SigningError: The key could not sign.
        TimestampError: The time-stamp authority failed.

    Cites: RFC 4998 5; RFC 5652 5.
    """
    guard_output(output, [source], in_place=False)
    record = gather_record(source, options)
    if record.refusal is not None:
        raise ConfigurationError(f"{source} is not bundled: {record.refusal.message}")
    verdict = judge_record(record, options)
    with signer_of(credentials) as signer:
        chain = tuple(c.public_bytes(Encoding.DER) for c in signer.certificate_chain)
    members: dict[str, bytes | Path] = {
        OBJECT: source,
        "README.txt": _README.encode("ascii"),
        _DESCRIPTION: _json(
            {
                "type": "srsign-bundle",
                "schema_version": 1,
                "subject": source.name,
                "created_at": ports.now().isoformat(timespec="seconds"),
            }
        ),
        "verdict.json": _json(verdict.as_dict()),
        "facts.json": record_bytes(record, source),
        _AUDIT: NO_EXTRACT if audit is None else audit(verdict.sop_instance_uid),
        **token_members(record),
        **material_members(options.material, (*signers(record), *chain)),
    }
    listed = checksums({name: _digest(content) for name, content in members.items()})
    signature = sign_detached(listed, credentials, ports, issuers=options.material.intermediates)
    members |= {CHECKSUMS: listed, SIGNATURE: signature}
    notices: tuple[Finding, ...] = ()
    if ports.timestamping is not None:
        notices = _add_link(members, 1, {}, ports, ports.timestamping)
    _write(output, members)
    return Bundled(verdict=verdict, members=len(members), notices=notices)


def check_bundle(path: Path, options: CheckOptions) -> Verdict:
    """Return the verdict on a bundle and the document in it, from nothing but the bundle.

    The document is judged at the time that the bundle proves. Whom to trust comes from the options;
    certificates, CRLs and OCSP responses of the bundle only help.

    Raises:
        NotDICOMError: The archive is no bundle.
        DatasetError: The archive cannot be unpacked without harm; rule ``ZIP_…``.
        ConfigurationError: The file cannot be read.
        TrustEvidenceError: Trust material does not parse.

    Cites: RFC 4998 5.3; ETSI EN 319 102-1 5.6.
    """
    with _unpacked(path) as bundle:
        judged, options = _judge(bundle, options)
        record = _gathered(bundle, options)
        verdict = judge_record(
            replace(record, subject=path.name), options, proven_at=judged.proven_at
        )
        if _AUDIT in bundle.contents.digests:
            said = judge_extract(read_bytes(bundle.path(_AUDIT)), verdict.sop_instance_uid, options)
            judged = replace(judged, findings=(*judged.findings, *said))
        return with_bundle(verdict, judged)


def renew_bundle(
    source: Path, output: Path, *, options: CheckOptions, ports: Ports, in_place: bool = False
) -> Bundled:
    """Write a bundle with one more archive time-stamp, over everything in it.

    What is not there yet of the material given goes in under the new time-stamp: CRLs that vouch
    for the authority of the last one are what a later check will need.

    Raises:
        LifecycleError: The bundle is broken, or its last time-stamp no longer holds: too late.
        NotDICOMError: The archive is no bundle.
        DatasetError: The archive cannot be unpacked without harm.
        ConfigurationError: A path does not make sense, or no authority is named.
        TimestampError: The time-stamp authority failed.

    Cites: RFC 4998 5.2.
    """
    guard_output(output, [source], in_place=in_place)
    if ports.timestamping is None:
        raise ConfigurationError(
            "no time-stamp authority is named", hint="--timestamp URL or the setting timestamp.url"
        )
    with _unpacked(source) as bundle:
        if bundle.links == _MOST_LINKS:
            raise LifecycleError(f"the bundle has {_MOST_LINKS} archive time-stamps already")
        judged, inside = _judge(bundle, options)
        _refuse_broken(judged)
        members: dict[str, bytes | Path] = {
            name: bundle.path(name) for name in bundle.contents.digests
        }
        known = set(bundle.contents.digests.values())
        added = {
            name: content
            for name, content in material_members(options.material, ()).items()
            if hashlib.sha256(content).hexdigest() not in known
        }
        notices = _add_link(members, bundle.links + 1, added, ports, ports.timestamping)
        record = gather_record(bundle.path(OBJECT), inside)
        verdict = judge_record(
            replace(record, subject=source.name), inside, proven_at=judged.proven_at
        )
        _write(output, members)
    return Bundled(verdict=with_bundle(verdict, judged), members=len(members), notices=notices)


def _judge(bundle: _Unpacked, options: CheckOptions) -> tuple[JudgedBundle, CheckOptions]:
    """Return what the bundle proves, and options that judge its document with its help."""
    options = replace(
        options,
        intermediates=(*options.intermediates, *bundle.material("certificates", ".pem")),
        crls=(*options.crls, *bundle.material("revocation", ".crl")),
        ocsps=(*options.ocsps, *bundle.material("revocation", ".ocsp")),
    )
    judged = judge_bundle(
        bundle.contents,
        policy=options.trust_policy,
        material=options.material,
        judged_at=options.at,
    )
    return judged, replace(options, at=judged.at)


def _gathered(bundle: _Unpacked, options: CheckOptions) -> FactsRecord:
    """Return what is found about the document; altered beyond recognition, it is damaged."""
    try:
        return gather_record(bundle.path(OBJECT), options)
    except NotDICOMError as error:
        if OBJECT in as_listed(bundle.contents):
            raise
        return FactsRecord(subject=OBJECT, facts=None, refusal=refusal(error))


def _refuse_broken(judged: JudgedBundle) -> None:
    """Refuse to time-stamp what does not hold any more; nobody could tell the two apart later."""
    for finding in judged.findings:
        if finding.status is Status.FAIL and finding.rule != "ORIGIN_UNKNOWN":
            raise LifecycleError(
                f"the bundle is not renewed: {finding.message}", where=finding.where
            )


@contextmanager
def _unpacked(path: Path) -> Iterator[_Unpacked]:
    with tempfile.TemporaryDirectory(prefix="srsign-bundle-") as room:
        folder = Path(room)
        digests = unpack(path, folder)
        if not {OBJECT, CHECKSUMS, _DESCRIPTION} <= digests.keys():
            raise NotDICOMError(f"{path.name} is a ZIP archive, but no evidence bundle")
        yield _Unpacked(folder=folder, contents=_contents(folder, digests))


def _contents(folder: Path, digests: Mapping[str, str]) -> BundleContents:
    links = 0
    while token_name(links + 1) in digests:
        links += 1
    if links > _MOST_LINKS:
        raise LimitError(f"the bundle has {links} archive time-stamps", rule="BUNDLE_MATERIAL")
    lists = (list_name(link) for link in range(links + 1))
    return BundleContents(
        digests=digests,
        lists=tuple(_read(folder, name, digests) for name in lists),
        signature=_read(folder, SIGNATURE, digests) if SIGNATURE in digests else None,
        tokens=tuple(_read(folder, token_name(link), digests) for link in range(1, links + 1)),
    )


def _read(folder: Path, name: str, digests: Mapping[str, str]) -> bytes:
    """Return a small member; nothing where it is absent, which no list or signature is."""
    if name not in digests:
        return b""
    source = FileSource(folder / name)
    if source.size > _LARGEST_PROOF:
        raise LimitError(f"{name} has {source.size} bytes", rule="BUNDLE_MATERIAL")
    return source.read_at(0, source.size)


def _add_link(
    members: dict[str, bytes | Path],
    link: int,
    added: Mapping[str, bytes],
    ports: Ports,
    timestamping: Timestamping,
) -> tuple[Finding, ...]:
    """Add an archive time-stamp over all members, and over what comes with it."""
    members |= {
        f"{ARCHIVE_TIMESTAMPS}/{link:04}/{name}": content for name, content in added.items()
    }
    covered = covered_by(link, members)
    listed = checksums({name: _digest(members[name]) for name in covered})
    stamp = obtain_timestamp(
        listed,
        timestamping,
        claimed_at=ports.now(),
        now=ports.now,
        clock_skew=ports.clock_skew,
    )
    members |= {list_name(link): listed, token_name(link): stamp.token}
    return stamp.notices


def _write(output: Path, members: Mapping[str, bytes | Path]) -> None:
    with tempfile.TemporaryDirectory(prefix=f".{output.name}.", dir=output.parent) as room:
        made = Path(room) / "bundle.zip"
        write_zip(made, members)
        source = FileSource(made)
        write_atomically(output, (Piece(source=source, start=0, end=source.size),))


def _digest(content: bytes | Path) -> str:
    if isinstance(content, bytes):
        return hashlib.sha256(content).hexdigest()
    return digest_file(content).hex()


def _json(value: Mapping[str, object]) -> bytes:
    return json.dumps(value, indent=2).encode("ascii") + b"\n"
