"""``srsign trust``: the certificates that a site trusts."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sr.cli.command import group, register
from sr.cli.shell import Shell, printable
from sr.errors import ConfigurationError

if TYPE_CHECKING:
    from sr.app.trust_store import Kept, TrustStore
    from sr.trust import CertificateSummary

__all__ = ["add_commands"]

_LIST_EXAMPLES = """
srsign trust list
srsign trust list --json
"""
_ADD_EXAMPLES = """
srsign trust add root.pem
srsign trust add issuing.pem --intermediate
srsign trust add root.pem --yes --directory /etc/srsign/trust
"""
_REMOVE_EXAMPLES = """
srsign trust remove 3f9a0c1d
"""
Directory = Annotated[
    Path | None,
    typer.Option(
        "--directory",
        metavar="DIR",
        help="Where they are kept; otherwise the setting trust.directory.",
    ),
]


def add_commands(app: typer.Typer) -> None:
    """Add ``trust list``, ``trust add`` and ``trust remove``."""
    commands = group("trust", "Certificates that checks trust where no --trust-anchor is given.")
    register(commands, "list", examples=_LIST_EXAMPLES)(list_certificates)
    register(commands, "add", examples=_ADD_EXAMPLES)(add)
    register(commands, "remove", examples=_REMOVE_EXAMPLES)(remove)
    app.add_typer(commands)


def list_certificates(shell: Shell, directory: Directory = None) -> None:
    """List the certificates that are kept, with their fingerprints."""
    store = _store(directory)
    kept = store.kept()
    if shell.json:
        shell.print_object({"certificates": [_as_dict(each) for each in kept]})
        return
    shell.print(printable(line) for each in kept for line in _lines(each))
    if not kept:
        shell.tell(f"no certificate is kept in {store.folder}")


def add(
    shell: Shell,
    files: Annotated[list[Path], typer.Argument(metavar="FILE", help="PEM or DER.")],
    intermediate: Annotated[
        bool,
        typer.Option(
            "--intermediate", help="Issuing certificates: trusted only through an anchor."
        ),
    ] = False,
    yes: Annotated[
        bool, typer.Option("--yes", help="Do not ask; the fingerprints were compared before.")
    ] = False,
    directory: Directory = None,
) -> None:
    """Trust certificates from now on, after their fingerprints have been compared.

    Compare each fingerprint with one that you got another way: by telephone, on paper, from the
    authority's own page.
    """
    from sr.app.trust_store import Use, certificates_in

    store = _store(directory)
    use = Use.INTERMEDIATE if intermediate else Use.ANCHOR
    certificates = [each for path in files for each in certificates_in(path)]
    if not yes:
        _ask(certificates, "issuing" if intermediate else "trusted")
    kept = [store.add(each, use) for each in certificates]
    if shell.json:
        shell.print_object({"certificates": [_as_dict(each) for each in kept]})
    else:
        shell.print(printable(line) for each in kept for line in _lines(each))


def remove(
    shell: Shell,
    fingerprint: Annotated[
        str, typer.Argument(metavar="FINGERPRINT", help="The first 8 digits or more.")
    ],
    directory: Directory = None,
) -> None:
    """Trust a certificate no longer."""
    removed = _store(directory).remove(fingerprint)
    shell.tell(f"no longer kept: {removed.certificate.subject}")


def _store(directory: Path | None) -> TrustStore:
    from sr.app.settings import current_settings
    from sr.app.trust_store import TrustStore

    return TrustStore((directory or Path(current_settings().trust.directory)).expanduser())


def _ask(certificates: list[CertificateSummary], role: str) -> None:
    if not sys.stdin.isatty():
        raise ConfigurationError(
            "nobody is there to compare the fingerprints", hint="say --yes if that was done"
        )
    for each in certificates:
        for line in (each.subject, f"SHA-256 {_spaced(each.sha256)}"):
            sys.stderr.write(f"{printable(line)}\n")
        sys.stderr.write(f"Is this the fingerprint of the {role} certificate you mean? [y/N] ")
        sys.stderr.flush()
        if sys.stdin.readline().strip().lower() not in ("y", "yes"):
            raise ConfigurationError("not confirmed; nothing was changed")


def _lines(kept: Kept) -> Iterator[str]:
    each = kept.certificate
    yield f"{kept.use.name.lower()}  {each.subject}"
    yield f"  SHA-256 {_spaced(each.sha256)}"
    yield f"  valid from {each.not_before:%Y-%m-%d} to {each.not_after:%Y-%m-%d}"


def _as_dict(kept: Kept) -> dict[str, Any]:
    each = kept.certificate
    return {
        "use": kept.use.name.lower(),
        **each.as_dict(),
        "not_before": f"{each.not_before:%Y-%m-%dT%H:%M:%SZ}",
        "not_after": f"{each.not_after:%Y-%m-%dT%H:%M:%SZ}",
        "file": str(kept.path),
    }


def _spaced(fingerprint: str) -> str:
    return " ".join(fingerprint[n : n + 8] for n in range(0, len(fingerprint), 8))
