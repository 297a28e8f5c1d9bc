"""A verdict as plain text for people; the last step of a check, after judging.

Pure: a verdict and a width in, lines out. The first line is the headline, then the four questions,
then what they rest on. Every line is printable: text that came from a file can neither steer a
terminal nor turn the writing around. Colour is the shell's business, JSON is ``Verdict.as_dict``.

Cites: ETSI EN 319 102-1 5.1.4; PS3.17 Annex W.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC
from itertools import groupby
from textwrap import wrap

from sr.codes import Code
from sr.findings import Finding, Indication, Limitation, Status
from sr.signature.moment import parse_moment
from sr.signature.purpose import known_purpose
from sr.verification.facts import ReferenceResult
from sr.verification.verdict import ReferenceSummary, SignatureVerdict, Verdict

__all__ = ["ICONS", "MARKS", "printable", "render_verdict"]

ICONS = {
    Indication.PASSED: "✔",
    Indication.INDETERMINATE: "?",
    Indication.FAILED: "✘",
    Indication.NOT_SIGNED: "○",
}
"""One sign for each indication; the word always stands beside it."""

MARKS = {Status.FAIL: "✘", Status.WARN: "!"}
"""The findings that are shown, and how each is marked."""

_COMMON_NAME = re.compile(r"(?:^|,)CN=((?:\\.|[^,+\\])+)")
_AT_MOST = 8
_NARROWEST = 40
_TIME = "%Y-%m-%dT%H:%M:%SZ"
_WORDS_OF_RESULTS = (
    ReferenceResult.MATCHED,
    ReferenceResult.ALTERED,
    ReferenceResult.MISSING,
    ReferenceResult.UNDECIDED,
)


def render_verdict(verdict: Verdict, *, width: int = 100) -> tuple[str, ...]:
    """Return the lines that tell a person what a verdict says.

    Args:
        verdict: What to tell.
        width: Columns to fold at; never less than forty.

    Cites: ETSI EN 319 102-1 5.1.4.
    """
    page = _Page(max(width, _NARROWEST))
    return (
        *_headline(verdict, page),
        *_questions(verdict, page),
        *(line for n, s in enumerate(verdict.signatures, 1) for line in _signature(n, s, page)),
        *_section("findings", _findings(verdict.findings, page, indent=2)),
        *_section("limitations", _limitations(verdict.limitations, page)),
        *_section("references", _references(verdict.references, page)),
        *_section("uncovered", _uncovered(verdict, page)),
    )


def printable(text: str) -> str:
    """Return text in which control and direction characters are written as escapes.

    Cites: PS3.5 6.1.3 (control characters in values).
    """
    return "".join(c if c.isprintable() else _escape(c) for c in text)


def _escape(character: str) -> str:
    number = ord(character)
    return f"\\x{number:02x}" if number <= 0xFF else f"\\u{number:04x}"


class _Page:
    """Folds text into columns of one width."""

    __slots__ = ("width",)

    def __init__(self, width: int) -> None:
        self.width = width

    def entry(self, label: str, text: str, *, indent: int, column: int) -> Iterator[str]:
        """Yield text folded behind a label; the text starts at ``column``."""
        head = " " * indent + label
        first = head.ljust(column) if len(head) < column else f"{head} "
        folded = wrap(
            printable(text),
            self.width,
            initial_indent=first,
            subsequent_indent=" " * column,
            break_long_words=False,
            break_on_hyphens=False,
        )
        yield from folded or [head]


def _section(title: str, lines: Iterable[str]) -> Iterator[str]:
    found = list(lines)
    if found:
        yield ""
        yield title
        yield from found


def _headline(verdict: Verdict, page: _Page) -> Iterator[str]:
    reason = f" / {verdict.sub_indication.value}" if verdict.sub_indication else ""
    icon = ICONS[verdict.indication]
    yield f"{icon} {verdict.headline}{reason} · {printable(verdict.subject)}"
    at = verdict.judged_at.astimezone(UTC).strftime(_TIME)
    yield from page.entry("", f"policy {verdict.policy}, judged at {at}", indent=0, column=2)


def _questions(verdict: Verdict, page: _Page) -> Iterator[str]:
    asked = verdict.questions
    top = [s for s in verdict.signatures if not s.location]
    yield ""
    for label, answers in (
        ("unchanged", [asked.unchanged]),
        ("signer", [_signer(s) for s in top] or [asked.signer]),
        ("time", list(dict.fromkeys(_moment(s) for s in top)) or [asked.time]),
        ("complete", [asked.complete]),
    ):
        for answer in answers:
            yield from page.entry(label, answer, indent=2, column=13)
            label = ""


def _signer(signature: SignatureVerdict) -> str:
    """Return who signed in which role; the whole name stands with the signature."""
    subject = signature.signer.subject if signature.signer else "an unreadable certificate"
    common = _COMMON_NAME.search(subject)
    confirmed = signature.indication is Indication.PASSED
    return (
        f"{_purpose(signature.purpose)}: {common[1] if common else subject}"
        f"{'' if confirmed else ' (not confirmed)'}"
    )


def _signature(number: int, signature: SignatureVerdict, page: _Page) -> Iterator[str]:
    where = f" at {signature.location}" if signature.location else ""
    reason = f" / {signature.sub_indication.value}" if signature.sub_indication else ""
    outcome = f"{ICONS[signature.indication]} {signature.indication.value}{reason}"
    yield ""
    yield printable(f"signature {number}{where}: {_purpose(signature.purpose)} · {outcome}")
    signer = signature.signer
    for label, text in (
        ("by", signer.subject if signer else "an unreadable certificate"),
        ("issuer", signer.issuer if signer else ""),
        ("when", _moment(signature)),
        ("covers", _covered(signature)),
    ):
        if text:
            yield from page.entry(label, text, indent=2, column=13)
    yield from _findings(signature.findings, page, indent=2)


def _purpose(code: Code | None) -> str:
    """Return the meaning of CID 7007; the one in the file identifies nothing."""
    if code is None:
        return "no purpose"
    known = known_purpose(code)
    if known is None:
        return f"unknown purpose {code.meaning!r} ({code.value!r}, {code.scheme!r})"
    return f"{known.code.meaning} ({known.value})"


def _covered(signature: SignatureVerdict) -> str:
    profile = f"profile {signature.profile}" if signature.profile else "no profile"
    elements = _count(len(signature.covers), "element")
    return f"{elements}, {signature.mac_algorithm or 'unknown algorithm'}, {profile}"


def _moment(signature: SignatureVerdict) -> str:
    claimed = parse_moment(signature.claimed_at)
    if claimed.at is None:
        return f"unreadable: {signature.claimed_at!r}"
    zone = "" if claimed.zone_known else ", time zone unknown"
    said = f"claimed {claimed.at.strftime(_TIME)}{zone}"
    if signature.proven_at is None:
        return f"{said}, not proven"
    return f"{said}, proven {signature.proven_at.astimezone(UTC).strftime(_TIME)}"


def _findings(findings: Sequence[Finding], page: _Page, *, indent: int) -> Iterator[str]:
    shown = sorted((f for f in findings if f.status in MARKS), key=lambda f: f.status is not _FAIL)
    for (rule, status), same in groupby(shown, key=lambda f: (f.rule, f.status)):
        alike = list(same)
        label = f"{MARKS[status]} {rule}"
        for f in alike[:_AT_MOST]:
            place = " · ".join(part for part in (f.where, f.cites) if part)
            yield from page.entry(label, f"{f.message} [{place}]", indent=indent, column=26)
            label = ""
        yield from _more(len(alike), page, column=26)


_FAIL = Status.FAIL


def _limitations(limitations: Sequence[Limitation], page: _Page) -> Iterator[str]:
    codes = dict.fromkeys(limit.code for limit in limitations)
    for code in codes:
        messages = list(dict.fromkeys(x.message for x in limitations if x.code is code))
        label = code.value
        for message in messages[:_AT_MOST]:
            yield from page.entry(label, message, indent=2, column=26)
            label = ""
        yield from _more(len(messages), page, column=26)


def _references(references: ReferenceSummary, page: _Page) -> Iterator[str]:
    """Yield what the fourth question leaves open: which instances are not what was cited."""
    matched = references.count(ReferenceResult.MATCHED)
    if not (references.unsecured or references.unexpected) and (
        references.items is None or matched == references.total
    ):
        return
    counts = [(r.value, references.count(r)) for r in _WORDS_OF_RESULTS]
    counts += [("unsecured", references.unsecured), ("unexpected", len(references.unexpected))]
    said = ", ".join(f"{n} {word}" for word, n in counts if n) or "not compared"
    yield from page.entry("", f"{references.total} cited: {said}", indent=0, column=2)
    differing = [
        (item.result.value, item.file or item.sop_instance_uid)
        for item in references.items or ()
        if item.result is not ReferenceResult.MATCHED
    ] + [("unexpected", file) for file in references.unexpected]
    for word, name in differing[:_AT_MOST]:
        yield from page.entry(word, name, indent=2, column=13)
    yield from _more(len(differing), page, column=13)


def _uncovered(verdict: Verdict, page: _Page) -> Iterator[str]:
    if verdict.uncovered:
        count = _count(len(verdict.uncovered), "element")
        text = f"{count} could be changed without breaking a signature"
        yield from page.entry("", text, indent=0, column=2)


def _more(count: int, page: _Page, *, column: int) -> Iterator[str]:
    if count > _AT_MOST:
        yield from page.entry("", f"… and {count - _AT_MOST} more", indent=0, column=column)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")
