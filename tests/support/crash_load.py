"""A process that makes children which sign and approve under load, and kills each at some point.

    python -m tests.support.crash_load FOLDER

For each line of its input a child is forked that opens the service of the folder, recovers it as a
start does, and lets three people write, sign and approve at once. What was acknowledged to them is
printed, one JSON line each, only after the use case returned. The next line is a delay in seconds,
after which the child is killed with SIGKILL, and ``{"killed": …}`` is printed.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import tempfile
import time
from pathlib import Path
from threading import Thread

from sr.codes import SignaturePurpose
from sr.service.operation.recovery import recover
from sr.store.documents import Document
from tests.support.service import Service, open_service
from tests.support.signing import draft, sign

_PEOPLE = 3


def _say(**what: object) -> None:
    os.write(1, json.dumps(what).encode() + b"\n")  # short enough to be written as one


def _acknowledge(document: Document) -> Document:
    _say(uid=document.sop_instance_uid, sha256=document.sha256, state=document.state)
    return document


def _work(service: Service) -> None:
    while True:
        written = _acknowledge(draft(service))
        signed = _acknowledge(sign(service, written))
        _acknowledge(sign(service, signed, "sam", SignaturePurpose.VERIFICATION))


def _child(folder: Path) -> None:
    service = open_service(folder)
    recovered = recover(service.context)
    _say(finished=recovered.finished, voided=recovered.voided)
    people = [Thread(target=_work, args=(service,), daemon=True) for _ in range(_PEOPLE)]
    for thread in people:
        thread.start()
    for thread in people:
        thread.join()


def _warm() -> None:
    """Do everything once, so that children begin with modules and keys loaded."""
    with tempfile.TemporaryDirectory() as folder:
        service = open_service(Path(folder) / "warm")
        sign(service, sign(service, draft(service)), "sam", SignaturePurpose.VERIFICATION)
        service.context.database.close()


def main(folder: Path) -> None:
    """Serve the lines of the input."""
    _warm()
    for _ in sys.stdin:
        child = os.fork()
        if child == 0:
            try:
                _child(folder)
            finally:
                os._exit(1)
        time.sleep(float(sys.stdin.readline()))
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        _say(killed=os.WIFSIGNALED(status))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
