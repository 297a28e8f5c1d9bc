"""What every command has in common: the global options, and what becomes of errors.

A command is a function whose first parameter is the ``Shell``; it returns an exit code, or nothing
for 0. ``register`` adds the global options to it, so that they work before and after its name. A
parameter whose type is a dataclass stands for an option for each of its fields: what several
commands share is declared once.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from inspect import Parameter, Signature, cleandoc, signature
from traceback import format_tb
from typing import Annotated, Any, get_type_hints

import typer

from sr.cli.exit_codes import INTERRUPTED, UNABLE, exit_code_of
from sr.cli.shell import Progress, Shell
from sr.errors import SRError

__all__ = ["GLOBAL_OPTIONS", "accept_global_options", "group", "register"]

Command = Callable[..., int | None]

_PANEL = "Global options"
GLOBAL_OPTIONS = (
    ("json", bool, typer.Option("--json", help="Print JSON.", rich_help_panel=_PANEL)),
    ("quiet", bool, typer.Option("--quiet", "-q", help="Say errors only.", rich_help_panel=_PANEL)),
    ("verbose", bool, typer.Option("--verbose", "-v", help="Say more.", rich_help_panel=_PANEL)),
    ("no_color", bool, typer.Option("--no-color", help="Use no colour.", rich_help_panel=_PANEL)),
    (
        "progress",
        Progress | None,
        typer.Option("--progress", help="How to show progress.", rich_help_panel=_PANEL),
    ),
)
"""Name, type and declaration of the options that every command takes."""


def group(name: str, text: str) -> typer.Typer:
    """Return an empty group of commands."""
    return typer.Typer(
        name=name,
        help=text,
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["--help", "-h"]},
    )


def register(app: typer.Typer, name: str, *, examples: str = "") -> Callable[[Command], Command]:
    """Return a decorator that adds a function to a group as a command.

    Args:
        app: The group.
        name: The command's name.
        examples: Command lines for its help text, one a line.
    """

    def decorate(function: Command) -> Command:
        app.command(
            name,
            help=_help(function, examples),
            context_settings={"help_option_names": ["--help", "-h"]},
        )(_with_global_options(function))
        return function

    return decorate


def accept_global_options(app: typer.Typer, version: Callable[[bool], None]) -> None:
    """Let the global options, and ``--version``, stand before the name of a command."""

    def remember(context: typer.Context, **given: Any) -> None:
        context.obj = {name: given[name] for name, _, _ in GLOBAL_OPTIONS if given[name]}

    option = typer.Option("--version", help="Print the version.", callback=version, is_eager=True)
    eager = Parameter("version", _KEYWORD, default=False, annotation=Annotated[bool, option])
    remember.__signature__ = Signature([_CONTEXT, *_global_parameters(), eager])  # type: ignore[attr-defined]
    remember.__annotations__ = {}
    app.callback()(remember)


def _help(function: Command, examples: str) -> str:
    text = cleandoc(function.__doc__ or "")
    lines = "\n".join(f"  {line}" for line in examples.strip().splitlines())
    return f"{text}\n\n\b\nExamples:\n{lines}" if examples else text


def _with_global_options(function: Command) -> Command:
    declared = list(signature(function, eval_str=True).parameters.values())[1:]
    families = {p.name: p.annotation for p in declared if _is_family(p)}
    own = [option for p in declared for option in _options_of(p)]

    def run(context: typer.Context, **given: Any) -> None:
        said = {name: given.pop(name) for name, _, _ in GLOBAL_OPTIONS}
        for name, family in families.items():
            given[name] = family(**{field.name: given.pop(field.name) for field in fields(family)})
        known = (context.obj or {}) | {name: value for name, value in said.items() if value}
        raise typer.Exit(_guarded(function, Shell(**known), given))

    run.__signature__ = Signature(  # type: ignore[attr-defined]
        [_CONTEXT, *(p.replace(kind=_KEYWORD) for p in own), *_global_parameters()]
    )
    run.__annotations__ = {}
    return run


def _is_family(parameter: Parameter) -> bool:
    return is_dataclass(parameter.annotation)


def _options_of(parameter: Parameter) -> list[Parameter]:
    """Return a parameter itself, or one for each field of the dataclass that is its type."""
    if not _is_family(parameter):
        return [parameter]
    kinds = get_type_hints(parameter.annotation, include_extras=True)
    return [
        Parameter(field.name, _KEYWORD, default=field.default, annotation=kinds[field.name])
        for field in fields(parameter.annotation)
    ]


_KEYWORD = Parameter.KEYWORD_ONLY
_CONTEXT = Parameter("context", Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context)


def _global_parameters() -> list[Parameter]:
    return [
        Parameter(
            name,
            _KEYWORD,
            default=False if kind is bool else None,
            annotation=Annotated[kind, option],
        )
        for name, kind, option in GLOBAL_OPTIONS
    ]


def _guarded(function: Command, shell: Shell, given: dict[str, Any]) -> int:
    try:
        code = function(shell, **given) or 0
        sys.stdout.flush()
    except SRError as error:
        code = exit_code_of(error)
        shell.error(error, exit_code=code)
    except KeyboardInterrupt:
        shell.tell("interrupted")
        code = INTERRUPTED
    except BrokenPipeError:  # whoever read our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = UNABLE
    except (typer.Exit, typer.BadParameter):
        raise
    except Exception as error:
        # Its text could hold anything, a patient's name or a PIN, so only its type and place leave.
        if shell.verbose:
            sys.stderr.writelines(format_tb(error.__traceback__))
        shell.fault(
            f"unexpected {type(error).__name__}",
            "this is a fault in srsign; run it again with -v and report what it prints",
            code="unexpected",
            exit_code=UNABLE,
        )
        code = UNABLE
    return code
