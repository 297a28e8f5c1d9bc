"""Evidence bundles: what is in one, and what its lists, its signature and its time-stamps prove.

A bundle is a document with everything that a later check needs, a list of all of it, a detached
signature over the list, and a chain of archive time-stamps. Each time-stamp is over a new list of
everything before it, earlier time-stamps and what vouches for them included. So the chain holds
as long as the newest link does: a link is judged at the moment of the next one, the newest at the
moment of the check, and the first link proves when the document and its evidence existed.

Nothing in a bundle is trusted for being in it. Anchors come from whoever checks.

Cites: RFC 4998 1.3, 5.2 (evidence records); ETSI EN 319 102-1 5.6.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from sr.errors import DatasetError, TrustEvidenceError
from sr.findings import Finding, Indication, Limitation, Status, SubIndication
from sr.trust import TrustMaterial, TrustPolicy, evaluate_timestamp
from sr.trust.timestamp import TimestampToken, read_timestamp
from sr.verification.detached import JudgedDetached, judge_detached
from sr.verification.file_list import parse_checksums
from sr.verification.verdict import SignatureVerdict, Verdict, fold

__all__ = [
    "ARCHIVE_TIMESTAMPS",
    "CHECKSUMS",
    "OBJECT",
    "SIGNATURE",
    "BundleContents",
    "JudgedBundle",
    "as_listed",
    "covered_by",
    "judge_bundle",
    "list_name",
    "token_name",
    "with_bundle",
]

OBJECT = "object.dcm"
CHECKSUMS = "SHA256SUMS"
SIGNATURE = f"{CHECKSUMS}.p7s"
TOKEN = f"{CHECKSUMS}.tst"
ARCHIVE_TIMESTAMPS = "archive-timestamps"
_LINK = re.compile(rf"{ARCHIVE_TIMESTAMPS}/(\d{{4}})/(.+)", re.ASCII)
_CITES = "RFC 4998 5.2"


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleContents:
    """The parts of a bundle that prove the others.

    Cites: RFC 4998 3, 4.
    """

    digests: Mapping[str, str]
    """SHA-256 of every member by name, hexadecimal."""
    lists: tuple[bytes, ...]
    """The list of the bundle, then that of each archive time-stamp."""
    signature: bytes | None
    tokens: tuple[bytes, ...]
    """One an archive time-stamp, oldest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedBundle:
    """What a bundle proves about its contents.

    Cites: ETSI EN 319 102-1 5.6.
    """

    at: datetime
    """The moment to judge the document at: the proven one, else that of the check."""
    proven_at: datetime | None
    """When everything in the bundle existed at the latest."""
    newest_at: datetime | None
    """When the newest archive time-stamp was made."""
    signature: SignatureVerdict | None
    findings: tuple[Finding, ...]
    limitations: tuple[Limitation, ...]


def token_name(link: int) -> str:
    """Return the name of an archive time-stamp's token, counted from 1.

    Cites: RFC 4998 5.2.
    """
    return f"{ARCHIVE_TIMESTAMPS}/{link:04}/{TOKEN}"


def list_name(link: int) -> str:
    """Return the name of a list: the bundle's own for 0, else an archive time-stamp's.

    Cites: RFC 4998 5.2.
    """
    return f"{ARCHIVE_TIMESTAMPS}/{link:04}/{CHECKSUMS}" if link else CHECKSUMS


def covered_by(link: int, names: Mapping[str, object]) -> frozenset[str]:
    """Return which members a list covers: the bundle's own for 0, else an archive time-stamp's.

    Cites: RFC 4998 5.2.
    """
    covered = set()
    for name in names:
        match = _LINK.fullmatch(name)
        number = int(match[1]) if match else 0
        inside = match is not None and match[2] not in (CHECKSUMS, TOKEN)
        signed = name not in (CHECKSUMS, SIGNATURE)
        if number < link or (number == link and (inside if link else signed)):
            covered.add(name)
    return frozenset(covered)


