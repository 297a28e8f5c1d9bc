"""``srsign agent``: sign at this machine, where the card is, what a service elsewhere prepared."""

from __future__ import annotations

import sys
import time
from hashlib import sha256
from pathlib import Path
from platform import node
from typing import TYPE_CHECKING, Annotated

import typer

from sr.cli import options as o
from sr.cli.agent_view import ask_person, tell_ended
from sr.cli.command import group, register
from sr.cli.exit_codes import PARTLY_FAILED, exit_code_of
from sr.cli.shell import Shell, printable
from sr.errors import ConfigurationError, ExternalServiceError, SRError

if TYPE_CHECKING:
    from cryptography import x509

    from sr.app.signatures.pairings import Pairings
    from sr.app.signatures.remote_signing import Ended, Signatory
    from sr.net.agent_client import AgentClient

__all__ = ["add_commands"]

_PAIR_EXAMPLES = """
srsign agent pair https://srsign.example.org
srsign agent pair https://srsign.example.org --label 'reading room 3'
"""
_RUN_EXAMPLES = """
srsign agent run --key 'pkcs11:token=Meier' --cert meier.pem
srsign agent run --key pkcs12:meier.p12 --once
srsign agent run --key 'pkcs11:token=Meier' --service https://srsign.example.org
"""
_LIST_EXAMPLES = """
srsign agent list
srsign agent list --json
"""
_FORGET_EXAMPLES = """
srsign agent forget
srsign agent forget https://srsign.example.org
"""
_WAIT = 25
_PAUSE = 5

_Service = Annotated[
    str | None,
    typer.Option("--service", metavar="URL", help="Which service, where several are paired."),
]
_Directory = Annotated[
    Path,
    typer.Option("--directory", metavar="DIR", help="Where pairings are kept, readable by you."),
]
_FOLDER = Path("~/.config/srsign/agents")


def add_commands(app: typer.Typer) -> None:
    """Add ``agent pair``, ``agent run``, ``agent list`` and ``agent forget``."""
    commands = group("agent", "Sign where the card is what a service elsewhere prepared.")
    register(commands, "pair", examples=_PAIR_EXAMPLES)(pair)
    register(commands, "run", examples=_RUN_EXAMPLES)(run)
    register(commands, "list", examples=_LIST_EXAMPLES)(list_pairings)
    register(commands, "forget", examples=_FORGET_EXAMPLES)(forget)
    app.add_typer(commands)


def pair(
    shell: Shell,
    service: Annotated[str, typer.Argument(metavar="URL", help="Address of the service.")],
    label: Annotated[
        str, typer.Option("--label", metavar="TEXT", help="What this agent is called there.")
    ] = "",
    directory: _Directory = _FOLDER,
) -> None:
    """Pair this machine with your login at a service.

    Shows a code, which you enter at the service's page, where you are logged in. The token that the
    service then gives is kept in a file that only you can read; it is good for signing sessions of
    yours and nothing else, for 90 days, and you can revoke it at the service.
    """
    from sr.net.agent_client import ask_code, take_token
    from sr.net.service import HTTPService, service_url

    url = service_url(service)
    there = HTTPService(url=url)
    asked = ask_code(there, label or node() or "signing agent")
    if shell.json:
        said = {"user_code": asked.user_code, "verification_uri": asked.verification_uri}
        shell.print_line("code", said)
    else:
        line = f"enter the code {asked.user_code} at {asked.verification_uri}, where you log in"
        shell.print([printable(line)])
    while (pairing := take_token(there, asked, url)) is None:
        time.sleep(asked.interval)
    _pairings(directory).keep(pairing)
    if shell.json:
        until = pairing.expires_at.isoformat()
        said = {"service": url, "login": pairing.login, "expires_at": until}
        shell.print_line("paired", said)
    shell.tell(
        f"paired with {pairing.display_name} ({pairing.login}), until {pairing.expires_at:%Y-%m-%d}"
    )


