"""Files that callers send: on disk under names of ours, each gone when the answer is.

Cites: RFC 7578.
"""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from fastapi import Request
from fastapi.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from sr.errors import ConfigurationError, TooLargeError
from sr.service.checking.checks import UploadedFile

__all__ = ["MOST_FILES", "uploaded"]

MOST_FILES = 1000
_BODY = "upload"
_LONGEST_NAME = 255
_BLOCK = 1 << 20
_TOO_MANY_FILES, _TOO_MANY_FIELDS = "Too many files", "Too many fields"
_EVIDENCE = "evidence"


@asynccontextmanager
async def uploaded(request: Request) -> AsyncIterator[tuple[UploadedFile, ...]]:
    """Give the files of a request: the parts of a form, or the body itself.

    Raises:
        ConfigurationError: The body is no form, or has no file.
        TooLargeError: There are too many files.

    Cites: RFC 7578 4.
    """
    with TemporaryDirectory(prefix="srsign-") as name:
        folder = Path(name)
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind == "multipart/form-data":
            yield await _parts(request, folder)
        else:
            yield (await _body(request, folder),)


async def _body(request: Request, folder: Path) -> UploadedFile:
    path = folder / _BODY
    with path.open("wb") as target:
        async for chunk in request.stream():
            if chunk:  # none at the end
                await run_in_threadpool(target.write, chunk)
    return UploadedFile(path=path, name=_BODY)


async def _parts(request: Request, folder: Path) -> tuple[UploadedFile, ...]:
    parser = MultiPartParser(request.headers, request.stream(), max_files=MOST_FILES, max_fields=0)
    try:
        form = await parser.parse()
    except MultiPartException as error:
        if error.message.startswith(_TOO_MANY_FILES):
            raise TooLargeError(f"a form has at most {MOST_FILES} files") from error
        if error.message.startswith(_TOO_MANY_FIELDS):
            raise ConfigurationError("a form has files here, and no other fields") from error
        raise ConfigurationError("the body is no form (multipart/form-data)") from error
    except (KeyError, ValueError) as error:  # no boundary; names in an unknown character set
        raise ConfigurationError("the body is no form (multipart/form-data)") from error
    try:
        parts = [(n, part) for n, part in form.multi_items() if isinstance(part, UploadFile)]
        files = [each for each in parts if each[1].filename or each[1].size]
        # a browser where nothing was chosen sends a part without name and content
        if not files:
            raise ConfigurationError("the form has no file")
        return tuple(
            [await run_in_threadpool(_kept, *each, folder, n) for n, each in enumerate(files, 1)]
        )
    finally:
        await form.close()


def _kept(field: str, part: UploadFile, folder: Path, n: int) -> UploadedFile:
    """Write a part under a number; what the caller calls it is for the answer only."""
    path = folder / f"{n:06d}"
    with path.open("wb") as target:
        shutil.copyfileobj(part.file, target, _BLOCK)
    return UploadedFile(
        path=path,
        name=(part.filename or path.name)[-_LONGEST_NAME:],
        is_evidence=field == _EVIDENCE,
    )