def as_listed(contents: BundleContents) -> frozenset[str]:
    """Return which members are what every list that covers them says.

    Cites: RFC 4998 5.3.
    """
    sound = covered_by(len(contents.lists) - 1, contents.digests)
    for link, content in enumerate(contents.lists):
        covered = covered_by(link, contents.digests)
        try:
            listed = parse_checksums(content)
        except DatasetError:
            listed = {}
        sound -= {name for name in covered if listed.get(name) != contents.digests[name]}
    return sound


def judge_bundle(
    contents: BundleContents, *, policy: TrustPolicy, material: TrustMaterial, judged_at: datetime
) -> JudgedBundle:
    """Return what a bundle proves.

    Args:
        contents: Digests, lists, signature and tokens.
        policy: What is demanded.
        material: The checker's anchors, and what came with the bundle to find paths with.
        judged_at: The moment of the check.

    Raises:
        TrustEvidenceError: A part of the trust material does not parse.

    Cites: RFC 4998 5.3; ETSI EN 319 102-1 5.6.
    """
    findings = [f for link in range(len(contents.lists)) for f in _listed(link, contents)]
    findings += _stray(contents)
    stamps, proven_at, newest_at = _chain(contents, policy, material, judged_at)
    findings += stamps
    at = min(proven_at or judged_at, judged_at)
    findings.append(_time(proven_at))
    signature = _signature(contents, policy, material, at, proven_at)
    if signature is None:
        findings.append(
            Finding(
                rule="ORIGIN_UNKNOWN", status=Status.FAIL, where=SIGNATURE, cites="RFC 5652 5",
                message="nobody signed the list of the bundle: anybody can have put it together",
                sub_indication=SubIndication.NO_SIGNATURE,
            )
        )  # fmt: skip
    return JudgedBundle(
        at=at,
        proven_at=proven_at,
        newest_at=newest_at,
        signature=None if signature is None else replace(signature.verdict, location=SIGNATURE),
        findings=tuple(findings),
        limitations=() if signature is None else signature.limitations,
    )


def with_bundle(verdict: Verdict, bundle: JudgedBundle) -> Verdict:
    """Return the verdict on a document together with what became of its bundle.

    A broken bundle is FAILED whatever the document says for itself; a document without signature
    stays NOT_SIGNED in a sound one.

    Cites: ETSI EN 319 102-1 5.1.3.
    """
    own = (bundle.signature,) if bundle.signature is not None else ()
    indication, sub = fold([*bundle.findings, *(f for s in own for f in s.findings)])
    keeps = verdict.indication in (Indication.FAILED, Indication.NOT_SIGNED)
    if indication is Indication.PASSED or (keeps and indication is not Indication.FAILED):
        indication, sub = verdict.indication, verdict.sub_indication
    elif verdict.indication is indication:
        sub = verdict.sub_indication
    return replace(
        verdict,
        indication=indication,
        sub_indication=sub,
        signatures=(*verdict.signatures, *own),
        findings=(*verdict.findings, *bundle.findings),
        limitations=tuple(dict.fromkeys((*verdict.limitations, *bundle.limitations))),
    )


def _listed(link: int, contents: BundleContents) -> Iterator[Finding]:
    """Yield where a list and what it covers differ."""
    where = list_name(link)
    try:
        listed = parse_checksums(contents.lists[link])
    except DatasetError as error:
        yield _finding("BUNDLE_LIST", SubIndication.FORMAT_FAILURE, str(error), where)
        return
    covered = covered_by(link, contents.digests)
    for name in sorted(listed.keys() - covered):
        message = f"{name} is listed and is not there"
        yield _finding("BUNDLE_MISSING", SubIndication.SIGNED_DATA_NOT_FOUND, message, where)
    for name in sorted(covered - listed.keys()):
        message = f"{name} is there and is not listed"
        yield _finding("BUNDLE_UNLISTED", SubIndication.FORMAT_FAILURE, message, where)
    for name in sorted(covered & listed.keys()):
        if listed[name] != contents.digests[name]:
            message = f"{name} is not what was listed"
            yield _finding("BUNDLE_ALTERED", SubIndication.HASH_FAILURE, message, where)