def run(
    shell: Shell,
    key: o.KeyURI,
    cert: o.Certificates = [],
    once: Annotated[bool, typer.Option("--once", help="Sign what waits now, and end.")] = False,
    service: _Service = None,
    signing_policy: Annotated[
        str,
        typer.Option(
            "--signing-policy",
            metavar="ID",
            help="How far one PIN reaches; standard, supervised or single.",
        ),
    ] = "standard",
    pin_file: o.PinFile = None,
    directory: _Directory = _FOLDER,
) -> int:
    """Wait for signing sessions of yours, show each document, and sign what you confirm.

    What is shown is read from the very bytes that will be signed; where the service says something
    else, the session is refused. Compare the match code with the one on the service's page. The PIN
    is asked for here and goes to the token only. Ctrl-C ends.
    """
    from sr import compose
    from sr.app.signatures.remote_signing import Signatory
    from sr.app.signatures.signing import load_certificates, signer_of
    from sr.app.signatures.signing_span import SigningSpan
    from sr.net.agent_client import AgentClient
    from sr.net.service import HTTPService, service_url
    from sr.signature.signing_policy import load_signing_policy

    if not sys.stdin.isatty():
        raise ConfigurationError("nobody is there to confirm each document", hint="use a terminal")
    pairing = _pairings(directory).one(service_url(service) if service else None)
    there = AgentClient(service=HTTPService(url=pairing.url), token=pairing.token)
    credentials, ports = o.credentials(key, cert, pin_file), compose.signing_ports()
    with SigningSpan(
        lambda: signer_of(credentials, stack=True),
        now=ports.now,
        policy=load_signing_policy(signing_policy),
    ) as span:
        chain = load_certificates(credentials.certificates) or span.signer().certificate_chain
        signatory = Signatory(
            certificate=_der(chain[0]),
            span=span,
            confirm=ask_person,
            now=ports.now,
            clock_skew=ports.clock_skew,
        )
        _show_key(there, signatory, chain, pairing.agent_id)
        shell.tell(
            f"signing for {pairing.display_name} ({pairing.login}) at {pairing.url}"
            + ("" if once else "; Ctrl-C ends")
        )
        if once:
            return _exit_code(list(_round(shell, there, signatory, wait=0)))
        while True:
            _next_round(shell, there, signatory)


def list_pairings(shell: Shell, directory: _Directory = _FOLDER) -> None:
    """List the services that this machine is paired with."""
    kept = _pairings(directory).all()
    if shell.json:
        shell.print_object(
            {
                "services": [
                    {
                        "service": each.url,
                        "login": each.login,
                        "agent_id": each.agent_id,
                        "expires_at": each.expires_at.isoformat(),
                    }
                    for each in kept
                ]
            }
        )
        return
    shell.print(
        printable(
            f"{each.url}  {each.display_name} ({each.login})  until {each.expires_at:%Y-%m-%d}"
        )
        for each in kept
    )
    if not kept:
        shell.tell("this machine is paired with no service")


def forget(
    shell: Shell,
    service: Annotated[
        str | None, typer.Argument(metavar="URL", help="Which service, where several are paired.")
    ] = None,
    directory: _Directory = _FOLDER,
) -> None:
    """Give the token back to the service and remove it here."""
    from sr.net.agent_client import AgentClient
    from sr.net.service import HTTPService, service_url

    pairings = _pairings(directory)
    pairing = pairings.one(service_url(service) if service else None)
    try:
        AgentClient(service=HTTPService(url=pairing.url), token=pairing.token).leave()
    except SRError as error:
        shell.tell(f"the token was removed here only: {error}; revoke it at the service")
    pairings.forget(pairing)
    shell.tell(f"{pairing.url} is forgotten")


def _pairings(directory: Path) -> Pairings:
    from sr.app.signatures.pairings import Pairings

    return Pairings(directory.expanduser())


def _show_key(
    there: AgentClient,
    signatory: Signatory,
    chain: tuple[x509.Certificate, ...],
    agent_id: str,
) -> None:
    """Announce a certificate that the service does not know to be here."""
    from cryptography.hazmat.primitives.serialization import Encoding

    from sr.app.signatures.possession import show_possession

    if _fingerprint(signatory) in there.certificates():
        return
    pem = b"".join(each.public_bytes(Encoding.PEM) for each in chain)
    show_possession(
        there,
        signatory.span.signer(),
        chain=pem,
        agent_id=agent_id,
        label=node()[:100] or "card",
    )


def _round(shell: Shell, there: AgentClient, signatory: Signatory, *, wait: int) -> list[Ended]:
    from sr.app.signatures.remote_signing import sign_offers

    ended = []
    for each in sign_offers(there.offers(_fingerprint(signatory), wait=wait), there, signatory):
        ended.append(each)
        tell_ended(shell, each)
    signatory.span.end_if_over()
    return ended


def _next_round(shell: Shell, there: AgentClient, signatory: Signatory) -> None:
    try:
        _round(shell, there, signatory, wait=_WAIT)
    except ExternalServiceError as error:
        shell.tell(f"{error}; trying again")
        signatory.span.end_if_over()
        time.sleep(_PAUSE)


def _exit_code(ended: list[Ended]) -> int:
    errors = [each.error for each in ended if each.error is not None]
    if not errors:
        return 0
    if len(errors) < len(ended):
        return PARTLY_FAILED
    return exit_code_of(errors[0])


def _fingerprint(signatory: Signatory) -> str:
    return sha256(signatory.certificate).hexdigest()


def _der(certificate: x509.Certificate) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding

    return certificate.public_bytes(Encoding.DER)
