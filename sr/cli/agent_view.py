"""What ``srsign agent run`` shows: each document before it is signed, and what became of it."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from sr.cli.exit_codes import exit_code_of
from sr.cli.shell import Shell, error_as_dict, printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sr.app.signatures.offer import Offer, ShownDocument
    from sr.app.signatures.remote_signing import Ended

__all__ = ["ask_person", "document_lines", "tell_ended"]

_BAR = "│ "
"""Before each line of a document's content, so that none of it looks like ours."""


def ask_person(offer: Offer, document: ShownDocument) -> bool:
    """Show a document and ask; anything but yes is no.

    It is shown on the terminal itself: standard output and standard error may go to a file, where
    no patient belongs.
    """
    with open(os.ttyname(sys.stdin.fileno()), "w", encoding="utf-8") as terminal:  # noqa: PTH123
        for line in document_lines(offer, document):
            terminal.write(f"{printable(line)}\n")
        terminal.write("sign it? [y/N] ")
    answer = sys.stdin.readline()
    if not answer:
        raise KeyboardInterrupt
    return answer.strip().lower() in ("y", "yes")


def document_lines(offer: Offer, document: ShownDocument) -> Iterator[str]:
    """Yield what a person is shown before they confirm."""
    who = [document.patient_name or "without name"]
    who += [f"ID {document.patient_id}"] if document.patient_id else []
    who += [f"born {document.birth_date}"] if document.birth_date else []
    yield ""
    yield f"document    {document.n} of {len(offer.documents)}, match code {offer.match_code}"
    yield f"sign as     {document.purpose.code.meaning}"
    yield f"patient     {', '.join(who)}"
    yield f"study       {document.study}"
    yield f"title       {document.title} ({document.kind})"
    yield f"dated       {document.signed_at:%Y-%m-%d %H:%M:%S} UTC"
    yield f"covers      {len(document.covers)} elements, {document.evidence} instances with proof"
    yield from (f"{_BAR}{line}" for line in document.lines)


def tell_ended(shell: Shell, ended: Ended) -> None:
    """Say what became of a session."""
    indications = [str(each.get("indication")) for each in ended.verdicts]
    if shell.json:
        shell.print_line(
            "item",
            {
                "session": ended.offer.id,
                "documents": len(ended.offer.documents),
                "indications": indications,
                "declined": ended.declined,
                "error": error_as_dict(ended.error) if ended.error is not None else None,
            },
        )
    elif ended.error is not None:
        shell.error(ended.error, exit_code=exit_code_of(ended.error))
    if ended.is_kept:
        shell.tell("signed; the service keeps the signatures until there is a time-stamp")
    elif ended.declined:
        shell.tell("not signed")
    elif ended.error is None:
        shell.tell(f"{len(indications)} signed: {', '.join(indications)}")