def _stray(contents: BundleContents) -> Iterator[Finding]:
    """Yield what stands beside the newest list, which by its place can cover all but itself."""
    last = len(contents.tokens)
    own = {list_name(last), token_name(last) if last else SIGNATURE}
    for name in sorted(contents.digests.keys() - covered_by(last, contents.digests) - own):
        message = f"{name} belongs to no archive time-stamp"
        yield _finding("BUNDLE_UNLISTED", SubIndication.FORMAT_FAILURE, message, list_name(last))


def _chain(
    contents: BundleContents, policy: TrustPolicy, material: TrustMaterial, judged_at: datetime
) -> tuple[list[Finding], datetime | None, datetime | None]:
    """Judge the archive time-stamps from the newest to the oldest.

    Return findings, the time that the oldest proves, and the time of the newest.
    """
    findings: list[Finding] = []
    moment = judged_at
    proven_at: datetime | None = None
    newest_at: datetime | None = None
    for link in range(len(contents.tokens), 0, -1):
        where = token_name(link)
        try:
            token = _token(contents.tokens[link - 1], contents.lists[link], moment, policy)
        except TrustEvidenceError as error:
            message = str(error)
            findings.append(
                _finding("TIMESTAMP_INVALID", SubIndication.TIMESTAMP_FAILURE, message, where)
            )
            return findings, None, newest_at
        older = moment if newest_at is not None else None
        trust = evaluate_timestamp(
            token, judged_at=moment, material=material, policy=policy, proven_at=older
        )
        findings += (replace(f, where=where) for f in trust.findings)
        if trust.proven_at is None:
            failed = any(f.status is Status.FAIL for f in trust.findings)
            if not failed:
                message = "nobody you trust vouches for this time-stamp"
                findings.append(
                    _finding("TIMESTAMP_CHAIN", SubIndication.TIMESTAMP_FAILURE, message, where)
                )
            return findings, None, newest_at
        newest_at = newest_at or token.generated_at
        moment, proven_at = token.generated_at, trust.proven_at
    return findings, proven_at, newest_at


def _token(der: bytes, content: bytes, moment: datetime, policy: TrustPolicy) -> TimestampToken:
    token = read_timestamp(der)
    if not token.stamps(content):
        raise TrustEvidenceError("the time-stamp is not about its list")
    if token.generated_at - moment > policy.clock_skew:
        raise TrustEvidenceError("the time-stamp is later than what it comes before")
    return token


def _signature(
    contents: BundleContents,
    policy: TrustPolicy,
    material: TrustMaterial,
    at: datetime,
    proven_at: datetime | None,
) -> JudgedDetached | None:
    if contents.signature is None:
        return None
    listed = contents.lists[0]
    return judge_detached(
        contents.signature,
        lambda algorithm: hashlib.new(
            algorithm.value.lower(), listed, usedforsecurity=False
        ).digest(),
        where=SIGNATURE,
        policy=policy,
        material=material,
        judged_at=at,
        proven_at=proven_at if proven_at is not None and proven_at <= at else None,
    )


def _time(proven_at: datetime | None) -> Finding:
    message = "no archive time-stamp proves a time: judged at the time of the check"
    if proven_at is not None:
        message = f"everything in it existed by {proven_at:%Y-%m-%dT%H:%M:%SZ}: judged at that time"
    return Finding(rule="BUNDLE_TIME", status=Status.NOTICE, message=message, cites=_CITES)


def _finding(rule: str, sub: SubIndication, message: str, where: str) -> Finding:
    return Finding(
        rule=rule, status=Status.FAIL, message=message, where=where, cites=_CITES,
        sub_indication=sub,
    )  # fmt: skip
