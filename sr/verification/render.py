"""A verdict as plain text for people; the last step of a check, after judging.

Pure: a verdict and a width in, lines out. The first line is the headline, then the four questions,
then what they rest on; nothing is told twice, and long lists end in a count. Every line is
printable: text that came from a file can neither steer a terminal nor turn the writing around.
Colour is the shell's business, JSON is ``Verdict.as_dict``.

Cites: ETSI EN 319 102-1 5.1.4; PS3.17 Annex W.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import UTC
from itertools import groupby
from textwrap import wrap

from sr.codes import Code
from sr.dicomfile.tags import keyword_for_tag
from sr.findings import Finding, Indication, Limitation, Status
from sr.signature.moment import parse_moment
from sr.signature.purpose import known_purpose
from sr.verification.facts import ReferenceResult
from sr.verification.verdict import DETACHED, ReferenceSummary, SignatureVerdict, Verdict

__all__ = ["ICONS", "MARKS", "printable", "render_verdict", "short_name"]

ICONS = {
    Indication.PASSED: "✔",
    Indication.INDETERMINATE: "?",
    Indication.FAILED: "✘",
    Indication.NOT_SIGNED: "○",
}
"""One sign for each indication; the word always stands beside it."""

MARKS = {Status.FAIL: "✘", Status.WARN: "!"}
"""The findings that are shown, and how each is marked."""

_AT_MOST = 8
_NARROWEST = 60
_LEFT, _MIDDLE = 13, 26
_TIME = "%Y-%m-%dT%H:%M:%SZ"
_COMMON_NAME = re.compile(r"(?:^|,)CN=((?:\\.|[^,+\\])+)")
_TAG = re.compile(r"\(([0-9A-F]{4}),([0-9A-F]{4})\)")
_TOLD_WITH_REFERENCES = frozenset(
    {"EVIDENCE_MISMATCH", "EVIDENCE_MISSING", "EVIDENCE_UNEXPECTED", "EVIDENCE_UNSECURED"}
)


def render_verdict(verdict: Verdict, *, width: int = 100) -> tuple[str, ...]:
    """Return the lines that tell a person what a verdict says.

    Args:
        verdict: What to tell.
        width: Columns to fold at; never less than sixty.

    Cites: ETSI EN 319 102-1 5.1.4.
    """
    page = _Page(verdict, max(width, _NARROWEST))
    return (
        *_headline(verdict, page),
        *_questions(verdict, page),
        *(line for n, s in enumerate(verdict.signatures, 1) for line in _signature(n, s, page)),
        *_section("findings", _findings(verdict.findings, page)),
        *_section("limitations", _limitations(verdict.limitations, page)),
        *_section("references", _references(verdict.references, page)),
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
    """What is needed to set a line: the width, and the short forms of long names."""

    __slots__ = ("_names", "_stated", "_width")

    def __init__(self, verdict: Verdict, width: int) -> None:
        self._width = width
        signers = [s.signer for s in verdict.signatures if s.signer is not None]
        names = {name for signer in signers for name in (signer.subject, signer.issuer) if name}
        self._names = sorted(names, key=len, reverse=True)
        self._stated = {limitation.message for limitation in verdict.limitations}

    def entry(self, label: str, text: str, *, column: int, indent: int = 2) -> Iterator[str]:
        """Yield text folded behind a label; the text starts at ``column``."""
        head = " " * indent + label
        first = head.ljust(column) if len(head) < column else f"{head} "
        folded = wrap(
            printable(text),
            self._width,
            initial_indent=first,
            subsequent_indent=" " * column,
            break_long_words=False,
            break_on_hyphens=False,
        )
        yield from folded or [head]

    def shortened(self, message: str) -> str:
        """Return a message with the names that were written out above in short."""
        for name in self._names:
            message = message.replace(name, short_name(name))
        return message

    def is_limitation(self, finding: Finding) -> bool:
        """Whether the finding is told among the limitations too."""
        return finding.status is Status.WARN and finding.message in self._stated


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
    yield from page.entry("", f"policy {verdict.policy}, judged at {at}", column=2, indent=0)


def _questions(verdict: Verdict, page: _Page) -> Iterator[str]:
    asked = verdict.questions
    top = [s for s in verdict.signatures if not s.location]
    uncovered = len(verdict.uncovered)
    yield ""
    for label, answers in (
        ("unchanged", [asked.unchanged]),
        ("signer", [_signer(s) for s in top] or [asked.signer]),
        ("time", [_moment(s) for s in top] or [asked.time]),
        ("complete", [asked.complete]),
        ("uncovered", [_count(uncovered, "element")] if uncovered else []),
    ):
        for number, answer in enumerate(answers):
            yield from page.entry("" if number else label, answer, column=_LEFT)


def _signer(signature: SignatureVerdict) -> str:
    """Return who signed in which role; the whole name stands with the signature."""
    name = short_name(signature.signer.subject) if signature.signer else _UNREADABLE
    confirmed = "" if signature.indication is Indication.PASSED else " (not confirmed)"
    return f"{_role(signature)}: {name}{confirmed}"


_UNREADABLE = "an unreadable certificate"


def short_name(name: str) -> str:
    """Return the common name of a distinguished name (RFC 4514), all of it where there is none."""
    common = _COMMON_NAME.search(name)
    return common[1] if common else name


def _signature(number: int, signature: SignatureVerdict, page: _Page) -> Iterator[str]:
    where = f" at {signature.location}" if signature.location else ""
    reason = f" / {signature.sub_indication.value}" if signature.sub_indication else ""
    outcome = f"{ICONS[signature.indication]} {signature.indication.value}{reason}"
    yield ""
    yield printable(f"signature {number}{where}: {_role(signature)} · {outcome}")
    signer = signature.signer
    for label, text in (
        ("by", signer.subject if signer else _UNREADABLE),
        ("issuer", signer.issuer if signer else ""),
        ("when", _moment(signature)),
        ("covers", _covered(signature)),
    ):
        if text:
            yield from page.entry(label, text, column=_LEFT)
    yield from _findings(signature.findings, page)


def _role(signature: SignatureVerdict) -> str:
    """Return the purpose; a signature beside a file has none."""
    return "detached signature" if signature.profile == DETACHED else _purpose(signature.purpose)


def _purpose(code: Code | None) -> str:
    """Return the meaning of CID 7007; the one in the file identifies nothing."""
    if code is None:
        return "no purpose"
    known = known_purpose(code)
    if known is None:
        return f"unknown purpose {code.meaning!r} ({code.value!r}, {code.scheme!r})"
    return f"{known.code.meaning} ({known.value})"


def _covered(signature: SignatureVerdict) -> str:
    if signature.profile == DETACHED:
        return f"the whole file, {signature.mac_algorithm or 'unknown algorithm'}"
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


def _findings(findings: Iterable[Finding], page: _Page) -> Iterator[str]:
    """Yield what failed, then what is a warning; the same rule once, with all its places."""
    shown = [
        f
        for f in findings
        if f.status in MARKS and f.rule not in _TOLD_WITH_REFERENCES and not page.is_limitation(f)
    ]
    shown.sort(key=lambda f: (f.status is not Status.FAIL, f.rule))
    for (status, rule), same in groupby(shown, key=lambda f: (f.status, f.rule)):
        texts = [f"{page.shortened(f.message)} [{_place(f)}]" for f in same]
        yield from _listed(f"{MARKS[status]} {rule}", texts, page)


def _place(finding: Finding) -> str:
    return " · ".join(part for part in (finding.where, finding.cites) if part)


def _limitations(limitations: Iterable[Limitation], page: _Page) -> Iterator[str]:
    grouped: dict[tuple[str, str], list[Limitation]] = {}
    for limitation in limitations:
        grouped.setdefault((limitation.code, _sentence(limitation)), []).append(limitation)
    codes = dict.fromkeys(code for code, _ in grouped)
    for code in codes:
        texts = [_joined(sentence, same) for (of, sentence), same in grouped.items() if of == code]
        yield from _listed(code, [page.shortened(text) for text in texts], page)


def _sentence(limitation: Limitation) -> str:
    """Return what is said about an element, without its name, where a message begins with it."""
    name = _element(limitation)
    begins = name and limitation.message.startswith(f"{name} ")
    return limitation.message.removeprefix(name) if begins else limitation.message


def _element(limitation: Limitation) -> str:
    match = _TAG.fullmatch(limitation.where or "")
    if match is None:
        return ""
    return f"{match[0]} {keyword_for_tag(int(match[1] + match[2], 16))}".rstrip()


def _joined(sentence: str, same: list[Limitation]) -> str:
    """Return one sentence about all elements of which the same is said."""
    if not sentence.startswith(" "):
        return sentence
    names = list(dict.fromkeys(_element(limitation) for limitation in same))
    if len(names) == 1:
        return f"{names[0]}{sentence}"
    more = [f"{len(names) - _AT_MOST} more"] if len(names) > _AT_MOST else []
    *first, last = [*names[:_AT_MOST], *more]
    return f"{', '.join(first)} and {last}{sentence.replace(' is ', ' are ', 1)}"


def _references(references: ReferenceSummary, page: _Page) -> Iterator[str]:
    """Yield which instances are not what was cited; a full match is told by the questions."""
    items = references.items or ()
    differing = [
        (item.result.value, item.file or item.sop_instance_uid)
        for item in items
        if item.result not in (ReferenceResult.MATCHED, ReferenceResult.UNSECURED)
    ]
    differing += [("unexpected", file) for file in references.unexpected]
    for word, same in groupby(sorted(differing), key=lambda pair: pair[0]):
        mark = "?" if word == ReferenceResult.UNDECIDED else MARKS[Status.FAIL]
        yield from _listed(f"{mark} {word}", [name for _, name in same], page)
    if references.unsecured:
        count = f"{references.unsecured} of {references.total} carry no proof"
        yield from _listed("! unsecured", [count], page)


def _listed(label: str, texts: list[str], page: _Page) -> Iterator[str]:
    distinct = list(dict.fromkeys(texts))
    for number, text in enumerate(distinct[:_AT_MOST]):
        yield from page.entry("" if number else label, text, column=_MIDDLE)
    if len(distinct) > _AT_MOST:
        yield from page.entry("", f"… and {len(distinct) - _AT_MOST} more", column=_MIDDLE)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")
