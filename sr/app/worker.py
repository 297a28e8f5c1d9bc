"""One process of ``pool``: chunks of work come on standard input, answers go to standard output.

It imports what the work names and nothing else; in particular not the main module of the program
that started it, which may be a server that must not start twice.
"""

from __future__ import annotations

import os
import pickle
import sys

__all__ = ["serve"]


def serve() -> None:
    """Answer chunks until standard input ends.

    What anything prints meanwhile goes to standard error, for standard output carries the answers.
    """
    questions = sys.stdin.buffer
    with os.fdopen(os.dup(sys.stdout.fileno()), "wb") as answers:
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
        sys.stdout = sys.stderr
        while True:
            try:
                work, chunk = pickle.load(questions)  # noqa: S301 - from the parent, over a pipe
            except EOFError:
                return
            pickle.dump(_answer(work, chunk), answers)
            answers.flush()


def _answer(work: object, chunk: list[object]) -> tuple[bool, object]:
    """Return whether it went well, and the results, or the exception to raise in the caller."""
    try:
        return True, [work(item) for item in chunk]  # type: ignore[operator]
    except Exception as error:
        return False, error
