"""The entry point ``srsign``: all commands in one application, and usage errors in our words.

Command modules import what they need when they run, so that ``srsign check`` starts quickly.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import NoReturn

import click
import typer

from sr import __version__
from sr.cli import (
    agent,
    amend,
    audit,
    author,
    bundle,
    certs,
    check,
    config,
    db,
    demo,
    doctor,
    inspect,
    mac,
    manifest,
    people,
    render,
    serve,
    sign,
    survives,
    template,
    token,
    trust,
    worker,
)
from sr.cli.command import accept_global_options
from sr.cli.exit_codes import INTERRUPTED, USAGE
from sr.cli.shell import Shell

__all__ = ["application", "main"]

_DESCRIPTION = """Author, sign and check DICOM reports and key object selections.

srsign COMMAND --help explains each command. Results go to standard output, everything else to
standard error; --json makes both readable for machines.
"""
_PYDANTIC = "Value error, "  # what Typer puts before the message of a parser
_MODULES = (
    demo,
    author,
    sign,
    amend,
    check,
    inspect,
    survives,
    mac,
    manifest,
    bundle,
    audit,
    render,
    token,
    trust,
    certs,
    template,
    serve,
    worker,
    agent,
    config,
    db,
    people,
    doctor,
)


def application() -> typer.Typer:
    """Return the command line with all its commands."""
    app = typer.Typer(
        name="srsign",
        help=_DESCRIPTION,
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["--help", "-h"], "max_content_width": 100},
    )
    accept_global_options(app, _print_version)
    for module in _MODULES:
        module.add_commands(app)
    return app


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit with the code of the public contract."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        code = application()(given, prog_name="srsign", standalone_mode=False)
    except click.ClickException as error:
        code = _usage_error(error, json="--json" in given)
    except typer.Abort:
        code = INTERRUPTED
    sys.exit(code)


def _usage_error(error: click.ClickException, *, json: bool) -> int:
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "srsign"
    message = error.format_message().replace(_PYDANTIC, "")
    if message.startswith("Usage:"):  # a group without a command: its help is the answer
        sys.stderr.write(f"{message}\n")
        return USAGE
    Shell(json=json).fault(
        f"{message[:1].lower()}{message[1:]}".rstrip("."),
        f"{command} --help explains the options",
        code="usage",
        exit_code=USAGE,
    )
    return USAGE


def _print_version(wanted: bool) -> None:  # noqa: FBT001 - called by Typer
    if wanted:
        sys.stdout.write(f"srsign {__version__}\n")
        raise typer.Exit
