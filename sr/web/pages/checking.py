"""``/check``: files that somebody received, checked together and kept nowhere."""

from __future__ import annotations

import json
from base64 import b64encode
from dataclasses import dataclass

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool

from sr.app.checks.answers import answers
from sr.app.views.page import failures
from sr.errors import ConfigurationError
from sr.findings import Indication
from sr.service.access import Permission, Principal, require
from sr.service.checking.checks import CheckedSet, SetResult, check_set
from sr.verification import Verdict
from sr.web.guard.authentication import Caller, Wired
from sr.web.guard.uploads import uploaded
from sr.web.pages.frame import PageRoute, show
from sr.web.pages.looks import SET_RESULTS

__all__ = ["router"]

router = APIRouter(route_class=PageRoute, include_in_schema=False)

_R = SetResult


@dataclass(frozen=True, slots=True, kw_only=True)
class _Statement:
    """What the check comes to, in one sentence."""

    tone: str
    icon: str
    words: str
    more: str


@router.get("/check")
def look(request: Request, caller: Caller) -> Response:
    """Show where to drop files."""
    require(caller, Permission.CHECK)
    return show(request, caller, "check.html.j2", checked=None)


@router.post("/check")
async def check(request: Request, context: Wired, caller: Caller) -> Response:
    """Check files together; nothing of them is taken before it is known who sends them."""
    require(caller, Permission.CHECK)
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise ConfigurationError("no file was chosen")
    async with uploaded(request) as files:
        checked = await run_in_threadpool(check_set, context, caller, files)
    return await run_in_threadpool(_checked, request, caller, checked)


def _checked(request: Request, caller: Principal, checked: CheckedSet) -> Response:
    return show(
        request,
        caller,
        "check.html.j2",
        checked=checked,
        statement=_statement(checked),
        looks=SET_RESULTS,
        verdicts=[(each, answers(each), failures(each)) for each in checked.verdicts],
        download=_as_link(checked.verdicts),
    )


def _as_link(verdicts: tuple[Verdict, ...]) -> str:
    """Return the verdicts as an address that holds them: nothing is kept here."""
    content = [verdict.as_dict() for verdict in verdicts]
    text = json.dumps(content[0] if len(content) == 1 else content, indent=2, ensure_ascii=False)
    return f"data:application/json;base64,{b64encode(text.encode()).decode()}"


def _statement(checked: CheckedSet) -> _Statement:
    counts = checked.counts
    found = {verdict.indication for verdict in checked.verdicts}
    files = sum(item.file is not None for item in checked.items)
    if found <= {Indication.NOT_SIGNED}:
        words, more = "Nothing here is signed", "The check has nothing to go by."
        return _Statement(tone="none", icon="empty", words=words, more=more)
    differs = [
        f"{counts[each]} {each.value}"
        for each in (_R.ALTERED, _R.MISSING, _R.UNEXPECTED, _R.DAMAGED)
        if counts[each]
    ]
    if Indication.FAILED in found or counts[_R.ALTERED]:
        words = "Do not rely on these files"
        more = "A signature does not hold." if Indication.FAILED in found else ""
        return _Statement(tone="bad", icon="no", words=words, more=_told(differs, more))
    if differs:
        words = "This is not the set that was signed"
        return _Statement(tone="open", icon="unknown", words=words, more=_told(differs, ""))
    if found != {Indication.PASSED}:
        words = "The check could not decide"
        more = "What is missing for an answer stands below."
        return _Statement(tone="open", icon="unknown", words=words, more=more)
    plural = "All files are" if files > 1 else "The file is"
    limits = any(verdict.limitations for verdict in checked.verdicts)
    return _Statement(
        tone="good",
        icon="yes",
        words=f"{plural} what was signed",
        more="With limitations: what nobody vouches for stands below." if limits else "",
    )


def _told(differs: list[str], more: str) -> str:
    counted = f"{', '.join(differs)}." if differs else ""
    return " ".join(part for part in (more, counted) if part)
