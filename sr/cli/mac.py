"""``srsign mac``: the exact bytes that a MAC covers, and the MAC of files."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sr.cli.command import group, register
from sr.cli.exit_codes import PARTLY_FAILED, UNABLE
from sr.cli.shell import Shell
from sr.cli.sign import parse_algorithm
from sr.errors import ConfigurationError

if TYPE_CHECKING:
    from sr.app.checks.mac import DumpedChunk

__all__ = ["add_commands"]

_DUMP_EXAMPLES = """
srsign mac dump report.dcm -o stream.bin
srsign mac dump report.dcm --signature 1 -o stream.bin
srsign mac dump ct.dcm --tags '0008,0018 7FE0,0010' -o - | sha256sum
"""
_COMPUTE_EXAMPLES = """
srsign mac compute ct.dcm
srsign mac compute images/ --algorithm SHA512 --jobs 4 --json > macs.jsonl
srsign mac compute images/ --algorithm SHA512 --jobs 4 --json --resume macs.jsonl >> macs.jsonl
"""
_STANDARD_OUTPUT = Path("-")


def add_commands(app: typer.Typer) -> None:
    """Add ``mac dump`` and ``mac compute``."""
    commands = group("mac", "The MAC of files, and the exact bytes that a MAC covers.")
    register(commands, "dump", examples=_DUMP_EXAMPLES)(dump)
    register(commands, "compute", examples=_COMPUTE_EXAMPLES)(compute)
    app.add_typer(commands)


def dump(
    shell: Shell,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Document or image.")],
    tags: Annotated[
        str | None,
        typer.Option(
            "--tags",
            metavar="signable|author|gggg,eeee…",
            help="What to cover: everything signable (default), what an author signature covers, "
            "or a list of tags.",
        ),
    ] = None,
    signature: Annotated[
        str | None,
        typer.Option(
            "--signature",
            metavar="UID|N",
            help="What this signature covers, the signature item included; N counts from 1.",
        ),
    ] = None,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="OUT", help="File to write, - for stdout.")
    ] = _STANDARD_OUTPUT,
) -> None:
    """Write the bytes that a MAC or signature covers, before any digest.

    With -v each element is listed with its offset and length in the stream.
    """
    from sr.app.checks.mac import dump as dump_stream
    from sr.app.checks.mac import write_dump

    if output == _STANDARD_OUTPUT and sys.stdout.isatty():
        raise ConfigurationError("the stream is binary", hint="name a file with -o")
    chunks = dump_stream(file, tags=tags, signature=signature)
    if output == _STANDARD_OUTPUT:
        total = sum(_pass_on(shell, chunks))
        sys.stdout.buffer.flush()
    else:
        total = write_dump(output, _listed(shell, chunks), source=file)
    shell.tell(f"{total} bytes → {'standard output' if output == _STANDARD_OUTPUT else output}")


def _pass_on(shell: Shell, chunks: Iterable[DumpedChunk]) -> Iterable[int]:
    for chunk in _listed(shell, chunks):
        for block in chunk.blocks():
            sys.stdout.buffer.write(block)
        yield chunk.length


def _listed(shell: Shell, chunks: Iterable[DumpedChunk]) -> Iterable[DumpedChunk]:
    for chunk in chunks:
        shell.detail(f"{chunk.offset:>10} {chunk.length:>10}  {chunk.label}")
        yield chunk


def compute(
    shell: Shell,
    files: Annotated[list[Path], typer.Argument(metavar="FILE|DIR", help="Instances.")],
    algorithm: Annotated[
        Any,
        typer.Option(
            "--algorithm", parser=parse_algorithm, metavar="TERM", help="SHA256, SHA384 …"
        ),
    ] = "SHA256",
    private: Annotated[bool, typer.Option("--private", help="Cover private elements too.")] = False,
    jobs: Annotated[int, typer.Option("--jobs", min=1, metavar="N", help="Processes.")] = 1,
    resume: Annotated[
        Path | None,
        typer.Option(
            "--resume",
            metavar="EARLIER.jsonl",
            help="Leave out files whose MAC an earlier run with --json wrote here, if unchanged.",
        ),
    ] = None,
) -> int:
    """Compute the MAC of instances, as a secure reference carries it.

    Exit code 3 where it failed for some of several files, 1 where it failed for all.
    """
    from sr.app.checks.mac_pool import compute as compute_macs
    from sr.app.checks.mac_pool import not_yet_computed
    from sr.app.documents.evidence_folder import expand

    several = len(files) > 1 or files[0].is_dir()
    paths = expand(files) if several else tuple(files)
    if not paths:
        raise ConfigurationError("there is no file in these folders")
    if resume is not None:
        everything, several = len(paths), True
        paths = not_yet_computed(paths, resume, algorithm, private=private)
        shell.tell(f"{everything - len(paths)} of {everything} files are in {resume} already")
    failed = 0
    with shell.following("computing", len(paths)) as steps:
        for result in compute_macs(paths, algorithm, private=private, jobs=jobs):
            failed += "error" in result
            _show(shell, result, several=several)
            steps.advance()
    if several and shell.json:
        shell.print_line("summary", {"total": len(paths), "errors": failed})
    if not failed:
        return 0
    return PARTLY_FAILED if failed < len(paths) else UNABLE


def _show(shell: Shell, result: dict[str, Any], *, several: bool) -> None:
    if shell.json:
        if several:
            shell.print_line("item", result)
        else:
            shell.print_object(result)
    elif "error" in result:
        error = result["error"]
        shell.fault(
            f"{result['file']}: {error['message']}",
            error["hint"],
            code=error["code"],
            exit_code=UNABLE,
        )
    else:
        shell.print([f"{result['mac']}  {result['file']}"])
