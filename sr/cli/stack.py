"""``srsign sign`` with several files: a stack, confirmed document by document."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from sr.cli.exit_codes import PARTLY_FAILED, UNABLE
from sr.cli.shell import Shell, error_as_dict, printable
from sr.errors import ConfigurationError

if TYPE_CHECKING:
    from sr.app.signatures.stack import Signed, StackDocument
    from sr.signature.signing_policy import SigningPolicy

__all__ = ["confirmation", "tell_end", "tell_one"]


def confirmation(policy: SigningPolicy, *, yes: bool) -> Callable[[StackDocument], bool]:
    """Return who confirms each document: the person at the terminal, or ``--yes``.

    Raises:
        ConfigurationError: There is neither, or the policy wants the person.
    """
    if yes and policy.unattended:
        return lambda _: True
    if yes:
        raise ConfigurationError(f"the signing policy {policy.id} wants each document confirmed")
    if not sys.stdin.isatty():
        raise ConfigurationError(
            "nobody is there to confirm each document", hint="say --yes, or sign one at a time"
        )
    return _ask


def _ask(document: StackDocument) -> bool:
    what = "; ".join(
        part for part in (document.title, document.patient_name, document.patient_id) if part
    )
    sys.stderr.write(printable(f"sign {document.source.name} ({what})? [y/N] "))
    sys.stderr.flush()
    answer = sys.stdin.readline()
    if not answer:
        raise KeyboardInterrupt
    return answer.strip().lower() in ("y", "yes")


def tell_end(shell: Shell, made: Sequence[Signed]) -> int:
    """Say how a stack ended, and return the exit code."""
    signed = [item for item in made if item.result is not None]
    failed = [item for item in made if item.error is not None]
    left_out = len(made) - len(signed) - len(failed)
    summary = {"signed": len(signed), "left_out": left_out, "failed": len(failed)}
    if shell.json:
        shell.print_line("summary", summary)
    shell.tell(", ".join(f"{number} {what.replace('_', ' ')}" for what, number in summary.items()))
    if not failed:
        return 0
    return PARTLY_FAILED if signed else UNABLE


def tell_one(shell: Shell, item: Signed) -> None:
    """Say what became of one document of a stack."""
    result, error = item.result, item.error
    for notice in result.notices if result is not None else ():
        shell.notice(notice)
    if shell.json:
        shell.print_line(
            "item",
            {
                "source": str(item.source),
                "output": str(result.output) if result is not None else None,
                "digital_signature_uid": result.digital_signature_uid if result else None,
                "error": error_as_dict(error) if error is not None else None,
            },
        )
    elif error is not None:
        shell.error(error, exit_code=UNABLE)
    shell.tell(f"{item.source}: {'signed' if result is not None else 'not signed'}")
