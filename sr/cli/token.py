"""``srsign token``: what is plugged in, and how to name the keys on it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sr.cli.command import group, register
from sr.cli.shell import Shell, printable

if TYPE_CHECKING:
    from sr.keys import TokenInfo

__all__ = ["add_commands"]

_EXAMPLES = """
srsign token list
srsign token list --module /usr/lib/x86_64-linux-gnu/opensc-pkcs11.so --json
"""


def add_commands(app: typer.Typer) -> None:
    """Add ``token list``."""
    commands = group("token", "Tokens and smart cards, and what is on them.")
    register(commands, "list", examples=_EXAMPLES)(list_tokens)
    app.add_typer(commands)


def list_tokens(
    shell: Shell,
    module: Annotated[
        Path | None,
        typer.Option(
            "--module",
            metavar="PATH",
            help="PKCS #11 module; otherwise SRSIGN_PKCS11_MODULE or one of the usual places.",
        ),
    ] = None,
) -> None:
    """List tokens and their certificates with the key URI of each; asks for no PIN."""
    from sr import keys

    tokens = keys.list_tokens(module)
    if shell.json:
        shell.print_object({"tokens": [_as_dict(token) for token in tokens]})
    else:
        shell.print(printable(line) for line in _lines(tokens))
        if not tokens:
            shell.tell("no token is present")


def _lines(tokens: Sequence[TokenInfo]) -> Iterator[str]:
    for token in tokens:
        made = " ".join(filter(None, (token.manufacturer, token.model)))
        yield f"{token.label} (serial {token.serial}; {made})"
        for flag in sorted(token.flags):
            yield f"  {flag.value}"
        for certificate in token.certificates:
            yield f"  {certificate.subject}"
            yield f"    {certificate.uri}"


def _as_dict(token: TokenInfo) -> dict[str, Any]:
    return {
        "label": token.label,
        "serial": token.serial,
        "manufacturer": token.manufacturer,
        "model": token.model,
        "flags": sorted(flag.value for flag in token.flags),
        "certificates": [
            {
                "label": certificate.label,
                "id": certificate.object_id.hex(),
                "subject": certificate.subject,
                "uri": certificate.uri,
            }
            for certificate in token.certificates
        ],
    }
