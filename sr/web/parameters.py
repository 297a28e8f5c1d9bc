"""Parameters that many routes have: UIDs, pages of a list, and what the caller last saw.

Cites: RFC 9110 13.1.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import MINYEAR, UTC, datetime
from hashlib import sha256
from typing import Annotated

from fastapi import Depends, Header, Query, Request, Response
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    Field,
    WithJsonSchema,
)

from sr.errors import ConflictError, PreconditionError, PreconditionMissingError

__all__ = [
    "UID",
    "IfMatch",
    "Moment",
    "Page",
    "Paging",
    "cached",
    "entity_tag",
    "next_page",
    "seen",
]

UID = Annotated[
    str,
    Field(pattern=r"^(0|[1-9][0-9]*)(\.(0|[1-9][0-9]*))+$", max_length=64, examples=["2.25.1"]),
]


_FIRST, _LAST = (each.replace(tzinfo=UTC) for each in (datetime.min, datetime.max))  # noqa: DTZ901


def _in_utc(at: datetime) -> datetime:
    """Return a time in UTC; one that has no place there is the first or the last that has."""
    try:
        return at.astimezone(UTC)
    except OverflowError:
        return _FIRST if at.year == MINYEAR else _LAST


def _no_number(text: object) -> object:
    """Refuse what the library would take for seconds or milliseconds since 1970."""
    found = _DATE.match(text) if isinstance(text, str) else None
    if found is None:
        raise ValueError("no date and time as in RFC 3339, nor a date")
    return text if found.end() < len(found.string) else f"{text}T00:00:00Z"


_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[Tt ]|\Z)")
Moment = Annotated[
    AwareDatetime,
    BeforeValidator(_no_number),
    AfterValidator(_in_utc),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "format": "date-time"},
                {"type": "string", "format": "date"},
            ],
            "examples": ["2026-11-21T09:00:00Z", "2026-11-21"],
        }
    ),
]
"""A moment; a date is its midnight, UTC."""

_STRONG = re.compile(r'("?)([\x21\x23-\x7e]{1,128})\1')
"""As it should be, and without its quotes, which many forget."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A part of a list."""

    limit: int
    offset: int

    @property
    def asked(self) -> int:
        """How many to look for, one more than are shown, to know whether there are more."""
        return self.limit + 1

    def next_of(self, found: int) -> int | None:
        """Return where the next page begins; ``None`` where this is the last."""
        return self.offset + self.limit if found > self.limit else None


async def _page(
    limit: Annotated[int, Query(ge=1, le=500, description="At most so many.")] = 50,
    offset: Annotated[int, Query(ge=0, le=1_000_000, description="After so many.")] = 0,
) -> Page:
    return Page(limit=limit, offset=offset)


Paging = Annotated[Page, Depends(_page)]


async def _if_match(
    if_match: Annotated[
        str | None,
        Header(description="The ETag of what was seen.", examples=['"2c26b46b68ffc68f…"']),
    ] = None,
) -> str:
    """Return the SHA-256 that the caller saw.

    Raises:
        PreconditionMissingError: It names none.
        PreconditionError: It names none that anything here can have.

    Cites: RFC 9110 13.1.1; RFC 6585 3.
    """
    if if_match is None or if_match.strip() == "*":
        raise PreconditionMissingError(
            "the header If-Match is missing, or names no version", hint="send the ETag you saw"
        )
    named = _STRONG.fullmatch(if_match.strip())
    if named is None:
        raise PreconditionError("the header If-Match is not one strong entity tag")
    return named[2]


IfMatch = Annotated[str, Depends(_if_match)]


@contextmanager
def seen() -> Iterator[None]:
    """Let a change since the caller looked be a failed precondition.

    Raises:
        PreconditionError: It was changed meanwhile.

    Cites: RFC 9110 15.5.13.
    """
    try:
        yield
    except ConflictError as error:
        raise PreconditionError(str(error), where=error.where, hint=error.hint) from error


def entity_tag(digest: str) -> str:
    """Return a strong entity tag.

    Cites: RFC 9110 8.8.3.
    """
    return f'"{digest}"'


def next_page(request: Request, name: str, value: int | None) -> dict[str, str]:
    """Return the header that says where the next page of a list is; none where this is the last.

    Args:
        request: For this page.
        name: Of the parameter that says where a page begins.
        value: Of that parameter for the next page.

    Cites: RFC 8288 3.
    """
    if value is None:
        return {}
    url = request.url.include_query_params(**{name: value})
    return {"Link": f'<{url.path}?{url.query}>; rel="next"'}


def cached(request: Request, model: BaseModel, headers: Mapping[str, str]) -> Response:
    """Return a list as JSON with an entity tag; nothing of it where the caller has it already.

    Cites: RFC 9110 13.1.2.
    """
    body = model.model_dump_json().encode()
    tag = entity_tag(sha256(body).hexdigest())
    headers = {"ETag": tag, **headers}
    if tag in map(str.strip, request.headers.get("if-none-match", "").split(",")):
        return Response(status_code=304, headers=headers)
    return Response(body, media_type="application/json", headers=headers)
