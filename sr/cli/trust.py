"""``srsign trust``: the certificates that a site trusts."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sr.cli.command import group, register
from sr.cli.exit_codes import PARTLY_FAILED, UNABLE
from sr.cli.shell import Shell, error_as_dict, printable
from sr.errors import ConfigurationError

if TYPE_CHECKING:
    from sr.app.trust_store import Kept, TrustStore
    from sr.app.trust_update import Updated
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
_UPDATE_EXAMPLES = """
srsign trust update
srsign trust update --list http://crl.example.org/root.crl
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
    """Add ``trust list``, ``trust add``, ``trust remove`` and ``trust update``."""
    commands = group("trust", "Certificates that checks trust where no --trust-anchor is given.")
    register(commands, "list", examples=_LIST_EXAMPLES)(list_certificates)
    register(commands, "add", examples=_ADD_EXAMPLES)(add)
    register(commands, "remove", examples=_REMOVE_EXAMPLES)(remove)
    register(commands, "update", examples=_UPDATE_EXAMPLES)(update)
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


def update(
    shell: Shell,
    lists: Annotated[
        list[str],
        typer.Option(
            "--list",
            metavar="URL",
            help="Where a revocation list is; repeatable; otherwise the setting trust.lists.",
        ),
    ] = [],
    directory: Directory = None,
) -> int:
    """Fetch revocation lists from configured addresses, for checks to come.

    A list is taken if a certificate that is kept signed it and it is not older than the one there.
    Checks themselves fetch nothing. Exit code 3 where some lists failed, 1 where all did.
    """
    from sr.app.settings import current_settings
    from sr.app.trust_update import update_lists
    from sr.compose import revocation_lists

    settings = current_settings()
    urls = tuple(lists) or tuple(settings.trust.lists.split())
    if not urls:
        raise ConfigurationError("no address is configured", hint="--list, or trust.lists")
    found = update_lists(_store(directory), urls, revocation_lists(settings))
    if shell.json:
        shell.print_object({"lists": [_updated_as_dict(each) for each in found]})
    else:
        shell.print(printable(_updated_line(each)) for each in found)
    failed = sum(each.error is not None for each in found)
    return UNABLE if failed == len(found) else PARTLY_FAILED if failed else 0


def _updated_line(each: Updated) -> str:
    if each.error is not None:
        return f"not taken: {each.url}: {each.error}"
    until = f"{each.next_update:%Y-%m-%d %H:%M:%SZ}" if each.next_update else "no date"
    return f"taken: {each.issuer}, next one {until}"


def _updated_as_dict(each: Updated) -> dict[str, Any]:
    return {
        "url": each.url,
        "issuer": each.issuer or None,
        "next_update": f"{each.next_update:%Y-%m-%dT%H:%M:%SZ}" if each.next_update else None,
        "error": error_as_dict(each.error) if each.error is not None else None,
    }


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
