"""A process that signs and approves while its disk fails now and then, and says how each went.

    python -m tests.support.fault_load FOLDER DOCUMENTS

One word a step: ``done``, or the code of the error. A step is one use case, tried once.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from sr.codes import SignaturePurpose
from sr.errors import SRError
from sr.store.documents import Document
from tests.support.service import open_service
from tests.support.signing import draft, sign


def _step(act: Callable[[], Document]) -> Document | None:
    try:
        document = act()
    except SRError as error:
        print(error.code)  # noqa: T201
        return None
    print("done")  # noqa: T201
    return document


def main(folder: Path, many: int) -> None:
    """Sign and approve documents, as far as the disk lets them."""
    service = open_service(folder)
    for _ in range(many):
        written = _step(lambda: draft(service))
        signed = _step(lambda w=written: sign(service, w)) if written else None
        if signed:
            _step(lambda s=signed: sign(service, s, "sam", SignaturePurpose.VERIFICATION))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
