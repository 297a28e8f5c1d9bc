"""``srsign token``: what is plugged in, whether a key works, and how a key gets onto a token."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sr.cli import options as o
from sr.cli.command import group, register
from sr.cli.shell import Shell, printable

if TYPE_CHECKING:
    from sr.keys import TokenInfo

__all__ = ["add_commands"]

_EXAMPLES = """
srsign token list
srsign token list --module /usr/lib/x86_64-linux-gnu/opensc-pkcs11.so --json
"""


_TEST_EXAMPLES = """
srsign token test --key 'pkcs11:token=Meier;object=signature'
srsign token test --key pkcs12:author.p12 --pin-file passphrase
"""
_IMPORT_EXAMPLES = """
srsign token import 'pkcs11:token=Meier' --key file:author.key --cert author.pem
srsign token import 'pkcs11:token=Meier;id=%01' --cert author.pem
"""


def add_commands(app: typer.Typer) -> None:
    """Add ``token list``, ``token test`` and ``token import``."""
    commands = group("token", "Tokens and smart cards, and what is on them.")
    register(commands, "list", examples=_EXAMPLES)(list_tokens)
    register(commands, "test", examples=_TEST_EXAMPLES)(try_key)
    register(commands, "import", examples=_IMPORT_EXAMPLES)(import_key)
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


def try_key(
    shell: Shell, key: o.KeyURI, cert: o.Certificates = [], pin_file: o.PinFile = None
) -> None:
    """Try a key: token, certificate, PIN, signature, and a document signed and read back.

    Prints each step that works; the error names the one that does not. Nothing is written.
    """
    from sr import compose
    from sr.app.signatures import tokens

    steps: list[tokens.Step] = []
    try:
        for step in tokens.try_key(o.credentials(key, cert, pin_file), compose.ports()):
            steps.append(step)
            if not shell.json:
                shell.print([printable(f"✔ {step.name:<12} {step.found}")])
    finally:
        if shell.json:
            shell.print_object({"steps": [{"name": s.name, "found": s.found} for s in steps]})
    shell.tell("the key signs")


def import_key(
    shell: Shell,
    token: Annotated[
        str,
        typer.Argument(
            metavar="TOKEN",
            help="pkcs11: URI of the token; object= and id= name the key, if you choose.",
        ),
    ],
    key: o.OptionalKeyURI = None,
    cert: o.Certificates = [],
    pin_file: o.PinFile = None,
    passphrase_file: Annotated[
        Path | None,
        typer.Option(
            "--passphrase-file", metavar="FILE", help="File with the passphrase of the key's file."
        ),
    ] = None,
) -> None:
    """Write a key and its certificate onto a token, and print the URI to sign with.

    Without --key only the certificate of a key that was made on the token is written. A key that
    is on a token never leaves it; delete the file that it came from.
    """
    from sr.app.signatures.tokens import import_key

    made = import_key(
        token,
        key=key,
        certificates=tuple(cert),
        secrets=o.secrets(pin_file),
        passphrase=o.secrets(passphrase_file),
    )
    if shell.json:
        shell.print_object({"uri": made})
    else:
        shell.print([made])
    shell.tell("imported, and its first signature was right" if key else "imported")


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
