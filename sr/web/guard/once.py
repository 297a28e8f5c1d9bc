"""Requests that are done once, however often they are sent: ``Idempotency-Key``.

The same key with the same request gives the same answer; with another request it is refused. While
the first one is at work the others are told to come back. An answer is kept only if the work was
done: what failed may be tried again under the same key.

Cites: draft-ietf-httpapi-idempotency-key-header.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Annotated

from fastapi import Depends, Header, Request, Response
from pydantic import BaseModel

from sr.errors import ConfigurationError, ConflictError
from sr.service.access import Principal
from sr.service.context import Context
from sr.store.idempotency import StoredAnswer, claim_key, keep_answer, release_key
from sr.web.guard.authentication import Caller, Wired

__all__ = ["Once", "OneAnswer"]

_RETRY_AFTER = 1
_JSON = "application/json"


@dataclass(frozen=True, slots=True, kw_only=True)
class OneAnswer:
    """A request that is answered once."""

    context: Context
    principal: Principal
    key: str | None
    request_digest: str

    def answer(
        self,
        work: Callable[[], tuple[BaseModel, Mapping[str, str]]],
        *,
        status: int = 200,
    ) -> Response:
        """Do the work, or return what came of it when it was done.

        Args:
            work: Returns the body of the answer and its headers.
            status: Of the answer.

        Raises:
            ConflictError: The same request is at work; try again.
            ConfigurationError: The key was used for another request.
        """
        if self.key is None:
            return _response(_answer(work, status))
        who = {"user_id": self.principal.user_id, "key": self.key}
        with self.context.database.write() as connection:
            claim = claim_key(
                connection, **who, request_digest=self.request_digest, at=self.context.ports.now()
            )
        if claim.request_digest != self.request_digest:
            raise ConfigurationError(
                "the Idempotency-Key was used for another request",
                hint="draw a new key for each request",
            )
        if not claim.is_ours:
            if claim.answer is None:
                raise ConflictError(
                    "the same request is at work",
                    hint="send it again a little later",
                    retry_after=_RETRY_AFTER,
                )
            return _response(claim.answer)
        try:
            answer = _answer(work, status)
        except BaseException:
            with self.context.database.write() as connection:
                release_key(connection, **who)
            raise
        with self.context.database.write() as connection:
            keep_answer(connection, **who, answer=answer)
        return _response(answer)


async def _once(
    request: Request,
    context: Wired,
    caller: Caller,
    idempotency_key: Annotated[
        str | None,
        Header(
            min_length=1,
            max_length=255,
            pattern=r"^[\x21-\x7e]+$",
            description="Drawn anew for each request, repeated when it is sent again.",
            examples=["8e03978e-40d5-43dd-bc93-6894a57f9324"],
        ),
    ] = None,
) -> OneAnswer:
    named = f"{request.method} {request.url.path}\n".encode()
    return OneAnswer(
        context=context,
        principal=caller,
        key=idempotency_key,
        request_digest=sha256(named + await request.body()).hexdigest(),
    )


Once = Annotated[OneAnswer, Depends(_once)]


def _answer(work: Callable[[], tuple[BaseModel, Mapping[str, str]]], status: int) -> StoredAnswer:
    model, headers = work()
    return StoredAnswer(status=status, headers=dict(headers), body=model.model_dump_json().encode())


def _response(answer: StoredAnswer) -> Response:
    return Response(
        answer.body, status_code=answer.status, headers=answer.headers, media_type=_JSON
    )
