"""``srsign trust``: the certificates that a site trusts."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sr.cli.command import group, register
from sr.cli.exit_codes import PARTLY_FAILED, UNABLE
from sr.cli.shell import Shell, error_as_dict, printable
from sr.errors import ConfigurationError

if TYPE_CHECKING:
    from sr.app.trust.responder_update import Answered
    from sr.app.trust.trust_store import Kept, TrustStore
    from sr.app.trust.trust_update import Updated
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
srsign trust update report.dcm meier.pem --responder 3f9a0c1d=http://ocsp.example.org
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
    from sr.app.trust.trust_store import Use, certificates_in

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
    named: Annotated[
        list[Path],
        typer.Argument(
            metavar="[FILE]...",
            help="Whom to ask responders about: certificates (PEM or DER), or signed DICOM files.",
        ),
    ] = [],
    lists: Annotated[
        list[str],
        typer.Option(
            "--list",
            metavar="URL",
            help="Where a revocation list is; repeatable; otherwise the setting trust.lists.",
        ),
    ] = [],
    responder: Annotated[
        list[str],
        typer.Option(
            "--responder",
            metavar="ISSUER=URL",
            help="OCSP responder of an issuer, who is named by 8 digits or more of the "
            "fingerprint; repeatable; otherwise the setting trust.responders.",
        ),
    ] = [],
    directory: Directory = None,
) -> int:
    """Fetch revocation lists and ask OCSP responders at configured addresses, for checks to come.

    A list is taken if a certificate that is kept signed it and it is not older than the one there.
    Responders are asked about the issuing certificates that are kept and about those in FILE; an
    answer is taken if the issuer, or whom the issuer authorised, signed it, and it is current.
    Checks themselves fetch nothing. Exit code 3 where some failed, 1 where all did.
    """
    from sr.app.settings import current_settings
    from sr.app.trust.responder_update import certificates_named, parse_responders, update_responses
    from sr.app.trust.trust_update import update_lists
    from sr.compose import asking, revocation_lists

    settings, store = current_settings(), _store(directory)
    urls = tuple(lists) or tuple(settings.trust.lists.split())
    responders = parse_responders(tuple(responder) or tuple(settings.trust.responders.split()))
    if not urls and not responders:
        raise ConfigurationError(
            "no address is configured",
            hint="--list and --responder, or trust.lists and trust.responders",
        )
    if named and not responders:
        raise ConfigurationError("no responder is configured", hint="--responder, trust.responders")
    about = tuple(der for path in named for der in certificates_named(path))
    updated = update_lists(store, urls, revocation_lists(settings))
    answered = update_responses(store, responders, asking(settings), named=about)
    if shell.json:
        shell.print_object(
            {
                "lists": [_updated_as_dict(each) for each in updated],
                "responses": [_answered_as_dict(each) for each in answered],
            }
        )
    else:
        shell.print(printable(_updated_line(each)) for each in updated)
        shell.print(printable(_answered_line(each)) for each in answered)
    if responders and not answered:
        shell.tell("no responder answers for a certificate that is kept; name files to ask about")
    errors = [*(each.error for each in updated), *(each.error for each in answered)]
    failed = sum(error is not None for error in errors)
    return PARTLY_FAILED if 0 < failed < len(errors) else UNABLE if failed else 0


def _updated_line(each: Updated) -> str:
    if each.error is not None:
        return f"not taken: {each.url}: {each.error}"
    return f"taken: {each.issuer}, next one {_until(each.next_update)}"


def _answered_line(each: Answered) -> str:
    subject = each.certificate.subject
    if each.error is not None:
        return f"not taken: {subject}: {each.error}"
    return f"{each.state}: {subject}, next answer {_until(each.next_update)}"


def _until(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%SZ}" if moment else "no date"


def _answered_as_dict(each: Answered) -> dict[str, Any]:
    return {
        **each.certificate.as_dict(),
        "url": each.url or None,
        "state": None if each.error is not None else each.state.value,
        "next_update": _moment(each.next_update),
        "error": error_as_dict(each.error) if each.error is not None else None,
    }


def _moment(moment: datetime | None) -> str | None:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}" if moment else None


def _updated_as_dict(each: Updated) -> dict[str, Any]:
    return {
        "url": each.url,
        "issuer": each.issuer or None,
        "next_update": _moment(each.next_update),
        "error": error_as_dict(each.error) if each.error is not None else None,
    }


def _store(directory: Path | None) -> TrustStore:
    from sr.app.settings import current_settings
    from sr.app.trust.trust_store import TrustStore

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
